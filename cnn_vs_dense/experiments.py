"""The measurements of this study; their records are in `results/`."""

import numpy as np
import pandas as pd

from cnn_vs_dense.acquisition import CT
from cnn_vs_dense.methods import method_named, seen
from cnn_vs_dense.models import build
from cnn_vs_dense.neighbours import neighbours_kept
from cnn_vs_dense.representations import DOSES, REPRESENTATIONS
from cnn_vs_dense.unscramble import lay_out, recover_layout
from common import training
from common.data import load_dataset
from common.experiments import configurations, experiment, sweeps
from common.names import look_up
from common.scramble import Scrambler

VALIDATION_SIZE = 5_000
LEARNING_RATES = [0.0003, 0.001, 0.003, 0.01, 0.03]
TUNING_SEEDS = [0, 1]
EPOCHS = 8
MOST_VALIDATIONS = 40
SAMPLE_SIZES = (100, 1_000, 10_000, 55_000)
CLASSES = 10
PIXEL_RANGES = {
    "none": lambda images: images.astype("float32"),
    "[0, 1]": lambda images: images.astype("float32") / 255,
    "[-1, 1]": lambda images: images.astype("float32") / 127.5 - 1,
}
# The axes over which a standardisation takes the mean and the standard deviation.
STANDARDISATIONS = {"standardised": (0, 1, 2), "standardised by position": 0}
LEAST_DEVIATION = 0.01  # of a position, relative to that of all: where nothing changes, nothing is amplified


@experiment(version=1, tolerance=0.05)
def accuracy(
    *,
    dataset="mnist",
    representation="raw",
    architecture="lenet5",
    normalisation="[0, 1]",
    examples=55_000,
    epochs=EPOCHS,
    learning_rate,
    evaluate_on,
    seed,
):
    """Train one network (Adam, batches of 128, cosine schedule to zero) and measure it.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    representation : key of `REPRESENTATIONS`
    architecture : key of `models.ARCHITECTURES`
    normalisation : key of `PIXEL_RANGES` or of `STANDARDISATIONS`
        The range of the pixel values before the representation is made; or, after it was made of pixel
        values in [0, 1], the mean 0 and about the standard deviation 1 of every channel over the training
        set, or of every position and channel (less where a position hardly varies).
    examples : int
        Size of the training set, drawn with `seed` from the first 55,000 training images.
    epochs : int
    learning_rate : float
        The initial one.
    evaluate_on : "validation" or "test"
        The last 5,000 training images, which choose the learning rate, or the 10,000 test images.
    seed : int
        Decides the permutation of the pixels, the training set, the initial weights and the batches.

    Returns
    -------
    dict
        accuracy and loss on `evaluate_on`, train_accuracy and train_loss on the training set, all after the
        last epoch; parameters; and lists over the epochs, or over at most 40 of them at equal distances:
        epoch_loss and epoch_accuracy (while training), epoch_validation_loss and epoch_validation_accuracy.
    """
    check_part(evaluate_on)
    parts = split(load_dataset(dataset), examples, seed)
    inputs = network_inputs(parts, representation, normalisation, seed)
    return train_and_measure(architecture, inputs, evaluate_on, epochs, learning_rate, seed)


@experiment(version=1, tolerance=0.05)
def accuracy_unscrambled(
    *,
    dataset="mnist",
    unlabelled,
    examples=10_000,
    learning_rate,
    evaluate_on,
    seed,
):
    """Scramble all pixels, recover their layout without labels, then train LeNet-5 as in `accuracy`.

    Parameters
    ----------
    unlabelled : int
        Number of scrambled training images, drawn with `seed`, from which the layout is recovered.
    dataset, examples, learning_rate, evaluate_on, seed
        As in `accuracy`.

    Returns
    -------
    dict
        As `accuracy`, and neighbours_kept and neighbours_within_3: of all pairs of neighbours in the raw
        image, the shares that the recovered layout puts next to each other, and at most 3 pixels apart.
    """
    check_part(evaluate_on)
    data = load_dataset(dataset)
    scrambler = Scrambler(data.train.images.shape[1:3], seed)
    scrambled = scrambler.scramble(split(data, unlabelled, seed)["train"].images)
    layout = scrambler.permutation[recover_layout(scrambled)]
    parts = {
        name: (lay_out(part.as_float(), layout), part.labels)
        for name, part in split(data, examples, seed).items()
    }
    kept, within_3 = (neighbours_kept(layout, scrambler.shape, distance) for distance in (1, 3))
    measured = train_and_measure("lenet5", parts, evaluate_on, EPOCHS, learning_rate, seed)
    return {"neighbours_kept": kept, "neighbours_within_3": within_3} | measured


