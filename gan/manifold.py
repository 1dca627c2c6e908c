"""The sampled manifold itself: the square of all latent points, its slope, and ways through it."""

from functools import partial

import numpy as np
import tensorflow as tf

BATCH_SIZE = 1_000


def square(side):
    """Return the centres of side x side equal cells of [-1, 1]^2, row by row from the top left.

    The points are uniform on the square, so every cell is equally probable.

    Returns
    -------
    array of float32, shape (side * side, 2)
        First coordinate to the right, second one upwards.
    """
    centres = (2 * np.arange(side) + 1) / side - 1
    across, up = np.meshgrid(centres, centres[::-1])
    return np.stack([across.ravel(), up.ravel()], axis=1).astype("float32")


def slope(generator, points):
    """Return the Frobenius norm of the generator's Jacobian at every point.

    It says how far the image moves, in the Euclidean distance of pixel values in [0, 1], for a unit step in
    latent space; a bridge between two digits is a narrow ridge.

    Parameters
    ----------
    generator : callable
        From points ``(n, latent_size)`` to images; differentiable.
    points : array, shape (n, latent_size)

    Returns
    -------
    array, shape (n,)
    """
    squares = tf.function(partial(_squared_slopes, generator))
    batches = np.array_split(points, -(-len(points) // BATCH_SIZE))
    return np.sqrt(np.concatenate([squares(tf.constant(batch)) for batch in batches]))


def _squared_slopes(generator, points):
    total = 0.0
    for axis in range(points.shape[1]):
        direction = tf.one_hot([axis] * len(points), points.shape[1])
        with tf.autodiff.ForwardAccumulator(points, direction) as accumulator:
            images = generator(points)
        total += tf.reduce_sum(accumulator.jvp(images) ** 2, axis=(1, 2, 3))
    return total


def stretch(generator, points):
    """Return the square root of det(J^T J) at every point, J the generator's Jacobian.

    It says by how much the generator stretches volumes; its mean times 2^latent_size is the length of a curve
    or the area of a surface of images, in the Euclidean distance of pixel values in [0, 1].

    Parameters and result are those of `slope`; latent_size is at most the number of pixels.
    """
    products = tf.function(partial(_products, generator))
    batches = np.array_split(points, -(-len(points) // BATCH_SIZE))
    squares = np.concatenate([np.linalg.det(products(tf.constant(batch))) for batch in batches])
    # Rounding puts the determinant of a generator that ignores a direction a little below 0.
    return np.sqrt(np.maximum(squares, 0))


def _products(generator, points):
    """Return J^T J at every point, in double precision; shape (n, latent_size, latent_size)."""
    columns = []
    for axis in range(points.shape[1]):
        direction = tf.one_hot([axis] * len(points), points.shape[1])
        with tf.autodiff.ForwardAccumulator(points, direction) as accumulator:
            images = generator(points)
        columns.append(tf.reshape(accumulator.jvp(images), [len(points), -1]))
    jacobian = tf.cast(tf.stack(columns, axis=2), tf.float64)
    return tf.matmul(jacobian, jacobian, transpose_a=True)


def path(start, stop, steps):
    """Return points at equal distances on the straight line between two, both ends included.

    Returns
    -------
    array, shape (steps, latent_size)
    """
    share = np.linspace(0, 1, steps, dtype="float32")[:, None]
    return (1 - share) * np.asarray(start, "float32") + share * np.asarray(stop, "float32")


def mosaic(images, columns):
    """Return one image ``(height, width, channels)`` of many ``(n, height, width, channels)``, row by row."""
    images = np.asarray(images)
    n, height, width, channels = images.shape
    if n % columns:
        raise ValueError(f"{n} images do not fill rows of {columns}.")
    rows = images.reshape(n // columns, columns, height, width, channels)
    return rows.transpose(0, 2, 1, 3, 4).reshape(n // columns * height, columns * width, channels)
