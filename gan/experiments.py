"""The measurements of this study; their records are in `results/`."""

import numpy as np

from common.data import load_dataset
from common.experiments import experiment
from gan.critic import Split
from gan.evaluation import (
    SAMPLES,
    frechet_from,
    judged_by_critics,
    quality,
    real_images,
    samples,
)
from gan.training import EPOCHS, RECIPES, TRAINING_IMAGES, train_gan
from gan.vae import train_vae

CRITIC_SAMPLES = 120_000
TUNING_SAMPLES = 5_000


@experiment(version=1, tolerance=0.4)
def adversarial(*, dataset="mnist", latent_size, recipe="R3GAN", epochs=EPOCHS, seed):
    """Train a generator against a discriminator on 55,000 images and measure it.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    latent_size : int
    recipe : key of `training.RECIPES`
    epochs : int
    seed : int

    Returns
    -------
    dict
        What `measured` returns; frechet_not_averaged, of the generator with its last weights; and lists over
        the epochs: epoch_discriminator_loss, epoch_generator_loss, and epoch_frechet, the distance of 5,000
        samples from the validation images.
    """
    trained = train_gan(
        load_dataset(dataset).train[:TRAINING_IMAGES].as_float(), latent_size, RECIPES[recipe], epochs=epochs,
        seed=seed, observe=lambda averaged: {"frechet": to_validation(averaged, latent_size, dataset)},
    )  # fmt: skip
    names = ("discriminator_loss", "generator_loss", "frechet")
    last = samples(trained.generator, latent_size, SAMPLES, seed=0)
    return {
        **{f"epoch_{name}": trained.history[name] for name in names},
        "frechet_not_averaged": frechet_from(real_images(dataset).test, last, dataset),
        **measured(trained.averaged, latent_size, dataset, seed),
    }


@experiment(version=1, tolerance=0.4)
def autoencoder(*, dataset="mnist", latent_size, likelihood, learning_rate, epochs, seed):
    """Train a variational autoencoder with the same generator on the same images and measure it.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    latent_size : int
    likelihood : key of `vae.LIKELIHOODS`
    learning_rate : float
    epochs : int
    seed : int

    Returns
    -------
    dict
        What `measured` returns, and epoch_loss, a list over the epochs.
    """
    generator, history = train_vae(
        load_dataset(dataset).train[:TRAINING_IMAGES].as_float(), latent_size, likelihood=likelihood,
        learning_rate=learning_rate, epochs=epochs, seed=seed,
    )  # fmt: skip
    return {"epoch_loss": history["loss"], **measured(generator, latent_size, dataset, seed)}


@experiment(version=1, tolerance=0.4)
def tuning(*, dataset="mnist", latent_size, method, option, learning_rate, epochs, seed):
    """Train with one learning rate and return the distance from the validation images.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    latent_size : int
    method : "adversarial" or "autoencoder"
    option : key of `training.RECIPES` or of `vae.LIKELIHOODS`
    learning_rate : float
    epochs : int
    seed : int

    Returns
    -------
    dict
        frechet, the distance of 5,000 samples from the 5,000 validation images.
    """
    images = load_dataset(dataset).train[:TRAINING_IMAGES].as_float()
    if method == "adversarial":
        recipe = RECIPES[option]._replace(learning_rate=learning_rate)
        generator = train_gan(images, latent_size, recipe, epochs=epochs, seed=seed).averaged
    else:
        generator, _ = train_vae(
            images, latent_size, likelihood=option, learning_rate=learning_rate, epochs=epochs, seed=seed
        )
    return {"frechet": to_validation(generator, latent_size, dataset)}


@experiment(version=1, tolerance=0.2)
def floor(*, dataset="mnist", seed):
    """Measure 10,000 training images as if they were generated: what no generator can be expected to beat.

    The critics are to tell one half of the real images from the other.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    seed : int
        Draws the images and the halves.

    Returns
    -------
    dict
        As `measured`.
    """
    real = real_images(dataset)
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(len(real.train), SAMPLES, replace=False))
    halves = [np.array_split(images[rng.permutation(len(images))], 2) for images in real]
    one, other = (Split(*images) for images in zip(*halves, strict=True))
    return quality(real.train[chosen], dataset) | judged_by_critics(one, other, dataset, seed)


def measured(generator, latent_size, dataset, seed):
    """Return what `evaluation.quality` and `evaluation.judged_by_critics` say of a generator."""
    counts = Split(CRITIC_SAMPLES, TUNING_SAMPLES, SAMPLES)
    generated = Split(*(samples(generator, latent_size, count, seed=i) for i, count in enumerate(counts)))
    critics = judged_by_critics(generated, real_images(dataset), dataset, seed)
    return quality(generated.test, dataset) | critics


def to_validation(generator, latent_size, dataset):
    """Return the Frechet distance of 5,000 samples from the 5,000 validation images."""
    given = samples(generator, latent_size, TUNING_SAMPLES, seed=1)
    return frechet_from(real_images(dataset).validation, given, dataset)
