"""Simulated acquisition: what CT or MRI would record of an image.

A measurement that is simulated with the operator that later reconstructs it makes every reconstruction look
better than it is: the inverse crime (Colton & Kress 1998, "Inverse Acoustic and Electromagnetic Scattering
Theory", Springer). So nothing here is shared with `common.radon` and `common.fourier`. The object is the
image, interpolated linearly onto a grid `FINENESS` times finer, each square of which has one value. A
detector records the exact integral of these squares over a strip as wide as itself, where the reconstruction
thinks of bilinear samples on a line. K-space is the Fourier sum over the fine grid: the discrete transform
times a window, which falls to 0.4 at the highest frequency of an axis, if the border of the image is empty.
What this leaves out is detail finer than a pixel, which images of 28 x 28 pixels do not have to offer.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.ndimage import zoom

FINENESS = 4
ATTENUATION = 0.1  # of X-rays, per pixel of value 1
THINNEST = 1e-4  # shadow of a side of a pixel, in units of the side


def projections(images: np.ndarray, angles: Sequence[float], shift: float = 0.0) -> np.ndarray:
    """Return the integrals of images over strips one pixel wide.

    Parameters
    ----------
    images : array, ``(n, size, size, channels)``
    angles : sequence of float
        In degrees.
    shift : float
        How far the detector is displaced, in pixels: detector k covers the place of detector ``k + shift``.

    Returns
    -------
    numpy.ndarray, ``(n, detector, angle, channels)``
        Floating point, in pixel values times pixels. The geometry is that of `common.radon.radon` with
        ``circle=False``: as many detectors, and without a shift the rotation centre on detector
        ``detectors // 2``.

    Raises
    ------
    ValueError
        Images of another shape, or images, angles or a shift that are not finite.
    """
    count, size, channels = _checked(images)
    if not np.isfinite([*angles, shift]).all():
        raise ValueError("angles and shift must be finite.")
    matrix = _strip_integrals(size, tuple(angles), shift)
    flat = np.moveaxis(images, -1, 1).reshape(count * channels, size * size)
    sinograms = flat @ matrix.reshape(-1, size * size).T.astype(np.result_type(images, "float32"))
    return np.moveaxis(sinograms.reshape(count, channels, *matrix.shape[:2]), 1, -1)


def photon_counts(
    sinograms: np.ndarray, photons: float, attenuation: float, seed: int | Sequence[int]
) -> np.ndarray:
    """Return how many of the photons that each ray sends through an object arrive.

    Parameters
    ----------
    sinograms : array of any shape
        Integrals along the rays, in pixel values times pixels.
    photons : float
        Sent along each ray, above 0.
    attenuation : float
        Per pixel of value 1, above 0.
    seed : int or sequence of int

    Returns
    -------
    numpy.ndarray, same shape, float32
        Whole numbers with a Poisson distribution of the mean ``photons * exp(-attenuation * sinogram)``
        (Beer-Lambert law).

    Raises
    ------
    ValueError
        Photons or attenuation that are not positive numbers.
    """
    for name, value in {"photons": photons, "attenuation": attenuation}.items():
        if not 0 < value < np.inf:
            raise ValueError(f"{name} must be a positive number, not {value!r}.")
    arriving = photons * np.exp(-attenuation * sinograms.astype("float64"))
    return np.random.default_rng(seed).poisson(arriving).astype("float32")


def anscombe(counts: np.ndarray) -> np.ndarray:
    """Return ``2 sqrt(n + 3/8)`` of counts n of any shape, which makes their variance about 1.

    The variance of a Poisson number with a mean above 5 then lies within 0.03 of 1 (Anscombe 1948,
    Biometrika 35, 246-254). Raises ValueError for counts below 0.
    """
    if not counts.min(initial=0) >= 0:
        raise ValueError(f"counts must be at least 0, but the least is {counts.min()}.")
    return 2 * np.sqrt(counts + np.float32(3 / 8))


def smooth_phase(
    count: int, size: int, seed: int | Sequence[int], order: int = 2, strength: float = 1.0
) -> np.ndarray:
    """Return smooth random phases, such as magnetic resonance gives to images.

    Parameters
    ----------
    count, size : int
        Number of phases, and their side in pixels.
    seed : int or sequence of int
    order : int
        Of the polynomial in row and column that each phase is, at least 0.
    strength : float
        Standard deviation of the normally distributed coefficients, in radians at the border.

    Returns
    -------
    numpy.ndarray, ``(count, size, size, 1)``, float64
        In radians.

    Raises
    ------
    ValueError
        Counts or sizes below 1, or an order or strength below 0.
    """
    if min(count, size) < 1 or not (order >= 0 and strength >= 0):
        given = f"{count!r}, {size!r}, {order!r} and {strength!r}"
        raise ValueError(f"count and size must be at least 1, order and strength at least 0, not {given}.")
    grid = (np.arange(size) - size // 2) / (size / 2)
    row, column = grid[:, None], grid[None, :]
    powers = [(total - j, j) for total in range(order + 1) for j in range(total + 1)]
    terms = np.stack([row**i * column**j for i, j in powers])
    coefficients = strength * np.random.default_rng(seed).normal(size=(count, len(terms)))
    return np.tensordot(coefficients, terms, axes=1)[..., None]


def with_phase(images: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
    """Return images ``(n, size, size, channels)`` times ``exp(i phase)``, complex, with a `smooth_phase`."""
    count, size, _ = _checked(images)
    phase = smooth_phase(count, size, seed)
    return (images * np.exp(1j * phase)).astype(np.result_type(images, "complex64"))


def k_space(images: np.ndarray) -> np.ndarray:
    """Return the Fourier sums of real or complex images at the frequencies of their discrete transform.

    Parameters
    ----------
    images : array, ``(n, size, size, channels)``

    Returns
    -------
    numpy.ndarray, ``(n, size, size, channels)``, complex
        Scaled as orthonormal; frequency 0 at ``size // 2``, and the origin of the image there too.

    Raises
    ------
    ValueError
        Images of another shape, or not finite.
    """
    _, size, _ = _checked(images)
    matrix = _fourier_sums(size).astype(np.result_type(images, "complex64"))
    return np.einsum("uh,nhwc,vw->nuvc", matrix, images, matrix, optimize=True)


def photon_noise(sinogram: np.ndarray, photons: float, seed: int | Sequence[int]) -> np.ndarray:
    """Return what a sinogram becomes when each ray sends a number of X-ray photons through the object.

    Of `photons`, a positive number, a Poisson number with the mean ``photons * exp(-ATTENUATION * sinogram)``
    arrives; at least one is counted, and the logarithm turns the count into an integral again. Takes and
    returns an array of any shape, of integrals of at least 0, in floating point. Raises ValueError for other
    numbers of photons.
    """
    if not photons > 0:
        raise ValueError(f"photons must be a positive number, not {photons!r}.")
    arriving = photons * np.exp(-ATTENUATION * sinogram.astype("float64"))
    counts = np.maximum(np.random.default_rng(seed).poisson(arriving), 1)
    return (np.log(photons / counts) / ATTENUATION).astype(np.result_type(sinogram, "float32"))


def gaussian_noise(measurement: np.ndarray, deviation: float, seed: int | Sequence[int]) -> np.ndarray:
    """Return a real or complex measurement of any shape plus white noise of a standard deviation.

    Of complex numbers the real and the imaginary part have that deviation each; it is at least 0, in the
    units of the measurement; ValueError if it is lower. Returns floating-point numbers.
    """
    if not deviation >= 0:
        raise ValueError(f"deviation must be at least 0, not {deviation!r}.")
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, deviation, measurement.shape)
    if np.iscomplexobj(measurement):
        noise = noise + 1j * rng.normal(0, deviation, measurement.shape)
    return (measurement + noise).astype(np.result_type(measurement, "float32"))


def _checked(images):
    """Return the number, side and channels of square finite images."""
    if images.ndim != 4 or images.shape[1] != images.shape[2]:
        raise ValueError(f"images must be (n, size, size, channels), not {images.shape}.")
    if not np.isfinite(images).all():
        raise ValueError("images must be finite.")
    return images.shape[0], images.shape[1], images.shape[3]


@lru_cache(maxsize=16)
def _strip_integrals(size, angles, shift):
    """Return the matrix ``(detector, angle, size, size)`` from pixels to integrals over strips."""
    detectors = int(np.ceil(np.sqrt(2) * size))
    edges = np.arange(detectors + 1) - detectors // 2 - 0.5 + shift
    finer, positions = _interpolation(size), _fine_positions(size)
    columns = []
    for angle in np.deg2rad(angles):
        shadow = positions * np.cos(angle) - positions[:, None] * np.sin(angle)
        inside = np.diff(_share_before(edges[:, None, None] - shadow, angle), axis=0) / FINENESS**2
        columns.append(np.einsum("drc,rh,cw->dhw", inside, finer, finer, optimize=True))
    return np.stack(columns, axis=1)


def _share_before(distance, angle):
    """Return the share of a fine pixel's shadow that lies before a distance from the shadow's centre.

    The shadow of a square is the convolution of the shadows of its sides, two boxes.
    """
    a, b = (max(abs(side), THINNEST) / FINENESS for side in (np.cos(angle), np.sin(angle)))
    corners = (((a + b) / 2, 1), ((a - b) / 2, -1), ((b - a) / 2, -1), ((-a - b) / 2, 1))
    return sum(sign * np.square(np.maximum(distance + corner, 0)) for corner, sign in corners) / (2 * a * b)


@lru_cache(maxsize=4)
def _fourier_sums(size):
    """Return the matrix ``(frequency, pixel)`` of the Fourier sums of one axis."""
    frequencies = np.arange(size) - size // 2
    waves = np.exp(-2j * np.pi * frequencies[:, None] * _fine_positions(size) / size)
    return waves @ _interpolation(size) / (FINENESS * np.sqrt(size))


def _fine_positions(size):
    """Return where the fine samples of one axis lie, in pixels from the centre of pixel ``size // 2``."""
    return (np.arange(FINENESS * size) + 0.5) / FINENESS - 0.5 - size // 2


def _interpolation(size):
    """Return the matrix ``(fine sample, pixel)`` of linear interpolation along one axis."""
    return zoom(np.eye(size), (FINENESS, 1), order=1, mode="nearest", grid_mode=True)
