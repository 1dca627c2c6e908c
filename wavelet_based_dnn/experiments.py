"""The measurements of this study; their records are in `results/`.

The protocol, stated before the sweep: validation images (the last 5,000 training images) choose the learning
rates. The test scenes are drawn from the 10,000 test images by fixed seeds, the same for all networks, and
are read once by each. Claims compare networks of the same seed on the same scenes. Earlier designs of our
network had been read on other scenes of the same test images. So when the design was final the test scenes
got new seeds, and all networks were read again.
"""

import numpy as np

from common.data import load_dataset
from common.experiments import experiment
from common.names import look_up
from wavelet_based_dnn.fill_evaluation import read_fills, true_fills
from wavelet_based_dnn.fills import draw_fills, joint_labels
from wavelet_based_dnn.refinement import at_random, by_brightness, by_energy, by_evidence
from wavelet_based_dnn.rivals import halved_images
from wavelet_based_dnn.scale_network import LEVELS
from wavelet_based_dnn.scene_evaluation import (
    resized,
    right_answers,
    right_on_boxes,
    routed,
    scene_batches,
    stopped,
)
from wavelet_based_dnn.scenes import DYNAMIC, PUBLISHED
from wavelet_based_dnn.trainings import (
    FILL_CANVASES,
    FILL_CLUTTER,
    FILL_STEPS,
    STEPS,
    TRAINING_IMAGES,
    trained,
    trained_on_crops,
    trained_on_fills,
)
from wavelet_based_dnn.transmission import send

VALIDATION_SEED, TEST_SEED = 1_000, 4_000  # of scenes
VALIDATION_SCENES, TEST_SCENES, PUBLISHED_SCENES = 1_000, 2_000, 10_000
VALIDATION_CANVAS, LARGE = (112, 112), (224, 224)
# Sides of the object, (smallest, largest), and the canvas.
MIXED = ((14, 56), LARGE)
CELLS = (
    *(((size, size), (side, side)) for side in (28, 56, 112, 224) for size in (14, 28, 56) if size <= side),
    ((40, 40), (151, 97)),
    MIXED,
)
TIGHT_SIZES = (8, 10, 12, 14, 20, 28, 40, 56)
ROUTED = (MIXED, *(((size, size), LARGE) for size in (14, 28, 56)))
BUDGETS = (0.0, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)  # of the finest level's tiles; 0 is the least, 4 tiles
CONFIDENCES = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)  # at which reading stops; 1 never stops
RULES = {
    "evidence": by_evidence,
    "random": at_random,
    "detail energy": by_energy,
    "brightness": by_brightness,
    "true boxes": "boxes",
}
# Of each canvas's side. For 400 scenes the 95 % interval of an accuracy of 90 % is 3 points either way.
TRANSMITTED_SCENES = {448: 400, 896: 100}
TRANSMITTED_PIXELS = 10_000_000  # of a batch; in smaller ones the entropy coder takes longer
TRANSMISSION_SEED = TEST_SEED + 1_000  # of scenes; the other test scenes have seeds below
TOLD = "told the box"
RATE = 3e-3
PLAIN_TUNING_STEPS = 1_500  # of the wide plain pyramid, of which a step takes three times as long
VALIDATION_FILLS, TEST_FILLS = 1_000, 5_000  # filled silhouettes, of which scenes are drawn


@experiment(version=1, tolerance=0.2)
def tuning(*, dataset="mnist", variant, learning_rate, steps, seed):
    """Train a network with one learning rate and measure it on scenes of validation images alone.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    variant : key of `variants.VARIANTS`, or `TOLD`
        The latter is the network of `told_the_box`, which is read on the boxes of the scenes.
    learning_rate : float
    steps, seed : int
        As of `scene_training.train_on_scenes`.

    Returns
    -------
    dict
        validation, the accuracy of each level on 1,000 scenes of 112 x 112 pixels, the coarsest first; loss,
        of the last hundred steps, in nats.
    """
    if variant == TOLD:
        network, history = trained_on_crops(dataset, learning_rate, steps, seed)
        validation = right_on_boxes(network, validation_scenes(dataset)).mean(keepdims=True)
    else:
        network, history = trained(dataset, variant, learning_rate, steps, seed)
        validation = on_validation(network, dataset)
    return {"validation": validation, "loss": history["loss"].iloc[-1]}


@experiment(version=2, tolerance=0.05)
def native_scale(*, dataset="mnist", variant, learning_rate=RATE, steps=STEPS, seed):
    """Train a network and measure it on scenes of many objects' sizes and canvases.

    Parameters
    ----------
    dataset, variant, learning_rate, steps, seed
        As of `tuning`.

    Returns
    -------
    dict
        validation, as of `tuning`; loss, of each hundred steps; for each of `CELLS`, named by `named`,
        right, whether each level is right on each of 2,000 scenes, the coarsest level's scenes first.
    """
    network, history = trained(dataset, variant, learning_rate, steps, seed)
    found = {"validation": on_validation(network, dataset), "loss": history["loss"].to_numpy()}
    for cell in CELLS:
        right = right_answers(network, scenes_of_test(dataset, cell))
        found[f"right_{named(cell)}"] = right.ravel()
    return found