# Two trainings that end equally right are not right about the same images.
@experiment(version=1, tolerance=0.15)
def accuracy_measured(
    *,
    dataset="mnist",
    sampling,
    noise="none",
    arm,
    examples=10_000,
    learning_rate,
    evaluate_on,
    seed,
):
    """Measure all images by CT or MRI, then train one method on the measurements as in `accuracy`.

    Parameters
    ----------
    sampling : key of `acquisition.CT` or of `acquisition.MRI`
    noise : key of `acquisition.NOISES`
    arm : key of ``methods.methods_for(sampling)``
    seed : int
        Decides the noise, the phases and the columns of k-space too.
    dataset, examples, learning_rate, evaluate_on
        As in `accuracy`.

    Returns
    -------
    dict
        As `accuracy`, and right: for each image of `evaluate_on`, whether the network was right.
    """
    check_part(evaluate_on)
    parts = split(load_dataset(dataset), examples, seed)
    chosen = method_named(arm, sampling)
    samplings = dict.fromkeys(("train", "validation", evaluate_on), sampling)
    inputs = measured_inputs(parts, chosen, samplings, noise, seed)
    model, history = trained(chosen.architecture, inputs, EPOCHS, learning_rate, seed)
    images, labels = inputs[evaluate_on]
    right = np.argmax(model.predict(images, 1000, verbose=0), axis=-1) == labels
    return performance(model, history, inputs, evaluate_on) | {"right": right}


@experiment(version=1, tolerance=0.05)
def accuracy_elsewhere(
    *,
    dataset="mnist",
    sampling,
    noise="none",
    arm,
    examples=10_000,
    learning_rate,
    evaluate_on,
    seed,
):
    """Train one method as in `accuracy_measured`, and measure it on CT at other angles.

    Parameters
    ----------
    sampling : key of `acquisition.CT`
        Of the training images.
    dataset, noise, arm, examples, learning_rate, evaluate_on, seed
        As in `accuracy_measured`.

    Returns
    -------
    dict
        accuracy: list, on the images of `evaluate_on` scanned at each key of `acquisition.CT`.
    """
    check_part(evaluate_on)
    look_up("sampling of CT", sampling, CT)
    parts = split(load_dataset(dataset), examples, seed)
    chosen = method_named(arm, sampling)
    there = dict.fromkeys(("train", "validation"), sampling)
    inputs = measured_inputs(parts, chosen, there, noise, seed)
    model, _ = trained(chosen.architecture, inputs, EPOCHS, learning_rate, seed)
    found = []
    for other in CT:
        scanned = measured_inputs(parts, chosen, {"train": sampling, evaluate_on: other}, noise, seed)
        found.append(training.evaluate(model, *scanned[evaluate_on])[1])
    return {"accuracy": found}


def measured_inputs(parts, method, samplings, noise, seed):
    """Return (images, labels) of each part in `samplings`, as the network of a `Method` sees them."""
    images = {name: parts[name].as_float() for name in samplings}
    return labelled(normalised(seen(method, images, samplings, noise, seed), method.normalisation), parts)


def network_inputs(parts, representation, normalisation, seed):
    """Return (images, labels) of each part as the network sees them; the names are those of `accuracy`."""
    represent = look_up("representation", representation, REPRESENTATIONS)
    look_up("normalisation", normalisation, PIXEL_RANGES | STANDARDISATIONS)
    if normalisation in PIXEL_RANGES:
        as_pixels = PIXEL_RANGES[normalisation]
        return labelled(
            {name: represent(as_pixels(part.images), seed) for name, part in parts.items()}, parts
        )
    images = {name: represent(part.as_float(), seed) for name, part in parts.items()}
    return labelled(normalised(images, normalisation), parts)


def normalised(images, normalisation):
    """Return the images of each part, normalised by those of "train".

    `normalisation` is a key of `STANDARDISATIONS`; or "scaled": one factor for all, which makes the standard
    deviation 1 and leaves a transform within the network what it is; or None, for images as they are.
    """
    if normalisation is None:
        return images
    train = images["train"]
    # In double precision: NumPy adds millions of numbers along an axis one by one.
    mean, scale = 0, train.std(dtype="float64")
    if normalisation != "scaled":
        axes = STANDARDISATIONS[normalisation]
        mean, scale = train.mean(axes, "float64"), train.std(axes, "float64") + LEAST_DEVIATION * scale
    return {name: ((values - mean) / scale).astype(train.dtype) for name, values in images.items()}


def labelled(images, parts):
    """Return (images, labels) for each name of `images`."""
    return {name: (values, parts[name].labels) for name, values in images.items()}


def train_and_measure(architecture, inputs, evaluate_on, epochs, learning_rate, seed):
    """Return the `performance` of a network that is `trained` on `inputs`, described there."""
    model, history = trained(architecture, inputs, epochs, learning_rate, seed)
    return performance(model, history, inputs, evaluate_on)


