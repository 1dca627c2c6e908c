"""Sparse refinement: `ScaleNetwork`, level by level, computing only the tiles that a rule asks for.

A level is cut into square tiles of `TILE` cells a side. The tiles wanted, of all images of a batch, are
gathered with the halo that the convolutions read, computed together and put back. What is not computed
counts as no evidence. A reading keeps what was computed, so it can go on to finer levels.
"""

import weakref
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.special import logsumexp, softmax

from common.arguments import check_counts, check_seed, check_shares
from common.validation import as_unit_images
from wavelet_based_dnn.scale_network import ScaleNetwork, checked

TILE = 8  # cells a side
LEAST = 4  # tiles of an image and a level: no frame that is not larger than a tile touches more
TOGETHER = 4  # the number of tiles is rounded up to a multiple, since every new shape is prepared anew


class Reading(NamedTuple):
    """What a `ScaleNetwork` has read of images so far; lists have an entry a level, the coarsest first.

    Attributes
    ----------
    bands : list of tensors
        Of all levels that there are, as of `ScaleNetwork.bands`.
    scores : list of arrays (n, rows, columns, classes)
        Minus infinity where nothing was computed.
    tiles : list of bool arrays (n, tile rows, tile columns)
        Which tiles were computed.
    logits : list of arrays (n, classes)
        The answer after each level.
    """

    bands: list
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
        """The log-sum-exp over classes of the scores of the finest level read, array (n, rows, columns)."""
        return logsumexp(self.scores[-1], axis=-1)


