"""Operators on small images: a dense matrix from flat input to flat output, built once."""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from common.radon._geometry import BORDER, Angles, Size, bilinear, is_static, linear, rays, shadows, support
from common.validation import Tensor, dtype_of

MATRIX_BYTES = 128 * 2**20

WINDOWS: dict[str | None, Any] = {
    None: None,
    "ramp": np.ones,
    "shepp-logan": lambda n: np.sinc(np.fft.fftfreq(n)),
    "cosine": lambda n: np.cos(np.pi * np.fft.fftfreq(n)),
    "hamming": lambda n: np.fft.fftshift(np.hamming(n)),
    "hann": lambda n: np.fft.fftshift(np.hanning(n)),
}


def has_small_matrix(x: Tensor, height: Size, width: Size, detectors: Size, angles: int) -> bool:
    """Return whether the matrix in the dtype of `x` takes no more than `MATRIX_BYTES`."""
    itemsize = np.dtype(dtype_of(x)).itemsize
    return is_static(height, width) and height * width * detectors * angles * itemsize <= MATRIX_BYTES


def _dense(taps, shape, outputs, dtype):
    """Return the matrix (input, output) that adds weight * input to the output of each tap."""
    matrix = np.zeros(shape, dtype)
    for index, weight in taps:
        np.add.at(matrix, (index, outputs), weight)
    return matrix


@lru_cache(maxsize=4)
def radon_matrix(
    height: int, width: int, detectors: int, circle: bool, angles: Angles, dtype: str
) -> np.ndarray:
    """Return the matrix from (row, column) to (detector, angle)."""
    lattice = rays(height, width, detectors, circle, angles)
    rows, columns = height + 2 * BORDER, width + 2 * BORDER
    outputs = np.arange(detectors) * len(angles) + np.arange(len(angles))[:, None, None]
    shape = (rows * columns, detectors * len(angles))
    matrix = _dense(bilinear(lattice, height, width, dtype, np), shape, outputs, dtype)
    inside = np.s_[BORDER : BORDER + height, BORDER : BORDER + width]
    return matrix.reshape(rows, columns, -1)[inside].reshape(height * width, -1)


class Folded(NamedTuple):
    """The matrix of a reconstruction, folded at the rotation centre, which halves the multiplications.

    Reflecting detector and image at the centre leaves the matrix unchanged. Therefore sums of opposite
    samples determine sums of opposite pixels, and differences determine differences.

    Attributes
    ----------
    sums, differences : numpy.ndarray
        Map the sums and the differences of opposite samples (detector, angle) to one pixel of each opposite
        pair, followed by the pixels without an opposite.
    alone : numpy.ndarray
        Maps the samples without an opposite to the pixels of the pairs, their opposites, and the others.
    order : numpy.ndarray
        The index of each pixel of the image in this list; the index after its end stands for 0.
    """

    sums: np.ndarray
    differences: np.ndarray
    alone: np.ndarray
    order: np.ndarray


