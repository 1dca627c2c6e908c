import numpy as np
import pytest

from adversarial_attack.named_attacks import ATTACKS, BY_VALUE, foolbox_pgd
from adversarial_attack.visibility import excess
from tests.adversarial_attack.test_attacks import network

SETTINGS = {"gradients": 60, "without": "nothing", "share": 1.0, "seed": 3}
LABELS = np.array([0, 1])


@pytest.fixture(scope="module")
def classifiers():
    return [network(0), network(1)]


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((2, 24, 24, 3)).astype("float32")


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_keep_the_tier_and_repeat(name, classifiers, images):
    found, again = (ATTACKS[name](classifiers, images, LABELS, tier="strict", **SETTINGS) for _ in range(2))
    assert found.dtype == images.dtype
    assert (found != images).any()
    assert max(excess(*pair, "strict") for pair in zip(images, found, strict=True)) <= 1
    np.testing.assert_array_equal(found, again)


@pytest.mark.parametrize("name", ["transfer attack", "low-pass noise"])
def test_a_tier_of_values_limits_the_largest_change(name, classifiers, images):
    found = ATTACKS[name](classifiers, images, LABELS, tier="16/255", **SETTINGS)
    assert np.abs(found - images).max() == pytest.approx(BY_VALUE["16/255"], abs=1e-4)


def test_the_transfer_attack_leaves_out_no_kind(classifiers, images):
    with pytest.raises(ValueError, match="left-out kind"):
        ATTACKS["transfer attack"](
            classifiers, images, LABELS, tier="strict", **SETTINGS | {"without": "blur"}
        )


def test_the_seed_decides_where_the_pgd_of_foolbox_starts(classifiers, images):
    one, other = (foolbox_pgd(classifiers[0], images, LABELS, 0.05, steps=1, seed=seed) for seed in (0, 1))
    assert (one != other).any()
    assert np.abs(one - images).max() <= 0.05 + 1e-6
