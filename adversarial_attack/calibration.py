"""How well the forecast of the smallest change predicts what an attack then needs."""

import numpy as np
import pandas as pd
from scipy import stats

from common.statistics import Interval, bootstrap_interval, grouped

SCORED = 0.1  # least predicted root mean square that is scored, in units of 1/255
RESAMPLES = 9_999
RANKED = {"forecast": "predicted", "dearest": "dearest", "margin": "margin"}  # columns of the forecasts
RATIOS = {"ratio": "predicted", "pair_ratio": "dearest"}  # of the measured size to these columns
CONFIGURATION = ["split", "photograph", "demand"]


def joined(predictions, records):
    """Return the forecasts beside what was measured, a row for each photograph and demand in both tables.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of `forecast.PREDICTIONS`.
    records : pandas.DataFrame
        Of `experiments.smallest_size`.

    Returns
    -------
    pandas.DataFrame
        The columns of `predictions`, and measured: the smallest size found, infinite where the attack did not
        meet the demand. recognised is True only if both tables say so.
    """
    measured = records[[*CONFIGURATION, "recognised", "met", "measured"]]
    table = predictions.merge(measured, on=CONFIGURATION, suffixes=("", " measured"), validate="one_to_one")
    return table.assign(
        recognised=table["recognised"].astype(bool) & table["recognised measured"].astype(bool),
        measured=table["measured"].where(table["met"].astype(bool), np.inf).astype(float),
    ).drop(columns=["recognised measured", "met"])


def scored(table):
    """Return the rows that are scored: recognised photographs whose predicted change is at least `SCORED`."""
    return table[table["recognised"] & (table["rms"] >= SCORED)]


def calibration(table):
    """Return for each demand how the forecasts of the `scored` photographs compare with the measurements.

    Parameters
    ----------
    table : pandas.DataFrame
        See `joined`.

    Returns
    -------
    pandas.DataFrame
        Indexed by demand, in the order of the table, also those without a scored photograph, with columns

        - n, unmet: how many photographs are scored, and on how many of them the attack failed; these have the
          largest measured size;
        - forecast, dearest, margin: Spearman's correlation with the measured size of the predicted size, of
          the largest size that one pair alone requires, and of the margin alone; lead: by how much the first
          exceeds the last;
        - ratio, pair_ratio: median of measured over predicted size, and over the largest size that one pair
          alone requires.

        The last six are `Interval`s (95 %, percentile bootstrap over photographs, the same resamples for all
        correlations), NaN for fewer than three photographs.
    """
    rows = {demand: _calibration(scored(group)) for demand, group in grouped(table, "demand")}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("demand")


def _calibration(rows):
    counts = {"n": len(rows), "unmet": int(np.isinf(rows["measured"]).sum())}
    if len(rows) < 3:
        unknown = Interval(np.nan, np.nan, np.nan)
        return counts | dict.fromkeys((*RANKED, "lead", *RATIOS), unknown)
    ranked = [stats.rankdata(rows[name]) for name in (*RANKED.values(), "measured")]
    ratios = {
        name: _median_of_reciprocals((rows[column] / rows["measured"]).to_numpy())
        for name, column in RATIOS.items()
    }
    return counts | _rank_correlations(*ranked) | ratios


def _median_of_reciprocals(values):
    """Return the median of 1 / values, of which some are infinite, and its interval, from finite numbers."""
    median, low, high = bootstrap_interval(values, np.median)
    with np.errstate(divide="ignore"):
        return Interval(*(float(1 / np.float64(value)) for value in (median, high, low)))


def _rank_correlations(*ranked):
    """Return the intervals of all rank correlations with the last, the measured size, and of the lead."""

    def correlations(*ranked, axis=-1):
        *forecasts, measured = ranked
        found = [_spearman(forecast, measured) for forecast in forecasts]
        return np.stack([*found, found[0] - found[-1]])

    limits = stats.bootstrap(
        ranked, correlations, paired=True, vectorized=True, n_resamples=RESAMPLES, method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    found = zip(correlations(*ranked), *limits, strict=True)
    return {name: Interval(*map(float, row)) for name, row in zip((*RANKED, "lead"), found, strict=True)}


def _spearman(x, y):
    """Return the rank correlation along the last axis; 0 where all values are equal, which says nothing."""
    x, y = (stats.rankdata(values, axis=-1) for values in (x, y))
    x, y = (values - values.mean(axis=-1, keepdims=True) for values in (x, y))
    sizes = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    return (x * y).sum(axis=-1) / np.where(sizes > 0, sizes, 1)
