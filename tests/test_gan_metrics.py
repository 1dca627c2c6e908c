import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc import compute_prdc
from scipy import stats
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import euclidean_distances, polynomial_kernel

from gan import metrics

seeds = st.integers(0, 10_000)


def cloud(seed, count=60, features=4, scale=1.0, shift=0.0):
    return scale * np.random.default_rng(seed).normal(size=(count, features)) + shift


def rotation(features, seed):
    return stats.ortho_group.rvs(features, random_state=seed)


def cube(dimension, features=12, count=3_000, seed=0):
    points = np.random.default_rng(seed).random((count, dimension))
    return points @ rotation(features, seed)[:dimension]


@given(seed=seeds)
def test_the_frechet_distance_is_that_of_the_matrix_root_of_scipy(seed):
    real, generated = cloud(seed), cloud(seed + 1, count=50, scale=1.5, shift=0.3)
    one, other = np.cov(real.T), np.cov(generated.T)
    expected = np.sum((real.mean(0) - generated.mean(0)) ** 2) + np.trace(
        one + other - 2 * sqrtm(one @ other).real
    )
    assert metrics.frechet_distance(real, generated) == pytest.approx(expected, rel=1e-6)


@given(seed=seeds, scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_the_frechet_distance_of_a_scaled_copy_is_known(seed, scale, shift):
    real = cloud(seed)
    centred = real - real.mean(axis=0)
    variance = centred.var(axis=0, ddof=1).sum()
    expected = len(real[0]) * shift**2 + (1 - scale) ** 2 * variance
    assert metrics.frechet_distance(centred, scale * centred + shift) == pytest.approx(
        expected, rel=1e-6, abs=1e-6
    )


def test_the_frechet_distance_bears_features_that_never_change():
    real = np.hstack([cloud(0), np.zeros((60, 3))])
    assert metrics.frechet_distance(real, real) == pytest.approx(0, abs=1e-6)
    assert metrics.frechet_distance(real, real + 1) == pytest.approx(7)


@pytest.mark.parametrize("distance", [metrics.frechet_distance, metrics.kernel_distance])
@given(seed=seeds)
def test_distances_know_no_order(distance, seed):
    real, generated = cloud(seed), cloud(seed + 1, shift=0.5)
    found = distance(real, generated)
    assert distance(generated, real) == pytest.approx(found, rel=1e-6)
    mixed = np.random.default_rng(seed).permutation(real)
    assert distance(mixed, generated) == pytest.approx(found, rel=1e-6)
    turned = rotation(4, seed)
    assert distance(real @ turned, generated @ turned) == pytest.approx(found, rel=1e-6)


@given(seed=seeds)
def test_the_kernel_distance_is_the_unbiased_estimate(seed):
    real, generated = cloud(seed, count=30), cloud(seed + 1, count=20, shift=0.5)
    within = 0
    for x in (real, generated):
        kernel = polynomial_kernel(x, degree=3)
        within += (kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1))
    expected = within - 2 * polynomial_kernel(real, generated, degree=3).mean()
    assert metrics.kernel_distance(real, generated) == pytest.approx(expected, abs=1e-9)


def test_the_kernel_distance_of_equal_distributions_is_zero_on_average(monkeypatch):
    monkeypatch.setattr(metrics, "KERNEL_CHUNK", 7)
    found = [metrics.kernel_distance(cloud(i), cloud(1_000 + i)) for i in range(200)]
    assert abs(np.mean(found)) < 4 * stats.sem(found)
    assert min(found) < 0


@given(seed=seeds, neighbours=st.integers(1, 8), shift=st.floats(0, 3))
def test_overlap_is_that_of_prdc(seed, neighbours, shift):
    real, generated = cloud(seed), cloud(seed + 1, count=45, shift=shift)
    found = metrics.overlap(real, generated, neighbours)._asdict()
    assert found == pytest.approx(compute_prdc(real, generated, neighbours))


