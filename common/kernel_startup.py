"""What IPython runs at the start of every kernel (`PYTHONSTARTUP` of `common.environment`)."""

import sys
from pathlib import Path

# A foreign package called `common`, say on PYTHONPATH, would come first.
sys.path.insert(0, str(Path(__file__).parents[1]))

from common.environment import quieten

quieten()
del quieten, sys, Path
