"""Training on streamed scenes: every step draws a canvas and a new batch, small canvases first.

A network that pools over places learns slowly at first where there are many places. So the training begins
with the smallest canvas and adds one after the other. Everything random derives from the seed and the step,
so a run that was killed continues with the same bits.
"""

from functools import cache, partial
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from common.arguments import as_labels, check_counts, check_shares
from common.checkpoints import resumable
from common.validation import as_unit_images, check_seed
from wavelet_based_dnn.refinement import LEAST, TILE
from wavelet_based_dnn.scale_network import ScaleNetwork, answers
from wavelet_based_dnn.scenes import DYNAMIC, Clutter, draw_scenes

CANVASES = ((28, 28), (40, 40), (56, 56), (48, 72), (80, 80), (64, 112), (112, 112))
WARM_UP = 0.05  # of the steps
FIRST = 0.15  # of the canvases, at the beginning
GROWING = 0.4  # of the steps, after which all canvases are drawn
BATCH_SIZE = 64
STEPS_A_ROW = 100  # of the history and from one checkpoint to the next
NOTHING = -1e9  # the score of cells that are not computed
LEAST_BUDGET = 0.05  # of a level's tiles, of which training computes a random share in half of the steps


class Schedule(NamedTuple):
    """What decides a training besides the network, the images and the seed.

    Attributes
    ----------
    steps : int
        Batches of 64 scenes, a multiple of 100.
    learning_rate : float
        Of Adam: it rises from 0 over a twentieth of the steps and falls along a cosine to 0.
    canvases : tuple of (int, int)
        In the order in which they join the training.
    clutter : scenes.Clutter
    coarse_weight : float
        Of the mean loss of all levels but the finest, whose weight is 1.
    """

    steps: int
    learning_rate: float = 4e-3
    canvases: tuple = CANVASES
    clutter: Clutter = DYNAMIC
    coarse_weight: float = 0.5


def train_on_scenes(network, images, labels, schedule, *, seed, checkpoint=None, progress=False):
    """Train a classifier on scenes drawn from images and return its history.

    Parameters
    ----------
    network : keras.Model
        From images of any size to a list of logits, the finest level last. A `ScaleNetwork` computes, in half
        of the steps, only a random share of the tiles of each level, chosen as `refinement.by_evidence` does.
    images : array, shape (n, 28, 28, 1)
        Float, in [0, 1].
    labels : array of int, shape (n,)
    schedule : Schedule
    seed : int
        Decides the scenes, the canvases and the shares.
    checkpoint, progress
        As of `common.training.fit`.

    Returns
    -------
    pandas.DataFrame
        One row for 100 steps: epoch (from 1) and loss, the mean cross-entropy of the finest level in nats.

    Raises
    ------
    ValueError
        Images, labels or a schedule that are not as described, or a checkpoint of another run.
    """
    check_seed(seed)
    _check_schedule(schedule)
    images = as_unit_images(images).astype("float32", copy=False)
    labels = as_labels(labels, len(images), network(np.zeros((1, 28, 28, 1), "float32"))[-1].shape[-1])
    optimizer = _build_optimizer(network, schedule)
    step = _step_on(network, optimizer, schedule.coarse_weight)

    def measure_row(row):
        losses = []
        for number in range(row * STEPS_A_ROW, (row + 1) * STEPS_A_ROW):
            canvas, budget = _drawn(schedule, seed, number)
            scenes = draw_scenes(
                images, labels, BATCH_SIZE, canvas, seed=(seed, number), clutter=schedule.clutter
            )
            losses.append(step(canvas)(tf.constant(scenes.images), tf.constant(scenes.labels), budget))
        return {"epoch": row + 1, "loss": float(np.mean(losses))}

    variables = [*network.variables, *optimizer.variables]
    settings = schedule._asdict() | {
        "clutter": schedule.clutter._asdict(),
        "canvases": list(schedule.canvases),
    }
    settings |= {"data": [images, labels], "model": network, "seed": seed}
    return resumable(measure_row, variables, schedule.steps // STEPS_A_ROW, settings, checkpoint, progress)


def _check_schedule(schedule):
    check_counts(steps=schedule.steps)
    check_shares(coarse_weight=schedule.coarse_weight)
    if schedule.steps % STEPS_A_ROW:
        raise ValueError(f"steps must be a multiple of {STEPS_A_ROW}, not {schedule.steps}.")
    if not 0 < schedule.learning_rate < np.inf:
        raise ValueError(f"learning_rate must be a positive number, not {schedule.learning_rate!r}.")


def _build_optimizer(network, schedule):
    warm_up = int(WARM_UP * schedule.steps)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, schedule.steps - warm_up, warmup_target=schedule.learning_rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build(network.trainable_variables)
    return optimizer


def _drawn(schedule, seed, number):
    """Return the canvas of a step and the share of tiles that it computes."""
    rng = np.random.default_rng([seed, number, 1])
    share = FIRST + (1 - FIRST) * number / (GROWING * schedule.steps)
    known = max(1, int(np.ceil(min(share, 1) * len(schedule.canvases))))
    budget = 1.0 if rng.random() < 0.5 else rng.uniform(LEAST_BUDGET, 1)
    return schedule.canvases[rng.integers(known)], np.float32(budget)


def _step_on(network, optimizer, coarse_weight):
    """Return the function from a canvas to its compiled step, which returns the loss of the finest level."""

    def step(images, labels, budget):
        with tf.GradientTape() as tape:
            sparse = isinstance(network, ScaleNetwork)
            logits = read_within(network, images, budget) if sparse else network(images, training=True)
            losses = [
                tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, one)) for one in logits
            ]
            *others, finest = losses
            total = finest + (coarse_weight * tf.add_n(others) / len(others) if others else 0)
        slopes = zip(
            tape.gradient(total, network.trainable_variables), network.trainable_variables, strict=True
        )
        # An image of a single level does not reach what joins levels.
        reached = [(slope, weight) for slope, weight in slopes if slope is not None]
        optimizer.apply(*zip(*reached, strict=True))
        return finest

    return cache(lambda canvas: tf.function(partial(step)))


