"""A network that is told the box: how well an object can be recognised once it is found."""

from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from common.arguments import as_labels
from common.checkpoints import resumable
from common.seeded import HE, initial_seeds, seeded
from common.validation import as_unit_images, check_seed
from wavelet_based_dnn.scale_network import CLASSES
from wavelet_based_dnn.scene_training import BATCH_SIZE, STEPS_A_ROW, build_optimizer
from wavelet_based_dnn.scenes import draw_scenes, interpolation

SIDE = 28  # pixels of a crop


def build_boxed_network(seed=0):
    """Return an untrained network from crops ``(n, 28, 28, 1)`` to logits ``(n, 10)``.

    Four convolutions of 3 x 3 with two poolings and a dense layer; the seed is that of the initial weights.
    """
    seeds = initial_seeds(seed)
    convolution = partial(seeded, layers.Conv2D, seeds, initializer=HE)
    return keras.Sequential([
        keras.Input((SIDE, SIDE, 1)),
        convolution(32, 3, activation="relu"), convolution(32, 3, activation="relu"), layers.MaxPool2D(),
        convolution(64, 3, activation="relu"), convolution(64, 3, activation="relu"), layers.MaxPool2D(),
        layers.Flatten(),
        seeded(layers.Dense, seeds, 128, activation="relu", initializer=HE),
        seeded(layers.Dense, seeds, CLASSES),
    ])  # fmt: skip


def crops(scenes):
    """Return the true boxes of a `scenes.SceneSet`, resized, float32 array (n, 28, 28, 1)."""
    found = []
    for image, (top, left, height, width) in zip(scenes.images[..., 0], scenes.boxes, strict=True):
        part = image[top : top + height, left : left + width]
        found.append(interpolation(height, SIDE) @ part @ interpolation(width, SIDE).T)
    return np.stack(found)[..., np.newaxis]


def train_on_crops(network, images, labels, schedule, *, seed, checkpoint=None):
    """Train a network on the true boxes of the scenes that `scene_training` would draw.

    Parameters
    ----------
    network : keras.Model
        Of `build_boxed_network`.
    images, labels, schedule, seed, checkpoint
        As of `scene_training.train_on_scenes`, but every canvas is drawn from the first step on.

    Returns
    -------
    pandas.DataFrame
        One row for 100 steps: epoch (from 1) and loss, the mean cross-entropy in nats.

    Raises
    ------
    ValueError
        As of `scene_training.train_on_scenes`.
    """
    check_seed(seed)
    images = as_unit_images(images).astype("float32", copy=False)
    labels = as_labels(labels, len(images), CLASSES)
    optimizer = build_optimizer(network, schedule)

    @tf.function(autograph=False)
    def step(found, wanted):
        with tf.GradientTape() as tape:
            errors = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, network(found, training=True))
            loss = tf.reduce_mean(errors)
        weights = network.trainable_variables
        optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    def measure_row(row):
        found = []
        for number in range(row * STEPS_A_ROW, (row + 1) * STEPS_A_ROW):
            canvas = schedule.canvases[
                np.random.default_rng([seed, number, 1]).integers(len(schedule.canvases))
            ]
            scenes = draw_scenes(
                images, labels, BATCH_SIZE, canvas, seed=(seed, number), clutter=schedule.clutter
            )
            found.append(step(tf.constant(crops(scenes)), tf.constant(scenes.labels)))
        return {"epoch": row + 1, "loss": float(np.mean(found))}

    variables = [*network.variables, *optimizer.variables]
    settings = schedule._asdict() | {"data": [images, labels], "model": network, "seed": seed}
    return resumable(measure_row, variables, schedule.steps // STEPS_A_ROW, settings, checkpoint)
