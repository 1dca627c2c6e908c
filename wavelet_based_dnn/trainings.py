"""Trainings as the experiments use them: scenes of the first 55,000 training images, or of fills of them."""

import hashlib
import json
from pathlib import Path

import keras

from common.data import load_dataset
from common.names import look_up
from wavelet_based_dnn.boxed import build_boxed_network, train_on_crops
from wavelet_based_dnn.fills import NATIVE, ORIENTATIONS, draw_fills, joint_labels
from wavelet_based_dnn.rivals import HalvedScales
from wavelet_based_dnn.scale_network import CLASSES
from wavelet_based_dnn.scene_training import Schedule, train_on_scenes
from wavelet_based_dnn.scenes import DYNAMIC, PUBLISHED
from wavelet_based_dnn.variants import VARIANTS

VERSION = 1  # of what is trained; the experiments' version
TRAINING_IMAGES = 55_000
STEPS = 6_000
# With as little clutter as in the tests, canvases of 224 pixels were 5 points worse (validation, one seed).
TRAINING_CLUTTER = DYNAMIC._replace(pixels_a_patch=500)
FILLS = 20_000
FILL_STEPS = 3_000  # after 1,500, Haar names 90 % of the orientations of validation scenes
FILL_CANVASES = ((28, 28), (40, 40), (56, 56))
FILL_CLUTTER = NATIVE
TRAININGS = Path(__file__).parents[1] / "build" / "wavelet_based_dnn" / "trainings"


def trained(dataset, variant, learning_rate, steps, seed, clutter="dynamic"):
    """Return a trained network and its history.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    variant : key of `variants.VARIANTS`
    learning_rate : float
    steps, seed : int
        As of `scene_training`.
    clutter : "dynamic" or a key of `scenes.PUBLISHED`

    Returns
    -------
    network : keras.Model
    history : pandas.DataFrame
    """
    keras.utils.clear_session()
    build, drop, level_weights = look_up("variant", variant, VARIANTS)
    network, images = build(classes=CLASSES, seed=seed), load_dataset(dataset).train[:TRAINING_IMAGES]
    schedule = schedule_of(clutter, learning_rate, steps)._replace(level_weights=level_weights)
    history = train_on_scenes(
        network, images.as_float(), images.labels, schedule, seed=seed, drop=drop,
        checkpoint=kept([dataset, variant, learning_rate, steps, seed, clutter]),
    )  # fmt: skip
    return network, history


def trained_on_crops(dataset, learning_rate, steps, seed):
    """Return a network that is told the box, trained on the boxes of the same scenes, and its history."""
    keras.utils.clear_session()
    network, images = build_boxed_network(seed), load_dataset(dataset).train[:TRAINING_IMAGES]
    history = train_on_crops(
        network, images.as_float(), images.labels, schedule_of("dynamic", learning_rate, steps), seed=seed,
        checkpoint=kept([dataset, "boxed", learning_rate, steps, seed]),
    )  # fmt: skip
    return network, history


def trained_on_fills(variant, learning_rate, steps, seed, halved=False):
    """Return a network trained on filled silhouettes of Fashion-MNIST, and its history.

    Parameters
    ----------
    variant : key of `variants.VARIANTS`
        Of a `ScaleNetwork`.
    learning_rate : float
    steps, seed : int
        As of `scene_training`; the seed also decides the fills.
    halved : bool
        Whether the network reads images of half the size, as `rivals.HalvedScales`.

    Returns
    -------
    network : ScaleNetwork
        Of 40 classes, of which `fill_evaluation.both` makes a silhouette and an orientation.
    history : pandas.DataFrame
    """
    keras.utils.clear_session()
    build, drop, level_weights = look_up("variant", variant, VARIANTS)
    network = build(classes=CLASSES * len(ORIENTATIONS), seed=seed)
    if halved:
        network = HalvedScales(**network.arguments)
    images = load_dataset("fashion_mnist").train[:TRAINING_IMAGES]
    fills = draw_fills(images.as_float(), images.labels, FILLS, seed=seed)
    schedule = Schedule(steps, learning_rate, FILL_CANVASES, FILL_CLUTTER, level_weights)
    history = train_on_scenes(
        network, fills.images, joint_labels(fills), schedule, seed=seed, drop=drop,
        checkpoint=kept(["fills", variant, learning_rate, steps, seed, halved]),
    )  # fmt: skip
    return network, history


def schedule_of(clutter, learning_rate, steps):
    """Return the `Schedule` of `DYNAMIC` or of published clutter, by name."""
    if clutter == "dynamic":
        return Schedule(steps, learning_rate, clutter=TRAINING_CLUTTER)
    canvas, settings = look_up("clutter", clutter, PUBLISHED)
    return Schedule(steps, learning_rate, (canvas,), settings)


def kept(settings):
    """Return the file in which a training is kept, or None if there is no folder of trainings in `build`.

    Whoever makes the folder has every training kept, so that it continues after an interruption and a further
    measurement needs no further training. Without the folder, and so in a new clone, everything is trained
    anew.

    Parameters
    ----------
    settings : list
        All that decides the training, as JSON values; they and `VERSION` decide the name.
    """
    if not TRAININGS.is_dir():
        return None
    told = json.dumps([VERSION, *settings])
    return TRAININGS / f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.npz"
