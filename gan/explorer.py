"""Drag a point in the latent square and see its digit: ``explore.ipynb``."""

import ipywidgets
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from common.widgets import Bars, picture
from gan.dragging import Square
from gan.manifold import mosaic, square
from gan.models import load_classifier, load_generator

CELLS = 20  # a side of the map


def explorer():
    """Return the explorer of MNIST's generator with two latent numbers, an `ipywidgets.HBox`."""
    generator, classifier = load_generator(2), load_classifier("mnist")

    @tf.function
    def generate(points):
        images = generator(points)
        return images, classifier(images)

    drawn = mosaic(np.array(generator(square(CELLS))), CELLS)
    plane, image, bars = Square(background=picture(drawn)), ipywidgets.Image(format="png"), Bars("0123456789")

    def answer(_):
        images, logits = generate(tf.constant([[plane.x, plane.y]], "float32"))
        probabilities = softmax(logits[0])
        image.value = picture(images[0])
        bars.show(probabilities, [f"{probability:.2f}" for probability in probabilities])

    plane.observe(answer, ["x", "y"])
    answer(None)
    return ipywidgets.HBox([plane, image, bars])
