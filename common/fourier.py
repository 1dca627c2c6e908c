"""The two-dimensional Fourier transform of images, and what builds on it: filters, spectra, undersampling.

Every function takes images ``(batch, height, width, channels)`` in float32 or float64 and works on height
and width. The transform is orthonormal and centred,

    k[u, v] = (height width)^(-1/2)
              sum_yx x[y, x] exp(-2 pi i (y (u - height//2) / height + x (v - width//2) / width)),

which is ``numpy.fft.fftshift(numpy.fft.fft2(x, norm="ortho"))`` of each channel: the zero frequency is at
index ``(height//2, width//2)`` and the origin of the image is its first pixel.

The functions take arrays and tensors, also in a compiled function that does not know their sizes; for a
symbolic `keras.Input` there are the layers at the end.
"""

import math
from functools import lru_cache
from numbers import Integral, Real
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from common.validation import as_images

# Up to this height and width two matrix products are faster than the FFT (measured on two CPU cores).
LARGEST_MATRIX = 64
LARGEST_SIGMA = 100_000  # pixels, of a blur: its kernel is eight times as long


class Spectrum(NamedTuple):
    """A complex tensor as two real ones ``(batch, height, width, channels)``, as `keras.ops` has them."""

    real: Any
    imaginary: Any


# --- Fourier transform -------------------------------------------------------------------------------


def fft2(x):
    """Centred orthonormal Fourier transform over height and width.

    Parameters
    ----------
    x : tensor or Spectrum
        Real images ``(batch, height, width, channels)``, or complex ones as a `Spectrum`.

    Returns
    -------
    Spectrum
        Shape and dtype of `x`; the zero frequency is at ``(height//2, width//2)``.

    Raises
    ------
    ValueError
        Not four axes, empty, not float32 or float64, or NaN or infinity.
    """
    return _transform(_as_spectrum(x) if isinstance(x, Spectrum) else [_as_real(x)], inverse=False)


def ifft2(k):
    """Undo `fft2`: a centred `Spectrum` to complex images; ``ifft2(fft2(images)).real`` is `images`.

    Raises
    ------
    ValueError
        `k` is not a `Spectrum`, or its parts break a rule of `fft2` or differ in shape or dtype.
    """
    return _transform(_as_spectrum(k), inverse=True)


def _transform(parts, inverse):
    height, width = ops.shape(parts[0])[1:3]
    small = _static(height, width) and max(height, width) <= LARGEST_MATRIX
    transform = _matrix_transform if small else _fast_transform
    parts = [ops.transpose(part, (0, 3, 1, 2)) for part in parts]
    return Spectrum(*(ops.transpose(part, (0, 2, 3, 1)) for part in transform(parts, height, width, inverse)))


def _fast_transform(parts, height, width, inverse):
    dtype = parts[0].dtype
    scale = 1 / ops.sqrt(ops.cast(height, dtype) * ops.cast(width, dtype))
    shift = height // 2, width // 2
    if _static(height, width) and height % 2 == width % 2 == 0:
        # Rolling the spectrum by half its size is changing every other sign of the image, which is cheaper.
        scale, shift = scale * _checkerboard(height, width, dtype), (0, 0)
    if inverse:
        # Exchanging real and imaginary part before and after turns the transform into its inverse.
        real, imaginary = (_roll(part, *shift, inverse) for part in parts)
        return [part * scale for part in ops.fft2((imaginary, real))[::-1]]
    real, *rest = [part * scale for part in parts]
    imaginary = rest[0] if rest else ops.zeros_like(real)
    return [_roll(part, *shift, inverse) for part in ops.fft2((real, imaginary))]


def _checkerboard(height, width, dtype):
    signs = 1 - 2 * ((np.arange(height)[:, None] + np.arange(width)) % 2)
    return ops.convert_to_tensor(signs, dtype)


def _roll(x, rows, columns, inverse):
    if _static(rows, columns) and rows == columns == 0:
        return x
    return ops.roll(x, (-rows, -columns) if inverse else (rows, columns), axis=(2, 3))


