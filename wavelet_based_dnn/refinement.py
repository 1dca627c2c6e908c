"""Sparse refinement: `ScaleNetwork`, level by level, computing only the tiles that a rule asks for.

A level is cut into square tiles of `TILE` cells a side. The tiles wanted, of all images of a batch, are
gathered with the halo that the convolutions read, computed together and put back. What is not computed
counts as zero features and as no evidence. Tiles that were computed are kept, so a reading can go on.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.special import logsumexp, softmax

from common.arguments import check_shares
from wavelet_based_dnn.scale_network import AFTER, BEFORE, HALO, NARROW

TILE = 8  # cells a side
REACH = TILE + 2 * HALO  # cells a side of what a tile reads
LEAST = 4  # tiles of an image and a level: no frame that is not larger than a tile touches more
TOGETHER = 8  # the number of tiles is rounded up to a multiple, since every new shape is prepared anew


class Reading(NamedTuple):
    """What a network has read of images so far; every list has one entry a level, the coarsest first.

    Attributes
    ----------
    bands : list of tensors
        Of all levels that there are, as of `ScaleNetwork.bands`.
    features : list of tensors (n, rows, columns, features)
        Of the levels read; zero where nothing was computed.
    scores : list of arrays (n, rows, columns, 10)
        Minus infinity where nothing was computed.
    tiles : list of bool arrays (n, tile rows, tile columns)
        Which tiles were computed.
    logits : list of arrays (n, 10)
        The answer after each level.
    """

    bands: list
    features: list
    scores: list
    tiles: list
    logits: list

    @property
    def classes(self):
        """The present answers, int array (n,)."""
        return self.logits[-1].argmax(-1)

    @property
    def confidence(self):
        """The probability of the present answers, float array (n,)."""
        return softmax(self.logits[-1], -1).max(-1)

    @property
    def evidence(self):
        """The log-sum-exp over classes of the scores of the last level, array (n, rows, columns)."""
        return logsumexp(self.scores[-1], axis=-1)


def by_evidence(reading, level, rng=None):
    """Prefer tiles over cells of the coarser level with much evidence."""
    return tile_maxima(reading.evidence, reading, level)


def at_random(reading, level, rng):
    """Prefer tiles in random order."""
    return rng.random(tile_grid(reading.bands[level]))


def by_energy(reading, level, rng=None):
    """Prefer tiles with much energy in the level's details."""
    energy = np.square(np.asarray(reading.bands[level])[..., 1:]).sum(-1)
    return tiled(energy, 2 * TILE).sum((3, 4))


def by_brightness(reading, level, rng=None):
    """Prefer tiles that are bright on the whole: clutter comes in smaller pieces than objects."""
    brightness = np.asarray(reading.bands[level])[..., 0]
    return tiled(brightness, 2 * TILE).sum((3, 4))


def by_boxes(boxes, shape):
    """Return the rule that prefers tiles which cover much of the true boxes.

    Parameters
    ----------
    boxes : int array, shape (n, 4)
        Top, left, height and width, in pixels.
    shape : (int, int)
        Of the images.
    """

    def rule(reading, level, rng=None):
        side = 4 * TILE * 2 ** (len(reading.bands) - 1 - level)
        _, *grid = tile_grid(reading.bands[level])
        shares = [
            np.clip(
                np.minimum(starts[:, None] + sizes[:, None], (np.arange(count) + 1) * side)
                - np.maximum(starts[:, None], np.arange(count) * side), 0, None,
            )
            for starts, sizes, count in zip(boxes.T[:2], boxes.T[2:], grid, strict=True)
        ]  # fmt: skip
        return shares[0][:, :, None] * shares[1][:, None, :]

    return rule


