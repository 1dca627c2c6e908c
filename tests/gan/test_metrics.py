import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prdc import compute_prdc
from scipy import stats
from scipy.linalg import sqrtm
from skdim.id import MLE, TwoNN
from sklearn.metrics.pairwise import euclidean_distances, polynomial_kernel

from common.data import load_mnist
from gan import metrics

seeds = st.integers(0, 10_000)
of_two_sets = [metrics.frechet_distance, metrics.kernel_distance, metrics.overlap, metrics.nearest]
of_points = [metrics.intrinsic_dimension, metrics.two_nearest_dimension]


def cloud(seed, count=60, features=4, scale=1.0, shift=0.0):
    return scale * np.random.default_rng(seed).normal(size=(count, features)) + shift


def rotation(features, seed):
    return stats.ortho_group.rvs(features, random_state=seed)


def cube(dimension, features=12, count=3_000, seed=0):
    points = np.random.default_rng(seed).random((count, dimension))
    return points @ rotation(features, seed)[:dimension]


def moved(seed, *sets, shift=3.0):
    """Return sets that were rotated and shifted together, each in another order."""
    turned, rng = rotation(sets[0].shape[1], seed), np.random.default_rng(seed)
    return [rng.permutation(x @ turned + shift) for x in sets]


@given(seed=seeds, deviations=st.lists(st.floats(0.1, 10), min_size=8, max_size=8))
def test_the_frechet_distance_of_gaussians_with_the_same_axes_is_that_of_their_deviations(seed, deviations):
    def gaussian(seed, mean, deviations):
        white = cloud(seed) - cloud(seed).mean(axis=0)
        white = white @ np.linalg.inv(np.linalg.cholesky(np.cov(white.T))).T
        return mean + white * deviations

    one, other = np.split(np.array(deviations), 2)
    found = metrics.frechet_distance(gaussian(seed, 1, one), gaussian(seed + 1, 3, other))
    assert found == pytest.approx(4 * 2**2 + np.sum((one - other) ** 2), rel=1e-6)


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
    assert metrics.frechet_distance(real, real + 1) == pytest.approx(7)


@given(seed=seeds, count=st.integers(2, 60))
def test_the_frechet_distance_of_equal_sets_is_zero_and_not_below(seed, count):
    real = cloud(seed, count)
    assert 0 <= metrics.frechet_distance(real, real) < 1e-6


def test_the_interval_of_the_frechet_distance_holds_the_mean_of_as_many_examples():
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(150, 3)), rng.normal(0.5, 1, (150, 3))) for _ in range(60)]
    intervals = [metrics.frechet_interval(*pair, resamples=60) for pair in pairs]
    expected = np.mean([metrics.frechet_distance(*pair) for pair in pairs])
    assert np.mean([interval.low < expected < interval.high for interval in intervals]) > 0.85
    wider = metrics.frechet_interval(*pairs[0], confidence=0.99, resamples=60)
    assert wider.low < intervals[0].low < intervals[0].mean == metrics.frechet_distance(*pairs[0])


@pytest.mark.parametrize("distance", [metrics.frechet_distance, metrics.kernel_distance])
@given(seed=seeds)
def test_distances_know_no_order_and_no_direction(distance, seed):
    real, generated = cloud(seed), cloud(seed + 1, shift=0.5)
    found = distance(real, generated)
    assert distance(generated, real) == pytest.approx(found, rel=1e-6)
    assert distance(*moved(seed, real, generated, shift=0)) == pytest.approx(found, rel=1e-6)


@given(seed=seeds, scale=st.floats(0.1, 10))
def test_the_frechet_distance_knows_no_origin_and_grows_with_the_square_of_the_scale(seed, scale):
    real, generated = cloud(seed), cloud(seed + 1, shift=0.5)
    found = metrics.frechet_distance(real, generated)
    assert metrics.frechet_distance(*moved(seed, real, generated)) == pytest.approx(found, rel=1e-6)
    assert metrics.frechet_distance(scale * real, scale * generated) == pytest.approx(
        scale**2 * found, rel=1e-6
    )


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


@settings(max_examples=15)
@given(seed=seeds, neighbours=st.integers(1, 8), shift=st.floats(0, 3), offset=st.sampled_from([0, 100, 1e4]))
def test_overlap_is_that_of_prdc(seed, neighbours, shift, offset):
    real, generated = cloud(seed, shift=offset), cloud(seed + 1, count=45, shift=offset + shift)
    found = metrics.overlap(real, generated, neighbours)._asdict()
    assert found == pytest.approx(compute_prdc(real, generated, neighbours), rel=1e-14)