def by_evidence(reading, level, rng=None):
    """Prefer tiles over the cells of the coarser level with the most evidence."""
    return tiled(reading.evidence, TILE // 2, -np.inf).max((3, 4))


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


def by_boxes(boxes):
    """Return the rule that prefers tiles which cover much of the true boxes.

    Parameters
    ----------
    boxes : int array, shape (n, 4)
        Top, left, height and width, in pixels of what the network splits.

    Returns
    -------
    callable
        A rule of `classify`.

    Raises
    ------
    ValueError
        The boxes are not ``(n, 4)``.
    """
    boxes = np.asarray(boxes)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes must be (n, 4): top, left, height and width, not {boxes.shape}.")

    def rule(reading, level, rng=None):
        side = 4 * TILE * 2 ** (len(reading.bands) - 1 - level)
        _, *grid = tile_grid(reading.bands[level])
        down, across = (
            overlaps(starts, sizes, side, count)
            for starts, sizes, count in zip(boxes.T[:2], boxes.T[2:], grid, strict=True)
        )
        return down[:, :, None] * across[:, None, :]

    return rule


def overlaps(starts, sizes, side, count):
    """Return how many pixels of n intervals lie in each of `count` tiles of an axis, array (n, count)."""
    edges = np.arange(count + 1) * side
    first = np.maximum(starts[:, None], edges[:-1])
    last = np.minimum(starts[:, None] + sizes[:, None], edges[1:])
    return np.clip(last - first, 0, None)


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
        In [0, 1], the share of the finest level's tiles that are computed for each image, rounded up and at
        least 4. Coarser levels are computed as a whole, which takes a quarter of the multiplications of all:
        an object that one level passes over is lost for all finer ones.
    confidence : float
        In [0, 1]; an image whose answer has at least this probability is not read further. 1 reads on always.
    levels : int, optional
        After how many to stop; by default all levels of the network.
    rule : callable
        From a reading, a level and a random generator to the preference for each tile, array (n, tile rows,
        tile columns).
    reading : Reading, optional
        An earlier reading of the same images by the same network. It is continued with the next finer level
        and gets the same bits as a reading at once.
    seed : int
        Of a random rule.

    Returns
    -------
    Reading

    Raises
    ------
    ValueError
        An argument that is not as described, or a reading of other images.
    """
    check_shares(budget=budget, confidence=confidence)
    check_seed(seed)
    _check_kinds(network, rule)
    images = checked(as_unit_images(images).astype("float32", copy=False))
    if reading is None:
        reading = _begun(network, images, whole=levels is None and confidence == 1)
    else:
        reading = _checked_reading(reading, compiled(network).bands(images))
    for level in range(len(reading.logits), _checked_levels(levels, reading)):
        share = budget if level == len(reading.bands) - 1 else 1.0
        count = tile_count(share, tile_grid(reading.bands[level]))
        # Each level has a generator of its own, so a reading that is continued draws what one at once draws.
        rng = np.random.default_rng([seed, level])
        reading = refined(network, reading, wanted_tiles(reading, level, count, confidence, rule, rng))
    return reading


def _begun(network, images, whole):
    """Return a reading of no level, or if `whole` of all but the finest, which is faster in one call."""
    if not whole:
        return Reading(compiled(network).bands(images), [], [], [])
    bands, coarser = compiled(network).coarser(images)
    reading = Reading(bands, [], [], [])
    for scores, level in zip(coarser, bands[:-1], strict=True):
        reading = _with_level(reading, scores.numpy(), np.ones(tile_grid(level), bool))
    return reading


def _check_kinds(network, rule):
    if not isinstance(network, ScaleNetwork):
        raise ValueError(
            f"network must be a ScaleNetwork, not {type(network).__name__}; call others directly."
        )
    if not callable(rule):
        raise ValueError(f"rule must be a function such as refinement.by_evidence, not {rule!r}.")


def _checked_reading(reading, bands):
    if not isinstance(reading, Reading):
        raise ValueError(f"reading must be what classify returned, not {type(reading).__name__}.")
    pairs = zip(reading.bands, bands, strict=False)
    if len(reading.bands) != len(bands) or not all(np.array_equal(*pair) for pair in pairs):
        raise ValueError(
            "reading must be of the same images and network, but its coefficients are others; leave it out."
        )
    return reading


def _checked_levels(levels, reading):
    least, most = max(1, len(reading.logits)), len(reading.bands)
    if levels is None:
        return most
    check_counts(levels=levels)
    if not least <= levels <= most:
        raise ValueError(f"levels must be {least} to {most} for this network and reading, not {levels}.")
    return levels


def wanted_tiles(reading, level, count, confidence, rule, rng):
    """Return which tiles of a level to compute, bool array (n, tile rows, tile columns).

    Parameters
    ----------
    count : int
        How many tiles of an image to compute at most, but for the coarsest level.
    reading, level, confidence, rule, rng
        As of `classify`.

    Raises
    ------
    ValueError
        The rule returns another number of preferences than there are tiles.
    """
    shape = tile_grid(reading.bands[level])
    if not reading.logits:
        return np.ones(shape, bool)
    possible = children(reading.tiles[-1], shape)
    if confidence < 1:
        possible &= (reading.confidence < confidence)[:, None, None]
    if count >= shape[1] * shape[2]:
        return possible
    preference = np.asarray(rule(reading, level, rng))
    if preference.shape != shape:
        raise ValueError(f"A rule must return one number a tile, shape {shape}, not {preference.shape}.")
    return possible & _best(np.where(possible, preference, -np.inf), count)


def _best(preference, count):
    """Return where the `count` largest values of each image are; of equal ones the first count."""
    flat = preference.reshape(len(preference), -1)
    chosen = np.argsort(-flat, axis=1, kind="stable")[:, :count]
    best = np.zeros(flat.shape, bool)
    np.put_along_axis(best, chosen, True, axis=1)
    return best.reshape(preference.shape)


def tile_count(budget, shape):
    """Return how many tiles of a level a budget allows; the shape is that of `tile_grid`."""
    # Without the small number, 0.07 of 100 tiles would be 8.
    return max(LEAST, int(np.ceil(budget * shape[1] * shape[2] - 1e-6)))


def children(tiles, shape):
    """Return which tiles of the finer level lie in computed tiles of the coarser one."""
    _, rows, columns = shape
    return tiles.repeat(2, 1).repeat(2, 2)[:, :rows, :columns]


def refined(network, reading, tiles):
    """Return a reading with one more level; only `tiles`, a bool array of `tile_grid`, are computed."""
    return _with_level(reading, level_scores(network, reading.bands[len(reading.logits)], tiles), tiles)


def _with_level(reading, scores, tiles):
    logits = tf.reduce_logsumexp(scores, (1, 2)).numpy()
    if reading.logits:
        logits = np.logaddexp(reading.logits[-1], logits)
    return Reading(
        reading.bands, [*reading.scores, scores], [*reading.tiles, tiles], [*reading.logits, logits]
    )


def level_scores(network, bands, tiles):
    """Return the scores of a level, images of which all tiles are wanted being read as a whole.

    Arguments and result are those of `sparse_scores`.
    """
    whole = tiles.all((1, 2))
    if whole.all():
        return compiled(network).scores(bands).numpy()
    scores = sparse_scores(network, bands, tiles & ~whole[:, None, None])
    if whole.any():
        scores[whole] = compiled(network).scores(bands[whole])
    return scores


def sparse_scores(network, bands, tiles):
    """Return the scores of a level, computed in `tiles` alone.

    Parameters
    ----------
    network : ScaleNetwork
    bands : tensor
        Of a level, as of `ScaleNetwork.scores`.
    tiles : bool array, shape of `tile_grid`

    Returns
    -------
    array (n, rows / 2, columns / 2, classes)
        Minus infinity where nothing is computed.
    """
    cells = bands.shape[1] // 2, bands.shape[2] // 2
    places = np.argwhere(tiles)
    if not len(places):
        return np.full((len(tiles), *cells, network.readout.filters), -np.inf, "float32")
    more = np.resize(places, (-(-len(places) // TOGETHER) * TOGETHER, 3)).astype("int32")
    scores = compiled(network).tile_scores(bands, more).numpy()
    return _put_back(scores, places, tiles, cells, -np.inf)


class Compiled(NamedTuple):
    """What `classify` calls of a network, compiled.

    Attributes
    ----------
    bands, scores : callable
        As of `ScaleNetwork`.
    coarser : callable
        From images to the bands of all levels and a list of the scores of all but the finest.
    tile_scores : callable
        From bands of a level and places int32 (m, 3), each an image, a tile row and a tile column, to scores
        (m, TILE, TILE, classes).
    """

    bands: Callable
    scores: Callable
    coarser: Callable
    tile_scores: Callable


# Not attributes of the network, whose own methods stay plain and can be counted, saved and differentiated.
_compiled: weakref.WeakKeyDictionary[ScaleNetwork, Compiled] = weakref.WeakKeyDictionary()


def compiled(network):
    """Return the `Compiled` functions of a network, made at the first call."""
    if network not in _compiled:
        channels = network.bands(tf.zeros((1, 2, 2, 1)))[-1].shape[-1]
        # One signature for all sizes: traced for one size, results would depend in their last bits on the
        # sizes that were met before.
        images, bands = (tf.TensorSpec((None, None, None, count)) for count in (1, channels))
        own = weakref.proxy(network)  # a reference would keep the network for ever
        # There is no control flow to rewrite, and looking for some takes longer than tracing.
        compile_ = partial(tf.function, autograph=False)
        _compiled[network] = Compiled(
            compile_(lambda images: own.bands(images), [images]),
            compile_(lambda bands: own.scores(bands), [bands]),
            compile_(lambda images: _coarser(own, images), [images]),
            compile_(
                lambda bands, places: _tile_scores(own, bands, places),
                [bands, tf.TensorSpec((None, 3), tf.int32)],
            ),
        )
    return _compiled[network]


def _coarser(network, images):
    bands = network.bands(images)
    return bands, network.cells_of(bands[:-1])


def _tile_scores(network, bands, places):
    picture = network.picture(bands)
    side, before, pixels = fields(network.strides)[0]
    patches = _patches(picture, places, TILE * pixels, before, side)
    cells = tf.shape(bands)[1:3] // 2
    return network.regions(patches, _inside(network.strides, places, cells))


@cache
def fields(strides):
    """Return what each convolution reads for a tile, the first convolution first.

    Parameters
    ----------
    strides : tuple of int
        Of the convolutions, 3 x 3 each.

    Returns
    -------
    list of (int, int, int)
        Entries a side, entries before the tile, and entries of a cell a side.
    """
    found, side, before, entries = [], TILE, 0, 1
    for stride in reversed(strides):
        side, before, entries = stride * (side - 1) + 3, stride * before + 2 - stride, stride * entries
        found.append((side, before, entries))
    return found[::-1]


def _put_back(values, places, tiles, cells, elsewhere):
    """Return maps (n, rows, columns, channels) of values (m, TILE, TILE, channels) of the tiles at places."""
    maps = np.full((*tiles.shape, *values.shape[1:]), elsewhere, "float32")
    maps[tuple(places.T)] = values[: len(places)]
    return untiled(maps, *cells)


def _patches(maps, places, step, before, side):
    """Return the parts of maps (n, rows, columns, channels) that tiles and their surroundings cover.

    Parameters
    ----------
    places : int32 tensor (m, 3)
        Image, tile row and tile column.
    step, before, side : int
        Side of a tile, what is taken before it, and side of what is taken, in entries of the map.

    Returns
    -------
    tensor (m, side, side, channels)
        With zeros beyond the map.
    """
    beyond = tf.maximum(tf.reduce_max(places[:, 1:], 0) * step + side - before - tf.shape(maps)[1:3], 0)
    maps = tf.pad(maps, [[0, 0], [before, beyond[0]], [before, beyond[1]], [0, 0]])
    offsets = tf.range(side)
    rows = (places[:, 1:2] * step + offsets)[:, :, None]
    columns = (places[:, 2:] * step + offsets)[:, None, :]
    shape = tf.broadcast_dynamic_shape(tf.shape(rows), tf.shape(columns))
    index = [tf.broadcast_to(axis, shape) for axis in (places[:, :1, None], rows, columns)]
    return tf.gather_nd(maps, tf.stack(index, -1))


def _inside(strides, places, cells):
    """Return for each convolution 1 where what tiles read lies in the picture and 0 elsewhere.

    Parameters
    ----------
    cells : int32 tensor (2,)
        Rows and columns of the level.
    strides, places
        As of `fields` and `_patches`.

    Returns
    -------
    list of float32 tensors (m, side, side, 1)
    """
    found = []
    for side, before, entries in fields(strides):
        at = places[:, 1:, None] * TILE * entries + tf.range(side) - before
        down, across = tf.unstack((at >= 0) & (at < entries * cells[:, None]), axis=1)
        found.append(tf.cast((down[:, :, None] & across[:, None, :])[..., None], tf.float32))
    return found


def tile_grid(bands):
    """Return how many images and how many rows and columns of tiles there are, from a level's bands."""
    count, *sides, _ = bands.shape
    return (count, *(-(-side // (2 * TILE)) for side in sides))


def tiled(maps, side, beyond=0):
    """Return maps (n, rows, columns) as (n, tile rows, tile columns, side, side), filled up with `beyond`."""
    margins = [(0, -size % side) for size in maps.shape[1:]]
    maps = np.pad(maps, [(0, 0), *margins], constant_values=beyond)
    count, rows, columns = maps.shape
    return maps.reshape(count, rows // side, side, columns // side, side).swapaxes(2, 3)


def untiled(tiles, rows, columns):
    """Return maps (n, rows, columns, channels) of tiles (n, down, across, side, side, channels)."""
    count, down, across, side, _, channels = tiles.shape
    maps = tiles.swapaxes(2, 3).reshape(count, down * side, across * side, channels)
    return maps[:, :rows, :columns]


def count_tile_macs(network):
    """Return how many multiplications of a `ScaleNetwork` a tile takes, its halo included."""
    outputs = [side for side, _, _ in fields(network.strides)[1:]] + [TILE]
    convolutions = sum(
        9 * layer.kernel.shape[2] * layer.filters * side**2
        for layer, side in zip(network.convolutions, outputs, strict=True)
    )
    return convolutions + TILE**2 * network.convolutions[-1].filters * network.readout.filters
