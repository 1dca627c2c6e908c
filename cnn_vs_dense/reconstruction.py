"""Reconstructions that `common.radon` and `common.fourier` do not have, for networks that want an image."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from skimage.transform import iradon_sart
from sklearn.linear_model import Ridge

from common.arguments import check_counts
from common.fourier import Spectrum, ifft2
from common.radon import as_angles

PENALTY = 0.001  # of the regression, per image
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # per image, in units of the variance of all measured values


class LinearReconstruction(NamedTuple):
    """The affine map ``images = (measurements - mean) encode decode + offset``.

    Attributes
    ----------
    mean : numpy.ndarray
        Of the shape of one measurement.
    encode : numpy.ndarray, ``(measured values, rank)``
    decode : numpy.ndarray, ``(rank, pixels)``
    offset : numpy.ndarray, ``(height, width, channels)``
    """

    mean: np.ndarray
    encode: np.ndarray
    decode: np.ndarray
    offset: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return images ``(n, height, width, channels)`` of measurements ``(n, ...)``.

        Raises
        ------
        ValueError
            Measurements of another shape than those of the training set.
        """
        if values.shape[1:] != self.mean.shape:
            raise ValueError(f"A measurement must be {self.mean.shape}, not {values.shape[1:]}.")
        flat = (values - self.mean).reshape(len(values), -1)
        images = flat @ self.encode @ self.decode
        return images.reshape(-1, *self.offset.shape) + self.offset

    @property
    def weights(self) -> int:
        """How many numbers it holds: both factors and both means."""
        return sum(array.size for array in self)


def line_integrals(counts: np.ndarray, photons: float, attenuation: float) -> np.ndarray:
    """Return the integrals along the rays that counts tell of.

    Parameters
    ----------
    counts : array of any shape
        At least 0.
    photons : float
        Sent along each ray, above 0.
    attenuation : float
        Per pixel of value 1, above 0.

    Returns
    -------
    numpy.ndarray, same shape
        ``log((photons + 1/2) / (counts + 1/2)) / attenuation``, in pixel values times pixels, which is
        finite for a ray without a photon. With at least 10 expected photons its bias is below a tenth of
        its noise, because the half cancels the bias of the logarithm to the first order (Haldane 1956,
        Annals of Human Genetics 20, 309-311).

    Raises
    ------
    ValueError
        Counts below 0, or photons or attenuation that are not positive numbers.
    """
    if not (photons > 0 and attenuation > 0 and counts.min(initial=0) >= 0):
        given = f"{photons!r}, {attenuation!r} and {counts.min(initial=0)}"
        raise ValueError(f"photons and attenuation must be above 0, counts at least 0, not {given}.")
    integrals = np.log((photons + 0.5) / (counts + 0.5)) / attenuation
    return integrals.astype(np.result_type(counts, "float32"))


def sart(sinogram: np.ndarray, angles: Sequence[float], iterations: int) -> np.ndarray:
    """Return images by the simultaneous algebraic reconstruction technique (Andersen & Kak 1984).

    Parameters
    ----------
    sinogram : array, ``(n, detector, angle, channels)``
    angles : tuple of float
        In degrees; any.
    iterations : int
        At least 1.

    Returns
    -------
    numpy.ndarray, ``(n, size, size, channels)``
        That of `skimage.transform.iradon_sart`, cut to the square whose diagonal the detector is. Without
        limits on the values the technique is linear, so it is applied as one matrix. Floating point.

    Raises
    ------
    ValueError
        Fewer than 1 iteration, or angles that are no finite numbers or look like radians.
    """
    check_counts(iterations=iterations)
    angles = as_angles(angles)
    count, detectors, number, channels = sinogram.shape
    matrix = _sart_matrix(detectors, angles, iterations).astype(np.result_type(sinogram, "float32"))
    flat = np.moveaxis(sinogram, -1, 1).reshape(count * channels, detectors * number)
    images = (flat @ matrix.reshape(len(matrix), -1)).reshape(count, channels, *matrix.shape[1:])
    return np.moveaxis(images, 1, -1)


def zero_filled(k: np.ndarray) -> np.ndarray:
    """Return the inverse Fourier transform of k-space, which is zero where it was not measured.

    Parameters
    ----------
    k : array, ``(n, height, width, channels)``, complex
        Scaled as orthonormal; frequency 0 at ``size // 2``, and the origin of the image there too.

    Returns
    -------
    numpy.ndarray, same shape, complex
    """
    real, imaginary = ifft2(Spectrum(k.real, k.imag))
    return np.fft.fftshift(np.asarray(real) + 1j * np.asarray(imaginary), axes=(1, 2))


