import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from common.statistics import mean_interval


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


def test_an_interval_prints_as_it_is_read():
    assert f"{mean_interval([1.0, 2.0, 3.0]):.2f}" == "2.00 [-0.48, 4.48]"
