"""Looking things up by the names under which experiments store them."""

from collections.abc import Iterable
from typing import Any


def look_up(kind: str, name: object, known: Iterable[str]) -> Any:
    """Return ``known[name]``, or the name itself if they are not a dict.

    Raises
    ------
    ValueError
        It is none of these names; the message lists them.
    """
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"There is no {kind} {name!r}; there are {', '.join(known)}.")
    return known[name] if isinstance(known, dict) else name
