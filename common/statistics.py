"""Intervals, tests and tables of repeated measurements."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from common.arguments import check_seed, check_unmasked


class Interval(NamedTuple):
    """A mean with its confidence limits, as floats or as arrays of one shape."""

    mean: Any
    low: Any
    high: Any

    def __format__(self, spec: str) -> str:
        places = zip(*map(np.ravel, self), strict=True)
        return "; ".join(f"{mean:{spec}} [{low:{spec}}, {high:{spec}}]" for mean, low, high in places)


def mean_interval(samples: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the mean over the first axis and its Student interval.

    Parameters
    ----------
    samples : array, shape (n, ...)
        n independent measurements, at least 2; for paired measurements pass their differences.
    confidence : float
        In (0, 1).

    Returns
    -------
    Interval
        Arrays of shape ``samples.shape[1:]``: mean and ``mean -+ t(n - 1) * s / sqrt(n)``.

    Raises
    ------
    ValueError
        Fewer than two measurements, or a confidence outside (0, 1).
    """
    samples = _numbers(samples)
    _check_count(samples)
    check_confidence(confidence)
    mean = samples.mean(axis=0)
    half = stats.t.ppf((1 + confidence) / 2, len(samples) - 1) * stats.sem(samples, axis=0)
    return Interval(mean, mean - half, mean + half)


