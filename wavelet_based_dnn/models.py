"""The trained network that ships, and the cost of the networks of this study."""

import math
import weakref
from pathlib import Path

import numpy as np

from common.arguments import check_counts
from common.multiplications import multiplications
from common.weights import load_weights
from wavelet_based_dnn.refinement import count_tile_macs, tile_grid
from wavelet_based_dnn.scale_network import ScaleNetwork, answers, build_scale_network

WEIGHTS = Path(__file__).parent / "weights"
_counted: weakref.WeakKeyDictionary[ScaleNetwork, dict] = weakref.WeakKeyDictionary()  # see `_whole`


def load_dynamic_classifier(dataset):
    """Return the trained, committed network of scales (`wavelet_based_dnn.weights`).

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"

    Returns
    -------
    ScaleNetwork
        From images of any size to a list of logits, the finest level last.

    Raises
    ------
    ValueError
        There is none for the data set.
    """
    return load_weights(build_scale_network(), weight_file(dataset))


def weight_file(dataset):
    """Return the path of the weights of the dynamic classifier."""
    return WEIGHTS / f"{dataset}.weights.h5"


def count_macs(network, height, width, tiles=None):
    """Return how many multiplications an image takes up to each level, the coarser ones included.

    One multiplication and one addition are one MAC. Those of convolutions and dense layers count. The front
    end does not: Haar's wavelet, average pooling and resizing take a few operations a pixel, the networks
    thousands.

    Parameters
    ----------
    network : ScaleNetwork or another network of `variants`
    height, width : int
        In pixels.
    tiles : sequence of float, optional
        How many tiles of each level of a `ScaleNetwork` are computed, the coarsest first; by default all. A
        level of which all are computed is not cut into tiles. The numbers may be means over images that
        `refinement.classify` reads with one budget: it reads coarser levels as a whole or not at all.

    Returns
    -------
    list of float
        One for each list entry that the network returns, the finest level last.

    Raises
    ------
    ValueError
        Sizes or tiles that are not as described.
    """
    check_counts(height=height, width=width)
    if not isinstance(network, ScaleNetwork):
        if tiles is not None:
            raise ValueError(f"Only a ScaleNetwork has tiles; for a {type(network).__name__} leave them out.")
        return multiplications(network, (1, height, width, 1))
    dense, there = _whole(network, height, width)
    if tiles is None:
        return list(dense)
    if len(tiles) != len(dense):
        raise ValueError(f"tiles must be one number for each of {len(dense)} levels, not {tiles!r}.")
    alone = np.diff(dense, prepend=0)
    levels = [one * computed / count for one, computed, count in zip(alone, tiles, there, strict=True)]
    if tiles[-1] < there[-1]:
        levels[-1] = tiles[-1] * count_tile_macs(network)
    return np.cumsum(levels).tolist()


def _whole(network, height, width):
    """Return how many multiplications an image takes up to each level and how many tiles a level has.

    A size is counted once, so that a slider answers at once.
    """
    counted = _counted.setdefault(network, {})
    if (height, width) not in counted:
        bands = network.bands(np.zeros((1, height, width, 1), "float32"))
        pictures = [network.picture(level).shape for level in bands]
        dense = multiplications(lambda *levels: answers(list(map(network.read, levels))), *pictures)
        counted[height, width] = dense, [math.prod(tile_grid(level)) for level in bands]
    return counted[height, width]
