"""The measurements of this study; their records are in `results/`."""

import numpy as np

from common.data import load_dataset, load_imagenet_samples
from common.experiments import experiment
from common.pretrained import load_classifier
from wavelet_based_dnn.arms import ARMS, NATIVE, SIZES
from wavelet_based_dnn.coefficients import at_level
from wavelet_based_dnn.evaluation import accuracies, accuracies_on_8x8_digits, early_exit, predictions
from wavelet_based_dnn.models import count_exit_macs, load_dynamic_classifier
from wavelet_based_dnn.pyramids import SPLITS
from wavelet_based_dnn.training import TRAINING_IMAGES, Schedule, train

EPOCHS = 5
STRETCHED = ((12, 24), (24, 12), (21, 35), (35, 21))
ABLATION_SIZES = (8, 14, 28)
PADDED = ((28, 40), (40, 28))
PHOTOGRAPH_LEVELS = (5, 4, 3, 2, 1, 0)
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)


@experiment(version=1, tolerance=0.2)
def tuning(*, dataset="mnist", arm, learning_rate, epochs, seed):
    """Train an arm with one learning rate and measure it on validation images alone.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    arm : key of `arms.ARMS`
    learning_rate : float
    epochs : int
    seed : int

    Returns
    -------
    dict
        validation, the accuracy of the finest head on 5,000 images, a list over the sizes of the arm's
        training, ascending.
    """
    model = trained(dataset, arm, learning_rate, epochs, seed)
    return {"validation": on_validation(model, dataset, arm)}


@experiment(version=1, tolerance=0.02)
def specialist(*, dataset="mnist", size, learning_rate, epochs=EPOCHS, seed):
    """Train a network for one size and measure it there.

    Parameters
    ----------
    size : one of `arms.SIZES`
    dataset, learning_rate, epochs, seed
        As of `tuning`.

    Returns
    -------
    dict
        validation, as of `tuning`; accuracy, on the 10,000 test images.
    """
    arm = f"specialist {size}"
    model = trained(dataset, arm, learning_rate, epochs, seed)
    return {
        "validation": on_validation(model, dataset, arm),
        "accuracy": on_test(model, dataset, [(size, size)])[0, -1],
    }


@experiment(version=1, tolerance=0.15)
def baseline(*, dataset="mnist", arm, learning_rate, epochs=EPOCHS, seed):
    """Train a network of one head that takes any size and measure it at many.

    Parameters
    ----------
    arm : key of `arms.BASELINES`
    dataset, learning_rate, epochs, seed
        As of `tuning`.

    Returns
    -------
    dict
        validation, as of `tuning`; accuracy, on the 10,000 test images, a list over `arms.SIZES`; and what
        `elsewhere` returns.
    """
    model = trained(dataset, arm, learning_rate, epochs, seed)
    return {
        "validation": on_validation(model, dataset, arm),
        "accuracy": on_test(model, dataset, square(SIZES))[:, -1],
        **elsewhere(model, dataset),
    }


@experiment(version=1, tolerance=0.15)
def dynamic(*, dataset="mnist", learning_rate, epochs=EPOCHS, seed):
    """Train the dynamic classifier and measure its heads at many sizes.

    Parameters
    ----------
    dataset, learning_rate, epochs, seed
        As of `tuning`.

    Returns
    -------
    dict
        validation, as of `tuning`; head_accuracy, on the 10,000 test images, a list over `arms.SIZES` and,
        fastest, the heads; what `elsewhere` returns; zeroed and shuffled, the accuracy at 28 pixels when the
        details are spoiled so, not before the test; and of early exits at 28 pixels, lists over `THRESHOLDS`:
        exit_accuracy and exit_macs on the test images, exit_validation and exit_validation_macs.
    """
    arm = "dynamic, haar"
    model = trained(dataset, arm, learning_rate, epochs, seed)
    return {
        "validation": on_validation(model, dataset, arm),
        "head_accuracy": on_test(model, dataset, square(SIZES)).ravel(),
        **elsewhere(model, dataset),
        **exits(model, dataset),
        **spoiled(model, dataset),
    }


