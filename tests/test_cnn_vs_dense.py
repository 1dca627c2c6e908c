import itertools

import numpy as np
import pandas as pd
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from skimage import transform
from skimage.util import view_as_blocks

from cnn_vs_dense import comparisons, experiments, figures, representations
from cnn_vs_dense.models import ARCHITECTURES
from cnn_vs_dense.representations import (
    ANGLES,
    DOSES,
    REPRESENTATIONS,
    SCRAMBLINGS,
    TRANSFORMS,
    neighbour_correlation,
)
from cnn_vs_dense.unscramble import lay_out, oriented, recover_layout
from common import statistics
from common.data import load_dataset, load_mnist
from common.experiments import configurations
from common.fourier import gaussian_blur
from common.scramble import Scrambler, neighbours_kept

TINY = {"examples": 256, "epochs": 1, "learning_rate": 0.001}


@given(seed=st.integers(0, 100))
def test_scrambling_moves_pixels_and_changes_none(seed):
    images = load_mnist().test.images[:4]
    scrambled = REPRESENTATIONS["scrambled"](images, seed)
    assert REPRESENTATIONS["raw"](images, seed) is images
    assert (scrambled != images).any()
    np.testing.assert_array_equal(np.sort(scrambled, axis=None), np.sort(images, axis=None))


@pytest.mark.parametrize("name", SCRAMBLINGS)
@pytest.mark.parametrize("seed", [0, 7])
def test_every_scrambling_is_one_permutation_for_all_images(name, seed):
    indices = np.arange(784).reshape(1, 28, 28, 1)
    permutation = REPRESENTATIONS[name](indices, seed).ravel()
    images = load_mnist().test.images[:4]
    expected = images.reshape(4, 784)[:, permutation].reshape(images.shape)
    np.testing.assert_array_equal(REPRESENTATIONS[name](images, seed), expected)


def reference_transform(name, image):
    """Return what NumPy, PyWavelets and scikit-image make of one image, ``(height, width, channels)``."""
    if name == "sinogram":
        return transform.radon(image, ANGLES, circle=False, preserve_range=True)[..., None]
    if name == "wavelet subbands":
        approximation, details = pywt.dwt2(image, "haar")
        return np.stack([approximation, *details], axis=-1)
    if name == "blocks of 2 x 2 as channels":
        return view_as_blocks(image, (2, 2)).reshape(*np.array(image.shape) // 2, 4)
    k = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image), norm="ortho"))
    channels = {
        "k-space, real and imaginary": [k.real, k.imag],
        "k-space, magnitude": [np.abs(k)],
        "k-space, log magnitude": [np.log1p(np.abs(k))],
    }
    return np.stack(channels[name], axis=-1)


@pytest.mark.parametrize("name", sorted(set(TRANSFORMS) - {"k-space, magnitude and phase"}))
@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_transforms_are_those_of_other_libraries(name, seed):
    images = np.random.default_rng(seed).random((3, 12, 12, 1))
    expected = np.stack([reference_transform(name, image[..., 0]) for image in images])
    np.testing.assert_allclose(REPRESENTATIONS[name](images), expected, atol=1e-9)


def test_magnitude_and_phase_make_up_k_space():
    images = load_mnist().test[:3].as_float()
    magnitude, phase = np.moveaxis(REPRESENTATIONS["k-space, magnitude and phase"](images), -1, 0)
    parts = np.moveaxis(REPRESENTATIONS["k-space, real and imaginary"](images), -1, 0)
    np.testing.assert_allclose([magnitude * np.cos(phase), magnitude * np.sin(phase)], parts, atol=1e-4)


@given(height=st.integers(1, 4), width=st.integers(2, 4), channels=st.integers(1, 2), seed=st.integers(0, 99))
def test_the_correlation_of_neighbours_is_that_of_numpy(height, width, channels, seed):
    images = np.random.default_rng(seed).random((30, height, width, channels)).cumsum(axis=2)
    correlations = [
        np.corrcoef(images[:, i, j, c], images[:, k, m, c])[0, 1]
        for i, j, c in np.ndindex(height, width, channels)
        for k, m in ((i + 1, j), (i, j + 1))
        if k < height and m < width
    ]
    assert neighbour_correlation(images) == pytest.approx(np.mean(np.abs(correlations)))