@lru_cache(maxsize=4)
def folded_reconstruction(
    size: int, detectors: int, angles: Angles, filter: str | None, circle: bool, dtype: str
) -> Folded:
    """Return the folded matrix from (detector, angle) to (row, column)."""
    matrix = _reconstruction_matrix(size, detectors, angles, filter, circle, dtype)
    right, left, alone = _opposite(detectors)
    one, other = matrix[right], matrix[left]
    rows, columns = 2 * (size // 2) - np.indices((size, size)).reshape(2, -1)
    pixels = np.arange(size * size)
    first = np.flatnonzero((rows < size) & (columns < size) & (rows * size + columns > pixels))
    second = (rows * size + columns)[first]
    # Pixels that project beyond one end of the detector have no opposite, because samples there are 0.
    scale = 100 * np.finfo(dtype).eps * np.abs(matrix).max()
    same = (
        np.abs(one[..., first] - other[..., second]) + np.abs(other[..., first] - one[..., second])
    ) < scale
    seen = matrix.any((0, 1))
    kept = same.all((0, 1)) & seen[first]
    first, second = first[kept], second[kept]
    others = np.setdiff1d(pixels[seen], [first, second])
    listed, halves = np.concatenate([first, second, others]), np.concatenate([first, others])
    order = np.full(size * size, len(listed))
    order[listed] = np.arange(len(listed))
    sums, differences = ((one + sign * other)[..., halves] / 2 for sign in (1, -1))
    return Folded(_flat(sums), _flat(differences), _flat(matrix[alone][..., listed]), order)


def _opposite(detectors):
    """Return the detectors right of the centre, their opposites, and the detectors without an opposite."""
    centre = detectors // 2
    reach = np.arange(1, detectors - centre)
    alone = [n for n in range(detectors) if n == centre or 2 * centre - n >= detectors]
    return centre + reach, centre - reach, alone


def _flat(matrix):
    return matrix.reshape(-1, matrix.shape[-1])


def _reconstruction_matrix(size, detectors, angles, filter, circle, dtype):
    """Return the matrix (detector, angle, pixel)."""
    response = filter_matrix(detectors, len(angles), filter, circle)
    lattice = shadows(size, angles)
    pixels = np.arange(size * size).reshape(size, size)
    matrix = np.zeros((detectors, len(angles), size * size), dtype)
    for a in range(len(angles)):
        taps = linear([term[a] for term in lattice], len(response), dtype, np)
        matrix[:, a] = response.T @ _dense(taps, (len(response), size * size), pixels, "float64")
    return matrix * support(size, circle).ravel().astype(dtype)


@lru_cache(maxsize=16)
def filter_matrix(detectors: int, angles: int, filter: str | None, circle: bool) -> np.ndarray:
    """Return the matrix that convolves a projection with the filter and scales it by pi / (2 A).

    With `circle` it also pads projections to the diagonal. The ramp is the transform of its sampled impulse
    response, Kak & Slaney eq. (61), which preserves the mean of the image; None is the unit impulse.
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


def unfold(y: Tensor, folded: Folded, size: int) -> Tensor:
    """Return images ``(batch, size, size, channels)``, the product of a folded matrix and sinograms."""
    _, detectors, angles, channels = ops.shape(y)
    _, left, alone = _opposite(detectors)
    samples = ops.reshape(ops.transpose(y, (0, 3, 1, 2)), (-1, detectors, angles))
    one, other = samples[:, detectors // 2 + 1 :], ops.take(samples, left, axis=1)

    def times(values, matrix):
        return ops.reshape(values, (-1, len(matrix))) @ as_tensor(matrix)

    sums, differences = times(one + other, folded.sums), times(one - other, folded.differences)
    pairs = folded.alone.shape[1] - folded.sums.shape[1]
    first, second = sums[:, :pairs] + differences[:, :pairs], sums[:, :pairs] - differences[:, :pairs]
    others = sums[:, pairs:] + differences[:, pairs:]
    listed = ops.concatenate([first, second, others], axis=1) + times(
        ops.take(samples, alone, axis=1), folded.alone
    )
    images = ops.take(ops.pad(listed, [(0, 0), (0, 1)]), folded.order, axis=1)
    return ops.transpose(ops.reshape(images, (-1, channels, size, size)), (0, 2, 3, 1))


def multiply(x: Tensor, matrix: Tensor, rows: int, columns: int) -> Tensor:
    """Apply a matrix to the two middle axes of a batch, which become `rows` and `columns`."""
    channels = x.shape[-1]
    flat = ops.reshape(ops.transpose(x, (0, 3, 1, 2)), (-1, matrix.shape[0]))
    # We use @ because ops.matmul computes float64 in float32 on PyTorch (Keras 3.15).
    y = ops.reshape(flat @ matrix, (-1, channels, rows, columns))
    return ops.transpose(y, (0, 2, 3, 1))


def as_tensor(array: np.ndarray) -> Tensor:
    """Return a NumPy array as a tensor of the same dtype; some backends would make it float32."""
    return ops.convert_to_tensor(array, str(array.dtype))
