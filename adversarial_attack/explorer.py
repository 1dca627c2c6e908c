"""Blur an attacked photograph, scale the attack, and see what four networks say: ``explore.ipynb``."""

import ipywidgets
import numpy as np
import tensorflow as tf

from adversarial_attack.examples import load_examples
from adversarial_attack.filters import gaussian_blur
from common.data import load_imagenet_samples
from common.pretrained import OFFLINE, load_classifier
from common.widgets import Bars, picture

SIZE = 224
LARGEST_SIGMA, LARGEST_EPSILON = 4, 16  # pixels, 1/255


def explorer():
    """Return the explorer of the committed attacked images, an `ipywidgets.HBox`."""
    samples = load_imagenet_samples()
    clean = samples.as_float()
    changes = load_examples() - clean
    networks = [tf.function(load_classifier(name)) for name in OFFLINE]
    number = ipywidgets.IntSlider(max=len(clean) - 1, description="photograph")
    epsilon = ipywidgets.FloatSlider(max=LARGEST_EPSILON, step=0.25, description="epsilon / 255")
    sigma = ipywidgets.FloatSlider(max=LARGEST_SIGMA, step=0.25, description="blur / pixels")
    image, truth, bars = ipywidgets.Image(format="png"), ipywidgets.Label(), Bars(OFFLINE)

    def answer(_):
        change = changes[[number.value]]
        shown = clean[[number.value]] + change * (epsilon.value / 255 / np.abs(change).max())
        shown = np.clip(shown, 0, 1).astype("float32")
        if sigma.value:
            shown = gaussian_blur(SIZE, SIZE, sigma.value)(shown)
        image.value = picture(shown[0])
        truth.value = f"the label says {samples.class_names[samples.labels[number.value]]}"
        bars.show_decisions([network(tf.constant(shown))[0] for network in networks], samples.class_names)

    for slider in (number, epsilon, sigma):
        slider.observe(answer, "value")
    answer(None)
    return ipywidgets.HBox([image, ipywidgets.VBox([number, epsilon, sigma, truth, bars])])
