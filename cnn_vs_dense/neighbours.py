"""How many neighbouring pixels a permutation leaves neighbours."""

import numpy as np

from common.scramble import checked_shape


def as_permutation(permutation, pixels):
    """Return a permutation of so many pixels as an array of integers; raise ValueError if it is none."""
    found = np.asarray(permutation)
    if found.ndim != 1 or not np.array_equal(np.sort(found), np.arange(pixels)):
        raise ValueError(f"permutation must hold each of 0 ... {pixels - 1} once.")
    return found.astype(int)


def neighbours_kept(permutation, shape, distance=1):
    """Share of neighbouring pixels that a permutation leaves neighbours, or leaves near each other.

    Parameters
    ----------
    permutation : array
        ``(height width,)``, as `Scrambler.permutation`.
    shape : (int, int)
        Height and width.
    distance : float
        How far apart, in pixels, the centres of a pair may be afterwards.

    Returns
    -------
    float
        Of all pairs of pixels that touch horizontally or vertically, the share that afterwards are at most
        `distance` apart, in [0, 1]: with 1, those that still touch horizontally or vertically. It is 1 for
        a single pixel, which has no neighbour.

    Raises
    ------
    ValueError
        Not a permutation of the pixels of such an image.
    """
    height, width = checked_shape(shape)
    permutation = as_permutation(permutation, height * width)
    place = np.stack(np.divmod(np.argsort(permutation).reshape(height, width), width))
    apart = [np.hypot(*np.diff(place, axis=axis)).ravel() for axis in (1, 2)]
    kept = np.concatenate(apart) <= distance
    return float(kept.mean()) if kept.size else 1.0
