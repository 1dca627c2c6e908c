"""The samples and weights of every ray and every pixel, and the sizes of images and detectors.

A lattice holds sampling coordinates as pairs of arrays ``(angle, position)``: at row i and column j of the
sampling grid, a coordinate is the sum of the first array at i and the second at j. Functions with an argument
`xp` compute with NumPy for a matrix and with keras.ops in a loop.
"""

import math
from types import ModuleType
from typing import Any

import numpy as np
from keras import ops

from common.validation import Tensor

Angles = tuple[float, ...]  # in degrees
Size = Any  # an int, or an integer tensor of a graph
Lattice = Any  # a tuple of arrays or tensors
Taps = list[tuple[Tensor, Tensor]]  # (index, weight)

BORDER = 2  # width of the zeros around an image, which samples outside it and their neighbours read


def rays(height: Size, width: Size, detectors: Size, circle: bool, angles: Angles) -> Lattice:
    """Return the lattice of the image rows and columns at ray sample i of detector j."""
    xp = np if is_static(height, width) else ops
    cos, sin = _cos_sin(angles)
    along = _grid(detector_length(height, width, circle), xp)
    across = _grid(detectors, xp)
    row, column = xp.array(height // 2, "float64"), xp.array(width // 2, "float64")
    return row + cos * along, -sin * across, column + sin * along, cos * across


def shadows(size: int, angles: Angles) -> Lattice:
    """Return the lattice of the positions, from the detector's centre, of the projection of pixel (i, j)."""
    cos, sin = _cos_sin(angles)
    grid = _grid(size, np)
    return -sin * grid, cos * grid


def _grid(size, xp):
    return xp.array(xp.arange(size) - size // 2, "float64")


def _cos_sin(angles):
    radians = np.deg2rad(angles)[:, None]
    return np.cos(radians), np.sin(radians)


def _coordinate(rows, columns, low, high, dtype, xp):
    """Return a coordinate of the sampling grid, clipped to [low, high] and counted from `low`.

    The result is an integer, a fraction in the given dtype, and a mask of the coordinates inside.
    """
    position = rows[..., :, None] + columns[..., None, :]
    high = xp.array(high, position.dtype)
    inside = (position >= low) & (position <= high)
    # Truncation is floor here; ops.floor computes float64 in float32 on JAX and PyTorch (Keras 3.15).
    position = xp.clip(position, low, high) - low
    whole = xp.array(position, "int32")
    return whole, xp.array(position - xp.array(whole, position.dtype), dtype), inside


def bilinear(lattice: Lattice, height: Size, width: Size, dtype: Any, xp: ModuleType = ops) -> Taps:
    """Return four pairs (index into the flat image with its border, weight)."""
    row, down, _ = _coordinate(lattice[0], lattice[1], -BORDER, height, dtype, xp)
    column, right, _ = _coordinate(lattice[2], lattice[3], -BORDER, width, dtype, xp)
    stride = width + 2 * BORDER
    index = row * stride + column
    return [
        (index, (1 - down) * (1 - right)),
        (index + 1, (1 - down) * right),
        (index + stride, down * (1 - right)),
        (index + stride + 1, down * right),
    ]


def linear(lattice: Lattice, detectors: Size, dtype: Any, xp: ModuleType = ops) -> Taps:
    """Return two pairs (index into a projection, weight); the weights are 0 beyond its ends."""
    first, last = -(detectors // 2), detectors - 1 - detectors // 2
    index, right, inside = _coordinate(lattice[0], lattice[1], first, last, dtype, xp)
    inside = xp.array(inside, dtype)
    return [(index, inside * (1 - right)), (xp.minimum(index + 1, detectors - 1), inside * right)]


def is_static(*sizes: Size) -> bool:
    """Return whether sizes are known integers rather than tensors of a graph."""
    return all(isinstance(n, int) for n in sizes)


def central_square(height: Size, width: Size) -> tuple[Size, Size, Size]:
    """Return the first row, the first column and the side of the central square."""
    side = min(height, width) if is_static(height, width) else ops.minimum(height, width)
    return (height - side + 1) // 2, (width - side + 1) // 2, side


def detector_length(height: Size, width: Size, circle: bool) -> Size:
    """Return the length of detector and rays that cover the image or, with `circle`, its central square."""
    if is_static(height, width):
        return min(height, width) if circle else math.ceil(math.sqrt(2) * max(height, width))
    if circle:
        return ops.minimum(height, width)
    return ops.cast(ops.ceil(math.sqrt(2) * ops.cast(ops.maximum(height, width), "float64")), "int32")


def support(size: int, circle: bool) -> np.ndarray:
    """Return a mask of the pixels of a reconstruction that are kept: with `circle` those in the disc."""
    grid = np.arange(size) - size // 2
    disc = grid**2 + grid[:, None] ** 2 <= (size // 2) ** 2
    return disc | (not circle)
