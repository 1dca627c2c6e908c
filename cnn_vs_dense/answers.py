"""The decisions of networks on the test images, from the table of a sweep."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd


def answers(table: pd.DataFrame, where: Mapping[str, Any]) -> pd.Series:
    """Return the decisions of one network in one cell.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each run: columns seed and right (array of bool, one an image), and those of `where`.
    where : dict from column to value
        Selects the rows.

    Returns
    -------
    pandas.Series of array
        The column right, indexed and sorted by seed.

    Raises
    ------
    ValueError
        No such column, no row, or two rows with one seed.
    """
    absent = [name for name in where if name not in table]
    if absent:
        raise ValueError(f"The table has no column {', '.join(map(repr, absent))}.")
    chosen = np.logical_and.reduce([table[name] == value for name, value in where.items()])
    rows = table[chosen].set_index("seed").sort_index()
    if rows.empty or rows.index.has_duplicates:
        count = "no run" if rows.empty else "several runs with one seed"
        raise ValueError(f"The table has {count} of {described(where)}.")
    return rows["right"]


def described(where: Mapping[str, Any]) -> str:
    """Return the name of some rows, such as "learned filter, angles 4"; the method stands for itself."""
    return ", ".join(
        str(value) if name == "method" else f"{name.replace('_', ' ')} {value}"
        for name, value in where.items()
    )


def side_by_side(found: Iterable[pd.Series]) -> np.ndarray:
    """Return the decisions of several networks, as `answers` returns them, ``(seeds, networks, images)``.

    Raises ValueError if they have not the same seeds or numbers of images.
    """
    series = list(found)
    if any(not one.index.equals(series[0].index) for one in series):
        seeds = " and ".join(sorted({str([*one.index]) for one in series}))
        raise ValueError(f"Only runs with the same seeds can be compared, not {seeds}.")
    if len({len(right) for one in series for right in one}) > 1:
        raise ValueError("Only decisions on the same images can be compared, but their numbers differ.")
    return np.stack([np.stack(list(one)) for one in series], axis=1)
