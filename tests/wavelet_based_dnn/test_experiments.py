import numpy as np
import pytest

from common.data import Dataset, load_dataset
from common.experiments import sweep
from wavelet_based_dnn import experiments
from wavelet_based_dnn.analysis import best_rates
from wavelet_based_dnn.variants import TRAINED_SIZES, VARIANTS


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    """Data sets of 640 training, 200 validation and 200 test images, and few sizes."""

    def few(name):
        data = load_dataset(name)
        return Dataset(data.train[:840], data.test[:200])

    monkeypatch.setattr(experiments, "load_dataset", few)
    monkeypatch.setattr(experiments, "TRAINING_IMAGES", 640)
    monkeypatch.setattr(experiments, "SIZES", (8, 10))
    monkeypatch.setattr(experiments, "PAIRED_SIZES", (8,))
    monkeypatch.setattr(experiments, "STRETCHED", ((12, 24),))


RUN = {"learning_rate": 5e-3, "epochs": 1, "seed": 0}


def test_tuning_sees_no_test_image(monkeypatch, eagerly):
    data = experiments.load_dataset("mnist")
    monkeypatch.setattr(experiments, "load_dataset", lambda name: Dataset(data.train, None))
    found = experiments.tuning(arm="specialist 8 at 8", **RUN)
    assert set(found) == {"validation"}
    assert found["validation"].shape == (1,)


TRIED = [2.5e-3, 5e-3, 1e-2, 2e-2]
BEYOND = {"resized, many": [4e-2], "wavelet, not resampled": [4e-2], "switchable": [4e-2, 8e-2]}
TUNED = {name: [name] for name in experiments.RATES} | {
    "specialist": ["specialist 8 at 8", "specialist 28 at 28"]
}


@pytest.mark.parametrize("name", TUNED)
def test_the_rates_are_the_best_of_those_tried(monkeypatch, name):
    monkeypatch.setenv("RESULTS", "replay")
    tried = TRIED + BEYOND.get(name, [])
    table = sweep(experiments.tuning, arm=TUNED[name], learning_rate=tried, epochs=1, seed=0)
    assert set(best_rates(table).values()) == {experiments.RATES[name]}


@pytest.mark.parametrize(
    ("arm", "tuned"),
    [
        ("switchable", "switchable"),
        ("specialist 8 at 28", "specialist"),
        ("resized, 28", "specialist"),  # the same network, trained alike
        ("resized, wide", "resized, many"),
        ("dynamic, no reuse", "dynamic, haar"),
    ],
)
def test_an_arm_that_was_not_tuned_takes_the_rate_of_one_alike(arm, tuned):
    assert experiments.rate_of(arm) == experiments.RATES[tuned]


def test_every_arm_has_a_rate():
    assert {experiments.rate_of(arm) for arm in VARIANTS} == set(experiments.RATES.values())


def test_a_specialist_is_measured_at_its_size(eagerly):
    found = experiments.specialist(size=8, network=28, **RUN)
    assert found["right"].shape == (200,)
    assert 0.2 < found["right"].mean() < 1


def test_a_baseline_is_measured_at_all_sizes(eagerly):
    found = experiments.baseline(arm="resized, 28", **RUN)
    assert found["head_accuracy"].shape == (2,)
    assert found["right_at_8"].mean() == found["head_accuracy"][0]
    assert len(found["padded"]) == 2
    assert len(found["otherwise_resized"]) == 5
    assert {"digits_8x8", "digits_8x8_framed"} < set(found)


def test_the_dynamic_classifier_is_measured_at_all_heads(monkeypatch, eagerly):
    monkeypatch.setattr(experiments, "TRAINING_IMAGES", 256)
    found = experiments.dynamic(dataset="fashion_mnist", **RUN)
    assert found["head_accuracy"].shape == (2 * 4,)
    assert found["right_at_8"].mean() == found["head_accuracy"][3]
    assert found["validation"].shape == (len(TRAINED_SIZES),)
    assert "digits_8x8" not in found
    cheapest, dearest = found["exit_macs"].min(), found["exit_macs"].max()
    assert np.all(np.diff(found["exit_macs"]) >= 0)
    assert 218_752 <= cheapest <= dearest <= 3_500_000
    assert found["zeroed"] != found["shuffled"]


def test_a_variant_is_measured_at_a_few_sizes(monkeypatch, eagerly):
    monkeypatch.setattr(experiments, "TRAINING_IMAGES", 256)
    monkeypatch.setattr(experiments, "PAIRED_SIZES", (8, 10))
    found = experiments.ablation(variant="zeroed details", **RUN)
    assert found["head_accuracy"].shape == (2 * 4,)
    assert found["right_at_10"].mean() == found["head_accuracy"][-1]


@pytest.mark.parametrize("reduction", ["haar", "resized"])
def test_photographs_are_recognised_the_better_the_more_has_arrived(monkeypatch, reduction):
    monkeypatch.setattr(experiments, "PHOTOGRAPH_LEVELS", (4, 0))
    found = experiments.photographs(network="squeezenet", reduction=reduction)
    assert found["agreement"][-1] == 1
    assert found["accuracy"][0] < found["accuracy"][-1]
    assert found["accuracy"][-1] == 12 / 20


def test_padding_centres_the_image():
    images = np.random.default_rng(0).random((3, 28, 28, 1))
    padded = experiments.padded(images, 28, 41)
    assert padded.shape == (3, 28, 41, 1)
    np.testing.assert_array_equal(padded[:, :, 6:34], images)
    assert padded[:, :, :6].max() == padded[:, :, 34:].max() == 0
