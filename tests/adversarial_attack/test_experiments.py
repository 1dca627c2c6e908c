import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversarial_attack import experiments, networks
from adversarial_attack.attacks import pgd
from adversarial_attack.filter_set import FILTER_SET
from adversarial_attack.gradients import predictions
from common.data import Dataset, load_dataset, load_imagenet_samples
from common.pretrained import OFFLINE, load_classifier

RECOGNISED = [0, 1, 4, 8]  # by SqueezeNet


def test_a_live_attack_fools_squeezenet_in_8_bits():
    data, classifier = load_imagenet_samples()[RECOGNISED], load_classifier("squeezenet")
    found = experiments.rounded(pgd([classifier], data.as_float(), data.labels, 4 / 255))
    np.testing.assert_array_equal(predictions(classifier, data.as_float()), data.labels)
    assert (predictions(classifier, found) != data.labels).all()
    assert np.abs(found - data.as_float()).max() == pytest.approx(4 / 255, abs=1e-6)


def test_the_smallest_epsilon_is_near_its_prediction_and_0_for_an_image_not_recognised():
    found = experiments.smallest_epsilon(sources="squeezenet", sigma=1, steps=4, image=9, seed=0)
    assert found["right"]
    assert found["measured"] == pytest.approx(found["predicted"], rel=0.5)
    missed = experiments.smallest_epsilon(sources="squeezenet", sigma=0, image=7, seed=0)
    assert missed == {"right": False, "measured": 0.0, "predicted": 0.0}


def test_nothing_changes_without_an_attack(monkeypatch):
    monkeypatch.setattr(experiments, "FILTER_SET", {name: FILTER_SET[name] for name in ("none", "blur 1")})
    monkeypatch.setattr(experiments, "OFFLINE", OFFLINE[2:])
    experiments.said_of_clean.cache_clear()
    found = experiments.fooling(arm="clean", sources="squeezenet", epsilon=0, image=9, seed=0)
    experiments.said_of_clean.cache_clear()
    for kind in ("found", "l2", "strict"):
        assert found[f"{kind}_as_before"].shape == (2 * 2,)
        assert found[f"{kind}_as_before"].all()
        assert found[f"{kind}_linf"] == 0
        np.testing.assert_array_equal(found[f"{kind}_said_label"], found[f"{kind}_said_target"])


@given(levels=st.integers(1, 40), seed=st.integers(0, 100))
def test_sizes_are_those_of_noise_of_known_size(levels, seed):
    signs = np.random.default_rng(seed).choice([-1, 1], (16, 24, 3))
    image = np.full((16, 24, 3), 0.5, "float32")
    found = experiments.size_and_visibility(image, image + np.float32(levels / 255) * signs)
    assert found["linf"] == found["l2"] == pytest.approx(levels, abs=0.01)
    assert found["low"] < 0.2
    shifted = experiments.size_and_visibility(image, image + np.float32(levels / 255))
    assert shifted["low"] == pytest.approx(1)
    assert shifted["mean"] == pytest.approx(shifted["p95"], abs=1e-3)


def test_attacks_fool_their_own_network_and_are_counted_where_it_was_right(monkeypatch, tmp_path):
    monkeypatch.setattr(networks, "CHECKPOINTS", tmp_path)
    monkeypatch.setattr(networks, "TRAINING_IMAGES", 2_000)
    data = load_dataset("mnist")
    few = Dataset(data.train[-1_000:], data.test[:500])
    monkeypatch.setattr(experiments, "load_dataset", lambda name: few)
    monkeypatch.setattr(experiments, "JUDGES", [("mlp", 0), ("mlp", 1)])
    networks.trained.cache_clear()
    given = {"dataset": "mnist", "source": "mlp", "source_seed": 0, "seed": 0, "epsilon": 25}
    arms = {"momentum": 0, "towards": 1, "universal": 0, "white noise": 0}
    found = {
        name: experiments.transfer(**given, arm="momentum" if name == "towards" else name, shift=shift)
        for name, shift in arms.items()
    }
    networks.trained.cache_clear()
    (own, other), (one_for_all, _), (noise, _) = (
        found[name]["fooled"] for name in ("momentum", "universal", "white noise")
    )
    right = found["momentum"]["right"][0]
    assert right == found["white noise"]["right"][0] > 0.7
    assert found["momentum"]["hit"][0] + own == pytest.approx(right)
    assert 0.7 * right < own <= right
    assert found["towards"]["hit"][0] > 0.3 * right
    assert noise < one_for_all < own
    assert noise < other < own