@experiment(version=2, tolerance=0.05)
def told_the_box(*, dataset="mnist", learning_rate=RATE, steps=STEPS, seed):
    """Train a network on the true boxes of the scenes and measure it on those of the same test scenes.

    Parameters
    ----------
    dataset, learning_rate, steps, seed
        As of `tuning`.

    Returns
    -------
    dict
        validation, the accuracy on the boxes of 1,000 scenes of 112 x 112 pixels; loss, of each hundred
        steps; for each of `CELLS`, named by `named`, right, whether it is right on each of 2,000 boxes;
        sides, those of the boxes of `MIXED` in pixels.
    """
    network, history = trained_on_crops(dataset, learning_rate, steps, seed)
    found = {"validation": right_on_boxes(network, validation_scenes(dataset)).mean()}
    found["loss"] = history["loss"].to_numpy()
    found["sides"] = np.concatenate([one.boxes[:, 2] for one in scenes_of_test(dataset, MIXED)])
    return found | {
        f"right_{named(cell)}": right_on_boxes(network, scenes_of_test(dataset, cell)) for cell in CELLS
    }


@experiment(version=1, tolerance=0.05)
def tight(*, dataset="mnist", variant, learning_rate=RATE, steps=STEPS, seed):
    """Ask a trained network about the test images alone, resized, without clutter and noise.

    Parameters
    ----------
    dataset, variant, learning_rate, steps, seed
        As of `tuning`.

    Returns
    -------
    dict
        For each of `TIGHT_SIZES`, right_8 and so on: whether the finest level is right on each of 10,000
        images.
    """
    network, _ = trained(dataset, variant, learning_rate, steps, seed)
    test = load_dataset(dataset).test
    return {f"right_{size}": right_answers(network, resized(test, size))[-1] for size in TIGHT_SIZES}


@experiment(version=2, tolerance=0.05)
def routing(*, dataset="mnist", learning_rate=RATE, steps=STEPS, seed):
    """Give a trained network of Haar's levels a share of its finest tiles on canvases of 224 x 224 pixels.

    Parameters
    ----------
    dataset, learning_rate, steps, seed
        As of `tuning`.

    Returns
    -------
    dict
        For each of `RULES` and of `ROUTED`, named by `named`: right, as in "right_random_14_in_224x224",
        whether the network is right, 2,000 scenes for each of `BUDGETS` in turn.
    """
    network, _ = trained(dataset, "Haar", learning_rate, steps, seed)
    found = {}
    for cell in ROUTED:
        right = routed(network, scenes_of_test(dataset, cell), RULES, BUDGETS, seed)
        found |= {f"right_{rule}_{named(cell)}": each.ravel() for rule, each in right.items()}
    return found


@experiment(version=1, tolerance=0.05)
def stopping(*, dataset="mnist", learning_rate=RATE, steps=STEPS, seed):
    """Let a trained network of Haar's levels stop as soon as it is confident, or after some levels.

    Parameters
    ----------
    dataset, learning_rate, steps, seed
        As of `tuning`.

    Returns
    -------
    dict
        Of scenes of mixed sizes on 224 x 224 pixels, read at the smallest budget, for each of `CONFIDENCES`
        and then for each number of levels: right, whether the network is right, 2,000 scenes for each setting
        in turn; tiles, the mean number of tiles computed, levels for each setting in turn.
    """
    network, _ = trained(dataset, "Haar", learning_rate, steps, seed)
    settings = [{"budget": 0, "confidence": confidence} for confidence in CONFIDENCES]
    settings += [{"budget": 0, "levels": levels} for levels in range(1, LEVELS + 1)]
    right, tiles = stopped(network, scenes_of_test(dataset, MIXED), settings)
    return {"right": right.ravel(), "tiles": tiles.ravel()}


@experiment(version=1, tolerance=0.02)
def published(*, dataset="mnist", clutter, variant, learning_rate=RATE, steps=STEPS, seed):
    """Train and test a network on cluttered MNIST as it was published.

    Parameters
    ----------
    clutter : key of `scenes.PUBLISHED`
    dataset, variant, learning_rate, steps, seed
        As of `tuning`.

    Returns
    -------
    dict
        right, whether the finest level is right on each of 10,000 test scenes.
    """
    network, _ = trained(dataset, variant, learning_rate, steps, seed, clutter)
    canvas, settings = PUBLISHED[clutter]
    test = load_dataset(dataset).test
    scenes = scene_batches(test.as_float(), test.labels, PUBLISHED_SCENES, canvas, TEST_SEED, settings)
    return {"right": right_answers(network, scenes)[-1]}


