"""One gradient step of an attack on an image and a network: ours beside foolbox's PGD, on the same networks.

20 ImageNet images, 3 steps, the four offline networks together; the seconds are those of all divided by 240.
"""

from functools import partial

from adversarial_attack.named_attacks import ATTACKS
from common.data import load_imagenet_samples
from common.pretrained import OFFLINE, load_classifier

STEPS = 3
COMPARED = {"ours": "momentum", "foolbox PGD": "foolbox PGD", "foolbox MI-FGSM": "foolbox MI-FGSM"}


def cases():
    """Yield ``(task, implementations by name, target, factors)``."""
    share = 1 / (20 * STEPS * len(OFFLINE))
    implementations = {name: partial(_attack, attack) for name, attack in COMPARED.items()}
    yield "PGD, a step for one image and network", implementations, 1.0, dict.fromkeys(COMPARED, share)
    low_pass = {"ours": partial(_attack, "low-pass attack"), "foolbox PGD": partial(_attack, "foolbox PGD")}
    yield "low-pass attack, a step for one image and network", low_pass, 0.8, dict.fromkeys(low_pass, share)


def _attack(name):
    data = load_imagenet_samples()
    images, labels = data.as_float(), data.labels
    classifiers = [load_classifier(network) for network in OFFLINE]
    options = {"targeted": False, "tier": None, "steps": STEPS, "seed": 0}
    return lambda: ATTACKS[name](classifiers, images, labels, 4 / 255, **options)
