"""The measurements of this study; their records are in `results/`."""

from functools import partial

import numpy as np

from common.data import load_dataset
from common.experiments import experiment
from common.names import look_up
from common.scramble import Scrambler
from gan.analysis import chosen_options
from gan.baselines import BASELINES
from gan.critic import BUDGETS, Split, budgets_up_to, cross_entropies
from gan.evaluation import (
    SAMPLES,
    frechet_from,
    judged_by_critics,
    quality,
    real_images,
    samples,
)
from gan.features import as_float
from gan.guide import guide_samples, train_guide
from gan.models import build_critic, build_dense_critic, load_generator
from gan.training import EPOCHS, RECIPES, TRAINING_IMAGES, train_gan
from gan.vae import train_vae
from gan.worth import SIZES, best_of, drawn_digits, generated, training_digits

FIRST_BUDGETS = (128, 512, 2_048, 8_192, 32_768)  # of the critics that see simple fakes
TUNING_SAMPLES = 5_000
MOST_SAMPLES = 2**18  # of which the best is taken


@experiment(version=1, tolerance=0.4)
def adversarial(
    *, dataset="mnist", latent_size, recipe="R3GAN", epochs=EPOCHS, critic_budget=BUDGETS[-1], seed
):
    """Train a generator against a discriminator on 55,000 images and measure it.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    latent_size : int
    recipe : key of `training.RECIPES`
    epochs : int
    critic_budget : one of `critic.BUDGETS`
        The largest of those that the fresh critics have.
    seed : int

    Returns
    -------
    dict
        What `measured` returns of the best epoch, and lists over the epochs: epoch_discriminator_loss,
        epoch_generator_loss, and the distances `to_validation` by which the best is chosen, epoch_distance
        and, with the weights that are not averaged, epoch_distance_not_averaged.
    """
    trained = trained_gan(dataset, latent_size, look_up("recipe", recipe, RECIPES), epochs, seed)
    return {
        **trained.history.drop(columns="epoch").add_prefix("epoch_"),
        **measured(partial(samples, trained.best, latent_size), dataset, critic_budget, seed),
    }


@experiment(version=1, tolerance=0.4)
def autoencoder(
    *, dataset="mnist", latent_size, likelihood, learning_rate, epochs, critic_budget=BUDGETS[-1], seed
):
    """Train a variational autoencoder with the same generator on the same images and measure it.

    Parameters
    ----------
    likelihood : key of `vae.LIKELIHOODS`
    learning_rate : float
    dataset, latent_size, epochs, critic_budget, seed
        As in `adversarial`.

    Returns
    -------
    dict
        What `measured` returns, and epoch_loss, a list over the epochs.
    """
    generator, history = train_vae(
        load_dataset(dataset).train[:TRAINING_IMAGES].as_float(), latent_size, likelihood=likelihood,
        learning_rate=learning_rate, epochs=epochs, seed=seed,
    )  # fmt: skip
    return {
        "epoch_loss": history["loss"],
        **measured(partial(samples, generator, latent_size), dataset, critic_budget, seed),
    }


@experiment(version=1, tolerance=0.4)
def baseline(*, dataset="mnist", kind, critic_budget=BUDGETS[-1], seed):
    """Measure a generator that is neither adversarial nor an autoencoder.

    Parameters
    ----------
    kind : key of `baselines.BASELINES`
    dataset, critic_budget, seed
        As in `adversarial`.

    Returns
    -------
    dict
        As `measured`.
    """
    return measured(look_up("baseline", kind, BASELINES)(dataset, seed), dataset, critic_budget, seed)


