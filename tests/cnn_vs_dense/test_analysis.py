import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cnn_vs_dense import analysis, figures
from cnn_vs_dense.analysis import ALIGNED, SHIFTED, direct_minus_reconstruction
from cnn_vs_dense.models import ARCHITECTURES
from cnn_vs_dense.representations import (
    DOSES,
    TRANSFORMS,
)
from common import statistics
from common.data import load_mnist


@pytest.mark.parametrize("kind", DOSES)
def test_milder_scrambling_keeps_more_neighbours(kind):
    rows = [
        {"representation": name, "seed": seed}
        for names in DOSES.values()
        for name in names
        for seed in range(3)
    ]
    doses = analysis.by_dose(pd.DataFrame(rows, index=[0] * len(rows)).drop_duplicates())
    doses = doses[doses["kind"] == kind].drop_duplicates("representation").set_index("representation")
    kept = doses.loc[DOSES[kind], "kept"]
    assert kept["raw"] == 1
    assert kept["scrambled"] < 0.02
    assert kept.is_monotonic_decreasing


@pytest.mark.parametrize("name", ["lenet5", "lenet5_shifted", "lenet5_unpooled", "dense", "dense_small"])
def test_every_network_that_is_drawn_by_its_architecture_has_a_name(name):
    assert name in figures.NAMES.keys() & ARCHITECTURES.keys()


def test_a_normalisation_is_chosen_at_the_best_rate_of_every_network():
    rows = [
        ("raw", "a", "lenet5", 0.1, 0.9), ("raw", "a", "lenet5", 0.2, 0.1), ("raw", "a", "dense", 0.1, 0.5),
        ("raw", "b", "lenet5", 0.1, 0.8), ("raw", "b", "lenet5", 0.2, 0.8), ("raw", "b", "dense", 0.1, 0.5),
        ("k", "a", "lenet5", 0.1, 0.3), ("k", "b", "lenet5", 0.1, 0.4),
    ]  # fmt: skip
    columns = ["representation", "normalisation", "architecture", "learning_rate", "accuracy"]
    scores = pd.DataFrame(rows, columns=columns).assign(dataset="mnist")
    assert analysis.chosen_normalisations(scores) == {"raw": "a", "k": "b"}


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
    gaps = analysis.lenet5_minus("dense", networks).sort_values("dataset", ascending=False)
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
    gaps = analysis.worth_of_arrangement(arranged, moved.sample(frac=1, random_state=0))
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
    closed = analysis.gap_closed(recovered, bounds.assign(examples=50))
    np.testing.assert_allclose(closed["closed"], [0.5, 0, 1], atol=1e-9)
    assert closed.drop(columns="closed").equals(recovered)
    with pytest.raises(ValueError, match="bounds lacks runs"):
        analysis.gap_closed(recovered, bounds.assign(examples=60))


def test_paired_differences_are_in_points():
    rows = [("raw", 0, 0.99), ("raw", 1, 0.98), ("scrambled", 0, 0.95), ("scrambled", 1, 0.96)]
    table = pd.DataFrame(rows, columns=["representation", "seed", "accuracy"])
    drop = analysis.loss_by_scrambling(table)
    assert drop.mean == pytest.approx(3)
    assert drop.low < 2 < 4 < drop.high


def results(accuracies):
    """Make the table of three seeds of arms with (validation accuracy, test accuracies) in one cell."""
    rows = []
    for arm, (validation, tested) in accuracies.items():
        for seed, accuracy in enumerate(tested):
            right = np.arange(10_000) < 10_000 * accuracy
            rows.append({
                "dataset": "mnist", "sampling": "8 angles", "noise": "none", "arm": arm, "seed": seed,
                "accuracy": accuracy, "right": right, "epoch_validation_accuracy": [0.1, validation],
            })  # fmt: skip
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def test_validation_chooses_the_arms_that_are_compared():
    table = results({
        "dense": (0.95, [0.94, 0.95, 0.96]),
        "1-D CNN along the detector": (0.9, [0.99, 0.99, 0.99]),
        "FBP, ramp": (0.9, [0.92, 0.93, 0.93]),
        "SART": (0.8, [0.99, 0.99, 0.99]),
        "learned filter": (0.99, [0.99, 0.99, 0.99]),
        "clean image": (0.99, [0.99, 0.99, 0.99]),
    })  # fmt: skip
    (cell,) = direct_minus_reconstruction(table).to_dict("records")
    assert (cell["direct"], cell["reconstruction"]) == ("dense", "learned filter")
    (cell,) = direct_minus_reconstruction(table, ["reconstruction"]).to_dict("records")
    assert (cell["direct"], cell["reconstruction"]) == ("dense", "FBP, ramp")
    assert cell["mean"] == pytest.approx(100 * np.mean([0.02, 0.02, 0.03]))
    assert cell["low"] < cell["mean"] < cell["high"]
    assert cell["p"] == pytest.approx(2 * 0.5**200)
    assert cell["significant"]


