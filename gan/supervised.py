"""The supervised way to a generator: the mean square error to the images, given what is known of each."""

import numpy as np
import tensorflow as tf

from common.validation import as_labels, as_unit_images
from gan.minimising import minimise
from gan.models import CLASSES, build_generator

LEARNING_RATE = 1e-3
BATCH_SIZE = 128
MEAN_SCALE = 10  # makes the mean pixel value, about 0.13, a number of the size of the others


def of_label(images, labels):
    """Return the label as 10 numbers, 1 at its place, shape (n, 10); ValueError for other labels."""
    return np.eye(CLASSES, dtype="float32")[as_labels(labels, len(images), CLASSES)]


def of_label_and_mean(images, labels):
    """Return the label as `of_label` and ten times the mean pixel value, shape (n, 11)."""
    means = MEAN_SCALE * images.mean(axis=(1, 2, 3), keepdims=True)[:, :, 0, 0]
    return np.concatenate([of_label(images, labels), means.astype("float32")], axis=1)


INPUTS = {"label": of_label, "label and mean": of_label_and_mean}


def train_on(inputs, images, *, epochs, seed):
    """Train a generator to give the image that belongs to each input, by the mean square error.

    What it can learn at best is the mean of the images with equal inputs.

    Parameters
    ----------
    inputs : array, shape (n, size)
    images : array, shape (n, 28, 28, 1)
        In [0, 1].
    epochs, seed
        As in `minimising.minimise`.

    Returns
    -------
    generator : keras.Model
        From ``(n, size)`` to ``(n, 28, 28, 1)``.
    history : pandas.DataFrame
        Columns epoch and loss.
    """
    images, generator = as_unit_images(images), build_generator(inputs.shape[1], seed=[seed, 0])
    history = minimise(
        lambda step, given, wanted: tf.reduce_mean((generator(given, training=True) - wanted) ** 2),
        [generator], [inputs, images], epochs=epochs, learning_rate=LEARNING_RATE, batch_size=BATCH_SIZE,
        seed=seed,
    )  # fmt: skip
    return generator, history


def mixed_labels(first, second, share, temperature):
    """Return the softmax of a mixture of two labels' logits: soft labels between two digits.

    Parameters
    ----------
    first, second : int
        Labels whose logits are 1 - share and share; those of the others are 0.
    share : array, shape (n,)
        In [0, 1].
    temperature : float
        Positive; towards 0 the larger one takes all, at infinity all ten classes are equal.

    Returns
    -------
    array of float32, shape (n, 10)
    """
    first, second = as_labels([first, second], 2, CLASSES, "the two labels")
    share = np.asarray(share, "float32")[:, None]
    logits = (1 - share) * np.eye(CLASSES)[first] + share * np.eye(CLASSES)[second]
    weights = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")
