"""Training by one loss, for the networks that have no opponent: the label generator and the autoencoder."""

import keras
import numpy as np
import tensorflow as tf

from common.checkpoints import resumable
from common.validation import check_counts, check_seed

AVERAGED_OVER = 1_000  # steps, the time constant of the averaged weights


def minimise(loss, models, arrays, *, epochs, learning_rate, batch_size, seed, after_epoch=None, averaged=()):
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
    after_epoch : callable, optional
        From the number of an epoch, from 0, to further numbers of its row, as a dict (`BestEpoch`).
    averaged : list of keras.Model, optional
        Equal to `models`; they get the averaged weights (`update_average`).

    Returns
    -------
    pandas.DataFrame
        One row an epoch: epoch (from 1), loss, its mean while training, and what `after_epoch` returned.

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
    pairs = list(zip(averaged, models, strict=True)) if averaged else []

    @tf.function
    def run_epoch(tensors, order):
        total = 0.0
        for chosen in order:
            step = tf.cast(optimizer.iterations, "int32")
            with tf.GradientTape() as tape:
                batch = [tf.gather(tensor, chosen) for tensor in tensors]
                value = loss(step, *batch)
            optimizer.apply(tape.gradient(value, weights), weights)
            for average, model in pairs:
                update_average(average, model, step)
            total += value
        return total / steps

    def measure_epoch(epoch):
        order = shuffled_batches(count, batch_size, seed, epoch)
        row = {"epoch": epoch + 1, "loss": float(run_epoch(tensors, order))}
        return row if after_epoch is None else row | after_epoch(epoch)

    return resumable(measure_epoch, [], epochs, {})


class BestEpoch:
    """Keeps the weights of the epoch with the least distance, as `training.train_gan` does.

    Parameters
    ----------
    models : list of keras.Model
        Whose weights are kept.
    distance : callable
        Takes nothing; returns the present distance from validation images.
    epochs, every : int
        Of the training, and from one validation to the next; the last epoch is always validated.
    """

    def __init__(self, models, distance, epochs, every):
        self.models, self.distance, self.epochs, self.every = models, distance, epochs, every
        self.least, self.weights = np.inf, None

    def __call__(self, epoch):
        """Return a dict of the distance after an epoch, from 0; an empty one if it is not validated."""
        if not is_validated(epoch, self.epochs, self.every):
            return {}
        distance = float(self.distance())
        if distance < self.least:
            self.least, self.weights = distance, [model.get_weights() for model in self.models]
        return {"distance": distance}

    def restore(self):
        """Give the models the weights of the best epoch."""
        for model, weights in zip(self.models, self.weights, strict=True):
            model.set_weights(weights)


def is_validated(epoch, epochs, every):
    """Return whether an epoch, counted from 0, is validated: each `every`-th and the last."""
    return (epoch + 1) % every == 0 or epoch + 1 == epochs


def shuffled_batches(count, batch_size, seed, epoch):
    """Return the indices of an epoch's batches, int32 of shape (count // batch_size, batch_size)."""
    order = np.random.default_rng([seed, epoch]).permutation(count)
    return order[: count // batch_size * batch_size].reshape(-1, batch_size).astype("int32")


def update_average(averaged, model, step):
    """Move averaged weights towards the present ones.

    For the first `AVERAGED_OVER` steps the result is the plain mean over the steps, from 0 to `step`; then it
    forgets exponentially.
    """
    share = tf.maximum(1 / AVERAGED_OVER, 1 / (tf.cast(step, "float32") + 1))
    for average, present in zip(averaged.variables, model.variables, strict=True):
        average.assign_add(tf.cast(share, average.dtype) * (present - average))