@pytest.mark.parametrize("offset", [0, 100, 1e6])
def test_every_ball_of_equal_sets_holds_as_many_examples_as_neighbours(offset):
    images = load_mnist().test[:400].as_float().reshape(400, -1).astype(float) + offset
    assert metrics.overlap(images, images) == metrics.overlap(images, images.copy()) == (1, 1, 1, 1)
    assert metrics.overlap(np.ones((9, 3)), np.ones((9, 3))) == (0, 0, 0, 0)


def test_overlap_in_chunks_is_the_same(monkeypatch):
    real, generated = cloud(0, count=400), cloud(1, count=500, shift=0.5)
    whole = metrics.overlap(real, generated)
    monkeypatch.setattr(metrics, "CHUNK", 0.01)
    assert metrics.overlap(real, generated) == pytest.approx(whole)


def test_equal_sets_overlap_and_far_ones_do_not():
    real = cloud(0)
    assert metrics.overlap(real, real) == (1, 1, 1, 1)
    assert metrics.overlap(real, real + 100) == (0, 0, 0, 0)


@given(seed=seeds, scale=st.floats(0.1, 10))
def test_overlap_depends_on_distances_alone_and_recall_is_precision_seen_from_the_other_side(seed, scale):
    real, generated = cloud(seed), cloud(seed + 1, count=45, shift=0.5)
    found = metrics.overlap(real, generated)
    assert metrics.overlap(*moved(seed, scale * real, scale * generated)) == pytest.approx(found)
    assert metrics.overlap(generated, real)[:2] == found[1::-1]


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


@pytest.mark.parametrize("labels", [np.zeros(0, int), [0, 10], [-1, 0], [0.0, 1.0], [[0, 1]], [True]])
def test_labels_outside_the_classes_are_refused(labels):
    for sides in ((labels, [0, 1]), ([0, 1], labels)):
        with pytest.raises(ValueError, match=r"one integer an image|must lie in 0 to 9|at least one"):
            metrics.histogram_divergence(*sides)


def test_bridges_are_the_undecided():
    probabilities = [[1, 0], [0.5, 0.5], [0.11, 0.89], [0.05, 0.95]]
    assert metrics.bridge_share(probabilities) == 0.5
    assert metrics.bridge_share(probabilities, threshold=0.5) == 0


@pytest.mark.parametrize("given", [[0.5, 0.5], np.zeros((0, 3)), [[np.nan, 1]], [[4.0, -3.0]], [[0.5, 0.4]]])
def test_what_is_not_probable_is_refused(given):
    with pytest.raises(ValueError, match=r"are needed, not the shape|must add up to 1"):
        metrics.bridge_share(given)


@given(seed=seeds)
def test_the_nearest_is_the_nearest_of_all(seed):
    queries, references = cloud(seed, count=20), cloud(seed + 1)
    distances, indices = metrics.nearest(queries, references)
    every = euclidean_distances(queries, references)
    np.testing.assert_array_equal(indices, every.argmin(axis=1))
    np.testing.assert_allclose(distances, every.min(axis=1), rtol=1e-6)


def test_the_nearest_of_close_ones_is_not_rounded_away():
    references = cloud(0, shift=100)
    np.testing.assert_array_equal(metrics.nearest(references, references)[0], 0)
    distances, indices = metrics.nearest(references + 1e-9, references)
    np.testing.assert_allclose(distances, 2e-9, rtol=1e-4)
    np.testing.assert_array_equal(indices, np.arange(60))


def test_copies_have_the_ratio_zero_and_new_examples_one():
    train, test = cloud(0, count=2_000), cloud(1, count=2_000)
    new = cloud(2, count=2_000)
    assert metrics.copying_ratio(train[::2], train, test) == 0
    assert metrics.copying_ratio(new, train, test) == pytest.approx(1, abs=0.05)
    assert metrics.copying_ratio(new, test, train) == pytest.approx(
        1 / metrics.copying_ratio(new, train, test)
    )
    for share in (0.1, 0.5, 0.9):
        copied = int(share * len(new))
        mixed = np.concatenate([train[:copied], new[copied:]])
        assert metrics.copying_ratio(mixed, train, test) == pytest.approx(1 - share, abs=0.05)
    with pytest.raises(ValueError, match="equal lengths, not 2000 and 10"):
        metrics.copying_ratio(train, train, test[:10])
    with pytest.raises(ValueError, match="copies of test examples"):
        metrics.copying_ratio(test, train, test)


@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("estimate", of_points)
def test_a_cube_has_its_dimension_in_whatever_space(estimate, dimension):
    assert estimate(cube(dimension)) == pytest.approx(dimension, rel=0.12)


@pytest.mark.parametrize("estimate", of_points)
@given(seed=seeds, scale=st.floats(0.01, 100))
def test_the_dimension_knows_no_order_place_direction_and_scale(estimate, seed, scale):
    points = cube(3, count=200, seed=seed)
    assert estimate(*moved(seed, scale * points)) == pytest.approx(estimate(points), rel=1e-6)