def _matrix_transform(parts, height, width, inverse):
    left, rights = _dft_matrices(height, width, inverse)
    stacked = ops.concatenate(parts, axis=2) if len(parts) == 2 else parts[0]
    return _separable(left[:, : len(parts) * height], stacked, rights)


@lru_cache
def _dft_matrices(height, width, inverse):
    """Return the complex product ``F_height x F_width^T`` as real matrices for `_separable`.

    The left one takes stacked rows (real, imaginary) to rows that alternate real, imaginary; once such
    pairs are joined, each right one takes columns (real, imaginary) to one part of the result.
    """
    left = _real_form(_dft(height, inverse)).reshape(2, height, 2 * height)
    right = _real_form(_dft(width, inverse)).T
    return left.swapaxes(0, 1).reshape(2 * height, 2 * height), np.split(right, 2, axis=1)


def _dft(size, inverse):
    n = np.arange(size)
    turns = np.outer(n - size // 2, n) % size / size
    matrix = np.exp(-2j * np.pi * turns) / np.sqrt(size)
    return matrix.conj().T if inverse else matrix


def _real_form(matrix):
    return np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])


def _separable(left, x, rights):
    """Return ``left x right`` for every channel of `x` ``(batch, channels, height, width)`` and each right.

    Where a right has m times ``width`` rows, m neighbouring rows of ``left x`` are joined to one.
    """
    _, channels, _, width = ops.shape(x)
    left, *rights = (ops.convert_to_tensor(matrix, dtype=x.dtype) for matrix in (left, *rights))
    joined = ops.shape(rights[0])[0]
    height = ops.shape(left)[0] * width // joined
    # The operator, because ops.matmul computes float64 in float32 on PyTorch (Keras 3.15).
    rows = ops.reshape(left @ x, (-1, joined))
    return [ops.reshape(rows @ right, (-1, channels, height, width)) for right in rights]


# --- spectra as images -------------------------------------------------------------------------------


def as_channels(k, representation="real_imaginary"):
    """Return a spectrum as real images, which a network can read.

    Parameters
    ----------
    k : Spectrum
        ``(batch, height, width, channels)``.
    representation : {"real_imaginary", "magnitude_phase", "log_magnitude", "magnitude"}
        Channels of the result: real, then imaginary parts; ``|k|``, then the phase in radians, in
        [-pi, pi]; ``log(1 + |k|)``; ``|k|``. At ``k = 0`` the phase and all gradients are zero. The phase
        of a float64 spectrum has the accuracy of float32 on JAX and PyTorch.

    Returns
    -------
    tensor
        ``(batch, height, width, 2 channels)`` for the first two, else ``(batch, height, width, channels)``.

    Raises
    ------
    ValueError
        `k` is not a `Spectrum`, or an unknown representation.
    """
    functions, k = _representation(representation), _as_spectrum(k)
    return ops.concatenate([function(k) for function in functions], axis=-1)


def _magnitude(k):
    power = k.real**2 + k.imaginary**2
    # The root has an infinite slope at zero; the gradient there is defined as zero.
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


