"""The image nearest to a digit that a generator can draw: an upper bound on its distance from the digit.

The bound is as good as the search. Two controls say how good: a generator's own samples, whose true error is
0, and a search of twice the starts and steps (`comparing.check_search`). A projection is no code: its points
have no bits until they are `quantised`.
"""

from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from common.data import ImageSet
from common.names import look_up
from common.pixels import as_bytes
from gan.evaluation import images_of
from gan.features import as_float, class_features
from gan.manifold import square
from gan.worth import BATCH, flattened, relative_errors

CANDIDATES = 2**17
GRID = 2**18  # candidates of one and two numbers
# Searches a digit and their steps, from stage to stage. Most searches end in a local minimum, so many short
# ones and few long ones find more than as many steps of equal searches.
STAGES = ((64, 30), (16, 60), (4, 110))
# A grid's best points of one and two numbers need few searches: 64 as above found no lower error.
GRID_STAGES = ((4, 30), (2, 60))
# For many trainings: no error above that of `STAGES` with 4 numbers and fewer, but 2 % above it with 8 and
# 7 % with 16, so it serves for fewer than `FULL_FROM`.
SHORT_STAGES = ((24, 20), (6, 40), (2, 80))
FULL_FROM = 8
MOST_BITS = 8  # of a quantised latent number
RATE = 0.05  # of Adam
BETAS = (0.9, 0.99)
TINY = 1e-8
GROUP = 50  # digits that are searched for as one batch
RESEMBLING = (0, 1, 2, 5, 8)  # classes that look like themselves or each other in a mirror


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


def project(generator, digits, points, *, stages=STAGES, rate=RATE, guesses=None):
    """Return the nearest images to digits that Adam finds from the nearest of many points.

    After each stage the best searches of each digit go on from their best points (successive halving:
    Jamieson & Talwalkar 2016, arXiv:1502.07943). Points are moved back into the cube after every step:
    ``z = tanh(u)`` would be slow near its surface, where most points of a cube of many numbers lie. The best
    iterate counts, not the last.

    Parameters
    ----------
    generator : callable
        From points ``(n, latent_size)`` in [-1, 1] to images ``(n, 28, 28, 1)`` in [0, 1]; differentiable.
    digits : array of uint8, shape (n, 28, 28, 1)
    points : array of float32, shape (count, latent_size)
        Candidates for the start (`candidates`), at least as many as the first stage has searches.
    stages : sequence of (int, int)
        Searches a digit and steps of each stage; the first searches start from the nearest candidates.
    rate : float
        Of Adam; it falls to 0 along a cosine over all steps.
    guesses : array of float32, shape (n, k, latent_size), optional
        Further starts of each digit, such as the code of an encoder.

    Returns
    -------
    Projected
    """
    found = nearest_points(generator, digits, points, stages[0][0])
    if guesses is not None:
        found = np.concatenate([found, guesses], axis=1)
    step, targets = tf.function(partial(_adam, generator)), as_float(digits)
    groups = [slice(start, start + GROUP) for start in range(0, len(digits), GROUP)]
    found = np.concatenate([_raced(step, targets[group], found[group], stages, rate) for group in groups])
    images = images_of(generator, found)
    errors = np.mean((flattened(digits) - flattened(images)) ** 2, axis=1, dtype=float)
    return Projected(errors, found, images)


def stages_of(latent_size, search):
    """Return the stages of a search for points of so many numbers.

    Parameters
    ----------
    latent_size : int
    search : "full", "short" or "doubled"
        `STAGES`; `SHORT_STAGES`, but `STAGES` from `FULL_FROM` numbers on; or twice the searches and twice
        the steps of the full search. One and two numbers have `GRID_STAGES` in the place of both.
    """
    known = {
        "full": STAGES, "short": SHORT_STAGES if latent_size < FULL_FROM else STAGES, "doubled": STAGES
    }  # fmt: skip
    stages = look_up("search", search, known)
    stages = GRID_STAGES if latent_size <= 2 else stages
    return tuple((2 * searches, 2 * steps) for searches, steps in stages) if search == "doubled" else stages


def candidates(latent_size, seed, count=None):
    """Return points to start from: a grid where it can be dense, random points of the cube elsewhere.

    Parameters
    ----------
    latent_size : int
        1 and 2 have a grid, of the centres of equal cells.
    seed : int
    count : int, optional
        By default `CANDIDATES`, or `GRID` of a grid; for 2 numbers a square number.

    Returns
    -------
    array of float32, shape (count, latent_size)
    """
    count = count or (GRID if latent_size <= 2 else CANDIDATES)
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
        indices = np.broadcast_to(start + np.arange(batch.shape[1]), batch.shape)
        errors, chosen = np.hstack([errors, batch]), np.hstack([chosen, indices])
        errors, chosen = _least(errors, chosen, count)
    return points[chosen]


def _least(errors, chosen, count):
    """Return the `count` least errors of every row and what belongs to them, in order."""
    few = np.argpartition(errors, min(count, errors.shape[1] - 1), axis=1)[:, :count]
    few = np.take_along_axis(few, np.argsort(np.take_along_axis(errors, few, 1), 1, kind="stable"), 1)
    return np.take_along_axis(errors, few, 1), np.take_along_axis(chosen, few, 1)


