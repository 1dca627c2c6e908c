"""Checks of images, labels, counts and seeds."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from common.arguments import as_labels, check_counts, check_seed, check_unmasked

__all__ = [
    "Tensor", "as_coefficients", "as_floating", "as_images", "as_labels", "as_unit_images", "check_counts",
    "check_seed", "concrete", "dtype_of", "is_finite",
]  # fmt: skip

Tensor = Any  # an array or a tensor of the Keras backend
FLOATS = ("float16", "bfloat16", "float32", "float64")
IMAGE_AXES = "(batch, height, width, channels)"


def as_floating(x: ArrayLike | Tensor, rank: int, name: str, axes: str) -> Tensor:
    """Return `x` as a floating-point backend tensor of the given rank.

    Parameters
    ----------
    x : array or tensor
        float16, bfloat16, float32 or float64; any other dtype is refused, never cast.
    rank : int
        Required number of dimensions.
    name : str
        Name of `x` in the error message.
    axes : str
        Names of the dimensions in the error message, e.g. ``"(batch, height, width, channels)"``.

    Raises
    ------
    ValueError
        Wrong rank, a dtype that is not floating, an empty axis, masked values, or NaN or infinity. While a
        graph is traced the values are not known, so only rank, dtype and static sizes are checked.
    """
    check_unmasked(x, name)
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        x = np.asarray(x)
    shape = tuple(x.shape)
    if len(shape) != rank:
        hint = f"; {name}[..., None] adds channels, {name}[None] a batch" if len(shape) == rank - 1 else ""
        raise ValueError(f"{name} must have the {rank} axes {axes}, but the shape is {shape}{hint}.")
    dtype = dtype_of(x)
    if dtype not in FLOATS:
        ways = {"uint8": ".astype('float32') / 255", "complex64": ".real", "complex128": ".real"}
        way = ways.get(dtype, ".astype('float32')")
        raise ValueError(f"{name} must be floating point, but the dtype is {dtype}; try {name}{way}.")
    if 0 in shape:
        raise ValueError(f"{name} must not be empty, but the shape is {shape}.")
    x = ops.convert_to_tensor(x)
    if not is_finite(x):
        raise ValueError(f"{name} must be finite, but it holds NaN or infinity.")
    return x


def as_images(x: ArrayLike | Tensor, name: str = "images") -> Tensor:
    """Return `x` as a floating tensor ``(batch, height, width, channels)`` of any range of values.

    Parameters
    ----------
    x : array or tensor
    name : str
        Name of `x` in the error message.

    Raises
    ------
    ValueError
        The errors of `as_floating`, or a shape that only channels-first images have: 1 or 3 rows with as
        many channels as columns, at least 8; or 3 rows with at least 32 columns and channels.

    Examples
    --------
    >>> as_images(np.zeros((16, 3, 224, 224)))
    Traceback (most recent call last):
    ValueError: images (16, 3, 224, 224) look channels-first; pass np.moveaxis(images, 1, -1), or fewer \
channels at a time if there really are 224.
    """
    x = as_floating(x, 4, name, IMAGE_AXES)
    _, height, width, channels = x.shape
    width, channels = width or 0, channels or 0
    if (height in (1, 3) and width == channels >= 8) or (height == 3 and min(width, channels) >= 32):
        raise ValueError(
            f"{name} {tuple(x.shape)} look channels-first; pass np.moveaxis({name}, 1, -1), or fewer "
            f"channels at a time if there really are {channels}."
        )
    return x


def as_coefficients(x: ArrayLike | Tensor, name: str) -> Tensor:
    """Return coefficients of images as a floating tensor ``(batch, rows, columns, channels)``."""
    return as_floating(x, 4, name, "(batch, rows, columns, channels)")


def dtype_of(x: Tensor) -> str:
    """Return the name of the dtype of an array or a tensor, e.g. ``"bfloat16"``."""
    try:
        return keras.backend.standardize_dtype(x.dtype)
    except ValueError:  # a dtype that Keras does not have
        return str(x.dtype)


def is_finite(x: Tensor) -> bool:
    """Return whether no value of the tensor `x` is NaN or infinite; True while its values are unknown."""
    if isinstance(x, keras.KerasTensor):
        return True
    # NaN and infinity survive a sum, which needs one pass and no temporary. The sum may also overflow, so an
    # infinite sum is not yet a proof.
    finite = concrete(ops.isfinite(ops.sum(x)))
    return finite is None or bool(finite) or bool(concrete(ops.all(ops.isfinite(x))))


def concrete(x: Tensor) -> np.ndarray | None:
    """Return the values of the tensor `x` as a NumPy array, or None while a graph is traced."""
    traced_by_tensorflow = keras.backend.backend() == "tensorflow" and not hasattr(x, "numpy")
    if isinstance(x, keras.KerasTensor) or traced_by_tensorflow:
        return None
    try:
        return ops.convert_to_numpy(x)
    except TypeError:  # traced by JAX
        return None


def as_unit_images(images: ArrayLike, name: str = "images") -> np.ndarray:
    """Return floating-point images ``(n, height, width, channels)`` whose values all lie in [0, 1].

    Raises
    ------
    ValueError
        A wrong shape, integers, no images, NaN, or values outside [0, 1], such as 0 to 255.
    """
    as_images(images, name)
    found = np.asarray(images)
    low, high = found.min(), found.max()
    if low < 0 or high > 1:
        way = "; divide them by 255" if low >= 0 and 2 < high <= 255 else ""
        raise ValueError(f"{name} must lie in [0, 1], but they reach from {low:g} to {high:g}{way}.")
    return found
