"""The 2-D discrete wavelet transform, with the coefficients of PyWavelets.

Along one axis an analysis extends the signal beyond both ends, filters it and keeps every second value:

    c[k] = sum_j h[j] x[2k + o - j],    o = len(h) / 2 for "periodization", 1 for the other modes.

Every extension mode is linear, so the whole step is a matrix: the filter slides over the rows of the
extension matrix E, where ``extended = E x``. One dense product with this matrix is fastest up to a few
hundred values. While a graph is traced, longer axes are filtered without a matrix and only their ends are
extended. XLA fuses these operations, so compile large images with ``tf.function(..., jit_compile=True)`` or
``jax.jit``.

Synthesis is the transpose of an analysis with the time-reversed reconstruction filters.

Source: S. Mallat, A Wavelet Tour of Signal Processing, 3rd ed., sections 7.3 and 7.5. Filters, lengths and
boundary conventions agree with PyWavelets (``pywt.dwt2``, ``pywt.wavedec2`` and their inverses).
"""

from collections.abc import Sequence
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import pywt
from keras import ops
from numpy.typing import ArrayLike

from common.transform import TransformLayer, register, transformed
from common.validation import Tensor, as_coefficients, as_images, dtype_of

WAVELETS: list[str] = pywt.wavelist(kind="discrete")
MODES: list[str] = pywt.Modes.modes
Wavelet = str | Any | Sequence[Sequence[float]]  # as `dwt2` takes it; Any is a pywt.Wavelet
# Traced axes longer than this are filtered. Plain graphs are faster with products at any length; XLA is
# faster with filters from about 64.
DENSE_LENGTH = 256


class Subbands(NamedTuple):
    """Coefficients of one level, each ``(batch, rows, columns, channels)``.

    `horizontal` is high-pass along the height and low-pass along the width, so it holds horizontal edges;
    `vertical` is the reverse. PyWavelets calls the four cA, cH, cV and cD.
    """

    approximation: Tensor
    horizontal: Tensor
    vertical: Tensor
    diagonal: Tensor


def dwt2(x: ArrayLike | Tensor, wavelet: Wavelet = "haar", mode: str | int = "symmetric") -> Subbands:
    """Split images into four subbands of half their size.

    Parameters
    ----------
    x : array or tensor, ``(batch, height, width, channels)``
        Finite floating-point values of any range; heights and widths may be odd, tiny or dynamic. 16-bit
        values are transformed in float32. A `keras.KerasTensor` adds the layer `DWT2` to the model.
    wavelet : str, pywt.Wavelet or filter bank
        A name from ``pywt.wavelist(kind="discrete")``, or its four filters as ``pywt.Wavelet.filter_bank``.
    mode : str or member of pywt.Modes
        How the signal continues beyond its ends, one of ``pywt.Modes.modes``. "smooth" extrapolates; on
        signals shorter than the filter this loses digits in float32, as it does in PyWavelets.

    Returns
    -------
    Subbands
        An axis of n pixels becomes ``ceil(n / 2)`` coefficients in mode "periodization" and
        ``(n + filter length - 1) // 2`` in the others.

    Raises
    ------
    ValueError
        The wavelet or mode is unknown, or `x` is not a batch of finite floating-point images.

    Examples
    --------
    >>> image = np.array([[1.0, 2.0], [3.0, 6.0]])
    >>> [round(float(band[0, 0, 0, 0]), 6) for band in dwt2(image[None, :, :, None])]
    [6.0, -3.0, -2.0, 1.0]
    """
    return transformed(DWT2, _with_filter_bank(_dwt2), as_images(x), wavelet, _checked_mode(mode))


