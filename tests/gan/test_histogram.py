import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gan.histogram import cumulative, noise


def random_images(seed, count=50, shape=(3, 4, 1)):
    return np.random.default_rng(seed).binomial(255, 0.3, (count, *shape)).astype("uint8")


@given(seed=st.integers(0, 1000), by_position=st.booleans())
def test_the_distribution_is_that_of_scipy(seed, by_position):
    images = random_images(seed)
    found = cumulative(images, by_position)
    values = images[:, 1, 2, 0] if by_position else images.ravel()
    expected = stats.ecdf(values).cdf.evaluate(np.arange(256))
    np.testing.assert_allclose(found[:, 1, 2, 0] if by_position else found, expected, atol=1e-12)
    assert (found[-1] == 1).all()


@given(seed=st.integers(0, 1000), by_position=st.booleans())
def test_noise_has_the_histogram_and_nothing_else(seed, by_position):
    images = random_images(seed, count=2_000, shape=(2, 2, 1))
    images[:, 0, 0] = 7
    fakes = noise(cumulative(images, by_position), 4_000, (2, 2, 1), seed)
    given_values, drawn = (x[:, 1, 1, 0] if by_position else x.ravel() for x in (images, fakes))
    assert stats.kstest(drawn, given_values).statistic < 0.05
    assert (fakes[:, 0, 0] == 7).all() == by_position
    correlation = np.corrcoef(fakes[:, 0, 1, 0], fakes[:, 1, 1, 0])[0, 1]
    assert abs(correlation) < 5 / np.sqrt(4_000)


def test_only_bytes_have_a_histogram():
    with pytest.raises(ValueError, match=r"must be uint8 of shape .* not float32"):
        cumulative(np.zeros((2, 3, 3, 1), "float32"))
    with pytest.raises(ValueError, match="256 shares that rise to 1"):
        noise(np.full(256, 1 / 256), 2, (3, 3, 1), 0)
    with pytest.raises(ValueError, match="seed must be a whole number"):
        noise(np.ones(256), 2, (3, 3, 1), None)
