import numpy as np
import pytest

from common.data import Dataset, load_dataset
from wavelet_based_dnn import evaluation, experiments
from wavelet_based_dnn.arms import TRAINED_SIZES


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    """Data sets of 640 training, 200 validation and 200 test images, and few sizes."""

    def few(name):
        data = load_dataset(name)
        return Dataset(data.train[:840], data.test[:200])

    monkeypatch.setattr(experiments, "load_dataset", few)
    monkeypatch.setattr(experiments, "TRAINING_IMAGES", 640)
    monkeypatch.setattr(experiments, "SIZES", (8, 10))
    monkeypatch.setattr(experiments, "STRETCHED", ((12, 24),))


RUN = {"learning_rate": 5e-3, "epochs": 1, "seed": 0}


def test_tuning_sees_no_test_image(monkeypatch):
    data = experiments.load_dataset("mnist")
    monkeypatch.setattr(experiments, "load_dataset", lambda name: Dataset(data.train, None))
    found = experiments.tuning(arm="specialist 8", **RUN)
    assert set(found) == {"validation"}
    assert found["validation"].shape == (1,)


def test_a_specialist_is_measured_at_its_size():
    found = experiments.specialist(size=8, **RUN)
    assert 0.2 < found["accuracy"] < 1


def test_a_baseline_is_measured_at_all_sizes():
    found = experiments.baseline(arm="resized, 28", **RUN)
    assert found["accuracy"].shape == (2,)
    assert len(found["padded"]) == 2
    assert {"digits_8x8", "digits_8x8_framed"} < set(found)


def test_the_dynamic_classifier_is_measured_at_all_heads(monkeypatch):
    found = experiments.dynamic(dataset="fashion_mnist", **RUN)
    assert found["head_accuracy"].shape == (2 * 4,)
    assert found["validation"].shape == (len(TRAINED_SIZES),)
    assert "digits_8x8" not in found
    cheapest, dearest = found["exit_macs"].min(), found["exit_macs"].max()
    assert np.all(np.diff(found["exit_macs"]) >= 0)
    assert 218_752 <= cheapest <= dearest <= 3_500_000
    assert found["zeroed"] != found["shuffled"]


@pytest.mark.parametrize("variant", ["average pool", "no reuse"])
def test_a_variant_is_measured_at_a_few_sizes(variant):
    found = experiments.ablation(variant=variant, **RUN)
    assert found["head_accuracy"].shape == (3 * 4,)
    assert len(np.unique(found["head_accuracy"])) > 4


def test_photographs_are_recognised_the_better_the_more_has_arrived():
    found = experiments.photographs(network="squeezenet")
    assert found["agreement"][-1] == 1
    assert found["accuracy"][0] < found["accuracy"][-1]
    assert found["accuracy"][-1] == 12 / 20


def test_padding_centres_the_image(monkeypatch):
    seen = {}

    def record(model, images, labels, height, width):
        seen[height, width] = images
        return np.zeros(1)

    monkeypatch.setattr(experiments, "accuracies", record)
    test = load_dataset("mnist").test[:3]
    experiments.padded(None, test, 28, 41)
    padded = seen[28, 41]
    assert padded.shape == (3, 28, 41, 1)
    np.testing.assert_array_equal(padded[:, :, 6:34], test.as_float())
    assert padded[:, :, :6].max() == padded[:, :, 34:].max() == 0
    assert evaluation.FRAME == 2
