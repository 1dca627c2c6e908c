"""A test of whether you can see the difference: in each of 20 pairs, which image was attacked?"""

import numpy as np
from scipy import stats

from common.arguments import check_seed


def pairs(images, adversarial, seed):
    """Return the images of each trial, left and right in random order, and which of them was attacked.

    Parameters
    ----------
    images, adversarial : array, ``(n, height, width, channels)``
    seed : int

    Returns
    -------
    shown : array, ``(2 n, height, width, channels)``
        Left and right of the first trial, then of the second, and so on.
    attacked : str
        A letter a trial, L or R.
    """
    check_seed(seed)
    if np.shape(images) != np.shape(adversarial):
        shapes = f"{np.shape(images)} and {np.shape(adversarial)}"
        raise ValueError(f"images and adversarial must have one shape, not {shapes}.")
    left = np.random.default_rng(seed).random(len(images)) < 0.5
    where = left.reshape(-1, 1, 1, 1)
    both = np.where(where, adversarial, images), np.where(where, images, adversarial)
    shown = np.stack(both, axis=1).reshape(-1, *images.shape[1:])
    return shown, "".join(np.where(left, "L", "R"))


def verdict(answers, attacked, two_sided=False):
    """Return in a sentence how many answers were right, with the p-value of guessing.

    Parameters
    ----------
    answers, attacked : str
        A letter a trial, L or R; no answers at all for a test not taken.
    two_sided : bool
        Whether few right answers tell something, too: the other image of each pair is the more visible one.

    Raises
    ------
    ValueError
        The answers are not one L or R for each trial.
    """
    if not answers:
        return "Not taken: write one letter a pair, L or R, between the quotes and run this cell again."
    if len(answers) != len(attacked) or set(answers.upper()) - set("LR"):
        raise ValueError(f"answers must be {len(attacked)} letters L or R, not {answers!r}.")
    right = sum(a == b for a, b in zip(answers.upper(), attacked, strict=True))
    alternative, what = ("two-sided", "so extreme a result") if two_sided else ("greater", "as many or more")
    p = stats.binomtest(right, len(attacked), 0.5, alternative=alternative).pvalue
    return f"{right} of {len(attacked)} right; who guesses gets {what} with probability {p:.3f}."