def idwt2(subbands: Sequence[Any], wavelet: Wavelet = "haar", mode: str | int = "symmetric") -> Tensor:
    """Merge four subbands into images, the inverse of `dwt2`.

    Parameters
    ----------
    subbands : Subbands, its four members in a sequence, or ``(cA, (cH, cV, cD))`` as in PyWavelets
        Coefficients of one shape ``(batch, rows, columns, channels)``; None stands for zeros.
    wavelet, mode
        As in `dwt2`.

    Returns
    -------
    tensor (batch, height, width, channels)
        m coefficients become ``2 m`` pixels in mode "periodization" and ``2 m - filter length + 2`` in the
        others. As in PyWavelets, an axis of odd size becomes one pixel longer.

    Raises
    ------
    ValueError
        The wavelet or mode is unknown, the subbands do not match, or they are too short for the filter.

    Examples
    --------
    >>> image = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> bool(np.allclose(idwt2(dwt2(image, "db2"), "db2"), image))
    True
    """
    bands = _matching(Subbands(*_as_bands(_four_bands(subbands), Subbands._fields)))
    return transformed(IDWT2, _with_filter_bank(_idwt2), bands, wavelet, _checked_mode(mode))


def wavedec2(
    x: ArrayLike | Tensor,
    wavelet: Wavelet = "haar",
    level: int | None = None,
    mode: str | int = "symmetric",
) -> list[Any]:
    """Split images, then the approximation, until there are `level` levels of coefficients.

    Parameters
    ----------
    x, wavelet, mode
        As in `dwt2`.
    level : int, optional
        Number of levels, at least 0. The default is ``pywt.dwtn_max_level`` of the static size; with more
        levels the boundary affects every coefficient.

    Returns
    -------
    list
        ``[approximation, (horizontal, vertical, diagonal) of the coarsest level, ..., of the finest level]``.

    Raises
    ------
    ValueError
        The errors of `dwt2`, a negative or fractional level, or no level for images of dynamic size.

    Examples
    --------
    >>> approximation, coarse, fine = wavedec2(np.ones((1, 8, 8, 1)), "haar", level=2)
    >>> [tuple(band.shape) for band in (approximation, coarse[0], fine[0])]
    [(1, 2, 2, 1), (1, 2, 2, 1), (1, 4, 4, 1)]
    """
    x, mode = as_images(x), _checked_mode(mode)
    level = _checked_level(level, x.shape[1:3], _filter_bank(wavelet))
    return transformed(WaveletDecomposition, _with_filter_bank(_wavedec2), x, wavelet, level, mode)


def waverec2(coefficients: Sequence[Any], wavelet: Wavelet = "haar", mode: str | int = "symmetric") -> Tensor:
    """Merge the levels of `wavedec2` into images.

    Parameters
    ----------
    coefficients : list
        A result of `wavedec2`; None stands for zero details. After a level of odd size, the approximation is
        one row or column longer than the details; its last row or column is dropped.
    wavelet, mode
        As in `dwt2`.

    Returns
    -------
    tensor (batch, height, width, channels)

    Raises
    ------
    ValueError
        The errors of `idwt2`, an empty list, or details that are not triples.

    Examples
    --------
    >>> image = np.arange(64.0).reshape(1, 8, 8, 1)
    >>> bool(np.allclose(waverec2(wavedec2(image, "bior2.2"), "bior2.2"), image))
    True
    """
    if not isinstance(coefficients, (list, tuple)) or not coefficients:
        raise ValueError(
            f"coefficients must be a list such as wavedec2 returns, not {_described(coefficients)}."
        )
    approximation, *levels = coefficients
    approximation = as_coefficients(approximation, "approximation")
    bands = [approximation, *(_as_bands(details, Subbands._fields[1:]) for details in levels)]
    function = _with_filter_bank(_waverec2)
    return transformed(WaveletReconstruction, function, bands, wavelet, _checked_mode(mode))


class _FilterBank(NamedTuple):
    """Low-pass and high-pass taps of both directions; all four filters are equally long."""

    analysis: tuple
    synthesis: tuple

    @property
    def length(self):
        return len(self.analysis[0])


def _with_filter_bank(function):
    """Return a function that takes a wavelet where `function` takes its filter bank."""
    return lambda x, wavelet, *settings: function(x, _filter_bank(wavelet), *settings)


def _wavedec2(x, bank, level, mode):
    details = []
    for _ in range(level):
        x, *detail = _dwt2(x, bank, mode)
        details.append(tuple(detail))
    return [x, *reversed(details)]