@given(
    seed=seeds, dimension=st.integers(1, 12), neighbours=st.integers(2, 30), discarded=st.floats(0.05, 0.5)
)
def test_the_dimensions_are_those_of_scikit_dimension(seed, dimension, neighbours, discarded):
    points = cube(dimension, count=200, seed=seed)
    likelihood = MLE().fit(points, n_neighbors=neighbours).dimension_
    assert metrics.intrinsic_dimension(points, neighbours) == pytest.approx(likelihood, rel=1e-6)
    two_nearest = TwoNN(discard_fraction=discarded).fit(points).dimension_
    assert metrics.two_nearest_dimension(points, discarded) == pytest.approx(two_nearest, rel=1e-6)


def test_the_dimensions_of_close_points_are_those_of_scikit_dimension():
    points = cube(3, count=100)
    points = np.concatenate([points, points + 2e-9 * cloud(0, 100, 12), points + 1e-9 * cloud(1, 100, 12)])
    likelihood, two_nearest = MLE().fit(points, n_neighbors=20).dimension_, TwoNN().fit(points).dimension_
    assert metrics.intrinsic_dimension(points) == pytest.approx(likelihood, rel=1e-6)
    assert metrics.two_nearest_dimension(points) == pytest.approx(two_nearest, rel=1e-6)


@pytest.mark.parametrize("estimate", of_points)
def test_duplicates_count_once(estimate):
    points = cube(3, count=500)
    assert estimate(np.concatenate([points, points[:100]])) == pytest.approx(estimate(points))
    assert 0 < estimate(np.concatenate([points, points[:100] + 1e-12])) < 3
    with pytest.raises(ValueError, match="different points are needed, not 1"):
        estimate(np.zeros((50, 4)))


def test_points_without_a_dimension_are_refused():
    with pytest.raises(ValueError, match="equally far"):
        metrics.intrinsic_dimension(np.eye(30))
    with pytest.raises(ValueError, match="equally far"):
        metrics.two_nearest_dimension(np.eye(30))
    with pytest.raises(ValueError, match="At least 2 neighbours are needed, not 1"):
        metrics.intrinsic_dimension(cloud(0), neighbours=1)


@pytest.mark.parametrize("discarded", [-0.1, 0, 0.99, 1, 10, np.nan])
def test_some_ratios_are_discarded_and_some_are_kept(discarded):
    with pytest.raises(ValueError, match=r"must leave out some of 60 points|discarded must lie in"):
        metrics.two_nearest_dimension(cloud(0), discarded)


@pytest.mark.parametrize("metric", of_two_sets)
@pytest.mark.parametrize(
    "bad", [np.zeros(5), np.zeros((9, 3)), np.zeros((0, 4)), np.full((9, 4), np.nan), np.full((9, 4), np.inf)]
)
def test_bad_sets_are_refused(bad, metric):
    for sides in ((cloud(0), bad), (bad, cloud(0))):
        with pytest.raises(ValueError, match=r"is needed, not|same features|must be finite"):
            metric(*sides)


@pytest.mark.parametrize("metric", of_two_sets[:3])
def test_one_example_is_not_enough(metric):
    with pytest.raises(ValueError, match=r"n of at least [26] is needed"):
        metric(cloud(0), cloud(1, count=1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        *[(lambda k=k: metrics.overlap(cloud(0), cloud(1), k), "neighbours must be") for k in (0, -1, 2.5)],
        (lambda: metrics.intrinsic_dimension(cloud(0), 2.5), "neighbours must be"),
        (lambda: metrics.bridge_share([[0.5, 0.5]], 90), r"threshold must lie in \[0, 1\]"),
        (lambda: metrics.histogram_divergence([0], [0], 2.0), "classes must be a whole number"),
        (lambda: metrics.frechet_distance(cloud(0), np.ones((9, 4), "uint8")), "One set is uint8"),
        (lambda: metrics.nearest(np.ma.masked_less(cloud(0), 0), cloud(1)), "must not be masked"),
    ],
)
def test_what_would_be_measured_wrongly_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("option", [{"confidence": 1}, {"confidence": 2}, {"resamples": 1}, {"seed": None}])
def test_an_interval_of_numbers_out_of_range_is_refused(option):
    sets = np.random.default_rng(0).normal(size=(2, 9, 2))
    with pytest.raises(ValueError, match=f"{next(iter(option))} must"):
        metrics.frechet_interval(*sets, **option)


@pytest.mark.parametrize("estimate", of_points)
@pytest.mark.parametrize("bad", [np.zeros(5), np.zeros((9, 0)), np.full((50, 4), np.nan)])
def test_bad_points_are_refused(bad, estimate):
    with pytest.raises(ValueError, match=r"is needed, not|same features|must be finite"):
        estimate(bad)
