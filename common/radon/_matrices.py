"""Operators on small images: a dense matrix from flat input to flat output, built once."""

import math
from functools import lru_cache

import numpy as np
from keras import ops

from common.radon._geometry import BORDER, bilinear, is_static, linear, rays, shadows, support
from common.validation import dtype_of

MATRIX_BYTES = 128 * 2**20

WINDOWS = {
    None: None,
    "ramp": np.ones,
    "shepp-logan": lambda n: np.sinc(np.fft.fftfreq(n)),
    "cosine": lambda n: np.cos(np.pi * np.fft.fftfreq(n)),
    "hamming": lambda n: np.fft.fftshift(np.hamming(n)),
    "hann": lambda n: np.fft.fftshift(np.hanning(n)),
}


def has_small_matrix(x, height, width, detectors, angles):
    """Return whether the matrix in the dtype of `x` takes no more than `MATRIX_BYTES`."""
    itemsize = np.dtype(dtype_of(x)).itemsize
    return is_static(height, width) and height * width * detectors * angles * itemsize <= MATRIX_BYTES


def _dense(taps, shape, outputs, dtype):
    """Return the matrix (input, output) that adds weight * input to the output of each tap's position."""
    matrix = np.zeros(shape, dtype)
    for index, weight in taps:
        np.add.at(matrix, (index, outputs), weight)
    return matrix


@lru_cache(maxsize=4)
def radon_matrix(height, width, detectors, circle, angles, dtype):
    """Return the matrix from (row, column) to (detector, angle)."""
    lattice = rays(height, width, detectors, circle, angles)
    rows, columns = height + 2 * BORDER, width + 2 * BORDER
    outputs = np.arange(detectors) * len(angles) + np.arange(len(angles))[:, None, None]
    shape = (rows * columns, detectors * len(angles))
    matrix = _dense(bilinear(lattice, height, width, dtype, np), shape, outputs, dtype)
    inside = np.s_[BORDER : BORDER + height, BORDER : BORDER + width]
    return matrix.reshape(rows, columns, -1)[inside].reshape(height * width, -1)


@lru_cache(maxsize=4)
def reconstruction_matrix(size, detectors, angles, filter, circle, dtype):
    """Return the matrix from (detector, angle) to (row, column)."""
    response = filter_matrix(detectors, len(angles), filter, circle)
    lattice = shadows(size, angles)
    pixels = np.arange(size * size).reshape(size, size)
    matrix = np.zeros((detectors, len(angles), size * size), dtype)
    for a in range(len(angles)):
        taps = linear([term[a] for term in lattice], len(response), dtype, np)
        matrix[:, a] = response.T @ _dense(taps, (len(response), size * size), pixels, "float64")
    return (matrix * support(size, circle).ravel()).reshape(-1, size * size)


@lru_cache(maxsize=16)
def filter_matrix(detectors, angles, filter, circle):
    """Return the convolution with the filter, scaled by pi / (2 A), as a matrix applied to a projection.

    With `circle` it also pads projections to the diagonal. The ramp is the transform of its sampled impulse
    response, Kak & Slaney eq. (61), which keeps the mean of the image; None is the unit impulse.
    """
    rows = math.ceil(math.sqrt(2) * detectors) if circle else detectors
    period = max(64, 2 ** math.ceil(math.log2(2 * rows)))
    n = np.fft.fftfreq(period, 1 / period)
    impulse = np.where(n == 0, 1.0, 0.0)
    if filter is not None:
        odd = np.where(n % 2 == 1, n, np.inf)
        ramp = np.fft.fft(impulse / 2 - 2 / (np.pi * odd) ** 2).real
        impulse = np.fft.ifft(ramp * WINDOWS[filter](period)).real
    lag = np.arange(rows)[:, None] - np.arange(detectors) - (rows // 2 - detectors // 2)
    return impulse[lag] * np.pi / (2 * angles)


def multiply(x, matrix, rows, columns):
    """Apply a matrix to the two middle axes of a batch; `rows` and `columns` are the new ones."""
    channels = x.shape[-1]
    flat = ops.reshape(ops.transpose(x, (0, 3, 1, 2)), (-1, matrix.shape[0]))
    # The operator, because ops.matmul computes float64 in float32 on PyTorch (Keras 3.15).
    y = ops.reshape(flat @ matrix, (-1, channels, rows, columns))
    return ops.transpose(y, (0, 2, 3, 1))


def as_tensor(array):
    """Return a NumPy array as a tensor of its own dtype; some backends would make it float32."""
    return ops.convert_to_tensor(array, str(array.dtype))
