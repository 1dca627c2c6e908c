"""Reconstructions that `common.radon` and `common.fourier` do not have, for networks that want an image."""

from functools import lru_cache

import numpy as np
from skimage.transform import iradon_sart
from sklearn.linear_model import Ridge

from common.arguments import check_counts
from common.fourier import Spectrum, ifft2
from common.radon import as_angles

PENALTY = 0.001  # of the regression, per image


def sart(sinogram, angles, iterations):
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


def zero_filled(k):
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

    def flat(values):
        if np.iscomplexobj(values) or not np.isfinite(values).all():
            raise ValueError("Regression takes finite real numbers; make real and imaginary parts channels.")
        return values.reshape(len(values), -1).astype("float64")

    # Standardised as a whole, so that the penalty means the same for every acquisition.
    inputs, deviation = flat(measurements), measurements.std(dtype="float64")
    if not deviation > 0:
        raise ValueError("All measurements are equal, so they tell nothing of the images.")
    model = Ridge(alpha=PENALTY * len(measurements)).fit(inputs / deviation, flat(images))

    def reconstruct(values):
        found = model.predict(flat(values) / deviation)
        return found.reshape(-1, *images.shape[1:]).astype(np.result_type(images, "float32"))

    return reconstruct


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
