import itertools

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from cnn_vs_dense import experiments, figures
from cnn_vs_dense.equivalence import largest_difference, permuted
from cnn_vs_dense.models import ARCHITECTURES, build
from cnn_vs_dense.representations import DOSES, REPRESENTATIONS
from cnn_vs_dense.unscramble import lay_out, recover_layout
from common.data import load_dataset, load_mnist
from common.fourier import gaussian_blur
from common.scramble import Scrambler, neighbours_kept

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
    ("architecture", "count"),
    [("lenet5", 61_706), ("dense", 468_874), ("dense_small", 61_671), ("pointwise", 61_675),
     ("large_kernel", 61_648), ("mixer", 61_652)],
)  # fmt: skip
def test_parameters_are_those_of_the_docstrings(architecture, count):
    assert build(architecture, (28, 28, 1), 10).count_params() == count
    assert f"{count:,}" in ARCHITECTURES[architecture].__doc__


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_saved_network_computes_the_same_when_loaded(architecture, tmp_path):
    images = np.random.default_rng(0).random((3, 28, 28, 1), dtype="float32")
    model = build(architecture, (28, 28, 1), 10)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_two_layers_start_with_the_same_random_numbers(architecture):
    weights = [w for w in build(architecture, (28, 28, 1), 10).get_weights() if w.ndim > 1 and w.size >= 20]
    kernels = [w.ravel()[:10] / w.std() for w in weights]
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


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("seed", [0, 7])
def test_every_representation_is_one_permutation_for_all_images(name, seed):
    indices = np.arange(784).reshape(1, 28, 28, 1)
    permutation = REPRESENTATIONS[name](indices, seed).ravel()
    images = load_mnist().test.images[:4]
    expected = images.reshape(4, 784)[:, permutation].reshape(images.shape)
    np.testing.assert_array_equal(REPRESENTATIONS[name](images, seed), expected)


def test_blocks_bound_what_is_scrambled():
    indices = np.arange(784).reshape(1, 28, 28, 1)
    inside = REPRESENTATIONS["scrambled within 4 x 4"](indices, 0)[0, :4, :4, 0]
    assert set(inside.ravel()) == set(indices[0, :4, :4, 0].ravel())
    moved = REPRESENTATIONS["blocks of 4 x 4 scrambled"](indices, 0)[0, :4, :4, 0]
    np.testing.assert_array_equal(moved - moved[0, 0], indices[0, :4, :4, 0])


@pytest.mark.parametrize("kind", DOSES)
def test_milder_scrambling_keeps_more_neighbours(kind):
    rows = [
        {"representation": name, "seed": seed}
        for names in DOSES.values()
        for name in names
        for seed in range(3)
    ]
    doses = experiments.by_dose(pd.DataFrame(rows).drop_duplicates())
    doses = doses[doses["kind"] == kind].drop_duplicates("representation").set_index("representation")
    kept = doses.loc[DOSES[kind], "kept"]
    assert kept["raw"] == 1
    assert kept["scrambled"] < 0.02
    if kind == "whole blocks":
        assert kept.is_monotonic_decreasing


@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["SGD", "Adam"])
@pytest.mark.parametrize("architecture", ["dense", "dense_small", "pointwise"])
def test_networks_without_neighbourhoods_train_alike_on_scrambled_pixels(architecture, optimizer, seed):
    part = load_mnist().train[:256]
    difference, change = largest_difference(
        architecture, part.as_float(), part.labels, optimizer, epochs=2, seed=seed
    )
    assert difference < 1e-5 < 1e-3 < change


# Not its training: Keras 3.15 computes the gradients of a layer normalisation in float32.
def test_a_mixer_with_its_weights_permuted_gives_the_same_logits():
    images, scrambler = load_mnist().test[:8].as_float(), Scrambler((28, 28), 1)
    raw, scrambled = build("mixer", (28, 28, 1), 10), build("mixer", (28, 28, 1), 10)
    scrambled.set_weights(permuted(raw.get_weights(), scrambler.permutation))
    logits = scrambled.predict(scrambler.scramble(images), verbose=0)
    np.testing.assert_allclose(logits, raw.predict(images, verbose=0), atol=1e-5)


def test_lenet5_does_not_train_alike():
    part = load_mnist().train[:256]
    difference, _ = largest_difference(
        "lenet5", part.as_float(), part.labels, OPTIMIZERS[1], epochs=2, seed=0
    )
    assert difference > 1e-3


def blurred_noise(size, count, seed):
    noise = np.random.default_rng(seed).normal(size=(count, size, size, 1))
    return np.asarray(gaussian_blur(noise, 1.5))


@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_the_layout_of_smooth_images_is_recovered(seed):
    scrambler = Scrambler((12, 12), seed)
    recovered = recover_layout(scrambler.scramble(blurred_noise(12, 2000, seed)))
    layout = scrambler.permutation[recovered]
    assert neighbours_kept(layout, (12, 12), 3) > 0.9
    assert neighbours_kept(layout, (12, 12)) > 0.5


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
def test_the_layout_of_real_images_is_recovered_better_than_by_chance(dataset):
    images, scrambler = load_dataset(dataset).train.images[:500], Scrambler((28, 28), 3)
    layout = scrambler.permutation[recover_layout(scrambler.scramble(images))]
    assert (
        neighbours_kept(layout, (28, 28), 3) > 0.5 > 0.1 > neighbours_kept(scrambler.permutation, (28, 28), 3)
    )


def test_recovering_a_layout_repeats():
    images = blurred_noise(10, 300, 0)
    np.testing.assert_array_equal(recover_layout(images), recover_layout(images))


