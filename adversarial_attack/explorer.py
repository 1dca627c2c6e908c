"""Blur an attacked photograph, scale the attack, and see what four networks say: ``explore.ipynb``."""

import ipywidgets
import numpy as np
import tensorflow as tf

from adversarial_attack.examples import load_examples
from adversarial_attack.filters import gaussian_blur
from common.data import load_imagenet_samples
from common.pretrained import OFFLINE, load_classifier
from common.widgets import LABELLED, Bars, Picture, arranged

SIZE = 224
START = {"photograph": 9, "strength": 100, "sigma": 2.0}  # a bottle cap that no network recognises any more
LARGEST_SIGMA, STRONGEST = 4, 200  # pixels, per cent of the stored attack
AMPLIFIED = 10
NAMES = {
    "efficientnet_lite0": "EfficientNet-Lite0",
    "efficientnet_lite1": "EfficientNet-Lite1",
    "efficientnet_lite2": "EfficientNet-Lite2",
    "squeezenet": "SqueezeNet 1.1",
}


def explorer() -> ipywidgets.VBox:
    """Return the explorer of the committed attacked images."""
    samples = load_imagenet_samples()
    clean = samples.as_float()
    changes = load_examples() - clean
    networks = [tf.function(load_classifier(name)) for name in OFFLINE]
    number = ipywidgets.IntSlider(
        START["photograph"], 0, len(clean) - 1, description="photograph (0 to 19)", **LABELLED
    )
    strength = ipywidgets.IntSlider(
        START["strength"], 0, STRONGEST, 5, description="attack strength, %", **LABELLED
    )
    sigma = ipywidgets.FloatSlider(
        START["sigma"], min=0, max=LARGEST_SIGMA, step=0.25, description="blur sigma, pixels", **LABELLED
    )
    captions = "Clean, same blur", "Attacked, then blurred", f"Their difference, {AMPLIFIED} times"
    pictures = [Picture(caption, SIZE) for caption in captions]
    truth, bars = ipywidgets.Label(), Bars([NAMES[name] for name in OFFLINE])

    def answer(_):
        image, change = clean[[number.value]], changes[[number.value]] * (strength.value / 100)
        seen = [blurred(image, sigma.value), blurred(np.clip(image + change, 0, 1), sigma.value)]
        shown = [*seen, 0.5 + AMPLIFIED * (seen[1] - seen[0])]
        for place, images in zip(pictures, shown, strict=True):
            place.show(images[0])
        label = samples.labels[number.value]
        truth.value = (
            f"Label: {samples.class_names[label]}. "
            f"Largest change of a pixel before the blur: {255 * np.abs(change).max():.0f} of 255."
        )
        attacked = tf.constant(seen[1])
        bars.show_decisions([network(attacked)[0] for network in networks], samples.class_names, label)

    for slider in (number, strength, sigma):
        slider.observe(answer, "value")
    answer(None)
    return arranged(pictures, [number, strength, sigma, truth], bars)


def blurred(images, sigma):
    """Return images ``(n, 224, 224, 3)`` blurred with sigma in pixels, as they are if it is 0."""
    return (gaussian_blur(SIZE, SIZE, sigma)(images) if sigma else images).astype("float32")
