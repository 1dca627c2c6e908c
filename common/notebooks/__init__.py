"""Executes the notebooks in fresh kernels, from the stored results.

``python -m common.notebooks reproduce`` executes copies under ``build/``, compares their outputs with the
committed ones and makes one HTML page of them; ``python -m common.notebooks write`` is the one writer of
committed outputs, and of what the READMEs show of them: a cell tagged ``figure-NAME`` writes its picture to
``<study>/figures/NAME.png``, and the Markdown that a cell tagged ``readme-NAME`` displays goes between
``<!-- NAME -->`` and ``<!-- end NAME -->`` in the READMEs. The root's README gets the tables of
`common.notebooks.claims` as well, of the notebooks and of what they claim.
"""

from common.notebooks.compare import IGNORE_OUTPUT, differing_cells, drawn_alike, for_nbval
from common.notebooks.execution import (
    BUILD,
    ENVIRONMENT,
    ROOT,
    WIDGET,
    DamagedNotebookError,
    code_cells,
    execute,
    explorers,
    paths,
    read,
)
from common.notebooks.publish import (
    EVIDENCE,
    TABLE,
    anchor,
    figures,
    filled,
    page,
    readmes,
    reproduce,
    with_tables,
    write,
    write_one,
)

__all__ = [
    "BUILD",
    "ENVIRONMENT",
    "EVIDENCE",
    "IGNORE_OUTPUT",
    "ROOT",
    "TABLE",
    "WIDGET",
    "DamagedNotebookError",
    "anchor",
    "code_cells",
    "differing_cells",
    "drawn_alike",
    "execute",
    "explorers",
    "figures",
    "filled",
    "for_nbval",
    "page",
    "paths",
    "read",
    "readmes",
    "reproduce",
    "with_tables",
    "write",
    "write_one",
]
