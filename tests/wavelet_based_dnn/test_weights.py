import numpy as np
import pytest

from common.experiments import sweep
from wavelet_based_dnn import models, weights
from wavelet_based_dnn.experiments import CELLS, named, native_scale, scenes_of_test
from wavelet_based_dnn.scale_network import LEVELS, build_scale_network
from wavelet_based_dnn.scene_evaluation import right_answers


def test_the_written_network_is_the_trained_one(monkeypatch, tmp_path):
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    network, asked = build_scale_network(seed=5), []

    def trained(*arguments, seed):
        asked.append((*arguments, seed))
        return network, None

    monkeypatch.setattr(weights, "trained", trained)
    weights.write("mnist")
    assert asked == [("mnist", "Haar", weights.RATE, weights.STEPS, 0)]
    found = models.load_dynamic_classifier("mnist")
    for one, other in zip(found.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dataset", weights.DATASETS)
def test_the_committed_network_is_small_and_the_one_that_was_measured(monkeypatch, dataset):
    assert models.weight_file(dataset).stat().st_size < 2_000_000
    monkeypatch.setenv("RESULTS", "replay")
    record = sweep(native_scale, dataset=dataset, variant="Haar", seed=0).iloc[0]
    cell = ((28, 28), (56, 56))
    assert cell in CELLS
    first = next(iter(scenes_of_test(dataset, cell)))
    found = right_answers(models.load_dynamic_classifier(dataset), [first])
    stored = np.reshape(record[f"right_{named(cell)}"], (LEVELS, -1))[:, : len(first.labels)]
    assert np.mean(found == stored) > 0.99  # other processors round otherwise
