"""Ways to split an image into a small picture and details, half the size each, and to merge them again.

`haar` is the transform of this study; the others ask what of it matters. All of them give the details of a
level on a grid half as wide as the picture that they refine.
"""

from collections.abc import Callable
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
        From an approximation and details to images, the inverse.
    """

    split: Callable
    merge: Callable


def split_by_haar(images):
    """Split by Haar's wavelet transform; the approximation holds the means of 2 x 2 pixels.

    Of the details, halved as the approximation is, horizontal, vertical and diagonal are the channels.
    """
    approximation, *details = dwt2(images, "haar", MODE)
    return approximation / 2, tf.concat(details, -1) / 2


def merge_by_haar(approximation, details):
    """Merge what `split_by_haar` returns."""
    bands = [2 * approximation, *tf.split(2 * details, 3, -1)]
    return idwt2(bands, "haar", MODE)


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


def split_without_details(images):
    """Split as Haar does, with zeros in place of the details."""
    approximation, details = split_by_haar(images)
    return approximation, tf.zeros_like(details)


def enlarged(images):
    """Return images with every pixel repeated in a block of 2 x 2."""
    return tf.repeat(tf.repeat(images, 2, 1), 2, 2)


SPLITS = {
    "haar": Split(split_by_haar, merge_by_haar),
    "average pool": Split(split_by_pooling, merge_by_pooling),
    "zeroed details": Split(split_without_details, merge_by_haar),
}
