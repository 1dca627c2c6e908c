"""One way to train for every class of method, so that comparisons differ in nothing else.

Adam (Kingma & Ba 2015, arXiv:1412.6980) in batches of 128; the learning rate rises linearly over the first
tenth of the steps, against trainings that never leave their first plateau, and falls to 0 along a cosine
(Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts); gradients are clipped to the global norm 1.
After every epoch of the last half the network is validated, and the weights of the best of these epochs stay.

With soft targets the loss is that of distillation (Hinton, Vinyals & Dean 2015, arXiv:1503.02531).
"""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import ops

from common.arguments import as_labels, check_counts, check_seed
from common.training import BATCH_SIZE
from common.validation import Tensor

TEMPERATURE = 2.0  # of the distillation; not tuned
CLIP = 1.0  # global norm of the gradients
WARM_UP = 10  # one of so many steps
PREDICTED = 1000  # images at once


class Examples(NamedTuple):
    """What a network learns from, or is validated on.

    Attributes
    ----------
    inputs : array, ``(n, ...)``
        What the network sees, floating point.
    labels : array, ``(n,)``
        Integers.
    soft : array, ``(n, classes)``, optional
        Logits of a teacher on the same examples.
    images : array, ``(n, height, width, channels)``, optional
        What the image of a network should be.
    """

    inputs: np.ndarray
    labels: np.ndarray
    soft: np.ndarray | None = None
    images: np.ndarray | None = None


class _Goal(NamedTuple):
    """What a training is for: the loss first among what is measured, and the epoch that is kept."""

    columns: tuple[str, ...]  # names of the measures
    measures: Callable[[Tensor, Mapping[str, Tensor]], tuple[Tensor, ...]]  # of outputs; means over a batch
    validate: Callable[[], dict[str, float]]
    score: Callable[[dict[str, float]], float]  # of a row of the history; the largest is kept
    with_images: bool  # whether the examples need images


def fit(
    model: keras.Model,
    examples: Callable[[int], Examples],
    validation: Examples,
    *,
    epochs: int,
    learning_rate: float,
    seed: int,
    image_weight: float = 0.0,
) -> pd.DataFrame:
    """Train a classifier and return its history; its weights become those of the best validated epoch.

    Parameters
    ----------
    model : keras.Model
        Maps inputs to logits ``(n, classes)``, or to a dict of "logits" and "image".
    examples : callable
        Takes the epoch, counted from 0, and returns its examples: the same in all epochs, or others as often,
        such as the same images with fresh noise. Soft targets or images are in all epochs or in none.
    validation : Examples
        Only the inputs and labels matter.
    epochs : int
    learning_rate : float
        The highest, reached after a tenth of the steps.
    seed : int
        Decides the order of the examples, as in `common.training.fit`.
    image_weight : float
        Of the mean squared error of the image, which is added to the loss of the labels.

    Returns
    -------
    pandas.DataFrame
        One row an epoch: epoch (from 1), loss and accuracy (means over the epoch while training),
        validation_loss (cross-entropy) and validation_accuracy, which are NaN in the first half, and kept:
        whether these are the weights that the model has now, those of the best validation accuracy and, among
        equals, of the earliest epoch.

    Raises
    ------
    ValueError
        Labels, inputs or numbers that are not as described; an image weight without images; or a loss that
        becomes NaN or infinite.
    """
    if not image_weight >= 0:
        raise ValueError(f"image_weight must be at least 0, not {image_weight!r}.")
    goal = _classification(model, validation, image_weight)
    return _fitted(model, examples, goal, epochs, learning_rate, seed)


def fit_images(
    model: keras.Model,
    examples: Callable[[int], Examples],
    validation: Examples,
    *,
    epochs: int,
    learning_rate: float,
    seed: int,
) -> pd.DataFrame:
    """Train a network from inputs to images by their mean squared error, as `fit` trains a classifier.

    All examples need images; their labels do not matter. Arguments and errors are those of `fit`. The history
    has the columns epoch, loss, validation_loss (both mean squared errors) and kept: the epoch of the lowest
    validation loss.
    """
    goal = _reconstruction(model, validation)
    return _fitted(model, examples, goal, epochs, learning_rate, seed)


