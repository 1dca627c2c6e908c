"""All measurements of a generator, on images of 8 bits: critics see that a background is not quite 0."""

from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from common.arguments import check_counts, check_seed
from common.data import load_dataset
from common.pixels import as_bytes
from gan import metrics
from gan.critic import Split, cross_entropies
from gan.features import as_float, class_features, imagenet_features
from gan.models import CLASSES, FEATURES, build_critic, build_dense_critic
from gan.training import TRAINING_IMAGES

SAMPLES = 10_000
PIXEL_SAMPLES = 5_000  # for the intrinsic dimension
NEIGHBOURS = 20  # of each point, for its maximum likelihood estimate
CONFIDENT = 0.9


class Seen(NamedTuple):
    """What the feature extractors see of images.

    Attributes
    ----------
    features : array, shape (n, 64)
    probabilities : array, shape (n, 10)
    photographic : array, shape (n, 512)
    """

    features: np.ndarray
    probabilities: np.ndarray
    photographic: np.ndarray


def seen(images, dataset):
    """Return `Seen` of uint8 images."""
    return Seen(*class_features(images, dataset), imagenet_features(images))


@lru_cache
def seen_test(dataset):
    """Return the 10,000 test images as `Seen`."""
    return seen(load_dataset(dataset).test.images, dataset)


def samples(generator, latent_size, count, seed):
    """Return uint8 images ``(count, 28, 28, 1)`` that a generator makes of uniform points.

    Raises ValueError for a count below 1 or a seed that is not an integer of at least 0.
    """
    check_counts(count=count)
    for part in np.atleast_1d(seed):
        check_seed(part)
    return images_of(generator, np.random.default_rng(seed).uniform(-1, 1, (count, latent_size)))


def images_of(generator, inputs):
    """Return the uint8 images ``(n, 28, 28, 1)`` that a generator makes of inputs ``(n, size)``."""
    batches = np.array_split(np.asarray(inputs, "float32"), -(-len(inputs) // 1000))
    return np.concatenate([as_bytes(generator(batch)) for batch in batches])


def quality(images, dataset):
    """Return how near 10,000 images come to the test images, and whether they copy the training images.

    Parameters
    ----------
    images : array of uint8, shape (10_000, 28, 28, 1)
    dataset : "mnist" or "fashion_mnist"

    Returns
    -------
    dict
        frechet, kernel_distance, precision, recall, density, coverage on the features of a classifier of the
        data set; frechet_photographic on those of an ImageNet network; classes, the number of classes found;
        class_divergence in nats; bridges, the share of images that the classifier is less than 90 % sure of;
        copying; dimension_likelihood and dimension_two_nearest of the pixels.
    """
    given, real = seen(images, dataset), seen_test(dataset)
    return {
        **scores(given, dataset),
        "kernel_distance": metrics.kernel_distance(real.features, given.features),
        "copying": copying(images, dataset),
        **dimensions(as_float(images[:PIXEL_SAMPLES]).reshape(-1, images[0].size)),
    }


def scores(given, dataset):
    """Return how near images come to the 10,000 test images, by all that is counted in features.

    Density, coverage, precision and recall depend on the number of images: compare equal numbers.

    Parameters
    ----------
    given : Seen
        Of the images.
    dataset : "mnist" or "fashion_mnist"

    Returns
    -------
    dict
        Those results of `quality` that are not of pixels, but for the kernel distance.
    """
    real, labels = seen_test(dataset), given.probabilities.argmax(axis=1)
    truth = load_dataset(dataset).test.labels
    return {
        "frechet": metrics.frechet_distance(real.features, given.features),
        "frechet_photographic": metrics.frechet_distance(real.photographic, given.photographic),
        **metrics.overlap(real.features, given.features)._asdict(),
        "classes": len(np.unique(labels)),
        "class_divergence": metrics.histogram_divergence(labels, truth, CLASSES),
        "bridges": metrics.bridge_share(given.probabilities, CONFIDENT),
    }


def copying(images, dataset):
    """Return `metrics.copying_ratio` of images and the first 10,000 training images, in pixels."""
    data = load_dataset(dataset)
    return metrics.copying_ratio(
        *(as_float(x).reshape(len(x), -1) for x in (images, data.train.images[:SAMPLES], data.test.images))
    )


def dimensions(points):
    """Return both estimates of the intrinsic dimension, 0 where there are too few different points to tell.

    Parameters
    ----------
    points : array, shape (n, features)

    Returns
    -------
    dict
        dimension_likelihood and dimension_two_nearest.
    """
    different = np.unique(points, axis=0)
    enough = len(different) > NEIGHBOURS
    return {
        "dimension_likelihood": metrics.intrinsic_dimension(different, NEIGHBOURS) if enough else 0.0,
        "dimension_two_nearest": metrics.two_nearest_dimension(different) if enough else 0.0,
    }


def frechet_from(real, given, dataset):
    """Return the Fréchet distance of uint8 images from real ones on the features of the classifier."""
    return metrics.frechet_distance(*(class_features(images, dataset)[0] for images in (real, given)))


def judged_by_critics(generated, real, dataset, seed, budgets):
    """Return what fresh critics say of generated images, in pixels and in the classifier's features.

    Parameters
    ----------
    generated, real : Split
        Of uint8 images.
    dataset : "mnist" or "fashion_mnist"
    seed : int
        Of the critics and their batches.
    budgets : sequence of int

    Returns
    -------
    dict
        Lists over the budgets: pixel_critic and feature_critic, cross-entropies in nats, and
        pixel_critic_accuracy and feature_critic_accuracy.
    """

    def as_features(images):
        return class_features(images, dataset)[0]

    views = {
        "pixel_critic": (build_critic, as_float),
        "feature_critic": (partial(build_dense_critic, FEATURES), as_features),
    }
    found = {}
    for name, (build, view) in views.items():
        sides = [Split(*map(view, side)) for side in (real, generated)]
        table = cross_entropies(build(seed=[seed, 2]), *sides, budgets, seed)
        found |= {name: table["cross_entropy"], f"{name}_accuracy": table["accuracy"]}
    return found


def real_images(dataset):
    """Return the images of a data set as a `Split` of 55,000, 5,000 and 10,000."""
    data = load_dataset(dataset)
    return Split(data.train.images[:TRAINING_IMAGES], data.train.images[TRAINING_IMAGES:], data.test.images)
