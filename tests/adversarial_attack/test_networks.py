import numpy as np
import pytest

from adversarial_attack import networks
from adversarial_attack.networks import ARCHITECTURES, build, trained


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_parameters_are_those_of_the_docstrings_and_the_seed_decides_the_weights(architecture):
    one, same, other = (build(architecture, seed) for seed in (1, 1, 2))
    assert f"{one.count_params():,}" in ARCHITECTURES[architecture].__doc__
    images = np.random.default_rng(0).random((3, 28, 28, 1)).astype("float32")
    logits = one(images).numpy()
    assert logits.shape == (3, 10)
    np.testing.assert_array_equal(logits, same(images).numpy())
    assert (logits != other(images).numpy()).any()


def test_a_network_is_trained_once(monkeypatch, tmp_path):
    monkeypatch.setattr(networks, "CHECKPOINTS", tmp_path)
    monkeypatch.setattr(networks, "TRAINING_IMAGES", 500)
    first = trained.__wrapped__("mnist", "mlp", 0)
    file = tmp_path / "mnist-mlp-0.npz"
    written = file.stat().st_mtime_ns
    again = trained.__wrapped__("mnist", "mlp", 0)
    assert file.stat().st_mtime_ns == written
    for weights, expected in zip(again.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)


def test_an_unknown_architecture_gets_one_clear_sentence():
    with pytest.raises(ValueError, match="There is no architecture 'vgg'; there are mlp, lenet"):
        build("vgg", 0)
