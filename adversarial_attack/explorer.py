"""Blur an attacked photograph, scale the attack, and see what three networks say: ``explore.ipynb``."""

import ipywidgets
import numpy as np

from adversarial_attack.examples import SHIPPED, load_examples
from adversarial_attack.filters import gaussian_blur
from adversarial_attack.held_out import as_jpeg
from adversarial_attack.judges import logits
from common.data import load_imagenet_samples
from common.widgets import LABELLED, Bars, Picture, arranged

SIZE = 224
QUALITY = 90  # of the JPEG beside the attack, whose visibility bounds the attack's
START = {"photograph": 0, "strength": 100, "sigma": 1.0}  # the attacked networks are wrong
LARGEST_SIGMA, STRONGEST = 4, 200  # pixels, per cent of the stored attack
AMPLIFIED = 10
CAPTIONS = (
    "Clean, blurred",
    f"Clean, as JPEG {QUALITY}, blurred",
    "Attacked, blurred",
    f"Attacked less clean, {AMPLIFIED} times",
)


def explorer() -> ipywidgets.VBox:
    """Return the explorer of the committed attacked photographs."""
    samples, examples = load_imagenet_samples(), load_examples()
    clean = samples.as_float()
    pictures = [Picture(caption, SIZE) for caption in CAPTIONS]
    number, strength, sigma = sliders = _sliders(len(clean))
    truth, others, bars = ipywidgets.Label(), ipywidgets.Label(), Bars(SHIPPED)

    def answer(_):
        image, label = clean[number.value], samples.labels[number.value]
        change = (examples[number.value] - image) * (strength.value / 100)
        attacked = np.clip(image + change, 0, 1)
        seen = blurred(np.stack([image, as_jpeg(image, QUALITY), attacked]), sigma.value)
        for place, shown in zip(pictures, [*seen, 0.5 + AMPLIFIED * (seen[2] - seen[0])], strict=True):
            place.show(shown)
        said = np.stack([logits(name, seen) for name in SHIPPED], axis=1)
        truth.value = (
            f"Label: {samples.class_names[label]}. "
            f"Largest change of a pixel before the blur: {255 * np.abs(change).max():.0f} of 255."
        )
        clean_right, saved_right = ((found.argmax(-1) == label).sum() for found in said[:2])
        others.value = (
            f"{clean_right} of {len(SHIPPED)} networks recognise the clean picture, {saved_right} its JPEG."
        )
        bars.show_decisions(said[2], samples.class_names, label)

    for slider in sliders:
        slider.observe(answer, "value")
    answer(None)
    return arranged(pictures, [*sliders, truth, others], bars)


def _sliders(photographs):
    number = ipywidgets.IntSlider(
        START["photograph"], 0, photographs - 1, description="photograph (0 to 19)", **LABELLED
    )
    strength = ipywidgets.IntSlider(
        START["strength"], 0, STRONGEST, 5, description="attack strength, %", **LABELLED
    )
    sigma = ipywidgets.FloatSlider(
        START["sigma"], min=0, max=LARGEST_SIGMA, step=0.25, description="blur sigma, pixels", **LABELLED
    )
    return number, strength, sigma


def blurred(images, sigma):
    """Return images ``(n, 224, 224, 3)`` blurred with sigma in pixels, as they are if it is 0."""
    return (gaussian_blur(SIZE, SIZE, sigma)(images) if sigma else images).astype("float32")
