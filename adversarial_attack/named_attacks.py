"""The attacks that are compared, with one signature; the options of each are stated here.

Each takes classifiers, images, labels (or targets) and epsilon, and the options targeted, tier, steps and
seed; those that do not apply are ignored.
"""

from functools import lru_cache

import eagerpy as ep
import foolbox
import numpy as np
import tensorflow as tf

from adversarial_attack import attacks, coordinates
from adversarial_attack.gradients import cross_entropy, margin
from adversarial_attack.gradients import targeted as towards


def clean(classifiers, images, labels, epsilon, **_):
    """Return the images as they are."""
    return images


def _noise(make):
    return lambda classifiers, images, labels, epsilon, *, seed, **_: make(images, epsilon, seed=seed)


def _iterative(attack, **fixed):
    """Return an attack of several steps on the cross-entropy.

    A step is a tenth of epsilon, as in the papers, which take ten.
    """

    def named(classifiers, images, labels, epsilon, *, targeted, steps, seed, **_):
        options = {"loss": towards(cross_entropy) if targeted else cross_entropy, "seed": seed, **fixed}
        return attack(classifiers, images, labels, epsilon, steps=steps, step_size=epsilon / 10, **options)

    return named


def _expectation_over_filters(classifiers, images, labels, epsilon, **options):
    """Return images by `momentum` that sees them through another low-pass filter at every step."""

    def draw(rng):
        return (attacks.low_passes(images.shape[1:3], int(rng.integers(6)), rng),)

    return _iterative(attacks.momentum, draw=draw)(classifiers, images, labels, epsilon, **options)


def _one_step(classifiers, images, labels, epsilon, *, targeted, **_):
    return attacks.fgsm(
        classifiers, images, labels, epsilon, towards(cross_entropy) if targeted else cross_entropy
    )


class _SeededPGD(foolbox.attacks.LinfPGD):
    """foolbox's PGD, started as a seed decides, the same change for all images."""

    seed = 0

    def get_random_start(self, x0, epsilon):
        change = np.random.default_rng(self.seed).uniform(-epsilon, epsilon, x0.shape[1:])
        return ep.astensor(tf.clip_by_value(x0.raw + change.astype("float32"), 0, 1))


def _of_foolbox(attack):
    """Return an attack of foolbox, with its default step size, on the mean of the logits."""

    @attacks.checked
    def named(classifiers, images, labels, epsilon, *, targeted, steps, seed, **_):
        runner = attack(steps=steps)
        runner.seed = seed
        model = _mean_of_logits(tuple(classifiers), images.shape[1:])
        inputs, wanted = (ep.astensor(tf.constant(values)) for values in (images, labels))
        criterion = foolbox.criteria.TargetedMisclassification if targeted else foolbox.Misclassification
        _, found, _ = runner(model, inputs, criterion(wanted), epsilons=epsilon)
        return found.numpy()

    return named


@lru_cache
def _mean_of_logits(classifiers, shape):
    @tf.function(input_signature=[tf.TensorSpec((None, *shape))])
    def mean(images):
        return sum(classifier(images, training=False) for classifier in classifiers) / len(classifiers)

    return foolbox.TensorFlowModel(mean, bounds=(0, 1))


def _low_pass_attack(**fixed):
    def named(classifiers, images, labels, epsilon, *, targeted, tier, steps, seed, **_):
        options = {"loss": towards(margin) if targeted else margin, "tier": tier, "seed": seed, **fixed}
        return attacks.low_pass_attack(classifiers, images, labels, epsilon, steps=steps, **options)

    return named


ATTACKS = {
    "clean": clean,
    "white noise": _noise(attacks.white_noise),
    "low-pass noise": _noise(attacks.low_pass_noise),
    "FGSM": _one_step,
    "foolbox PGD": _of_foolbox(_SeededPGD),
    "foolbox MI-FGSM": _of_foolbox(foolbox.attacks.MIFGSM),
    "momentum": _iterative(attacks.momentum),
    "diverse input": _iterative(attacks.diverse_input),
    "translation invariant": _iterative(attacks.translation_invariant),
    "expectation over filters": _expectation_over_filters,
    "low-pass attack": _low_pass_attack(),
    "low-pass attack, confident": _low_pass_attack(confidence=50.0),
    "low-pass attack, luma": _low_pass_attack(coordinates=coordinates.luma),
    "low-pass attack, low frequencies": _low_pass_attack(coordinates=coordinates.low_pass(1 / 8)),
    "low-pass attack, pixels": _low_pass_attack(coordinates=coordinates.pixels),
}
