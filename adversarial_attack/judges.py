"""The six ImageNet networks of this study: as judges, which only answer, and with gradients, for the attacks.

TensorFlow Lite computes the three MobileNets in integers, so an attack needs their rebuilt copies
(`adversarial_attack.mobilenets`). The other three networks judge and are attacked as they are.
"""

from functools import lru_cache

import numpy as np
import tensorflow as tf

from adversarial_attack.mobilenets import Interpreter, rebuilt
from common.data import MOBILENETS
from common.names import look_up
from common.pretrained import CLASSES, load_classifier
from common.validation import as_images, as_labels

# From the name in figures to the key of `common.pretrained` or `common.data`.
NETWORKS = {
    "EfficientNet-Lite0": "efficientnet_lite0",
    "EfficientNet-Lite2": "efficientnet_lite2",
    "SqueezeNet": "squeezenet",
    "MobileNetV1": "mobilenet_v1_0.75_192",
    "MobileNetV2": "mobilenet_v2_1.0_224",
    "MobileNetV2, another training": "tf2_mobilenet_v2_1.0_224",
}
# The networks whose gradients an attack takes; all six judge.
ATTACKED = {
    "survival": ("EfficientNet-Lite0", "SqueezeNet", "MobileNetV2"),
    "depthwise": ("EfficientNet-Lite0", "EfficientNet-Lite2", "MobileNetV1", "MobileNetV2"),
    "squeezenet": ("SqueezeNet",),
    "three depthwise": ("EfficientNet-Lite0", "EfficientNet-Lite2", "MobileNetV2"),
}
NEEDS = (*MOBILENETS, "imagenet_compatible")  # data of an experiment with all networks, keys of `SHA256`
BATCH_SIZE = 50  # the largest layer of a MobileNet holds 5 MB for each image of 224 x 224 pixels


@lru_cache
def differentiable(name):
    """Return a network that an attack can differentiate.

    Parameters
    ----------
    name : key of `NETWORKS`

    Returns
    -------
    keras.Model
        From images ``(n, height, width, 3)`` in [0, 1], of any size, to logits ``(n, 1000)``.

    Raises
    ------
    ValueError
        There is no such network, or its weights are not the recorded ones.
    FileNotFoundError
        The package with the weights is not installed.
    ConnectionError
        The file of a MobileNet is not on this machine and cannot be downloaded.
    """
    key = look_up("network", name, NETWORKS)
    return rebuilt(key) if key in MOBILENETS else load_classifier(key)


def logits(name, images):
    """Return what a network computes as a judge: a MobileNet in integers.

    Errors are those of `differentiable`; another ValueError says what is wrong with the images.

    Parameters
    ----------
    name : key of `NETWORKS`
    images : array of float, ``(n, height, width, 3)``
        In [0, 1], of any size.

    Returns
    -------
    numpy.ndarray of float32, ``(n, 1000)``
    """
    images, judge = np.asarray(as_images(images)), _judge(name)
    parts = range(0, len(images), BATCH_SIZE)
    return np.concatenate([judge(images[i : i + BATCH_SIZE]) for i in parts])


def recognises(name, images, labels):
    """Return for each image whether a network says its label, as bools ``(n,)``.

    The logits of the MobileNets are integers times a constant, so two classes can tie. A tie with the label
    counts as recognised, because a change of the image should not count as a success of an attack before
    another class is ahead.

    Parameters
    ----------
    name, images : see `logits`
    labels : array of int, ``(n,)``

    Raises
    ------
    ValueError
        The labels are not classes, one an image; other errors are those of `logits`.
    """
    labels = as_labels(labels, len(images), CLASSES)
    found = logits(name, images)
    return found[np.arange(len(found)), labels] == found.max(axis=1)


@lru_cache
def _judge(name):
    """Return a function from a batch of images to logits, as NumPy array."""
    key = look_up("network", name, NETWORKS)
    if key in MOBILENETS:
        return Interpreter(key)
    network = differentiable(name)
    compiled = tf.function(lambda images: network(images, training=False), reduce_retracing=True)
    return lambda images: compiled(tf.constant(images)).numpy()