def _waverec2(bands, bank, mode):
    x, *levels = bands
    for details in levels:
        x = _idwt2(_matching(Subbands(_trimmed(x, details[0]), *details)), bank, mode)
    return x


def _dwt2(x, bank, mode):
    height, width, channels = tuple(x.shape)[1:]
    is_static = None not in (height, width, channels)
    if bank.length == 2 and is_static and height % 2 == 0 and width * channels <= DENSE_LENGTH:
        return _haar_dwt2(x, bank, mode)
    low, high = _analyse(x, 1, bank, mode)
    approximation, vertical = _analyse(low, 2, bank, mode)
    horizontal, diagonal = _analyse(high, 2, bank, mode)
    return Subbands(approximation, horizontal, vertical, diagonal)


def _haar_dwt2(x, bank, mode):
    """Transform pairs of rows, which are adjacent in memory, with one product for each subband."""
    height, width, channels = x.shape[1:]
    pairs = ops.reshape(x, (-1, 2 * width * channels))
    shape = (-1, height // 2, (width + 1) // 2, channels)
    matrices = _haar_matrices(width, channels, bank, mode)
    return Subbands(*(ops.reshape(pairs @ _as(matrix, x.dtype), shape) for matrix in matrices))


@lru_cache(maxsize=64)
def _haar_matrices(width, channels, bank, mode):
    rows = [np.array([taps[::-1]]) for taps in bank.analysis]
    columns = [np.kron(matrix, np.eye(channels)) for matrix in _static_matrices(width, bank.analysis, mode)]
    return [np.kron(row, column).T for column in columns for row in rows]


def _idwt2(subbands, bank, mode):
    low = _synthesise(subbands.approximation, subbands.vertical, 2, bank, mode)
    high = _synthesise(subbands.horizontal, subbands.diagonal, 2, bank, mode)
    return _synthesise(low, high, 1, bank, mode)


def _analyse(x, axis, bank, mode):
    """Return the low-pass and the high-pass half of `x` along `axis`."""
    size = ops.shape(x)[axis]
    if _is_filtered(x, axis, bank):
        extended = _extended(x, axis, *_margins(size, bank.length, mode), mode)
        return [_filtered(extended, taps, axis, stride=2) for taps in bank.analysis]
    return [_product(matrix, x, axis) for matrix in _matrices(size, bank.analysis, mode, x.dtype)]


def _synthesise(low, high, axis, bank, mode):
    """Return the signal along `axis` that has these low-pass and high-pass halves."""
    count = ops.shape(low)[axis]
    size = _signal_length(count, bank.length, mode)
    if _is_filtered(low, axis, bank):
        return _interleaved(low, high, axis, size, bank, mode)
    adjoints = _synthesis_adjoints(count, bank, mode, low.dtype)
    from_low, from_high = (ops.transpose(_as(adjoint, low.dtype)) for adjoint in adjoints)
    return _product(from_low, low, axis) + _product(from_high, high, axis)


def _synthesis_adjoints(count, bank, mode, dtype):
    """Return the transposed synthesis matrices (count, signal length) of both halves."""
    reversed_taps = tuple(taps[::-1] for taps in bank.synthesis)
    adjoint_mode = mode if mode == "periodization" else "zero"
    return _matrices(_signal_length(count, bank.length, mode), reversed_taps, adjoint_mode, dtype)


def _interleaved(low, high, axis, size, bank, mode):
    """Synthesise a long axis: even taps make the even samples, odd taps make the odd samples."""
    start = 0
    if mode == "periodization":
        margin = bank.length // 4
        start = 2 * margin - bank.length // 2 + 1
        low, high = (_extended(band, axis, margin, margin, "periodic") for band in (low, high))
    filters = list(zip((low, high), bank.synthesis, strict=True))
    phases = [sum(_filtered(band, taps[i::2], axis, stride=1) for band, taps in filters) for i in (0, 1)]
    shape = [-1, *ops.shape(phases[0])[1:]]
    shape[axis] *= 2
    return _slice(ops.reshape(ops.stack(phases, axis + 1), shape), axis, start, start + size)


def _filtered(x, taps, axis, stride):
    """Return ``y[k] = sum_j taps[j] x[stride k + len(taps) - 1 - j]`` along `axis`."""
    last = len(taps) - 1
    terms = [tap * _slice(x, axis, last - j, -j or None, stride) for j, tap in enumerate(taps) if tap]
    return sum(terms[1:], terms[0])


def _extended(x, axis, before, after, mode):
    """Return the long signal `x`, extended by `mode` at both ends."""
    size, reach = x.shape[axis], max(before, after) + 1
    ends = ops.concatenate([_slice(x, axis, 0, reach), _slice(x, axis, -reach, None)], axis)
    columns = np.r_[:reach, size - reach : size]

    def beyond(*positions):
        matrix = _extension(np.arange(*positions), size, mode, np)[:, columns]
        return [_product(matrix, ends, axis)] if len(matrix) else []

    return ops.concatenate([*beyond(-before, 0), x, *beyond(size, size + after)], axis)


def _product(matrix, x, axis):
    """Return `matrix` applied along the height (axis 1) or the width (axis 2)."""
    matrix = _as(matrix, x.dtype)  # @, because ops.matmul rounds float64 to float32 on PyTorch
    if axis == 2:
        return ops.swapaxes(ops.swapaxes(x, 2, 3) @ ops.transpose(matrix), 2, 3)
    height, width, channels = ops.shape(x)[1:]
    rows = matrix @ ops.reshape(x, (-1, height, width * channels))
    return ops.reshape(rows, (-1, ops.shape(matrix)[0], width, channels))


def _matrices(size, filters, mode, dtype):
    """Return the analysis matrices (coefficients, size) of the low-pass and the high-pass filter."""
    if isinstance(size, int):
        return _static_matrices(size, filters, mode)
    return _build_matrices(size, filters, mode, ops, dtype)


@lru_cache(maxsize=256)
def _static_matrices(size, filters, mode):
    return _build_matrices(size, filters, mode, np, "float64")


def _build_matrices(size, filters, mode, xp, dtype):
    before, after = _margins(size, len(filters[0]), mode)
    extension = _extension(xp.arange(-before, size + after), size, mode, xp)
    extension = xp.multiply(extension, xp.ones((), dtype))
    return [_filtered(extension, taps, axis=0, stride=2) for taps in filters]


def _extension(positions, size, mode, xp):
    """Return the integer matrix E (positions, size) with ``extended[positions] = E x``.

    `xp` is NumPy, or `keras.ops` when `size` is a tensor.
    """
    positions, columns, last = positions[:, None], xp.arange(size), size - 1

    def pick(index, weight=1):
        return xp.where(index == columns, weight, 0)

    if mode == "zero":
        return pick(positions)
    if mode == "periodic":
        return pick(positions % size)
    if mode == "periodization":  # an odd signal first repeats its last value
        return pick(xp.minimum(positions % (size + size % 2), last))
    if mode in ("constant", "smooth"):
        inside = xp.clip(positions, 0, last)
        if mode == "constant":
            return pick(inside)
        left, right = xp.minimum(positions, 0), xp.maximum(positions - last, 0)
        slope_left = pick(xp.minimum(1, last), left) - pick(0, left)
        return pick(inside) + slope_left + pick(last, right) - pick(xp.maximum(last - 1, 0), right)
    # Mirrors: half a sample beyond the ends for "symmetric", on the end samples for "reflect".
    half = int("symmetric" in mode)
    laps = positions // (last + half)
    odd, offset = laps % 2, positions % (2 * (last + half))
    mirrored = pick(xp.minimum(offset, 2 * last + half - offset))
    if not mode.startswith("anti"):
        return mirrored
    mirrored = (1 - 2 * odd) * mirrored
    if half:
        return mirrored
    return mirrored + pick(last, odd + laps) + pick(0, odd - laps)  # every lap climbs x[last] - x[0]


def _margins(size, length, mode):
    """Return how many values an analysis needs before and after a signal."""
    offset = length // 2 if mode == "periodization" else 1
    last = offset + 2 * (_coefficient_count(size, length, mode) - 1)
    return length - 1 - offset, last - (size - 1)


def _coefficient_count(size, length, mode):
    if size is None:
        return None
    if isinstance(size, int) and size == 1 and "reflect" in mode:
        raise ValueError(
            f"An axis of a single pixel cannot be mirrored in mode {mode!r}; it needs at least 2."
        )
    return (size + 1) // 2 if mode == "periodization" else (size + length - 1) // 2


def _signal_length(count, length, mode):
    if count is None:
        return None
    size = 2 * count if mode == "periodization" else 2 * count - length + 2
    if isinstance(size, int) and size < 1:
        raise ValueError(f"A filter of {length} taps needs at least {length // 2} coefficients, not {count}.")
    return size


def _is_filtered(x, axis, bank):
    """Return whether to filter `x` in place rather than multiply it by a matrix."""
    # Eager TensorFlow and PyTorch tensors hold values; each tap would be a separate pass over the image.
    is_eager = hasattr(x, "numpy")
    size = x.shape[axis]
    return not is_eager and size is not None and size > max(DENSE_LENGTH, 2 * bank.length)


def _slice(x, axis, start, stop, step=1):
    return x[(slice(None),) * axis + (slice(start, stop, step),)]


def _as(matrix, dtype):
    return ops.convert_to_tensor(matrix, dtype=dtype)


def _trimmed(x, detail):
    """Return `x` without the last row or column that an odd size has added."""
    for axis in (1, 2):
        if None in (x.shape[axis], detail.shape[axis]) or x.shape[axis] == detail.shape[axis] + 1:
            x = _slice(x, axis, 0, ops.shape(detail)[axis])
    return x


def _filter_bank(wavelet):
    wavelet = _checked_wavelet(wavelet)
    return _known_filter_bank(wavelet) if isinstance(wavelet, str) else _FilterBank(wavelet[:2], wavelet[2:])


@cache
def _known_filter_bank(wavelet):
    *analysis, synthesis_low, synthesis_high = map(tuple, pywt.Wavelet(wavelet).filter_bank)
    return _FilterBank(tuple(analysis), (synthesis_low, synthesis_high))


def _checked_wavelet(wavelet):
    """Return the name of a wavelet or its four filters as tuples; a layer can save both."""
    if isinstance(wavelet, pywt.Wavelet):
        bank, name = wavelet.filter_bank, wavelet.name
        wavelet = name if name in WAVELETS and pywt.Wavelet(name).filter_bank == bank else bank
    if isinstance(wavelet, str) and wavelet in WAVELETS:
        return wavelet
    try:
        filters = np.asarray(wavelet, "float64")
    except (TypeError, ValueError):
        filters = np.empty(0)
    if filters.ndim != 2 or len(filters) != 4 or filters.size % 8 or not filters.size:
        raise ValueError(
            "wavelet must be a name in pywt.wavelist(kind='discrete'), a pywt.Wavelet, or its filter_bank of "
            f"four equally long filters of even length, not {wavelet!r}."
        )
    return tuple(map(tuple, filters.tolist()))


def _checked_mode(mode):
    """Return the name of a mode; members of ``pywt.Modes`` are integers."""
    members = {} if isinstance(mode, bool) else {getattr(pywt.Modes, name): name for name in MODES}
    name = members.get(mode, mode) if isinstance(mode, int) else mode
    if not isinstance(name, str) or name not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}.")
    return name


