"""Coordinates in which an attack looks for its change: linear maps from them to the change of the pixels.

Like a filter, a map is callable and has an `adjoint`, which carries gradients back. It decides what a change
of a given size may look like: equally visible everywhere (`perceptual`), grey (`luma`), smooth (`low_pass`).
"""

from typing import NamedTuple

import numpy as np

from adversarial_attack.filters import low_frequencies
from adversarial_attack.visibility import sensitivity


class Pixelwise(NamedTuple):
    """A matrix for every pixel.

    Attributes
    ----------
    matrices : array ``(n, height, width, channels, coordinates)``
    """

    matrices: np.ndarray

    def __call__(self, coordinates):
        """Return changes ``(n, height, width, channels)`` from ``(n, height, width, coordinates)``."""
        return (self.matrices * coordinates[..., np.newaxis, :]).sum(axis=-1)

    def adjoint(self, gradients):
        """Return ``(n, height, width, coordinates)`` from ``(n, height, width, channels)``."""
        return (self.matrices * gradients[..., np.newaxis]).sum(axis=-2)


class Chain(NamedTuple):
    """One linear map after another.

    Attributes
    ----------
    first, second : maps or filters
    """

    first: tuple
    second: tuple

    def __call__(self, coordinates):
        """Return what the second makes of what the first makes of the coordinates."""
        return self.second(self.first(coordinates))

    def adjoint(self, gradients):
        """Return the gradients with respect to the coordinates."""
        return self.first.adjoint(self.second.adjoint(gradients))


def perceptual(images):
    """Return the map under which a change of root mean square 1 is about as visible as "strict" allows.

    It is the inverse square root of `sensitivity`, so equal coordinates are equally visible everywhere.
    """
    values, vectors = np.linalg.eigh(sensitivity(images))
    matrices = (vectors / np.sqrt(values)[..., np.newaxis, :]) @ np.swapaxes(vectors, -1, -2)
    return Pixelwise(matrices.astype(images.dtype))


def size_of(images, changes):
    """Return the root mean square of changes in `perceptual` coordinates, a float over all images.

    Parameters
    ----------
    images, changes : array of float, ``(n, height, width, 3)``
    """
    changes = np.asarray(changes, "float64")
    squared = np.einsum("...a,...ab,...b", changes, sensitivity(images), changes)
    return float(np.sqrt(squared.mean()))


def pixels(images):
    """Return the map under which the coordinates are the change itself, but for a factor for each image.

    A change of root mean square 1, the same everywhere, is about as visible as "strict" allows.
    """
    sizes = np.trace(sensitivity(images), axis1=-2, axis2=-1).mean(axis=(1, 2)) ** -0.5
    return Pixelwise((sizes[:, None, None, None, None] * np.eye(images.shape[-1])).astype(images.dtype))


def luma(images):
    """Return the map from one coordinate a pixel to equal changes of all channels, scaled as `perceptual`."""
    sizes = 1 / np.sqrt(sensitivity(images).sum(axis=(-1, -2)))
    return Pixelwise(np.stack([sizes[..., np.newaxis]] * images.shape[-1], axis=-2).astype(images.dtype))


def low_pass(share):
    """Return the maker of maps to `perceptual` changes of which the lowest frequencies are kept.

    Parameters
    ----------
    share : float
        Of the frequencies of the discrete cosine transform a side.
    """
    return lambda images: Chain(perceptual(images), low_frequencies(*images.shape[1:3], share))
