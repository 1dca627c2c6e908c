"""Scramble an image and see what networks that learned from whole images say: ``explore.ipynb``."""

import ipywidgets
import tensorflow as tf

from cnn_vs_dense.experiments import split, trained
from common.data import load_dataset
from common.scramble import Scrambler
from common.validation import check_counts
from common.widgets import LABELLED, Bars, Picture, arranged

BLOCKS = (1, 2, 4, 7, 14, 28)
START = {"mnist": 71, "fashion_mnist": 24}  # test images that both networks read wrongly in blocks of 7
EXAMPLES, LEARNING_RATE = 10_000, 3e-3
NETWORKS = {"lenet5": "LeNet-5", "dense_small": "dense network"}


def explorer(dataset: str = "mnist", epochs: int = 2) -> ipywidgets.VBox:
    """Return the explorer; LeNet-5 and a dense network are trained first, in seconds.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    epochs : int
        Over 10,000 training images, at least 1.

    Raises
    ------
    ValueError
        There is no such data set, or the epochs are not a positive integer.
    """
    test = load_dataset(dataset).test
    networks = [tf.function(network) for network in newly_trained(dataset, epochs)]
    number = ipywidgets.IntSlider(
        START[dataset], 0, len(test.images) - 1, description="test image", **LABELLED
    )
    block = ipywidgets.SelectionSlider(options=BLOCKS, value=7, description="block side, pixels", **LABELLED)
    whole = ipywidgets.ToggleButtons(
        options={"scramble inside blocks": False, "move whole blocks": True}, style={"button_width": "13rem"}
    )
    before, after = Picture("The test image"), Picture("Scrambled: what the networks see")
    truth, bars = ipywidgets.Label(), Bars(NETWORKS.values())

    def answer(_):
        chosen = test[[number.value]]
        image, label = chosen.as_float(), chosen.labels[0]
        scrambled = Scrambler((28, 28), 0, block.value, whole.value).scramble(image)
        before.show(image[0])
        after.show(scrambled[0])
        truth.value = f"Label: {test.class_names[label]}"
        bars.show_decisions(
            [network(tf.constant(scrambled))[0] for network in networks], test.class_names, label
        )

    for control in (number, block, whole):
        control.observe(answer, "value")
    answer(None)
    return arranged([before, after], [number, block, whole, truth], bars)


def newly_trained(dataset, epochs):
    """Return `NETWORKS`, trained on whole images; raises as `explorer`."""
    check_counts(epochs=epochs)
    parts = split(load_dataset(dataset), EXAMPLES, seed=0)
    inputs = {name: (part.as_float(), part.labels) for name, part in parts.items()}
    return [trained(name, inputs, epochs, LEARNING_RATE, seed=0)[0] for name in NETWORKS]
