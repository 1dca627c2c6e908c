"""The measurements of this study; their records are in `results/`."""

import numpy as np
import tensorflow as tf

from common.data import load_dataset, load_imagenet_samples
from common.experiments import experiment
from common.names import look_up
from common.pretrained import load_classifier
from wavelet_based_dnn.coefficients import at_level
from wavelet_based_dnn.evaluation import accuracies_on_8x8_digits, early_exit, predictions, right_answers
from wavelet_based_dnn.models import count_exit_macs, load_dynamic_classifier
from wavelet_based_dnn.pyramids import SPLITS
from wavelet_based_dnn.training import TRAINING_IMAGES, Schedule, train
from wavelet_based_dnn.variants import NATIVE, SIZES, VARIANTS

EPOCHS = 5
# Learning rates, chosen by `tuning`: MNIST's validation images, one epoch, seed 0.
RATES = {
    "specialist": 1e-2,
    "resized, many": 2e-2,
    "resized, mean": 1e-2,
    "convolutional, 28": 1e-2,
    "convolutional, many": 1e-2,
    "switchable": 4e-2,
    "wavelet, not resampled": 2e-2,
    "dynamic, haar": 1e-2,
    "dynamic, average pool": 1e-2,
    "dynamic, pixel-unshuffle": 2e-2,
    "dynamic, db2": 2e-2,
    "dynamic, bior2.2": 1e-2,
}
# A variant that was not tuned takes the rate of the first tuned one whose beginning it has.
ALIKE = {
    "dynamic": "dynamic, haar",
    "specialist": "specialist",
    "resized, 28": "specialist",
    "resized": "resized, many",
}
STRETCHED = ((12, 24), (35, 21))
OTHERWISE_RESIZED = (("nearest", 14), ("area", 14), ("bicubic", 14), ("nearest", 40), ("bicubic", 40))
PAIRED_SIZES = (8, 14, 28)
PADDED = ((28, 40), (40, 28))
PHOTOGRAPH_LEVELS = (5, 4, 3, 2, 1, 0)
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)


def rate_of(variant):
    """Return the learning rate that a variant is trained with.

    Parameters
    ----------
    variant : key of `variants.VARIANTS`, or of `RATES`
    """
    if variant in RATES:
        return RATES[variant]
    look_up("variant", variant, VARIANTS)
    return RATES[next(tuned for beginning, tuned in ALIKE.items() if variant.startswith(beginning))]


@experiment(version=1, tolerance=0.2)
def tuning(*, dataset="mnist", arm, learning_rate, epochs, seed):
    """Train a variant with one learning rate and measure it on validation images alone.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    arm : key of `variants.VARIANTS`
    learning_rate : float
    epochs : int
    seed : int

    Returns
    -------
    dict
        validation, the accuracy of the finest level on 5,000 images, a list over the sizes of its
        training, ascending.
    """
    model = trained(dataset, arm, learning_rate, epochs, seed)
    return {"validation": on_validation(model, dataset, arm)}


@experiment(version=1, tolerance=0.02)
def specialist(*, dataset="mnist", size, network, learning_rate, epochs=EPOCHS, seed):
    """Train a network for one size and measure it there.

    Parameters
    ----------
    size : one of `variants.SIZES`
        Of the images.
    network : int
        Size in pixels that the network is for: `size`, or 28, for which images are enlarged or reduced.
    dataset, learning_rate, epochs, seed
        As of `tuning`.

    Returns
    -------
    dict
        validation, as of `tuning`; right, whether each of the 10,000 test images is.
    """
    arm = f"specialist {size} at {network}"
    model = trained(dataset, arm, learning_rate, epochs, seed)
    return {
        "validation": on_validation(model, dataset, arm),
        "right": right_on(model, load_dataset(dataset).test, [(size, size)])[0, -1],
    }


