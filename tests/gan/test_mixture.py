import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gan.mixture import LEAST_VARIANCE, Mixture, fitted_mixture, mixture_samples

MEANS = np.array([[-4.0, 0], [4, 4], [4, -4]])
SHARES = np.array([0.5, 0.3, 0.2])
ROOTS = np.array([[[0.5, 0], [0.3, 0.4]], [[0.2, 0], [0, 0.7]], [[0.6, 0], [-0.5, 0.2]]])


@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_a_mixture_of_separate_gaussians_is_found_again(seed):
    codes = mixture_samples(Mixture(SHARES, MEANS, ROOTS), 6_000, [seed, 1])
    found = fitted_mixture(codes, 3, seed)
    order = [np.argmin(np.sum((found.means - mean) ** 2, axis=1)) for mean in MEANS]
    np.testing.assert_allclose(found.weights[order], SHARES, atol=0.03)
    np.testing.assert_allclose(found.means[order], MEANS, atol=0.08)
    covariances = found.roots[order] @ found.roots[order].transpose(0, 2, 1)
    np.testing.assert_allclose(covariances, ROOTS @ ROOTS.transpose(0, 2, 1), atol=0.08)


@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_samples_have_the_moments_of_the_mixture(seed):
    found = mixture_samples(Mixture(SHARES, MEANS, ROOTS), 40_000, seed)
    mean = SHARES @ MEANS
    spread = np.einsum("k,kij->ij", SHARES, ROOTS @ ROOTS.transpose(0, 2, 1))
    spread += np.einsum("k,ki,kj->ij", SHARES, MEANS - mean, MEANS - mean)
    np.testing.assert_allclose(found.mean(axis=0), mean, atol=0.15)
    np.testing.assert_allclose(np.cov(found, rowvar=False), spread, atol=0.5)


def test_one_component_is_the_gaussian_of_the_codes():
    codes = np.random.default_rng(0).normal(size=(500, 2)) @ ROOTS[0].T
    found = fitted_mixture(codes, 1, 0)
    np.testing.assert_allclose(found.means[0], codes.mean(axis=0))
    np.testing.assert_allclose(
        found.roots[0] @ found.roots[0].T, np.cov(codes, rowvar=False, ddof=0) + LEAST_VARIANCE * np.eye(2)
    )


def test_equal_codes_are_a_narrow_gaussian():
    found = mixture_samples(fitted_mixture(np.ones((50, 2)), 1, 0), 1_000, 0)
    assert stats.kstest((found[:, 0] - 1) / LEAST_VARIANCE**0.5, "norm").pvalue > 0.001


@pytest.mark.parametrize("seed", [0, [3, 1]])
def test_the_seed_decides_the_samples(seed):
    one, same, other = (mixture_samples(Mixture(SHARES, MEANS, ROOTS), 5, x) for x in (seed, seed, 9))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
