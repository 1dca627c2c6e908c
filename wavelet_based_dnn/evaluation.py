"""What a classifier at one or several levels is worth at a size, and when to stop refining."""

import numpy as np
from scipy.special import softmax

from common.arguments import check_counts, check_logits, check_range, check_shares
from common.data import load_digits_8x8
from common.validation import as_images, as_labels
from wavelet_based_dnn.models import CLASSES, SMALLEST
from wavelet_based_dnn.resampling import resample

FRAME = 2  # pixels around the 8 x 8 digits, about MNIST's 4 of 28


def predictions(model, images, height, width, batch_size=500):
    """Return the logits of all levels for images resampled to a size, an array (levels, n, classes).

    Parameters
    ----------
    model : one of `models`
    images : array, shape (n, rows, columns, 1)
        Float, in [0, 1].
    height, width : int
        In pixels.
    batch_size : int

    Raises
    ------
    ValueError
        Other images, sizes below 7 pixels, or numbers that are no positive integers.
    """
    as_images(images)
    check_range(images)  # a resampled image may leave [0, 1] a little
    check_counts(height=height, width=width, batch_size=batch_size)
    if images.shape[-1] != 1 or min(height, width) < SMALLEST:
        raise ValueError(f"Images of one channel and sizes of at least {SMALLEST} pixels are needed.")

    # Without tf.function: tracing a network for every size takes longer than its batches.
    def decide(batch):
        return np.stack(model(resample(batch, height, width)))

    starts = range(0, len(images), batch_size)
    return np.concatenate([decide(images[i : i + batch_size]) for i in starts], axis=1)


def right_answers(model, images, labels, height, width):
    """Return whether each level is right on each image at a size, an array (levels, n) of bool."""
    labels = as_labels(labels, len(images), CLASSES)
    return predictions(model, images, height, width).argmax(-1) == labels


def accuracies_on_8x8_digits(model):
    """Return the accuracy of the finest level on scikit-learn's digits as they are, and framed as MNIST's.

    They fill their 8 x 8 pixels; MNIST's 20 x 20 pixels have 4 more on either side.
    """
    digits = load_digits_8x8()
    images, margin = digits.as_float(), (FRAME, FRAME)
    framed = np.pad(images, ((0, 0), margin, margin, (0, 0)))
    return [
        float(right_answers(model, views, digits.labels, *views.shape[1:3])[-1].mean())
        for views in (images, framed)
    ]


def early_exit(logits, labels, macs, thresholds):
    """Return the accuracy and the mean cost of stopping at the first level that is confident enough.

    Confidence is the largest probability (Huang et al. 2018, arXiv:1703.09844, section 4); the finest level
    answers whatever its own.

    Parameters
    ----------
    logits : array, shape (levels, n, classes)
    labels : array of int, shape (n,)
    macs : sequence of int
        What an image costs that leaves at each level (`models.count_exit_macs`).
    thresholds : sequence of float, shape (m,)

    Returns
    -------
    accuracy, mean_macs : arrays, shape (m,)

    Raises
    ------
    ValueError
        Probabilities or NaN in place of logits, a threshold outside [0, 1], not one cost a level, or labels
        that are not as described.
    """
    logits = np.asarray(logits)
    check_logits(logits)
    for threshold in thresholds:
        check_shares(threshold=threshold)
    if logits.ndim != 3 or len(logits) != len(macs):
        raise ValueError(f"logits {logits.shape} must be (levels, n, classes), with {len(macs)} levels.")
    labels = as_labels(labels, logits.shape[1], logits.shape[2])
    sure = softmax(logits, -1).max(-1)
    right = logits.argmax(-1) == labels
    sure[-1] = np.inf
    exits = np.stack([(sure >= threshold).argmax(0) for threshold in thresholds])
    return right[exits, np.arange(right.shape[1])].mean(1), np.asarray(macs)[exits].mean(1)
