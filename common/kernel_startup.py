"""The file that IPython runs at the start of every kernel (`PYTHONSTARTUP` of `common.environment`)."""
# ruff: noqa: E402

import sys
from pathlib import Path

# Another package called `common`, for example on PYTHONPATH, would hide ours. If this environment serves
# several clones of the repository, the notebook uses its own clone.
_CLONES = (folder for folder in Path.cwd().parents if (folder / "common" / "kernel_startup.py").exists())
sys.path.insert(0, str(next(_CLONES, Path(__file__).parents[1])))

from IPython import get_ipython

from common.environment import quieten

if _SHELL := get_ipython():
    quieten()
    # The class is named, not imported, so that a kernel that draws nothing need not wait for Matplotlib.
    _SHELL.display_formatter.formatters["image/png"].for_type_by_name(
        "common.plotting", "Figure", lambda figure: figure.png()
    )
del quieten, get_ipython, sys, Path, _CLONES, _SHELL