def check_part(evaluate_on):
    """Raise ValueError unless `evaluate_on` names a part that measures."""
    if evaluate_on not in ("validation", "test"):
        raise ValueError(f"evaluate_on must be 'validation' or 'test', not {evaluate_on!r}.")


def trained(architecture, inputs, epochs, learning_rate, seed):
    """Train a network (Adam, batches of 128, cosine schedule to zero).

    `inputs` has (images, labels) of "train" and "validation"; the rest is described in `accuracy`. Returns
    the network and its history, at most `MOST_VALIDATIONS` rows.
    """
    train = inputs["train"]
    model = build(architecture, train[0].shape[1:], CLASSES, seed)
    training.compile_classifier(model, learning_rate, steps=epochs * -(-len(train[0]) // training.BATCH_SIZE))
    validate_every = -(-epochs // MOST_VALIDATIONS)
    history = training.fit(
        model, train, inputs["validation"], epochs=epochs, seed=seed, validate_every=validate_every
    )
    return model, history[history["epoch"] % validate_every == 0]


def performance(model, history, inputs, evaluate_on):
    """Return what `accuracy` returns, of a network and its history."""
    train_loss, train_accuracy = training.evaluate(model, *inputs["train"])
    loss, score = training.evaluate(model, *inputs[evaluate_on])
    return {
        "accuracy": score,
        "loss": loss,
        "train_accuracy": train_accuracy,
        "train_loss": train_loss,
        "parameters": model.count_params(),
        **{f"epoch_{name}": history[name].round(5) for name in history.columns.drop("epoch")},
    }


def tuned(function=accuracy, **settings):
    """Return what `tuning` plans, for one experiment; the arguments are described there."""
    return sweeps({"": tuning(function, **settings)})[""]


def tuning(function=accuracy, *, seed, learning_rate=LEARNING_RATES, **grid):
    """Plan the test results of every method of `grid`, each at the learning rate that validation chose.

    Every method starts with the same learning rates: one run at each with each of `TUNING_SEEDS`, measured on
    the validation images. The rate with the best mean is then trained with every seed and measured on the
    test images. A best rate at an edge is no choice yet: such a method gets the next rate beyond, until its
    best lies inside. All methods go through these rounds together.

    Parameters
    ----------
    function : experiment
        One of this module, with a number as `accuracy`.
    seed : list or range of int
    learning_rate : list of float
        To choose from, at least two, each 1 or 3 times a power of ten.
    **grid
        Arguments of `function`, one value or a list each.

    Returns
    -------
    plan of a pandas.DataFrame
        For `common.experiments.sweeps`. One row for each method and seed, the methods in the order of the
        grid, with one more column: validation_accuracy, the mean that chose the learning rate.

    Raises
    ------
    ValueError
        Another learning rate.
    """
    for rate in learning_rate:
        if f"{rate:.0e}"[0] not in "13" or rate != float(f"{rate:.0e}"):
            raise ValueError(f"A learning rate must be 1 or 3 times a power of ten, not {rate}.")
    return _tuning(function, grid, list(learning_rate), seed)


def _tuning(function, grid, learning_rate, seed):
    choosing = {"learning_rate": learning_rate, "evaluate_on": "validation", "seed": TUNING_SEEDS}
    methods = [
        {name: config[name] for name in grid}
        for config in configurations(function, {**grid, **choosing, "learning_rate": 1, "seed": 0})
    ]
    (scores,) = yield [(function, {**grid, **choosing})]
    means = scores["accuracy"].to_numpy().reshape(len(methods), len(learning_rate), -1).mean(-1)
    by_rate = [dict(zip(learning_rate, row, strict=True)) for row in means.tolist()]
    while beyond := {n: _beyond(rates) for n, rates in enumerate(by_rate) if _beyond(rates)}:
        further = [
            (function, {**methods[n], **choosing, "learning_rate": rate}) for n, rate in beyond.items()
        ]
        for (n, rate), table in zip(beyond.items(), (yield further), strict=True):
            by_rate[n][rate] = table["accuracy"].mean()
    best = [max(rates, key=rates.get) for rates in by_rate]
    final = {"evaluate_on": "test", "seed": seed}
    tables = yield [
        (function, {**method, "learning_rate": rate, **final})
        for method, rate in zip(methods, best, strict=True)
    ]
    found = zip(tables, by_rate, best, strict=True)
    chosen = [table.assign(validation_accuracy=rates[rate]) for table, rates, rate in found]
    return pd.concat(chosen, ignore_index=True)


def across_acquisitions(
    samplings, noises, function=accuracy_measured, *, dataset, arms, reference, learning_rate, seed, **others
):
    """Plan the test results of all methods at all samplings and noises.

    Each method has the learning rate that `tuning` chooses for `accuracy_measured` on that data set at the
    reference.

    Parameters
    ----------
    samplings, noises, dataset, arms : list
    function : experiment
        `accuracy_measured` or `accuracy_elsewhere`.
    reference : (sampling, noise)
    learning_rate : list of float
        To choose from, as in `tuning`.
    seed : list or range of int
    **others
        Further arguments of `function`, one value or a list each; the reference has their defaults.

    Returns
    -------
    plan of a pandas.DataFrame
        For `common.experiments.sweeps`; as of `sweep`.
    """
    chosen = yield from tuning(
        accuracy_measured, dataset=dataset, arm=arms, sampling=reference[0], noise=reference[1],
        learning_rate=learning_rate, seed=seed,
    )  # fmt: skip
    rates = chosen.groupby(["dataset", "arm"], sort=False, dropna=False)["learning_rate"].first()
    everywhere = {"sampling": samplings, "noise": noises, "evaluate_on": "test", "seed": seed, **others}
    tables = yield [
        (function, {"dataset": name, "arm": arm, "learning_rate": float(rate), **everywhere})
        for (name, arm), rate in rates.items()
    ]
    return pd.concat(tables, ignore_index=True)


def scrambled_pixels(seeds, dense_seeds):
    """Return all sweeps and plans of notebook 1 by name, for `common.experiments.sweeps`."""
    both = {"dataset": ["mnist", "fashion_mnist"], "seed": seeds}
    raw_and_scrambled = {"dataset": both["dataset"], "representation": ["raw", "scrambled"]}
    two, three = ["lenet5", "dense"], ["lenet5", "dense_small", "dense"]
    some = ["raw", "scrambled within 7 x 7", "blocks of 7 x 7 scrambled", "scrambled"]
    doses = list(dict.fromkeys(DOSES["inside blocks"] + DOSES["as whole blocks"]))
    others = ["large_kernel", "mixer", "pointwise", "dense_small"]
    ranges = ["none", "[0, 1]", "[-1, 1]"]
    first = {"evaluate_on": "test", "seed": range(5)}
    lenet5 = {"representation": "scrambled", "architecture": "lenet5", "learning_rate": 0.01}
    dense = {"representation": "raw", "architecture": "dense", "learning_rate": 0.001}
    few = {**both, "examples": 10_000}
    return {
        "lenet5": tuning(**raw_and_scrambled, architecture="lenet5", seed=seeds),
        "dense": tuning(**raw_and_scrambled, architecture="dense", seed=dense_seeds),
        "doses, lenet5": tuning(**few, representation=doses, architecture="lenet5"),
        "doses, others": tuning(**few, representation=some, architecture=others),
        "recovered": tuning(accuracy_unscrambled, **both, unlabelled=[100, 300, 1_000, 2_000]),
        "bounds": tuning(**few, representation=["raw", "scrambled"], architecture="lenet5"),
        "abandoned, lenet5": (accuracy, {**lenet5, **first}),
        "abandoned, dense": (accuracy, {**dense, **first}),
        "normalised": tuning(**few, normalisation=ranges, architecture=two),
        "fitted to few": tuning(**both, architecture=three, examples=5_000, epochs=40),
        "fitted to all": tuning(**both, architecture=three, examples=55_000),
        **{
            f"{n} examples": tuning(
                **raw_and_scrambled, architecture=two, seed=seeds, examples=n, epochs=epochs_for(n)
            )
            for n in SAMPLE_SIZES
        },
    }


def _beyond(means):
    """Return the rate to try next, or None if the best of some rates, by their means, lies inside."""
    best = max(means, key=means.get)
    return _next_rate(best, falling=best == min(means)) if best in (min(means), max(means)) else None


def _next_rate(rate, falling):
    """Return the neighbour of a rate in ..., 0.001, 0.003, 0.01, 0.03, ..."""
    digit, exponent = f"{rate:.0e}".split("e")
    power = int(exponent) + {("1", True): -1, ("3", False): 1}.get((digit, falling), 0)
    return float(f"{'3' if digit == '1' else '1'}e{power}")


def epochs_for(examples):
    """Return the number of epochs that make at least 500 updates, but no fewer than `EPOCHS`."""
    return max(EPOCHS, -(-500 // -(-examples // training.BATCH_SIZE)))


def split(data, examples, seed):
    """Return the parts "train", `examples` of the first 55,000 training images, "validation", and "test"."""
    first, validation = data.train[:-VALIDATION_SIZE], data.train[-VALIDATION_SIZE:]
    chosen = np.random.default_rng(seed).choice(len(first), examples, replace=False)
    return {"train": first[np.sort(chosen)], "validation": validation, "test": data.test}
