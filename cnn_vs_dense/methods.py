"""The methods, ways from a measurement by CT or MRI to a decision, that this study compares.

Each lets a network see the measurement itself in some arrangement, or a reconstruction of it. What it sees
may depend on the training set: on the angles at which that was measured, or on its clean images.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.interpolate import interp1d

from cnn_vs_dense.acquisition import CT, MRI, check_acquisition, scan
from cnn_vs_dense.reconstruction import linear_regression, sart, zero_filled
from cnn_vs_dense.representations import ANGLES, transformed
from common.names import look_up
from common.radon import filtered_backprojection

SART_ITERATIONS = 5


class Method(NamedTuple):
    """A way from a scan to a decision.

    Attributes
    ----------
    kind : "direct", "reconstruction", "learned reconstruction" or "oracle"
    fit : callable, or None for the undisturbed images
        Takes the `Scan` of the training images and these images, and returns the view: a function from a
        `Scan` to what the network sees of it, ``(n, height, width, channels)``.
    architecture : key of `models.ARCHITECTURES`
    normalisation : key of `experiments.STANDARDISATIONS`, "scaled", or None
    """

    kind: str
    fit: object
    architecture: str
    normalisation: str | None = "standardised"


# Views of sinograms


def sinogram(scanned, angles):
    """Return the sinogram at other angles, interpolated linearly where they were not measured.

    Beyond 180 degrees it continues as ``g(s, t + 180) = g(-s, t)``.
    """
    values, measured = scanned
    if angles == measured:
        return values
    # Detectors // 2 is the centre, so of an even number the first has no mirror image but itself.
    mirrored = np.roll(values[:, ::-1], 1 - values.shape[1] % 2, axis=1)
    turn = np.concatenate([values, mirrored], axis=2)
    interpolate = interp1d([*measured, *(a + 180 for a in measured)], turn, axis=2, assume_sorted=True)
    return interpolate(angles).astype(values.dtype)


def sparse_sinogram(scanned):
    """Return the sinogram at all `ANGLES`, zero where it was not measured, with the sum over angles kept."""
    values, measured = scanned
    full = np.zeros((*values.shape[:2], len(ANGLES), values.shape[3]), values.dtype)
    full[:, :, np.searchsorted(ANGLES, measured)] = values * (len(ANGLES) / len(measured))
    return full


def backprojected(scanned, filter):
    """Return images by filtered backprojection."""
    return transformed(scanned.values, transform=lambda s: filtered_backprojection(s, scanned.places, filter))


def algebraic(scanned):
    """Return images by SART."""
    return sart(*scanned, SART_ITERATIONS)


# Views of k-space


def full_k_space(scanned):
    """Return real and imaginary parts of k-space, zero where it was not measured."""
    return np.concatenate([scanned.values.real, scanned.values.imag], axis=-1)


def columns_of_k_space(scanned):
    """Return real and imaginary parts of the measured columns of k-space."""
    return full_k_space(scanned)[:, :, scanned.places]


def zero_filled_image(scanned):
    """Return real and imaginary parts of the inverse Fourier transform."""
    image = zero_filled(scanned.values)
    return np.concatenate([image.real, image.imag], axis=-1)


def zero_filled_magnitude(scanned):
    """Return the magnitude of the inverse Fourier transform."""
    return np.abs(zero_filled(scanned.values))


# What the views learn from the training set


def fixed(view):
    """Return the `Method.fit` of a view that learns nothing."""
    return lambda training, images: view


def at_the_angles_of_training(training, images):
    """Return the view of the sinogram at the angles of the training set."""
    return partial(sinogram, angles=training.places)


def regressed(training, images, fit):
    """Return the view of images by linear regression from another view to the images of the training set."""
    view = fit(training, images)
    reconstruct = linear_regression(view(training), images)
    return lambda scanned: reconstruct(view(scanned))


def for_a_learned_filter(training, images):
    """Return the view `sparse_sinogram`, scaled so that its backprojections have the standard deviation 1."""
    deviation = backprojected(training, "ramp").std(dtype="float64")
    return lambda scanned: (sparse_sinogram(scanned) / deviation).astype(scanned.values.dtype)


BY_POSITION = "standardised by position"
CT_METHODS = {
    "dense": Method("direct", at_the_angles_of_training, "dense_small", BY_POSITION),
    "LeNet-5 on the sinogram": Method(
        "direct", fixed(partial(sinogram, angles=ANGLES)), "lenet5", BY_POSITION
    ),
    "1-D CNN along the detector": Method("direct", at_the_angles_of_training, "sinogram_1d", BY_POSITION),
    "FBP, ramp": Method("reconstruction", fixed(partial(backprojected, filter="ramp")), "lenet5"),
    "FBP, Hann": Method("reconstruction", fixed(partial(backprojected, filter="hann")), "lenet5"),
    "SART": Method("reconstruction", fixed(algebraic), "lenet5"),
    "regression": Method(
        "learned reconstruction", partial(regressed, fit=at_the_angles_of_training), "lenet5"
    ),
    "learned filter": Method("learned reconstruction", for_a_learned_filter, "known_operator", None),
    "clean image": Method("oracle", None, "lenet5"),
}
MRI_METHODS = {
    "dense": Method("direct", fixed(columns_of_k_space), "dense_small", "scaled"),
    "LeNet-5 on k-space": Method("direct", fixed(full_k_space), "lenet5", "scaled"),
    "learned transform": Method("direct", fixed(full_k_space), "separable", "scaled"),
    "zero-filled": Method("reconstruction", fixed(zero_filled_image), "lenet5", "scaled"),
    "zero-filled, magnitude": Method("reconstruction", fixed(zero_filled_magnitude), "lenet5"),
    "regression": Method(
        "learned reconstruction", partial(regressed, fit=fixed(columns_of_k_space)), "lenet5"
    ),
    "known transform": Method("learned reconstruction", fixed(full_k_space), "known_transform", "scaled"),
    "clean image": Method("oracle", None, "lenet5"),
}


def methods_for(sampling):
    """Return the dict from name to `Method` for a sampling; ValueError if there is no such sampling."""
    look_up("sampling", sampling, CT | MRI)
    return CT_METHODS if sampling in CT else MRI_METHODS


def method_named(name, sampling):
    """Return the `Method` of that name for a sampling; ValueError if there is no such method or sampling."""
    return look_up(f"method for {sampling}", name, methods_for(sampling))


def seen(method, images, samplings, noise, seed):
    """Measure the images of all parts, and return what the network of a method sees of the measurements.

    Parameters
    ----------
    method : Method
    images : dict from name to array ``(n, size, size, 1)``
        One of the names is "train".
    samplings : dict from the same names to a key of `CT` or of `MRI`
    noise, seed
        As `acquisition.scan`; every part has noise of its own.

    Returns
    -------
    dict from the same names to array ``(n, height, width, channels)``

    Raises
    ------
    ValueError
        As `acquisition.scan`.
    """
    for sampling in samplings.values():
        check_acquisition(sampling, noise)
    if method.fit is None:
        return images
    sessions = {"train": 0, "validation": 1, "test": 2}
    scans = {name: scan(images[name], samplings[name], noise, seed, sessions[name]) for name in images}
    view = method.fit(scans["train"], images["train"])
    return {name: view(scanned) for name, scanned in scans.items()}
