"""Checks that every transform makes on its input: rank, floating dtype, finite values."""

from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops

# An array, or a tensor of the Keras backend.
Tensor: TypeAlias = Any


def as_floating(x, rank, name, axes):
    """Return `x` as a floating-point backend tensor of the given rank.

    Parameters
    ----------
    x : array or tensor
        float16, bfloat16, float32 or float64; anything else is refused, never cast.
    rank : int
        Required number of dimensions.
    name : str
        What the error message calls `x`.
    axes : str
        What the error message calls its dimensions, e.g. ``"(batch, height, width, channels)"``.

    Raises
    ------
    ValueError
        Wrong rank, a dtype that is not floating, an empty axis, or NaN or infinity. While a graph is
        traced the values are not known, so only rank, dtype and static sizes are checked.
    """
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        x = np.asarray(x)
    if len(x.shape) != rank:
        raise ValueError(f"{name} must have the {rank} axes {axes}, but the shape is {tuple(x.shape)}.")
    dtype = keras.backend.standardize_dtype(x.dtype)
    if "float" not in dtype:
        raise ValueError(f"{name} must be floating point, but the dtype is {dtype}; convert it first.")
    if 0 in tuple(x.shape):
        raise ValueError(f"{name} must not be empty, but the shape is {tuple(x.shape)}.")
    x = ops.convert_to_tensor(x)
    if not is_finite(x):
        raise ValueError(f"{name} must be finite, but it holds NaN or infinity.")
    return x


def as_images(x, name="images"):
    """Return `x` as a floating tensor ``(batch, height, width, channels)``; see `as_floating`."""
    return as_floating(x, 4, name, "(batch, height, width, channels)")


def is_finite(x):
    """Whether no value of the tensor `x` is NaN or infinite; True while its values are unknown."""
    # NaN and infinity survive a sum, which is one pass without a temporary; a sum may also overflow.
    total = concrete(ops.sum(x))
    return total is None or bool(np.isfinite(total)) or bool(concrete(ops.all(ops.isfinite(x))))


def concrete(x):
    """Return the values of the tensor `x` as a NumPy array, or None while a graph is traced."""
    traced_by_tensorflow = keras.backend.backend() == "tensorflow" and not hasattr(x, "numpy")
    if isinstance(x, keras.KerasTensor) or traced_by_tensorflow:
        return None
    try:
        return ops.convert_to_numpy(x)
    except TypeError:  # traced by JAX
        return None
