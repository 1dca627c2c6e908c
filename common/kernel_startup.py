"""The file that IPython runs at the start of every kernel (`PYTHONSTARTUP` of `common.environment`)."""
# ruff: noqa: E402

import sys
from pathlib import Path

# Another package called `common`, for example on PYTHONPATH, would hide ours. If this environment serves
# several clones of the repository, the notebook uses its own clone.
_CLONES = (folder for folder in Path.cwd().parents if (folder / "common" / "kernel_startup.py").exists())
sys.path.insert(0, str(next(_CLONES, Path(__file__).parents[1])))

from common.environment import quieten

quieten()
# We name the class and do not import it, so that a kernel that draws nothing need not wait for Matplotlib.
get_ipython().display_formatter.formatters["image/png"].for_type_by_name(  # type: ignore[name-defined]  # noqa: F821
    "common.plotting", "Figure", lambda figure: figure.png()
)
del quieten, sys, Path, _CLONES
