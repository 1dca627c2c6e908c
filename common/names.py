"""Looking things up by the names under which experiments store them."""

from collections.abc import Collection, Hashable
from typing import Any


def look_up(kind: str, name: Hashable, known: Collection[Any]) -> Any:
    """Return ``known[name]``, or the name itself if they are not a dict.

    >>> look_up("number", "two", {"one": 1, "two": 2})
    2

    Raises
    ------
    ValueError
        It is none of these names; the message lists them.
    """
    if name not in [*known]:
        raise ValueError(f"There is no {kind} {name!r}; there are {', '.join(map(str, known))}.")
    return known[name] if isinstance(known, dict) else name