def classify(
    network, images, *, budget=1.0, confidence=1.0, levels=None, rule=by_evidence, reading=None, seed=0
):
    """Read images from coarse to fine and return the `Reading`.

    Parameters
    ----------
    network : ScaleNetwork
    images : array, shape (n, height, width, 1)
        Float, in [0, 1].
    budget : float
        In [0, 1], the share of a level's tiles that are computed for each image, rounded up and at least 4.
    confidence : float
        In [0, 1]; an image whose answer has at least this probability is not read further.
    levels : int, optional
        After how many to stop; by default the image's.
    rule : callable
        From a reading, a level and a random generator to the preference for each tile.
    reading : Reading, optional
        An earlier reading of the same images to continue.
    seed : int
        Of a random rule.

    Returns
    -------
    Reading
    """
    check_shares(budget=budget, confidence=confidence)
    reading = reading or Reading(network.bands(images), [], [], [], [])
    rng = np.random.default_rng(seed)
    levels = min(levels or len(reading.bands), len(reading.bands))
    for level in range(len(reading.logits), levels):
        count = tile_count(budget, tile_grid(reading.bands[level]))
        reading = refined(network, reading, wanted_tiles(reading, level, count, confidence, rule, rng))
    return reading


def wanted_tiles(reading, level, count, confidence, rule, rng):
    """Return which tiles of a level to compute, bool array (n, tile rows, tile columns), at most `count`."""
    shape = tile_grid(reading.bands[level])
    wanted = np.ones(shape, bool)
    if not reading.logits:
        return wanted
    if count < wanted[0].size:
        preference = rule(reading, level, rng).reshape(shape[0], -1)
        # What was not computed at the coarser level has no children.
        preference = np.where(children(reading.tiles[-1], shape).reshape(shape[0], -1), preference, -np.inf)
        chosen = np.argsort(-preference, axis=1, kind="stable")[:, :count]
        wanted = np.zeros_like(preference, bool)
        np.put_along_axis(wanted, chosen, True, axis=1)
        wanted = (wanted & np.isfinite(preference)).reshape(shape)
    return wanted & (reading.confidence < confidence)[:, None, None] if confidence < 1 else wanted


def tile_count(budget, shape):
    """Return how many tiles of a level a budget allows; the shape is that of `tile_grid`."""
    return max(LEAST, int(np.ceil(budget * shape[1] * shape[2])))


def children(tiles, shape):
    """Return which tiles of the finer level lie in computed tiles of the coarser one."""
    _, rows, columns = shape
    return tiles.repeat(2, 1).repeat(2, 2)[:, :rows, :columns]


def refined(network, reading, tiles):
    """Return a reading with one more level, of which only `tiles` are computed."""
    level = len(reading.features)
    bands, coarser = reading.bands[level], (reading.features or [None])[-1]
    if tiles.all():
        features = network.features(bands, coarser)
        scores = np.asarray(network.scores(features))
    else:
        features, scores = sparse_level(network, bands, coarser, tiles)
    scores_so_far = [*reading.scores, scores]
    flat = np.concatenate([each.reshape(len(each), -1, each.shape[-1]) for each in scores_so_far], 1)
    return Reading(
        reading.bands, [*reading.features, features], scores_so_far, [*reading.tiles, tiles],
        [*reading.logits, logsumexp(flat, axis=1)],
    )  # fmt: skip


