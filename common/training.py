"""Training that is fast on a CPU, deterministic, and resumes after a kill with the same bits.

A whole epoch runs inside one `tf.function`, so Python runs once an epoch. The order of the examples derives
from ``(seed, epoch)``. All other state of the training (weights, optimizer, seeds of dropout layers) is in
variables, which `common.checkpoints` saves.
"""

from collections.abc import Callable
from os import PathLike
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import ops
from numpy.typing import ArrayLike

from common.arguments import are_probabilities, check_unmasked
from common.checkpoints import resumable
from common.validation import as_labels, check_counts, check_seed, is_finite

BATCH_SIZE = 128
PROBED = 8  # images whose outputs show whether model and loss fit each other
INTEGER_LOSS = "keras.losses.SparseCategoricalCrossentropy"


def fit(
    model: keras.Model,
    train: tuple[ArrayLike, ArrayLike],
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    epochs: int,
    seed: int,
    batch_size: int = BATCH_SIZE,
    validate_every: int = 1,
    checkpoint: str | PathLike[str] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Train a compiled classifier and return its history.

    Parameters
    ----------
    model : keras.Model
        Maps images to ``(n, classes)``; compiled with an optimizer and a loss of integer labels, as by
        `compile_classifier`.
    train, validation : (images, labels)
        Images ``(n, ...)`` are finite floats; labels ``(n,)`` are integers below the number of classes.
    epochs, batch_size : int
        At least 1. If `batch_size` does not divide the number of images, the last batch is smaller.
    seed : int
        Determines the order of the examples; initialisers and dropout have their own seeds.
    validate_every : int
        Number of epochs, at least 1, between measurements on `validation`.
    checkpoint : path, optional
        File that receives the state after every epoch. If it exists, training continues from it, with the
        bits of an uninterrupted run.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row for each epoch: epoch (from 1), loss and accuracy (means over the epoch while training), and
        validation_loss and validation_accuracy, which are NaN for epochs without validation.

    Raises
    ------
    ValueError
        Images, labels or numbers that are not as described, a loss that takes other labels, a learning rate
        that is not positive or has fallen to 0 before an epoch, weights or a loss that are NaN, or a
        checkpoint that is damaged, of another run, or of more epochs.
    """
    check_counts(epochs=epochs, batch_size=batch_size, validate_every=validate_every)
    check_seed(seed)
    train = _checked(model, train, "train")
    validation = None if validation is None else _checked(model, validation, "validation")
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    _require_finite(variables)
    measure_epoch = _epoch_measurement(model, train, validation, seed, batch_size, validate_every)
    settings = {
        "data": train, "validation data": validation, "validate_every": validate_every, "model": model,
        "loss": model.loss, "optimizer": model.optimizer, "seed": seed, "batch size": batch_size,
    }  # fmt: skip
    return resumable(measure_epoch, variables, epochs, settings, checkpoint, progress)


def _require_finite(variables: list[keras.Variable]) -> None:
    if not all(is_finite(variable.value) for variable in variables if "float" in variable.dtype):
        raise ValueError(
            "The weights of the model hold NaN or infinity before the training; build a new model."
        )


def _epoch_measurement(model, train, validation, seed, batch_size, validate_every):
    """Return a function that trains one epoch, numbered from 0, and returns its row of the history."""
    images, labels = train
    run_epoch = epoch_function(model, batch_size)
    tensors = tf.constant(images), tf.constant(labels, "int64")  # argmax returns int64

    def measure_epoch(epoch):
        if not float(model.optimizer.learning_rate) > 0:
            raise ValueError(
                f"The learning rate is {float(model.optimizer.learning_rate):g} before epoch {epoch + 1}; "
                "compile the model anew with a positive rate, and a schedule over as many steps as there are "
                "batches in all epochs."
            )
        order = np.random.default_rng([seed, epoch]).permutation(len(images)).astype("int32")
        loss, accuracy = run_epoch(*tensors, order)
        row = {"epoch": epoch + 1, "loss": float(loss), "accuracy": float(accuracy)}
        if validation is not None and (epoch + 1) % validate_every == 0:
            loss, accuracy = _evaluated(model, *validation)
            row |= {"validation_loss": loss, "validation_accuracy": accuracy}
        return row

    return measure_epoch


def epoch_function(model: keras.Model, batch_size: int) -> Callable[..., Any]:
    """Return ``run_epoch(images, labels, order)``, which trains one epoch and returns (loss, accuracy).

    Its arguments are unchecked tensors; `order` holds the int32 indices of the training examples. Both
    results are means over these examples, measured while the weights change.
    """

    # The data are arguments, because TensorFlow never frees what a function has captured.
    @tf.function
    def run_epoch(images, labels, order):
        count = len(order)
        loss_sum, correct = tf.constant(0.0), tf.constant(0)
        for start in tf.range(0, count, batch_size):
            chosen = order[start : start + batch_size]
            x, y = tf.gather(images, chosen), tf.gather(labels, chosen)
            with tf.GradientTape() as tape:
                logits = model(x, training=True)
                loss = model.compute_loss(x, y, logits)
            gradients = tape.gradient(loss, model.trainable_variables)
            model.optimizer.apply(gradients, model.trainable_variables)
            loss_sum += tf.cast(loss, "float32") * tf.cast(len(chosen), "float32")
            correct += tf.math.count_nonzero(tf.argmax(logits, -1) == y, dtype=tf.int32)
        return loss_sum / count, correct / count

    return run_epoch


def compile_classifier(model: keras.Model, learning_rate: float, steps: int) -> None:
    """Compile a model for `fit` with Adam and a cosine schedule from `learning_rate` to 0 over `steps`."""
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss)


def evaluate(
    model: keras.Model, images: ArrayLike, labels: ArrayLike, batch_size: int = 1000
) -> tuple[float, float]:
    """Return (mean loss, accuracy) of a compiled classifier on images and labels as `fit` takes them.

    Raises
    ------
    ValueError
        `fit` would refuse the images, the labels or the loss.
    """
    check_counts(batch_size=batch_size)
    images, labels = _checked(model, (images, labels), "the data")
    loss, accuracy = _evaluated(model, images, labels, batch_size)
    if not np.isfinite(loss):
        raise ValueError(f"The loss is {loss}, because the outputs of the model are not finite.")
    return loss, accuracy


def _evaluated(model, images, labels, batch_size=1000):
    logits = model.predict(images, batch_size, verbose=0)
    loss = model.compute_loss(y=tf.constant(labels), y_pred=logits, training=False)
    return float(loss), float(np.mean(np.argmax(logits, axis=-1) == labels))


def _checked(model, pair, name):
    """Return images and labels as arrays, or raise ValueError if they or the model do not fit together."""
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ValueError(f"{name} must be a pair (images, labels), not {type(pair).__name__}.")
    images, labels = pair
    check_unmasked(images, f"The images of {name}")
    images = np.asarray(images)
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"The images of {name} must be floating point, not {images.dtype}; use .as_float().")
    if not images.size:
        raise ValueError(f"{name} holds no images.")
    if not is_finite(images):
        raise ValueError(f"The images of {name} must be finite, but they hold NaN or infinity.")
    return images, as_labels(labels, len(images), _classes(model, images[:PROBED]), f"labels of {name}")


def _classes(model, images):
    """Return the number of classes of a model; raise ValueError if its loss does not fit."""
    if not model.compiled or model.loss is None:
        raise ValueError(f"Compile the model with an optimizer and {INTEGER_LOSS}(from_logits=True).")
    _check_loss(model.loss)
    _check_shape(model, images.shape[1:])
    outputs = model(images, training=False)
    if isinstance(outputs, list | tuple | dict) or len(outputs.shape) != 2 or outputs.shape[1] < 2:
        raise ValueError(
            "The model must return one output a class, (n, classes); two classes need two outputs and "
            f"{INTEGER_LOSS}."
        )
    _check_scale(model.loss, ops.convert_to_numpy(outputs))
    return outputs.shape[1]


def _check_shape(model, shape):
    """Raise ValueError if images have another shape than the model is known to take."""
    known = getattr(model, "input_shape", None)
    wanted = known[1:] if isinstance(known, tuple) else shape
    if len(wanted) != len(shape) or any(a not in (None, b) for a, b in zip(wanted, shape, strict=True)):
        raise ValueError(f"The model takes images of the shape {wanted}, not {shape}.")


def _check_loss(loss):
    """Raise ValueError for a loss of Keras that does not take integer labels."""
    kind = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    of_keras = isinstance(loss, str) or loss.__module__.startswith("keras.")
    if of_keras and kind.replace("_", "").lower() != "sparsecategoricalcrossentropy":
        raise ValueError(f"The loss {kind} does not take integer labels; compile with {INTEGER_LOSS}.")


def _check_scale(loss, outputs):
    """Raise ValueError if the loss expects logits but the model returns probabilities, or vice versa."""
    from_logits = isinstance(loss, keras.losses.Loss) and loss.get_config().get("from_logits", False)
    probable = are_probabilities(outputs)
    of_keras = isinstance(loss, str | keras.losses.SparseCategoricalCrossentropy)
    if of_keras and probable == from_logits:
        given, right = ("probabilities", "False") if probable else ("logits", "True")
        raise ValueError(f"The model returns {given}; compile with {INTEGER_LOSS}(from_logits={right}).")
