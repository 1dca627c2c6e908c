"""Images with two labels: a silhouette, which coarse levels show, and a fill, which only the finest does.

The fill is noise of wavelengths from 2 to 3 pixels in one of four orientations. Limiting its band hides it
badly from coarser levels, because aliasing and the edge of the silhouette carry some of it down. So the fill
also loses the means of its 2 x 2 blocks, and the silhouette consists of such blocks. Then every approximation
of the Haar wavelet shows the silhouette filled with grey, whatever the orientation. This holds on the grid of
the blocks: averages of blocks that are shifted by one pixel do show the orientation.
"""

from typing import NamedTuple

import numpy as np

from common.arguments import as_labels, check_counts, check_seed
from common.validation import as_unit_images
from wavelet_based_dnn.scenes import Clutter

ORIENTATIONS = (0, 45, 90, 135)  # degrees
WAVELENGTHS = (2, 3)  # pixels
HALF_ANGLE = 15  # degrees; half of the wedges' distance would let neighbours touch
BLOCK = 2
THRESHOLD = 0.1
MEAN, DEVIATION = 1 / 2, 1 / 8

# Another size, or an odd place, would mix the blocks of a fill.
NATIVE = Clutter(sizes=(28, 28), step=BLOCK)


class FillSet(NamedTuple):
    """Filled silhouettes and their two labels.

    Parameters
    ----------
    images : array, shape (n, side, side, 1)
        float32, in [0, 1]; 0 outside of the silhouette.
    labels : array, shape (n,)
        Class of the silhouette.
    orientations : array, shape (n,)
        Index in `ORIENTATIONS`.
    """

    images: np.ndarray
    labels: np.ndarray
    orientations: np.ndarray


def draw_fills(images: np.ndarray, labels: np.ndarray, count: int, *, seed: int) -> FillSet:
    """Return silhouettes of random images, each with a random fill in a random orientation.

    For scenes with both labels, pass `joint_labels` to `draw_scenes`, with the clutter `NATIVE` and an even
    canvas, so that the blocks stay whole.

    Parameters
    ----------
    images : array, shape (k, side, side, 1)
        Floats in [0, 1], of an even side of at least 14 pixels. The silhouette consists of the 2 x 2 blocks
        whose mean is above 0.1.
    labels : array, shape (k,)
        One integer an image.
    count : int
    seed : int

    Returns
    -------
    FillSet
        In the silhouette, every fill has the mean 1/2 and the standard deviation 1/8, and each of its blocks
        has the mean 1/2. An orientation is the direction in which the brightness changes, counter-clockwise
        from the horizontal.

    Raises
    ------
    ValueError
        A wrong shape, type, range or number, or a chosen image without a silhouette.
    """
    images = _as_even(images)
    labels = as_labels(labels, len(images))
    check_counts(count=count)
    check_seed(seed)
    rng = np.random.default_rng(seed)
    bands = _bands(images.shape[1])
    drawn = [_draw_fill(images[..., 0], bands, rng) for _ in range(count)]
    fills, chosen, orientations = (np.array(part) for part in zip(*drawn, strict=True))
    return FillSet(fills[..., np.newaxis].astype("float32"), labels[chosen], orientations)


def joint_labels(fills: FillSet) -> np.ndarray:
    """Return one label for both, ``4 * silhouette + orientation``, shape (n,)."""
    return len(ORIENTATIONS) * fills.labels.astype("int64") + fills.orientations


def _draw_fill(images, bands, rng):
    chosen, orientation = rng.integers(0, [len(images), len(bands)]).tolist()
    silhouette = _block_means(images[chosen]) > THRESHOLD
    if not silhouette.any():
        raise ValueError(
            f"images must have a silhouette, but no block of image {chosen} is above {THRESHOLD}."
        )
    peak = np.inf
    while peak > MEAN / DEVIATION:  # about one in fifty; clipping instead would change the means of blocks
        details = _details(silhouette, bands[orientation], rng)
        peak = np.abs(details).max()
    return MEAN * silhouette + DEVIATION * details, chosen, orientation


def _details(silhouette, band, rng):
    """Return noise of a band in a silhouette, without means of blocks, of the variance 1."""
    noise = np.fft.fft2(rng.standard_normal(silhouette.shape))
    waves = np.fft.ifft2(noise * band).real
    details = (waves - _block_means(waves)) * silhouette
    return details / np.sqrt(np.square(details).sum() / silhouette.sum())


def _bands(side):
    """Return, for each orientation, which frequencies (side, side) of `np.fft.fft2` belong to its fill."""
    down, right = np.meshgrid(*[np.fft.fftfreq(side)] * 2, indexing="ij")
    angles = np.degrees(np.arctan2(-down, right))
    away = [np.abs((angles - orientation + 90) % 180 - 90) for orientation in ORIENTATIONS]
    radius = np.hypot(down, right)
    ring = (radius >= 1 / WAVELENGTHS[1]) & (radius <= 1 / WAVELENGTHS[0])
    return ring & (np.array(away) <= HALF_ANGLE)


def _block_means(image):
    """Return an image (side, side) with every 2 x 2 block replaced by its mean."""
    side = len(image) // BLOCK
    means = image.reshape(side, BLOCK, side, BLOCK).mean(axis=(1, 3))
    return means.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)


def _as_even(images):
    found = as_unit_images(images)
    height, width, channels = found.shape[1:]
    if height != width or height % BLOCK or height < 14 or channels != 1:
        raise ValueError(
            f"images must be square and grey, with an even side of at least 14, not {found.shape}; pad them."
        )
    return found
