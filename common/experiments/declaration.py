"""The declaration of an experiment, and the configurations that a grid of its arguments spans."""

import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import pandas as pd

from common import data
from common.experiments.store import Record, as_json, key

Config: TypeAlias = dict[str, Any]
Grid: TypeAlias = Mapping[str, Any]


class Experiment(Protocol):
    """A function declared by `experiment`, with the attributes of its declaration."""

    __name__: str
    __module__: str
    version: int
    tolerance: float | Mapping[str, float]
    needs: tuple[str, ...]

    def __call__(self, **arguments: Any) -> Mapping[str, Any]:
        """Measure one configuration."""


def experiment(
    *, version: int, tolerance: float | Mapping[str, float], needs: Sequence[str] = ()
) -> Callable[[Callable[..., Mapping[str, Any]]], Experiment]:
    """Declare a function of keyword arguments, `seed` among them, as an experiment.

    Parameters
    ----------
    version : int
        Raise it if the meaning of the numbers changes; older records are then measured again.
    tolerance : float, or dict from str to float
        Largest accepted difference from a record x under other `conditions`: ``tolerance * max(1, abs(x))``
        for a number and for the mean of a list, and a share for decisions
        (`common.experiments.audit.distances`). One tolerance holds for all results; a dict has 0 for results
        that it does not name. Under the same conditions the audit expects the same bits.
    needs : list of str
        Keys in `common.data.SHA256` of the data that the function reads in addition to its argument
        `dataset`. If such data are absent, records replay and the audit skips them.

    Raises
    ------
    ValueError
        The function has positional or variable arguments, or no `seed`; it needs data without a SHA-256; or a
        tolerance is not a number of at least 0.
    """

    def declare(function: Callable[..., Mapping[str, Any]]) -> Experiment:
        parameters = inspect.signature(function).parameters
        kinds = {parameter.kind for parameter in parameters.values()}
        if kinds != {inspect.Parameter.KEYWORD_ONLY} or "seed" not in parameters:
            raise ValueError(f"{function.__name__} must take keyword-only arguments, one of them `seed`.")
        _require_registered(needs)
        tolerances = tolerance.values() if isinstance(tolerance, Mapping) else [tolerance]
        if not all(isinstance(one, int | float) and one >= 0 for one in tolerances):
            raise ValueError(
                f"A tolerance of {function.__name__} must be a number from 0, not {tolerance!r}."
            )
        declared = cast(Experiment, function)
        declared.version, declared.tolerance, declared.needs = version, tolerance, tuple(needs)
        return declared

    return declare


def configurations(function: Experiment, grid: Grid) -> list[Config]:
    """Return the complete configurations (dicts) of the experiment that `grid` spans.

    Raises
    ------
    ValueError
        As in `sweep`.
    """
    if not hasattr(function, "version"):
        raise ValueError(f"{function.__name__} is no experiment; put @experiment(...) in front of it.")
    parameters = inspect.signature(function).parameters
    required = {name for name, p in parameters.items() if p.default is p.empty}
    if not required <= set(grid) <= set(parameters):
        raise ValueError(
            f"{function.__name__} takes {', '.join(parameters)} and needs {', '.join(sorted(required))}, "
            f"but it was given {', '.join(grid) or 'nothing'}."
        )
    # The caller's order of arguments determines the order of the rows; omitted arguments come last.
    swept = {**grid} | {name: p.default for name, p in parameters.items() if name not in grid}
    values = [_values(function, name, value) for name, value in swept.items()]
    return [dict(zip(swept, row, strict=True)) for row in itertools.product(*values)]


def _values(function: Experiment, name: str, value: Any) -> list[Any]:
    """Return the JSON values of an argument."""
    several = isinstance(value, list | tuple | range | pd.Series | pd.Index)
    several |= isinstance(value, np.ndarray) and value.ndim > 0
    values = list(value) if several else [value]
    try:
        values = [as_json(one) for one in values]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The argument {name} of {function.__name__} is not a JSON value, that is, a number, text, True, "
            f"False, None or a list of these: {value!r}."
        ) from error
    if not values:
        raise ValueError(f"The argument {name} of {function.__name__} is an empty list.")
    if len({key({"": one}) for one in values}) < len(values):
        raise ValueError(f"The argument {name} of {function.__name__} holds a value twice: {value!r}.")
    if name == "seed" and None in values:
        raise ValueError(f"The seed of {function.__name__} is None, so chance would decide; give a number.")
    if name == "dataset":
        _require_registered(values)
    return values


def _require_registered(names: Iterable[Any]) -> None:
    for name in names:
        if name not in [*data.SHA256]:
            raise ValueError(
                f"There is no SHA-256 of a data set {name!r} in common.data, to tell when the data change; "
                f"there are those of {', '.join(data.SHA256)}."
            )


def is_valid(record: Record | None, function: Experiment) -> bool:
    """Return whether a record exists and has the current version of the experiment and of the data."""
    return (
        record is not None
        and record["version"] == function.version
        and record["data_sha256"] == data_sha256(function, record["config"])
    )


def data_sha256(function: Experiment, config: Config) -> Any:
    """Return the SHA-256 of the data set, or a dict by name if the experiment needs more data."""
    digests = _data_sha256s(function, config)
    return digests if function.needs else next(iter(digests.values()), None)


def _data_sha256s(function: Experiment, config: Config) -> dict[str, str | None]:
    names = [config["dataset"]] if "dataset" in config else []
    return {name: data.SHA256.get(name) for name in (*names, *function.needs)}


def absent_data(function: Experiment, config: Config) -> list[str]:
    """Return the names of the data for a configuration that are not on this machine."""
    return [name for name in _data_sha256s(function, config) if not data.is_available(name)]
