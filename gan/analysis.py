"""What the tables of this study's experiments say."""

import numpy as np

from common.statistics import Interval, best, grouped, mean_interval

SEEN_THROUGH = 0.65  # nats; a critic below has learned to tell


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


def chosen_options(table):
    """Return the option and the learning rate with the least mean distance from the validation images.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `experiments.tuning` for one method and one latent size.

    Returns
    -------
    dict
        option, learning_rate and frechet, their mean.
    """
    [chosen] = best(table, [], ["option", "learning_rate"], "frechet", lowest=True).to_dict("records")
    return chosen
