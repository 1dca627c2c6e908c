"""Readers of other projects' weight files that run no code from these files.

The files are pickles, and a pickle is a program. The readers here let it build containers and arrays and call
nothing else; the small classes below replace those of PyTorch and NumPy.
"""

import contextlib
import io
import pickle
from collections import OrderedDict
from typing import NamedTuple

import numpy as np


def read_torch(content: bytes) -> dict[str, np.ndarray]:
    """Return the tensors of a file that `torch.save` wrote before PyTorch 1.6.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    dict from str to numpy.ndarray
        float32 or int64, read-only, shaped as in PyTorch (a kernel is ``(out, in, height, width)``).

    Raises
    ------
    ValueError
        The content is truncated, has another format, or tries to call a function.
    """
    file = io.BytesIO(content)
    # The file starts with a magic number, the version of the format and the sizes of C types.
    for _ in range(3):
        _load(file, {})
    tensors = _load(file, _TORCH)
    with _refused():
        types = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
        values = {key: _storage(file, types[key]) for key in _load(file, {})}
        return {name: _strided(values[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def read_arrays(content: bytes) -> dict[str, list[np.ndarray]]:
    """Return the content of a pickled dict from str to lists of float32 arrays, protocol 3 or 4.

    The arrays are read-only. The function raises ValueError like `read_torch`.
    """
    pickled = _load(io.BytesIO(content), _NUMPY)
    with _refused():
        return {name: [array.values for array in arrays] for name, arrays in pickled.items()}


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, allowed):
        super().__init__(file)
        self.allowed = allowed

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise ValueError(f"The weights are not read: their file wants to call {module}.{name}.")
        return self.allowed[module, name]

    def persistent_load(self, reference):
        _, dtype, key, _, _, _ = reference
        return _Storage(key, dtype)


def _load(file, allowed):
    with _refused():
        return _Unpickler(file, allowed).load()


@contextlib.contextmanager
def _refused():
    """Turn every error of a broken or unexpected pickle into a ValueError."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"The weights are not read: their file is truncated or altered ({error}).") from None


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype


class _Tensor(NamedTuple):
    """A view of a storage; offset and strides count its elements."""

    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple


def _tensor(storage, offset, shape, strides, *_):
    return _Tensor(storage, offset, shape, strides)


def _storage(file, dtype):
    """Return the values of the next storage, which starts with their number in 8 bytes."""
    content = file.read(8)
    size = int.from_bytes(content, "little") * dtype.itemsize
    content = file.read(size)
    if len(content) < size:
        raise ValueError("The weights are not read: their file is truncated.")
    return np.frombuffer(content, dtype)


def _strided(values, tensor):
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if min(tensor.offset, *tensor.strides, 0) < 0 or last >= len(values):
        raise ValueError("The weights are not read: a tensor of their file reaches beyond its values.")
    strides = [step * values.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, strides, writeable=False)


class _Array:
    """A replacement of `numpy.ndarray` that takes its pickled state."""

    def __setstate__(self, state):
        _, shape, dtype, is_fortran, content = state
        order = "F" if is_fortran else "C"
        self.values = np.frombuffer(content, dtype.native).reshape(shape, order=order)


class _Float32:
    """A replacement of `numpy.dtype` that accepts only little-endian float32."""

    native = np.dtype("float32")

    def __init__(self, name, *_):
        if name != "f4":
            raise ValueError(f"The weights are not read: they are of type {name!r} instead of 'f4'.")

    def __setstate__(self, state):
        if state[1] != "<":
            raise ValueError("The weights are not read: they are not little-endian.")


_TORCH = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "FloatStorage"): np.dtype("float32"),
    ("torch", "LongStorage"): np.dtype("int64"),
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
}
_NUMPY = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Float32,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
}
