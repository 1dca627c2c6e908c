"""The two-dimensional Fourier transform of images, with filters, spectra and undersampling built on it.

Every function takes images ``(batch, height, width, channels)`` of any range and transforms height and width.
The transform is orthonormal and centred,

    k[u, v] = (height width)^(-1/2)
              sum_yx x[y, x] exp(-2 pi i (y (u - height//2) / height + x (v - width//2) / width)),

which is ``numpy.fft.fftshift(numpy.fft.fft2(x, norm="ortho"))`` of each channel: the zero frequency is at
index ``(height//2, width//2)`` and the origin of the image is its first pixel. With ``origin="centre"`` it is
the pixel ``(height//2, width//2)``, as in `fft2c` of fastMRI (Zbontar et al. 2018, arXiv:1811.08839).

The functions take arrays and tensors, whose sizes may be unknown in a compiled function. A symbolic
`keras.KerasTensor` adds a layer to the model. 16-bit values are transformed in float32.
"""

import math
from functools import lru_cache, partial
from numbers import Real
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from common.names import look_up
from common.transform import TransformLayer, register, transformed
from common.validation import Tensor, as_images, check_seed, dtype_of

# Up to this height and width two matrix products are faster than the FFT (measured on two CPU cores).
LARGEST_MATRIX = 64
LARGEST_SIGMA = 100_000  # pixels; the kernel of a blur is eight times as long


class Spectrum(NamedTuple):
    """A complex tensor as two real ones ``(batch, height, width, channels)``, as `keras.ops` has them."""

    real: Tensor
    imaginary: Tensor


# --- Fourier transform -------------------------------------------------------------------------------


def fft2(x: ArrayLike | Tensor | Spectrum, origin: str = "corner") -> Spectrum:
    """Return the centred orthonormal Fourier transform over height and width.

    Parameters
    ----------
    x : array, tensor or Spectrum
        Images ``(batch, height, width, channels)``: real, complex, or a `Spectrum` of two real parts.
    origin : {"corner", "centre"}
        The pixel at position zero: the first one, or ``(height//2, width//2)`` as in fastMRI.

    Returns
    -------
    Spectrum
        Two parts of the shape and dtype of `x`; the zero frequency is at ``(height//2, width//2)``.

    Raises
    ------
    ValueError
        Images without four axes, empty, channels first, neither floating nor complex, or with NaN or
        infinity; an unknown origin.

    Examples
    --------
    >>> k = fft2(np.ones((1, 4, 4, 1)))
    >>> np.asarray(k.real)[0, :, :, 0].round().astype(int).tolist()
    [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 4, 0], [0, 0, 0, 0]]
    """
    is_complex = isinstance(x, Spectrum) or _is_complex(x)
    x = _as_spectrum(x, "images") if is_complex else as_images(x)
    return transformed(FFT2, partial(_transform, inverse=False), x, _checked_origin(origin))


def ifft2(k: Tensor | Spectrum, origin: str = "corner") -> Spectrum:
    """Return the complex images of a centred spectrum; the inverse of `fft2` with the same `origin`.

    Parameters
    ----------
    k : Spectrum or complex array, ``(batch, height, width, channels)``
        The zero frequency is at ``(height//2, width//2)``.
    origin : {"corner", "centre"}
        As in `fft2`.

    Returns
    -------
    Spectrum
        Complex images; for ``k = fft2(images)`` their `real` part is `images`.

    Raises
    ------
    ValueError
        `k` is neither a `Spectrum` nor complex, `fft2` would refuse its parts, or the parts differ in shape
        or dtype.

    Examples
    --------
    >>> image = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> bool(np.allclose(ifft2(fft2(image)).real, image))
    True
    """
    return transformed(IFFT2, partial(_transform, inverse=True), _as_spectrum(k), _checked_origin(origin))


def _transform(x, origin, inverse):
    parts = x if isinstance(x, Spectrum) else [x]
    height, width = ops.shape(parts[0])[1:3]
    transform = _fast_transform
    if _static(height, width) and max(height, width) <= LARGEST_MATRIX:
        transform = _matrix_transform
    elif _static(height, width) and height % 2 == width % 2 == 0:
        transform = _even_transform
    return Spectrum(*transform(parts, height, width, origin, inverse))


def _planes(x):
    return ops.transpose(x, (0, 3, 1, 2))


