"""What the metrics look at: features of a classifier of the data set, and of a network that never saw it."""

from functools import lru_cache

import keras
import numpy as np
from scipy.special import softmax

from common.arguments import as_stored
from common.pretrained import load_classifier as load_imagenet_classifier
from gan.models import load_classifier

IMAGENET_SIZE = 56  # pixels a side to which images are enlarged


def class_features(images, dataset):
    """Return the 64 features of `models.load_classifier` and its class probabilities.

    Parameters
    ----------
    images : array of uint8, shape (n, 28, 28, 1)
    dataset : "mnist" or "fashion_mnist"

    Returns
    -------
    features : array, shape (n, 64)
    probabilities : array, shape (n, 10)
    """
    features, logits = _class_network(dataset).predict(as_float(images), 1000, verbose=0)
    return features, softmax(logits, axis=1)


def imagenet_features(images):
    """Return the 512 averaged features of SqueezeNet before its last layer, shape (n, 512).

    It was trained on photographs (`common.pretrained`), so it has no reason to flatter a generator of digits.
    The images are enlarged to 56 x 56.

    Parameters
    ----------
    images : array of uint8, shape (n, 28, 28, 1)
    """
    factor = IMAGENET_SIZE // images.shape[1]
    enlarged = as_float(images).repeat(factor, axis=1).repeat(factor, axis=2).repeat(3, axis=3)
    return _imagenet_network().predict(enlarged, 250, verbose=0)


def as_float(images):
    """Return uint8 images as float32 in [0, 1]; raise ValueError for others."""
    return np.divide(as_stored(images), 255, dtype="float32")


@lru_cache
def _class_network(dataset):
    classifier = load_classifier(dataset)
    return keras.Model(classifier.inputs, [classifier.get_layer("features").output, *classifier.outputs])


@lru_cache
def _imagenet_network():
    network = load_imagenet_classifier("squeezenet")
    last = [layer for layer in network.layers if isinstance(layer, keras.layers.Concatenate)][-1]
    return keras.Model(network.inputs, keras.layers.GlobalAveragePooling2D()(last.output))
