"""The attacks that are compared: one signature, one budget of gradients, the options of each stated here.

An arm takes classifiers, images, labels (or targets) and epsilon, and the options targeted, tier, steps and
seed; those that do not apply to it are ignored.
"""

from functools import lru_cache

import eagerpy
import foolbox
import keras
import tensorflow as tf

from adversarial_attack import attacks, coordinates
from adversarial_attack.filters import gaussian_blur
from adversarial_attack.gradients import cross_entropy, margin
from adversarial_attack.gradients import targeted as towards


def clean(classifiers, images, labels, epsilon, **_):
    """Return the images as they are."""
    return images


def _noise(make):
    return lambda classifiers, images, labels, epsilon, *, seed, **_: make(images, epsilon, seed=seed)


def _iterative(attack, **fixed):
    """Return an attack of several steps on the cross-entropy as an arm."""

    def arm(classifiers, images, labels, epsilon, *, targeted, steps, seed, **_):
        loss = towards(cross_entropy) if targeted else cross_entropy
        return attack(classifiers, images, labels, epsilon, steps=steps, loss=loss, seed=seed, **fixed)

    return arm


def _one_step(classifiers, images, labels, epsilon, *, targeted, **_):
    return attacks.fgsm(
        classifiers, images, labels, epsilon, towards(cross_entropy) if targeted else cross_entropy
    )


def _of_foolbox(attack):
    """Return an attack of foolbox, on the mean of the logits, as an arm.

    Its random start comes from TensorFlow's global generator, which is seeded here.
    """

    def arm(classifiers, images, labels, epsilon, *, targeted, steps, seed, **_):
        keras.utils.set_random_seed(seed)
        model = _mean_of_logits(tuple(classifiers), images.shape[1:])
        tensors = [eagerpy.astensor(tf.constant(values)) for values in (images, labels)]
        criterion = foolbox.criteria.TargetedMisclassification if targeted else foolbox.Misclassification
        _, found, _ = attack(steps=steps)(model, tensors[0], criterion(tensors[1]), epsilons=epsilon)
        return found.numpy()

    return arm


@lru_cache
def _mean_of_logits(classifiers, shape):
    images = keras.Input(shape)
    logits = [classifier(images) for classifier in classifiers]
    mean = keras.layers.Average()(logits) if len(logits) > 1 else logits[0]
    return foolbox.TensorFlowModel(tf.function(keras.Model(images, mean)), bounds=(0, 1))


def _low_pass_attack(make=coordinates.perceptual):
    def arm(classifiers, images, labels, epsilon, *, targeted, tier, steps, seed, **_):
        loss = towards(margin) if targeted else margin
        return attacks.low_pass_attack(
            classifiers,
            images,
            labels,
            epsilon,
            steps=steps,
            coordinates=make,
            tier=tier,
            loss=loss,
            seed=seed,
        )

    return arm


def a_blur(rng):
    """Return a Gaussian blur with a sigma anywhere from 0 to 3 pixels, for ImageNet's 224 x 224."""
    return (gaussian_blur(224, 224, float(rng.uniform(0.01, 3))),)


ARMS = {
    "clean": clean,
    "white noise": _noise(attacks.white_noise),
    "low-pass noise": _noise(attacks.low_pass_noise),
    "FGSM": _one_step,
    "foolbox PGD": _of_foolbox(foolbox.attacks.LinfPGD),
    "foolbox MI-FGSM": _of_foolbox(foolbox.attacks.MIFGSM),
    "momentum": _iterative(attacks.momentum),
    "diverse input": _iterative(attacks.diverse_input),
    "translation invariant": _iterative(attacks.translation_invariant),
    "expectation over blur": _iterative(attacks.momentum, draw=a_blur),
    "low-pass attack": _low_pass_attack(),
    "low-pass attack, luma": _low_pass_attack(coordinates.luma),
    "low-pass attack, low frequencies": _low_pass_attack(coordinates.low_pass(1 / 8)),
    "low-pass attack, pixels": _low_pass_attack(coordinates.pixels),
}
