"""What a decision costs before the network, and the time from a scan to the logits."""

import timeit

import numpy as np
import tensorflow as tf

from cnn_vs_dense.methods import CT_METHODS, MRI_METHODS
from common.names import look_up

MATRICES = ("FBP, ramp", "FBP, Hann", "SART", "regression")
FAST_TRANSFORMS = ("zero-filled", "zero-filled, magnitude")


def multiplications_to_see(method, scanned, pixels):
    """Return how many real multiplications make what the network of a method sees of one scan.

    A linear reconstruction counts as one matrix from the measured values to the pixels; an inverse fast
    Fourier transform of n complex values takes ``2 n log2(n)``. Interpolation, magnitudes and scaling are not
    counted.

    Parameters
    ----------
    method : key of `methods.CT_METHODS` or of `methods.MRI_METHODS`
    scanned : Scan
    pixels : int
        Of an image.
    """
    look_up("method", method, CT_METHODS | MRI_METHODS)
    _, height, width, _ = scanned.values.shape
    if method in FAST_TRANSFORMS:
        return round(2 * height * width * np.log2(height * width))
    if method not in MATRICES:
        return 0
    measured = 2 * int(np.sum(scanned.places)) if np.iscomplexobj(scanned.values) else width
    return height * measured * pixels


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