@experiment(version=1, tolerance=0.2)
def told_apart(*, dataset="mnist", fakes, scrambled, critic, seed):
    """Train a critic on real images against simple fakes, with the pixels in place or scrambled.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    fakes : key of `baselines.BASELINES`
    scrambled : bool
        Whether one permutation, drawn with `seed`, moves the pixels of all images, real and fake.
    critic : "convolutional" or "dense"
    seed : int

    Returns
    -------
    dict
        Lists over `FIRST_BUDGETS`: cross_entropy (nats) and accuracy.
    """
    real = real_images(dataset)
    sides = real, generated_images(look_up("baseline", fakes, BASELINES)(dataset, seed), max(FIRST_BUDGETS))
    scrambler = Scrambler(real.test.shape[1:3], seed)

    def view(images):
        images = as_float(scrambler.scramble(images) if scrambled else images)
        return images.reshape(len(images), -1) if critic == "dense" else images

    build = build_critic if critic == "convolutional" else partial(build_dense_critic, real.test[0].size)
    sides = [Split(*map(view, side)) for side in sides]
    table = cross_entropies(build(seed=[seed, 2]), *sides, FIRST_BUDGETS, seed)
    return {name: table[name] for name in ("cross_entropy", "accuracy")}


@experiment(version=1, tolerance=0.4)
def first_sight(*, dataset="mnist", latent_size, recipe, epochs=EPOCHS, seed):
    """Train a generator as `adversarial` does and read a critic after few images.

    Where `adversarial` begins with a critic of 7,500 images, this one has seen 32,768 at most and is read
    from 128 on: for generators that are told apart at once.

    Parameters
    ----------
    dataset, latent_size, recipe, epochs, seed
        As in `adversarial`.

    Returns
    -------
    dict
        Lists over `FIRST_BUDGETS`: cross_entropy (nats) and accuracy, in pixels.
    """
    generator = trained_gan(dataset, latent_size, look_up("recipe", recipe, RECIPES), epochs, seed).best
    generated = generated_images(partial(samples, generator, latent_size), max(FIRST_BUDGETS))
    sides = [Split(*map(as_float, side)) for side in (real_images(dataset), generated)]
    table = cross_entropies(build_critic(seed=[seed, 2]), *sides, FIRST_BUDGETS, seed)
    return {name: table[name] for name in ("cross_entropy", "accuracy")}


@experiment(version=1, tolerance=0.4)
def keras_guide(*, dataset="mnist", images, seed):
    """Train the DCGAN of Keras's guide (`guide`) and return how near its samples come.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    images : int
        To train on.
    seed : int

    Returns
    -------
    dict
        frechet and frechet_photographic, as in `evaluation.quality`.
    """
    generator = train_guide(load_dataset(dataset).train[:TRAINING_IMAGES].as_float(), images, seed=seed)
    found = quality(guide_samples(generator, SAMPLES, seed=0), dataset)
    return {name: found[name] for name in ("frechet", "frechet_photographic")}


@experiment(version=1, tolerance=0.4)
def tuning(*, dataset="mnist", latent_size, method, option, learning_rate, epochs, seed):
    """Train with one learning rate and return the distance from the validation images.

    Parameters
    ----------
    method : "adversarial" or "autoencoder"
    option : key of `training.RECIPES` or of `vae.LIKELIHOODS`
    learning_rate : float
    dataset, latent_size, epochs, seed
        As in `adversarial`.

    Returns
    -------
    dict
        frechet, the distance of 5,000 samples from the 5,000 validation images.
    """
    look_up("method", method, ("adversarial", "autoencoder"))
    if method == "adversarial":
        recipe = look_up("recipe", option, RECIPES)._replace(learning_rate=learning_rate)
        generator = trained_gan(dataset, latent_size, recipe, epochs, seed).best
    else:
        images = load_dataset(dataset).train[:TRAINING_IMAGES].as_float()
        generator, _ = train_vae(
            images, latent_size, likelihood=option, learning_rate=learning_rate, epochs=epochs, seed=seed
        )
    return {"frechet": to_validation(generator, latent_size, dataset)}


def ablation(options, learning_rate, seeds, **settings):
    """Plan the tuning of several recipes, and their trainings with all seeds at the rate that was best.

    Parameters
    ----------
    options : list of keys of `training.RECIPES`
    learning_rate, seeds : list
    **settings
        Other arguments of `tuning`.

    Returns
    -------
    plan of (pandas.DataFrame, dict, dict)
        For `common.experiments.sweeps`. The table of the tuning with seed 0; from each option its best rate,
        and the table of its trainings.
    """
    (rates,) = yield [(tuning, {"option": options, "learning_rate": learning_rate, "seed": 0, **settings})]
    best = {x: chosen_options(rates[rates["option"] == x])["learning_rate"] for x in options}
    grids = [{"option": x, "learning_rate": best[x], "seed": seeds, **settings} for x in options]
    tables = yield [(tuning, grid) for grid in grids]
    return rates, best, dict(zip(options, tables, strict=True))


