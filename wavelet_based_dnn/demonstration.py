"""One scene, read with a budget: what the explorer and the live figure show."""

import numpy as np

from wavelet_based_dnn.models import count_macs
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


def tile_counts(reading):
    """Return how many tiles of each level were computed for the first image, a tuple of int."""
    return tuple(int(tiles[0].sum()) for tiles in reading.tiles)


def share_of_macs(network, canvas, tiles):
    """Return the multiplications that computed tiles take as a share of those that all tiles take.

    Parameters
    ----------
    network : ScaleNetwork
    canvas : int
        Side of the square scene in pixels.
    tiles : sequence of int
        Of `tile_counts`, for all levels.

    Returns
    -------
    float
        Above 0, at most 1.
    """
    return count_macs(network, canvas, canvas, tiles)[-1] / count_macs(network, canvas, canvas)[-1]


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
