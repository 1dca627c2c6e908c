import numpy as np
import pytest

from adversarial_attack.gradients import margin, predictions
from adversarial_attack.named_attacks import ATTACKS
from tests.adversarial_attack.test_attacks import network

# Attacks that blur may raise the loss of blurred images only; their own tests look there.
GUIDED = ["FGSM", "foolbox PGD", "foolbox MI-FGSM", "momentum", "diverse input", "low-pass attack",
          "low-pass attack, luma", "low-pass attack, pixels"]  # fmt: skip
OPTIONS = {"tier": None, "steps": 25, "seed": 3}


@pytest.fixture(scope="module")
def classifiers():
    return [network(0), network(1)]


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((2, 16, 16, 3)).astype("float32")


@pytest.mark.parametrize("name", ATTACKS)
def test_arms_change_values_by_at_most_epsilon_and_repeat(name, classifiers, images):
    labels = np.array([0, 1])
    found, again = (
        ATTACKS[name](classifiers, images, labels, 0.05, targeted=False, **OPTIONS) for _ in range(2)
    )
    assert found.dtype == images.dtype
    assert np.abs(found - images).max() <= 0.05 + 1e-6
    assert found.min() >= 0
    assert found.max() <= 1
    assert (found != images).any() == (name != "clean")
    np.testing.assert_array_equal(found, again)


@pytest.mark.parametrize("name", GUIDED)
@pytest.mark.parametrize("targeted", [False, True])
def test_arms_that_see_gradients_move_the_margin_their_way(name, targeted, classifiers, images):
    classifier = classifiers[0]
    labels = (predictions(classifier, images).astype(int) + targeted) % 3
    found = ATTACKS[name]([classifier], images, labels, 0.05, targeted=targeted, **OPTIONS)
    before, after = (float(np.mean(margin(classifier(x), labels))) for x in (images, found))
    assert (after < before) if targeted else (after > before)


def test_the_seed_decides_where_the_pgd_of_foolbox_starts(classifiers, images):
    starts = [
        ATTACKS["foolbox PGD"](classifiers, images, np.array([0, 1]), 0.05, targeted=False, tier=None,
                            steps=1, seed=seed) for seed in (0, 1)
    ]  # fmt: skip
    assert (starts[0] != starts[1]).any()
