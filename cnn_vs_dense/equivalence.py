"""An exact statement: networks without neighbourhoods cannot tell scrambled pixels from raw ones.

Where a layer sums over all pixels it computes ``W x``. Permute the pixels and the columns of W alike, and the
product is the same; so is its gradient, up to the same permutation, and an optimizer that treats every weight
alike keeps it so. Only the order in which the products are summed differs, which rounds differently. It holds
for dense networks, for convolutions of 1 x 1, and for a mixer whose tokens are the pixels (there only to
single precision, in which Keras 3.15 computes the gradients of its layer normalisation).
"""

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
    images = images.astype("float64")
    scrambler = Scrambler(images.shape[1:3], seed)
    raw, scrambled = (_network(architecture, images.shape[1:], optimizer(), seed) for _ in range(2))
    start = raw.get_weights()
    scrambled.set_weights(permuted(start, scrambler.permutation))
    training.fit(raw, (images, labels), epochs=epochs, seed=seed)
    training.fit(scrambled, (scrambler.scramble(images), labels), epochs=epochs, seed=seed)
    end = raw.get_weights()
    return (
        _largest(permuted(end, scrambler.permutation), scrambled.get_weights()),
        _largest(start, end),
    )


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
