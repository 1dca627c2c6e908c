"""Adversarial training: a generator and a discriminator, updated together from the same batch.

`train_gan` is the recipe of this study, R3GAN's (Huang et al. 2024, arXiv:2501.05441) for small networks: a
relativistic loss with penalties R1 and R2, no normalisation layers, Adam without momentum, averaged weights.
Everything random derives from the seed and the step, so a run that was killed continues with the same bits.
"""

from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from common.checkpoints import resumable
from common.validation import as_unit_images, check_counts, check_seed
from gan.minimising import is_validated, shuffled_batches, update_average
from gan.models import OCTAVES, WIDTH, build_discriminator, build_generator

TRAINING_IMAGES = 55_000  # the other training images are for validation
EPOCHS = 8
PENALTY_EVERY = 4  # steps
LEAST_PENALTY = 0.1  # of its weight, at the end of the cosine


class Relativistic:
    """Each real image is compared with a generated one (Jolicoeur-Martineau 2018, arXiv:1807.00734)."""

    @staticmethod
    def of_discriminator(real, generated):
        """Return the mean cross-entropy of the guess which one of a pair is real, from logits ``(n, 1)``."""
        return tf.reduce_mean(tf.nn.softplus(generated - real))

    @staticmethod
    def of_generator(real, generated):
        """Return the same with the roles exchanged."""
        return tf.reduce_mean(tf.nn.softplus(real - generated))


class NonSaturating:
    """The loss of Goodfellow et al. 2014 (arXiv:1406.2661, section 3) and of DCGAN."""

    @staticmethod
    def of_discriminator(real, generated):
        """Return the mean cross-entropy of real against generated, from logits ``(n, 1)``."""
        return tf.reduce_mean(tf.nn.softplus(-real) + tf.nn.softplus(generated)) / 2

    @staticmethod
    def of_generator(real, generated):
        """Return the cross-entropy of generated images called real."""
        return tf.reduce_mean(tf.nn.softplus(-generated))


LOSSES = {"relativistic": Relativistic, "non-saturating": NonSaturating}
PENALTIES = ("none", "R1", "R1 + R2")
LOSS_NAMES = ("discriminator_loss", "generator_loss")


class Recipe(NamedTuple):
    """What decides an adversarial training besides the networks, the images and the seed.

    Attributes
    ----------
    loss : key of `LOSSES`
    penalty : one of `PENALTIES`
        On the discriminator's squared gradient norm at real images, R1, and also at generated ones, R2
        (Mescheder et al. 2018, arXiv:1801.04406, equations 9 and 10), every 4 steps with 4 times the weight
        (Karras et al. 2020, arXiv:1912.04958, appendix B).
    penalty_weight : float
        At the beginning; it falls along a cosine to a tenth.
    learning_rate : float
        Of the generator's Adam, at the beginning; it falls along a cosine to 0.
    lead : float
        How many times as large the discriminator's is; two time scales, Heusel et al. 2017, arXiv:1706.08500.
    momentum : float
        Adam's beta 1.
    batch_size : int
    normalised : bool
        Whether both networks have batch normalisations.
    width : int
        Filters of the discriminator's first layer, which decide how much it can tell.
    """

    loss: str = "relativistic"
    penalty: str = "R1 + R2"
    penalty_weight: float = 1.0
    learning_rate: float = 3.5e-4
    lead: float = 2.0
    momentum: float = 0.0
    batch_size: int = 16
    normalised: bool = False
    width: int = WIDTH


# The last is DCGAN's (Radford et al. 2016, arXiv:1511.06434, sections 3 and 4), for networks of this size.
RECIPES = {
    "R3GAN": Recipe(),
    "weak penalty": Recipe(penalty_weight=0.2),
    "wide": Recipe(width=2 * WIDTH),
    "wide, weak penalty": Recipe(width=2 * WIDTH, penalty_weight=0.2),
    "R1 alone": Recipe(penalty="R1"),
    "no penalty": Recipe(penalty="none"),
    "penalty of 100": Recipe(penalty_weight=100.0),
    "non-saturating, R1 + R2": Recipe(loss="non-saturating"),
    "non-saturating, R1": Recipe(loss="non-saturating", penalty="R1"),
    "non-saturating, no penalty": Recipe(loss="non-saturating", penalty="none"),
    "DCGAN": Recipe(
        loss="non-saturating",
        penalty="none",
        learning_rate=2e-4,
        lead=1.0,
        momentum=0.5,
        batch_size=128,
        normalised=True,
    ),
}


