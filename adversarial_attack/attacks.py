"""Attacks: from images to images at most `epsilon` away that classifiers get wrong.

All go uphill on a loss, a step at a time (`_ascend`), and differ in four parts: the loss, the filters through
which the classifiers see the images, what becomes of the gradient, and the size of the steps. Every random
choice is made once a step for all images, so the result for an image does not depend on the others.
"""

from functools import lru_cache

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from adversarial_attack.filters import IDENTITY, gaussian_blur, resized_and_padded

BATCH_SIZE = 500


# Losses, of logits (n, classes) and labels (n,)


def cross_entropy(logits, labels):
    """Return the cross-entropy of every image, to be raised."""
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def margin(logits, labels):
    """Return by how much the best other class exceeds the label: positive where the classifier is wrong."""
    chosen = ops.one_hot(labels, logits.shape[-1], dtype="bool")
    own = ops.max(ops.where(chosen, logits, -np.inf), axis=-1)
    return ops.max(ops.where(chosen, -np.inf, logits), axis=-1) - own


def targeted(loss):
    """Return the loss of an attack whose labels are the classes that the classifiers shall say."""
    return _targeted(loss)


@lru_cache
def _targeted(loss):
    return lambda logits, targets: -loss(logits, targets)


def gradient(classifiers, images, labels, loss=cross_entropy, filters=(IDENTITY,)):
    """Return the gradient of the mean loss over classifiers and filters with respect to each image.

    Parameters
    ----------
    classifiers : list of keras.Model
        From images to logits.
    images : array of float, ``(n, height, width, channels)``
    labels : array of int, ``(n,)``
    loss : callable
        From logits and labels to one number an image.
    filters : sequence
        See `adversarial_attack.filters`.

    Returns
    -------
    numpy.ndarray, shape and type of `images`
    """
    total = np.zeros_like(images)
    for filtered in filters:
        seen = filtered(images)
        for classifier in classifiers:
            total += filtered.adjoint(_input_gradient(classifier, loss, seen, labels))
    return total / (len(filters) * len(classifiers))


def _input_gradient(classifier, loss, images, labels):
    differentiate = _differentiated(classifier, loss)
    parts = range(0, len(images), BATCH_SIZE)
    found = [differentiate(images[i : i + BATCH_SIZE], labels[i : i + BATCH_SIZE]) for i in parts]
    return np.concatenate([part.numpy() for part in found])


@lru_cache
def _differentiated(classifier, loss):
    @tf.function(reduce_retracing=True)
    def differentiate(images, labels):
        with tf.GradientTape() as tape:
            tape.watch(images)
            losses = loss(classifier(images, training=False), labels)
        return tape.gradient(losses, images)

    return lambda images, labels: differentiate(tf.constant(images), tf.constant(labels))


# The step that all attacks share


def _ascend(images, epsilon, steps, step_size, direction, reach=1.0, rng=None):
    """Return images after steps along ``direction(images, step)``, within epsilon of the originals.

    By default all steps together go `reach` times epsilon. A generator `rng` chooses where to start, by the
    same change for all images.
    """
    _check(images, epsilon, steps)
    step_size = reach * epsilon / steps if step_size is None else step_size
    low, high = np.maximum(images - epsilon, 0), np.minimum(images + epsilon, 1)
    start = 0 if rng is None else rng.uniform(-epsilon, epsilon, images.shape[1:])
    adversarial = np.clip(images + start, low, high).astype(images.dtype)
    for step in range(steps):
        adversarial = np.clip(adversarial + step_size * np.sign(direction(adversarial, step)), low, high)
    return adversarial


def _check(images, epsilon, steps):
    if images.ndim != 4 or not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"images must be floating point, (n, height, width, channels), not {images.shape}.")
    if not (np.isfinite(images).all() and images.min() >= 0 and images.max() <= 1):
        raise ValueError("images must lie in [0, 1].")
    if not epsilon >= 0:
        raise ValueError(f"epsilon must be at least 0, not {epsilon}.")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}.")


