"""An exact statement: a dense network cannot tell scrambled pixels from raw ones.

The first layer computes ``W x``. Permute the pixels and the columns of W alike, and the product is the same;
so is its gradient, up to the same permutation, and an optimizer that treats every weight alike keeps it so.
Only the order in which the products are summed differs, which rounds differently.
"""

import keras
import numpy as np

from cnn_vs_dense.models import build
from common import training
from common.scramble import Scrambler


def largest_difference(images, labels, optimizer, epochs, seed):
    """Train two dense networks in float64, one on raw and one on scrambled pixels, and compare all weights.

    The second starts from the weights of the first with the rows of its first layer permuted as the pixels.

    Parameters
    ----------
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
    raw, scrambled = (_dense_network(images.shape[1:], optimizer(), seed) for _ in range(2))
    start = raw.get_weights()
    scrambled.set_weights(_permuted(start, scrambler.permutation))
    training.fit(raw, (images, labels), epochs=epochs, seed=seed)
    training.fit(scrambled, (scrambler.scramble(images), labels), epochs=epochs, seed=seed)
    end = raw.get_weights()
    return (
        _largest(_permuted(end, scrambler.permutation), scrambled.get_weights()),
        _largest(start, end),
    )


def _dense_network(input_shape, optimizer, seed):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        model = build("dense", input_shape, 10, seed)
    finally:
        keras.config.set_dtype_policy(policy)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64"))
    return model


def _permuted(weights, permutation):
    return [weights[0][permutation], *weights[1:]]


def _largest(one, other):
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))