@experiment(version=1, tolerance=0.2)
def floor(*, dataset="mnist", critic_budget=BUDGETS[-1], seed):
    """Measure 10,000 training images as if they were generated: what no generator can be expected to beat.

    The critics are to tell one half of the real images from the other.

    Parameters
    ----------
    dataset, critic_budget
        As in `adversarial`.
    seed : int
        Draws the images and the halves.

    Returns
    -------
    dict
        As `measured`.
    """
    real = real_images(dataset)
    rng = np.random.default_rng(seed)
    # Not among the first, with which `quality` compares to find copies.
    chosen = SAMPLES + np.sort(rng.choice(len(real.train) - SAMPLES, SAMPLES, replace=False))
    halves = [np.array_split(images[rng.permutation(len(images))], 2) for images in real]
    one, other = (Split(*images) for images in zip(*halves, strict=True))
    critics = judged_by_critics(one, other, dataset, seed, budgets_up_to(critic_budget))
    return quality(real.train[chosen], dataset) | critics


@experiment(version=1, tolerance=0.02)
def best_of_many(*, dataset="mnist", latent_size, seed=0):
    """Measure how near the best of N samples of a committed generator comes to each of 500 test digits.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    latent_size : int or None
        Of the generator (`models.load_generator`); None stands for real training digits.
    seed : int
        Of the stream of samples.

    Returns
    -------
    dict
        bits, log2 N, and for each of them error_0, error_1, ...: lists of 500 squared errors per pixel. The
        last N is 2^18, or all 55,000 real digits.
    """
    digits = drawn_digits(dataset).images
    if latent_size is None:
        sizes = (*(size for size in SIZES if size < TRAINING_IMAGES), TRAINING_IMAGES)
        errors = best_of(digits, training_digits(dataset, seed), sizes, block=1)
    else:
        sizes = [size for size in SIZES if size <= MOST_SAMPLES]
        network = load_generator(latent_size, dataset)
        errors = best_of(digits, generated(network, latent_size, MOST_SAMPLES, seed), sizes)
    named = {f"error_{i}": column.round(6) for i, column in enumerate(errors.T)}
    return {"bits": np.log2(sizes), **named}


def measured(sample, dataset, critic_budget, seed):
    """Return what `evaluation.quality` and `evaluation.judged_by_critics` say of generated images.

    Parameters
    ----------
    sample : callable
        From (count, seed) to uint8 images.
    dataset, critic_budget
        As in `adversarial`.
    seed : int
        Of the critics.
    """
    budgets = budgets_up_to(critic_budget)
    generated = generated_images(sample, max(budgets))
    critics = judged_by_critics(generated, real_images(dataset), dataset, seed, budgets)
    return quality(generated.test, dataset) | critics


def generated_images(sample, budget):
    """Return a `Split` of generated uint8 images, for critics that are trained on `budget` images.

    Parameters
    ----------
    sample : callable
        From (count, seed) to uint8 images.
    budget : int
        Half of it is generated.
    """
    counts = Split(budget // 2, TUNING_SAMPLES, SAMPLES)
    return Split(*(sample(count, seed=i) for i, count in enumerate(counts)))


def trained_gan(dataset, latent_size, recipe, epochs, seed):
    """Return `training.train_gan` of 55,000 images, the epoch chosen by `to_validation`."""
    return train_gan(
        load_dataset(dataset).train[:TRAINING_IMAGES].as_float(), latent_size, recipe, epochs=epochs,
        seed=seed, validate=partial(to_validation, latent_size=latent_size, dataset=dataset),
    )  # fmt: skip


def to_validation(generator, latent_size, dataset):
    """Return the Fréchet distance of 5,000 samples from the 5,000 validation images."""
    given = samples(generator, latent_size, TUNING_SAMPLES, seed=1)
    return frechet_from(real_images(dataset).validation, given, dataset)
