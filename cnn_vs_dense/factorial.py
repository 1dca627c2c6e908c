"""What each of three pieces of knowledge is worth to a network on k-space, and how far that carries.

The pieces are the *start* of the trained transform at the inverse Fourier transform, the *modulus* after it,
and the known *phase*, taken out in between. The modulus of a number does not depend on its phase, so with the
modulus a known phase changes nothing: the eight combinations are six networks.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import factorial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cnn_vs_dense.answers import answers, side_by_side
from cnn_vs_dense.pooled import crossed_bootstrap, crossed_interval, ratio_of_means

PIECES = ("start", "modulus", "phase")
NONE, ALL = frozenset[str](), frozenset(PIECES)
SUBSETS = [frozenset(chosen) for size in range(len(PIECES) + 1) for chosen in combinations(PIECES, size)]
NETWORKS = {
    NONE: "random start",
    frozenset({"start"}): "inverse Fourier start",
    frozenset({"modulus"}): "random start, modulus",
    frozenset({"phase"}): "random start, known phase",
    frozenset({"start", "modulus"}): "inverse Fourier start, modulus",
    frozenset({"start", "phase"}): "inverse Fourier start, known phase",
}
BEST = frozenset({"start", "modulus"})  # the network that stands for all three pieces
BETWEEN = [pieces for pieces in NETWORKS if pieces not in (NONE, BEST)]  # those a prediction is about
REFERENCE = "zero-filled magnitude"
LEAST_TOTAL = 2.0  # points that the pieces must be worth together for shares of them to be given

Values = Mapping[frozenset[str], Any]  # of each set of pieces, a number or an array


class Cell(NamedTuple):
    """One kind of measurement: the columns of k-space that are measured, of 28, and the relative noise."""

    columns: int
    noise: float


def measured(table: pd.DataFrame, cell: Cell) -> dict[frozenset[str], np.ndarray]:
    """Return the accuracies of the six networks in one cell, in %.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns method, seed, right, columns and noise.
    cell : Cell

    Returns
    -------
    dict from set of pieces to array, shape (seeds, images)
        100 where the network was right, else 0.

    Raises
    ------
    ValueError
        The table lacks a network or has it twice, or their seeds differ.
    """
    right = side_by_side(answers(table, {"method": name, **cell._asdict()}) for name in NETWORKS.values())
    return dict(zip(NETWORKS, 100.0 * right.swapaxes(0, 1), strict=True))


def reference(table: pd.DataFrame, cell: Cell) -> np.ndarray:
    """Return the accuracies of the `REFERENCE` in one cell as `measured` returns those of the networks."""
    return 100.0 * side_by_side([answers(table, {"method": REFERENCE, **cell._asdict()})])[:, 0]


def averaged(cells: Sequence[Values]) -> dict[frozenset[str], Any]:
    """Return the mean over cells of the values of each set of pieces."""
    return {pieces: np.mean([values[pieces] for values in cells], axis=0) for pieces in cells[0]}


def complete(values: Values) -> dict[frozenset[str], Any]:
    """Return the values of all eight sets of pieces from those of the six networks.

    Raises ValueError if one of the six is missing.
    """
    _require(values, list(NETWORKS))
    return {pieces: values[pieces - {"phase"} if "modulus" in pieces else pieces] for pieces in SUBSETS}


def shapley(values: Values) -> dict[str, Any]:
    """Return what each piece adds, averaged over all orders in which the pieces can be added.

    Shapley (1953, "A value for n-person games", eq. 12).

    Parameters
    ----------
    values : dict from set of pieces to float or array
        All eight; arrays of one shape.

    Returns
    -------
    dict from piece to float or array of that shape

    Raises
    ------
    ValueError
        A set of pieces is missing.
    """
    _require(values, SUBSETS)
    orders, found = factorial(len(PIECES)), {}
    for piece in PIECES:
        without = [pieces for pieces in SUBSETS if piece not in pieces]
        weights = [factorial(len(s)) * factorial(len(PIECES) - 1 - len(s)) / orders for s in without]
        gains = [
            weight * (values[s | {piece}] - values[s]) for s, weight in zip(without, weights, strict=True)
        ]
        found[piece] = sum(gains[1:], gains[0])
    return found


def worth(values: Values) -> pd.DataFrame:
    """Return what each piece is worth, in points and as a share of what all of them are worth.

    Parameters
    ----------
    values : dict from set of pieces to array, shape (seeds, images)
        Accuracies in % of all eight, as of `complete`.

    Returns
    -------
    pandas.DataFrame
        Indexed by piece: points, low and high by `pooled.crossed_interval`; share, share_low and share_high
        by `pooled.ratio_of_means`, NaN unless all pieces are worth more than `LEAST_TOTAL`.

    Raises
    ------
    ValueError
        A set of pieces is missing.
    """
    total = values[ALL] - values[NONE]
    rows = {}
    for piece, gains in shapley(values).items():
        points = crossed_interval(gains)
        share = ratio_of_means(gains, total) if total.mean() > LEAST_TOTAL else 3 * (np.nan,)
        rows[piece] = [*points, *share]
    columns = ["points", "low", "high", "share", "share_low", "share_high"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def profile(values: Values) -> dict[frozenset[str], float]:
    """Return how far each network stands between the one without any piece, 0, and the one with all, 1.

    Parameters
    ----------
    values : dict from set of pieces to float or array
        Accuracies, of which the mean counts; at least those without any piece and of `BEST`.

    Raises
    ------
    ValueError
        One of these two is missing, or both are equal.
    """
    _require(values, [NONE, BEST])
    means = {pieces: float(np.mean(accuracies)) for pieces, accuracies in values.items()}
    if means[BEST] == means[NONE]:
        raise ValueError("All pieces together are worth nothing, so there is no profile.")
    return {pieces: (mean - means[NONE]) / (means[BEST] - means[NONE]) for pieces, mean in means.items()}


def predicted(profile: Values, none: float, all: float) -> dict[frozenset[str], float]:
    """Return the accuracies that a profile predicts between `none`, without any piece, and `all`."""
    return {pieces: none + place * (all - none) for pieces, place in profile.items()}


def predictions(
    fitted: Sequence[Values], held_out: Values, near_reference: np.ndarray, reference: np.ndarray
) -> pd.DataFrame:
    """Return the accuracies of the networks in a held-out cell beside two predictions of them.

    Parameters
    ----------
    fitted : sequence of dict from set of pieces to array, shape (seeds, images)
        Accuracies in % of the six networks in the cells that fit the profile, as of `measured`; the last
        cell is the one nearest to the one held out.
    held_out : dict as those of `fitted`
    near_reference, reference : array, shape (seeds, images)
        Of the last of the cells fitted and of the one held out.

    Returns
    -------
    pandas.DataFrame
        A row for each network of `BETWEEN`: network; loss, low and high: how far it is behind the reference
        in points, with the interval of `pooled.crossed_interval`; by_profile: the loss that the profile of
        the cells fitted predicts between the measured ends; as_before: the loss in the last of these cells.
    """
    means = {pieces: np.mean(held_out[pieces]) for pieces in (NONE, BEST)}
    by_profile = predicted(profile(averaged(fitted)), means[NONE], means[BEST])
    rows = []
    for pieces in BETWEEN:
        loss = crossed_interval(reference - held_out[pieces])
        as_before = np.mean(near_reference - fitted[-1][pieces])
        limits = {"loss": loss.mean, "low": loss.low, "high": loss.high}
        ahead = {"by_profile": np.mean(reference) - by_profile[pieces], "as_before": as_before}
        rows.append({"network": NETWORKS[pieces], **limits, **ahead})
    return pd.DataFrame(rows)


def prediction_errors(
    fitted: Sequence[Values], held_out: Values, near_reference: np.ndarray, reference: np.ndarray
) -> pd.DataFrame:
    """Return how far the two predictions of `predictions` are off, which describes the arguments.

    Returns
    -------
    pandas.DataFrame
        A row for by_profile and one for as_before: error, the mean over the networks of `BETWEEN` of the
        absolute difference between predicted and measured accuracy in points; low and high, the interval of
        `pooled.crossed_bootstrap`.
    """
    cells = [np.stack([values[pieces] for pieces in NETWORKS]) for values in (*fitted, held_out)]
    found = crossed_bootstrap(np.concatenate([*cells, [near_reference, reference]]), _errors)
    columns = dict(zip(("error", "low", "high"), found, strict=True))
    return pd.DataFrame(columns, index=["by_profile", "as_before"])


def _errors(means: np.ndarray) -> np.ndarray:
    """Return both errors from the means of the networks in all cells and of the two references."""
    *fitted, held_out = (
        dict(zip(NETWORKS, row, strict=True)) for row in means[:-2].reshape(-1, len(NETWORKS))
    )
    by_profile = predicted(profile(averaged(fitted)), held_out[NONE], held_out[BEST])
    as_before = {pieces: means[-1] - means[-2] + fitted[-1][pieces] for pieces in BETWEEN}
    return np.array([
        np.mean([abs(guess[pieces] - held_out[pieces]) for pieces in BETWEEN])
        for guess in (by_profile, as_before)
    ])  # fmt: skip


def losses(table: pd.DataFrame, cells: Sequence[Cell]) -> pd.DataFrame:
    """Return how far each of the six networks is behind the reference in each cell.

    Parameters
    ----------
    table : pandas.DataFrame
        As `measured` takes it, with the `REFERENCE`.
    cells : sequence of Cell

    Returns
    -------
    pandas.DataFrame
        Columns network, columns and noise; mean, low and high: the loss in points with the interval of
        `pooled.crossed_interval`.

    Raises
    ------
    ValueError
        As `measured`.
    """
    return pd.DataFrame([
        {"network": NETWORKS[pieces], **cell._asdict(),
         **crossed_interval(reference(table, cell) - accuracies)._asdict()}
        for cell in cells for pieces, accuracies in measured(table, cell).items()
    ])  # fmt: skip


def _require(values: Values, needed: Sequence[frozenset[str]]) -> None:
    missing = [" + ".join(sorted(pieces)) or "none" for pieces in needed if pieces not in values]
    if missing:
        raise ValueError(f"There are no values of {', '.join(missing)}.")
