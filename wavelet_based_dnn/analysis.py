"""What the tables of this study's experiments say, in per cent of the test images."""

import numpy as np

from common.statistics import best
from wavelet_based_dnn.experiments import THRESHOLDS
from wavelet_based_dnn.models import LEVELS
from wavelet_based_dnn.variants import NATIVE, SIZES, TRAINED_SIZES

CLASSIFIERS = LEVELS + 1


def by_size(table):
    """Return the accuracy of the finest level of every run, an array (runs, sizes) over `variants.SIZES`.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `experiments.baseline` or of `experiments.dynamic`.
    """
    return accuracy_by_level(table)[..., -1]


def accuracy_by_level(table, sizes=SIZES):
    """Return the accuracy of every level, an array (runs, sizes, levels).

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `experiments.dynamic`, or of others over the sizes `sizes`.
    sizes : sequence of int
    """
    return 100 * np.stack(list(table["head_accuracy"])).reshape(len(table), len(sizes), -1)


def gains_by_level(table):
    """Return what each further level of details adds, an array (runs, sizes, levels) in points."""
    return np.diff(accuracy_by_level(table), axis=-1)


def cheapest_exit(run, whole_macs, allowed):
    """Return what early exit saves and costs at the threshold that validation chooses.

    Parameters
    ----------
    run : pandas.Series
        A row of `experiments.dynamic`.
    whole_macs : int
        Of the finest level.
    allowed : float
        How many points of validation accuracy may be lost against the finest level; the cheapest threshold
        within is taken, the largest if there is none.

    Returns
    -------
    saved : float
        Per cent of the MACs, on the test images.
    lost : float
        Points of accuracy, on the test images, against the finest level.
    threshold : float
    """
    finest = run["validation"][TRAINED_SIZES.index(NATIVE)]
    # Shares of images are rounded; what is lost exactly is still allowed.
    fits = np.flatnonzero(100 * (finest - np.asarray(run["exit_validation"])) <= allowed + 1e-9)
    chosen = fits[0] if fits.size else len(THRESHOLDS) - 1
    saved = 100 * (1 - run["exit_macs"][chosen] / whole_macs)
    finest = run["head_accuracy"][SIZES.index(NATIVE) * CLASSIFIERS + CLASSIFIERS - 1]
    lost = 100 * (finest - run["exit_accuracy"][chosen])
    return saved, lost, THRESHOLDS[chosen]


def best_rates(table):
    """Return the learning rate of each variant with the largest mean validation accuracy, a dict.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `experiments.tuning`.
    """
    scores = table.assign(score=table["validation"].map(np.mean))
    chosen = best(scores, ["arm"], ["learning_rate"], "score")
    return dict(zip(chosen["arm"], chosen["learning_rate"], strict=True))