def test_overlap_in_chunks_is_the_same(monkeypatch):
    real, generated = cloud(0, count=400), cloud(1, count=500, shift=0.5)
    whole = metrics.overlap(real, generated)
    monkeypatch.setattr(metrics, "CHUNK", 0.01)
    assert metrics.overlap(real, generated) == pytest.approx(whole)


def test_equal_sets_overlap_and_far_ones_do_not():
    real = cloud(0)
    assert metrics.overlap(real, real)[:2] == (1, 1)
    assert metrics.overlap(real, real).coverage == 1
    assert metrics.overlap(real, real + 100) == (0, 0, 0, 0)


def test_a_dropped_mode_costs_recall_and_coverage_but_not_precision():
    one, other = cloud(0, count=300), cloud(1, count=300, shift=50)
    found = metrics.overlap(np.concatenate([one, other]), cloud(2, count=300))
    assert found.precision > 0.9
    assert found.recall < 0.55
    assert found.coverage < 0.55


@given(seed=seeds)
def test_the_class_divergence_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    labels, reference = rng.integers(5, size=80), np.concatenate([rng.integers(7, size=90), np.arange(7)])
    shares = [np.bincount(x, minlength=7) for x in (labels, reference)]
    assert metrics.histogram_divergence(labels, reference, 7) == pytest.approx(stats.entropy(*shares))
    assert metrics.histogram_divergence(reference, reference, 7) == 0


def test_a_class_that_does_not_exist_is_infinitely_far():
    assert metrics.histogram_divergence([0, 1], [0, 0], 2) == np.inf
    assert metrics.histogram_divergence([0, 0], [0, 1], 2) == pytest.approx(np.log(2))


def test_bridges_are_the_undecided():
    assert metrics.bridge_share([[1, 0], [0.5, 0.5], [0.11, 0.89], [0.05, 0.95]]) == 0.5


@given(seed=seeds)
def test_the_nearest_is_the_nearest_of_all(seed):
    queries, references = cloud(seed, count=20), cloud(seed + 1)
    distances, indices = metrics.nearest(queries, references)
    every = euclidean_distances(queries, references)
    np.testing.assert_array_equal(indices, every.argmin(axis=1))
    np.testing.assert_allclose(distances, every.min(axis=1), rtol=1e-6)


def test_copies_have_the_ratio_zero_and_new_examples_one():
    train, test = cloud(0, count=2_000), cloud(1, count=2_000)
    assert metrics.copying_ratio(train[::2], train, test) == pytest.approx(0, abs=1e-6)
    assert metrics.copying_ratio(cloud(2, count=2_000), train, test) == pytest.approx(1, abs=0.05)
    with pytest.raises(ValueError, match="equal lengths, not 2000 and 10"):
        metrics.copying_ratio(train, train, test[:10])


@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("estimate", [metrics.intrinsic_dimension, metrics.two_nearest_dimension])
def test_a_cube_has_its_dimension_in_whatever_space(estimate, dimension):
    points = cube(dimension)
    assert estimate(points) == pytest.approx(dimension, rel=0.12)
    assert estimate(7 * points + 3) == pytest.approx(estimate(points), rel=1e-6)


@pytest.mark.parametrize("estimate", [metrics.intrinsic_dimension, metrics.two_nearest_dimension])
def test_duplicates_count_once(estimate):
    points = cube(3, count=500)
    assert estimate(np.concatenate([points, points[:100]])) == pytest.approx(estimate(points))
    with pytest.raises(ValueError, match="different points are needed, not 1"):
        estimate(np.zeros((50, 4)))


@settings(max_examples=20)
@given(
    bad=st.sampled_from([np.zeros((5,)), np.zeros((5, 3)), np.zeros((1, 4)), np.full((9, 4), np.nan)]),
    metric=st.sampled_from([metrics.frechet_distance, metrics.kernel_distance, metrics.overlap]),
)
def test_bad_sets_are_refused(bad, metric):
    with pytest.raises(ValueError, match=r"are needed, not|must be finite"):
        metric(cloud(0), bad)
