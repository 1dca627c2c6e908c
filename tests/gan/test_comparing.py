import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from common.data import load_dataset
from common.statistics import Interval
from gan import comparing, worth

BITS = np.arange(7.0, 16.0)


def real_line(digits=40, slope=0.13):
    """Errors that fall by a constant factor a bit, each digit with a height of its own."""
    heights = np.random.default_rng(0).uniform(0.5, 1.5, (digits, 1))
    return 0.1 * heights * np.exp(-slope * BITS)


def leaving(at, pace=0.1, blur=1.0):
    """A real line times a factor whose logarithm grows by `pace` for each bit after `at`."""
    return blur * real_line() * np.exp(pace * np.maximum(BITS - at, 0))


@given(values=st.lists(st.floats(-10, 10), min_size=3, max_size=8))
def test_an_interval_is_that_of_a_t_test(values):
    found = comparing.over_trainings(values)
    if np.ptp(values) > 1e-3:
        expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        np.testing.assert_allclose(found[1:], expected)
    assert found.low <= found.mean <= found.high


def test_one_training_has_no_interval():
    assert comparing.over_trainings([2.0]).mean == 2
    one = comparing.error_ratio(np.full((1, 3), 2.0), np.ones((4, 3)))
    assert one.mean == pytest.approx(2)
    assert np.isnan([*comparing.over_trainings([2.0])[1:], *one[1:]]).all()
    assert comparing.verdict(one) == "undecided"


@given(at=st.integers(8, 12), share=st.sampled_from(comparing.SHARES), blur=st.floats(0.5, 1))
def test_blur_does_not_move_the_bits_from_the_start(at, share, blur):
    found = comparing.bits_behind(leaving(at, blur=blur)[None], real_line(), BITS, share)
    assert found == pytest.approx(at + np.log1p(share) / 0.1)
    raw = comparing.bits_behind(leaving(at, blur=blur)[None], real_line(), BITS, share, from_start=False)
    assert raw == pytest.approx(min(at + (np.log1p(share) - np.log(blur)) / 0.1, BITS[-1]))


@given(pace=st.floats(0.01, 0.5), blur=st.floats(0.5, 1))
def test_the_pace_is_the_slope_of_the_log_ratio_whatever_the_blur(pace, blur):
    assert comparing.pace(leaving(7, pace, blur)[None], real_line(), BITS) == pytest.approx(pace)


def test_digits_blurred_by_less_than_half_a_pixel_keep_their_distance_from_sharp_ones():
    """On real digits: the raw line is 5 % below, and it stays there within 2 %."""
    digits = worth.drawn_digits("mnist", "validation", per_class=10).images
    train, sizes = load_dataset("mnist").train.images[:4_096], [2**power for power in range(6, 12)]
    sharp, soft = (worth.best_of(digits, [worth.blurred(train, x)], sizes, 1) for x in (0, 0.4))
    raw = comparing.log_ratios(soft[None], sharp, from_start=False)
    assert -0.09 < raw.max() < -0.03
    assert np.abs(comparing.log_ratios(soft[None], sharp)).max() < 0.02


def test_all_thresholds_are_reported_with_and_without_the_start():
    errors = np.stack([leaving(8), leaving(9), leaving(10)])
    found = comparing.worth_in_bits(errors, real_line(), BITS)
    assert list(found.index) == ["0.05", "0.05, raw", "0.10", "0.10, raw", "0.15", "0.15, raw", "pace"]
    assert found.loc["0.10", "mean"] == pytest.approx(9 + np.log(1.1) / 0.1)
    bits = found.drop("pace")
    assert bits.to_numpy().min() >= BITS[0]
    assert bits.to_numpy().max() <= BITS[-1]


def test_an_order_holds_at_all_thresholds_or_not_at_all():
    def some(at, pace):
        return np.stack([leaving(at + shift, pace) for shift in (-0.1, 0, 0.1)])

    later, earlier = some(10, 0.1), some(8, 0.1)
    assert comparing.worth_more(later, earlier, real_line(), BITS)
    assert not comparing.worth_more(earlier, later, real_line(), BITS)
    # Behind by 5 % at 9.0 bits and at 9.5, but by 15 % at 10.8 and at 10.2.
    crossing = some(8, 0.05), some(9.5, 0.2)
    assert not any(comparing.worth_more(*pair, real_line(), BITS) for pair in (crossing, crossing[::-1]))


def test_trainings_that_never_fall_behind_are_worth_more_than_others_but_not_than_each_other():
    never, others = np.stack([real_line()] * 3), np.stack([leaving(at) for at in (7.9, 8, 8.1)])
    assert comparing.worth_more(never, others, real_line(), BITS)
    assert not comparing.worth_more(others, never, real_line(), BITS)
    assert not comparing.worth_more(never, never, real_line(), BITS)


def test_ratios_of_errors_are_those_of_geometric_means_over_trainings():
    rng = np.random.default_rng(0)
    digits, runs = rng.gamma(4.0, size=50), rng.normal(0, 0.1, (2, 4))
    ones, others = (np.exp(run)[:, None] * digits for run in runs)
    found = comparing.error_ratio(1.5 * ones, others)
    expected = stats.ttest_ind(*runs, equal_var=False).confidence_interval(0.95)
    np.testing.assert_allclose(found[1:], 1.5 * np.exp(expected))
    assert found.mean == pytest.approx(1.5 * np.exp(np.mean(runs[0]) - np.mean(runs[1])))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [((0.95, 1.05), "equal"), ((0.7, 0.95), "smaller"), ((1.05, 1.3), "larger"), ((0.8, 1.2), "undecided")],
)
def test_verdicts_follow_from_the_interval(limits, expected):
    assert comparing.verdict(Interval(1.0, *limits)) == expected
    mirrored = {"smaller": "larger", "larger": "smaller"}.get(expected, expected)
    assert comparing.verdict(Interval(1.0, 1 / limits[1], 1 / limits[0])) == mirrored


def test_a_search_that_is_too_short_is_refused():
    errors = np.ones(10)
    comparing.check_search(errors, 0.04 * errors, errors, 0.99 * errors)
    with pytest.raises(ValueError, match=r"own samples leave 6\.0%"):
        comparing.check_search(errors, 0.06 * errors, errors, errors)
    with pytest.raises(ValueError, match=r"twice the search lowers it by 3\.0%"):
        comparing.check_search(errors, 0 * errors, errors, 0.97 * errors)


def test_codes_are_compared_with_as_many_real_digits_and_with_no_more_than_there_are():
    line = real_line().mean(axis=0)
    coded = 0.8 * np.exp(np.interp(2.0 * np.arange(1, 9), BITS, np.log(line)))
    found = comparing.over_nearest_digit([coded, coded], 2, real_line(), BITS)
    assert list(found.index) == [8, 10, 12, 14]
    np.testing.assert_allclose(found, 0.8)
    assert comparing.over_nearest_digit([coded], 16, real_line(), BITS).empty


def test_errors_have_the_shapes_that_are_asked_for():
    with pytest.raises(ValueError, match="are needed, not of shape"):
        comparing.log_ratios(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="are needed, not of shape"):
        comparing.error_ratio(np.ones(3), np.ones((2, 3)))
