"""Training on streamed scenes: every step draws a canvas and a new batch, small canvases first.

The loss asks which class is shown where. It is minus the log of the share that the cells on the object give
to its class, of all that all cells give to all classes. Without the boxes, a network that pools over places
takes twice as many steps to the same loss (one seed, MNIST). Besides the answer of all levels together, each
level is asked alone: otherwise levels left to each other what they did not read themselves, and three of
three trainings among dense clutter never learned (MNIST). Small canvases come first because their steps are
cheap. Everything random derives from the seed and the step, so a run that was killed continues with the same
bits.
"""

from functools import cache
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from common.arguments import as_labels, check_counts
from common.checkpoints import resumable
from common.validation import as_unit_images, check_seed
from wavelet_based_dnn.refinement import LEAST, TILE
from wavelet_based_dnn.scale_network import ScaleNetwork
from wavelet_based_dnn.scenes import DYNAMIC, Clutter, draw_scenes

CANVASES = ((28, 28), (40, 40), (56, 56), (48, 72), (80, 80), (64, 112), (136, 136))
WARM_UP = 0.05  # of the steps
KNOWN = ((0.08, 1), (0.7, 3), (1.0, None))  # up to which share of the steps, how many canvases are drawn
BATCH_SIZE = 32
STEPS_A_ROW = 100  # of the history and from one checkpoint to the next
NOTHING = -1e9  # the score of cells that are not computed
LEAST_BUDGET = 0.05  # of the finest level's tiles
LEVEL_WEIGHTS = (0.1, 0.3, 0.5, 0.5)  # of the levels' own losses; the finest's is the last
SPARSE_STEPS = 0.75  # of the steps compute a random share of the tiles, log-uniform from the least budget


class Schedule(NamedTuple):
    """What decides a training besides the network, the images and the seed.

    Attributes
    ----------
    steps : int
        Batches of 32 scenes, a multiple of 100.
    learning_rate : float
        Of Adam: it rises from 0 over a twentieth of the steps and falls along a cosine to 0.
    canvases : tuple of (int, int)
        The first alone is drawn in the first twelfth of the steps, the first three in seven tenths of the
        steps, and then all.
    clutter : scenes.Clutter
    level_weights : tuple of float
        Of the losses of levels that answer alone, the finest's last; the loss of all together has weight 1.
        Empty for a network without levels to tell apart.
    """

    steps: int
    learning_rate: float = 3e-3
    canvases: tuple = CANVASES
    clutter: Clutter = DYNAMIC
    level_weights: tuple = LEVEL_WEIGHTS


def train_on_scenes(network, images, labels, schedule, *, seed, drop=True, checkpoint=None, progress=False):
    """Train a classifier on scenes drawn from images and return its history.

    Parameters
    ----------
    network : keras.Model
        A `ScaleNetwork` or one of `rivals`, with the methods `cells` and `cell_sides`.
    images : array, shape (n, 28, 28, 1)
        Float, in [0, 1].
    labels : array of int, shape (n,)
    schedule : Schedule
    seed : int
        Decides the scenes, the canvases and the shares.
    drop : bool
        Whether a `ScaleNetwork` computes, in three quarters of the steps, only a random share of the tiles of
        the finest level, chosen as `refinement.by_evidence` does. Other networks always compute all.
    checkpoint, progress
        As of `common.training.fit`.

    Returns
    -------
    pandas.DataFrame
        One row for 100 steps: epoch (from 1) and loss, that of all levels together, the mean over the steps,
        in nats.

    Raises
    ------
    ValueError
        Images, labels or a schedule that are not as described, or a checkpoint of another run.
    """
    check_seed(seed)
    images = as_unit_images(images).astype("float32", copy=False)
    _check_schedule(schedule, images, labels)
    labels = as_labels(labels, len(images), _count_classes(network))
    optimizer = build_optimizer(network, schedule)
    step = _step_on(network, optimizer, schedule.level_weights, drop and isinstance(network, ScaleNetwork))

    def measure_row(row):
        losses = []
        for number in range(row * STEPS_A_ROW, (row + 1) * STEPS_A_ROW):
            canvas, budget = _drawn(schedule, seed, number)
            scenes = draw_scenes(
                images, labels, BATCH_SIZE, canvas, seed=(seed, number), clutter=schedule.clutter
            )
            boxes = scenes.boxes.astype("float32")
            losses.append(step(canvas)(*map(tf.constant, (scenes.images, scenes.labels, boxes, budget))))
        return {"epoch": row + 1, "loss": float(np.mean(losses))}

    variables = [*network.variables, *optimizer.variables]
    settings = schedule._asdict() | {
        "data": [images, labels],
        "model": network,
        "seed": seed,
        "drop": drop,
    }
    return resumable(measure_row, variables, schedule.steps // STEPS_A_ROW, settings, checkpoint, progress)


def _check_schedule(schedule, images, labels):
    if not isinstance(schedule, Schedule):
        raise ValueError(f"schedule must be a Schedule, such as Schedule(steps=1000), not {schedule!r}.")
    check_counts(steps=schedule.steps)
    _check_weights(schedule.level_weights)
    if schedule.steps % STEPS_A_ROW:
        raise ValueError(f"steps must be a multiple of {STEPS_A_ROW}, not {schedule.steps}.")
    if not 0 < schedule.learning_rate < np.inf:
        raise ValueError(f"learning_rate must be a positive number, not {schedule.learning_rate!r}.")
    if not isinstance(schedule.canvases, list | tuple) or not schedule.canvases:
        raise ValueError(f"canvases must be at least one (height, width), not {schedule.canvases!r}.")
    for canvas in schedule.canvases:  # the last of them joins late, so a trial finds now what is wrong
        draw_scenes(images, labels, 1, canvas, seed=0, clutter=schedule.clutter)


def _check_weights(weights):
    if not isinstance(weights, tuple) or not all(weight > 0 for weight in weights):
        raise ValueError(f"level_weights must be a tuple of positive numbers, not {weights!r}.")


def _count_classes(network):
    if not hasattr(network, "cells"):
        raise ValueError(
            f"network must be a ScaleNetwork or one of rivals, not a {type(network).__name__}; "
            "its method `cells` gives the scores of places."
        )
    return network(np.zeros((1, 28, 28, 1), "float32"))[-1].shape[-1]


def build_optimizer(network, schedule):
    """Return Adam with the learning rates of a `Schedule` and clipped gradients, built for a network."""
    warm_up = int(WARM_UP * schedule.steps)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, schedule.steps - warm_up, warmup_target=schedule.learning_rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=1.0)
    optimizer.build(network.trainable_variables)
    return optimizer