def test_neighbours_of_real_images_resemble_each_other_until_they_are_scrambled():
    images = load_mnist().test[:1000].as_float()
    assert neighbour_correlation(images) > 2 * neighbour_correlation(REPRESENTATIONS["scrambled"](images, 0))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_work_on_every_image_alone_and_in_batches(name):
    images = np.random.default_rng(0).random((representations.BATCH_SIZE + 2, 4, 4, 1), dtype="float32")
    together = REPRESENTATIONS[name](images)
    assert together.dtype == "float32"
    # Of the last three, one was in the batch before.
    alone = REPRESENTATIONS[name](images[-3:])
    if "phase" in name:
        together, alone = (values[..., 0] * np.exp(1j * values[..., 1]) for values in (together, alone))
    np.testing.assert_allclose(together[-3:], alone, atol=1e-5)


@pytest.mark.parametrize("name", TRANSFORMS)
@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_a_transform_scrambled_afterwards_only_has_other_places(name, seed):
    images = load_mnist().test[:3].as_float()
    plain, moved = REPRESENTATIONS[name](images), REPRESENTATIONS[f"{name}, scrambled"](images, seed)
    assert (moved != plain).any()
    np.testing.assert_array_equal(Scrambler(plain.shape[1:3], seed).unscramble(moved), plain)


def parts_of_mnist(examples=300):
    return experiments.split(load_mnist(), examples, seed=0)


@pytest.mark.parametrize("representation", ["raw", "sinogram", "k-space, real and imaginary"])
@pytest.mark.parametrize(
    ("normalisation", "axes"), [("standardised", (0, 1, 2)), ("standardised by position", 0)]
)
def test_inputs_are_standardised_by_the_training_set_alone(representation, normalisation, axes):
    parts = parts_of_mnist()
    inputs = experiments.network_inputs(parts, representation, normalisation, seed=0)
    train = inputs["train"][0]
    np.testing.assert_allclose(train.mean(axes), 0, atol=1e-3)
    assert train.std(axes).max() == pytest.approx(1, abs=0.15)
    parts["test"] = parts["test"][:10]
    fewer = experiments.network_inputs(parts, representation, normalisation, seed=0)
    np.testing.assert_allclose(fewer["test"][0], inputs["test"][0][:10], atol=1e-5)


@pytest.mark.parametrize(
    ("normalisation", "axes"), [("standardised", (0, 1, 2)), ("standardised by position", 0)]
)
def test_many_large_images_are_standardised_precisely(monkeypatch, normalisation, axes):
    # 16 million positions: added up one by one, single precision stops counting there.
    images = np.random.default_rng(0).normal(5, [0.1, 3], (80_000, 14, 15, 2)).astype("float32")
    monkeypatch.setitem(REPRESENTATIONS, "raw", lambda pixels, seed: images)
    part = load_mnist().test[:1]
    inputs = experiments.network_inputs({"train": part}, "raw", normalisation, seed=0)["train"][0]
    assert inputs.dtype == "float32"
    np.testing.assert_allclose(inputs.mean(axes, "float64"), 0, atol=1e-3)
    spread = inputs.std(axes, dtype="float64")
    np.testing.assert_allclose(spread.min(axis=tuple(range(spread.ndim - 1))), [0.825, 0.993], atol=0.01)


@pytest.mark.parametrize("normalisation", experiments.PIXEL_RANGES)
def test_the_range_of_the_pixels_and_a_scrambling_commute(normalisation):
    part = {"test": load_mnist().test[:20]}
    inputs = experiments.network_inputs(part, "scrambled", normalisation, seed=3)["test"][0]
    scrambled = REPRESENTATIONS["scrambled"](part["test"].images, 3)
    np.testing.assert_array_equal(inputs, experiments.PIXEL_RANGES[normalisation](scrambled))


def test_blocks_bound_what_is_scrambled():
    indices = np.arange(784).reshape(1, 28, 28, 1)
    inside = REPRESENTATIONS["scrambled within 4 x 4"](indices, 0)[0, :4, :4, 0]
    assert set(inside.ravel()) == set(indices[0, :4, :4, 0].ravel())
    moved = REPRESENTATIONS["blocks of 4 x 4 scrambled"](indices, 0)[0, :4, :4, 0]
    np.testing.assert_array_equal(moved - moved[0, 0], indices[0, :4, :4, 0])