def decisions(model: keras.Model, inputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return for each input, ``(n, ...)``, whether the largest logit is that of its label: bool, ``(n,)``."""
    logits = _logits(model.predict(inputs, PREDICTED, verbose=0))
    return np.argmax(logits, axis=-1) == as_labels(labels, len(logits), logits.shape[1])


def classification_loss(logits: Tensor, labels: Tensor, soft: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy of labels, or a mean of it and of the distance to a teacher.

    With a teacher the loss is ``CE / 2 + T^2 KL(softmax(soft / T) || softmax(logits / T)) / 2``, T =
    `TEMPERATURE`; the factor T^2 keeps the gradients of both parts of one size (Hinton et al. 2015,
    section 2).

    Parameters
    ----------
    logits : tensor, ``(n, classes)``
    labels : tensor, ``(n,)``
    soft : tensor, ``(n, classes)``, optional
        Logits of the teacher.
    """
    hard = ops.mean(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))
    if soft is None:
        return hard
    teacher, student = (ops.log_softmax(z / TEMPERATURE, axis=-1) for z in (soft, logits))
    divergence = ops.mean(ops.sum(ops.exp(teacher) * (teacher - student), axis=-1))
    return (hard + TEMPERATURE**2 * divergence) / 2


def schedule(learning_rate: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate by step: a linear rise over the first tenth of the steps, then a cosine to 0.

    With w = max(1, steps // 10), the rate at step s, counted from 0, is ``learning_rate / w`` at s = 0, the
    highest at s = w, and would be 0 at s = `steps`.
    """
    rising = max(1, steps // WARM_UP)
    falling = max(1, steps - rising)
    return keras.optimizers.schedules.CosineDecay(
        learning_rate / rising, falling, warmup_target=learning_rate, warmup_steps=rising
    )


def _classification(model: keras.Model, validation: Examples, image_weight: float) -> _Goal:
    labels = _tensors(validation, len(validation.labels), with_images=False)["labels"]

    def measures(outputs: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        logits = _logits(outputs)
        loss = classification_loss(logits, batch["labels"], batch.get("soft"))
        if image_weight:
            loss += image_weight * ops.mean(ops.square(outputs["image"] - batch["images"]))
        return loss, ops.mean(ops.cast(tf.argmax(logits, axis=-1) == batch["labels"], "float32"))

    def validate() -> dict[str, float]:
        logits = _logits(model.predict(validation.inputs, PREDICTED, verbose=0))
        right = np.argmax(logits, axis=-1) == validation.labels
        loss = float(classification_loss(logits, labels))
        return {"validation_loss": loss, "validation_accuracy": float(right.mean())}

    columns, score = ("loss", "accuracy"), itemgetter("validation_accuracy")
    return _Goal(columns, measures, validate, score, bool(image_weight))


def _reconstruction(model: keras.Model, validation: Examples) -> _Goal:
    _tensors(validation, len(validation.inputs), with_images=True)

    def measures(outputs: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor]:
        return (ops.mean(ops.square(outputs - batch["images"])),)

    def validate() -> dict[str, float]:
        images = model.predict(validation.inputs, PREDICTED, verbose=0)
        return {"validation_loss": float(np.square(images - validation.images).mean(dtype="float64"))}

    return _Goal(("loss",), measures, validate, lambda row: -row["validation_loss"], with_images=True)


def _fitted(
    model: keras.Model,
    examples: Callable[[int], Examples],
    goal: _Goal,
    epochs: int,
    learning_rate: float,
    seed: int,
) -> pd.DataFrame:
    """Train for all epochs, give the model the weights of the best one, and return the history."""
    check_counts(epochs=epochs)
    check_seed(seed)
    if not learning_rate > 0:
        raise ValueError(f"learning_rate must be a positive number, not {learning_rate!r}.")
    first = examples(0)
    train = _epoch_training(model, goal, learning_rate, epochs, len(first.labels), seed)
    rows, best, kept, weights = [], -np.inf, 0, model.get_weights()
    for epoch in range(epochs):
        row = train(epoch, examples(epoch) if epoch else first)
        if 2 * (epoch + 1) > epochs:
            row |= goal.validate()
            if goal.score(row) > best:
                best, kept, weights = goal.score(row), epoch + 1, model.get_weights()
        _require_finite(row)
        rows.append(row)
    model.set_weights(weights)
    return pd.DataFrame(rows).assign(kept=lambda history: history["epoch"] == kept)


def _epoch_training(
    model: keras.Model, goal: _Goal, learning_rate: float, epochs: int, count: int, seed: int
) -> Callable[[int, Examples], dict[str, float]]:
    """Return a function that trains one epoch, numbered from 0, and returns its row of the history."""
    rates = schedule(learning_rate, epochs * -(-count // BATCH_SIZE))
    run_epoch = _epoch_function(model, keras.optimizers.Adam(rates, global_clipnorm=CLIP), goal)

    def train(epoch: int, examples: Examples) -> dict[str, float]:
        order = np.random.default_rng([seed, epoch]).permutation(count).astype("int32")
        means = run_epoch(_tensors(examples, count, goal.with_images), order)
        named = zip(goal.columns, np.asarray(means).tolist(), strict=True)
        return {"epoch": epoch + 1, **dict(named)}

    return train


def _epoch_function(
    model: keras.Model, optimizer: keras.Optimizer, goal: _Goal
) -> Callable[[dict[str, Tensor], Tensor], Tensor]:
    """Return a function that trains on a dict of tensors in an order, and returns the mean measures."""
    optimizer.build(model.trainable_variables)

    # The data are arguments, because TensorFlow never frees what a function has captured.
    @tf.function
    def run_epoch(examples, order):
        sums = tf.zeros(len(goal.columns))
        for start in tf.range(0, len(order), BATCH_SIZE):
            chosen = order[start : start + BATCH_SIZE]
            batch = {name: tf.gather(values, chosen) for name, values in examples.items()}
            sums += _step(model, optimizer, goal, batch) * tf.cast(len(chosen), "float32")
        return sums / len(order)

    return run_epoch


def _step(model: keras.Model, optimizer: keras.Optimizer, goal: _Goal, batch: Mapping[str, Tensor]) -> Tensor:
    """Change the weights once, and return what was measured before."""
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        measured = goal.measures(model(batch["inputs"], training=True), batch)
    gradients = tape.gradient(measured[0], variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    # Keras would square the parts of a sparse gradient, as of the weights of a filter that occur several
    # times in its matrix, before it adds them up.
    optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)
    return tf.stack([tf.cast(mean, "float32") for mean in measured])


def _logits(outputs: Tensor) -> Tensor:
    """Return the logits among the outputs of a classifier."""
    return outputs["logits"] if isinstance(outputs, dict) else outputs


def _tensors(given: Examples, count: int, with_images: bool) -> dict[str, Tensor]:
    """Return the tensors of checked examples by name; ValueError unless all of them are complete."""
    if with_images and given.images is None:
        raise ValueError("This training needs examples with images.")
    arrays = {name: values for name, values in given._asdict().items() if values is not None}
    if {len(values) for values in arrays.values()} != {count}:
        sizes = ", ".join(f"{len(values):,} {name}" for name, values in arrays.items())
        raise ValueError(f"There must be {count:,} examples in every epoch, but there are {sizes}.")
    tensors = {"labels": tf.constant(as_labels(arrays.pop("labels"), count), "int64")}
    for name, values in arrays.items():
        if not np.issubdtype(values.dtype, np.floating) or not np.isfinite(values).all():
            raise ValueError(f"The {name} must be finite floating-point numbers.")
        tensors[name] = tf.constant(values)
    return tensors


def _require_finite(row: dict[str, float]) -> None:
    """Raise ValueError if a number of the history is NaN or infinite."""
    wrong = [f"{name} is {value}" for name, value in row.items() if not np.isfinite(value)]
    if wrong:
        raise ValueError(f"In epoch {row['epoch']} {' and '.join(wrong)}; train with a lower learning rate.")
