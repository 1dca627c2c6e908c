"""One scene, read with a budget: what the explorer and the live figure show."""

import numpy as np

from wavelet_based_dnn.refinement import TILE
from wavelet_based_dnn.scale_network import FINEST_CELL
from wavelet_based_dnn.scenes import DYNAMIC, draw_scenes

FINEST_TILE = TILE * FINEST_CELL  # pixels a side
VEIL = 0.25  # brightness of black pixels that were not read; white ones have twice as much


def scene(images, labels, number, side, canvas):
    """Return scene `number`: its test image stays the same when the sizes change.

    Parameters
    ----------
    images, labels : arrays
        As of `draw_scenes`.
    number : int
        The seed.
    side, canvas : int
        Of the object and the square canvas, in pixels.

    Returns
    -------
    SceneSet
        Of one scene.
    """
    clutter = DYNAMIC._replace(sizes=(side, side))
    return draw_scenes(images, labels, 1, (canvas, canvas), seed=number, clutter=clutter)


def tile_counts(reading, image=0):
    """Return how many tiles of each level were computed for one of the images, a tuple of int."""
    return tuple(int(tiles[image].sum()) for tiles in reading.tiles)


def veiled(image, tiles):
    """Return an image whose tiles that were not computed lie behind a grey veil.

    Parameters
    ----------
    image : array, shape (height, width, 1)
        In [0, 1].
    tiles : bool array, shape (tile rows, tile columns)
        Of the finest level.

    Returns
    -------
    array, shape of the image
        Unchanged where tiles were computed; elsewhere between `VEIL` and twice as much.
    """
    height, width, _ = image.shape
    pixels = np.asarray(tiles).repeat(FINEST_TILE, 0).repeat(FINEST_TILE, 1)[:height, :width, None]
    return np.where(pixels, image, VEIL * (1 + image)).astype(image.dtype)