@pytest.mark.parametrize("name", SCRAMBLINGS)
def test_every_scrambling_moves_pixels_with_every_seed_in_use(name):
    for seed in {*range(10), *experiments.TUNING_SEEDS}:
        assert (comparisons.permutation(name, seed) != np.arange(784)).any()


@pytest.mark.parametrize("kind", DOSES)
def test_milder_scrambling_keeps_more_neighbours(kind):
    rows = [
        {"representation": name, "seed": seed}
        for names in DOSES.values()
        for name in names
        for seed in range(3)
    ]
    doses = comparisons.by_dose(pd.DataFrame(rows, index=[0] * len(rows)).drop_duplicates())
    doses = doses[doses["kind"] == kind].drop_duplicates("representation").set_index("representation")
    kept = doses.loc[DOSES[kind], "kept"]
    assert kept["raw"] == 1
    assert kept["scrambled"] < 0.02
    assert kept.is_monotonic_decreasing


def blurred_noise(size, count, seed):
    noise = np.random.default_rng(seed).normal(size=(count, size, size, 1))
    return np.asarray(gaussian_blur(noise, 1.5))


@pytest.mark.parametrize("seed", [0, 1, 2])
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


def test_pixels_in_groups_without_a_connection_are_laid_out_without_a_warning():
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(2, 50, 1, 1)), rng.normal(size=(50, 6, 8, 1))
    images = np.concatenate([group[..., None] + 0.1 * own for group in common], axis=2)
    layout = recover_layout(images)
    groups = (layout % 16 < 8).reshape(6, 16)
    assert np.mean(groups[:, 1:] == groups[:, :-1]) > 0.8


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
        (np.random.default_rng(0).random((2, 4, 4, 1)), "vary in fewer than two ways"),
        (np.outer(np.arange(1, 51), np.arange(1, 17)).reshape(50, 4, 4, 1), "vary in fewer than two ways"),
    ],
)
def test_a_layout_that_cannot_be_recovered_gets_one_clear_sentence(images, message):
    with pytest.raises(ValueError, match=message):
        recover_layout(images)


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
@pytest.mark.parametrize("evaluate_on", ["validation", "test"])
def test_a_tiny_run_of_the_experiment(dataset, evaluate_on):
    run = {"examples": 256, "epochs": 8, "learning_rate": 0.003}
    result = experiments.accuracy(**run, dataset=dataset, evaluate_on=evaluate_on, seed=0)
    # Twice as good as always answering with the most frequent class.
    assert 0.23 < result["accuracy"] < 0.95
    assert len(result["epoch_loss"]) == 8
    assert result["parameters"] == 61_706


@pytest.mark.parametrize(
    ("representation", "architecture"),
    [*itertools.product(TRANSFORMS, ["lenet5", "mixer"]), ("sinogram", "sinogram_1d"),
     ("sinogram", "sinogram_wrapped"), ("k-space, real and imaginary", "separable")],
)  # fmt: skip
def test_a_tiny_run_of_the_experiment_on_transforms(representation, architecture):
    result = experiments.accuracy(
        **TINY | {"epochs": 5}, representation=representation, architecture=architecture,
        normalisation="standardised", evaluate_on="validation", seed=0,
    )  # fmt: skip
    assert result["train_loss"] < result["epoch_loss"][0]
    assert result["train_accuracy"] > 0.15
    assert result["parameters"] <= 61_706


def test_a_tiny_run_of_the_experiment_on_recovered_layouts():
    result = experiments.accuracy_unscrambled(
        unlabelled=300, examples=256, learning_rate=0.003, evaluate_on="test", seed=0
    )
    # Twice as good as always answering with the most frequent class.
    assert 0.23 < result["accuracy"] < 0.95
    assert 0.05 < result["neighbours_kept"] < result["neighbours_within_3"] < 1