def _raced(step, digits, points, stages, rate):
    """Return the best point (n, latent_size) of each digit, from starts (n, searches, latent_size)."""
    rates = iter(_cosine(rate, sum(steps for _, steps in stages)))
    following = [searches for searches, _ in stages[1:]] + [1]
    for (_, steps), kept in zip(stages, following, strict=True):
        points = _searched(step, digits, points, list(islice(rates, steps)), kept)
    return points[:, 0]


def _searched(step, digits, begin, rates, kept):
    """Return the best `kept` points of each digit after a step for each rate, the best first."""
    n, searches, size = begin.shape
    targets = tf.constant(np.repeat(digits, searches, axis=0))
    points = tf.constant(begin.reshape(-1, size))
    state = points, tf.zeros_like(points), tf.zeros_like(points), tf.fill([len(points)], np.inf), points
    for time, rate in enumerate(rates, start=1):
        state = step(targets, state, tf.constant(time, tf.float32), tf.constant(rate, tf.float32))
    *_, errors, best = state
    first = np.argsort(np.reshape(errors, (n, searches)), axis=1)[:, :kept]
    return np.take_along_axis(np.reshape(best, begin.shape), first[..., None], axis=1)


def _adam(generator, targets, state, time, rate):
    """Make one step of Kingma & Ba 2015 (arXiv:1412.6980, algorithm 1), and keep the best points so far."""
    points, mean, square_, least, best = state
    with tf.GradientTape() as tape:
        tape.watch(points)
        errors = tf.reduce_sum((generator(points) - targets) ** 2, axis=(1, 2, 3))
    gradient = tape.gradient(errors, points)
    mean, square_ = (
        beta * moment + (1 - beta) * power
        for beta, moment, power in zip(BETAS, (mean, square_), (gradient, gradient**2), strict=True)
    )
    better = errors < least
    least, best = tf.where(better, errors, least), tf.where(better[:, None], points, best)
    unbiased, scale = (moment / (1 - beta**time) for beta, moment in zip(BETAS, (mean, square_), strict=True))
    moved = points - rate * unbiased / (tf.sqrt(scale) + TINY)
    return tf.clip_by_value(moved, -1.0, 1.0), mean, square_, least, best


def _cosine(rate, steps):
    """Return a rate for each step, from `rate` down to almost 0."""
    return rate * (1 + np.cos(np.pi * np.arange(steps) / steps)) / 2


def quantised(points, bits):
    """Return the centres of the cells of the cube that hold the points, ``2 ** bits`` cells a number.

    Parameters
    ----------
    points : array, shape (n, latent_size)
        In [-1, 1].
    bits : int
        Of each number; a whole point takes ``bits * latent_size``.

    Returns
    -------
    array of float32, shape (n, latent_size)
    """
    cells = 2**bits
    inside = np.clip(np.floor((points + 1) / 2 * cells), 0, cells - 1)
    return ((2 * inside + 1) / cells - 1).astype("float32")


def coded_errors(generator, digits, points, most=MOST_BITS):
    """Return the mean error over the digits of quantised points, for 1, 2, ..., `most` bits a number.

    Rounding is the simplest code; a better one needs fewer bits for the same error.

    Parameters
    ----------
    generator, digits
        As in `project`.
    points : array, shape (n, latent_size)
        Of `Projected`.
    most : int

    Returns
    -------
    list of float
    """
    flat, found = flattened(digits), []
    for bits in range(1, most + 1):
        drawn = flattened(images_of(generator, quantised(points, bits)))
        found.append(float(np.mean((drawn - flat) ** 2, dtype=float)))
    return found


def mirrored(digits):
    """Return the digits whose mirror image looks like no digit, and all their mirror images.

    A generator of digits draws digits better than their mirror images; one that draws any strokes does not.
    0, 1 and 8 resemble themselves in a mirror, 2 and 5 each other, so they are left out.

    Parameters
    ----------
    digits : common.data.ImageSet

    Returns
    -------
    as_they_are, in_the_mirror : array of uint8, shape (n, 28, 28, 1)
    """
    kept = digits.images[~np.isin(digits.labels, RESEMBLING)]
    return kept, kept[:, :, ::-1]


def labelled(images, dataset):
    """Return uint8 images as an `ImageSet` with the labels that the classifier gives them."""
    return ImageSet(images, class_features(images, dataset)[1].argmax(axis=1))


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


def principal_images(digits, training, size):
    """Return digits drawn by the first principal components of training images, the best linear generator.

    Parameters
    ----------
    digits, training : array of uint8, shape (n, 28, 28, 1)
    size : int
        Number of components.

    Returns
    -------
    errors : array, shape (n,)
        Squared error per pixel of the drawn images, clipped to [0, 1] but not yet in 8 bits.
    images : array of uint8, shape (n, 28, 28, 1)
    """
    flat, examples = flattened(digits), flattened(training)
    mean = examples.mean(axis=0)
    first = np.linalg.eigh(np.cov(examples, rowvar=False))[1][:, ::-1][:, :size]
    drawn = np.clip((flat - mean) @ first @ first.T + mean, 0, 1)
    return np.mean((drawn - flat) ** 2, axis=1), as_bytes(drawn.reshape(digits.shape))
