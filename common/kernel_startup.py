"""What IPython runs at the start of every kernel (`PYTHONSTARTUP` of `common.environment`)."""

from common.environment import quieten

quieten()
del quieten
