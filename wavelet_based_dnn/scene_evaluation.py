"""What a network is worth on scenes of images that it has never seen."""

import numpy as np
import tensorflow as tf
from scipy.special import logsumexp

from wavelet_based_dnn.boxed import crops
from wavelet_based_dnn.refinement import (
    TILE,
    by_boxes,
    classify,
    tile_count,
    tile_grid,
    tiled,
    wanted_tiles,
)
from wavelet_based_dnn.scale_network import LEVELS
from wavelet_based_dnn.scenes import DYNAMIC, SceneSet, draw_scenes, interpolation

PIXELS = 1_500_000  # of a batch
BATCH = 100  # scenes at most, and the unit of seeds


def scene_batches(images, labels, count, canvas, seed, clutter=DYNAMIC, pixels=PIXELS):
    """Yield `count` scenes in batches; equal arguments yield equal scenes.

    Parameters
    ----------
    images, labels, canvas, clutter
        As of `scenes.draw_scenes`.
    count : int
        A multiple of 100.
    seed : int
    pixels : int
        Of a batch, at most, but for batches of 10.
    """
    size = next(s for s in (100, 50, 25, 10) if s * canvas[0] * canvas[1] <= pixels or s == 10)
    for start in range(count // BATCH):
        scenes = draw_scenes(images, labels, BATCH, canvas, seed=(seed, start), clutter=clutter)
        for first in range(0, BATCH, size):
            yield SceneSet(*(part[first : first + size] for part in scenes))


def right_answers(network, scenes):
    """Return whether each level is right on each scene of an iterable of `SceneSet`, bool (levels, n)."""
    compiled = tf.function(network, reduce_retracing=True, autograph=False)
    found = [[level.numpy().argmax(-1) == one.labels for level in compiled(one.images)] for one in scenes]
    return np.concatenate(found, axis=1)


def right_on_boxes(network, scenes):
    """Return whether a network that is told the box is right on each scene, bool (n,)."""
    return np.concatenate([network(crops(one)).numpy().argmax(-1) == one.labels for one in scenes])


def resized(images, side):
    """Yield an `ImageSet` in batches as scenes of one object that fills the canvas, without clutter."""
    weights = interpolation(images.images.shape[1], side)
    for first in range(0, len(images.images), BATCH):
        part = images[first : first + BATCH]
        found = np.clip(weights @ part.as_float()[..., 0] @ weights.T, 0, 1)[..., np.newaxis]
        yield SceneSet(found, part.labels, np.tile([0, 0, side, side], (len(found), 1)))


def routed(network, scenes, rules, budgets, seed=0):
    """Return what is right with a share of the finest level's tiles, chosen by rules.

    All tiles are computed once. Then each rule and budget counts those that it chooses, which gives the
    answers of `refinement.classify`: a tile has the same scores there.

    Parameters
    ----------
    network : ScaleNetwork
    scenes : iterable of SceneSet
    rules : dict from str to callable
        As of `refinement.classify`, or "boxes": the true boxes decide.
    budgets : sequence of float
        As of `refinement.classify`.
    seed : int
        Of random rules.

    Returns
    -------
    dict from str to bool array (budgets, n)
    """
    found = {name: [] for name in rules}
    for number, one in enumerate(scenes):
        reading, level = classify(network, one.images, levels=LEVELS - 1), LEVELS - 1
        of_tiles, grid = _tile_logits(network.scores(reading.bands[level])), tile_grid(reading.bands[level])
        for name, rule in rules.items():
            chosen, classes = by_boxes(one.boxes) if rule == "boxes" else rule, []
            for budget in budgets:
                rng = np.random.default_rng([1_000 * seed + number, level])
                tiles = wanted_tiles(reading, level, tile_count(budget, grid), 1, chosen, rng)
                classes.append(_with_tiles(reading.logits[-1], of_tiles, tiles).argmax(-1))
            found[name].append(np.array(classes) == one.labels)
    return {name: np.concatenate(right, axis=1) for name, right in found.items()}


def _tile_logits(scores):
    """Return the log-sum-exp of the scores (n, rows, columns, classes) of each tile's cells.

    Returns
    -------
    array (n, tiles, classes)
    """
    scores = np.moveaxis(np.asarray(scores), -1, 1)
    cells = tiled(scores.reshape(-1, *scores.shape[2:]), TILE, -np.inf)
    return np.moveaxis(logsumexp(cells, (3, 4)).reshape(*scores.shape[:2], -1), 1, -1)


def _with_tiles(logits, of_tiles, tiles):
    """Return logits (n, classes) with the tiles of a bool array (n, tile rows, tile columns) added."""
    kept = np.where(tiles.reshape(len(tiles), -1, 1), of_tiles, -np.inf)
    return logsumexp(np.concatenate([logits[:, np.newaxis], kept], 1), 1)


def stopped(network, scenes, settings):
    """Read scenes at several settings and return what is right and what it takes.

    Parameters
    ----------
    network : ScaleNetwork
    scenes : iterable of SceneSet
    settings : sequence of dict
        Each with `budget`, `confidence` or `levels`, as of `refinement.classify`.

    Returns
    -------
    right : bool array (settings, n)
    tiles : float array (settings, levels)
        Mean number of tiles computed for a scene; 0 at levels that are not read.
    """
    right, tiles = [], []
    for one in scenes:
        readings = [classify(network, one.images, **setting) for setting in settings]
        right.append([reading.classes == one.labels for reading in readings])
        tiles.append([[level.sum() for level in _all_levels(reading)] for reading in readings])
    right = np.concatenate(right, axis=1)
    return right, np.sum(tiles, axis=0) / right.shape[1]


def _all_levels(reading):
    """Return the tiles computed of all levels that there are."""
    return [*reading.tiles, *(np.zeros(1) for _ in reading.bands[len(reading.tiles) :])]
