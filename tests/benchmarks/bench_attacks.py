"""One gradient step of an attack on an image and a network: ours beside foolbox's, on the same networks.

20 ImageNet images, 3 steps, the networks that ship with the project; the seconds are those of all, divided.
"""

from functools import partial

import eagerpy
import foolbox
import tensorflow as tf

from adversarial_attack import attacks
from common.data import load_imagenet_samples
from common.pretrained import OFFLINE, load_classifier

STEPS = 3
EPSILON = 4 / 255


def cases():
    """Yield ``(task, implementations by name, target, factors)``."""
    share = 1 / (20 * STEPS * len(OFFLINE))
    peers = {
        "foolbox PGD": lambda: partial(_foolbox, foolbox.attacks.LinfPGD),
        "foolbox MI-FGSM": lambda: partial(_foolbox, foolbox.attacks.MIFGSM),
    }
    for task, attack, target in (
        ("PGD, a step for one image and network", attacks.momentum, 1.0),
        ("low-pass attack, a step for one image and network", attacks.low_pass_attack, 0.8),
    ):
        implementations = {"ours": lambda attack=attack: partial(_ours, attack), **peers}
        yield task, implementations, target, dict.fromkeys(implementations, share)


def _ours(attack):
    data = load_imagenet_samples()
    classifiers = [load_classifier(name) for name in OFFLINE]
    return attack(classifiers, data.as_float(), data.labels, EPSILON, steps=STEPS)


def _foolbox(attack):
    data = load_imagenet_samples()
    classifiers = [load_classifier(name) for name in OFFLINE]
    mean = tf.function(
        lambda images: sum(one(images, training=False) for one in classifiers) / len(classifiers)
    )
    model = foolbox.TensorFlowModel(mean, bounds=(0, 1))
    images, labels = (eagerpy.astensor(tf.constant(x)) for x in (data.as_float(), data.labels))
    return attack(steps=STEPS)(model, images, foolbox.Misclassification(labels), epsilons=EPSILON)
