from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cnn_vs_dense import experiments
from cnn_vs_dense.acquisition import CT
from cnn_vs_dense.representations import REPRESENTATIONS
from common.data import Dataset, load_dataset, load_mnist
from common.experiments import configurations


@pytest.fixture
def few_images(monkeypatch):
    """Data sets of 1,200 training, 200 validation and 200 test images, and two epochs."""

    def few(name):
        data = load_dataset(name)
        return Dataset(data.train[:1_400], data.test[:200])

    monkeypatch.setattr(experiments, "load_dataset", few)
    monkeypatch.setattr(experiments, "VALIDATION_SIZE", 200)
    monkeypatch.setattr(experiments, "EPOCHS", 2)


def parts_of_mnist():
    data = load_mnist()
    return {"train": data.train[:300], "validation": data.train[-10:], "test": data.test[:30]}


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
    # Two million positions of about 500: added up one by one, single precision stops counting there.
    images = np.random.default_rng(0).normal(500, [0.1, 3], (40_000, 14, 4, 2)).astype("float32")
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


def test_a_tiny_run_of_the_experiment(few_images):
    run = {"examples": 1_024, "epochs": 2, "learning_rate": 0.003}
    result = experiments.accuracy(**run, dataset="fashion_mnist", evaluate_on="test", seed=0)
    # Twice as good as always answering with the most frequent class.
    assert 0.23 < result["accuracy"] < 0.95
    assert len(result["epoch_loss"]) == 2
    assert result["parameters"] == 61_706


@pytest.mark.parametrize(
    ("representation", "architecture"),
    [("sinogram", "sinogram_wrapped"), ("wavelet subbands", "mixer")],
)
def test_a_tiny_run_of_the_experiment_on_transforms(few_images, representation, architecture):
    result = experiments.accuracy(
        examples=640, epochs=2, learning_rate=0.001, representation=representation, architecture=architecture,
        normalisation="standardised", evaluate_on="validation", seed=0,
    )  # fmt: skip
    assert result["train_loss"] < result["epoch_loss"][0]
    assert result["train_accuracy"] > 0.15
    assert result["parameters"] <= 61_706


