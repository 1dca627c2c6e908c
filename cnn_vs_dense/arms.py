"""The ways from a scanner's measurement to a decision that this study compares.

Each lets a network see the measurement itself in some arrangement, or a reconstruction of it.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.interpolate import interp1d

from cnn_vs_dense.reconstruction import sart, zero_filled
from cnn_vs_dense.representations import ANGLES, transformed
from cnn_vs_dense.scanning import TOMOGRAPHY, scan
from common.radon import filtered_backprojection

SART_ITERATIONS = 2


# What a network sees. Each of these takes a scan and the places for which the network was built, which differ
# from those of the scan when the network was trained on other angles.


def sinogram(scanned, places):
    """Return the sinogram at the angles `places`, interpolated linearly where they were not measured.

    Beyond 180 degrees it continues as ``g(s, t + 180) = g(-s, t)``.
    """
    values, angles = scanned
    # Detectors // 2 is the centre, so of an even number the first has no mirror image but itself.
    mirrored = np.roll(values[:, ::-1], 1 - values.shape[1] % 2, axis=1)
    turn = np.concatenate([values, mirrored], axis=2)
    interpolate = interp1d([*angles, *(a + 180 for a in angles)], turn, axis=2, assume_sorted=True)
    return interpolate(places).astype(values.dtype)


def full_sinogram(scanned, places):
    """Return the sinogram at all `ANGLES`, interpolated as in `sinogram`."""
    return sinogram(scanned, ANGLES)


def sparse_sinogram(scanned, places):
    """Return the sinogram at all `ANGLES`, zero where it was not measured, with the sum over angles kept."""
    values, angles = scanned
    full = np.zeros((*values.shape[:2], len(ANGLES), values.shape[3]), values.dtype)
    full[:, :, np.searchsorted(ANGLES, angles)] = values * (len(ANGLES) / len(angles))
    return full


def backprojected(scanned, places, filter):
    """Return images by filtered backprojection."""
    return transformed(scanned.values, transform=lambda s: filtered_backprojection(s, scanned.places, filter))


def algebraic(scanned, places):
    """Return images by SART."""
    return sart(*scanned, SART_ITERATIONS)


def measured_columns(scanned, places):
    """Return real and imaginary parts of the measured columns of k-space."""
    return full_k_space(scanned, places)[:, :, scanned.places]


def full_k_space(scanned, places):
    """Return real and imaginary parts of k-space, zero where it was not measured."""
    return np.concatenate([scanned.values.real, scanned.values.imag], axis=-1)


def zero_filled_image(scanned, places):
    """Return the magnitude of the inverse Fourier transform."""
    return zero_filled(scanned.values)


class Arm(NamedTuple):
    """A way from a scan to a decision.

    Attributes
    ----------
    kind : "direct", "reconstruction", "learned reconstruction" or "oracle"
    view : callable, or None for the undisturbed images
    architecture : key of `models.ARCHITECTURES`
    normalisation : key of `experiments.STANDARDISATIONS`
    """

    kind: str
    view: object
    architecture: str
    normalisation: str = "standardised"


BY_POSITION = "standardised by position"
IN_TOMOGRAPHY = {
    "dense": Arm("direct", sinogram, "dense_small", BY_POSITION),
    "LeNet-5 on the sinogram": Arm("direct", full_sinogram, "lenet5", BY_POSITION),
    "1-D CNN along the detector": Arm("direct", sinogram, "sinogram_1d", BY_POSITION),
    "FBP, ramp": Arm("reconstruction", partial(backprojected, filter="ramp"), "lenet5"),
    "FBP, Hann": Arm("reconstruction", partial(backprojected, filter="hann"), "lenet5"),
    "SART": Arm("reconstruction", algebraic, "lenet5"),
    "learned filter": Arm("learned reconstruction", sparse_sinogram, "known_operator", "scaled"),
    "clean image": Arm("oracle", None, "lenet5"),
}
IN_RESONANCE = {
    "dense": Arm("direct", measured_columns, "dense_small"),
    "LeNet-5 on k-space": Arm("direct", full_k_space, "lenet5"),
    "learned transform": Arm("direct", full_k_space, "separable"),
    "zero-filled": Arm("reconstruction", zero_filled_image, "lenet5"),
    "known transform": Arm("learned reconstruction", full_k_space, "known_transform", "scaled"),
    "clean image": Arm("oracle", None, "lenet5"),
}


def arms_for(sampling):
    """Return the dict from name to `Arm` for a key of `TOMOGRAPHY` or of `RESONANCE`."""
    return IN_TOMOGRAPHY if sampling in TOMOGRAPHY else IN_RESONANCE


def seen(arm, images, sampling, noise, seed, session, trained_on=None):
    """Let a scanner measure images, and return what the network of an arm sees of them.

    Parameters
    ----------
    arm : Arm
    images, sampling, noise, seed, session
        As `scanning.scan`.
    trained_on : key of `TOMOGRAPHY`, optional
        The angles for which the network was built; by default those of `sampling`.

    Returns
    -------
    numpy.ndarray, ``(n, height, width, channels)``
    """
    if arm.view is None:
        return images
    return arm.view(scan(images, sampling, noise, seed, session), TOMOGRAPHY.get(trained_on or sampling))
