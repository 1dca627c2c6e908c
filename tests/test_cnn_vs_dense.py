import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from cnn_vs_dense import experiments, figures
from cnn_vs_dense.equivalence import largest_difference
from cnn_vs_dense.models import ARCHITECTURES, build
from cnn_vs_dense.representations import REPRESENTATIONS
from common.data import load_mnist

OPTIMIZERS = [lambda: keras.optimizers.SGD(0.1), lambda: keras.optimizers.Adam(0.001)]
TINY = {"examples": 256, "epochs": 1, "learning_rate": 0.001}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("shape", [(28, 28, 1), (40, 33, 3)])
def test_networks_return_logits_and_repeat_with_the_seed(architecture, shape):
    images = np.random.default_rng(0).random((3, *shape), dtype="float32")
    one, same, other = (build(architecture, shape, 7, seed) for seed in (1, 1, 2))
    logits = one.predict(images, verbose=0)
    assert logits.shape == (3, 7)
    assert logits.min() < 0
    np.testing.assert_array_equal(logits, same.predict(images, verbose=0))
    assert (logits != other.predict(images, verbose=0)).any()


@pytest.mark.parametrize(
    ("architecture", "count"), [("lenet5", 61_706), ("dense", 468_874), ("dense_small", 61_671)]
)
def test_parameters_are_those_of_the_docstrings(architecture, count):
    assert build(architecture, (28, 28, 1), 10).count_params() == count
    assert f"{count:,}" in ARCHITECTURES[architecture].__doc__


def test_no_two_layers_start_with_the_same_random_numbers():
    kernels = [w.ravel()[:10] / w.std() for w in build("lenet5", (28, 28, 1), 10).get_weights() if w.ndim > 1]
    for i, kernel in enumerate(kernels):
        assert all(np.abs(kernel - other).max() > 0.01 for other in kernels[:i])


def test_an_unknown_architecture_gets_one_clear_sentence():
    with pytest.raises(ValueError, match="there are lenet5, dense"):
        build("lenet6", (28, 28, 1), 10)


@given(seed=st.integers(0, 100))
def test_scrambling_moves_pixels_and_changes_none(seed):
    images = load_mnist().test.images[:4]
    scrambled = REPRESENTATIONS["scrambled"](images, seed)
    assert REPRESENTATIONS["raw"](images, seed) is images
    assert (scrambled != images).any()
    np.testing.assert_array_equal(np.sort(scrambled, axis=None), np.sort(images, axis=None))


@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["SGD", "Adam"])
def test_a_dense_network_trains_alike_on_scrambled_pixels(optimizer, seed):
    part = load_mnist().train[:512]
    difference, change = largest_difference(part.as_float(), part.labels, optimizer, epochs=2, seed=seed)
    assert difference < 1e-5 < 1e-3 < change


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
@pytest.mark.parametrize("evaluate_on", ["validation", "test"])
def test_a_tiny_run_of_the_experiment(dataset, evaluate_on):
    result = experiments.accuracy(**TINY, dataset=dataset, evaluate_on=evaluate_on, seed=0)
    assert 0.1 < result["accuracy"] < 0.9
    assert len(result["epoch_loss"]) == 1
    assert result["parameters"] == 61_706


def test_the_parts_of_the_data_do_not_overlap():
    data = load_mnist()
    train, validation, test = experiments.split(data, 55_000, seed=0)
    assert (len(train), len(validation), len(test)) == (55_000, 5_000, 10_000)
    np.testing.assert_array_equal(np.concatenate([train.images, validation.images]), data.train.images)
    small = experiments.split(data, 100, seed=3)[0]
    assert len(np.unique(small.images.reshape(100, -1), axis=0)) == 100


def test_tuning_touches_the_test_images_only_with_the_chosen_rate(monkeypatch):
    asked = []

    def fake_sweep(function, **grid):
        asked.append(grid)
        if grid["evaluate_on"] == "test":
            return pd.DataFrame([grid])
        # Scrambled: the largest rate wins with one seed and fails with the other.
        scores = {
            "raw": ([0.1, 0.4, 0.3, 0.2],) * 2,
            "scrambled": ([0.1, 0.2, 0.6, 0.9], [0.1, 0.2, 0.6, 0.1]),
        }
        return pd.DataFrame([
            {"representation": r, "learning_rate": rate, "accuracy": score}
            for r in grid["representation"]
            for seed in grid["seed"]
            for rate, score in zip(grid["learning_rate"], scores[r][seed], strict=True)
        ])  # fmt: skip

    monkeypatch.setattr(experiments, "sweep", fake_sweep)
    table = experiments.tuned(representation=["raw", "scrambled"], seed=range(5))
    assert [grid["evaluate_on"] for grid in asked] == ["validation", "test", "test"]
    assert table[["representation", "learning_rate"]].to_numpy().tolist() == [
        ["raw", 0.001],
        ["scrambled", 0.003],
    ]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    rows = [
        {"dataset": "mnist", "representation": r, "architecture": a, "normalisation": "[0, 1]", "examples": n,
         "seed": s, "accuracy": rng.random(), "train_accuracy": 1.0, "parameters": 10,
         "epoch_loss": rng.random(4), "epoch_validation_accuracy": rng.random(4)}
        for r in ("raw", "scrambled") for a in ("lenet5", "dense") for n in (5_000, 55_000) for s in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize("draw", [figures.accuracies, figures.histories, figures.gaps])
def test_figures_are_drawn_from_a_table(table, draw):
    assert isinstance(draw(table), Figure)


def test_paired_differences_are_in_points():
    rows = [("raw", 0, 0.99), ("raw", 1, 0.98), ("scrambled", 0, 0.95), ("scrambled", 1, 0.96)]
    table = pd.DataFrame(rows, columns=["representation", "seed", "accuracy"])
    drop = experiments.loss_by_scrambling(table)
    assert drop.mean == pytest.approx(3)
    assert drop.low < 2 < 4 < drop.high
