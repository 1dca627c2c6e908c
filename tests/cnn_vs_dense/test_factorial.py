from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_vs_dense import factorial
from cnn_vs_dense.factorial import ALL, BEST, BETWEEN, NETWORKS, NONE, PIECES, SUBSETS, Cell

games = st.lists(st.floats(-100, 100), min_size=8, max_size=8).map(
    lambda numbers: dict(zip(SUBSETS, numbers, strict=True))
)


@given(games)
def test_shapley_is_the_mean_over_all_orders(values):
    gains = {piece: [] for piece in PIECES}
    for order in permutations(PIECES):
        for place, piece in enumerate(order):
            gains[piece].append(values[frozenset(order[: place + 1])] - values[frozenset(order[:place])])
    found = factorial.shapley(values)
    assert found == pytest.approx({piece: np.mean(many) for piece, many in gains.items()}, abs=1e-9)
    assert sum(found.values()) == pytest.approx(values[ALL] - values[NONE], abs=1e-9)  # efficiency


@given(games, games)
def test_shapley_is_additive_symmetric_and_gives_a_dummy_nothing(values, others):
    one, other = factorial.shapley(values), factorial.shapley(others)
    both = factorial.shapley({pieces: values[pieces] + others[pieces] for pieces in SUBSETS})
    assert both == pytest.approx({piece: one[piece] + other[piece] for piece in PIECES}, abs=1e-9)
    by_size = factorial.shapley({pieces: values[frozenset(PIECES[: len(pieces)])] for pieces in SUBSETS})
    assert by_size["start"] == pytest.approx(by_size["modulus"], abs=1e-9)
    assert by_size["start"] == pytest.approx(by_size["phase"], abs=1e-9)
    without = factorial.shapley({pieces: values[pieces - {"phase"}] for pieces in SUBSETS})
    assert without["phase"] == pytest.approx(0, abs=1e-9)


def test_shapley_of_arrays_is_that_of_each_element(rng):
    values = {pieces: rng.random((2, 3)) for pieces in SUBSETS}
    alone = factorial.shapley({pieces: array[1, 2] for pieces, array in values.items()})
    found = factorial.shapley(values)
    assert {piece: array[1, 2] for piece, array in found.items()} == pytest.approx(alone)


def test_six_networks_are_eight_combinations():
    assert len(NETWORKS) == 6
    assert len(BETWEEN) == 4
    values = {pieces: number for number, pieces in enumerate(NETWORKS)}
    found = factorial.complete(values)
    assert set(found) == set(SUBSETS)
    assert found[ALL] == values[BEST]
    assert found[frozenset({"modulus", "phase"})] == values[frozenset({"modulus"})]
    assert {pieces: found[pieces] for pieces in NETWORKS} == values


def test_missing_values_get_one_clear_sentence():
    values = dict.fromkeys(NETWORKS, 1.0)
    with pytest.raises(ValueError, match=r"no values of modulus \+ phase, modulus \+ phase \+ start"):
        factorial.shapley(values)
    with pytest.raises(ValueError, match="no values of none"):
        factorial.complete({pieces: 1.0 for pieces in NETWORKS if pieces})
    with pytest.raises(ValueError, match="worth nothing"):
        factorial.profile(values)


def table(rng, shares, cells, seeds=4, images=300):
    """Runs of networks that are right on these shares of the images, and of the reference on 0.9 of them."""
    named = {NETWORKS[pieces]: share for pieces, share in shares.items()} | {factorial.REFERENCE: 0.9}
    rows = [
        {"method": method, **cell._asdict(), "seed": seed, "right": rng.random(images) < share}
        for cell in cells for method, share in named.items() for seed in range(seeds)
    ]  # fmt: skip
    return pd.DataFrame(rows)


SHARES = dict(zip(NETWORKS, (0.5, 0.7, 0.6, 0.65, 0.85, 0.8), strict=True))
CELLS = [Cell(28, 0.3), Cell(7, 0.3), Cell(4, 0.3)]


def test_what_is_measured_is_in_percent(rng):
    found = factorial.measured(table(rng, SHARES, CELLS), CELLS[1])
    assert list(found) == list(NETWORKS)
    for pieces, accuracies in found.items():
        assert accuracies.shape == (4, 300)
        assert set(np.unique(accuracies)) == {0, 100}
        assert accuracies.mean() == pytest.approx(100 * SHARES[pieces], abs=8)


