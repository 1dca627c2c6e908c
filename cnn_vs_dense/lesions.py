"""Detection of a blob, a lesion, in a view of real anatomy, drawn from a finite library.

Because every image is one of 2,000 backgrounds without or with one of 100 blobs, the likelihood ratio of a
measurement, and with it the best possible decision, can be computed exactly: see `observers`.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from cnn_vs_dense import anatomy
from common.arguments import check_counts, check_seed
from common.names import look_up

SIZE = 64  # of a view, in pixels of 1 mm
BACKGROUNDS, BLOBS = 2_000, 100
WIDTHS = (1.5, 2.0, 3.0)  # standard deviations of the blobs, mm
REACH = 20  # of the centres of the blobs from the centre of the view, mm
# A contrast to try first: height of a blob, in attenuation per mm or in units of the MRI's largest value.
BASE = {"head_ct": 0.005, "mni152": 0.1}


class Library(NamedTuple):
    """All that an image can show.

    Attributes
    ----------
    backgrounds : numpy.ndarray, ``(2000, 64, 64, 1)``, float32
    blobs : numpy.ndarray, ``(100, 64, 64, 1)``, float32
        Of height 1.
    """

    backgrounds: np.ndarray
    blobs: np.ndarray


class Draw(NamedTuple):
    """Images drawn from a library.

    Attributes
    ----------
    images : numpy.ndarray, ``(n, 64, 64, 1)``, float32
    labels : numpy.ndarray, ``(n,)``, int64
        1 where a blob is present.
    background, blob : numpy.ndarray, ``(n,)``, int64
        Index into the library; of an image without a blob, the one that it would have had.
    """

    images: np.ndarray
    labels: np.ndarray
    background: np.ndarray
    blob: np.ndarray


@lru_cache(maxsize=3)
def library(dataset: str, slab: int) -> Library:
    """Return the library of a slab; the blobs of all slabs are the same.

    Parameters
    ----------
    dataset : "head_ct" or "mni152"
    slab : int
        Index into ``anatomy.SLABS[dataset]``.

    Raises
    ------
    ValueError
        There is no such data set or slab, or a file is not the recorded one.
    FileNotFoundError
        The data set is not on this machine.
    """
    slabs = look_up("data set of anatomy", dataset, anatomy.SLABS)
    bounds = slabs[look_up("slab", slab, range(len(slabs)))]
    views = anatomy.views(anatomy.VOLUMES[dataset](), bounds, BACKGROUNDS, SIZE, seed=slab)
    return Library(views, _blobs(np.random.default_rng(0)))


def draw(library: Library, contrast: float, count: int, seed: Sequence[int]) -> Draw:
    """Return images of random backgrounds, half of them (rounded down) with a random blob.

    Parameters
    ----------
    library : Library
    contrast : float
        Height of a blob, at least 0.
    count : int
    seed : sequence of int

    Raises
    ------
    ValueError
        A negative contrast, a count below 1, or a seed that is no sequence of integers of at least 0.
    """
    check_counts(count=count)
    if not 0 <= contrast < np.inf:
        raise ValueError(f"contrast must be at least 0, not {contrast!r}.")
    if not isinstance(seed, Sequence) or not seed:
        raise ValueError(f"seed must be a sequence of at least one number, not {seed!r}.")
    for part in seed:
        check_seed(part)
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 2)
    background, blob = (rng.integers(len(part), size=count) for part in library)
    heights = (contrast * labels)[:, None, None, None].astype("float32")
    images = library.backgrounds[background] + heights * library.blobs[blob]
    return Draw(images, labels, background, blob)


def _blobs(rng):
    """Return Gaussian blobs whose centres are uniform in a disc."""
    angle, distance = rng.uniform(0, 2 * np.pi, BLOBS), REACH * np.sqrt(rng.random(BLOBS))
    width = rng.choice(WIDTHS, BLOBS)[:, None]
    grid = np.arange(SIZE) - SIZE // 2
    rows = np.exp(-(((grid - (distance * np.sin(angle))[:, None]) / width) ** 2) / 2)
    columns = np.exp(-(((grid - (distance * np.cos(angle))[:, None]) / width) ** 2) / 2)
    return (rows[:, :, None] * columns[:, None, :])[..., None].astype("float32")