def test_a_tiny_run_of_the_experiment_on_recovered_layouts(few_images, monkeypatch):
    few = experiments.load_dataset("mnist")
    centres = [replace(part, images=part.images[:, 6:22, 6:22]) for part in (few.train, few.test)]
    monkeypatch.setattr(experiments, "load_dataset", lambda name: Dataset(*centres))
    result = experiments.accuracy_unscrambled(
        unlabelled=300, examples=1_024, learning_rate=0.003, evaluate_on="test", seed=0
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


def test_long_trainings_are_validated_a_limited_number_of_times(few_images, monkeypatch):
    monkeypatch.setattr(experiments, "MOST_VALIDATIONS", 4)
    result = experiments.accuracy(
        examples=128, epochs=9, learning_rate=0.001, architecture="dense_small", evaluate_on="test", seed=0
    )
    assert len(result["epoch_loss"]) == len(result["epoch_validation_accuracy"]) == 9 // 3


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


def carried_out(plan, score):
    """Carry out a plan whose runs get a `score`; return its result and the configurations of each round."""
    rounds, answer = [], None
    while True:
        try:
            asked = plan.send(answer)
        except StopIteration as end:
            return end.value, rounds
        tables = [pd.DataFrame(configurations(function, grid)) for function, grid in asked]
        answer = [table.assign(accuracy=[score(row) for row in table.itertuples()]) for table in tables]
        rounds.append(pd.concat(tables))


def near(best):
    """Return a score that is 0 at the learning rate `best` and less elsewhere."""
    return lambda row: -abs(np.log(row.learning_rate / best))


def test_tuning_touches_the_test_images_only_with_the_chosen_rate():
    def score(row):
        # Scrambled: the largest rate wins with one seed and fails with the other.
        spoiled = row.representation == "scrambled" and row.learning_rate == 0.01
        best = 0.001 if row.representation == "raw" else 0.003
        return near(best)(row) + (9 if row.seed else -10) * spoiled

    plan = experiments.tuning(representation=["raw", "scrambled"], seed=range(5))
    table, rounds = carried_out(plan, score)
    assert [set(asked["evaluate_on"]) for asked in rounds] == [{"validation"}, {"test"}]
    rates = table.groupby("representation")["learning_rate"].unique()
    assert (rates["raw"], rates["scrambled"]) == ([0.001], [0.003])
    assert table["seed"].tolist() == [*range(5)] * 2


@pytest.mark.parametrize(
    ("best", "beyond"), [(0.0001, [0.0001, 0.00003]), (0.001, []), (0.03, [0.1]), (0.1, [0.1, 0.3])]
)
def test_tuning_goes_beyond_the_edge_of_the_grid_with_all_methods_together(best, beyond):
    plan = experiments.tuning(examples=[100, 1000], representation=["raw", None], seed=range(2))
    table, (first, *further, final) = carried_out(plan, near(best))
    assert [sorted(set(asked["learning_rate"])) for asked in further] == [[rate] for rate in beyond]
    assert len(first) == 4 * len(experiments.LEARNING_RATES) * 2
    assert all(len(asked) == 4 * 2 for asked in further)
    assert set(final["learning_rate"]) == {best}
    assert len(table) == 4 * 2
    assert table["validation_accuracy"].unique().tolist() == [0]


# The others train these networks on other views, which tests/cnn_vs_dense/test_methods.py tries; LeNet-5 on
# the sinogram is trained below.
ARMS = {
    "4 angles": ("dense", "1-D CNN along the detector", "regression", "learned filter"),
    "acceleration 2": ("learned transform", "known transform"),
}


@pytest.mark.parametrize(
    ("sampling", "arm"), [(sampling, name) for sampling, names in ARMS.items() for name in names]
)
def test_a_tiny_run_of_every_network(few_images, sampling, arm):
    found = experiments.accuracy_measured(
        sampling=sampling,
        noise="1,000 photons" if sampling in CT else "none",
        arm=arm,
        examples=1_024,
        learning_rate=0.003,
        evaluate_on="validation",
        seed=0,
    )
    assert found["right"].shape == (200,)
    assert found["right"].mean() == pytest.approx(found["accuracy"])
    # Twice as good as always answering with the most frequent class.
    assert found["accuracy"] > 0.23


def test_elsewhere_includes_where_it_was_trained(few_images, monkeypatch):
    elsewhere = {name: CT[name] for name in ("8 angles", "wedge of 60 degrees")}
    monkeypatch.setattr(experiments, "CT", elsewhere)
    run = {
        "arm": "LeNet-5 on the sinogram",
        "examples": 1_024,
        "learning_rate": 0.003,
        "evaluate_on": "validation",
        "seed": 0,
    }
    trained_there = experiments.accuracy_measured(sampling="8 angles", **run)["accuracy"]
    accuracies = experiments.accuracy_elsewhere(sampling="8 angles", **run)["accuracy"]
    found = dict(zip(elsewhere, accuracies, strict=True))
    assert found["8 angles"] == trained_there > 0.23
    assert found["wedge of 60 degrees"] < trained_there


def test_an_unknown_arm_is_refused_before_the_training():
    run = {"learning_rate": 0.01, "evaluate_on": "test", "seed": 0}
    with pytest.raises(ValueError, match="no method for acceleration 4 'SART'; there are dense, LeNet-5"):
        experiments.accuracy_measured(sampling="acceleration 4", arm="SART", **run)
    with pytest.raises(ValueError, match="no sampling '5 angles'; there are 4 angles"):
        experiments.accuracy_measured(sampling="5 angles", arm="clean image", **run)
    with pytest.raises(ValueError, match="no noise 'loud'; there are none"):
        experiments.accuracy_measured(sampling="8 angles", noise="loud", arm="clean image", **run)
    with pytest.raises(ValueError, match="no sampling of CT 'acceleration 4'; there are 4 angles"):
        experiments.accuracy_elsewhere(sampling="acceleration 4", arm="clean image", **run)


def test_an_unknown_part_is_refused_before_the_training():
    with pytest.raises(ValueError, match="evaluate_on must be 'validation' or 'test', not 'train'"):
        experiments.accuracy_measured(
            sampling="8 angles", arm="dense", learning_rate=0.01, evaluate_on="train", seed=0
        )


def test_the_learning_rate_at_the_reference_serves_everywhere():
    settings = {"dataset": ["mnist"], "arms": ["dense", "SART"], "reference": ("8 angles", "none")}
    plan = experiments.across_acquisitions(
        ["4 angles", "8 angles"], ["none"], learning_rate=[0.001, 0.003, 0.01], seed=range(3), **settings
    )
    table, rounds = carried_out(plan, near(0.003))
    assert set(table["learning_rate"]) == {0.003}
    assert table.groupby(["arm", "sampling"]).size().tolist() == [3] * 4
    assert set(rounds[0]["sampling"]) == {"8 angles"}
    assert len(rounds) == 3


@pytest.mark.parametrize("rate", [0.002, 0.0031, 0.5])
def test_rates_that_have_no_next_one_are_refused(rate):
    with pytest.raises(ValueError, match=f"1 or 3 times a power of ten, not {rate}"):
        experiments.tuned(learning_rate=[0.001, rate], seed=range(2))
