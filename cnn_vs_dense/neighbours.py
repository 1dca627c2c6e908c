"""How many neighbouring pixels a permutation leaves neighbours, and images whose neighbours are alike."""

import numpy as np

from common.arguments import check_counts, check_seed
from common.data import PHOTOGRAPHS, load_photograph
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


def crops(size: int, count: int, seed: int) -> np.ndarray:
    """Return square crops of `common.data.PHOTOGRAPHS`, at random places of random photographs.

    Parameters
    ----------
    size : int
        Side of a crop in pixels, from 1 to the shortest side of a photograph.
    count : int
        Number of crops, at least 1; they may overlap.
    seed : int

    Returns
    -------
    array of float32, shape (count, size, size, 1)
        In [0, 1]; of coloured photographs the mean of the three channels.

    Raises
    ------
    ValueError
        A size that no photograph has, or a count or seed that is not such a number.
    """
    check_counts(size=size, count=count)
    check_seed(seed)
    photographs = [load_photograph(name).as_float()[0].mean(axis=-1, keepdims=True) for name in PHOTOGRAPHS]
    shortest = min(min(photograph.shape[:2]) for photograph in photographs)
    if size > shortest:
        raise ValueError(f"size must be at most {shortest}, the shortest side of a photograph, not {size}.")
    rng = np.random.default_rng(seed)
    found = np.empty((count, size, size, 1), "float32")
    for crop in found:
        photograph = photographs[rng.integers(len(photographs))]
        top, left = (rng.integers(side - size + 1) for side in photograph.shape[:2])
        crop[:] = photograph[top : top + size, left : left + size]
    return found
