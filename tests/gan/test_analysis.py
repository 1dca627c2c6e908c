import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.statistics import Interval, mean_interval
from gan import analysis
from gan.projection import mirrored
from gan.worth import drawn_digits

BUDGETS = [1_000, 2_000, 4_000]


def test_sizes_are_in_order_and_seeds_make_the_interval():
    table = pd.DataFrame({"latent_size": [8, 2, 8, 2], "frechet": [3.0, 10.0, 5.0, 14.0]})
    found = analysis.by_size(table, "frechet")
    np.testing.assert_allclose(found.mean, [12, 4])
    assert found.low[0] == pytest.approx(mean_interval([10.0, 14.0]).low)


@given(level=st.floats(0.31, 0.69))
def test_a_critic_sees_through_where_its_line_crosses_the_level(level):
    found = analysis.budget_to_see(BUDGETS, [0.7, 0.5, 0.3], level)
    assert np.interp(np.log(found), np.log(BUDGETS), [0.7, 0.5, 0.3]) == pytest.approx(level)


def test_a_critic_may_see_at_once_or_never():
    assert analysis.budget_to_see(BUDGETS, [0.6, 0.5, 0.4]) == 1_000
    assert analysis.budget_to_see(BUDGETS, [0.69, 0.69, 0.66]) == np.inf


@pytest.mark.parametrize(
    "given", [([0.7, 0.5, 0.3], BUDGETS), (BUDGETS, [0.7, 0.5]), (BUDGETS, [0.7, np.nan, 0.5])]
)
def test_budgets_and_readings_that_do_not_fit_are_refused(given):
    with pytest.raises(ValueError, match="Increasing budgets need a finite reading each"):
        analysis.budget_to_see(*given)


def test_the_option_with_the_least_mean_is_chosen():
    table = pd.DataFrame(
        {"option": ["a", "a", "b", "b"], "learning_rate": 0.1, "frechet": [1.0, 9.0, 3.0, 4.0]}
    )
    assert analysis.chosen_options(table) == {"option": "b", "learning_rate": 0.1, "frechet": 3.5}


BITS = np.arange(7.0, 16.0)


def real_line(digits=40, slope=0.13):
    """Errors that halve every 0.69 / slope bits, each digit with a height of its own."""
    heights = np.random.default_rng(0).uniform(0.5, 1.5, (digits, 1))
    return 0.1 * heights * np.exp(-slope * BITS)


def leaving(at, pace=0.1):
    """A real line times a factor whose logarithm grows by `pace` for each bit after `at`."""
    return real_line() * np.exp(pace * np.maximum(BITS - at, 0))


@given(at=st.integers(7, 13), share=st.floats(0.02, 0.1), pace=st.floats(0.06, 1))
def test_a_generator_falls_behind_where_its_ratio_reaches_the_share(at, share, pace):
    found = analysis.bits_until_behind(leaving(at, pace)[None], real_line(), BITS, share)
    assert found.mean == pytest.approx(at + np.log1p(share) / pace, abs=1e-6)
    # Every digit falls behind at the same place, so nothing varies.
    np.testing.assert_allclose(found[1:], found.mean, atol=1e-6)


def test_a_generator_that_never_falls_behind_has_a_limit_instead_of_infinity():
    never = analysis.bits_until_behind(real_line()[None], real_line(), BITS)
    assert never == Interval(15.0, 15.0, 15.0)
    assert analysis.bits_text(never, BITS) == "≥ 15.0 [≥ 15.0, ≥ 15.0]"
    at_once = analysis.bits_until_behind(2 * real_line()[None], real_line(), BITS)
    assert analysis.bits_text(at_once, BITS) == "≤ 7.0 [≤ 7.0, ≤ 7.0]"


def test_a_limit_within_an_interval_is_marked():
    assert analysis.bits_text(Interval(12.34, 9.0, 15.0), BITS) == "12.3 [9.0, ≥ 15.0]"


def test_trainings_widen_the_interval():
    apart = np.stack([leaving(8), leaving(10), leaving(12)])
    alike = np.stack([leaving(10)] * 3)
    wide, narrow = (analysis.bits_until_behind(x, real_line(), BITS) for x in (apart, alike))
    assert wide.high - wide.low > 1 > narrow.high - narrow.low
    assert wide.low <= wide.mean <= wide.high


