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
    Seen,
    copying,
    frechet_from,
    judged_by_critics,
    quality,
    real_images,
    samples,
    scores,
    seen,
)
from gan.features import as_float
from gan.generative_model import of_uniform_points
from gan.guide import guide_samples, train_guide
from gan.inverting import with_encoder
from gan.manifold import stretch
from gan.methods import BEST, EXTENT, INVERSE, OWN, SCORED, STARTS, trained
from gan.metrics import nearest
from gan.models import OCTAVES, build_critic, build_dense_critic, load_generator, weight_digest
from gan.projection import (
    candidates,
    coded_errors,
    labelled,
    labels_kept,
    mirrored,
    principal_images,
    project,
    stages_of,
)
from gan.training import EPOCHS, RECIPES, TRAINING_IMAGES, train_gan
from gan.vae import train_vae
from gan.worth import SIZES, best_of, drawn_digits, flattened, generated, streamed, training_digits

FIRST_BUDGETS = (128, 512, 2_048, 8_192, 32_768)  # of the critics that see simple fakes
TUNING_SAMPLES = 5_000
MOST_SAMPLES = 2**18  # of which the best is taken
FEWER_SAMPLES = 2**17  # the same of each of many trainings
FEWER_STARTS = 2**16  # candidates for the start of a projection, for many trainings
SCORED_SAMPLES = 5_000  # of a generator or a table: as many as the floor has different digits
PROJECTED_ONE_IN = 5  # of the unseen digits, for many trainings
DOUBLED_ONE_IN = 4  # of these
OWN_SAMPLES = 25
SATURATED = 0.99
KINDS = ("unseen", "validation", "mirrored", "own samples")  # of digits to project
EXTENT_POINTS = 4_096
# How far a record measured under other conditions may be, by result. A training on another processor is
# another training, whose scatter is that of another seed; errors are means over the digits.
SCATTER = {
    "distance": 0.5, "frechet": 0.5, "frechet_photographic": 0.5, "precision": 0.05, "recall": 0.1,
    "density": 0.1, "coverage": 0.05, "classes": 1.0, "class_divergence": 0.05, "bridges": 0.1,
    "copying": 0.05, "least": 0.5, "saturated": 0.1, "coded_error": 0.006, "doubled_error": 0.003,
    "projected_error": 0.003, "mirrored_error": 0.006, "own_error": 0.001, "kept": 0.1, "extent": 0.3,
    **{f"error_{i}": 0.003 for i in range(len(SIZES))},
}  # fmt: skip


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
        sizes = real_sizes()
        errors = best_of(digits, training_digits(dataset, seed), sizes, block=1)
    else:
        sizes = [size for size in SIZES if size <= MOST_SAMPLES]
        network = load_generator(latent_size, dataset)
        errors = best_of(digits, generated(network, latent_size, MOST_SAMPLES, seed), sizes)
    return curve(sizes, errors)


@experiment(version=1, tolerance=0.001)
def best_of_blurred(*, dataset="mnist", blur, seed=0):
    """Measure how near the best of N real digits, blurred, comes to each of 500 unseen test digits.

    Without blur it is the line of real digits; with it, the control that the ruler sees variety, not blur.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    blur : float
        As in `worth.blurred`.
    seed : int
        Of the order of the digits.

    Returns
    -------
    dict
        As `best_of_many`. The last N is all 55,000, and the last that generators have too is 2^15.
    """
    digits = training_digits(dataset, seed, blur)
    return curve(real_sizes(), best_of(drawn_digits(dataset, "unseen").images, digits, real_sizes(), block=1))


@experiment(version=1, tolerance=0.001)
def nearest_digit(*, dataset="mnist", digits, seed=0):
    """Measure the error of the nearest of all 55,000 training digits, and whether it is the same digit.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    digits : "unseen", "validation" or "mirrored"
        As in `projected`.
    seed : int
        Nothing is random.

    Returns
    -------
    dict
        error and kept, as `projected`.
    """
    look_up("kind of digits", digits, KINDS[:3])
    shown, train = to_project(digits, dataset, None, None, seed), load_dataset(dataset).train
    distances, indices = nearest(flattened(shown.images), flattened(train.images[:TRAINING_IMAGES]))
    errors = distances.astype(float) ** 2 / shown.images[0].size
    found = train.images[indices]
    return {"error": errors.round(6), "kept": labels_kept(shown, found, dataset)}