def linear_regression(measurements, images):
    """Return the reconstruction by ridge regression from measurements to images: the best linear one.

    Parameters
    ----------
    measurements : array, ``(n, ...)``
    images : array, ``(n, height, width, channels)``

    Returns
    -------
    callable
        Takes measurements ``(m, ...)`` and returns images ``(m, height, width, channels)``.

    Raises
    ------
    ValueError
        Complex numbers, NaN, infinity, or measurements that are all equal.
    """
    # Standardised as a whole, so that the penalty means the same for every acquisition.
    inputs, deviation = _flat(measurements), measurements.std(dtype="float64")
    if not deviation > 0:
        raise ValueError("All measurements are equal, so they tell nothing of the images.")
    model = Ridge(alpha=PENALTY * len(measurements)).fit(inputs / deviation, _flat(images))

    def reconstruct(values):
        found = model.predict(_flat(values) / deviation)
        return found.reshape(-1, *images.shape[1:]).astype(np.result_type(images, "float32"))

    return reconstruct


def reduced_rank_ridge(
    train: tuple[np.ndarray, np.ndarray], validation: tuple[np.ndarray, np.ndarray], rank: int
) -> LinearReconstruction:
    """Return the best linear reconstruction of a rank, with the penalty that suits validation images best.

    For a penalty a, a matrix B of the rank minimises ``|Y - X B|^2 + a |B|^2`` for the centred measurements X
    and images Y (Mukherjee & Zhu 2011, Statistical Analysis and Data Mining 4, 612-622): it is the ridge
    regression projected onto the leading right singular vectors of ``(X'X + a)^(-1/2) X'Y``.

    Parameters
    ----------
    train, validation : pair of arrays
        Measurements ``(n, ...)`` and images ``(n, height, width, channels)``. The mean squared error of the
        validation images decides among `PENALTIES`; of equal ones the lowest is taken.
    rank : int
        At least 1 and at most the number of measured values, and of pixels.

    Returns
    -------
    LinearReconstruction
        In the precision of the images, at least float32.

    Raises
    ------
    ValueError
        Complex numbers, NaN, infinity, training measurements that are all equal, or another rank.
    """
    check_counts(rank=rank)
    candidates = _ridges(*train, rank)
    measured, images = validation
    errors = [np.square(candidate(measured) - images).mean(dtype="float64") for candidate in candidates]
    return candidates[int(np.argmin(errors))]


def _ridges(measurements, images, rank):
    """Return the `LinearReconstruction` of the rank for each of `PENALTIES`."""
    inputs, outputs, dtype = _flat(measurements), _flat(images), np.result_type(images, "float32")
    if rank > (most := min(inputs.shape[1], outputs.shape[1])):
        raise ValueError(f"rank must be at most {most}, the smaller side of the matrix, not {rank}.")
    if not inputs.std() > 0:
        raise ValueError("All measurements are equal, so they tell nothing of the images.")
    scale, means = len(inputs) * inputs.var(), (inputs.mean(axis=0), outputs.mean(axis=0))
    inputs, outputs = inputs - means[0], outputs - means[1]
    squares, axes = np.linalg.eigh(inputs.T @ inputs)
    shared = axes.T @ (inputs.T @ outputs)
    mean, offset = means[0].reshape(measurements.shape[1:]), means[1].reshape(images.shape[1:])
    found = []
    for penalty in PENALTIES:
        root = np.sqrt(np.maximum(squares, 0) + penalty * scale)[:, None]
        left, values, right = np.linalg.svd(shared / root, full_matrices=False)
        parts = mean, axes @ (left[:, :rank] * values[:rank] / root), right[:rank], offset
        found.append(LinearReconstruction(*(part.astype(dtype) for part in parts)))
    return found


def _flat(values):
    """Return finite real numbers as float64 ``(n, all other axes)``."""
    if np.iscomplexobj(values) or not np.isfinite(values).all():
        raise ValueError("Regression takes finite real numbers; make real and imaginary parts channels.")
    return values.reshape(len(values), -1).astype("float64")


@lru_cache(maxsize=8)
def _sart_matrix(detectors, angles, iterations):
    """Return ``(detector x angle, size, size)``: the reconstruction of each measured value alone."""
    size = int(np.floor(np.sqrt(detectors**2 / 2)))
    start = detectors // 2 - size // 2
    inside = np.s_[start : start + size, start : start + size]
    impulses = np.eye(detectors * len(angles)).reshape(-1, detectors, len(angles))
    images = []
    for impulse in impulses:
        image = None
        for _ in range(iterations):
            image = iradon_sart(impulse, np.array(angles), image)
        images.append(image[inside])
    return np.stack(images)
