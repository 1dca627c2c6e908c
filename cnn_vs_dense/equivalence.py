"""Exact statements: what networks without neighbourhoods cannot tell apart.

*Scrambled pixels from raw ones.* Where a layer sums over all pixels it computes ``W x``. Permute the pixels
and the columns of W alike, and the product is the same; so is its gradient, up to the same permutation, and
an optimizer that treats every weight alike keeps it so. Only the order in which the products are summed
differs, which rounds differently. It holds for dense networks, for convolutions of 1 x 1, and for a mixer
whose tokens are the pixels (of which only the output is tested, because Keras 3.15 computes the gradients of
its layer normalisation in single precision).

*An isometry of the image from the image.* For a linear transform Q with ``Q^T Q = 1``, like the Fourier or
Haar transform, ``(W Q^T) (Q x) = W x``, and gradient descent keeps it so. Adam does not: it scales every
weight by its own past gradients, and Q mixes weights.
"""

from functools import partial

import keras
import numpy as np

from cnn_vs_dense.models import build
from common import training
from common.scramble import Scrambler


def largest_difference(architecture, images, labels, optimizer, epochs, seed):
    """Train two networks in float64, one on raw and one on scrambled pixels, and compare all weights.

    The second starts from the weights of the first, permuted like the pixels along every axis that runs over
    the pixels.

    Parameters
    ----------
    architecture : key of `models.ARCHITECTURES`
    images : array (n, height, width, channels), float
    labels : array (n,), int
    optimizer : callable
        Makes a new Keras optimizer.
    epochs, seed : int

    Returns
    -------
    (difference, change) : (float, float)
        The largest difference between corresponding weights of the two after training, and for comparison
        the largest change of a weight of the first during training.
    """
    scrambler = Scrambler(images.shape[1:3], seed)
    carry = partial(permuted, permutation=scrambler.permutation)
    return _trained_apart(architecture, images, scrambler.scramble, carry, labels, optimizer, epochs, seed)


def largest_difference_of_dense(transform, images, labels, optimizer, epochs, seed):
    """Train the network `dense` in float64 on images and on their `transform`, and compare all weights.

    The second starts from the weights of the first, each row of its first matrix transformed like an image.

    Parameters
    ----------
    transform : callable
        A linear isometry: takes images (n, height, width, channels) and returns an array (n, ...).
    images, labels, optimizer, epochs, seed
        As in `largest_difference`.

    Returns
    -------
    (difference, change) : (float, float)
        As `largest_difference`.
    """

    def carry(weights):
        units = weights[0].T.reshape(-1, *images.shape[1:])
        return [np.reshape(transform(units), (len(units), -1)).T, *weights[1:]]

    return _trained_apart("dense", images, transform, carry, labels, optimizer, epochs, seed)


def _trained_apart(architecture, images, transform, carry, labels, optimizer, epochs, seed):
    """Return the (difference, change) of a network and the one whose images and weights are transformed."""
    images = images.astype("float64")
    inputs = images, np.asarray(transform(images))
    one, other = (_network(architecture, array.shape[1:], optimizer(), seed) for array in inputs)
    start = one.get_weights()
    other.set_weights(carry(start))
    for model, array in zip((one, other), inputs, strict=True):
        training.fit(model, (array, labels), epochs=epochs, seed=seed)
    end = one.get_weights()
    return _largest(carry(end), other.get_weights()), _largest(start, end)


def _network(architecture, input_shape, optimizer, seed):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        model = build(architecture, input_shape, 10, seed)
    finally:
        keras.config.set_dtype_policy(policy)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64"))
    return model


def permuted(weights, permutation):
    """Return weights with every axis that runs over the pixels permuted like the pixels."""
    return [_permuted_along(weight, permutation) for weight in weights]


def _permuted_along(weight, permutation):
    """Permute every axis that runs over the pixels, or over pixels and the channels of each."""
    for axis, size in enumerate(weight.shape):
        if size % len(permutation) == 0:
            split = (*weight.shape[:axis], len(permutation), -1, *weight.shape[axis + 1 :])
            weight = weight.reshape(split).take(permutation, axis).reshape(weight.shape)
    return weight


def _largest(one, other):
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))