@experiment(version=1, tolerance={"error": 0.001, "kept": 0.05})
def projected(*, dataset="mnist", latent_size, weights, digits, one_in=1, search="full", seed=0):
    """Project digits onto a committed generator: the nearest images that it can draw, as a search finds them.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    latent_size : int
        Of the generator (`models.load_generator`).
    weights : str
        The SHA-256 of its weights (`models.weight_digest`), so that a record of other weights does not count.
    digits : "unseen", "validation", "mirrored" or "own samples"
        500 test digits that the first round has not shown, or validation digits; those of the unseen digits
        that `projection.mirrored` takes, in the mirror; or 500 samples of the generator, whose true error
        is 0.
    one_in : int
        Every so many of them are projected.
    search : "full", "short" or "doubled"
        As in `projection.stages_of`.
    seed : int
        Of the starts and of the samples.

    Returns
    -------
    dict
        Lists over the digits: error, the squared error per pixel, and kept, whether the classifier gives the
        projection the label of the digit; of the digits in the mirror and of the samples, its own label.

    Raises
    ------
    ValueError
        The weights are others.
    """
    if weights != weight_digest(dataset, latent_size):
        raise ValueError(f"The weights of the generator of {latent_size} numbers have another SHA-256.")
    generator = load_generator(latent_size, dataset)
    shown = to_project(digits, dataset, generator, latent_size, seed)[::one_in]
    stages = stages_of(latent_size, search)
    found = project(generator, shown.images, candidates(latent_size, seed), stages=stages)
    return {"error": found.errors.round(6), "kept": labels_kept(shown, found.images, dataset)}


@experiment(version=1, tolerance=0.001)
def principal(*, dataset="mnist", latent_size, digits, seed=0):
    """Measure the error of the first principal components of the training images, the best linear generator.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    latent_size : int
        Number of components.
    digits : "unseen", "validation" or "mirrored"
        As in `projected`.
    seed : int
        Nothing is random.

    Returns
    -------
    dict
        error and kept, as `projected`.
    """
    look_up("kind of digits", digits, KINDS[:3])
    shown = to_project(digits, dataset, None, latent_size, seed)
    train = load_dataset(dataset).train.images[:TRAINING_IMAGES]
    errors, images = principal_images(shown.images, train, latent_size)
    return {"error": errors.round(6), "kept": labels_kept(shown, images, dataset)}


@experiment(version=1, tolerance=0.02)
def table(*, dataset="mnist", size, source="validation", seed):
    """Score real digits, repeated to 5,000, as if a generator had drawn them.

    A generator that does no better than such a table of so many digits need know no more than them. The
    recall of more than 5 copies of each is 0, because a ball around a copy is empty.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    size : int
        Different digits in the table, at most 5,000; with 5,000 unseen ones it is the floor.
    source : "validation" or "training"
        5,000 images that no feature extractor has seen, or the 55,000 that the classifier was trained on.
    seed : int
        Draws the digits.

    Returns
    -------
    dict
        As `evaluation.scores`.
    """
    pools = {"validation": real_images(dataset).validation, "training": real_images(dataset).train}
    pool = look_up("source", source, pools)
    chosen = np.sort(np.random.default_rng(seed).choice(len(pool), size, replace=False))
    of_table = seen(pool[chosen], dataset)
    return scores(Seen(*(values[np.arange(SCORED_SAMPLES) % size] for values in of_table)), dataset)


@experiment(version=1, tolerance=SCATTER)
def tuned(*, dataset="mnist", latent_size, method, option, learning_rate, epochs, octaves=OCTAVES, seed):
    """Train a generator by any method and return its distance from the validation images alone.

    Parameters
    ----------
    dataset, latent_size, method, option, learning_rate, epochs, octaves, seed
        As in `methods.trained`.

    Returns
    -------
    dict
        distance, a list over the checks, and least, the least of them: Fréchet distances, or errors of
        "reconstruction".
    """
    _, distances = trained(
        dataset=dataset, latent_size=latent_size, method=method, option=option, learning_rate=learning_rate,
        epochs=epochs, octaves=octaves, seed=seed,
    )  # fmt: skip
    return {"distance": distances, "least": min(distances)}


@experiment(version=1, tolerance=SCATTER)
def generative(*, dataset="mnist", latent_size, method, option, learning_rate, epochs, octaves=OCTAVES, seed):
    """Train a generator by any method and measure the best epoch's in every way.

    Parameters
    ----------
    dataset, latent_size, method, option, learning_rate, epochs, octaves, seed
        As in `methods.trained`.

    Returns
    -------
    dict
        distance, a list over the checks, from the validation images. Of 5,000 samples, `evaluation.scores`
        and `evaluation.copying`. Of the best of N samples, bits and error_0, error_1, ... as in
        `best_of_blurred`, up to 2^17. What `projections` says. saturated, the share of latent numbers within
        1 % of the surface of the cube, which is 0.01 of uniform ones. With one and two latent numbers extent,
        the length or area of all that the decoder draws (`manifold.stretch`).
    """
    model, distances = trained(
        dataset=dataset, latent_size=latent_size, method=method, option=option, learning_rate=learning_rate,
        epochs=epochs, octaves=octaves, seed=seed,
    )  # fmt: skip
    images = model.sample(SCORED_SAMPLES, [seed, SCORED])
    sizes = [size for size in SIZES if size <= FEWER_SAMPLES]
    stream = streamed(model.sample, FEWER_SAMPLES, [seed, BEST])
    return {
        "distance": distances,
        **scores(seen(images, dataset), dataset),
        "copying": copying(images, dataset),
        "saturated": saturated(model, seed),
        **curve(sizes, best_of(drawn_digits(dataset, "unseen").images, stream, sizes)),
        **projections(model, dataset, latent_size, seed),
        **extent(model.decoder, latent_size, seed),
    }


