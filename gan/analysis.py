"""What the tables of this study's experiments say."""

import numpy as np
import pandas as pd

from common.statistics import Interval, best, check_confidence, grouped, mean_interval
from gan.models import CLASSES
from gan.projection import RESEMBLING

SEEN_THROUGH = 0.65  # nats; a critic below has learned to tell
RESAMPLES = 2_000


def by_size(table, metric):
    """Return the mean of a metric for each latent size, with its 95 % interval over the seeds.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows are runs; at least two for each value of the column latent_size.
    metric : str
        A column of numbers.

    Returns
    -------
    Interval of arrays, shape (sizes,)
        In ascending order of the sizes.
    """
    ascending = table.sort_values("latent_size", kind="stable")
    intervals = [mean_interval(rows) for _, rows in grouped(ascending, "latent_size")[metric]]
    return Interval(*map(np.array, zip(*intervals, strict=True)))


def budget_to_see(budgets, readings, level=SEEN_THROUGH):
    """Return the training budget at which a critic's cross-entropy falls below a level.

    Parameters
    ----------
    budgets : increasing sequence of int
    readings : sequence of float
        Cross-entropies in nats, one for each budget; between two of them a straight line over the logarithm
        of the budget is assumed.
    level : float

    Returns
    -------
    float
        The first budget if its reading is below already, infinity if none is.

    Raises
    ------
    ValueError
        Budgets that do not increase, or readings that are not one finite number each.
    """
    budgets, readings = np.asarray(budgets, float), np.asarray(readings, float)
    if budgets.shape != readings.shape or (np.diff(budgets) <= 0).any() or not np.isfinite(readings).all():
        raise ValueError(f"Increasing budgets need a finite reading each, not {budgets} and {readings}.")
    below = np.flatnonzero(readings < level)
    if not below.size:
        return np.inf
    last = below[0]
    if last == 0:
        return float(budgets[0])
    span = [last - 1, last]
    return float(np.exp(np.interp(-level, -readings[span], np.log(budgets[span]))))


def chosen_options(table, metric="frechet"):
    """Return the option and the learning rate with the least mean distance from the validation images.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `experiments.tuning` or `experiments.tuned` for one method and one latent size.
    metric : str
        The column with the distance.

    Returns
    -------
    dict
        option, learning_rate and, under the name of the metric, their mean distance.
    """
    [chosen] = best(table, [], ["option", "learning_rate"], metric, lowest=True).to_dict("records")
    return chosen


def core_seconds(records):
    """Return what a tuning run of each method took, to see that the methods have equal budgets.

    Parameters
    ----------
    records : iterable of dict
        Of `experiments.tuned`, as `common.experiments.Store.read` returns them.

    Returns
    -------
    pandas.Series
        The median of the seconds on one core, indexed by method and epochs.
    """
    rows = [{**record["config"], "seconds": record["seconds"]} for record in records]
    return pd.DataFrame(rows).groupby(["method", "epochs"])["seconds"].median()


def bits_until_behind(errors, real, bits, share=0.05, confidence=0.95, seed=0):
    """Return the bits at which the best of N samples falls behind the best of N real digits: what d is worth.

    Both curves are means over the digits. The answer is the least log2 N at which the curve of the generator
    exceeds that of real digits by `share`; between two sizes the logarithm of their ratio is a straight line
    over bits. It is a number of the range that was measured: a curve that never falls behind has the last of
    `bits`, one that is behind from the start the first. `bits_text` shows both as limits, so no infinity
    enters an interval.

    The interval is the percentile one of a bootstrap over digits, the same in both curves, and over trainings
    (`_resampled`). What differs between streams of samples of one training counts as part of the training.

    Parameters
    ----------
    errors : array, shape (trainings, digits, sizes)
        `worth.best_of` of one or more trainings.
    real : array, shape (digits, sizes)
        `worth.best_of` of real digits, at the same sizes.
    bits : increasing sequence of float, shape (sizes,)
        log2 N.
    share : float
        Above 0.
    confidence : float
        In (0, 1).
    seed : int

    Returns
    -------
    common.statistics.Interval of floats

    Raises
    ------
    ValueError
        Shapes that do not fit each other.
    """
    errors, real = np.asarray(errors, float), np.asarray(real, float)
    _check_curves(errors.shape[1:], real, bits)

    def bits_of(curve, line):
        return _first_reached(np.log(curve / line), np.log1p(share), bits)

    return _bootstrapped(bits_of, [errors, real[None]], confidence, seed)


def bits_of_table(errors, real, bits, confidence=0.95, seed=0):
    """Return log2 of the number of real digits whose nearest is as near on average: "a table of m digits".

    The least log2 m at which the mean error of the best of m real digits is no larger than the mean of
    `errors`; between two sizes the logarithm of the error is a straight line over bits. Beyond the range that
    was measured, and for the interval, see `bits_until_behind`.

    Parameters
    ----------
    errors : array, shape (trainings, digits)
        Errors of the same digits by any method, such as `projection.project` or the best of all samples.
    real, bits, confidence, seed
        As in `bits_until_behind`.

    Returns
    -------
    common.statistics.Interval of floats
        Of bits; ``2 ** bits`` real digits.

    Raises
    ------
    ValueError
        Shapes that do not fit each other.
    """
    errors, real = np.asarray(errors, float), np.asarray(real, float)
    _check_curves((*errors.shape[1:], len(bits)), real, bits)

    def bits_of(error, line):
        return _first_reached(-np.log(line), -np.log(error), bits)

    return _bootstrapped(bits_of, [errors[..., None], real[None]], confidence, seed)