@given(bits=st.floats(7.1, 14.9))
def test_a_table_has_the_error_of_as_many_real_digits(bits):
    error = np.exp([np.interp(bits, BITS, np.log(row)) for row in real_line()])
    found = analysis.bits_of_table(error[None], real_line(), BITS)
    assert found.mean == pytest.approx(bits, abs=1e-6)


def test_a_table_smaller_or_larger_than_all_is_a_limit():
    real = real_line()
    assert analysis.bits_of_table(2 * real[None, :, 0], real, BITS).mean == BITS[0]
    assert analysis.bits_of_table(real[None, :, -1] / 2, real, BITS).mean == BITS[-1]


def test_the_bootstrap_has_the_deviation_of_a_mean():
    """Of two trainings that differ in all digits alike: the standard error of a mean of two."""
    trainings = np.array([1.0, 1.2])[:, None] * np.ones(50)
    weights = analysis._resampled(2, np.random.default_rng(0)) @ trainings
    assert weights[:, 0].std() == pytest.approx(np.std([1.0, 1.2], ddof=1) / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("shape", [(3, 40, 8), (3, 39, 9)])
def test_curves_have_the_same_digits_and_sizes(shape):
    with pytest.raises(ValueError, match="the same digits at the same sizes"):
        analysis.bits_until_behind(np.ones(shape), real_line(), BITS)


SIZES = 2 ** np.arange(8, 13)


def drawn_tables(slope, draws=4, noise=0.0):
    """Tables whose metric is linear in log2 of their size."""
    rng = np.random.default_rng(0)
    rows = [
        {"size": size, "seed": seed, "metric": 3 + slope * np.log2(size) + noise * rng.normal()}
        for size in SIZES
        for seed in range(draws)
    ]
    return pd.DataFrame(rows)


@given(bits=st.floats(8.1, 11.9), slope=st.sampled_from([-0.5, 2.0]))
def test_a_metric_is_read_as_the_table_that_has_it(bits, slope):
    values = 3 + slope * (bits + np.array([-0.1, 0, 0.1]))
    found = analysis.bits_as_table(values, drawn_tables(slope), "metric")
    assert found.mean == pytest.approx(bits, abs=1e-6)
    assert found.low < bits < found.high


def test_tables_that_vary_widen_the_interval():
    values = [3 - 0.5 * 10.0] * 3
    sure, unsure = (
        analysis.bits_as_table(values, drawn_tables(-0.5, noise=noise), "metric") for noise in (0, 0.2)
    )
    assert sure.high - sure.low < 1e-9 < 0.05 < unsure.high - unsure.low


@pytest.mark.parametrize(("value", "end"), [(-10.0, 12), (10.0, 8)])
def test_a_metric_beyond_all_tables_is_a_limit(value, end):
    assert analysis.bits_as_table([value], drawn_tables(-0.5), "metric") == (end, end, end)


def test_tables_are_drawn_equally_often():
    with pytest.raises(ValueError, match="drawn equally often"):
        analysis.bits_as_table([1.0], drawn_tables(-0.5).iloc[1:], "metric")


@pytest.mark.parametrize("one_in", [1, 2, 5])
def test_the_digits_that_are_mirrored_are_taken_from_a_list_of_errors(one_in):
    digits = drawn_digits("mnist")[::one_in]
    brightness = digits.images.mean(axis=(1, 2, 3))
    kept, _ = mirrored(digits)
    np.testing.assert_array_equal(analysis.without_resembling(brightness[None])[0], kept.mean(axis=(1, 2, 3)))


def test_methods_are_compared_by_the_seconds_of_a_run():
    records = [
        {"config": {"method": method, "epochs": 4, "seed": seed}, "seconds": seconds}
        for method, times in {"one": [1.0, 3.0, 20.0], "other": [4.0]}.items()
        for seed, seconds in enumerate(times)
    ]
    assert analysis.core_seconds(records).to_dict() == {("one", 4): 3.0, ("other", 4): 4.0}
