import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.statistics import mean_interval
from wavelet_based_dnn.analysis import crossed_interval, difference, right_in, sent_settings
from wavelet_based_dnn.transmission import METHODS


@given(st.integers(0, 2**31), st.integers(2, 6), st.integers(2, 50))
def test_without_a_scatter_of_scenes_the_interval_is_students(seed, trainings, scenes):
    of_training = np.random.default_rng(seed).random((trainings, 3, 1))
    found = crossed_interval(np.broadcast_to(of_training, (trainings, 3, scenes)))
    np.testing.assert_allclose(found, mean_interval(100 * of_training[..., 0]), rtol=1e-9)


@given(st.integers(0, 2**31), st.integers(2, 6), st.integers(3, 50))
def test_without_a_scatter_of_trainings_too(seed, trainings, scenes):
    of_scene = np.random.default_rng(seed).random(scenes)
    found = crossed_interval(np.broadcast_to(of_scene, (trainings, scenes)))
    np.testing.assert_allclose(found, mean_interval(100 * of_scene), rtol=1e-9)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(400):
        logits = 1.5 + rng.normal(0, 0.2, (3, 1)) + rng.normal(0, 1, 300)
        found = crossed_interval(rng.random((3, 300)) < 1 / (1 + np.exp(-logits)))
        hits += found.low <= TRUTH <= found.high
    assert hits / 400 > 0.93


POINTS = np.random.default_rng(1).normal(0, [[0.2], [1]], (2, 200_000)).sum(0)
TRUTH = 100 * np.mean(1 / (1 + np.exp(-1.5 - POINTS)))


def test_equal_networks_differ_by_nothing():
    right = np.random.default_rng(0).random((3, 2, 40)) < 0.9
    for limit in difference(right, right):
        np.testing.assert_array_equal(limit, [0, 0])


def test_the_interval_of_one_training_is_that_over_scenes():
    right = np.random.default_rng(0).random((1, 3, 50))
    np.testing.assert_allclose(crossed_interval(right), mean_interval(100 * right[0].T), rtol=1e-9)


def test_one_scene_has_no_interval():
    with pytest.raises(ValueError, match=r"2 or more scenes, not the shape \(3, 1\)"):
        crossed_interval(np.ones((3, 1)))


def test_decisions_come_by_run_and_level():
    right = np.random.default_rng(0).random((2, 4, 5)) < 0.5
    table = pd.DataFrame({"right_28_in_56x56": [run.ravel() for run in right]})
    np.testing.assert_array_equal(right_in(table, ((28, 28), (56, 56)), 4), right)


def test_settings_keep_their_answers_and_come_by_bytes():
    rng = np.random.default_rng(0)
    runs = [
        {"canvas": side, "method": method, "right": rng.random(9 * count) < 0.5, "bytes": rng.random(count)}
        for side in (448, 896)
        for method in ("evidence", "JPEG")
        for count in [len(METHODS[method].settings)]
    ]
    found = sent_settings(pd.DataFrame(runs))
    assert found["bytes"].is_monotonic_increasing
    for run in runs:
        rows = found[(found["canvas"] == run["canvas"]) & (found["method"] == run["method"])].set_index(
            "bytes"
        )
        for place, (length, setting) in enumerate(
            zip(run["bytes"], METHODS[run["method"]].settings, strict=True)
        ):
            assert (rows.loc[length, "quality"], rows.loc[length, "tiles"]) == setting
            np.testing.assert_array_equal(
                rows.loc[length, "right"], run["right"][9 * place : 9 * (place + 1)]
            )