@experiment(version=1, tolerance=SCATTER)
def reconstructed(*, dataset="mnist", latent_size, option, learning_rate, epochs, octaves=OCTAVES, seed):
    """Train the autoencoder whose epoch is chosen by its reconstructions, and project digits onto it.

    Parameters
    ----------
    dataset, latent_size, option, learning_rate, epochs, octaves, seed
        As in `methods.trained` for "reconstruction".

    Returns
    -------
    dict
        distance, a list over the checks, errors of the validation images; and what `projections` says.
    """
    model, distances = trained(
        dataset=dataset, latent_size=latent_size, method="reconstruction", option=option,
        learning_rate=learning_rate, epochs=epochs, octaves=octaves, seed=seed,
    )  # fmt: skip
    return {"distance": distances, **projections(model, dataset, latent_size, seed)}


def real_sizes():
    """Return the numbers N of real digits of which the best is taken."""
    return (*(size for size in SIZES if size < TRAINING_IMAGES), TRAINING_IMAGES)


def curve(sizes, errors):
    """Return errors of the best of N as a record holds them: bits, log2 N, and error_i, those of the i-th N.

    Parameters
    ----------
    sizes : sequence of int
    errors : array, shape (digits, sizes)
    """
    return {"bits": np.log2(sizes)} | {f"error_{i}": column.round(6) for i, column in enumerate(errors.T)}


def to_project(digits, dataset, generator, latent_size, seed):
    """Return the images that `projected` and `principal` name, as a `common.data.ImageSet` with labels."""
    look_up("kind of digits", digits, KINDS)
    if digits == "own samples":
        own = of_uniform_points(generator, latent_size).sample(len(drawn_digits(dataset)), [seed, OWN])
        return labelled(own, dataset)
    if digits == "mirrored":
        return labelled(mirrored(drawn_digits(dataset, "unseen"))[1], dataset)
    return drawn_digits(dataset, digits)


def projections(model, dataset, latent_size, seed):
    """Return what `generative` says of projections onto a `GenerativeModel`.

    The starts are samples of the model itself, since a cube of many numbers may be empty where it has none,
    and the guess of its encoder; a GAN gets an encoder of its own samples (`inverting`).

    Returns
    -------
    dict
        Lists: projected_error and kept of 100 unseen digits; mirrored_error of those that
        `projection.mirrored` takes, in the mirror; own_error of 25 samples; coded_error, of the same digits
        with quantised points (`projection.coded_errors`). With seed 0 also doubled_error, of every fourth
        digit by the doubled search.
    """
    model = with_encoder(model, latent_size, [seed, INVERSE])
    points = starts(model, latent_size, seed)
    digits = drawn_digits(dataset, "unseen")[::PROJECTED_ONE_IN]
    parts = digits.images, mirrored(digits)[1], model.sample(OWN_SAMPLES, [seed, OWN])
    found = searched(model, np.concatenate(parts), points, "short")
    errors = np.split(found.errors.round(6), np.cumsum([len(part) for part in parts])[:-1])
    names, first = ("projected_error", "mirrored_error", "own_error"), slice(len(digits))
    results = dict(zip(names, errors, strict=True)) | {
        "kept": labels_kept(digits, found.images[first], dataset),
        "coded_error": np.round(coded_errors(model.decoder, digits.images, found.points[first]), 6),
    }
    if seed == 0:
        doubled = searched(model, digits.images[::DOUBLED_ONE_IN], points, "doubled")
        results["doubled_error"] = doubled.errors.round(6)
    return results


def searched(model, images, points, search):
    """Return `project` of images onto a `GenerativeModel`, from points and its encoder's guesses."""
    stages, guesses = stages_of(points.shape[1], search), model.guesses(as_float(images))
    return project(model.decoder, images, points, stages=stages, guesses=guesses)


def starts(model, latent_size, seed):
    """Return candidates for the start of a projection: a grid of one or two numbers, samples of more."""
    if latent_size <= 2:
        return candidates(latent_size, seed)
    return np.asarray(model.points(FEWER_STARTS, [seed, STARTS]), "float32")


def saturated(model, seed):
    """Return the share of a model's latent numbers that lie within 1 % of the surface of the cube."""
    return float(np.mean(np.abs(model.points(SCORED_SAMPLES, [seed, SCORED])) > SATURATED))


def extent(decoder, latent_size, seed):
    """Return a dict of the length or area of the images of one or two numbers, an empty one of more."""
    if latent_size > 2:
        return {}
    points = np.random.default_rng([seed, EXTENT]).uniform(-1, 1, (EXTENT_POINTS, latent_size))
    return {"extent": 2**latent_size * float(np.mean(stretch(decoder, points.astype("float32"))))}


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