@experiment(version=1, tolerance=0.15)
def baseline(*, dataset="mnist", arm, learning_rate, epochs=EPOCHS, seed):
    """Train a network of one level that takes any size and measure it at many.

    Parameters
    ----------
    arm : key of `variants.BASELINES`
    dataset, learning_rate, epochs, seed
        As of `tuning`.

    Returns
    -------
    dict
        What `at_sizes` returns for `variants.SIZES` and what `elsewhere` does.
    """
    model = trained(dataset, arm, learning_rate, epochs, seed)
    return at_sizes(model, dataset, arm, SIZES) | elsewhere(model, dataset)


@experiment(version=1, tolerance=0.15)
def dynamic(*, dataset="mnist", learning_rate, epochs=EPOCHS, seed):
    """Train the dynamic classifier and measure its levels at many sizes.

    Parameters
    ----------
    dataset, learning_rate, epochs, seed
        As of `tuning`.

    Returns
    -------
    dict
        What `baseline` does; zeroed and shuffled, the accuracy at 28 pixels when the details are spoiled so,
        not before the test; and of early exits at 28 pixels, lists over `THRESHOLDS`: exit_accuracy and
        exit_macs on the test images, exit_validation and exit_validation_macs.
    """
    arm = "dynamic, haar"
    model = trained(dataset, arm, learning_rate, epochs, seed)
    everywhere = at_sizes(model, dataset, arm, SIZES) | elsewhere(model, dataset)
    return everywhere | exits(model, dataset) | spoiled(model, dataset)


@experiment(version=1, tolerance=0.05)
def ablation(*, dataset="mnist", variant, learning_rate, epochs=EPOCHS, seed):
    """Train a variant of the dynamic classifier and measure its levels at a few sizes.

    Parameters
    ----------
    variant : what follows "dynamic, " in a key of `variants.VARIANTS`
    dataset, learning_rate, epochs, seed
        As of `tuning`.

    Returns
    -------
    dict
        What `at_sizes` returns for `PAIRED_SIZES`.
    """
    arm = f"dynamic, {variant}"
    return at_sizes(trained(dataset, arm, learning_rate, epochs, seed), dataset, arm, PAIRED_SIZES)


@experiment(version=1, tolerance=0.02)
def committed(*, dataset="mnist", seed=0):
    """Ask every level of the committed network about the test images of 28 pixels.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    seed : 0
        The network's.

    Returns
    -------
    dict
        head_0 to head_3, the coarsest first: whether it is right on each image.
    """
    right = right_on(load_dynamic_classifier(dataset), load_dataset(dataset).test, [(NATIVE, NATIVE)])[0]
    return {f"head_{number}": one for number, one in enumerate(right)}


@experiment(version=1, tolerance=0.1)
def photographs(*, dataset="imagenet_samples", network, reduction, seed=0):
    """Show a pretrained ImageNet classifier the 20 samples of 224 pixels, level by level.

    Parameters
    ----------
    dataset : "imagenet_samples"
    network : one of `common.pretrained.OFFLINE`
    reduction : str
        Name of an orthogonal wavelet, or "resized": the image reduced by as much and enlarged again.
    seed : int
        Nothing is drawn.

    Returns
    -------
    dict
        Lists over `PHOTOGRAPH_LEVELS`: accuracy, the share of images that are right from the approximation at
        that level, and agreement, the share judged as the whole image is.
    """
    samples = load_imagenet_samples()
    classify = load_classifier(network)
    views = [reduced(samples.as_float(), level, reduction) for level in PHOTOGRAPH_LEVELS]
    decisions = np.stack([classify.predict(view, verbose=0).argmax(-1) for view in views])
    return {
        "accuracy": np.mean(decisions == samples.labels, axis=1),
        "agreement": np.mean(decisions == decisions[-1], axis=1),
    }