def _checked_level(level, sizes, bank):
    if level is None:
        if None in tuple(sizes):
            raise ValueError(
                "level must be given for images of dynamic size, because its default depends on it."
            )
        return pywt.dwt_max_level(min(sizes), bank.length)
    if isinstance(level, bool) or not isinstance(level, (int, np.integer)) or level < 0:
        raise ValueError(f"level must be an integer of 0 or more, or None, not {level!r}.")
    return int(level)


def _four_bands(subbands):
    """Return ``(cA, (cH, cV, cD))`` flat; anything else as it is."""
    nested = isinstance(subbands, (list, tuple)) and len(subbands) == 2
    if nested and isinstance(subbands[1], (list, tuple)):
        return (subbands[0], *subbands[1])
    return subbands


def _as_bands(bands, names):
    if not isinstance(bands, (list, tuple)) or len(bands) != len(names):
        expected = ", ".join(names)
        raise ValueError(f"Expected {len(names)} coefficient arrays ({expected}), not {_described(bands)}.")
    known = {
        name: as_coefficients(band, name) for name, band in zip(names, bands, strict=True) if band is not None
    }
    if not known:
        raise ValueError(f"At least one of the coefficient arrays {', '.join(names)} must not be None.")
    zeros = partial(ops.zeros_like, next(iter(known.values())))
    return [known[name] if name in known else zeros() for name in names]


