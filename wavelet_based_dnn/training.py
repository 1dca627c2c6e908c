"""Training at many sizes at once: every step draws one, and the finest level teaches the others.

Everything random derives from the seed and the epoch, so a run that was killed continues with the same bits.
"""

from functools import cache, partial
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from common.arguments import check_counts, check_shares
from common.checkpoints import resumable
from common.validation import as_labels, as_unit_images, check_seed
from wavelet_based_dnn.models import CLASSES
from wavelet_based_dnn.resampling import resample

TRAINING_IMAGES = 55_000  # the other training images are for validation
WARM_UP = 0.1  # of the steps


class Schedule(NamedTuple):
    """What decides a training besides the network, the images, the sizes and the seed.

    Attributes
    ----------
    epochs : int
        Passes over the images, each seen at one size a pass; the rest that does not fill a batch is left out.
    learning_rate : float
        Of Adam: it rises from 0 over a tenth of the steps and falls along a cosine to 0.
    distillation : float
        Share of the finest level's probabilities in what the other levels learn; the rest is the label
        (Hinton et al. 2015, arXiv:1503.02531, with temperature 1).
    largest_teaches : bool
        Whether every batch is also seen at the largest size, which then teaches the size drawn: the
        distillation of RS-Nets (Wang et al. 2020, arXiv:2007.09558) with one pair of sizes a step.
    batch_size : int
    """

    epochs: int
    learning_rate: float
    distillation: float = 0.5
    largest_teaches: bool = False
    batch_size: int = 128


def train(model, images, labels, sizes, schedule, *, seed, checkpoint=None, progress=False):
    """Train a classifier at random sizes and return its history.

    Parameters
    ----------
    model : keras.Model
        One of `models`: from images of any size to a list of logits, the finest last.
    images : array, shape (n, height, width, 1)
        Float, in [0, 1].
    labels : array of int, shape (n,)
    sizes : sequence of int
        In pixels a side; each step resamples its batch to one of them, all equally likely.
    schedule : Schedule
    seed : int
        Decides the order of the images and the sizes.
    checkpoint, progress
        As of `common.training.fit`.

    Returns
    -------
    pandas.DataFrame
        One row an epoch: epoch (from 1) and loss, the mean cross-entropy of the finest level in nats.

    Raises
    ------
    ValueError
        Images, labels, sizes or a schedule that are not as described, fewer images than a batch, or a
        checkpoint of another run.
    """
    check_seed(seed)
    _check_schedule(schedule, sizes)
    images = as_unit_images(images).astype("float32", copy=False)
    labels = as_labels(labels, len(images), CLASSES)
    batches = len(images) // schedule.batch_size
    if not batches:
        raise ValueError(f"A batch needs {schedule.batch_size} images, but there are {len(images)}.")
    optimizer = _build_optimizer(model, schedule, schedule.epochs * batches)
    step = _step_at(model, optimizer, schedule, max(sizes))
    tensors = tf.constant(images), tf.constant(labels)

    def measure_epoch(epoch):
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(images)).astype("int32")[: batches * schedule.batch_size]
        drawn = rng.choice(sizes, batches)
        chosen = order.reshape(batches, -1)
        losses = [step(int(size))(*tensors, batch) for size, batch in zip(drawn, chosen, strict=True)]
        return {"epoch": epoch + 1, "loss": float(np.mean(losses))}

    variables = [*model.variables, *optimizer.variables]
    data = {"data": [images, labels], "sizes": list(sizes)}
    settings = schedule._asdict() | data | {"model": model, "seed": seed}
    return resumable(measure_epoch, variables, schedule.epochs, settings, checkpoint, progress)


def _check_schedule(schedule, sizes):
    if not isinstance(sizes, list | tuple) or not sizes:
        raise ValueError(f"sizes must be a list of at least one size, not {sizes!r}.")
    for size in sizes:
        check_counts(size=size)
    check_counts(epochs=schedule.epochs, batch_size=schedule.batch_size)
    check_shares(distillation=schedule.distillation)
    if not 0 < schedule.learning_rate < np.inf:
        raise ValueError(f"learning_rate must be a positive number, not {schedule.learning_rate!r}.")


def _build_optimizer(model, schedule, steps):
    warm_up = int(WARM_UP * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up, warmup_target=schedule.learning_rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build(model.trainable_variables)
    return optimizer


def _step_at(model, optimizer, schedule, largest):
    """Return the function from a size to its compiled step, which returns the loss of the finest level."""

    def step(data, targets, chosen, size):
        images, labels = tf.gather(data, chosen), tf.gather(targets, chosen)
        views = [size, largest] if schedule.largest_teaches else [size]
        with tf.GradientTape() as tape:
            logits = [one for view in views for one in model(resample(images, view, view), training=True)]
            finest, total = losses(logits, labels, schedule.distillation)
        weights = model.trainable_variables
        # A small image reaches neither the weights of the finest levels nor those of other sizes.
        slopes = zip(tape.gradient(total, weights), weights, strict=True)
        reached = [(slope, weight) for slope, weight in slopes if slope is not None]
        optimizer.apply(*zip(*reached, strict=True))
        return finest

    return cache(lambda size: tf.function(partial(step, size=size)))


def losses(logits, labels, distillation):
    """Return the cross-entropy of the finest level and what a training minimises, in nats.

    The latter adds to it the mean over the other levels of their cross-entropy, a share of it with the
    probabilities of the finest level in place of the labels; that level does not feel it.

    Parameters
    ----------
    logits : list of tensors (n, classes)
        Of all levels, the finest last.
    labels : tensor of int, shape (n,)
    distillation : float
        The share, in [0, 1].
    """
    *others, finest = logits
    of_labels = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, finest))
    if not others:
        return of_labels, of_labels
    targets = tf.one_hot(labels, finest.shape[-1]) * (1 - distillation)
    targets += tf.stop_gradient(tf.nn.softmax(finest)) * distillation
    of_others = [tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, one)) for one in others]
    return of_labels, of_labels + tf.add_n(of_others) / len(others)