def test_seeds_that_disagree_are_no_significance():
    table = results({"dense": (0.9, [0.9, 0.95, 0.9]), "SART": (0.9, [0.8, 0.97, 0.8])})
    cells = direct_minus_reconstruction(table)
    assert (cells["p"].tolist(), cells["significant"].tolist()) == ([1.0], [False])


def test_views_are_drawn_in_rows_and_complex_ones_by_their_magnitude():
    rng = np.random.default_rng(0)
    rows = {name: {"dense": rng.random((4, 3, 1)), "zero-filled": rng.random((4, 5, 2))} for name in "ab"}
    figure = figures.views(rows)
    drawn = [np.squeeze(axis.images[0].get_array()) for axis in figure.axes]
    expected = [np.sqrt((image**2).sum(-1)) for row in rows.values() for image in row.values()]
    for found, image in zip(drawn[::2], expected[::2], strict=True):
        np.testing.assert_allclose(found, image)
    for found, image in zip(drawn[1::2], expected[1::2], strict=True):
        unclipped = image < image.max()
        np.testing.assert_allclose(found[unclipped], image[unclipped])
        assert found[~unclipped].item() < image.max()
    assert [axis.get_ylabel() for axis in figure.axes[::2]] == ["a", "b"]


@pytest.mark.parametrize("draw", ["map", "lines"])
def test_figures_of_cells_show_every_number(draw):
    tables = [
        results({"dense": (0.9, [0.9, 0.95, 0.9]), "SART": (0.9, [0.8, 0.9, 0.8])}).assign(
            dataset=dataset, noise=noise, sampling=f"{angles} angles", angles=angles
        )
        for dataset in ("mnist", "fashion_mnist")
        for noise in ("none", "Gaussian 0.3")
        for angles in (4, 8)
    ]
    table = pd.concat(tables, ignore_index=True)
    if draw == "map":
        figure = figures.direct_minus_reconstruction(direct_minus_reconstruction(table))
        texts = [text.get_text() for text in figure.axes[0].texts]
        assert len(texts) == 8
        assert all(text.startswith("8.33\n±") for text in texts)
    else:
        figure = figures.by_arm(table, "angles", "angles")
        titles = [axis.get_title(loc) for axis in figure.axes for loc in ("left", "center")]
        assert [title for title in titles if title] == [
            f"{name}, {noise}"
            for name in ("MNIST", "Fashion-MNIST")
            for noise in ("no noise", "Gaussian 0.3")
        ]


