"""Images of any size from images of one size: separable bilinear resampling with anti-aliasing."""

from functools import lru_cache

import numpy as np
import tensorflow as tf


def resample(images, height, width):
    """Return images of another size.

    Parameters
    ----------
    images : tensor, shape (n, rows, columns, channels)
        Float; of known rows, columns and channels.
    height, width : int
        At least 1, in pixels.

    Returns
    -------
    tensor, shape (n, height, width, channels)
        As ``tf.image.resize(images, (height, width), antialias=True)``, whose weights it applies as two
        matrix products. Values stay within the range of `images`.
    """
    images = tf.convert_to_tensor(images)
    rows, columns, channels = images.shape[1:]
    if rows != height:
        flat = tf.reshape(images, (-1, rows, columns * channels))
        images = tf.reshape(_weights(rows, height) @ flat, (-1, height, columns, channels))
    if columns != width:
        images = _weights(columns, width) @ images
    return images


@lru_cache(maxsize=256)
def _weights(size, new_size):
    """Return the matrix (new_size, size) that resamples one axis, by resampling the unit vectors."""
    with tf.init_scope():
        unit_vectors = np.eye(size, dtype="float32")[..., np.newaxis]
        return tf.image.resize(unit_vectors, (new_size, size), antialias=True).numpy()[..., 0]
