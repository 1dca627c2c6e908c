import numpy as np
import pytest

from common.data import load_dataset
from common.experiments import sweep
from wavelet_based_dnn import models, weights
from wavelet_based_dnn.analysis import accuracy_by_level
from wavelet_based_dnn.evaluation import right_answers
from wavelet_based_dnn.experiments import RATES, committed, dynamic
from wavelet_based_dnn.training import Schedule
from wavelet_based_dnn.variants import DYNAMIC, NATIVE, SIZES


def test_the_written_network_is_the_trained_one(monkeypatch, tmp_path):
    for name, value in {"TRAINING_IMAGES": 256, "EPOCHS": 1, "CHECKPOINTS": tmp_path / "build"}.items():
        monkeypatch.setattr(weights, name, value)
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "weights")
    asked = []

    def train(model, images, labels, sizes, schedule, *, seed, checkpoint):
        asked.append((model, len(images), tuple(labels[:3]), sizes, schedule, seed))
        model.set_weights([weight + 1 for weight in model.get_weights()])

    monkeypatch.setattr(weights, "train", train)
    weights.write("mnist")
    [(trained, *given)] = asked
    labels = tuple(load_dataset("mnist").train.labels[:3])
    assert given == [256, labels, DYNAMIC["dynamic, haar"].sizes, Schedule(1, RATES["dynamic, haar"]), 0]
    found = models.load_dynamic_classifier("mnist")
    for one, other in zip(found.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dataset", weights.DATASETS)
def test_the_committed_network_is_small_and_the_one_that_was_measured(monkeypatch, dataset):
    assert models.weight_file(dataset).stat().st_size < 2_000_000
    monkeypatch.setenv("RESULTS", "replay")
    record = sweep(dynamic, dataset=dataset, learning_rate=RATES["dynamic, haar"], seed=0)
    measured = accuracy_by_level(record)[0, SIZES.index(NATIVE)]
    decisions = sweep(committed, dataset=dataset).iloc[0]
    found = [100 * decisions[f"head_{head}"].mean() for head in range(4)]
    np.testing.assert_allclose(found, measured, atol=1e-9)


@pytest.mark.parametrize(("dataset", "least"), [("mnist", 0.97), ("fashion_mnist", 0.82)])
@pytest.mark.parametrize("shape", [(9, 9), (14, 22), (28, 28), (45, 33)])
def test_the_committed_network_takes_any_size(dataset, least, shape):
    test = load_dataset(dataset).test[:500]
    right = right_answers(models.load_dynamic_classifier(dataset), test.as_float(), test.labels, *shape)
    assert right[-1].mean() > least
