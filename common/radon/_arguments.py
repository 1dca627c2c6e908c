"""Checks of the arguments of functions and layers."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from common.radon._geometry import Angles, detector_length
from common.radon._matrices import WINDOWS
from common.validation import Tensor, as_floating, concrete

SINOGRAM_AXES = "(batch, detector, angle, channels)"


def as_angles(angles: ArrayLike | Tensor | None, theta: ArrayLike | Tensor | None = None) -> Angles:
    """Return the angles, which have two names, as a tuple of floats."""
    if angles is not None and theta is not None:
        raise ValueError("angles and theta are two names of one argument; give only one of them.")
    given = angles if theta is None else theta
    try:
        values = np.asarray(concrete(given) if ops.is_tensor(given) else given)
    except ValueError:  # lists of different lengths, or a symbolic tensor
        values = np.empty(0)
    if values.ndim != 1 or not values.size or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise ValueError(f"angles must be a non-empty list of finite numbers in degrees, but got {given!r}.")
    values = values.astype("float64")
    if _look_like_radians(values):
        raise ValueError(
            f"angles must be in degrees, but these, {values.min():.6g} to {values.max():.6g}, look like "
            "radians; pass np.rad2deg(angles), or add 360 to one of them if they are degrees."
        )
    return tuple(values.tolist())


def _look_like_radians(angles):
    """Return whether angles up to 2 pi are multiples of pi / 12, or span a half or full turn of radians.

    Zeros alone are not radians. Angles span a turn if they cover 80 to 100 % of it; angles with at most three
    decimal places do not count, because a person typed them.
    """
    if np.abs(angles).max() > 6.29:
        return False
    twelfths, thousandths = angles / (np.pi / 12), 1000 * angles
    if np.round(twelfths).any() and np.abs(twelfths - np.round(twelfths)).max() < 1e-9:
        return True
    are_decimals = np.abs(thousandths - np.round(thousandths)).max() < 1e-6
    covers = any(0.8 * turn < np.ptp(angles) < 1.001 * turn for turn in (np.pi, 2 * np.pi))
    return covers and not are_decimals


def as_bool(circle: bool) -> bool:
    """Return `circle`; raise ValueError unless it is a bool."""
    if not isinstance(circle, bool):
        raise ValueError(f"circle must be True or False, but got {circle!r}.")
    return circle


def as_filter(filter: str | None) -> str | None:
    """Return the name of a filter or None; raise ValueError for an unknown one."""
    if not (filter is None or isinstance(filter, str)) or filter not in WINDOWS:
        accepted = ", ".join(map(repr, WINDOWS))
        raise ValueError(f"filter must be one of {accepted}, but got {filter!r}.")
    return filter


def as_shape(size: int | Sequence[int] | None) -> tuple[int, int]:
    """Return (height, width) from an int or a pair of ints."""
    shape = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(shape) != 2 or not all(isinstance(n, (int, np.integer)) and n >= 1 for n in shape):
        raise ValueError(f"size must be an integer of at least 1 or a pair of them, but got {size!r}.")
    height, width = shape
    return int(height), int(width)


def as_size(size: Any, name: str = "size") -> int:
    """Return a size as an int; raise ValueError unless it is positive."""
    if not isinstance(size, (int, np.integer)) or size < 1:
        raise ValueError(f"{name} must be an integer of at least 1, but got {size!r}.")
    return int(size)


def as_detectors(detectors: int | None) -> int | None:
    """Return a positive int, or None."""
    return None if detectors is None else as_size(detectors, "detectors")


def reconstruction_size(detectors: int | None, size: int | None, circle: bool) -> int:
    """Return the side of a reconstruction, by default the side of the square that the detector sees."""
    if size is not None:
        return as_size(size)
    if detectors is None:
        raise ValueError("filtered_backprojection needs the number of detectors when a graph is traced.")
    return as_size(detectors if circle else math.floor(detectors / math.sqrt(2)))


def as_sinogram(sinogram: ArrayLike | Tensor, name: str = "sinogram") -> Tensor:
    """Return a floating tensor (batch, detector, angle, channels)."""
    return as_floating(sinogram, 4, name, SINOGRAM_AXES)


def check_projections(shape: Sequence[int | None], angles: Angles) -> None:
    """Raise ValueError unless a sinogram of this shape has a projection for every angle."""
    if shape[2] not in (None, len(angles)):
        hint = f"; its axes must be {SINOGRAM_AXES}" if shape[1] == len(angles) else ""
        raise ValueError(
            f"The sinogram has {shape[2]} projections, but {len(angles)} angles were given{hint}."
        )


def checked_detectors(
    shape: Sequence[int | None], size: tuple[int, int], circle: bool, detectors: int | None
) -> int:
    """Return the detector length of a sinogram of this shape; raise ValueError if it does not match."""
    expected = detectors or detector_length(*size, circle)
    if shape[1] not in (None, expected):
        why = "were asked for" if detectors else "match images of this size"
        raise ValueError(
            f"The sinogram has {shape[1]} detectors, but {expected} {why}; pass detectors={shape[1]} if that "
            "is the length of the detector."
        )
    return expected