def difference_interval(ones: ArrayLike, others: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the difference of two means over the first axis and its Welch interval (Welch 1947).

    Parameters
    ----------
    ones, others : array, shape (n, ...) and (m, ...)
        Independent measurements, at least 2 in each array.
    confidence : float
        In (0, 1).

    Returns
    -------
    Interval
        Arrays of shape ``ones.shape[1:]``.

    Raises
    ------
    ValueError
        Fewer than two measurements of either, other shapes, or a confidence outside (0, 1).
    """
    ones, others = _numbers(ones), _numbers(others)
    _check_count(ones)
    _check_count(others)
    if ones.shape[1:] != others.shape[1:]:
        shapes = f"{ones.shape} and {others.shape}"
        raise ValueError(f"A difference needs measurements of one shape after the first axis, not {shapes}.")
    check_confidence(confidence)
    limits = stats.ttest_ind(ones, others, equal_var=False).confidence_interval(confidence)
    return Interval(ones.mean(axis=0) - others.mean(axis=0), *limits)


def ratio_interval(numerators: ArrayLike, denominators: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the ratio of two geometric means and its interval, as an `Interval` of floats.

    The interval is the `difference_interval` of the logarithms.

    Parameters
    ----------
    numerators, denominators : array, shape (n,) and (m,)
        Positive independent measurements, at least 2 in each array.
    confidence : float
        In (0, 1).

    Raises
    ------
    ValueError
        Not flat, fewer than two measurements, one that is not positive and finite, or a confidence outside
        (0, 1).
    """
    samples = [_numbers(values) for values in (numerators, denominators)]
    if any(x.ndim != 1 or x.size < 2 or not ((x > 0) & (x < np.inf)).all() for x in samples):
        raise ValueError(
            "A ratio needs two flat arrays of at least two measurements each, all of them positive."
        )
    one, other = map(np.log, samples)
    return Interval(*map(float, np.exp(difference_interval(one, other, confidence))))


def grouped(table: pd.DataFrame | pd.Series, by: Any) -> Any:
    """Return the groups of a table or column in order of appearance; None is a group like any other.

    None is an ordinary argument of an experiment, but by default pandas drops its rows. Parameters and
    result are those of `pandas.DataFrame.groupby`.
    """
    return table.groupby(by, sort=False, dropna=False)


def summarise(table: pd.DataFrame, by: str | Sequence[str], value: str, scale: float = 1.0) -> pd.DataFrame:
    """Return n, mean and 95 % interval of a column for each group of a table.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each run, as `common.experiments.sweep` returns it.
    by : str or list of str
        Columns that distinguish the groups, which keep the order of the table. A missing value, such as
        None, is a value like any other.
    value : str
        Column of numbers.
    scale : float
        Factor on the numbers, e.g. 100 for percent.

    Returns
    -------
    pandas.DataFrame
        Indexed by group, with columns n, mean, low, high.

    Raises
    ------
    ValueError
        A column that is missing or holds no numbers, or a group with fewer than two rows.
    """
    names = [by] if isinstance(by, str) else list(by)
    _check_columns(table, [*names, value])
    _check_numbers(table, value)
    groups = grouped(table, names if len(names) > 1 else names[0])[value]
    found = groups.apply(lambda values: (len(values), *mean_interval(values * scale)))
    return pd.DataFrame(found.to_list(), found.index, ["n", "mean", "low", "high"])


def best(
    table: pd.DataFrame, by: Sequence[str], choose: Sequence[str], score: str, lowest: bool = False
) -> pd.DataFrame:
    """Return, for each group, the settings with the best mean score.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each run.
    by : list of str
        Columns that distinguish the groups, possibly none; missing values count as values.
    choose : list of str
        Columns of the settings to choose, such as the learning rate.
    score : str
        Column of numbers, averaged over the other columns.
    lowest : bool
        Whether the lowest mean is best instead of the highest. Of equal means, the first in the table wins.

    Returns
    -------
    pandas.DataFrame
        One row for each group, in the order of the table, with the columns `by`, `choose` and `score`, the
        mean.

    Raises
    ------
    ValueError
        A column that is missing, nothing to choose from, or scores that are no numbers or NaN.
    """
    _check_columns(table, [*by, *choose, score])
    _check_numbers(table, score)
    if table[score].isna().any():  # a mean would pass over them
        raise ValueError(f"The column {score!r} holds NaN, so there is no best value.")
    if table.empty or not len(choose):
        raise ValueError("There is nothing to choose from: no rows, or no columns in choose.")
    means = grouped(table, [*by, *choose])[score].mean().reset_index()
    groups = [rows[score] for _, rows in grouped(means, list(by))] if by else [means[score]]
    chosen = [scores.idxmin() if lowest else scores.idxmax() for scores in groups]
    return means.loc[chosen].reset_index(drop=True)


def share_interval(hits: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the share of True and its Wilson interval (Wilson 1927), as an `Interval` of floats.

    Parameters
    ----------
    hits : array of bool, shape (n,)
        n independent trials, at least 1.
    confidence : float
        In (0, 1).

    Raises
    ------
    ValueError
        No trials, trials other than True and False, or a confidence outside (0, 1).
    """
    check_unmasked(hits, "hits")
    hits = np.asarray(hits)
    if hits.size == 0:
        raise ValueError("A share needs at least one trial, not 0.")
    if hits.dtype != bool or hits.ndim != 1:
        raise ValueError(f"hits must be a row of True and False, not {hits.dtype} of shape {hits.shape}.")
    check_confidence(confidence)
    found = stats.binomtest(int(hits.sum()), hits.size)
    return Interval(float(hits.mean()), *map(float, found.proportion_ci(confidence, method="wilson")))


def bootstrap_interval(
    samples: ArrayLike,
    statistic: Callable[[np.ndarray], Any] = np.mean,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return a statistic and its percentile bootstrap interval (Efron 1979), as an `Interval` of floats.

    Parameters
    ----------
    samples : array, shape (n, ...)
        n independent units such as images, at least 2; all values of a unit are drawn together.
    statistic : callable
        Takes an array of samples and returns a float.
    confidence : float
        In (0, 1).
    seed : int
        Seed of the 9,999 resamples.

    Raises
    ------
    ValueError
        Fewer than two samples, samples that are not numbers, a confidence outside (0, 1), or a seed that is
        not an integer of at least 0.
    """
    check_unmasked(samples, "samples")
    check_seed(seed)
    samples = np.asarray(samples)
    _check_count(samples)
    if samples.dtype.kind not in "biuf":
        raise ValueError(f"samples must be numbers, not {samples.dtype}.")
    check_confidence(confidence)

    # Computing all resamples at once is many times faster, but needs memory and a statistic with an axis.
    at_once = samples.ndim == 1 and statistic in (np.mean, np.median) and len(samples) <= 1000

    def of_units(chosen, axis=None):
        if at_once:
            return statistic(samples[chosen], axis=axis)
        return float(statistic(samples[chosen]))  # SciPy computes in the precision of the statistic

    limits = stats.bootstrap(
        (np.arange(len(samples)),), of_units, vectorized=at_once, confidence_level=confidence,
        method="percentile", rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return Interval(float(statistic(samples)), *map(float, limits))


def mcnemar(one: ArrayLike, other: ArrayLike) -> float:
    """Return the exact two-sided p-value of McNemar's test (1947) that two classifiers err equally often.

    Parameters
    ----------
    one, other : array of bool, shape (n,)
        Whether each classifier is right on the same n images.

    Raises
    ------
    ValueError
        The arrays are not flat, not of one length, or not True and False.
    """
    for decisions in (one, other):
        check_unmasked(decisions, "decisions")
    one, other = np.asarray(one), np.asarray(other)
    if one.dtype != bool or other.dtype != bool or one.ndim != 1 or one.shape != other.shape:
        raise ValueError("McNemar's test needs two equally long arrays of True and False.")
    only_one, only_other = np.sum(one & ~other), np.sum(other & ~one)
    if only_one + only_other == 0:
        return 1.0
    return float(stats.binomtest(only_one, only_one + only_other).pvalue)


def verdicts(
    targets: Mapping[str, tuple[Any, float, float]],
    show: Callable[[Any], str] = "{:.3g}".format,
    unit: str = "",
) -> pd.DataFrame:
    """Return a table of targets; a target is met if the measured mean lies within its limits.

    Parameters
    ----------
    targets : dict from str to (measured, low, high)
        The measured value is an Interval, a float, or an array of bool, whose mean counts. A missing limit
        is infinite.
    show : callable
        Returns the text of a measured value.
    unit : str
        Written after the limits; the unit " %" multiplies them by 100.

    Returns
    -------
    pandas.DataFrame of str
        Columns target, measured and verdict: "met" or "missed", whatever the interval includes.

    Raises
    ------
    ValueError
        A lower limit above the upper one, or a mean that is NaN.
    """
    rows = {}
    for name, (found, low, high) in targets.items():
        mean = found.mean if isinstance(found, Interval) else np.mean(found)
        if not low <= high or np.isnan(mean):
            raise ValueError(f"The target {name!r} has the limits {low} to {high} and the mean {mean}.")
        verdict = "met" if low <= mean <= high else "missed"
        rows[name] = (_limits(low, high, unit), show(found), verdict)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["target", "measured", "verdict"])


def _limits(low, high, unit):
    low_text, high_text = (f"{limit * (100 if unit == ' %' else 1):g}" for limit in (low, high))
    if low == -np.inf:
        return f"at most {high_text}{unit}"
    return f"at least {low_text}{unit}" if high == np.inf else f"{low_text} to {high_text}{unit}"


def _numbers(values: ArrayLike) -> np.ndarray:
    check_unmasked(values, "measurements")
    try:
        return np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Measurements must be an array of numbers, not {values!r:.60}.") from error


def _check_numbers(table, name):
    if not pd.api.types.is_numeric_dtype(table[name]):
        raise ValueError(f"The column {name!r} must hold numbers, not {table[name].dtype}.")


def _check_columns(table, names):
    missing = [name for name in names if name not in table]
    if missing:
        raise ValueError(f"The table has no column {', '.join(map(repr, missing))}.")


def _check_count(samples):
    if samples.ndim == 0 or len(samples) < 2:
        raise ValueError(f"An interval needs at least two measurements, not {samples.size}.")


def check_confidence(confidence: float) -> None:
    """Raise ValueError unless a confidence lies between 0 and 1."""
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not be {confidence!r}.")
