"""Scramble an image and see what networks that learned from whole images say: ``explore.ipynb``."""

import ipywidgets
import tensorflow as tf

from cnn_vs_dense.experiments import split, trained
from common.data import load_dataset
from common.scramble import Scrambler
from common.widgets import Bars, picture

BLOCKS = (1, 2, 4, 7, 14, 28)
EXAMPLES, LEARNING_RATE = 10_000, 3e-3
NETWORKS = ("lenet5", "dense_small")


def explorer(dataset="mnist", epochs=2):
    """Return the explorer, an `ipywidgets.HBox`; LeNet-5 and a dense network are trained first, in seconds.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    epochs : int
        Over 10,000 training images.
    """
    test = load_dataset(dataset).test
    parts = split(load_dataset(dataset), EXAMPLES, seed=0)
    inputs = {name: (part.as_float(), part.labels) for name, part in parts.items()}
    networks = [tf.function(trained(name, inputs, epochs, LEARNING_RATE, seed=0)[0]) for name in NETWORKS]
    number = ipywidgets.IntSlider(max=len(test.images) - 1, description="test image")
    block = ipywidgets.SelectionSlider(options=BLOCKS, value=1, description="block")
    whole = ipywidgets.ToggleButtons(options={"inside blocks": False, "blocks as a whole": True})
    image, truth, bars = ipywidgets.Image(format="png"), ipywidgets.Label(), Bars(NETWORKS)

    def answer(_):
        chosen = test[[number.value]]
        scrambled = Scrambler((28, 28), 0, block.value, whole.value).scramble(chosen.as_float())
        image.value, truth.value = picture(scrambled[0]), f"a {test.class_names[chosen.labels[0]]}"
        bars.show_decisions([network(tf.constant(scrambled))[0] for network in networks], test.class_names)

    for control in (number, block, whole):
        control.observe(answer, "value")
    answer(None)
    return ipywidgets.HBox([image, ipywidgets.VBox([number, block, whole, truth, bars])])