def test_other_images_to_measure_on_are_refused_at_once():
    for function, required in (
        (experiments.accuracy, {}),
        (experiments.accuracy_unscrambled, {"unlabelled": 9}),
    ):
        with pytest.raises(ValueError, match="must be 'validation' or 'test', not 'train'"):
            function(**required, learning_rate=0.001, evaluate_on="train", seed=0)


def test_unknown_names_get_one_clear_sentence():
    run = {"learning_rate": 0.001, "evaluate_on": "validation", "seed": 0}
    for name, first in (("representation", "raw"), ("normalisation", "none")):
        with pytest.raises(ValueError, match=f"no {name} 'x'; there are {first}, "):
            experiments.accuracy(**{name: "x"}, **run)


def test_every_network_has_a_name_in_figures():
    assert set(ARCHITECTURES) <= set(figures.NAMES)


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


@pytest.mark.parametrize(
    ("best", "beyond"), [(0.0001, [0.0001, 0.00003]), (0.001, []), (0.03, [0.1]), (0.1, [0.1, 0.3])]
)
def test_tuning_goes_beyond_the_edge_of_the_grid(monkeypatch, best, beyond):
    tried, tested = [], []

    def fake_sweep(function, **grid):
        configurations(function, grid)  # raises an error for what JSON cannot hold
        rates = np.atleast_1d(grid["learning_rate"])
        (tested if grid["evaluate_on"] == "test" else tried).extend(rates)
        return pd.DataFrame(
            {"examples": 100, "learning_rate": rates, "accuracy": -np.abs(np.log(rates / best))}
        )

    monkeypatch.setattr(experiments, "sweep", fake_sweep)
    table = experiments.tuned(examples=100, seed=range(2))
    assert tested == [best]
    assert tried == [*experiments.LEARNING_RATES, *beyond]
    assert table["validation_accuracy"].tolist() == [0]


def test_a_normalisation_is_chosen_at_the_best_rate_of_every_network():
    rows = [
        ("raw", "a", "lenet5", 0.1, 0.9), ("raw", "a", "lenet5", 0.2, 0.1), ("raw", "a", "dense", 0.1, 0.5),
        ("raw", "b", "lenet5", 0.1, 0.8), ("raw", "b", "lenet5", 0.2, 0.8), ("raw", "b", "dense", 0.1, 0.5),
        ("k", "a", "lenet5", 0.1, 0.3), ("k", "b", "lenet5", 0.1, 0.4),
    ]  # fmt: skip
    columns = ["representation", "normalisation", "architecture", "learning_rate", "accuracy"]
    scores = pd.DataFrame(rows, columns=columns).assign(dataset="mnist")
    assert comparisons.chosen_normalisations(scores) == {"raw": "a", "k": "b"}


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
        dataset=SETS, architecture=["lenet5", "mixer"], kind=["inside", "whole"], kept=[0.1, 0.5, 1.0]
    )
    figure = figures.dose_response(doses)
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        f"{name}, scrambled {kind}" for name in ("MNIST", "Fashion-MNIST") for kind in ("inside", "whole")
    ]
    assert [len(axis.lines) for axis in figure.axes] == [2] * 4
    expected = 100 * doses[doses["kept"] == 0.5]["accuracy"][:3].mean()
    assert figure.axes[0].lines[0].get_ydata()[1] == pytest.approx(expected)


def test_sample_efficiency_is_a_paired_difference():
    networks = grid(dataset=SETS, representation=["raw", "scrambled"], architecture=["lenet5", "dense"],
                    examples=[100, 1000])  # fmt: skip
    first = networks[(networks["dataset"] == "mnist") & (networks["representation"] == "raw")]
    means = first.groupby(["architecture", "examples"])["accuracy"].mean() * 100
    gaps = comparisons.lenet5_minus("dense", networks).sort_values("dataset", ascending=False)
    line = figures.sample_efficiency(gaps).axes[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), (means["lenet5"] - means["dense"]).to_numpy())
    np.testing.assert_array_equal(line.get_xdata(), [100, 1000])


def test_every_cell_of_the_representations_has_its_mean_and_interval():
    networks = grid(dataset=["mnist"], representation=["raw", "sinogram"], architecture=["mixer", "lenet5"])
    axis = figures.by_representation(networks).axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["mixer", "LeNet-5"]
    band = statistics.mean_interval(100 * networks["accuracy"][3:6])
    assert axis.texts[1].get_text() == f"{band.mean:.3g}\n± {band.high - band.mean:.1f}"


