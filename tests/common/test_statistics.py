import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from common.statistics import (
    Interval,
    bootstrap_interval,
    difference_interval,
    mcnemar,
    mean_interval,
    ratio_interval,
    share_interval,
    summarise,
    verdicts,
)


@given(arrays(float, st.tuples(st.integers(2, 20), st.integers(1, 4)), elements=st.floats(-1e3, 1e3)))
def test_the_interval_is_scipys(samples):
    samples = samples + np.arange(len(samples))[:, None] * 1e-3  # scipy warns when there is no spread
    expected = stats.ttest_1samp(samples, 0).confidence_interval(0.9)
    found = mean_interval(samples, confidence=0.9)
    np.testing.assert_allclose(found.mean, samples.mean(axis=0))
    np.testing.assert_allclose([found.low, found.high], expected, rtol=1e-7, atol=1e-9)


def test_the_interval_covers_the_mean_as_often_as_it_says():
    samples = np.random.default_rng(0).normal(size=(5, 20_000))
    found = mean_interval(samples)
    assert np.mean((found.low <= 0) & (found.high >= 0)) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(
    ("samples", "confidence"), [([1.0], 0.95), (1.0, 0.95), ([1.0, 2.0], 0), ([1.0, 2.0], 95)]
)
def test_bad_arguments_get_one_clear_sentence(samples, confidence):
    with pytest.raises(ValueError, match=r"at least two measurements|between 0 and 1"):
        mean_interval(samples, confidence)


@given(seed=st.integers(0, 99), scale=st.floats(0.1, 10), n=st.integers(2, 9), m=st.integers(2, 9))
def test_a_ratio_scales_turns_over_and_has_welchs_interval(seed, scale, n, m):
    rng = np.random.default_rng(seed)
    x, y = rng.lognormal(size=n), rng.lognormal(size=m)
    found, swapped = ratio_interval(scale * x, y), ratio_interval(y, scale * x)
    np.testing.assert_allclose(found.mean, scale * stats.gmean(x) / stats.gmean(y))
    np.testing.assert_allclose([found.low, found.high], [1 / swapped.high, 1 / swapped.low])
    test = stats.ttest_ind(np.log(x), np.log(y), equal_var=False)
    assert (ratio_interval(x, y).low < 1 < ratio_interval(x, y).high) == (test.pvalue > 0.05)


@given(seed=st.integers(0, 99), n=st.integers(2, 9), m=st.integers(2, 9))
def test_a_difference_has_welchs_interval_at_every_place(seed, n, m):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 3)), rng.normal(1, 2, size=(m, 3))
    found = difference_interval(x, y)
    np.testing.assert_allclose(found.mean, x.mean(0) - y.mean(0))
    errors = stats.sem(x) ** 2, stats.sem(y) ** 2
    freedom = sum(errors) ** 2 / (errors[0] ** 2 / (n - 1) + errors[1] ** 2 / (m - 1))
    half = stats.t.ppf(0.975, freedom) * np.sqrt(sum(errors))
    np.testing.assert_allclose([found.low, found.high], [found.mean - half, found.mean + half])


def test_a_missing_column_gets_one_clear_sentence():
    with pytest.raises(ValueError, match=r"The table has no column 'arm', 'accuracy'\."):
        summarise(pd.DataFrame({"seed": [0, 1]}), "arm", "accuracy")


def test_a_difference_of_single_measurements_is_refused():
    with pytest.raises(ValueError, match="at least two measurements, not 1"):
        difference_interval([1.0, 2.0], [1.0])


@pytest.mark.parametrize("bad", [[1.0], [1.0, 0.0], [1.0, -2.0], [[1.0], [2.0]]])
def test_a_ratio_of_too_little_is_refused(bad):
    for pair in ((bad, [1.0, 2.0]), ([1.0, 2.0], bad)):
        with pytest.raises(ValueError, match=r"at least two measurements .* positive"):
            ratio_interval(*pair)


def test_an_interval_prints_as_it_is_read():
    assert f"{mean_interval([1.0, 2.0, 3.0]):.2f}" == "2.00 [-0.48, 4.48]"