def _drawn(schedule, seed, number):
    """Return the canvas of a step and the share of tiles that it computes."""
    rng = np.random.default_rng([seed, number, 1])
    known = next(count for share, count in KNOWN if number < share * schedule.steps)
    budget = LEAST_BUDGET ** rng.random() if rng.random() < SPARSE_STEPS else 1.0
    canvases = schedule.canvases[:known]
    return canvases[rng.integers(len(canvases))], np.float32(budget)


def _step_on(network, optimizer, level_weights, drop):
    """Return the function from a canvas to its compiled step, which returns the loss that `history` shows."""

    def step(images, labels, boxes, budget):
        with tf.GradientTape() as tape:
            scores = cells_within(network, images, budget) if drop else network.cells(images)
            levels = list(zip(scores, network.cell_sides(images), strict=True))
            loss = loss_of(levels, labels, boxes)
            alone = zip(level_weights[::-1], levels[::-1], strict=False)  # a network may have fewer levels
            total = loss + sum(weight * loss_of([level], labels, boxes) for weight, level in alone)
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(total, variables), variables)
        return loss

    # There is no control flow to rewrite, and looking for some takes longer than tracing.
    return cache(lambda canvas: tf.function(step, autograph=False))


def loss_of(levels, labels, boxes):
    """Return how little some levels together say that this class is shown at this place.

    Parameters
    ----------
    levels : list of (tensor (n, rows, columns, classes), (float, float))
        Scores of the cells of a level, and height and width of a cell in pixels.
    labels : int tensor (n,)
    boxes : float tensor (n, 4)
        Top, left, height and width of the object in pixels.

    Returns
    -------
    scalar tensor
        In nats, the mean over scenes. ``-log(sum exp(s of the label on the object) / sum exp(all s))``, over
        the cells of the levels; a cell is on the object where it overlaps the box. A scene counts as 0 if no
        cell on its object was computed: there is nothing to learn from it.
    """
    found, wanted = [], []
    for scores, side in levels:
        of_label = tf.gather(scores, labels, axis=-1, batch_dims=1)
        on_object = tf.where(_overlapping(boxes, side, scores.shape), of_label, NOTHING)
        found.append(tf.reduce_logsumexp(scores, (1, 2, 3)))
        wanted.append(tf.reduce_logsumexp(on_object, (1, 2)))
    found, wanted = tf.reduce_logsumexp(found, 0), tf.reduce_logsumexp(wanted, 0)
    return tf.reduce_mean(tf.where(wanted > NOTHING / 2, found - wanted, 0.0))


def _overlapping(boxes, side, shape):
    """Return which cells of a level overlap the boxes, bool tensor (n, rows, columns)."""
    along = []
    for axis, length in enumerate(side):
        start = tf.range(shape[1 + axis], dtype="float32") * length
        first, size = boxes[:, axis, None], boxes[:, axis + 2, None]
        along.append((start + length > first) & (start < first + size))
    return along[0][:, :, None] & along[1][:, None, :]


def cells_within(network, images, budget):
    """Return the scores of a `ScaleNetwork` that counts only a share of the finest level's tiles.

    It gives what `refinement.classify` does with this budget, but computes all cells and drops some, so that
    a graph of fixed shapes can be trained.

    Parameters
    ----------
    network : ScaleNetwork
    images : tensor, shape (n, height, width, 1)
        Float, of known shape.
    budget : float32 tensor
        In (0, 1].

    Returns
    -------
    list of tensors (n, rows, columns, classes)
        The coarsest level first; -1e9 where a cell is dropped.
    """
    *coarser, finest = network.cells(images)
    if not coarser:
        return [finest]
    return [*coarser, tf.where(_chosen_cells(coarser[-1], finest.shape, budget), finest, NOTHING)]


def _chosen_cells(coarser, shape, budget):
    """Return which cells of a level of this shape lie in the chosen tiles, bool tensor (n, rows, columns, 1).

    `coarser` holds the scores of the coarser level, (n, rows, columns, classes).
    """
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
    # Of equal tiles the first count, as in `refinement`; top_k promises that order.
    rank = tf.argsort(tf.math.top_k(flat, rows * columns).indices)
    chosen = tf.reshape(rank < count, tf.shape(best))
    return tf.repeat(tf.repeat(chosen, TILE, 1), TILE, 2)[:, : shape[1], : shape[2]]