def read_within(network, images, budget):
    """Return the logits of a `ScaleNetwork` that counts only a share of each level's tiles.

    It gives what `refinement.classify` does with this budget, but computes all cells and drops some, so that
    a graph of fixed shapes can be trained.

    Parameters
    ----------
    network : ScaleNetwork
    images : tensor, shape (n, height, width, 1)
    budget : float32 tensor
        In (0, 1].
    """
    features, scores, kept = None, [], None
    for bands in network.bands(images):
        features = network.features(bands, features)
        found = network.scores(features)
        if scores:
            kept = _chosen_cells(scores[-1], kept, found.shape, budget)
            features = tf.where(kept, features, 0.0)
            found = tf.where(kept, found, NOTHING)
        scores.append(found)
    return answers(scores)


def _chosen_cells(coarser, kept, shape, budget):
    """Return which cells of a level lie in the chosen tiles, (n, rows, columns, 1)."""
    evidence = tf.reduce_logsumexp(coarser, -1, keepdims=True)
    rows, columns = (-(-side // TILE) for side in shape[1:3])
    half = TILE // 2
    margins = [
        [0, count * half - side] for count, side in zip((rows, columns), evidence.shape[1:3], strict=True)
    ]
    filled = tf.pad(evidence, [[0, 0], *margins, [0, 0]], constant_values=NOTHING)
    best = tf.nn.max_pool2d(filled, half, half, "VALID")
    flat = tf.reshape(best, (-1, rows * columns))
    count = tf.maximum(LEAST, tf.cast(tf.math.ceil(budget * rows * columns), "int32"))
    least = tf.sort(flat, 1, "DESCENDING")[:, tf.minimum(count, rows * columns) - 1]
    chosen = best >= least[:, None, None, None]
    if kept is not None:
        chosen &= best > NOTHING / 2
    return tf.repeat(tf.repeat(chosen, TILE, 1), TILE, 2)[:, : shape[1], : shape[2]]