class Trained(NamedTuple):
    """What `train_gan` returns.

    Attributes
    ----------
    best : keras.Model
        The generator with the averaged weights of its best epoch: the result.
    last : keras.Model
        The generator with the weights of the last step, not averaged: what the discriminator played against.
    discriminator : keras.Model
    history : pandas.DataFrame
        One row an epoch: epoch (from 1), discriminator_loss, generator_loss (means over the epoch, in nats),
        and, of the epochs that were validated, distance and, if asked for, distance_not_averaged.
    """

    best: keras.Model
    last: keras.Model
    discriminator: keras.Model
    history: pd.DataFrame


def train_gan(
    images, latent_size, recipe=RECIPES["R3GAN"], *, epochs=EPOCHS, seed, octaves=OCTAVES, checkpoint=None,
    validate=None, validate_every=1, judge_last=True, watch=None,
):  # fmt: skip
    """Train a generator of `images` from uniform points.

    Parameters
    ----------
    images : array, shape (n, 28, 28, 1)
        Float, in [0, 1].
    latent_size : int
        Dimension of the points, which are uniform on [-1, 1]^latent_size.
    recipe : Recipe
    epochs : int
        Passes over `images`; the rest that does not fill a batch is left out.
    seed : int
        Decides the initial weights, the order of the images and the points.
    octaves : int
        Of the generator (`models.build_generator`).
    checkpoint : path, optional
        As in `common.training.fit`.
    validate : callable, optional
        A metric: from a generator to its distance from validation images. The averaged weights of the
        validated epoch with the least distance are the result; without it, those of the last epoch.
    validate_every : int
        Epochs from one validation to the next; the last epoch is always validated.
    judge_last : bool
        Whether `validate` also judges the weights that are not averaged, for the history alone.
    watch : callable, optional
        ``watch(averaged, last)`` is called with both generators after every epoch; its result is ignored.

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        The recipe's loss or penalty is unknown, images or numbers are not as described, there are fewer
        images than a batch, `validate` or a loss is NaN, or the checkpoint is of another run.
    """
    check_counts(latent_size=latent_size, epochs=epochs, validate_every=validate_every)
    check_seed(seed)
    images = as_unit_images(images).astype("float32", copy=False)
    _check(recipe, images)
    averaged, best, generator, discriminator = players(latent_size, recipe, octaves, seed)
    steps = epochs * (len(images) // recipe.batch_size)
    optimizers = build_optimizers(generator, discriminator, recipe, steps)
    train = adversarial_epoch(averaged, generator, discriminator, optimizers, recipe, seed)
    least, data = tf.Variable(np.inf), tf.constant(images)

    def measure_epoch(epoch):
        losses = train(data, shuffled_batches(len(images), recipe.batch_size, seed, epoch), steps)
        judged = validate is not None and is_validated(epoch, epochs, validate_every)
        distances = _distances(validate, averaged, generator if judge_last else None) if judged else {}
        unjudged = -epoch if validate is None else np.inf  # without a metric the last epoch is the best
        _keep_best(distances.get("distance", unjudged), least, best, averaged)
        if watch is not None:
            watch(averaged, generator)
        return {"epoch": epoch + 1} | dict(zip(LOSS_NAMES, map(float, losses), strict=True)) | distances

    stateful = (averaged, best, generator, discriminator, *optimizers)
    variables = [least, *(variable for owner in stateful for variable in owner.variables)]
    settings = recipe._asdict() | {
        "data": images, "latent size": latent_size, "epochs": epochs, "seed": seed, "generator": generator,
        "discriminator": discriminator, "validated": validate is not None and [validate_every, judge_last],
    }  # fmt: skip
    history = resumable(measure_epoch, variables, epochs, settings, checkpoint)
    return Trained(best, generator, discriminator, history)


def players(latent_size, recipe, octaves, seed):
    """Return three equal generators, of averaged, best and last weights, and the discriminator."""
    options = {"normalised": recipe.normalised, "octaves": octaves}
    generators = (build_generator(latent_size, [seed, 0], **options) for _ in range(3))
    return *generators, build_discriminator([seed, 1], recipe.normalised, recipe.width)


def _distances(validate, averaged, last):
    """Return the distance of the averaged weights and, if they are given, of the last ones."""
    distances = {"distance": float(validate(averaged))}
    return distances if last is None else distances | {"distance_not_averaged": float(validate(last))}


def _keep_best(distance, least, best, averaged):
    """Copy the weights of `averaged` to `best` if its distance is the least so far."""
    if distance < least:
        least.assign(distance)
        best.set_weights(averaged.get_weights())


def _check(recipe, images):
    if recipe.loss not in LOSSES or recipe.penalty not in PENALTIES:
        raise ValueError(
            f"loss must be one of {', '.join(LOSSES)} and penalty one of {', '.join(PENALTIES)}, "
            f"not {recipe.loss!r} and {recipe.penalty!r}."
        )
    if len(images) < recipe.batch_size:
        raise ValueError(f"A batch needs {recipe.batch_size} images, but there are {len(images)}.")


def build_optimizers(generator, discriminator, recipe, steps):
    """Return the Adams of both players, the generator's first, for a training of `steps`."""
    rates = recipe.learning_rate, recipe.lead * recipe.learning_rate
    optimizers = []
    for model, rate in zip((generator, discriminator), rates, strict=True):
        schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
        optimizers.append(keras.optimizers.Adam(schedule, beta_1=recipe.momentum, beta_2=0.99))
        optimizers[-1].build(model.trainable_variables)
    return optimizers


def adversarial_epoch(averaged, generator, discriminator, optimizers, recipe, seed):
    """Return the function that trains one epoch, ``run_epoch(images, order, total)``.

    It takes all images, the indices of those of each step, int32 of shape (steps, batch_size), and the number
    of steps in the whole training; it returns the mean losses of the discriminator and of the generator.
    """
    of_generator, of_discriminator = optimizers
    loss, models = LOSSES[recipe.loss], (discriminator, generator)

    def judged(real, generated):
        if recipe.normalised:  # apart, so that the statistics of a batch are those of one kind
            return [discriminator(images, training=True) for images in (real, generated)]
        return tf.split(discriminator(tf.concat([real, generated], 0), training=True), 2)

    def losses_and_slopes(real, step):
        shape = (recipe.batch_size, generator.input_shape[-1])
        points = tf.random.stateless_uniform(shape, tf.stack([seed, step]), -1.0, 1.0)
        with tf.GradientTape(persistent=True) as tape:
            generated = generator(points, training=True)
            logits = judged(real, generated)
            losses = loss.of_discriminator(*logits), loss.of_generator(*logits)
        slopes = [
            tape.gradient(x, model.trainable_variables) for x, model in zip(losses, models, strict=True)
        ]
        return generated, losses, slopes

    def penalised(slopes, images, progress):
        weight = recipe.penalty_weight * PENALTY_EVERY * _falling(progress)
        with tf.GradientTape() as tape:
            penalty = weight / 2 * squared_slope(discriminator, images) / recipe.batch_size
        zero = tf.UnconnectedGradients.ZERO  # the last bias does not change the slope
        weights = [variable.value for variable in discriminator.trainable_variables]
        extra = tape.gradient(penalty, weights, unconnected_gradients=zero)
        return [a + b for a, b in zip(slopes, extra, strict=True)]

    @tf.function
    def run_epoch(images, order, total):
        sums = tf.zeros(2)
        for chosen in order:
            step = tf.cast(of_generator.iterations, "int32")
            real = tf.gather(images, chosen)
            generated, losses, (of_d, of_g) = losses_and_slopes(real, step)
            if recipe.penalty != "none" and step % PENALTY_EVERY == 0:
                places = tf.concat([real, generated], 0) if recipe.penalty == "R1 + R2" else real
                of_d = penalised(of_d, places, step / total)
            of_generator.apply(of_g, generator.trainable_variables)
            of_discriminator.apply(of_d, discriminator.trainable_variables)
            update_average(averaged, generator, step)
            sums += tf.stack(losses)
        return sums / len(order)

    return run_epoch


def squared_slope(discriminator, images):
    """Return the sum over `images` of the squared gradient norm of the logit with respect to the pixels."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator(images, training=True)
    return tf.reduce_sum(tape.gradient(logits, images) ** 2)


def _falling(progress):
    """Return a cosine from 1 at the beginning to `LEAST_PENALTY` at the end."""
    cosine = (1 + tf.cos(np.pi * tf.cast(progress, "float32"))) / 2
    return LEAST_PENALTY + (1 - LEAST_PENALTY) * cosine