def radial_spectrum(x):
    """Mean power in rings of equal spatial frequency.

    Ring r holds the frequencies f (cycles per pixel) with ``|f| max(height, width)`` nearest to r; for
    square images that is the radius in cycles per image. Ring 0 is the zero frequency, the last ring the
    corner of the spectrum, and none is empty. Weighted with the number of frequencies in each ring, the
    means sum to the energy of the image.

    Parameters
    ----------
    x : tensor
        Images ``(batch, height, width, channels)``.

    Returns
    -------
    tensor
        ``(batch, rings, channels)``: the mean of ``|fft2(x)|^2`` over each ring.
    """
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

    It is the root of an integer, so no frequency on a boundary is misplaced by rounding. Static sizes are
    computed at once by NumPy, for all backends alike; dynamic ones by keras.ops in the graph.
    """
    xp = np if _static(height, width) else ops
    height, width = xp.array(height, dtype="float64"), xp.array(width, dtype="float64")
    u, v = (xp.arange(-(size // 2), size - size // 2, dtype="float64") for size in (height, width))
    return xp, xp.sqrt((u[:, None] * width) ** 2 + (v * height) ** 2), height, width


# --- filters -----------------------------------------------------------------------------------------


def low_pass(x, cutoff):
    """Keep the frequencies in a disk and remove all others: an orthogonal projection.

    Parameters
    ----------
    x : tensor
        Images ``(batch, height, width, channels)``.
    cutoff : float
        Radius of the disk in units of the Nyquist frequency, which is half a cycle per pixel: the
        frequency f (cycles per pixel) is kept if ``2 |f| <= cutoff``. In (0, sqrt(2)]; sqrt(2) is the
        corner of the spectrum and keeps everything.

    Returns
    -------
    tensor
        Shape and dtype of `x`.

    Raises
    ------
    ValueError
        A rule of `fft2`, or a cutoff out of range.
    """
    cutoff = _checked_cutoff(cutoff)
    k = fft2(x)
    _, distance, height, width = _distances(*ops.shape(k.real)[1:3])
    disk = ops.cast(2 * distance / (height * width) <= cutoff, k.real.dtype)[:, :, None]
    return ifft2(Spectrum(k.real * disk, k.imaginary * disk)).real


def gaussian_blur(x, sigma):
    """Convolve height and width with a Gaussian, the image reflected at its edges (b a | a b c | c b).

    The numbers of ``scipy.ndimage.gaussian_filter(mode="reflect", truncate=4)``: the kernel ends after
    ``int(4 sigma + 0.5)`` pixels, sums to one, and is reflected as often as it leaves the image.

    Parameters
    ----------
    x : tensor
        Images ``(batch, height, width, channels)``.
    sigma : float
        Standard deviation in pixels, from 0 to `LARGEST_SIGMA`.

    Returns
    -------
    tensor
        Shape and dtype of `x`.

    Raises
    ------
    ValueError
        A rule of `fft2`, or a sigma out of range.
    """
    sigma, x = _checked_sigma(sigma), _as_real(x)
    rows, columns = (_blur_matrix(size, sigma) for size in ops.shape(x)[1:3])
    (blurred,) = _separable(rows, ops.transpose(x, (0, 3, 1, 2)), [columns])
    return ops.transpose(blurred, (0, 2, 3, 1))


def _blur_matrix(size, sigma):
    """Return the symmetric matrix of the Gaussian on `size` pixels with reflected edges.

    The reflected signal has period ``2 size`` and shows pixel j at j and at -1 - j. With the kernel wrapped
    to that period, pixel i of the result weights pixel j by ``wrapped[j - i] + wrapped[-1 - j - i]``.
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


def undersample(k, acceleration, centre_fraction, seed):
    """Keep random columns of a spectrum and all of its centre: Cartesian MRI with random phase encoding.

    The centre is ``round(centre_fraction width)`` columns wide; the other columns are kept independently,
    with the one probability that lets ``width / acceleration`` columns be expected in all. This is the
    scheme of `RandomMaskFunc` in fastMRI (Zbontar et al. 2018, arXiv:1811.08839), with other random numbers.

    Parameters
    ----------
    k : Spectrum
        Centred, ``(batch, height, width, channels)``; the width must be static.
    acceleration : float
        At least 1; 1 keeps everything.
    centre_fraction : float
        Share of the columns in the centre, in [0, 1] and no more than the acceleration allows.
    seed : int
        Seed of `numpy.random.default_rng`; the same seed and width give the same columns everywhere.

    Returns
    -------
    Spectrum
        `k` with zeros in the columns left out.
    mask : numpy.ndarray
        ``(width,)`` of bool, true for the columns kept.

    Raises
    ------
    ValueError
        `k` is not a `Spectrum`, a dynamic width, or a number out of range.
    """
    k = _as_spectrum(k)
    mask = _column_mask(ops.shape(k.real)[2], acceleration, centre_fraction, seed)
    kept = ops.convert_to_tensor(mask[:, None], dtype=k.real.dtype)
    return Spectrum(k.real * kept, k.imaginary * kept), mask


