"""The image nearest to a digit that a generator can draw: an upper bound on its distance from the digit.

The bound is as good as the search. Two controls say how good: a generator's own samples, whose true error is
0, and a search of twice the starts and steps.
"""

from functools import partial
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gan.evaluation import images_of
from gan.features import as_float, class_features
from gan.manifold import square
from gan.worth import BATCH, flattened, relative_errors

CANDIDATES = 2**17
STARTS = 4
STEPS = 200
RATE = 0.1
INSIDE = 0.999  # starts nearer to the surface of the cube would hardly move
BETA_2 = 0.99  # of Adam: the slope changes within some hundred steps
RESEMBLING = (2, 5)  # classes that look like each other in a mirror


class Projected(NamedTuple):
    """Digits projected onto a generator.

    Attributes
    ----------
    errors : array, shape (n,)
        Squared error per pixel of the image in 8 bits.
    points : array of float32, shape (n, latent_size)
    images : array of uint8, shape (n, 28, 28, 1)
    """

    errors: np.ndarray
    points: np.ndarray
    images: np.ndarray


def project(generator, digits, points, *, starts=STARTS, steps=STEPS, rate=RATE, guesses=None):
    """Return the nearest images to digits that Adam finds from the nearest of many points.

    The point is ``z = tanh(u)``, so it stays in the cube. All searches of all digits run as one batch. The
    best iterate counts, not the last.

    Parameters
    ----------
    generator : callable
        From points ``(n, latent_size)`` in [-1, 1] to images ``(n, 28, 28, 1)`` in [0, 1]; differentiable.
    digits : array of uint8, shape (n, 28, 28, 1)
    points : array of float32, shape (count, latent_size)
        Candidates for the start (`candidates`).
    starts : int
        Candidates, the nearest, from which each digit's search starts.
    steps : int
    rate : float
        Of Adam; it falls to 0 along a cosine.
    guesses : array of float32, shape (n, k, latent_size), optional
        Further starts of each digit, such as the code of an encoder.

    Returns
    -------
    Projected
    """
    begin = nearest_points(generator, digits, points, starts)
    if guesses is not None:
        begin = np.concatenate([begin, guesses], axis=1)
    found = _searched(generator, as_float(digits), begin, steps, rate)
    images = images_of(generator, found)
    errors = np.mean((flattened(digits) - flattened(images)) ** 2, axis=1)
    return Projected(errors, found, images)


def candidates(latent_size, seed, count=CANDIDATES):
    """Return points to start from: a grid where it can be dense, random points of the cube elsewhere.

    Parameters
    ----------
    latent_size : int
        1 and 2 have a grid, of the centres of equal cells.
    seed : int
    count : int
        For 2 numbers a square number.

    Returns
    -------
    array of float32, shape (count, latent_size)
    """
    if latent_size == 1:
        return ((2 * np.arange(count) + 1) / count - 1).astype("float32")[:, None]
    if latent_size == 2:
        return square(round(count**0.5))
    return np.random.default_rng(seed).uniform(-1, 1, (count, latent_size)).astype("float32")


def nearest_points(generator, digits, points, count):
    """Return the points whose images are nearest to each digit, the nearest first.

    Parameters
    ----------
    generator, digits, points
        As in `project`.
    count : int

    Returns
    -------
    array of float32, shape (n, count, latent_size)
    """
    flat = flattened(digits)
    errors, chosen = np.zeros((len(flat), 0), "float32"), np.zeros((len(flat), 0), int)
    for start in range(0, len(points), BATCH):
        batch = relative_errors(flat, images_of(generator, points[start : start + BATCH]))
        errors = np.concatenate([errors, batch], axis=1)
        chosen = np.concatenate(
            [chosen, np.broadcast_to(start + np.arange(batch.shape[1]), batch.shape)], axis=1
        )
        errors, chosen = _least(errors, chosen, count)
    return points[chosen]


def _least(errors, chosen, count):
    """Return the `count` least errors of every row and what belongs to them, in order."""
    few = np.argpartition(errors, min(count, errors.shape[1] - 1), axis=1)[:, :count]
    few = np.take_along_axis(few, np.argsort(np.take_along_axis(errors, few, 1), 1, kind="stable"), 1)
    return np.take_along_axis(errors, few, 1), np.take_along_axis(chosen, few, 1)


def _searched(generator, digits, begin, steps, rate):
    """Return the best point of all searches of each digit, from starts (n, starts, latent_size)."""
    n, starts, size = begin.shape
    inputs = keras.Variable(np.arctanh(np.clip(begin, -INSIDE, INSIDE)).reshape(-1, size))
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps), beta_2=BETA_2)
    optimizer.build([inputs])
    step = tf.function(partial(_step, generator, optimizer, inputs, np.repeat(digits, starts, axis=0)))
    best = tf.fill([n * starts], np.float32(np.inf)), tf.zeros_like(inputs.value)
    for _ in range(steps):
        best = step(best)
    errors, points = (np.reshape(x, (n, starts, -1)) for x in best)
    return points[np.arange(n), errors[..., 0].argmin(axis=1)]


def _step(generator, optimizer, inputs, targets, best):
    """Move the inputs of all searches by one step, and return the least errors so far with their points."""
    with tf.GradientTape() as tape:
        points = tf.tanh(inputs.value)
        errors = tf.reduce_sum((generator(points) - targets) ** 2, axis=(1, 2, 3))
    optimizer.apply([tape.gradient(errors, inputs.value)], [inputs])
    better = errors < best[0]
    return tf.where(better, errors, best[0]), tf.where(better[:, None], points, best[1])


def mirrored(digits):
    """Return the digits whose mirror image is no digit of another class, and all their mirror images.

    A generator of digits draws digits better than their mirror images; one that draws any strokes does not.
    2 and 5 resemble each other in a mirror, so they are left out.

    Parameters
    ----------
    digits : common.data.ImageSet

    Returns
    -------
    as_they_are, in_the_mirror : array of uint8, shape (n, 28, 28, 1)
    """
    kept = digits.images[~np.isin(digits.labels, RESEMBLING)]
    return kept, kept[:, :, ::-1]


def labels_kept(digits, images, dataset):
    """Return whether the classifier gives every projected image the label of its digit.

    Parameters
    ----------
    digits : common.data.ImageSet
    images : array of uint8, shape (n, 28, 28, 1)
        Of `Projected`.
    dataset : "mnist" or "fashion_mnist"

    Returns
    -------
    array of bool, shape (n,)
    """
    return class_features(images, dataset)[1].argmax(axis=1) == digits.labels


def principal_errors(digits, training, sizes):
    """Return the error of the first principal components of the training images, the best linear generator.

    Parameters
    ----------
    digits, training : array of uint8, shape (n, 28, 28, 1)
    sizes : sequence of int
        Numbers of components.

    Returns
    -------
    array, shape (n, sizes)
        Squared error per pixel of the reconstruction, clipped to [0, 1].
    """
    flat, examples = flattened(digits), flattened(training)
    mean = examples.mean(axis=0)
    components = np.linalg.eigh(np.cov(examples, rowvar=False))[1][:, ::-1]
    found = []
    for size in sizes:
        first = components[:, :size]
        drawn = np.clip((flat - mean) @ first @ first.T + mean, 0, 1)
        found.append(np.mean((drawn - flat) ** 2, axis=1))
    return np.stack(found, axis=1)
