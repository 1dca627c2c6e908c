"""Training that is fast on a CPU, deterministic, and resumes after a kill with the same bits.

A whole epoch runs inside one `tf.function`, so Python is entered once an epoch. The order of the examples
derives from ``(seed, epoch)``; everything else that training changes (weights, optimizer state, the seed
state of dropout layers) lives in variables, and one atomic file holds them all with the history.
"""

import io
import json
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm.auto import tqdm

from common.experiments import write_atomically

BATCH_SIZE = 128


def fit(
    model,
    train,
    validation=None,
    *,
    epochs,
    seed,
    batch_size=BATCH_SIZE,
    validate_every=1,
    checkpoint=None,
    progress=False,
):
    """Train a compiled classifier and return its history.

    Parameters
    ----------
    model : keras.Model
        Compiled with an optimizer and a loss; its output is compared with integer labels.
    train, validation : (images, labels)
        Arrays of equal length; images float, labels int.
    epochs, batch_size : int
        The last batch of an epoch is smaller when `batch_size` does not divide the number of images.
    seed : int
        Decides the order of the examples; the model's own initialisers and dropout have their own seeds.
    validate_every : int
        Number of epochs from one measurement on `validation` to the next.
    checkpoint : path, optional
        File that receives the state after every epoch. If it exists, training continues from it, and the
        result is bit-identical to that of an uninterrupted run.
    progress : bool
        Show a bar.

    Returns
    -------
    pandas.DataFrame
        One row an epoch: epoch (from 1), loss and accuracy (means over the epoch, while training), and
        validation_loss, validation_accuracy, which are NaN after epochs without that measurement.

    Raises
    ------
    ValueError
        Lengths that differ, or a checkpoint that is damaged, of another run, or of more epochs.
    """
    model.optimizer.build(model.trainable_variables)
    measure_epoch = _epoch_measurement(model, train, validation, seed, batch_size, validate_every)
    variables = [*model.variables, *model.optimizer.variables]
    settings = {
        "seed": seed,
        "batch_size": batch_size,
        "examples": len(train[0]),
        # Keras numbers the names of the optimizers it makes.
        "optimizer": repr(model.optimizer.get_config() | {"name": None}),
    }
    return resumable(measure_epoch, variables, epochs, settings, checkpoint, progress)


def _epoch_measurement(model, train, validation, seed, batch_size, validate_every):
    """Return the function of the epoch, from 0, that trains it and returns its row of the history."""
    images, labels = _checked(train, "train")
    validation = None if validation is None else _checked(validation, "validation")
    run_epoch = epoch_function(model, batch_size)
    tensors = tf.constant(images), tf.constant(labels, "int64")  # which argmax returns

    def measure_epoch(epoch):
        order = np.random.default_rng([seed, epoch]).permutation(len(images)).astype("int32")
        loss, accuracy = run_epoch(*tensors, order)
        row = {"epoch": epoch + 1, "loss": float(loss), "accuracy": float(accuracy)}
        if validation is not None and (epoch + 1) % validate_every == 0:
            loss, accuracy = evaluate(model, *validation)
            row |= {"validation_loss": loss, "validation_accuracy": accuracy}
        return row

    return measure_epoch


def epoch_function(model, batch_size):
    """Return ``run_epoch(images, labels, order)``, which trains one epoch and returns (loss, accuracy).

    The arguments are tensors; `order` holds the indices of the examples to train on, int32. Both results are
    means over them, measured while the weights change.
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


def compile_classifier(model, learning_rate, steps):
    """Compile for `fit`: Adam with a cosine schedule from `learning_rate` to 0 over `steps`."""
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss)


def evaluate(model, images, labels, batch_size=1000):
    """Return (mean loss, accuracy) of a compiled classifier on arrays, as floats."""
    logits = model.predict(images, batch_size, verbose=0)
    loss = model.compute_loss(y=tf.constant(labels), y_pred=logits, training=False)
    return float(loss), float(np.mean(np.argmax(logits, axis=-1) == labels))


def resumable(measure_epoch, variables, epochs, settings, checkpoint=None, progress=False):
    """Call ``measure_epoch(epoch)`` for every epoch not yet done and return the rows as a DataFrame.

    Parameters
    ----------
    measure_epoch : callable
        Takes the epoch's index from 0, changes nothing but `variables`, and returns a dict of numbers.
    variables : list of keras.Variable
        The whole state.
    settings : dict
        JSON values that tell this run from others; a checkpoint with different ones is refused.
    checkpoint : path, optional
        The file described in `fit`.
    """
    history = [] if checkpoint is None else _restore(checkpoint, variables, settings, epochs)
    for epoch in tqdm(range(len(history), epochs), initial=len(history), total=epochs, disable=not progress):
        history.append(measure_epoch(epoch))
        if checkpoint is not None:
            _save(checkpoint, variables, settings, history)
    return pd.DataFrame(history)


def _checked(arrays, name):
    images, labels = arrays
    if len(images) != len(labels) or len(images) == 0:
        raise ValueError(f"{name} holds {len(images)} images and {len(labels)} labels.")
    return images, labels


def _save(path, variables, settings, history):
    arrays = {str(i): variable.numpy() for i, variable in enumerate(variables)}
    file = io.BytesIO()
    np.savez(file, about=json.dumps({"settings": settings, "history": history}), **arrays)
    write_atomically(path, file.getvalue())


def _restore(path, variables, settings, epochs):
    if not Path(path).exists():
        return []
    try:
        # From memory, because numpy leaves a damaged file open.
        content = Path(path).read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.testzip():
                raise zipfile.BadZipFile  # before numpy parses what is damaged
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            values = [arrays[str(i)] for i in range(len(arrays.files) - 1)]
    except (ValueError, KeyError, OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{Path(path).name} is not a whole checkpoint; delete it to start again.") from error
    shapes = [tuple(variable.shape) for variable in variables]
    if about["settings"] != json.loads(json.dumps(settings)) or [value.shape for value in values] != shapes:
        raise ValueError(f"{Path(path).name} belongs to another run; delete it or name another file.")
    if len(about["history"]) > epochs:
        raise ValueError(f"{Path(path).name} is further than epoch {epochs}; delete it or name another file.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return about["history"]
