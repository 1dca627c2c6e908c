"""What the tables of this study's experiments say, in per cent of the test scenes."""

import numpy as np
import pandas as pd
from scipy import stats

from common.statistics import Interval
from wavelet_based_dnn.experiments import named
from wavelet_based_dnn.transmission import METHODS


def right_in(table, cell, levels=1, rule=None):
    """Return whether each run is right on each scene of a cell, bool (runs, levels, scenes).

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `experiments.native_scale`, `experiments.told_the_box` or, with a level for each of the
        budgets, of `experiments.routing`.
    cell : one of `experiments.CELLS`
    levels : int
        Of the network.
    rule : key of `experiments.RULES`, optional
        Of `experiments.routing`.
    """
    column = f"right_{rule}_{named(cell)}" if rule else f"right_{named(cell)}"
    return np.stack([np.reshape(right, (levels, -1)) for right in table[column]])


def crossed_interval(values, confidence=0.95):
    """Return the mean over trainings and scenes, in per cent, and its interval.

    Trainings and scenes are both random, and every training meets the same scenes. So the variance of the
    mean is that over trainings plus that over scenes, with Satterthwaite's degrees of freedom (Satterthwaite
    1946). It counts the noise of single answers twice, so it is rather too wide than too narrow. The interval
    of one training is over scenes alone.

    Parameters
    ----------
    values : array, shape (trainings, ..., scenes)
        Whether each answer is right, or a difference of two of them; at least 1 training and 2 scenes.
    confidence : float
        In (0, 1).

    Returns
    -------
    common.statistics.Interval
        Of arrays (...).

    Raises
    ------
    ValueError
        Fewer scenes, or none.
    """
    values = 100 * np.asarray(values, float)
    trainings, scenes = values.shape[0], values.shape[-1]
    if trainings < 1 or scenes < 2:
        raise ValueError(f"values must have a training and 2 or more scenes, not the shape {values.shape}.")
    # With one training a scatter of 0 leaves that of the scenes.
    of_trainings = values.mean(-1).var(0, ddof=min(1, trainings - 1)) / trainings
    of_scenes = values.mean(0).var(-1, ddof=1) / scenes
    variance = of_trainings + of_scenes
    # A variance of 0, such as of equal networks, has no degrees of freedom; any number gives no width.
    freedom = variance**2 / np.maximum(
        of_trainings**2 / max(1, trainings - 1) + of_scenes**2 / (scenes - 1), np.finfo(float).tiny
    )
    reach = np.sqrt(variance) * stats.t.ppf((1 + confidence) / 2, np.maximum(freedom, 1))
    mean = values.mean((0, -1))
    return Interval(mean, mean - reach, mean + reach)


def difference(ones, others, confidence=0.95):
    """Return the `crossed_interval` of the difference of answers to the same scenes, paired by training."""
    return crossed_interval(np.asarray(ones, float) - np.asarray(others, float), confidence)


def sent_settings(table):
    """Return a row for each setting with which scenes were sent, in the order of their bytes.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `experiments.transmission`.

    Returns
    -------
    pandas.DataFrame
        canvas, its side in pixels; method, a key of `transmission.METHODS`; quality and tiles, the setting;
        bytes, the mean for a scene; right, whether the network is right on each scene.
    """
    rows = []
    for run in table.to_dict("records"):
        settings = METHODS[run["method"]].settings
        answers = np.reshape(run["right"], (len(settings), -1))
        of_run = {"canvas": run["canvas"], "method": run["method"]}
        rows += [
            of_run | {"quality": quality, "tiles": tiles, "bytes": length, "right": right}
            for (quality, tiles), length, right in zip(settings, run["bytes"], answers, strict=True)
        ]
    return pd.DataFrame(rows).sort_values("bytes", kind="stable", ignore_index=True)