@experiment(version=1, tolerance=0.05, needs=["fashion_mnist"])
def fills(*, variant, halved=False, learning_rate=RATE, steps=FILL_STEPS, seed):
    """Train a network on filled silhouettes, whose fill only the finest details show, and read both labels.

    Parameters
    ----------
    variant : key of `variants.VARIANTS`
        Of a `ScaleNetwork`.
    halved : bool
        Whether the network halves every image first, in training and test: a probe of what coarser levels
        could learn of the fill.
    learning_rate, steps, seed
        As of `tuning`.

    Returns
    -------
    dict
        loss, of each hundred steps; validation, the finest level's accuracy of the silhouette and of the
        orientation on 1,000 scenes. On 2,000 test scenes of 56 x 56 pixels, for "silhouette" and
        "orientation": right, whether the finest level is right on each; levels, the accuracy of each level,
        the coarsest first; both again for the scenes at half the size, named "halved".
    """
    network, history = trained_on_fills(variant, learning_rate, steps, seed, halved)
    found = {"loss": history["loss"].to_numpy(), "validation": on_validation_fills(network)}
    scenes = list(test_fills())
    read, truth = read_fills(network, scenes), true_fills(scenes)
    half = read_fills(network, scenes, halved_images)
    for place, label in enumerate(("silhouette", "orientation")):
        for name, answers in ((label, read), (f"halved_{label}", half)):
            right = answers[place] == truth[place]
            found |= {f"right_{name}": right[-1], f"levels_{name}": right.mean(-1)}
    return found


@experiment(version=1, tolerance=0.05)
def transmission(*, dataset="mnist", canvas, method, learning_rate=RATE, steps=STEPS, seed):
    """Send scenes to a trained network of Haar's levels and count what it gets right and the bytes.

    Parameters
    ----------
    canvas : key of `TRANSMITTED_SCENES`
        Side in pixels.
    method : key of `transmission.METHODS`
    dataset, learning_rate, steps, seed
        As of `tuning`.

    Returns
    -------
    dict
        Of objects of 14 to 56 pixels: right, whether the network is right, all scenes for each setting of the
        method in turn; bytes, the mean for a scene, for each setting.
    """
    network, _ = trained(dataset, "Haar", learning_rate, steps, seed)
    right, lengths = send(network, transmitted_scenes(dataset, canvas), method, seed)
    return {"right": right.ravel(), "bytes": lengths.mean(1)}


def on_validation(network, dataset):
    """Return the accuracy of each level on scenes of validation images, the coarsest first."""
    return right_answers(network, validation_scenes(dataset)).mean(-1)


def validation_scenes(dataset):
    """Yield scenes of validation images."""
    images = load_dataset(dataset).train[TRAINING_IMAGES:]
    return scene_batches(
        images.as_float(), images.labels, VALIDATION_SCENES, VALIDATION_CANVAS, VALIDATION_SEED
    )


def on_validation_fills(network):
    """Return the accuracy of silhouettes and of orientations at the finest level on validation scenes."""
    images = load_dataset("fashion_mnist").train[TRAINING_IMAGES:]
    scenes = list(fill_scenes(images, VALIDATION_FILLS, VALIDATION_SCENES, VALIDATION_SEED))
    return np.mean(read_fills(network, scenes)[:, -1] == true_fills(scenes), axis=-1)


def test_fills():
    """Yield the test scenes of filled silhouettes."""
    return fill_scenes(load_dataset("fashion_mnist").test, TEST_FILLS, TEST_SCENES, TEST_SEED)


def fill_scenes(images, fills, scenes, seed):
    """Yield so many scenes of so many filled silhouettes of images."""
    drawn = draw_fills(images.as_float(), images.labels, fills, seed=seed)
    return scene_batches(drawn.images, joint_labels(drawn), scenes, FILL_CANVASES[-1], seed, FILL_CLUTTER)


def scenes_of_test(dataset, cell):
    """Yield the test scenes of a cell."""
    sizes, canvas = cell
    test, seed = load_dataset(dataset).test, TEST_SEED + CELLS.index(cell)
    return scene_batches(
        test.as_float(), test.labels, TEST_SCENES, canvas, seed, DYNAMIC._replace(sizes=sizes)
    )


def transmitted_scenes(dataset, side):
    """Yield the test scenes with objects of 14 to 56 pixels that are sent, on a square canvas."""
    count = look_up("canvas", side, TRANSMITTED_SCENES)
    test, canvas = load_dataset(dataset).test, (side, side)
    given = test.as_float(), test.labels, count, canvas, TRANSMISSION_SEED + side
    return scene_batches(*given, DYNAMIC, TRANSMITTED_PIXELS)


def named(cell):
    """Return the name of a cell, such as "28_in_112x112"; objects of mixed sizes are "mixed"."""
    (least, most), (height, width) = cell
    return f"{least if least == most else 'mixed'}_in_{height}x{width}"
