"""Contrasts of methods over several measurements, seeds and test images.

A claim is a mean over cells, a cell being one kind of measurement. All cells and methods share the training
subset and noise of a seed and the test images, so neither cells nor decisions are independent: first the
difference of the decisions is averaged over the cells, for each seed and image; then seeds and images count
as two crossed random factors.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from cnn_vs_dense.answers import answers, described, side_by_side
from common.statistics import Interval

CONFIDENCE = 0.95
SIGNIFICANT = 0.05
CHUNK = 100  # resamples whose weights are in memory together


class Dose(NamedTuple):
    """A cell of the study of CT: the fields of a cell are columns of the table, here these two."""

    angles: int
    photons: float


def decisions(table: pd.DataFrame, methods: Mapping[Any, str], cells: Sequence[Any]) -> np.ndarray:
    """Return whether one method a cell was right on each test image.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns method, seed, right and the fields of the cells; in each cell one row a method and seed.
    methods : dict from cell to str
        Which method counts in each cell: one for all, or what validation chose there.
    cells : sequence of named tuple
        Such as `Dose`.

    Returns
    -------
    array of bool, shape (seeds, cells, images)
        The seeds in ascending order.

    Raises
    ------
    ValueError
        A cell that the table or `methods` lacks, runs that occur twice, or cells with other seeds or images.
    """
    missing = [cell for cell in cells if cell not in methods]
    if missing:
        raise ValueError(f"There is no method for {', '.join(map(str, missing))}.")
    return side_by_side(answers(table, {"method": methods[cell], **cell._asdict()}) for cell in cells)


def differences(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return one minus other, both ``(seeds, cells, images)``, averaged over the cells, in points.

    The result has the shape (seeds, images). Raises ValueError for arrays of different shapes.
    """
    if one.shape != other.shape or one.ndim != 3:
        raise ValueError(f"Decisions must be two arrays of three axes, not {one.shape} and {other.shape}.")
    return 100 * (one.mean(axis=1) - other.mean(axis=1))


def contrast(one: np.ndarray, other: np.ndarray) -> Interval:
    """Return how much more often one is right than other, in points: the mean over cells, seeds and images.

    Parameters
    ----------
    one, other : array of bool, shape (seeds, cells, images)
        As `decisions` returns them.

    Returns
    -------
    Interval of floats
        That of `crossed_interval`.

    Raises
    ------
    ValueError
        Arrays of different shapes, or fewer than two seeds or images.
    """
    return crossed_interval(differences(one, other))


def crossed_interval(differences: ArrayLike) -> Interval:
    """Return the mean over seeds and images, both random, and its 95 % interval.

    ``SE^2 = s_seeds^2 / seeds + s_images^2 / images`` with the variances of the means of a seed and of an
    image. What is random for each seed and image counts in both, so the interval is somewhat too wide rather
    than too narrow. The limits are those of Student with the degrees of freedom of Welch (1947).

    Parameters
    ----------
    differences : array, shape (seeds, images)
        At least two of both.

    Returns
    -------
    Interval of floats

    Raises
    ------
    ValueError
        Not two axes, or fewer than two seeds or images.
    """
    mean, of_seeds, of_images = _components(np.asarray(differences, float)[np.newaxis])
    variances = np.array([of_seeds[0, 0], of_images[0, 0]])
    middle, total = float(mean[0]), variances.sum()
    if not total:
        return Interval(middle, middle, middle)
    freedom = total**2 / (variances**2 / (np.array(np.shape(differences)) - 1)).sum()
    half = float(_quantile(freedom) * np.sqrt(total))
    return Interval(middle, middle - half, middle + half)


def ratio_of_means(numerators: ArrayLike, denominators: ArrayLike) -> Interval:
    """Return the ratio of two means over seeds and images, and its 95 % interval by Fieller (1954).

    Their covariance has the two components of `crossed_interval`; the quantile is that of Student with
    seeds - 1 degrees of freedom.

    Parameters
    ----------
    numerators, denominators : array, shape (seeds, images)
        Paired: of the same seeds and images.

    Returns
    -------
    Interval of floats
        With infinite limits if the interval of the denominator contains 0; then there is no ratio.

    Raises
    ------
    ValueError
        Arrays of different shapes, or fewer than two seeds or images.
    """
    pair = [np.asarray(values, float) for values in (numerators, denominators)]
    if pair[0].shape != pair[1].shape:
        raise ValueError(f"A ratio needs two arrays of one shape, not {pair[0].shape} and {pair[1].shape}.")
    mean, of_seeds, of_images = _components(np.stack(pair))
    # All ratios r with (n - r d)^2 <= t^2 Var(n - r d), a quadratic inequality in r.
    bound = np.outer(mean, mean) - _quantile(len(pair[0]) - 1) ** 2 * (of_seeds + of_images)
    if bound[1, 1] <= 0:
        return Interval(float(mean[0] / mean[1]) if mean[1] else np.nan, -np.inf, np.inf)
    root = np.sqrt(max(bound[0, 1] ** 2 - bound[0, 0] * bound[1, 1], 0.0))
    low, high = (float((bound[0, 1] + sign * root) / bound[1, 1]) for sign in (-1, 1))
    return Interval(float(mean[0] / mean[1]), low, high)


