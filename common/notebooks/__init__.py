"""Executes the notebooks in fresh kernels, from the stored results.

``python -m common.notebooks reproduce`` executes copies under ``build/`` and compares their outputs with the
committed outputs. Only ``python -m common.notebooks write`` writes committed outputs. It also writes the
picture of a cell tagged ``figure-NAME`` to ``<study>/figures/NAME.png``, and a table of the notebooks to the
README of the repository.
"""

# ruff: noqa: F401, I001
from common.notebooks.compare import IGNORE_OUTPUT, differing_cells, drawn_alike, for_nbval
from common.notebooks.execution import BUILD, ENVIRONMENT, ROOT, WIDGET, DamagedNotebookError
from common.notebooks.execution import code_cells, execute, explorers, paths, read
from common.notebooks.publish import EVIDENCE, TABLE, figures, reproduce, with_table
from common.notebooks.publish import write, write_one