def test_losses_are_relative_to_the_reference(rng):
    runs = table(rng, SHARES, CELLS)
    found = factorial.losses(runs, CELLS[:2])
    assert len(found) == 12
    means = 100 * runs["right"].map(np.mean).groupby([runs["method"], runs["columns"]]).mean()
    for row in found.itertuples():
        expected = means[factorial.REFERENCE, row.columns] - means[row.network, row.columns]
        assert row.mean == pytest.approx(expected)
        assert row.low < row.mean < row.high


def test_the_worth_of_all_pieces_adds_up(rng):
    values = factorial.complete(factorial.measured(table(rng, SHARES, CELLS), CELLS[0]))
    found = factorial.worth(values)
    total = values[ALL].mean() - values[NONE].mean()
    assert found["points"].sum() == pytest.approx(total)
    assert found["share"].sum() == pytest.approx(1)
    np.testing.assert_allclose(found["points"] / total, found["share"])
    assert (found["share_low"] < found["share"]).all()
    assert (found["share"] < found["share_high"]).all()


def test_there_are_no_shares_of_next_to_nothing(rng):
    values = {pieces: rng.random((3, 50)) for pieces in SUBSETS}
    found = factorial.worth(values)
    assert found[["share", "share_low", "share_high"]].isna().to_numpy().all()
    assert found[["points", "low", "high"]].notna().to_numpy().all()


@given(games, st.floats(0.1, 3), st.floats(-50, 50))
def test_a_profile_forgets_scale_and_offset_and_predicts_itself(values, scale, offset):
    values = values | {NONE: -200.0, BEST: 200.0}
    found = factorial.profile(values)
    moved = factorial.profile({pieces: scale * value + offset for pieces, value in values.items()})
    assert moved == pytest.approx(found)
    assert (found[NONE], found[BEST]) == (0, 1)
    assert factorial.predicted(found, -200, 200) == pytest.approx(values)


def accuracies(means):
    """Accuracies without chance, ``(3, 20)``, of the six networks."""
    return {pieces: np.full((3, 20), float(mean)) for pieces, mean in zip(NETWORKS, means, strict=True)}


def test_predictions_by_hand():
    fitted = [accuracies([50, 60, 70, 60, 90, 80]), accuracies([30, 40, 50, 40, 70, 60])]
    held_out = accuracies([10, 21, 30, 20, 50, 40])  # the same profile, but for the second network
    references = np.full((3, 20), 75.0), np.full((3, 20), 60.0)
    found = factorial.predictions(fitted, held_out, *references)
    assert found["network"].tolist() == [NETWORKS[pieces] for pieces in BETWEEN]
    np.testing.assert_allclose(found["loss"], [39, 30, 40, 20])
    np.testing.assert_allclose(found["by_profile"], [40, 30, 40, 20])
    np.testing.assert_allclose(found["as_before"], [35, 25, 35, 15])
    errors = factorial.prediction_errors(fitted, held_out, *references)
    np.testing.assert_allclose(errors.loc["by_profile"], 0.25, atol=1e-9)
    np.testing.assert_allclose(errors.loc["as_before"], np.mean([4, 5, 5, 5]), atol=1e-9)


def test_both_tables_of_predictions_agree(rng):
    runs = table(rng, SHARES, CELLS)
    *fitted, held_out = (factorial.measured(runs, cell) for cell in CELLS)
    references = [factorial.reference(runs, cell) for cell in CELLS[1:]]
    found = factorial.predictions(fitted, held_out, *references)
    errors = factorial.prediction_errors(fitted, held_out, *references)
    for name, row in errors.iterrows():
        assert row["error"] == pytest.approx((found[name] - found["loss"]).abs().mean())
        assert 0 < row["low"] < row["high"]


def test_averages_are_over_cells(rng):
    cells = [{NONE: rng.random((2, 3))} for _ in range(2)]
    np.testing.assert_allclose(factorial.averaged(cells)[NONE], (cells[0][NONE] + cells[1][NONE]) / 2)
