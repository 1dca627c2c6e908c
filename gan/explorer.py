"""Drag a point in the latent square and see its digit: ``explore.ipynb``."""

import ipywidgets
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from common.widgets import Bars, Picture, picture
from gan.dragging import Square
from gan.manifold import mosaic, square
from gan.models import load_classifier, load_generator

COLUMNS = 20  # digits a side of the map


def explorer() -> ipywidgets.HBox:
    """Return the explorer of MNIST's generator with two latent numbers."""
    generator, classifier = load_generator(2), load_classifier("mnist")

    @tf.function
    def generate(points):
        images = generator(points)
        return images, classifier(images)

    plane = Square(background=picture(mosaic(np.array(generator(square(COLUMNS))), COLUMNS), 560))
    digit, bars, place = Picture("The digit at the point"), Bars("0123456789", "1rem"), ipywidgets.Label()

    def answer(_):
        images, logits = generate(tf.constant([[plane.x, plane.y]], "float32"))
        probabilities = softmax(logits[0])
        digit.show(images[0])
        place.value = f"Point: {plane.x:+.2f} to the right, {plane.y:+.2f} up (-1 to 1, no unit)"
        bars.show(probabilities, [f"{100 * probability:.0f} %" for probability in probabilities])

    plane.observe(answer, ["x", "y"])
    answer(None)
    drawn = [ipywidgets.Label("All that the generator draws"), plane, place]
    read = [ipywidgets.Label("What a classifier reads"), bars]
    parts = [ipywidgets.VBox(drawn, layout={"margin": "0 1rem 0 0"}), digit, ipywidgets.VBox(read)]
    return ipywidgets.HBox(parts, layout={"flex_flow": "row wrap"})