def test_the_worth_of_an_arrangement_is_a_paired_difference():
    arranged = grid(dataset=SETS, representation=["raw", "sinogram"])
    moved = grid(dataset=SETS, representation=["raw, scrambled", "sinogram, scrambled"])
    moved["accuracy"] += 0.5
    gaps = comparisons.worth_of_arrangement(arranged, moved.sample(frac=1, random_state=0))
    expected = 100 * (arranged["accuracy"] - moved["accuracy"])
    np.testing.assert_allclose(gaps["gap"], expected)
    assert gaps["representation"].tolist() == arranged["representation"].tolist()


def test_every_representation_has_a_row_of_pictures():
    names = ["raw", *TRANSFORMS]
    figure = figures.representations(load_mnist().test[:3].as_float(), names)
    shapes = [axis.images[0].get_array().shape[:2] for axis in figure.axes]
    assert shapes[::3] == [(28, 28), (40, 32), (28, 56), (28, 56)] + 4 * [(28, 28)]


def test_the_worth_of_every_arrangement_has_its_runs():
    worth = grid(dataset=SETS, representation=["raw", "sinogram"]).rename(columns={"accuracy": "gap"})
    axis = figures.arrangement(worth).axes[0]
    labels = [label.get_text().split("  ")[0] for label in axis.get_yticklabels()]
    assert labels == ["raw, MNIST", "raw, Fashion-MNIST", "sinogram, MNIST", "sinogram, Fashion-MNIST"]
    np.testing.assert_allclose(axis.lines[1].get_xdata(), worth["gap"][:3])
    assert axis.lines[0].get_color() == axis.lines[6].get_color() != axis.lines[3].get_color()


def test_unscrambling_stands_between_its_bounds():
    recovered = grid(dataset=SETS, unlabelled=[100, 2000])
    bounds = grid(dataset=SETS, representation=["raw", "scrambled"])
    axis = figures.unscrambling(recovered, bounds).axes[1]
    assert {text.get_text() for text in axis.texts} == {"unscrambled", "raw", "scrambled"}
    assert np.ptp(axis.lines[1].get_ydata()) == pytest.approx(0)


def test_the_gap_closed_is_relative_to_the_bounds_of_the_seed():
    bounds = pd.DataFrame({
        "dataset": "mnist", "representation": ["raw", "scrambled"] * 2, "seed": [0, 0, 1, 1],
        "accuracy": [0.9, 0.8, 0.9, 0.7],
    })  # fmt: skip
    recovered = pd.DataFrame({"dataset": "mnist", "unlabelled": [10, 10, 20], "seed": [1, 0, 1],
                              "examples": 50, "accuracy": [0.8, 0.8, 0.9]}, index=[5, 6, 7])  # fmt: skip
    closed = comparisons.gap_closed(recovered, bounds.assign(examples=50))
    np.testing.assert_allclose(closed["closed"], [0.5, 0, 1], atol=1e-9)
    assert closed.drop(columns="closed").equals(recovered)
    with pytest.raises(ValueError, match="bounds lacks runs"):
        comparisons.gap_closed(recovered, bounds.assign(examples=60))


@given(quarters=st.integers(0, 3), mirrored=st.booleans(), seed=st.integers(0, 99))
def test_a_layout_is_turned_to_where_the_pixels_were(quarters, mirrored, seed):
    scrambler = Scrambler((5, 5), seed)
    layout = scrambler.inverse.reshape(5, 5)
    turned = np.rot90(layout[:, ::-1] if mirrored else layout, quarters)
    np.testing.assert_array_equal(oriented(turned.ravel(), scrambler), scrambler.inverse)


def test_paired_differences_are_in_points():
    rows = [("raw", 0, 0.99), ("raw", 1, 0.98), ("scrambled", 0, 0.95), ("scrambled", 1, 0.96)]
    table = pd.DataFrame(rows, columns=["representation", "seed", "accuracy"])
    drop = comparisons.loss_by_scrambling(table)
    assert drop.mean == pytest.approx(3)
    assert drop.low < 2 < 4 < drop.high
