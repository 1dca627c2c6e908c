"""The attacks that are compared at equal visibility and equal numbers of gradients; their options stand here.

Each is called as ``attack(classifiers, images, labels, tier=, gradients=, without=, share=, seed=)``. A
gradient is that of one network behind one filter.
"""

from contextlib import contextmanager
from functools import lru_cache, partial

import eagerpy as ep
import foolbox
import numpy as np
import tensorflow as tf

from adversarial_attack import attacks
from adversarial_attack.coordinates import perceptual, pixels
from adversarial_attack.filter_set import low_passes
from adversarial_attack.filters import block_shuffle_and_rotation, low_frequencies
from adversarial_attack.gradients import cross_entropy
from adversarial_attack.visibility import no_more_visible
from common.names import look_up

EPSILON = 64 / 255  # largest change of a value
COPIES = 3  # of the images, shuffled and rotated, that a step of the transfer attack sees
BY_VALUE = {"16/255": 16 / 255}  # tiers that limit the change of a value, and not its visibility
NOISE_SHARE = 1 / 4  # of the frequencies a side, of low-pass noise


def _through_filters(attack, **fixed):
    """Return an attack that sees the images through one low-pass filter a step."""

    def named(classifiers, images, labels, *, tier, gradients, without, share, seed):
        return attack(
            classifiers, images, labels, EPSILON, steps=gradients // len(classifiers),
            draw=low_passes(without), tier=tier, share=share, seed=seed, **fixed,
        )  # fmt: skip

    return named


def transfer_attack(classifiers, images, labels, *, tier, gradients, without, share, seed):
    """Return images by an attack on copies of which blocks were shuffled and rotated.

    The transformation is that of Wang et al. 2024 (arXiv:2308.10299). Within a tier of visibility the steps
    are those of the low-pass attack; if only values are limited, those of the momentum method.
    """
    look_up("left-out kind", without, ("nothing",))
    steps = gradients // (COPIES * len(classifiers))

    def draw(shape, step, rng):
        return tuple(block_shuffle_and_rotation(*shape, rng) for _ in range(COPIES))

    if tier in BY_VALUE:
        return attacks.momentum(
            classifiers, images, labels, BY_VALUE[tier], steps=steps, loss=cross_entropy,
            draw=partial(draw, images.shape[1:3], None), seed=seed,
        )  # fmt: skip
    return attacks.low_pass_attack(
        classifiers, images, labels, EPSILON, steps=steps, draw=draw, tier=tier, share=share, seed=seed,
        confidence=np.inf,
    )  # fmt: skip


def low_pass_noise(classifiers, images, labels, *, tier, gradients, without, share, seed):
    """Return images with noise that knows nothing of the classifiers, at the limit of the tier.

    The noise is white in perceptual coordinates, without the upper frequencies. At a tier of values every
    value changes by as much as it may, up or down as low-pass noise says, because sign attacks do so too.
    """
    noise = np.random.default_rng(seed).normal(size=images.shape)
    noise = low_frequencies(*images.shape[1:3], NOISE_SHARE)(noise).astype(images.dtype)
    if tier in BY_VALUE:
        return np.clip(images + BY_VALUE[tier] * np.sign(noise), 0, 1).astype(images.dtype)
    return no_more_visible(images, images + perceptual(images)(noise), tier, most=32.0)


# The low-pass attack with one part changed
PARTS = {
    "without momentum": _through_filters(attacks.low_pass_attack, decay=0.0),
    "on the cross-entropy": _through_filters(attacks.low_pass_attack, loss=cross_entropy, confidence=np.inf),
    "in pixels": _through_filters(attacks.low_pass_attack, coordinates=pixels),
    "uneven": _through_filters(attacks.low_pass_attack, even=False),
    "more confident": _through_filters(attacks.low_pass_attack, confidence=4.0),
    "less confident": _through_filters(attacks.low_pass_attack, confidence=1.0),
}
ATTACKS = {
    "low-pass attack": _through_filters(attacks.low_pass_attack),
    "expectation over filters, PGD": _through_filters(attacks.pgd_through_filters),
    "expectation over filters, PGD with shrinking steps": _through_filters(
        attacks.pgd_through_filters, shrinking=True
    ),
    "expectation over filters, PGD with even windows": _through_filters(
        attacks.pgd_through_filters, shrinking=True, even=True
    ),
    # Without momentum and bound on the worst window, the low-pass attack is PGD on another loss.
    "expectation over filters, PGD on the capped margin": _through_filters(
        attacks.low_pass_attack, decay=0.0, even=False
    ),
    "expectation over filters, DDN": _through_filters(attacks.ddn_through_filters),
    "transfer attack": transfer_attack,
    "low-pass noise": low_pass_noise,
    **PARTS,
}


class _SeededPGD(foolbox.attacks.LinfPGD):
    """foolbox's PGD, started as a seed decides, the same change for all images."""

    seed = 0

    def get_random_start(self, x0, epsilon):
        change = np.random.default_rng(self.seed).uniform(-epsilon, epsilon, x0.shape[1:])
        return ep.astensor(tf.clip_by_value(x0.raw + change.astype("float32"), 0, 1))


@contextmanager
def _without_warnings():
    """Hide what TensorFlow warns of a deprecated function that foolbox calls."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


@lru_cache
def _compiled(classifier):
    return tf.function(lambda images: classifier(images, training=False), reduce_retracing=True)


def foolbox_pgd(classifier, images, labels, epsilon, *, steps=40, seed=0):
    """Return images by foolbox's PGD on one network, with its default step size."""
    attack = _SeededPGD(steps=steps)
    attack.seed = seed
    with _without_warnings():
        model = foolbox.TensorFlowModel(_compiled(classifier), bounds=(0, 1))
    inputs, wanted = (ep.astensor(tf.constant(values)) for values in (images, labels))
    _, found, _ = attack(model, inputs, foolbox.Misclassification(wanted), epsilons=epsilon)
    return found.numpy()
