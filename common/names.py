"""Look-up of names with clear errors, and checks of the parameters of notebooks."""

from collections.abc import Collection, Hashable
from typing import Any


def look_up(kind: str, name: Hashable, known: Collection[Any]) -> Any:
    """Return ``known[name]``, or the name itself if they are not a dict.

    >>> look_up("number", "two", {"one": 1, "two": 2})
    2

    Raises
    ------
    ValueError
        The name is unknown; the message lists the known ones.
    """
    if name not in [*known]:
        raise ValueError(f"There is no {kind} {name!r}; there are {', '.join(map(str, known))}.")
    return known[name] if isinstance(known, dict) else name


def check_parameter(
    name: str, value: Any, allowed: Collection[Any], least: int | None = None, among: Collection[Any] = ()
) -> None:
    """Raise ValueError, with the allowed values, unless a parameter of a notebook has an allowed value.

    Parameters
    ----------
    allowed : range or list
    least : int, optional
        If given, the parameter is a list of at least this many different values; otherwise it is one value.
    among : list, optional
        Values of which the list must hold at least one.

    Examples
    --------
    >>> check_parameter("image", 20, range(20))
    Traceback (most recent call last):
    ValueError: image = 20 is not possible; it may be 0 to 19.
    >>> check_parameter("seeds", [0], range(20), least=2)
    Traceback (most recent call last):
    ValueError: seeds = [0] is not possible; it may be a list of 2 or more different values of 0 to 19.
    """
    ends = f"{allowed[0]} to {allowed[-1]}" if isinstance(allowed, range) else ", ".join(map(repr, allowed))
    values = value if least is not None else [value]
    if least is not None:
        ends = f"a list of {least} or more different values of {ends}"
    if among:
        ends += f", {' or '.join(map(str, among))} among them"
    fits = isinstance(values, list | tuple) and all(v in allowed and not isinstance(v, bool) for v in values)
    if not fits or len({*values}) < max(least or 0, len(values)) or (among and {*among}.isdisjoint(values)):
        raise ValueError(f"{name} = {value!r} is not possible; it may be {ends}.")