@experiment(version=1, tolerance=0.05)
def ablation(*, dataset="mnist", variant, learning_rate, epochs=EPOCHS, seed):
    """Train a variant of the dynamic classifier and measure its heads at a few sizes.

    Parameters
    ----------
    variant : what follows "dynamic, " in a key of `arms.ARMS`
    dataset, learning_rate, epochs, seed
        As of `tuning`.

    Returns
    -------
    dict
        validation, as of `tuning`; head_accuracy, on the 10,000 test images, a list over `ABLATION_SIZES`
        and, fastest, the heads.
    """
    arm = f"dynamic, {variant}"
    model = trained(dataset, arm, learning_rate, epochs, seed)
    return {
        "validation": on_validation(model, dataset, arm),
        "head_accuracy": on_test(model, dataset, square(ABLATION_SIZES)).ravel(),
    }


@experiment(version=1, tolerance=0.02)
def committed(*, dataset="mnist", seed=0):
    """Ask every head of the committed network about the test images of 28 pixels.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    seed : 0
        The network's.

    Returns
    -------
    dict
        right_at_0 to right_at_3, for each head, the coarsest first, whether it is right on each image.
    """
    test = load_dataset(dataset).test
    logits = predictions(load_dynamic_classifier(dataset), test.as_float(), NATIVE, NATIVE)
    return {f"right_at_{head}": one.argmax(-1) == test.labels for head, one in enumerate(logits)}


@experiment(version=1, tolerance=0.1)
def photographs(*, dataset="imagenet_samples", network, wavelet="haar", seed=0):
    """Show a pretrained ImageNet classifier the 20 samples of 224 pixels, level by level.

    Parameters
    ----------
    dataset : "imagenet_samples"
    network : one of `common.pretrained.OFFLINE`
    wavelet : str
        Name of an orthogonal wavelet.
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
    views = [at_level(samples.as_float(), level, wavelet) for level in PHOTOGRAPH_LEVELS]
    decisions = np.stack([classify.predict(view, verbose=0).argmax(-1) for view in views])
    return {
        "accuracy": np.mean(decisions == samples.labels, axis=1),
        "agreement": np.mean(decisions == decisions[-1], axis=1),
    }


def trained(dataset, arm, learning_rate, epochs, seed):
    """Return the classifier of an arm, trained on the first 55,000 training images."""
    images = load_dataset(dataset).train[:TRAINING_IMAGES]
    built = ARMS[arm].build(seed=seed)
    schedule = Schedule(epochs, learning_rate, largest_teaches=ARMS[arm].largest_teaches)
    train(built, images.as_float(), images.labels, ARMS[arm].sizes, schedule, seed=seed)
    return built


def on_validation(model, dataset, arm):
    """Return the accuracy of the finest head on the validation images at the sizes of an arm's training."""
    return on_images(model, load_dataset(dataset).train[TRAINING_IMAGES:], square(ARMS[arm].sizes))[:, -1]


def on_test(model, dataset, shapes):
    """Return the accuracy on the test images at some shapes, an array (shapes, heads)."""
    return on_images(model, load_dataset(dataset).test, shapes)


def on_images(model, images, shapes):
    """Return the accuracy on an `ImageSet` at some shapes, an array (shapes, heads)."""
    return np.array([accuracies(model, images.as_float(), images.labels, *shape) for shape in shapes])


def square(sizes):
    """Return the shapes of square images."""
    return [(size, size) for size in sizes]


def elsewhere(model, dataset):
    """Return the accuracy of the finest head on images unlike those of the training.

    stretched, a list over `STRETCHED`, and padded, over `PADDED`, on the test images; for "mnist" also
    digits_8x8 and digits_8x8_framed (`evaluation.accuracies_on_8x8_digits`).
    """
    test = load_dataset(dataset).test
    found = {
        "stretched": on_test(model, dataset, STRETCHED)[:, -1],
        "padded": [padded(model, test, *shape) for shape in PADDED],
    }
    if dataset == "mnist":
        found["digits_8x8"], found["digits_8x8_framed"] = accuracies_on_8x8_digits(model)
    return found


def padded(model, images, height, width):
    """Return the accuracy of the finest head on an `ImageSet` with rows or columns of zeros around."""
    margins = [((size - NATIVE) // 2, -((NATIVE - size) // 2)) for size in (height, width)]
    larger = np.pad(images.as_float(), ((0, 0), *margins, (0, 0)))
    return accuracies(model, larger, images.labels, height, width)[-1]


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
        found[name] = on_test(model, dataset, [(NATIVE, NATIVE)])[0, -1]
    model.split = split
    return found
