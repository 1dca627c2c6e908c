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
    best,
    bootstrap_interval,
    difference_interval,
    grouped,
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


values = st.sampled_from([None, 1, 2.5, "a"])


@given(keys=st.lists(st.tuples(values, values), min_size=1, max_size=12))
def test_no_row_is_lost_where_an_argument_is_none(keys):
    table = pd.DataFrame(keys, columns=["a", "b"], dtype=object).assign(v=np.arange(len(keys)), w=1.0)
    for by in ("a", ["a"], ["a", "b"]):
        assert grouped(table, by).size().sum() == len(keys)
    twice = pd.concat([table, table])
    assert summarise(twice, ["a", "b"], "v")["n"].sum() == 2 * len(keys)
    assert (
        len(summarise(twice, ["a", "b"], "v")) == len(set(keys)) == len(best(table, ["a", "b"], ["v"], "w"))
    )
    pairs = table.drop_duplicates(["a", "b"])
    assert pairs.pivot(index="a", columns="b", values="v").count().sum() == len(pairs)
    assert len(pairs.merge(pairs, on=["a", "b"], validate="one_to_one")) == len(pairs)


def test_missing_values_are_a_group_in_the_order_of_the_table():
    table = pd.DataFrame({"b": [7, 7, None, None], "v": [3.0, 4.0, 1.0, 2.0]})
    found = summarise(table, "b", "v", scale=10)
    assert found["mean"].to_list() == [35, 15]
    assert found["n"].to_list() == [2, 2]
    assert np.isnan(found.index[1])


@given(seed=st.integers(0, 99), lowest=st.booleans())
def test_the_best_value_has_the_best_mean_of_its_group(seed, lowest):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"method": rng.choice(["b", "a"], 30), "rate": rng.choice([0.1, 0.2, 0.3], 30)})
    table["score"] = rng.normal(size=30)
    found = best(table, ["method"], ["rate"], "score", lowest)
    assert found["method"].to_list() == table["method"].drop_duplicates().to_list()
    for row in found.itertuples():
        of_method = table[table["method"] == row.method]
        means = {
            rate: of_method["score"][of_method["rate"] == rate].mean() for rate in set(of_method["rate"])
        }
        assert row.rate == (min if lowest else max)(means, key=means.get)
        assert row.score == pytest.approx(means[row.rate])


def test_the_first_of_equal_values_is_best_and_nan_is_none():
    table = pd.DataFrame({"rate": [0.2, 0.1], "score": [1.0, 1.0]})
    assert best(table, [], ["rate"], "score")["rate"].to_list() == [0.2]
    with pytest.raises(ValueError, match="column 'score' holds NaN, so there is no best"):
        best(table.assign(score=np.nan), [], ["rate"], "score")


def test_differences_of_single_measurements_or_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="at least two measurements, not 1"):
        difference_interval([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match=r"one shape after the first axis, not \(3, 1\) and \(2,\)"):
        difference_interval(np.ones((3, 1)), [1.0, 2.0])


MASKED = np.ma.masked_greater([1.0, 2.0, 300.0], 100)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        *[(lambda f=f: f(MASKED), "must not be masked") for f in (mean_interval, bootstrap_interval)],
        (lambda: difference_interval(MASKED, MASKED), "must not be masked"),
        (lambda: ratio_interval(MASKED, MASKED), "must not be masked"),
        (lambda: share_interval(np.ma.masked_array([True, False], [0, 1])), "must not be masked"),
        (lambda: mcnemar([True, False], np.ma.masked_array([True, False], [0, 1])), "must not be masked"),
        (lambda: mean_interval(x for x in (1.0, 2.0)), "must be an array of numbers, not <generator"),
        (lambda: mean_interval({1.0, 2.0}), "must be an array of numbers"),
        (lambda: mean_interval([1.0, 2.0], "0.95"), "confidence must lie between 0 and 1, not be '0.95'"),
        (lambda: ratio_interval([1.0, np.nan], [1.0, 2.0]), "all of them positive"),
        (lambda: bootstrap_interval([1.0, 2.0], seed=None), "seed must be a whole number"),
        (lambda: verdicts({"a": (np.nan, 0, 1)}), "the mean nan"),
        (lambda: verdicts({"a": (0.5, 1, 0)}), "the limits 1 to 0"),
    ],
)
def test_what_would_be_counted_wrongly_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


TABLE = pd.DataFrame({"rate": [0.1, 0.1, 0.2, 0.2], "score": [0.9, np.nan, 0.8, 0.8], "name": list("abcd")})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: best(TABLE, [], ["rate"], "score"), "holds NaN, so there is no best"),
        (lambda: best(TABLE, [], ["rate"], "name"), "column 'name' must hold numbers"),
        (lambda: summarise(TABLE, "rate", "name"), "column 'name' must hold numbers"),
        (lambda: best(TABLE[:0], [], ["rate"], "score"), "nothing to choose from"),
        (lambda: best(TABLE[::2], [], [], "score"), "nothing to choose from"),
    ],
)
def test_columns_without_an_answer_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("bad", [[1.0], [1.0, 0.0], [1.0, -2.0], [[1.0], [2.0]]])
def test_a_ratio_of_too_little_is_refused(bad):
    for pair in ((bad, [1.0, 2.0]), ([1.0, 2.0], bad)):
        with pytest.raises(ValueError, match=r"at least two measurements .* positive"):
            ratio_interval(*pair)


def test_an_interval_prints_as_it_is_read():
    assert f"{mean_interval([1.0, 2.0, 3.0]):.2f}" == "2.00 [-0.48, 4.48]"
    both = mean_interval([[1.0, 2.0], [2.0, 2.0], [3.0, 2.0]])
    assert f"{both:.2f}" == "2.00 [-0.48, 4.48]; 2.00 [2.00, 2.00]"


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


@pytest.mark.parametrize("statistic", [np.mean, np.median])
def test_all_resamples_at_once_are_the_resamples_one_by_one(statistic):
    samples = np.random.default_rng(0).normal(size=11)
    one_by_one = bootstrap_interval(samples, lambda drawn: statistic(drawn))
    assert bootstrap_interval(samples, statistic) == pytest.approx(one_by_one, rel=1e-12)


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


def test_a_share_meets_its_target_or_misses_it():
    hits = np.array([True] * 9 + [False])
    found = verdicts(
        {"a": (hits, 0.9, np.inf), "b": (hits, -np.inf, 0.8)}, lambda x: f"{x.sum()} of {len(x)}", " %"
    )
    assert found["verdict"].to_dict() == {"a": "met", "b": "missed"}
    assert found["target"].to_list() == ["at least 90 %", "at most 80 %"]
    assert set(found["measured"]) == {"9 of 10"}
