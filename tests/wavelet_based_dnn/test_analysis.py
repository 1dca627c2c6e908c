import numpy as np
import pandas as pd
import pytest

from common.statistics import mean_interval
from wavelet_based_dnn import analysis, figures
from wavelet_based_dnn.experiments import THRESHOLDS
from wavelet_based_dnn.variants import NATIVE, SIZES, TRAINED_SIZES


def runs(seed=0, count=3):
    """Rows as of `experiments.dynamic`: every head a little better than the one before."""
    rng = np.random.default_rng(seed)
    heads = np.sort(rng.uniform(0.8, 1, (count, len(SIZES), 4)), axis=-1)
    rising = np.sort(rng.uniform(0.9, 1, (count, len(THRESHOLDS))), axis=-1)
    return pd.DataFrame({
        "head_accuracy": [run.ravel().tolist() for run in heads],
        "validation": [[0.5] * TRAINED_SIZES.index(NATIVE) + [run[-1], 0.5] for run in rising],
        "exit_validation": rising.tolist(),
        "exit_accuracy": (rising - 0.01).tolist(),
        "exit_macs": [list(range(100, 100 * len(THRESHOLDS) + 1, 100))] * count,
    }), heads  # fmt: skip


def test_heads_and_sizes_keep_their_places():
    table, heads = runs()
    np.testing.assert_allclose(analysis.accuracy_by_level(table), 100 * heads)
    np.testing.assert_allclose(analysis.by_size(table), 100 * heads[..., -1])
    np.testing.assert_allclose(analysis.gains_by_level(table), 100 * np.diff(heads))
    single = pd.DataFrame({"head_accuracy": heads[..., 0].tolist()})
    np.testing.assert_allclose(analysis.by_size(single), 100 * heads[..., 0])
    few = pd.DataFrame({"head_accuracy": [run[:2].ravel().tolist() for run in heads]})
    np.testing.assert_allclose(analysis.accuracy_by_level(few, SIZES[:2]), 100 * heads[:, :2])


@pytest.mark.parametrize("allowed", [0.0, 0.1, 1.0, 20.0])
def test_the_cheapest_exit_within_the_allowed_loss_on_validation_is_taken(allowed):
    table, heads = runs(seed=1)
    for number, run in table.iterrows():
        saved, lost, threshold = analysis.cheapest_exit(run, 1_000, allowed)
        chosen = THRESHOLDS.index(threshold)
        losses = 100 * (run["exit_validation"][-1] - np.array(run["exit_validation"]))
        assert losses[chosen] <= allowed
        assert chosen == 0 or losses[chosen - 1] > allowed
        assert saved == pytest.approx(100 - 10 * (chosen + 1))
        finest = 100 * heads[number, SIZES.index(NATIVE), -1]
        assert lost == pytest.approx(finest - 100 * run["exit_accuracy"][chosen])


def test_if_no_exit_is_good_enough_the_strictest_is_taken():
    run = runs()[0].iloc[0].copy()
    run["exit_validation"] = [0.0] * len(THRESHOLDS)
    assert analysis.cheapest_exit(run, 1_000, 0.1)[2] == THRESHOLDS[-1]


def test_the_rate_with_the_best_validation_is_chosen_for_each_arm():
    table = pd.DataFrame({
        "arm": ["a", "a", "b", "b"],
        "learning_rate": [0.1, 0.2, 0.1, 0.2],
        "validation": [[0.9, 0.9], [0.99, 0.8], [0.5], [0.6]],
    })  # fmt: skip
    assert analysis.best_rates(table) == {"a": 0.1, "b": 0.2}
    # The tables of several sweeps, one below the other, have the same row labels again.
    assert analysis.best_rates(table.set_axis([0, 1, 0, 1])) == {"a": 0.1, "b": 0.2}


def test_figures_show_every_arm_and_its_interval():
    values = 100 * runs()[1][..., -1]
    bands = {"one": mean_interval(values), "other": mean_interval(values - 5)}
    alone = (np.array(SIZES), mean_interval(values + 0.1))
    figure = figures.error_against_size(
        {"MNIST": bands, "Fashion-MNIST": bands}, {"MNIST": alone, "Fashion-MNIST": alone}
    )
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["MNIST", "Fashion-MNIST"]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), 100 - bands["one"].mean)
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "one",
        "other",
        "a specialist for each size",
    ]
    macs = [1e5, 1e6]
    figure = figures.accuracy_against_macs({"MNIST": {"heads": (macs, mean_interval(values[:, :2]))}})
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xdata(), [0.1, 1])
