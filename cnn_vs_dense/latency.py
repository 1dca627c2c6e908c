"""What a decision costs: multiplications, and the time from a scan to the logits."""

import timeit

import numpy as np
import tensorflow as tf

from cnn_vs_dense.layers import DetectorFilter, SeparableTransform
from common.radon import FilteredBackprojection


def multiplications(model):
    """Return how many real multiplications a network needs for one image, biases and activations apart.

    Those of convolutions, of dense layers and of the transforms in `models`.
    """
    return sum(_multiplications(layer) for layer in model.layers)


def _multiplications(layer):
    if isinstance(layer, FilteredBackprojection):
        return int(np.prod(layer.input.shape[1:]) * np.prod(layer.output.shape[1:3]))
    if isinstance(layer, DetectorFilter):
        return int(layer.input.shape[1] * np.prod(layer.input.shape[1:]))
    if isinstance(layer, SeparableTransform):
        _, height, width, channels = layer.input.shape
        return 2 * height * width * channels * (height + width)
    if not hasattr(layer, "kernel"):
        return 0
    return int(np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:-1], dtype=int))


def milliseconds(model, see, repetitions=20):
    """Return the median time of ``model(see())`` in milliseconds, after a first call that compiles.

    Parameters
    ----------
    model : keras.Model
    see : callable
        Returns a batch of images as the network sees them, made of a scan.
    repetitions : int
    """
    network = tf.function(model)

    def decide():
        return network(see()).numpy()

    decide()
    return 1000 * float(np.median(timeit.repeat(decide, number=1, repeat=repetitions)))
