"""How many labelled digits does the simplest classifier need?"""

from pathlib import Path

import common

if Path(str(common.__file__)).parents[1] != Path(__file__).parents[1]:
    raise ImportError(f"{common} hides this repository's package: take its folder off PYTHONPATH.")