def test_laying_out_by_the_inverse_undoes_a_scrambling():
    scrambler, images = Scrambler((6, 4), 0), np.random.default_rng(0).random((3, 6, 4, 2))
    np.testing.assert_array_equal(lay_out(scrambler.scramble(images), scrambler.inverse), images)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((5, 28, 28, 1)), "only 0 of the 784 pixels change"),
        (np.zeros((0, 28, 28, 1)), "only 0 of the 784 pixels change"),
        (np.full((5, 4, 4, 1), np.nan), "must be finite"),
        (np.zeros((28, 28, 1)), r"not \(28, 28, 1\)"),
    ],
)
def test_a_layout_that_cannot_be_recovered_gets_one_clear_sentence(images, message):
    with pytest.raises(ValueError, match=message):
        recover_layout(images)


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
@pytest.mark.parametrize("evaluate_on", ["validation", "test"])
def test_a_tiny_run_of_the_experiment(dataset, evaluate_on):
    result = experiments.accuracy(**TINY, dataset=dataset, evaluate_on=evaluate_on, seed=0)
    assert 0.1 < result["accuracy"] < 0.9
    assert len(result["epoch_loss"]) == 1
    assert result["parameters"] == 61_706


def test_a_tiny_run_of_the_experiment_on_recovered_layouts():
    result = experiments.accuracy_unscrambled(
        unlabelled=300, examples=256, learning_rate=0.003, evaluate_on="test", seed=0
    )
    assert 0.1 < result["accuracy"] < 0.9
    assert 0.05 < result["neighbours_kept"] < result["neighbours_within_3"] < 1


def test_long_trainings_are_validated_at_most_forty_times():
    result = experiments.accuracy(
        **TINY | {"epochs": 85}, architecture="dense_small", evaluate_on="test", seed=0
    )
    assert len(result["epoch_loss"]) == len(result["epoch_validation_accuracy"]) == 85 // 3


@pytest.mark.parametrize(("examples", "epochs"), [(100, 500), (1000, 63), (10_000, 8), (55_000, 8)])
def test_few_images_are_repeated_for_500_updates(examples, epochs):
    assert experiments.epochs_for(examples) == epochs
    assert epochs * -(-examples // 128) >= 500


def test_the_parts_of_the_data_do_not_overlap():
    data = load_mnist()
    train, validation, test = experiments.split(data, 55_000, seed=0).values()
    assert (len(train), len(validation), len(test)) == (55_000, 5_000, 10_000)
    np.testing.assert_array_equal(np.concatenate([train.images, validation.images]), data.train.images)
    small = experiments.split(data, 100, seed=3)["train"]
    assert len(np.unique(small.images.reshape(100, -1), axis=0)) == 100


def test_tuning_touches_the_test_images_only_with_the_chosen_rate(monkeypatch):
    asked = []

    def fake_sweep(function, **grid):
        asked.append(grid)
        if grid["evaluate_on"] == "test":
            return pd.DataFrame([grid])
        # Scrambled: the largest rate wins with one seed and fails with the other.
        scores = {
            "raw": ([0.1, 0.4, 0.3, 0.2, 0.1],) * 2,
            "scrambled": ([0.1, 0.2, 0.6, 0.9, 0.5], [0.1, 0.2, 0.6, 0.1, 0.5]),
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


def grid(**columns):
    rng, names = np.random.default_rng(0), list(columns)
    rows = [dict(zip(names, row, strict=True)) | {"seed": seed, "accuracy": rng.random()}
            for row in itertools.product(*columns.values()) for seed in range(3)]  # fmt: skip
    return pd.DataFrame(rows)


SETS = ["mnist", "fashion_mnist"]


def test_dose_response_has_a_line_for_each_network_and_kind():
    doses = grid(
        dataset=SETS, architecture=["lenet5", "mixer"], kind=["inside", "whole"], kept=[0.0, 0.5, 1.0]
    )
    figure = figures.dose_response(doses)
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["MNIST", "Fashion-MNIST"]
    assert len(figure.axes[0].lines) == 4
    expected = 100 * doses[doses["kept"] == 0.5]["accuracy"][:3].mean()
    assert figure.axes[0].lines[0].get_ydata()[1] == pytest.approx(expected)


def test_sample_efficiency_is_a_paired_difference():
    networks = grid(dataset=SETS, representation=["raw", "scrambled"], architecture=["lenet5", "dense"],
                    examples=[100, 1000])  # fmt: skip
    first = networks[(networks["dataset"] == "mnist") & (networks["representation"] == "raw")]
    means = first.groupby(["architecture", "examples"])["accuracy"].mean() * 100
    line = figures.sample_efficiency(networks).axes[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), (means["lenet5"] - means["dense"]).to_numpy())
    np.testing.assert_array_equal(line.get_xdata(), [100, 1000])


def test_unscrambling_stands_between_its_bounds():
    recovered = grid(dataset=SETS, unlabelled=[100, 2000])
    bounds = grid(dataset=SETS, representation=["raw", "scrambled"])
    axis = figures.unscrambling(recovered, bounds).axes[1]
    assert {text.get_text() for text in axis.texts} == {"unscrambled", "raw", "scrambled"}
    assert np.ptp(axis.lines[1].get_ydata()) == pytest.approx(0)


def test_paired_differences_are_in_points():
    rows = [("raw", 0, 0.99), ("raw", 1, 0.98), ("scrambled", 0, 0.95), ("scrambled", 1, 0.96)]
    table = pd.DataFrame(rows, columns=["representation", "seed", "accuracy"])
    drop = experiments.loss_by_scrambling(table)
    assert drop.mean == pytest.approx(3)
    assert drop.low < 2 < 4 < drop.high