def sparse_level(network, bands, coarser, tiles):
    """Return features and scores of a level, computed in `tiles` alone."""
    _, rows, columns, _ = bands.shape
    places = np.argwhere(tiles)
    cells = -(-rows // 2), -(-columns // 2)
    shape = (*tiles.shape, TILE, TILE)
    if not len(places):
        features = tf.zeros((len(tiles), *cells, coarser.shape[-1]))
        return features, np.full((len(tiles), *cells, network.readout.filters), -np.inf, "float32")
    more = np.resize(places, (-(-len(places) // TOGETHER) * TOGETHER, 3))
    features, scores = _compiled(network)(
        _patches(bands, more, 2 * TILE, 2 * HALO + BEFORE, 2 * HALO + AFTER),
        _patches(coarser, more, TILE // 2, HALO // 2, HALO // 2),
        tf.constant(_inside(more, *cells)),
    )
    count = len(places)
    features = tf.scatter_nd(places, features[:count], (*shape, features.shape[-1]))
    all_scores = np.full((*shape, scores.shape[-1]), -np.inf, "float32")
    all_scores[tuple(places.T)] = scores[:count]
    return tf.constant(untiled(features.numpy(), *cells)), untiled(all_scores, *cells)


@cache
def _compiled(network):
    def compute(bands, coarser, inside):
        features = network.deepened(network.entered(bands, coarser) * inside)
        return features, network.scores(features)

    return tf.function(compute, reduce_retracing=True)


def _patches(maps, places, step, before, after):
    """Return the parts of maps in tiles of `step` a side and around, (m, side, side, channels).

    Beyond a map there are zeros.
    """
    side = before + step + after
    _, rows, columns, _ = maps.shape
    last = (places[:, 1:].max(0) + 1) * step + after
    beyond = np.maximum(last - (rows, columns), 0)
    maps = tf.pad(maps, [[0, 0], [before, beyond[0]], [before, beyond[1]], [0, 0]])
    offsets = np.arange(side)
    image, row, column = places.T
    index = np.broadcast_arrays(
        image[:, None, None],
        (row * step)[:, None, None] + offsets[:, None],
        (column * step)[:, None, None] + offsets,
    )
    return tf.gather_nd(maps, np.stack(index, -1).astype("int32"))


def _inside(places, rows, columns):
    """Return 1 where the cells that tiles read lie in the image and 0 elsewhere, (m, REACH, REACH, 1)."""
    offsets = np.arange(REACH) - HALO
    within = [
        (first := place[:, None] * TILE + offsets, (first >= 0) & (first < size))[1]
        for place, size in zip(places.T[1:], (rows, columns), strict=True)
    ]
    return (within[0][:, :, None] & within[1][:, None, :]).astype("float32")[..., None]


def tile_grid(bands):
    """Return how many images, and rows and columns of tiles, a level has."""
    count, *sides, _ = bands.shape
    return (count, *(-(-side // (2 * TILE)) for side in sides))


def tiled(maps, side):
    """Return maps (n, rows, columns) as (n, tile rows, tile columns, side, side), with zeros at the end."""
    margins = [(0, -size % side) for size in maps.shape[1:]]
    maps = np.pad(maps, [(0, 0), *margins])
    count, rows, columns = maps.shape
    return maps.reshape(count, rows // side, side, columns // side, side).swapaxes(2, 3)


def untiled(tiles, rows, columns):
    """Return maps (n, rows, columns, channels) of tiles (n, down, across, side, side, channels)."""
    count, down, across, side, _, channels = tiles.shape
    maps = tiles.swapaxes(2, 3).reshape(count, down * side, across * side, channels)
    return maps[:, :rows, :columns]


def tile_maxima(coarser, reading, level):
    """Return for each tile of a level the largest value of the coarser cells under it."""
    half = TILE // 2
    _, rows, columns = tile_grid(reading.bands[level])
    margins = [
        (0, count * half - size) for count, size in zip((rows, columns), coarser.shape[1:], strict=True)
    ]
    filled = np.pad(coarser, [(0, 0), *margins], constant_values=-np.inf)
    return tiled(filled, half).max((3, 4))


def count_tile_macs(network):
    """Return how many multiplications a tile takes, its halo included."""
    features, bands = network.lateral.filters, network.first.kernel.shape[2]
    return (
        9 * (2 * REACH + 1) ** 2 * bands * NARROW
        + 9 * REACH**2 * NARROW * features
        + (TILE // 2 + HALO) ** 2 * features**2
        + 9 * ((TILE + HALO) ** 2 + TILE**2) * features**2
        + TILE**2 * features * (features + network.readout.filters)
    )