def bits_as_table(values, tables, metric, confidence=0.95, seed=0):
    """Return log2 of the size of the table of real digits that has the same metric: "as a table of m digits".

    The least log2 m at which the metric's mean over the tables reaches the mean of `values`; between two
    sizes it is a straight line over bits. Beyond the sizes that were measured, and for the interval, over
    trainings and tables, see `bits_until_behind`.

    Parameters
    ----------
    values : array, shape (trainings,)
        The metric of each.
    tables : pandas.DataFrame
        Rows of `experiments.table` with the columns size, seed and the metric; equally many of each size.
    metric : str
        One that rises or falls with the size.
    confidence, seed
        As in `bits_until_behind`.

    Returns
    -------
    common.statistics.Interval of floats
        Of bits; ``2 ** bits`` real digits.
    """
    check_confidence(confidence)
    draws = tables.pivot(index="seed", columns="size", values=metric)
    lines, values, rng = draws.to_numpy(float), np.asarray(values, float), np.random.default_rng(seed)
    if np.isnan(lines).any() or lines.shape[1] < 2:
        raise ValueError("Every table must have been drawn equally often, in at least two sizes.")
    sign = np.sign(lines[:, -1].mean() - lines[:, 0].mean())

    def bits_of(mean, line):
        return _first_reached(sign * line, sign * mean[:, None], np.log2(draws.columns))

    again = bits_of(_resampled(len(values), rng) @ values, _resampled(len(lines), rng) @ lines)
    [found] = bits_of(values.mean()[None], lines.mean(axis=0)[None])
    limits = np.quantile(again, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(found), *map(float, limits))


def without_resembling(errors):
    """Return the errors of the digits that `projection.mirrored` takes.

    Parameters
    ----------
    errors : array, shape (..., n)
        Of equally many digits of each class, class by class, as `worth.drawn_digits` returns them.

    Returns
    -------
    array, shape (..., n / 2)
    """
    errors = np.asarray(errors)
    labels = np.repeat(np.arange(CLASSES), errors.shape[-1] // CLASSES)
    return errors[..., ~np.isin(labels, RESEMBLING)]


def bits_text(found, bits):
    """Return an interval of bits as text, in which a number at either end of the range is a limit.

    Parameters
    ----------
    found : common.statistics.Interval of floats
    bits : increasing sequence of float
        The range that was measured.

    Examples
    --------
    >>> bits_text(Interval(9.6, 9.42, 9.81), [7, 15.75])
    '9.6 [9.4, 9.8]'
    >>> bits_text(Interval(15.75, 13.1, 15.75), [7, 15.75])
    '≥ 15.8 [13.1, ≥ 15.8]'
    """

    def text(value):
        sign = "≤ " if value <= bits[0] else "≥ " if value >= bits[-1] else ""
        return f"{sign}{value:.1f}"

    mean, low, high = map(text, found)
    return f"{mean} [{low}, {high}]"


def _first_reached(heights, level, bits):
    """Return the bits at which each row (sizes,) first reaches its level, or the end of the range."""
    # The running maximum has the same first place, and `interp` needs numbers that do not fall.
    rising = np.maximum.accumulate(heights, axis=1)
    levels = np.broadcast_to(level, (len(rising), 1))[:, 0]
    return np.array([np.interp(wanted, row, bits) for wanted, row in zip(levels, rising, strict=True)])


def _bootstrapped(statistic, arrays, confidence, seed):
    """Return a statistic of mean curves and its percentile interval.

    Parameters
    ----------
    statistic : callable
        From arrays (rows, sizes), one for each of `arrays`, to numbers (rows,).
    arrays : list of arrays, shape (trainings, digits, sizes)
        Of the same digits.
    """
    check_confidence(confidence)
    rng = np.random.default_rng(seed)
    digits = _resampled(arrays[0].shape[1], rng)
    curves = [np.einsum("rt,rd,tds->rs", _resampled(len(x), rng), digits, x, optimize=True) for x in arrays]
    limits = np.quantile(statistic(*curves), [(1 - confidence) / 2, (1 + confidence) / 2])
    [mean] = statistic(*(x.mean(axis=(0, 1))[None] for x in arrays))
    return Interval(float(mean), *map(float, limits))


def _resampled(n, rng):
    """Return `RESAMPLES` rows of weights of n units: n - 1 units drawn with replacement, or the only one.

    The variance of the mean of n draws would be too small by 1 - 1/n, a third for three trainings (Rao & Wu
    1988, "Resampling inference with complex survey data").
    """
    draws = max(n - 1, 1)
    return rng.multinomial(draws, np.full(n, 1 / n), RESAMPLES) / draws


def _check_curves(shape, real, bits):
    if shape != real.shape or len(bits) != shape[-1] or len(bits) < 2:
        raise ValueError(
            f"Errors of the same digits at the same sizes are needed, not {shape} beside {real.shape} of real"
            f" digits and {len(bits)} numbers of bits."
        )


def best_of_errors(row):
    """Return log2 N and the errors ``(digits, sizes)`` of a row of `best_of_many` or `generative`."""
    bits = np.asarray(row["bits"], float)
    return bits, np.stack([row[f"error_{i}"] for i in range(len(bits))], axis=1)