@given(wins=st.integers(0, 40), losses=st.integers(0, 40), both=st.integers(0, 20), seed=st.integers(0, 99))
def test_mcnemar_is_the_sign_test_of_the_images_that_one_alone_gets_right(wins, losses, both, seed):
    one = np.repeat([True, False, True, False], [wins, losses, both, both])
    other = np.repeat([False, True, True, False], [wins, losses, both, both])
    order = np.random.default_rng(seed).permutation(len(one))
    p = mcnemar(one[order], other[order])
    smaller, n = min(wins, losses), wins + losses
    expected = min(1, 2 * sum(math.comb(n, k) for k in range(smaller + 1)) / 2**n)
    assert p == pytest.approx(expected) == mcnemar(other, one)


@given(hits=st.integers(0, 50), misses=st.integers(0, 50))
def test_the_interval_of_a_share_is_wilsons(hits, misses):
    n = hits + misses
    if n == 0:
        with pytest.raises(ValueError, match="at least one trial"):
            share_interval([])
        return
    found = share_interval(np.repeat([True, False], [hits, misses]))
    z, p = stats.norm.ppf(0.975), hits / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert found == pytest.approx((p, max(0, middle - half), min(1, middle + half)), abs=1e-12)


def test_the_bootstrap_finds_the_interval_of_a_mean():
    samples = np.random.default_rng(0).normal(3, 1, 400)
    found, expected = bootstrap_interval(samples), mean_interval(samples)
    assert found == pytest.approx(expected, abs=0.02)
    assert bootstrap_interval(samples) == found


def test_the_bootstrap_counts_in_double_precision():
    samples = np.random.default_rng(0).normal(size=50)
    found = bootstrap_interval(samples, lambda drawn: drawn.mean().astype("float16"))
    assert found == pytest.approx(bootstrap_interval(samples), abs=1e-3)
    assert found == bootstrap_interval(samples, lambda drawn: float(drawn.mean().astype("float16")))


@pytest.mark.parametrize("hits", [[0.3, np.nan], [0, 1], ["no", "yes"], [[True]], True])
def test_a_share_is_of_true_and_false(hits):
    with pytest.raises(ValueError, match="hits must be a row of True and False"):
        share_interval(hits)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, np.nan])
def test_a_confidence_out_of_range_is_refused(confidence):
    for interval, samples in (
        (mean_interval, [1.0, 2.0]),
        (bootstrap_interval, [1.0, 2.0]),
        (share_interval, [True, False]),
    ):
        with pytest.raises(ValueError, match="confidence must lie between 0 and 1"):
            interval(samples, confidence=confidence)
    for interval in (difference_interval, ratio_interval):
        with pytest.raises(ValueError, match="confidence must lie between 0 and 1"):
            interval([1.0, 2.0], [3.0, 5.0], confidence)


def test_the_bootstrap_draws_units_whole():
    # The two values of a unit cancel, so a statistic that keeps them together does not vary.
    values = np.random.default_rng(0).normal(size=30)
    found = bootstrap_interval(np.stack([values, 1 - values], axis=1), lambda units: units.sum() / len(units))
    assert found == pytest.approx((1, 1, 1), abs=1e-9)


def test_a_bootstrap_of_equal_values_is_the_value():
    assert bootstrap_interval([2.0, 2.0, 2.0]) == (2, 2, 2)
    with pytest.raises(ValueError, match="at least two measurements"):
        bootstrap_interval([1.0])


def test_a_target_is_met_by_the_mean():
    found = verdicts({
        "low enough": (Interval(1.0, 0.5, 1.5), -np.inf, 1.2),
        "too low": (0.8, 0.85, np.inf),
        "between": (Interval(1.0, 0.9, 1.1), 0.9, 1.1),
    })  # fmt: skip
    assert found["verdict"].to_list() == ["met", "missed", "met"]
    assert found["target"].to_list() == ["at most 1.2", "at least 0.85", "0.9 to 1.1"]
    assert found.loc["low enough", "measured"] == "1 [0.5, 1.5]"