def _components(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the means of values ``(k, seeds, images)``, and their covariances from seeds and from images."""
    if values.ndim != 3 or min(values.shape[1:]) < 2:
        raise ValueError(f"At least two seeds and two images are needed, not {values.shape[1:]}.")
    _, seeds, images = values.shape
    of_seeds, of_images = np.cov(values.mean(axis=2)) / seeds, np.cov(values.mean(axis=1)) / images
    return values.mean(axis=(1, 2)), np.atleast_2d(of_seeds), np.atleast_2d(of_images)


def _quantile(freedom: float) -> float:
    return stats.t.ppf((1 + CONFIDENCE) / 2, freedom)


def crossed_bootstrap(
    samples: np.ndarray,
    statistic: Callable[[np.ndarray], ArrayLike],
    resamples: int = 2_000,
    seed: int = 0,
) -> Interval:
    """Return a statistic of means and its 95 % percentile interval; seeds and images are both drawn anew.

    The pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1, 386).

    Parameters
    ----------
    samples : array, shape (quantities, seeds, images)
        All quantities of a seed and image are drawn together.
    statistic : callable
        Takes the means of the quantities, ``(quantities,)``, and returns a float or a flat array.
    resamples : int
    seed : int

    Returns
    -------
    Interval of floats, or of arrays as the statistic returns them
    """
    quantities, seeds, images = samples.shape
    rng, flat, drawn = np.random.default_rng(seed), samples.reshape(-1, images).astype(float), []
    for start in range(0, resamples, CHUNK):
        count = min(CHUNK, resamples - start)
        by_seed = (flat @ _weights(rng, images, count)).reshape(quantities, seeds, count)
        drawn.append(np.einsum("qsr,sr->rq", by_seed, _weights(rng, seeds, count)))
    found = np.stack([statistic(means) for means in np.concatenate(drawn)])
    tail = 100 * (1 - CONFIDENCE) / 2
    return Interval(statistic(samples.mean(axis=(1, 2))), *np.percentile(found, [tail, 100 - tail], axis=0))


def _weights(rng: np.random.Generator, size: int, resamples: int) -> np.ndarray:
    """Return the share of each unit in each resample, ``(size, resamples)``."""
    drawn = [np.bincount(rng.integers(size, size=size), minlength=size) for _ in range(resamples)]
    return np.stack(drawn, axis=1) / size


def cell_contrasts(
    one: np.ndarray, other: np.ndarray, cells: Sequence[Any], least: float = 0.0
) -> pd.DataFrame:
    """Compare two methods in every cell of a named family.

    The standard deviation over the seeds is pooled over the cells, with cells (seeds - 1) degrees of freedom;
    the test images are those at hand.

    Parameters
    ----------
    one, other : array of bool, shape (seeds, cells, images)
        As `decisions` returns them for these cells; at least two seeds.
    cells : sequence of named tuple
    least : float
        How far one must be ahead, in points.

    Returns
    -------
    pandas.DataFrame
        A row for each cell: its fields; mean, low and high: one minus other in points with the 95 % interval;
        p: one-sided, against 0; holm: p adjusted for all cells; met: whether the mean is at least `least` and
        holm is below 0.05.

    Raises
    ------
    ValueError
        Arrays of other shapes, fewer than two seeds, or differences that are the same for all seeds.
    """
    by_seed = 100 * (one.mean(axis=2) - other.mean(axis=2))
    seeds, number = by_seed.shape
    if number != len(cells) or seeds < 2:
        raise ValueError(f"{len(cells)} cells need decisions of at least two seeds, not {one.shape}.")
    error, freedom = np.sqrt(by_seed.var(axis=0, ddof=1).mean() / seeds), number * (seeds - 1)
    if not error:
        raise ValueError("The differences are the same for all seeds, so they have no interval.")
    means, half = by_seed.mean(axis=0), _quantile(freedom) * error
    p = stats.t.sf(means / error, freedom)
    return pd.DataFrame([cell._asdict() for cell in cells]).assign(
        mean=means, low=means - half, high=means + half, p=p, holm=holm(p),
        met=(means >= least) & (holm(p) < SIGNIFICANT),
    )  # fmt: skip


def holm(p: ArrayLike) -> np.ndarray:
    """Return p-values, shape (tests,), adjusted for their number by the step-down method of Holm (1979)."""
    values = np.asarray(p, float)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(np.arange(len(values), 0, -1) * values[order])
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def equivalent(interval: Interval, margin: float) -> bool:
    """Return whether an interval of floats lies inside -margin to margin."""
    return bool(-margin < interval.low and interval.high < margin)


def loses_to_subset(
    table: pd.DataFrame, pairs: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> pd.DataFrame:
    """Compare networks that had more with networks that had only part of it, and flag those that lose.

    Parameters
    ----------
    table : pandas.DataFrame
        As `answers` takes it.
    pairs : iterable of (superset, subset)
        Each selects the runs of a network as in `answers`, such as ``{"method": "wrapped angles", "angles":
        16, "photons": 30}`` and the same at 4 angles.

    Returns
    -------
    pandas.DataFrame
        A row for each pair: superset and subset; mean, low and high: superset minus subset in points with the
        interval of `crossed_interval`; loses: whether the interval lies below 0, which is a bug or has to be
        explained.

    Raises
    ------
    ValueError
        As `answers` and `side_by_side`.
    """
    rows = []
    for superset, subset in pairs:
        right = side_by_side([answers(table, superset), answers(table, subset)])
        interval = contrast(right[:, :1], right[:, 1:])
        names = {"superset": described(superset), "subset": described(subset)}
        rows.append({**names, **interval._asdict(), "loses": interval.high < 0})
    return pd.DataFrame(rows)
