import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import norm, poisson
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from cnn_vs_dense import observers
from cnn_vs_dense.observers import (
    as_real,
    auc,
    detectability,
    efficiency,
    gaussian_log_ratio,
    hotelling_log_ratio,
    poisson_log_ratio,
)


def brute_force(log_density, backgrounds, blobs):
    """Return the log ratio of one measurement from its log density, given the mean of each hypothesis."""
    absent = [log_density(background) for background in backgrounds]
    present = [log_density(background + blob) for background in backgrounds for blob in blobs]
    return logsumexp(present) - np.log(len(present)) - logsumexp(absent) + np.log(len(absent))


@settings(max_examples=10)
@given(seed=st.integers(0, 99), photons=st.sampled_from([3.0, 480.0]))
def test_the_poisson_ratio_is_the_sum_over_all_hypotheses(seed, photons):
    rng = np.random.default_rng(seed)
    backgrounds, blobs = 20 * rng.random((3, 5)), 5 * rng.random((2, 5))
    counts = rng.poisson(photons * np.exp(-0.1 * backgrounds[rng.integers(3, size=20)])).astype("float32")
    found = poisson_log_ratio(counts, backgrounds, blobs, photons, 0.1)

    def expected(row):
        density = lambda mean: poisson.logpmf(row, photons * np.exp(-0.1 * mean)).sum()  # noqa: E731
        return brute_force(density, backgrounds, blobs)

    np.testing.assert_allclose(found, [expected(row) for row in counts], atol=1e-9)


@settings(max_examples=10)
@given(seed=st.integers(0, 99), is_complex=st.booleans())
def test_the_gaussian_ratio_is_the_sum_over_all_hypotheses(seed, is_complex):
    rng = np.random.default_rng(seed)
    backgrounds, blobs, noise = (rng.normal(size=(n, 5, 2)) @ [1, 1j * is_complex] for n in (3, 2, 20))
    if not is_complex:
        backgrounds, blobs, noise = backgrounds.real, blobs.real, noise.real
    measured, deviation = backgrounds[rng.integers(3, size=20)] + noise, 0.7
    found = gaussian_log_ratio(measured, backgrounds, blobs, deviation)
    each = deviation / np.sqrt(2) if is_complex else deviation

    def expected(row):
        parts = (np.real, np.imag) if is_complex else (np.real,)
        density = lambda mean: sum(norm.logpdf(part(row), part(mean), each).sum() for part in parts)  # noqa: E731
        return brute_force(density, backgrounds, blobs)

    np.testing.assert_allclose(found, [expected(row) for row in measured], atol=1e-9)


@pytest.mark.parametrize("distance", [0.5, 2.0])
def test_a_known_background_and_blob_give_the_area_of_the_textbook(distance):
    rng = np.random.default_rng(0)
    background, blob = rng.normal(size=(1, 30)), rng.normal(size=(1, 30))
    deviation = np.linalg.norm(blob) / distance
    labels = np.arange(20_000) % 2
    measured = background + labels[:, None] * blob + deviation * rng.normal(size=(20_000, 30))
    area = auc(gaussian_log_ratio(measured, background, blob, deviation), labels)
    # The standard error of an area from 10,000 pairs of images is below 0.004.
    assert area == pytest.approx(norm.cdf(distance / np.sqrt(2)), abs=0.012)
    assert detectability(area) == pytest.approx(distance, rel=0.08)


def test_hotelling_is_the_linear_discriminant_of_one_signal(rng):
    mean, signal, mixing = rng.normal(size=6), rng.normal(size=6), rng.normal(size=(6, 6))
    labels = np.arange(2_000) % 2
    measured = rng.normal(size=(2_000, 6)) @ mixing + mean + labels[:, None] * signal
    model = LinearDiscriminantAnalysis(store_covariance=True, priors=[0.5, 0.5]).fit(measured, labels)
    absent, present = model.means_
    found = hotelling_log_ratio(measured, absent, model.covariance_, (present - absent)[None])
    np.testing.assert_allclose(found, model.decision_function(measured), atol=1e-6)


