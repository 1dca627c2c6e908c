"""Ways to split an image into a small picture and details, half the size each, and to merge them again.

`haar` is the transform of this study; the others ask what of it matters. All of them give the details of a
level on a grid half as wide as the picture that they refine.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import tensorflow as tf

from common.wavelet import dwt2, idwt2

MODE = "periodization"


class Split(NamedTuple):
    """How one level is split and merged.

    Attributes
    ----------
    split : callable
        From images ``(n, height, width, 1)``, floats, height and width even, to an approximation
        ``(n, height / 2, width / 2, 1)`` in the range of the images and details of as many rows and columns.
    merge : callable
        From an approximation and details to images, the inverse unless the split loses something.
    """

    split: Callable
    merge: Callable


def split_by_wavelet(images, wavelet):
    """Split by the discrete wavelet transform; with "haar" the approximation holds the means of 2 x 2 pixels.

    Of the details, halved as the approximation is, horizontal, vertical and diagonal are the channels.
    """
    approximation, *details = dwt2(images, wavelet, MODE)
    return approximation / 2, tf.concat(details, -1) / 2


def merge_by_wavelet(approximation, details, wavelet):
    """Merge what `split_by_wavelet` returns."""
    bands = [2 * approximation, *tf.split(2 * details, 3, -1)]
    return idwt2(bands, wavelet, MODE)


def split_by_pooling(images):
    """Split into means of 2 x 2 pixels and what they lack: the Laplacian pyramid with a box for a filter.

    Burt and Adelson 1983, "The Laplacian pyramid as a compact image code". The four differences of a block
    are four channels; they add up to zero, so they span what Haar's three details span.
    """
    means = tf.nn.avg_pool2d(images, 2, 2, "VALID")
    return means, tf.nn.space_to_depth(images - enlarged(means), 2)


def merge_by_pooling(means, differences):
    """Merge what `split_by_pooling` returns."""
    return enlarged(means) + tf.nn.depth_to_space(differences, 2)


def split_by_phase(images):
    """Split into every second pixel of every second row, which is aliased, and the three other phases.

    Pixel-unshuffle, the "lazy wavelet" of Sweldens 1996, "The lifting scheme", which has no filters.
    """
    phases = tf.nn.space_to_depth(images, 2)
    return phases[..., :1], phases[..., 1:]


def merge_by_phase(phase, others):
    """Merge what `split_by_phase` returns."""
    return tf.nn.depth_to_space(tf.concat([phase, others], -1), 2)


def split_without_details(images):
    """Split as Haar does, with zeros in place of the details."""
    approximation, details = split_by_wavelet(images, "haar")
    return approximation, tf.zeros_like(details)


def split_with_details_of_others(images):
    """Split as Haar does, with the details of the image before in the batch in place of an image's own."""
    approximation, details = split_by_wavelet(images, "haar")
    return approximation, tf.roll(details, 1, axis=0)


def enlarged(images):
    """Return images with every pixel repeated in a block of 2 x 2."""
    return tf.repeat(tf.repeat(images, 2, 1), 2, 2)


def _of_wavelet(wavelet):
    return Split(partial(split_by_wavelet, wavelet=wavelet), partial(merge_by_wavelet, wavelet=wavelet))


HAAR = _of_wavelet("haar")
SPLITS = {
    "haar": HAAR,
    "db2": _of_wavelet("db2"),
    "bior2.2": _of_wavelet("bior2.2"),
    "average pool": Split(split_by_pooling, merge_by_pooling),
    "pixel-unshuffle": Split(split_by_phase, merge_by_phase),
    "zeroed details": Split(split_without_details, HAAR.merge),
    "shuffled details": Split(split_with_details_of_others, HAAR.merge),
}


def pyramid(images, levels, split=HAAR):
    """Split images `levels` times, each time the approximation of the level before.

    Parameters
    ----------
    images : tensor, shape (n, height, width, 1)
        Float; height and width divisible by ``2**levels``.
    levels : int
    split : Split

    Returns
    -------
    list of tensors
        The approximation, then the details from the coarsest to the finest level.
    """
    details = []
    for _ in range(levels):
        images, detail = split.split(images)
        details.append(detail)
    return [images, *reversed(details)]
