"""The scale of what a network sees: the range of the pixels, or the statistics of the training set."""

from collections.abc import Callable, Mapping

import numpy as np

from cnn_vs_dense.representations import REPRESENTATIONS
from common.data import ImageSet
from common.names import look_up

Labelled = tuple[np.ndarray, np.ndarray]  # images and their labels

PIXEL_RANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda images: images.astype("float32"),
    "[0, 1]": lambda images: images.astype("float32") / 255,
    "[-1, 1]": lambda images: images.astype("float32") / 127.5 - 1,
}
# The axes over which a standardisation takes the mean and the standard deviation.
STANDARDISATIONS = {"standardised": (0, 1, 2), "standardised by position": 0}
LEAST_DEVIATION = 0.01  # of a position, relative to that of all: where nothing changes, nothing is amplified


def network_inputs(
    parts: Mapping[str, ImageSet], representation: str, normalisation: str, seed: int
) -> dict[str, Labelled]:
    """Return images and labels of each part as a network sees them.

    Parameters
    ----------
    parts : dict from str to ImageSet
        With "train" among them if `normalisation` is a standardisation.
    representation : key of `representations.REPRESENTATIONS`
    normalisation : key of `PIXEL_RANGES` or of `STANDARDISATIONS`
        The range of the pixel values before the representation is made; or, after it was made of pixel values
        in [0, 1], the mean 0 and about the standard deviation 1, see `normaliser`.
    seed : int
        Of the representation.

    Returns
    -------
    dict from the same names to (array of float32 ``(n, height, width, channels)``, array of int ``(n,)``)

    Raises
    ------
    ValueError
        No such representation or normalisation.
    """
    represent = look_up("representation", representation, REPRESENTATIONS)
    look_up("normalisation", normalisation, PIXEL_RANGES | STANDARDISATIONS)
    if normalisation in PIXEL_RANGES:
        as_pixels = PIXEL_RANGES[normalisation]
        images = {name: represent(as_pixels(part.images), seed) for name, part in parts.items()}
        return labelled(images, parts)
    images = {name: represent(part.as_float(), seed) for name, part in parts.items()}
    return labelled(normalised(images, normalisation), parts)


def normalised(images: Mapping[str, np.ndarray], normalisation: str | None) -> dict[str, np.ndarray]:
    """Return the arrays ``(n, height, width, channels)`` of each part, normalised by those of "train".

    `normalisation` and the errors are those of `normaliser`.
    """
    normalise = normaliser(images["train"], normalisation)
    return {name: normalise(values) for name, values in images.items()}


def normaliser(train: np.ndarray, normalisation: str | None) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that normalises any images as these training images are to be normalised.

    Parameters
    ----------
    train : array of floats, ``(n, height, width, channels)``
    normalisation : key of `STANDARDISATIONS`, "scaled", or None
        Mean 0 and about the standard deviation 1 of every channel over the training images, or of every
        position and channel (less where a position hardly varies). "scaled": one factor for all, which makes
        the standard deviation 1 and leaves a transform within the network what it is. None: no change.

    Raises
    ------
    ValueError
        No such normalisation.
    """
    if normalisation is None:
        return lambda values: values
    look_up("normalisation", normalisation, ["scaled", *STANDARDISATIONS])
    # In double precision: NumPy adds millions of numbers along an axis one by one.
    mean, scale = 0, train.std(dtype="float64")
    if normalisation != "scaled":
        axes = STANDARDISATIONS[normalisation]
        mean, scale = train.mean(axes, "float64"), train.std(axes, "float64") + LEAST_DEVIATION * scale
    return lambda values: ((values - mean) / scale).astype(train.dtype)


def labelled(images: Mapping[str, np.ndarray], parts: Mapping[str, ImageSet]) -> dict[str, Labelled]:
    """Return (images, labels) for each name of `images`."""
    return {name: (values, parts[name].labels) for name, values in images.items()}