def arranged(rng, shares, seeds=4, images=200, **columns):
    """Make runs that are right on these shares of the images, by (architecture, arrangement)."""
    rows = [
        {"dataset": "mnist", "architecture": architecture, "arrangement": arrangement, "seed": seed,
         "right": rng.random(images) < share, **columns}
        for (architecture, arrangement), share in shares.items() for seed in range(seeds)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def rates(table):
    """Return the accuracies by network and arrangement, in %."""
    return {
        key: 100 * np.mean(list(rows))
        for key, rows in table.groupby(["architecture", "arrangement"])["right"]
    }


def test_losses_are_relative_to_raw_pixels_of_the_same_network(rng):
    table = arranged(rng, {("lenet5", "raw"): 0.9, ("dense", "raw"): 0.8, ("lenet5", ALIGNED): 0.7,
                           ("dense", ALIGNED): 0.75, ("dense", SHIFTED): 0.75})  # fmt: skip
    found = analysis.loss_from_raw(table).set_index(["architecture", "arrangement"])
    assert found.index.tolist() == [("lenet5", ALIGNED), ("dense", ALIGNED), ("dense", SHIFTED)]
    right = rates(table)
    for (network, arrangement), row in found.iterrows():
        assert row["mean"] == pytest.approx(right[network, "raw"] - right[network, arrangement])
        assert row["low"] < row["mean"] < row["high"]
    with pytest.raises(ValueError, match="no run of dataset mnist, architecture dense, arrangement raw"):
        analysis.loss_from_raw(table[table["arrangement"] != "raw"].iloc[4:])


def test_coincidence_is_an_interaction(rng):
    networks, ways = ("lenet5", "lenet5_shifted"), ("raw", ALIGNED, SHIFTED)
    shares = {(network, way): rng.uniform(0.5, 0.9) for network in networks for way in ways}
    table = arranged(rng, shares)
    found = analysis.coincidence(table.sample(frac=1, random_state=0))
    assert found.shape == (4, 200)
    right = rates(table)
    loss = {(n, way): right[n, "raw"] - right[n, way] for n in networks for way in ways}
    apart = loss["lenet5", SHIFTED] + loss["lenet5_shifted", ALIGNED]
    together = loss["lenet5", ALIGNED] + loss["lenet5_shifted", SHIFTED]
    assert found.mean() == pytest.approx((apart - together) / 2)


def test_what_shifting_costs_by_itself_is_no_coincidence(rng):
    pools, ways = rng.random((2, 200)) < 0.5, rng.random((2, 200)) < 0.5
    rows = [
        {"architecture": network, "arrangement": way, "seed": seed, "right": right}
        for seed in range(2)
        for network, first in zip(("lenet5", "lenet5_shifted"), pools, strict=True)
        for way, second in zip((ALIGNED, SHIFTED), ways, strict=True)
        # Half of the images depend on the pooling alone, half on the blocks alone.
        for right in [np.where(np.arange(200) < 100, first, second)]
    ]
    assert (analysis.coincidence(pd.DataFrame(rows)) == 0).all()


def test_the_regained_share_is_a_ratio_of_means(rng):
    bounds = arranged(rng, {("lenet5", "raw"): 0.9, ("lenet5", "scrambled"): 0.3})
    recovered = arranged(rng, {("lenet5", "unscrambled"): 0.8})
    found = analysis.regained(recovered, bounds).loc["mnist"]
    right = rates(pd.concat([bounds, recovered]))
    raw, scrambled, unscrambled = (right["lenet5", name] for name in ("raw", "scrambled", "unscrambled"))
    assert found["mean"] == pytest.approx((unscrambled - scrambled) / (raw - scrambled))
    assert found["low"] < found["mean"] < found["high"]
    with pytest.raises(ValueError, match="same seeds"):
        analysis.regained(recovered[recovered["seed"] > 0], bounds)


@pytest.mark.parametrize(("after_24", "expected"), [(0.9895, 8), (0.9901, 8), (0.9912, 24)])
def test_longer_training_is_chosen_only_if_it_is_better_by_more_than_a_tie(after_24, expected):
    rows = [
        {"dataset": "mnist", "arrangement": "raw", "epochs": epochs, "seed": seed,
         "epoch_validation_accuracy": [0.1, 1.0, final + (0.01 if seed else -0.01)]}
        for epochs, final in ((24, after_24), (8, 0.99)) for seed in range(2)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    assert analysis.chosen_epochs(table) == {("mnist", "raw"): expected}
    with pytest.raises(ValueError, match="mnist, raw have not the same seeds"):
        analysis.chosen_epochs(table.iloc[1:])


def test_what_is_lost_elsewhere_is_averaged_over_the_cells_of_a_seed(rng):
    rows = [
        {"kind": kind, "angles": angles, "seed": seed, "accuracy": rng.random(),
         **{column: rng.random() for column in analysis.FAULTS}}
        for kind in ("geometry", "discover") for angles in (4, 16) for seed in range(3)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    found = analysis.lost_elsewhere(table, ["kind"])
    assert found["kind"].tolist() == ["geometry"] * 3 + ["discover"] * 3
    assert found["fault"].tolist() == 2 * list(analysis.FAULTS.values())
    runs = table[table["kind"] == "discover"].sort_values(["angles", "seed"])
    lost = 100 * (runs["accuracy"] - runs["accuracy_centre"]).to_numpy().reshape(2, 3).mean(axis=0)
    expected = statistics.mean_interval(lost)
    np.testing.assert_allclose(found.loc[5, ["mean", "low", "high"]].astype(float), expected)