def _column_mask(width, acceleration, centre_fraction, seed):
    if not _static(width):
        raise ValueError("undersample draws its columns in advance: the width must be static, not dynamic.")
    _checked(acceleration, "acceleration", "a number of at least 1", lambda a: 1 <= a < math.inf)
    _checked(centre_fraction, "centre_fraction", "a number in [0, 1]", lambda f: 0 <= f <= 1)
    _checked(seed, "seed", "an integer of at least 0", lambda s: isinstance(s, Integral) and s >= 0)
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


def _as_real(x, name="images"):
    if isinstance(x, keras.KerasTensor):
        raise ValueError(f"{name} must be an array or a tensor, not a keras.Input; use a layer for that.")
    x = as_images(x, name)
    dtype = keras.backend.standardize_dtype(x.dtype)
    if dtype not in ("float32", "float64"):
        raise ValueError(f"{name} must be float32 or float64, but the dtype is {dtype}; convert it first.")
    return x


def _as_spectrum(k):
    if not isinstance(k, Spectrum):
        raise ValueError(f"k must be a Spectrum(real, imaginary), but it is a {type(k).__name__}.")
    k = Spectrum(_as_real(k.real, "k.real"), _as_real(k.imaginary, "k.imaginary"))
    if tuple(k.real.shape) != tuple(k.imaginary.shape) or k.real.dtype != k.imaginary.dtype:
        kinds = " and ".join(f"{tuple(part.shape)} {part.dtype}" for part in k)
        raise ValueError(f"k.real and k.imaginary must agree in shape and dtype, but are {kinds}.")
    return k


def _representation(name):
    if name not in _REPRESENTATIONS:
        raise ValueError(f"representation must be one of {', '.join(_REPRESENTATIONS)}, but it is {name!r}.")
    return _REPRESENTATIONS[name]


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


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class FourierChannels(keras.layers.Layer):
    """Layer for ``as_channels(fft2(images), representation)``; see `as_channels`."""

    def __init__(self, representation="real_imaginary", **kwargs):
        super().__init__(**kwargs)
        self.parts = len(_representation(representation))
        self.representation = representation

    def call(self, images):
        """Return the spectra of images ``(batch, height, width, channels)`` as channels."""
        return as_channels(fft2(images), self.representation)

    def compute_output_shape(self, input_shape):
        """Return ``(batch, height, width, channels or 2 channels)``."""
        *sizes, channels = input_shape
        return (*sizes, channels and channels * self.parts)

    def get_config(self):
        """Return the constructor arguments."""
        return {**super().get_config(), "representation": self.representation}


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class RadialSpectrum(keras.layers.Layer):
    """Layer for ``radial_spectrum(images)``; see `radial_spectrum`."""

    def call(self, images):
        """Return the mean power in each ring of images ``(batch, height, width, channels)``."""
        return radial_spectrum(images)

    def compute_output_shape(self, input_shape):
        """Return ``(batch, rings, channels)``."""
        batch, height, width, channels = input_shape
        return (batch, int(_rings(height, width)[1]) if _static(height, width) else None, channels)


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class LowPass(keras.layers.Layer):
    """Layer for ``low_pass(images, cutoff)``; see `low_pass`."""

    def __init__(self, cutoff, **kwargs):
        super().__init__(**kwargs)
        self.cutoff = _checked_cutoff(cutoff)

    def call(self, images):
        """Return images ``(batch, height, width, channels)`` without the frequencies above the cutoff."""
        return low_pass(images, self.cutoff)

    def compute_output_shape(self, input_shape):
        """Return the shape of the input."""
        return input_shape

    def get_config(self):
        """Return the constructor arguments."""
        return {**super().get_config(), "cutoff": self.cutoff}


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class GaussianBlur(keras.layers.Layer):
    """Layer for ``gaussian_blur(images, sigma)``; see `gaussian_blur`."""

    def __init__(self, sigma, **kwargs):
        super().__init__(**kwargs)
        self.sigma = _checked_sigma(sigma)

    def call(self, images):
        """Return blurred images ``(batch, height, width, channels)``."""
        return gaussian_blur(images, self.sigma)

    def compute_output_shape(self, input_shape):
        """Return the shape of the input."""
        return input_shape

    def get_config(self):
        """Return the constructor arguments."""
        return {**super().get_config(), "sigma": self.sigma}