def _described(value):
    kind = type(value).__name__
    return f"a {kind} of {len(value)}" if isinstance(value, (list, tuple)) else f"a single {kind}"


def _matching(subbands):
    shapes = [tuple(band.shape) for band in subbands]
    if any(len({size for size in sizes if size is not None}) > 1 for sizes in zip(*shapes, strict=True)):
        raise ValueError(f"The four subbands must have one shape, but the shapes are {shapes}.")
    dtypes = sorted({dtype_of(band) for band in subbands})
    if len(dtypes) > 1:
        raise ValueError(f"The four subbands must have one dtype, but the dtypes are {dtypes}.")
    return subbands


class _WaveletLayer(TransformLayer):
    def __init__(
        self, wavelet: Wavelet = "haar", mode: str | int = "symmetric", more: Any = None, **kwargs: Any
    ) -> None:
        settings = {"wavelet": _checked_wavelet(wavelet), "mode": _checked_mode(mode)}
        super().__init__(settings | (more or {}), **kwargs)
        self.bank = _filter_bank(wavelet)

    def resized(self, shape, length):
        """Return `shape` with `length` (`_coefficient_count` or `_signal_length`) of height and width."""
        batch, *sizes, channels = shape
        mode = self.settings["mode"]
        return (batch, *(length(size, self.bank.length, mode) for size in sizes), channels)


