"""Executes the notebooks in fresh kernels, from the stored results.

``python -m common.notebooks reproduce`` executes copies under ``build/`` and compares their outputs with the
committed ones. ``python -m common.notebooks write`` is the one writer of committed outputs; a cell tagged
``figure-NAME`` writes its picture to ``<study>/figures/NAME.png``, and the root's README gets a table of the
notebooks.
"""

# ruff: noqa: F401, I001
from common.notebooks.compare import IGNORE_OUTPUT, differing_cells, drawn_alike, for_nbval
from common.notebooks.execution import BUILD, ENVIRONMENT, ROOT, WIDGET, DamagedNotebookError
from common.notebooks.execution import code_cells, execute, explorers, paths, read
from common.notebooks.publish import EVIDENCE, TABLE, figures, reproduce, with_table
from common.notebooks.publish import write, write_one