def test_the_ideal_observer_is_ahead_of_hotelling_where_the_anatomy_is_not_normal():
    rng = np.random.default_rng(1)
    library, blobs = rng.exponential(8, (30, 12)), rng.uniform(0, 2, (4, 12))
    labels, background, blob = np.arange(4_000) % 2, rng.integers(30, size=4_000), rng.integers(4, size=4_000)

    def arriving(integrals):
        return 100 * np.exp(-0.1 * integrals)

    counts = rng.poisson(arriving(library[background] + labels[:, None] * blobs[blob]))
    means, lowered = arriving(library), arriving(library[:, None] + blobs)
    covariance = np.cov(means.T, ddof=0) + np.diag(means.mean(axis=0))
    signals = lowered.mean(axis=0) - means.mean(axis=0)
    ideal = auc(poisson_log_ratio(counts, library, blobs, 100, 0.1), labels)
    hotelling = auc(hotelling_log_ratio(counts, means.mean(axis=0), covariance, signals), labels)
    assert 0.6 < hotelling < ideal - 0.02
    assert efficiency(hotelling, ideal) == pytest.approx((norm.ppf(hotelling) / norm.ppf(ideal)) ** 2)


def test_a_ratio_is_the_same_in_any_chunk(rng, monkeypatch):
    arguments = rng.normal(size=(19, 7)), rng.normal(size=(3, 7)), rng.normal(size=(2, 7)), 0.5
    whole = gaussian_log_ratio(*arguments)
    monkeypatch.setattr(observers, "CHUNK", 5)
    np.testing.assert_allclose(gaussian_log_ratio(*arguments), whole, rtol=1e-12)


@settings(max_examples=20)
@given(seed=st.integers(0, 99), levels=st.integers(1, 9))
def test_the_area_is_that_of_scikit_learn_with_ties_too(seed, levels):
    rng = np.random.default_rng(seed)
    labels = rng.permutation([0, 1, *rng.integers(2, size=20)])
    scores = rng.integers(levels, size=22) / levels
    assert auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores))


def test_detectability_and_efficiency_at_their_ends():
    assert detectability(norm.cdf(1.5 / np.sqrt(2))) == pytest.approx(1.5)
    assert (detectability(0.5), detectability(0.2), detectability(1)) == (0, 0, np.inf)
    assert (efficiency(0.4, 0.9), efficiency(0.9, 0.9)) == (0, 1)


def test_complex_values_become_twice_as_many_real_ones():
    assert as_real(np.array([[1 + 2j, 3 - 4j]])).tolist() == [[1, 3, 2, -4]]
    assert as_real(np.array([[1.0, 3.0]])).tolist() == [[1, 3]]


ROWS, VALUES = np.ones((2, 3)), np.ones(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: poisson_log_ratio(ROWS, ROWS[:, :2], ROWS, 9, 0.1),
            r"with the same values, not \(2, 3\)",
        ),
        (
            lambda: poisson_log_ratio(ROWS, ROWS, ROWS, 0, 0.1),
            "photons and attenuation must be above 0",
        ),
        (lambda: poisson_log_ratio(ROWS * np.nan, ROWS, ROWS, 9, 0.1), "Measurements must be finite"),
        (lambda: gaussian_log_ratio(ROWS, ROWS, ROWS, 0.0), "deviation must be above 0, not 0"),
        (lambda: hotelling_log_ratio(ROWS, VALUES, np.zeros((3, 3)), ROWS), "must be positive definite"),
        (lambda: hotelling_log_ratio(ROWS * 1j, VALUES, np.eye(3), ROWS), "takes real numbers; use as_real"),
        (lambda: auc(np.ones(3), np.array([1, 1, 1])), "labels must hold both 0 and 1"),
        (lambda: auc(np.array([1, np.nan]), np.array([0, 1])), "scores must not be NaN"),
        (lambda: detectability(1.1), r"auc must lie in \[0, 1\], not be 1.1"),
        (lambda: efficiency(0.9, 1.0), "ideal must lie between 0.5 and 1, not be 1.0"),
    ],
)
def test_bad_input_gets_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