@register
class DWT2(_WaveletLayer):
    """`dwt2` as a layer, from images to `Subbands`."""

    function, output_type = staticmethod(dwt2), Subbands

    def compute_output_shape(self, input_shape: Any) -> Subbands:
        """Return the shapes of the four subbands."""
        return Subbands(*[self.resized(input_shape, _coefficient_count)] * 4)


@register
class IDWT2(_WaveletLayer):
    """`idwt2` as a layer, from four subbands to images."""

    function = staticmethod(idwt2)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return the shape of the images."""
        return self.resized(_four_bands(input_shape)[0], _signal_length)


@register
class WaveletDecomposition(_WaveletLayer):
    """`wavedec2` as a layer, from images to a list of the approximation and the details of every level."""

    function = staticmethod(wavedec2)

    def __init__(
        self,
        wavelet: Wavelet = "haar",
        level: int | None = None,
        mode: str | int = "symmetric",
        **kwargs: Any,
    ) -> None:
        level = None if level is None else _checked_level(level, (), None)
        super().__init__(wavelet, mode, {"level": level}, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> list[Any]:
        """Return the shapes of the approximation and of the details of every level."""
        shape, details = input_shape, []
        for _ in range(_checked_level(self.settings["level"], input_shape[1:3], self.bank)):
            shape = self.resized(shape, _coefficient_count)
            details.append((shape, shape, shape))
        return [shape, *reversed(details)]


@register
class WaveletReconstruction(_WaveletLayer):
    """`waverec2` as a layer, from the list that `WaveletDecomposition` returns to images."""

    function = staticmethod(waverec2)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return the shape of the images."""
        approximation, *details = input_shape
        return self.resized(details[-1][0], _signal_length) if details else approximation