def _channels_last(x):
    return ops.transpose(x, (0, 2, 3, 1))


def _fast_transform(parts, height, width, origin, inverse):
    dtype = parts[0].dtype
    scale = 1 / ops.sqrt(ops.cast(height, dtype) * ops.cast(width, dtype))
    middle = height // 2, width // 2
    image_shift = middle if origin == "centre" else (0, 0)
    before, after = (middle, image_shift) if inverse else (image_shift, middle)
    parts = [_roll(part * scale, *before, inverse=True) for part in parts]
    parts = _fft([_planes(part) for part in parts], inverse)
    return [_roll(_channels_last(part), *after, inverse=False) for part in parts]


def _even_transform(parts, height, width, origin, inverse):
    """Transform images of even sizes with changes of sign instead of rolls by half a size.

    Rolling on one side of the transform changes every other sign on the other side. Changing signs is cheaper
    and keeps the transform of a real image symmetric.
    """
    signs = 1 - 2 * ((np.arange(height)[:, None] + np.arange(width)) % 2)
    of_image, of_spectrum = signs, signs * signs[height // 2, width // 2] if origin == "centre" else None
    before, after = (of_spectrum, of_image) if inverse else (of_image, of_spectrum)
    scale = 1 / math.sqrt(height * width)
    factor = _constant(scale if before is None else scale * before, parts[0])
    planes = [_planes(part) * factor for part in parts]
    if len(planes) == 1 and keras.backend.backend() == "tensorflow":
        return _fft_of_real(planes[0], after)
    planes = _fft(planes, inverse)
    if after is not None:
        planes = [part * _constant(after, part) for part in planes]
    return [_channels_last(part) for part in planes]


def _fft(parts, inverse):
    """Return both parts of the discrete Fourier transform; the inverse is not divided by the pixel count."""
    real, imaginary = parts if len(parts) == 2 else (parts[0], ops.zeros_like(parts[0]))
    if inverse:
        # Exchanging real and imaginary part before and after turns the transform into its inverse.
        return ops.fft2((imaginary, real))[::-1]
    return ops.fft2((real, imaginary))


def _fft_of_real(planes, signs):
    """Return both parts of the transform of real even-sized planes, times signs; compute half the columns."""
    import tensorflow as tf

    height, width = planes.shape[2:]
    half = tf.signal.rfft2d(planes)
    if signs is not None:
        half *= tf.constant(signs[:, : width // 2 + 1], half.dtype)
    half = _channels_last(half)
    # F(-u, -v) is the conjugate of F(u, v).
    rows, columns = -np.arange(height) % height, np.arange(width // 2 - 1, 0, -1)
    mirrored = tf.gather(tf.gather(half, columns, axis=2), rows, axis=1)
    return [
        tf.concat([tf.math.real(half), tf.math.real(mirrored)], 2),
        tf.concat([tf.math.imag(half), -tf.math.imag(mirrored)], 2),
    ]


def _constant(values, like):
    return ops.convert_to_tensor(values, like.dtype)


def _roll(x, rows, columns, inverse):
    if _static(rows, columns) and rows == columns == 0:
        return x
    return ops.roll(x, (-rows, -columns) if inverse else (rows, columns), axis=(1, 2))


def _matrix_transform(parts, height, width, origin, inverse):
    left, rights = _dft_matrices(height, width, origin, inverse)
    stacked = ops.concatenate(parts, axis=1) if len(parts) == 2 else parts[0]
    return _separable(left[:, : len(parts) * height], stacked, rights)


@lru_cache
def _dft_matrices(height, width, origin, inverse):
    """Return the complex product ``F_height x F_width^T`` as real matrices for `_separable`.

    The left matrix maps stacked rows (real, imaginary) to rows that alternate real, imaginary. After such
    pairs are joined, each right matrix maps columns (real, imaginary) to one part of the result.
    """
    left = _real_form(_dft(height, origin, inverse)).reshape(2, height, 2 * height)
    right = _real_form(_dft(width, origin, inverse)).T
    return left.swapaxes(0, 1).reshape(2 * height, 2 * height), np.split(right, 2, axis=1)


def _dft(size, origin, inverse):
    n = np.arange(size)
    first = size // 2 if origin == "centre" else 0
    turns = np.outer(n - size // 2, n - first) % size / size
    matrix = np.exp(-2j * np.pi * turns) / np.sqrt(size)
    return matrix.conj().T if inverse else matrix


def _real_form(matrix):
    return np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])


def _separable(left, x, rights):
    """Return ``left x right`` for each right matrix and each channel of ``(batch, height, width, channels)``.

    If the right matrices have m times ``width`` rows, m neighbouring rows of ``left x`` are joined.
    """
    _, _, width, channels = ops.shape(x)
    left, *rights = (ops.convert_to_tensor(matrix, dtype=x.dtype) for matrix in (left, *rights))
    joined = ops.shape(rights[0])[0]
    height = ops.shape(left)[0] * width // joined
    # We use @ because ops.matmul computes float64 in float32 on PyTorch (Keras 3.15).
    rows = ops.reshape(left @ _planes(x), (-1, joined))
    products = [ops.reshape(rows @ right, (-1, channels, height, width)) for right in rights]
    return [_channels_last(product) for product in products]


# --- spectra as images -------------------------------------------------------------------------------


def as_channels(k: Tensor | Spectrum, representation: str = "real_imaginary") -> Tensor:
    """Return a spectrum as real images, the input of a network.

    Parameters
    ----------
    k : Spectrum or complex array, ``(batch, height, width, channels)``
    representation : {"real_imaginary", "magnitude_phase", "log_magnitude", "magnitude"}
        Channels of the result, in this order: real and imaginary parts; ``|k|`` and the phase in [-pi, pi]
        radians; ``log(1 + |k|)``; ``|k|``. At ``k = 0`` the phase and all gradients are zero. On JAX and
        PyTorch the phase of a float64 spectrum has float32 accuracy.

    Returns
    -------
    tensor
        ``(batch, height, width, 2 channels)`` for the first two representations, else
        ``(batch, height, width, channels)``.

    Raises
    ------
    ValueError
        `k` is neither a `Spectrum` nor complex, or the representation is unknown.

    Examples
    --------
    >>> k = np.array([3 + 4j, -1j]).reshape(1, 1, 2, 1)
    >>> np.asarray(as_channels(k, "magnitude_phase"))[0, 0].round(2).tolist()
    [[5.0, 0.93], [1.0, -1.57]]
    """
    look_up("representation", representation, _REPRESENTATIONS)
    return transformed(SpectrumChannels, _as_channels, _as_spectrum(k), representation)


def _as_channels(k, representation):
    return ops.concatenate([part(k) for part in _REPRESENTATIONS[representation]], axis=-1)


def _magnitude(k):
    power = k.real**2 + k.imaginary**2
    # The root has an infinite slope at zero, where we define the gradient as zero.
    root = ops.sqrt(ops.where(power > 0, power, ops.ones_like(power)))
    return ops.where(power > 0, root, ops.zeros_like(power))


def _phase(k):
    zero = ops.logical_and(k.real == 0, k.imaginary == 0)
    real = ops.where(zero, ops.ones_like(k.real), k.real)
    imaginary = ops.where(zero, ops.zeros_like(k.real), k.imaginary)
    # ops.arctan2 computes float64 in float32 on JAX and PyTorch (Keras 3.15).
    return ops.cast(ops.arctan2(imaginary, real), k.real.dtype)


_REPRESENTATIONS = {
    "real_imaginary": (lambda k: k.real, lambda k: k.imaginary),
    "magnitude_phase": (_magnitude, _phase),
    "log_magnitude": (lambda k: ops.log1p(_magnitude(k)),),
    "magnitude": (_magnitude,),
}


def radial_spectrum(x: ArrayLike | Tensor) -> Tensor:
    """Return the mean power in rings of equal spatial frequency.

    Ring r holds the frequencies f (cycles per pixel) whose ``|f| max(height, width)`` is nearest to r; for
    square images r is the radius in cycles per image. Ring 0 is the zero frequency, the last ring is the
    corner of the spectrum, and no ring is empty. The means, weighted by the number of frequencies in each
    ring, sum to the energy of the image.

    Parameters
    ----------
    x : array or tensor, ``(batch, height, width, channels)``

    Returns
    -------
    tensor, ``(batch, rings, channels)``
        The mean of ``|fft2(x)|^2`` over each ring.

    Raises
    ------
    ValueError
        `fft2` would refuse the images, or the power of float16 images exceeds 65,504.

    Examples
    --------
    >>> np.asarray(radial_spectrum(np.ones((1, 4, 4, 1))))[0, :, 0].round(6).tolist()
    [16.0, 0.0, 0.0, 0.0]
    """
    return transformed(RadialSpectrum, _radial_spectrum, as_images(x))


def _radial_spectrum(x):
    k = fft2(x)
    rings, number = _rings(*ops.shape(k.real)[1:3])
    power = ops.transpose(k.real**2 + k.imaginary**2, (1, 2, 0, 3))
    batch, channels = ops.shape(power)[2:]
    power = ops.reshape(power, (-1, batch * channels))
    means = _sums(power, rings, number) / _sums(ops.ones_like(power[:, :1]), rings, number)
    return ops.transpose(ops.reshape(means, (number, batch, channels)), (1, 0, 2))


def _sums(values, rings, number):
    zeros = ops.zeros((number, ops.shape(values)[1]), dtype=values.dtype)
    return ops.scatter_update(zeros, rings[:, None], values, reduction="add")


def _rings(height, width):
    """Return the ring of each frequency as a flat integer array, and the number of rings."""
    xp, distance, height, width = _distances(height, width)
    rings = xp.array(xp.floor(distance / xp.minimum(height, width) + 0.5), dtype="int32")
    return xp.reshape(rings, (-1,)), xp.max(rings) + 1


def _distances(height, width):
    """Return ``height width |f|`` for every frequency f (cycles per pixel), with height and width as floats.

    Each value is the root of an integer, so rounding misplaces no frequency on a boundary. NumPy computes
    static sizes, identically for all backends; keras.ops computes dynamic sizes in the graph.
    """
    xp = np if _static(height, width) else ops
    height, width = xp.array(height, dtype="float64"), xp.array(width, dtype="float64")
    u, v = (xp.arange(-(size // 2), size - size // 2, dtype="float64") for size in (height, width))
    return xp, xp.sqrt((u[:, None] * width) ** 2 + (v * height) ** 2), height, width


# --- filters -----------------------------------------------------------------------------------------


def low_pass(x: ArrayLike | Tensor, cutoff: float) -> Tensor:
    """Keep the frequencies in a disk and remove all others; this is an orthogonal projection.

    Parameters
    ----------
    x : array or tensor, ``(batch, height, width, channels)``
    cutoff : float
        Radius of the disk in units of the Nyquist frequency, which is half a cycle per pixel: the
        frequency f (cycles per pixel) is kept if ``2 |f| <= cutoff``. In (0, sqrt(2)]; sqrt(2) is the
        corner of the spectrum and keeps everything.

    Returns
    -------
    tensor of the shape and dtype of `x`

    Raises
    ------
    ValueError
        `fft2` would refuse the images, or the cutoff is out of range.

    Examples
    --------
    >>> image = np.array([1.0, 3.0, 1.0, 3.0]).reshape(1, 1, 4, 1)
    >>> np.asarray(low_pass(image, 0.9)).ravel().round(6).tolist()
    [2.0, 2.0, 2.0, 2.0]
    """
    return transformed(LowPass, _low_pass, as_images(x), _checked_cutoff(cutoff))


def _low_pass(x, cutoff):
    k = fft2(x)
    _, distance, height, width = _distances(*ops.shape(k.real)[1:3])
    disk = ops.cast(2 * distance / (height * width) <= cutoff, k.real.dtype)[:, :, None]
    return ifft2(Spectrum(k.real * disk, k.imaginary * disk)).real


def gaussian_blur(x: ArrayLike | Tensor, sigma: float) -> Tensor:
    """Convolve height and width with a Gaussian; the edges reflect the image (b a | a b c | c b).

    The numbers are those of ``scipy.ndimage.gaussian_filter(mode="reflect", truncate=4)``. The kernel has
    the radius ``int(4 sigma + 0.5)`` pixels, sums to one, and may be longer than the image.

    Parameters
    ----------
    x : array or tensor, ``(batch, height, width, channels)``
    sigma : float
        Standard deviation in pixels, from 0 to `LARGEST_SIGMA`.

    Returns
    -------
    tensor of the shape and dtype of `x`

    Raises
    ------
    ValueError
        `fft2` would refuse the images, or sigma is out of range.

    Examples
    --------
    >>> image = np.array([0.0, 0.0, 1.0, 0.0, 0.0]).reshape(1, 1, 5, 1)
    >>> np.asarray(gaussian_blur(image, 0.5)).ravel().round(3).tolist()
    [0.0, 0.106, 0.787, 0.106, 0.0]
    """
    return transformed(GaussianBlur, _gaussian_blur, as_images(x), _checked_sigma(sigma))


def _gaussian_blur(x, sigma):
    rows, columns = (_blur_matrix(size, sigma) for size in ops.shape(x)[1:3])
    return _separable(rows, x, [columns])[0]


def _blur_matrix(size, sigma):
    """Return the symmetric matrix of the Gaussian on `size` pixels with reflected edges.

    The reflected signal has the period ``2 size`` and shows pixel j at j and at -1 - j. With the kernel
    wrapped to this period, pixel i of the result weights pixel j by
    ``wrapped[j - i] + wrapped[-1 - j - i]``.
    """
    xp = np if _static(size) else ops
    radius = int(4 * sigma + 0.5)
    taps = np.arange(-radius, radius + 1, dtype="int32")
    kernel = np.exp(-0.5 * (taps / sigma) ** 2) if radius else np.ones(1)
    period, n = 2 * size, xp.arange(size)
    wrapped = xp.bincount(xp.mod(taps, period), weights=kernel / kernel.sum(), minlength=period)
    i, j = n[:, None], n
    return xp.take(wrapped, xp.mod(j - i, period)) + xp.take(wrapped, xp.mod(-1 - j - i, period))


# --- undersampling -----------------------------------------------------------------------------------


def undersample(
    k: Tensor | Spectrum, acceleration: float, centre_fraction: float, seed: int
) -> tuple[Spectrum, np.ndarray]:
    """Keep the central and random other columns of a spectrum: Cartesian MRI with random phase encoding.

    The centre is ``round(centre_fraction width)`` columns wide. Every other column is kept independently with
    one probability, chosen so that ``width / acceleration`` columns remain on average. This is the scheme of
    `RandomMaskFunc` in fastMRI (Zbontar et al. 2018, arXiv:1811.08839) with other random numbers.

    Parameters
    ----------
    k : Spectrum or complex array, ``(batch, height, width, channels)``
        Centred, of static width.
    acceleration : float
        At least 1, which keeps everything.
    centre_fraction : float
        Share of the columns in the centre, in [0, 1] and at most ``1 / acceleration``.
    seed : int
        Seed of `numpy.random.default_rng`; the same seed and width give the same columns everywhere.

    Returns
    -------
    Spectrum
        `k` with zeros in the removed columns.
    mask : numpy.ndarray
        ``(width,)`` of bool, true for the kept columns.

    Raises
    ------
    ValueError
        `k` is neither a `Spectrum` nor complex, its width is dynamic, or a number is out of range.

    Examples
    --------
    >>> k = np.ones((1, 1, 8, 1), "complex64")
    >>> undersample(k, acceleration=2, centre_fraction=0.25, seed=0)[1].astype(int).tolist()
    [0, 1, 1, 1, 1, 0, 0, 0]
    """
    k = _as_spectrum(k)
    mask = _column_mask(ops.shape(k.real)[2], acceleration, centre_fraction, seed)
    kept = ops.convert_to_tensor(mask[:, None], dtype=k.real.dtype)
    return Spectrum(k.real * kept, k.imaginary * kept), mask


def _column_mask(width, acceleration, centre_fraction, seed):
    if not _static(width):
        raise ValueError("The width must be static, because undersample draws its columns in advance.")
    _checked(acceleration, "acceleration", "a number of at least 1", lambda a: 1 <= a < math.inf)
    _checked(centre_fraction, "centre_fraction", "a number in [0, 1]", lambda f: 0 <= f <= 1)
    check_seed(seed)
    centre, allowed = round(centre_fraction * width), width / acceleration
    if centre > allowed:
        raise ValueError(
            f"centre_fraction {centre_fraction} keeps {centre} of {width} columns, but acceleration "
            f"{acceleration} allows {allowed:g}; lower one of the two."
        )
    mask = np.random.default_rng(seed).random(width) * (width - centre) < allowed - centre
    start = (width - centre + 1) // 2
    mask[start : start + centre] = True
    return mask


# --- checks ------------------------------------------------------------------------------------------


def _is_complex(x):
    return hasattr(x, "dtype") and dtype_of(x).startswith("complex")


def _as_spectrum(k, name="k"):
    if _is_complex(k):
        k = Spectrum(k.real, k.imag) if isinstance(k, np.ndarray) else Spectrum(ops.real(k), ops.imag(k))
    if not isinstance(k, Spectrum):
        raise ValueError(
            f"{name} must be a Spectrum(real, imaginary) or a complex array, but it is a {type(k).__name__}."
        )
    k = Spectrum(as_images(k.real, f"{name}.real"), as_images(k.imaginary, f"{name}.imaginary"))
    kinds = [f"{tuple(part.shape)} {dtype_of(part)}" for part in k]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"{name}.real and {name}.imaginary must agree in shape and dtype, but are {' and '.join(kinds)}."
        )
    return k


def _checked_origin(origin):
    if origin not in ("corner", "centre"):
        raise ValueError(f"origin must be 'corner' or 'centre', but it is {origin!r}.")
    return origin


def _checked_cutoff(cutoff):
    return _checked(cutoff, "cutoff", "a number in (0, sqrt(2)]", lambda c: 0 < c <= math.sqrt(2))


def _checked_sigma(sigma):
    return _checked(
        sigma, "sigma", f"a number from 0 to {LARGEST_SIGMA:,}", lambda s: 0 <= s <= LARGEST_SIGMA
    )


def _checked(value, name, accepted, valid):
    if isinstance(value, bool) or not isinstance(value, Real) or not valid(value):
        raise ValueError(f"{name} must be {accepted}, but it is {value!r}.")
    return float(value)


def _static(*sizes):
    return all(isinstance(size, int) for size in sizes)


# --- layers ------------------------------------------------------------------------------------------


class _SpectrumLayer(TransformLayer):
    """The settings of the transform and of its inverse."""

    input_type = output_type = Spectrum

    def __init__(self, origin: str = "corner", **kwargs: Any) -> None:
        super().__init__({"origin": _checked_origin(origin)}, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Spectrum:
        """Return the shape of both parts, which is the shape of the input."""
        shape = input_shape[0] if isinstance(input_shape[0], (tuple, list)) else input_shape
        return Spectrum(shape, shape)


@register
class FFT2(_SpectrumLayer):
    """`fft2` as a layer, from real images or a `Spectrum` to a `Spectrum`."""

    function = staticmethod(fft2)


@register
class IFFT2(_SpectrumLayer):
    """`ifft2` as a layer, from a `Spectrum` to complex images, also a `Spectrum`."""

    function = staticmethod(ifft2)


class _ChannelsLayer(TransformLayer):
    def __init__(self, representation: str = "real_imaginary", **kwargs: Any) -> None:
        super().__init__({"representation": representation}, **kwargs)
        self.parts = len(look_up("representation", representation, _REPRESENTATIONS))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return ``(batch, height, width, channels or 2 channels)``."""
        *sizes, channels = input_shape[0] if self.input_type else input_shape
        return (*sizes, channels and channels * self.parts)


@register
class SpectrumChannels(_ChannelsLayer):
    """`as_channels` as a layer, from a `Spectrum` to real images."""

    function, input_type = staticmethod(as_channels), Spectrum


@register
class FourierChannels(_ChannelsLayer):
    """``as_channels(fft2(images), representation)`` as a layer."""

    @staticmethod
    def function(images: Tensor, representation: str) -> Tensor:
        """Return the spectra of images ``(batch, height, width, channels)`` as channels."""
        return as_channels(fft2(images), representation)


@register
class RadialSpectrum(TransformLayer):
    """`radial_spectrum` as a layer."""

    function = staticmethod(radial_spectrum)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({}, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return ``(batch, rings, channels)``."""
        batch, height, width, channels = input_shape
        return (batch, int(_rings(height, width)[1]) if _static(height, width) else None, channels)


@register
class LowPass(TransformLayer):
    """`low_pass` as a layer."""

    function = staticmethod(low_pass)

    def __init__(self, cutoff: float, **kwargs: Any) -> None:
        super().__init__({"cutoff": _checked_cutoff(cutoff)}, **kwargs)


@register
class GaussianBlur(TransformLayer):
    """`gaussian_blur` as a layer."""

    function = staticmethod(gaussian_blur)

    def __init__(self, sigma: float, **kwargs: Any) -> None:
        super().__init__({"sigma": _checked_sigma(sigma)}, **kwargs)