def fgsm(classifiers, images, labels, epsilon, loss=cross_entropy):
    """Return images after one step along the sign of the gradient (Goodfellow et al. 2015, arXiv:1412.6572).

    Parameters
    ----------
    classifiers : list of keras.Model
        From images to logits; attacked together.
    images : array of float, ``(n, height, width, channels)`` in [0, 1]
    labels : array of int, ``(n,)``
        What the classifiers shall not say; with a `targeted` loss, what they shall.
    epsilon : float
        Largest change of a value, at least 0.
    loss : callable
        `cross_entropy`, `margin`, or one of these `targeted`.

    Returns
    -------
    numpy.ndarray, shape and type of `images`, in [0, 1]

    Raises
    ------
    ValueError
        The images are not floating point in [0, 1], or a number is out of its range.
    """
    return _ascend(images, epsilon, 1, epsilon, lambda x, _: gradient(classifiers, x, labels, loss))


def pgd(
    classifiers, images, labels, epsilon, *, steps=10, step_size=None, loss=cross_entropy,
    filters=(IDENTITY,), random_start=True, seed=0,
):  # fmt: skip
    """Return images by projected gradient ascent (Madry et al. 2018, arXiv:1706.06083).

    Parameters
    ----------
    classifiers, images, labels, epsilon, loss
        As in `fgsm`.
    steps : int
    step_size : float, optional
        By default 2.5 epsilon / steps.
    filters : sequence
        The loss is the mean over what these filters make of the images.
    random_start : bool
        Start anywhere within epsilon, as `seed` decides; the same change for all images.
    seed : int
    """
    return _ascend(
        images, epsilon, steps, step_size, lambda x, _: gradient(classifiers, x, labels, loss, filters),
        reach=2.5, rng=np.random.default_rng(seed) if random_start else None,
    )  # fmt: skip


def momentum(
    classifiers, images, labels, epsilon, *, steps=10, step_size=None, decay=1.0, loss=cross_entropy,
    draw=None, shape=None, seed=0,
):  # fmt: skip
    """Return images by the momentum iterative method (Dong et al. 2018, arXiv:1710.06081, algorithm 1).

    Every gradient is divided by the mean of its absolute values, image by image, before it is added to the
    velocity.

    Parameters
    ----------
    classifiers, images, labels, epsilon, loss
        As in `fgsm`.
    steps : int
    step_size : float, optional
        By default epsilon / steps.
    decay : float
        Share of the velocity that a step keeps.
    draw : callable, optional
        Takes a `numpy.random.Generator` and returns the filters through which a step sees the images.
    shape : callable, optional
        What becomes of each gradient before it is added.
    seed : int
        Of the generators that `draw` gets, one for each step.
    """
    velocity = np.zeros_like(images)

    def direction(adversarial, step):
        nonlocal velocity
        filters = (IDENTITY,) if draw is None else draw(np.random.default_rng((seed, step)))
        found = gradient(classifiers, adversarial, labels, loss, filters)
        velocity = decay * velocity + _of_unit_mean(found if shape is None else shape(found))
        return velocity

    return _ascend(images, epsilon, steps, step_size, direction)


def _of_unit_mean(gradients):
    size = np.abs(gradients).mean(axis=(1, 2, 3), keepdims=True)
    return gradients / np.where(size > 0, size, 1)


def diverse_input(classifiers, images, labels, epsilon, *, probability=0.5, smallest=0.9, **options):
    """Return images by `momentum` on images of random size (Xie et al. 2019, arXiv:1803.06978).

    Parameters
    ----------
    classifiers, images, labels, epsilon
        As in `fgsm`.
    probability : float
        How often a step resamples the images to a share between `smallest` and 1 of their size, somewhere
        in a black frame of the old size.
    smallest : float
    **options
        Of `momentum`.
    """
    height, width = images.shape[1:3]

    def draw(rng):
        if rng.random() >= probability:
            return (IDENTITY,)
        share = rng.uniform(smallest, 1)
        new_height, new_width = round(share * height), round(share * width)
        top, left = rng.integers(height - new_height + 1), rng.integers(width - new_width + 1)
        return (resized_and_padded(height, width, new_height, new_width, top, left),)

    return momentum(classifiers, images, labels, epsilon, draw=draw, **options)


def translation_invariant(classifiers, images, labels, epsilon, *, sigma=3.0, **options):
    """Return images by `momentum` with blurred gradients (Dong et al. 2019, arXiv:1904.02884).

    Parameters
    ----------
    classifiers, images, labels, epsilon
        As in `fgsm`.
    sigma : float
        Of the Gaussian blur, in pixels; the paper's kernel of 15 x 15 pixels is as good as Gaussian with 3.
    **options
        Of `momentum`.
    """
    blur = gaussian_blur(*images.shape[1:3], sigma)
    return momentum(classifiers, images, labels, epsilon, shape=blur, **options)
