"""Training by one loss, for the networks that have no opponent: the label generator and the autoencoder."""

import keras
import numpy as np
import tensorflow as tf

from common.checkpoints import resumable
from common.validation import check_counts, check_seed


def minimise(loss, models, arrays, *, epochs, learning_rate, batch_size, seed):
    """Minimise a loss by Adam with a cosine schedule and return the history.

    Parameters
    ----------
    loss : callable
        Takes the step (tensor, int32) and a batch of each of `arrays`; returns a scalar tensor.
    models : list of keras.Model
        Whose weights are trained.
    arrays : list of array
        Of equal length.
    epochs, batch_size : int
        The rest that does not fill a batch is left out of an epoch.
    seed : int
        Of the order of the examples.

    Returns
    -------
    pandas.DataFrame
        One row an epoch: epoch (from 1) and loss, its mean while training.

    Raises
    ------
    ValueError
        Arrays of unequal length or fewer examples than a batch, numbers out of their range, or a loss that
        is NaN.
    """
    check_counts(epochs=epochs, batch_size=batch_size)
    check_seed(seed)
    count = min(map(len, arrays))
    if max(map(len, arrays)) > count or count < batch_size:
        lengths = " and ".join(str(len(array)) for array in arrays)
        raise ValueError(f"Arrays of equal length, at least {batch_size}, are needed, not {lengths}.")
    steps = count // batch_size
    weights = [weight for model in models for weight in model.trainable_variables]
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, epochs * steps))
    optimizer.build(weights)
    tensors = [tf.constant(array, "float32") for array in arrays]

    @tf.function
    def run_epoch(tensors, order):
        total = 0.0
        for chosen in order:
            with tf.GradientTape() as tape:
                batch = [tf.gather(tensor, chosen) for tensor in tensors]
                value = loss(tf.cast(optimizer.iterations, "int32"), *batch)
            optimizer.apply(tape.gradient(value, weights), weights)
            total += value
        return total / steps

    def measure_epoch(epoch):
        order = shuffled_batches(count, batch_size, seed, epoch)
        return {"epoch": epoch + 1, "loss": float(run_epoch(tensors, order))}

    return resumable(measure_epoch, [], epochs, {})


def shuffled_batches(count, batch_size, seed, epoch):
    """Return the indices of an epoch's batches, int32 of shape (count // batch_size, batch_size)."""
    order = np.random.default_rng([seed, epoch]).permutation(count)
    return order[: count // batch_size * batch_size].reshape(-1, batch_size).astype("int32")
