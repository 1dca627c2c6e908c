"""What classifiers say of images, losses of it, and the gradients of these with respect to the images."""

from functools import lru_cache

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from adversarial_attack.filters import IDENTITY
from common.validation import as_images, as_labels

BATCH_SIZE = 500


# Losses, of logits (n, classes) and labels (n,)


def cross_entropy(logits, labels):
    """Return the cross-entropy of every image, to be raised."""
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def margin(logits, labels):
    """Return by how much the best other class exceeds the label: positive where the classifier is wrong."""
    chosen = ops.one_hot(labels, logits.shape[-1], dtype="bool")
    own = ops.max(ops.where(chosen, logits, -np.inf), axis=-1)
    return ops.max(ops.where(chosen, -np.inf, logits), axis=-1) - own


def cross_entropy_with_margin(logits, labels):
    """Return the `margin`, but with the gradient of the `cross_entropy`, for attacks that follow success."""
    entropy = cross_entropy(logits, labels)
    return entropy + ops.stop_gradient(margin(logits, labels) - entropy)


@lru_cache
def relative(loss):
    """Return a loss of logits in standard deviations of each image's own logits.

    The logits of one network may be several times those of another, which would then decide the gradient. The
    deviation is taken for a constant.
    """
    return lambda logits, labels: loss(logits / ops.stop_gradient(ops.std(logits, -1, keepdims=True)), labels)


@lru_cache
def targeted(loss):
    """Return the loss of an attack whose labels are the classes that the classifiers shall say."""
    return lambda logits, targets: -loss(logits, targets)


@lru_cache
def up_to(confidence, loss):
    """Return a loss that is not raised beyond `confidence`, as in Carlini & Wagner 2017, arXiv:1608.04644."""
    return lambda logits, labels: ops.minimum(loss(logits, labels), confidence)


def gradient(classifiers, images, labels, loss=cross_entropy, filters=(IDENTITY,)):
    """Return the gradient of the mean loss over classifiers and filters with respect to each image.

    Parameters
    ----------
    classifiers : keras.Model, or list of them
        From images to logits.
    images : array of float, ``(n, height, width, channels)``
    labels : array of int, ``(n,)``
    loss : callable
        From logits and labels to one number an image.
    filters : sequence
        See `adversarial_attack.filters`.

    Returns
    -------
    numpy.ndarray, shape and type of `images`

    Raises
    ------
    ValueError
        The labels are not classes, one an image, or the images no finite floats.
    """
    return gradient_and_losses(classifiers, images, labels, loss, filters)[0]


def gradient_and_losses(classifiers, images, labels, loss, filters):
    """Return the `gradient` and the losses, ``(filters * classifiers, n)``."""
    as_images(images)
    labels = as_labels(labels, len(images), classes_of(several(classifiers)))
    total, losses = np.zeros_like(images), []
    for filtered in filters:
        seen = filtered(images)
        for classifier in several(classifiers):
            found, values = _input_gradient(classifier, loss, seen, labels)
            total += filtered.adjoint(found)
            losses.append(values)
    return total / len(losses), np.array(losses)


def several(classifiers):
    """Return a list of classifiers, whether one is given or several; ValueError if there are none."""
    found = list(classifiers) if isinstance(classifiers, list | tuple) else [classifiers]
    if not found:
        raise ValueError("An attack needs at least one classifier, but the list is empty.")
    return found


def classes_of(classifiers):
    """Return how many classes all of the classifiers know, or None if no Keras model is among them."""
    return min((one.output_shape[-1] for one in classifiers if isinstance(one, keras.Model)), default=None)


def _input_gradient(classifier, loss, images, labels):
    differentiate = _differentiated(classifier, loss)
    parts = range(0, len(images), BATCH_SIZE)
    found = [differentiate(images[i : i + BATCH_SIZE], labels[i : i + BATCH_SIZE]) for i in parts]
    return tuple(np.concatenate(values) for values in zip(*found, strict=True))


@lru_cache
def _differentiated(classifier, loss):
    @tf.function(reduce_retracing=True)
    def differentiate(images, labels):
        with tf.GradientTape() as tape:
            tape.watch(images)
            losses = loss(classifier(images, training=False), labels)
        return tape.gradient(losses, images), losses

    return lambda images, labels: differentiate(tf.constant(images), tf.constant(labels))


def predictions(classifier, images):
    """Return the class that a classifier says of every image, ints ``(n,)``; ValueError as `gradient`."""
    as_images(images)
    classify = _compiled(classifier)
    parts = range(0, len(images), BATCH_SIZE)
    return np.concatenate([classify(tf.constant(images[i : i + BATCH_SIZE])).numpy() for i in parts])


@lru_cache
def _compiled(classifier):
    return tf.function(
        lambda images: ops.argmax(classifier(images, training=False), axis=-1), reduce_retracing=True
    )