def reduced(images, level, reduction):
    """Return images from one number in ``4**level``, by the reductions of `photographs`."""
    if reduction != "resized":
        return at_level(images, level, reduction)
    height, width = (size // 2**level for size in images.shape[1:3])
    small = tf.image.resize(images, (height, width), "bicubic", antialias=True)
    return tf.image.resize(small, images.shape[1:3], "bicubic").numpy()


def trained(dataset, variant, learning_rate, epochs, seed):
    """Return the classifier of a variant, trained on the first 55,000 training images."""
    build, sizes, *teaching = look_up("variant", variant, VARIANTS)
    images, model = load_dataset(dataset).train[:TRAINING_IMAGES], build(seed=seed)
    train(
        model, images.as_float(), images.labels, sizes, Schedule(epochs, learning_rate, *teaching), seed=seed
    )
    return model


def on_validation(model, dataset, variant):
    """Return the accuracy of the finest level on the validation images at its training sizes."""
    validation = load_dataset(dataset).train[TRAINING_IMAGES:]
    return right_on(model, validation, square(VARIANTS[variant].sizes))[:, -1].mean(-1)


def right_on(model, images, shapes):
    """Return whether each level is right on each image of an `ImageSet`, an array (shapes, levels, n)."""
    return np.array([right_answers(model, images.as_float(), images.labels, *shape) for shape in shapes])


def square(sizes):
    """Return the shapes of square images."""
    return [(size, size) for size in sizes]


def at_sizes(model, dataset, variant, sizes):
    """Return the accuracies of a trained model on square images.

    Returns
    -------
    dict
        validation, as of `tuning`; head_accuracy, on the 10,000 test images, a list over `sizes` and,
        fastest, the levels; right_at_8, right_at_14 and right_at_28, whether the finest level is right on
        each test image.
    """
    right = right_on(model, load_dataset(dataset).test, square(sizes))
    found = {"validation": on_validation(model, dataset, variant), "head_accuracy": right.mean(-1).ravel()}
    return found | {f"right_at_{size}": right[sizes.index(size), -1] for size in PAIRED_SIZES}


def elsewhere(model, dataset):
    """Return the accuracy of the finest level on test images unlike those of the training.

    Returns
    -------
    dict
        Lists: stretched over the shapes `STRETCHED`; padded with zeros over the shapes `PADDED`;
        otherwise_resized over `OTHERWISE_RESIZED`, methods of ``tf.image.resize``, with anti-aliasing where
        there is one, and sizes. For "mnist" also digits_8x8 and digits_8x8_framed, which are no test images
        (`evaluation.accuracies_on_8x8_digits`).
    """
    test = load_dataset(dataset).test
    views = [padded(test.as_float(), *shape) for shape in PADDED]
    views += [
        tf.image.resize(test.as_float(), (size, size), method, antialias=True).numpy()
        for method, size in OTHERWISE_RESIZED
    ]
    found = [right_answers(model, view, test.labels, *view.shape[1:3])[-1].mean() for view in views]
    results = {
        "stretched": right_on(model, test, STRETCHED)[:, -1].mean(-1),
        "padded": found[: len(PADDED)],
        "otherwise_resized": found[len(PADDED) :],
    }
    if dataset == "mnist":
        results["digits_8x8"], results["digits_8x8_framed"] = accuracies_on_8x8_digits(model)
    return results


def padded(images, height, width):
    """Return images with rows or columns of zeros around."""
    margins = [
        ((size - old) // 2, -((old - size) // 2))
        for size, old in zip((height, width), images.shape[1:3], strict=True)
    ]
    return np.pad(images, ((0, 0), *margins, (0, 0)))


def exits(model, dataset):
    """Return `evaluation.early_exit` at 28 pixels on validation and on test images."""
    data, found = load_dataset(dataset), {}
    macs = count_exit_macs(model, NATIVE, NATIVE)
    for images, *names in (
        (data.train[TRAINING_IMAGES:], "exit_validation", "exit_validation_macs"),
        (data.test, "exit_accuracy", "exit_macs"),
    ):
        logits = predictions(model, images.as_float(), NATIVE, NATIVE)
        found |= zip(names, early_exit(logits, images.labels, macs, THRESHOLDS), strict=True)
    return found


def spoiled(model, dataset):
    """Return the accuracy at 28 pixels when the details of test images are zeroed or exchanged."""
    split, found = model.split, {}
    for name in ("zeroed", "shuffled"):
        model.split = SPLITS[f"{name} details"]
        found[name] = right_on(model, load_dataset(dataset).test, [(NATIVE, NATIVE)])[0, -1].mean()
    model.split = split
    return found
