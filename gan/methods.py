"""The methods that train a generator, all with the same decoder and images.

The epoch of each generative method is chosen by the Fréchet distance of 5,000 samples from the 5,000
validation images. "reconstruction" is no rival but the reference for projections, the autoencoder alone; its
epoch is chosen by what it is for, the error of the validation images. Whatever is random in a run derives
from its seed: no two runs share the points of their samples.
"""

from functools import lru_cache, partial

import numpy as np

from common.data import load_dataset
from common.names import look_up
from gan.evaluation import images_of, real_images
from gan.features import as_float, class_features
from gan.generative_model import of_uniform_points
from gan.metrics import frechet_distance
from gan.models import WIDTH
from gan.rivals import train_mixture, train_variational
from gan.training import RECIPES, TRAINING_IMAGES, train_gan

VALIDATION_SAMPLES = 5_000
CHECKS = 8  # validations of a run, at most
# The streams of points of one run: the seed of each sample is [seed of the run, stream].
VALIDATION, SCORED, BEST, STARTS, OWN, EXTENT, INVERSE = range(1, 8)


def _adversarial(images, latent_size, option, *, learning_rate, validate, width=WIDTH, **options):
    changes = {"penalty_weight": option, "learning_rate": learning_rate, "width": width}
    recipe = RECIPES["R3GAN"]._replace(**changes)

    def distance(generator):
        return validate(of_uniform_points(generator, latent_size))

    trained = train_gan(images, latent_size, recipe, validate=distance, judge_last=False, **options)
    return of_uniform_points(trained.best, latent_size), trained.history


def _variational(images, latent_size, option, **options):
    return train_variational(images, latent_size, beta=option, **options)


def _mixture(images, latent_size, option, **options):
    return train_mixture(images, latent_size, components=int(option), **options)


# The option of each is a number: the penalty's weight, the divergence's weight, the number of components.
METHODS = {
    "adversarial": _adversarial, "wide adversarial": partial(_adversarial, width=2 * WIDTH),
    "variational": _variational, "mixture": _mixture, "reconstruction": _mixture,
}  # fmt: skip


def trained(*, dataset, latent_size, method, option, learning_rate, epochs, octaves, seed):
    """Train a generator of the first 55,000 training images.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    latent_size : int
    method : key of `METHODS`
    option : float
        What the method's comment in `METHODS` says.
    learning_rate : float
    epochs : int
        Validated at most `CHECKS` times, at equal distances.
    octaves : int
        Of the decoder's waves.
    seed : int

    Returns
    -------
    GenerativeModel
        Of the best validated epoch.
    distances : list of float
        From the validation images, at each check: of the samples (`distance_from_validation`), or of the
        images themselves after "reconstruction" (`reconstruction_error`).
    """
    criterion = reconstruction_error if method == "reconstruction" else distance_from_validation
    model, history = look_up("method", method, METHODS)(
        load_dataset(dataset).train[:TRAINING_IMAGES].as_float(), latent_size, option,
        learning_rate=learning_rate, epochs=epochs, octaves=octaves, seed=seed,
        validate=partial(criterion, dataset=dataset, seed=seed),
        validate_every=-(-epochs // CHECKS),
    )  # fmt: skip
    return model, history["distance"].dropna().to_list()


def distance_from_validation(model, dataset, seed):
    """Return the Fréchet distance of 5,000 samples of a `GenerativeModel` from the validation images."""
    images = model.sample(VALIDATION_SAMPLES, [seed, VALIDATION])
    return frechet_distance(validation_features(dataset), class_features(images, dataset)[0])


def reconstruction_error(model, dataset, seed):
    """Return the mean squared error per pixel of the validation images, encoded and decoded by a model."""
    del seed  # nothing is random
    given = as_float(real_images(dataset).validation)
    drawn = images_of(model.decoder, model.guesses(given)[:, 0])
    return float(np.mean((as_float(drawn) - given) ** 2, dtype=float))


@lru_cache
def validation_features(dataset):
    """Return the classifier's features of the 5,000 validation images, shape (5_000, 64)."""
    return class_features(real_images(dataset).validation, dataset)[0]
