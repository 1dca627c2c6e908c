import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from common.data import ImageSet, load_mnist
from common.pixels import as_bytes
from gan import projection

seeds = st.integers(0, 10_000)
LEVEL = 1 / 255**2  # the square of one level of 8 bits


class Plane:
    """A generator that is linear and whose columns are orthogonal, so that projections onto it are known."""

    def __init__(self, size, seed):
        columns = np.linalg.qr(np.random.default_rng(seed).normal(size=(784, size)))[0]
        self.matrix = (0.4 * columns / np.abs(columns).sum(axis=1).max()).astype("float32")

    def __call__(self, points):
        return tf.reshape(0.5 + points @ self.matrix.T, (-1, 28, 28, 1))

    def nearest(self, digits):
        """Return the least squares solution in the cube, each coordinate by itself."""
        flat = digits.reshape(len(digits), -1) / 255 - 0.5
        return np.clip(flat @ self.matrix / np.sum(self.matrix**2, axis=0), -1, 1)


def uniform(count, size, seed):
    return np.random.default_rng(seed).uniform(-1, 1, (count, size)).astype("float32")


def drawn(generator, points):
    return as_bytes(generator(points).numpy())


@settings(max_examples=3, deadline=None)
@given(seed=seeds, size=st.integers(1, 4))
def test_the_projection_onto_a_plane_is_that_of_least_squares(seed, size):
    plane = Plane(size, seed)
    noise = np.random.default_rng(seed + 2).normal(0, 20, (6, 28, 28, 1))
    digits = np.clip(drawn(plane, 1.2 * uniform(6, size, seed)) + noise, 0, 255).astype("uint8")
    found = projection.project(plane, digits, uniform(50, size, seed + 1), stages=[(3, 60), (2, 140)])
    expected = np.mean(
        (drawn(plane, plane.nearest(digits).astype("float32")) / 255 - digits / 255) ** 2, (1, 2, 3)
    )
    # Rounding to 8 bits moves an error by some thousandths.
    np.testing.assert_allclose(found.errors, expected, rtol=5e-3)
    np.testing.assert_array_equal(found.images, drawn(plane, found.points))
    assert np.all(np.abs(found.points) <= 1)


@settings(max_examples=3, deadline=None)
@given(seed=seeds)
def test_own_samples_are_found_again(seed):
    plane = Plane(3, seed)
    digits = drawn(plane, 0.9 * uniform(5, 3, seed))
    found = projection.project(plane, digits, uniform(20, 3, seed + 1), stages=[(1, 100)])
    assert np.all(found.errors < LEVEL)


def test_an_encoders_guess_is_a_start_among_others():
    plane, truth = Plane(2, 0), 0.9 * uniform(4, 2, 1)
    digits, far = drawn(plane, truth), np.full((1, 2), -0.9, "float32")
    options = {"stages": [(1, 1)]}
    guessed = projection.project(plane, digits, far, guesses=truth[:, None], **options)
    np.testing.assert_allclose(guessed.points, truth)
    assert np.all(guessed.errors <= projection.project(plane, digits, far, **options).errors)


@settings(max_examples=5, deadline=None)
@given(seed=seeds, count=st.integers(1, 5))
def test_starts_are_the_nearest_candidates_in_order(seed, count):
    plane, points = Plane(3, seed), uniform(30, 3, seed)
    digits = drawn(plane, uniform(4, 3, seed + 1))
    images = drawn(plane, points) / 255
    distances = np.sum((digits[:, None] / 255 - images[None]) ** 2, axis=(2, 3, 4))
    found = projection.nearest_points(plane, digits, points, count)
    at = np.array([[np.flatnonzero(np.all(points == start, axis=1))[0] for start in row] for row in found])
    np.testing.assert_allclose(
        np.take_along_axis(distances, at, 1), np.sort(distances, axis=1)[:, :count], atol=1e-4
    )


def test_batches_of_candidates_change_nothing(monkeypatch):
    plane, points = Plane(3, 0), uniform(30, 3, 0)
    digits = drawn(plane, uniform(4, 3, 1))
    at_once = projection.nearest_points(plane, digits, points, 4)
    monkeypatch.setattr(projection, "BATCH", 7)
    np.testing.assert_array_equal(projection.nearest_points(plane, digits, points, 4), at_once)


@pytest.mark.parametrize("size", [1, 2])
def test_candidates_of_one_and_two_numbers_are_a_grid(size):
    points = projection.candidates(size, seed=0, count=64)
    side = round(64 ** (1 / size))
    assert points.shape == (64, size)
    np.testing.assert_array_equal(np.unique(np.floor((points + 1) / 2 * side), axis=0).shape, (64, size))


def test_groups_of_digits_change_nothing(monkeypatch):
    plane = Plane(3, 0)
    digits, points = drawn(plane, uniform(5, 3, 1)), uniform(30, 3, 2)
    at_once = projection.project(plane, digits, points, stages=[(3, 5), (2, 5)])
    monkeypatch.setattr(projection, "GROUP", 2)
    in_groups = projection.project(plane, digits, points, stages=[(3, 5), (2, 5)])
    np.testing.assert_allclose(in_groups.points, at_once.points, atol=1e-5)


def test_candidates_of_more_numbers_are_random():
    one, other = (projection.candidates(3, seed, 1000) for seed in (0, 1))
    assert one.shape == (1000, 3)
    assert not np.array_equal(one, other)
    assert np.abs(one).max() <= 1
    assert np.abs(one.mean()) < 0.1


def test_digits_are_mirrored_but_for_those_that_look_like_digits():
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28, 1), "uint8")
    labels = np.arange(20) % 10
    plain, turned = projection.mirrored(ImageSet(images, labels))
    assert len(plain) == 10
    np.testing.assert_array_equal(plain, images[np.isin(labels, [3, 4, 6, 7, 9])])
    np.testing.assert_array_equal(turned, np.flip(plain, axis=2))


def test_digits_keep_their_own_labels():
    digits = load_mnist().test[:40]
    assert np.all(projection.labels_kept(digits, digits.images, "mnist"))
    shifted = ImageSet(digits.images, (digits.labels + 1) % 10)
    assert not np.any(projection.labels_kept(shifted, digits.images, "mnist"))


@settings(max_examples=3, deadline=None)
@given(seed=seeds)
def test_principal_components_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(8, 784)) * np.arange(1, 9)[:, None] ** 2

    def images(count):
        flat = 128 + rng.normal(size=(count, 8)) @ directions / 2
        return np.clip(flat, 0, 255).astype("uint8").reshape(count, 28, 28, 1)

    training, digits = images(60), images(5)
    flat = digits.reshape(5, -1) / 255
    for size in (2, 5):
        errors, images_of_digits = projection.principal_images(digits, training, size)
        pca = PCA(size, svd_solver="full").fit(training.reshape(60, -1) / 255)
        drawn_again = np.clip(pca.inverse_transform(pca.transform(flat)), 0, 1)
        np.testing.assert_allclose(errors, np.mean((drawn_again - flat) ** 2, axis=1), rtol=1e-3)
        difference = images_of_digits.reshape(5, -1) - 255 * drawn_again
        assert np.abs(difference).max() <= 0.6  # rounding


@pytest.mark.parametrize("size", [1, 2, 3, 16])
def test_a_doubled_search_has_twice_the_searches_and_steps(size):
    plain, doubled = (projection.stages_of(size, search) for search in ("full", "doubled"))
    np.testing.assert_array_equal(np.array(doubled), 2 * np.array(plain))


def test_a_short_search_is_short_only_where_it_finds_as_much():
    full, short = (np.prod(projection.stages_of(4, search), axis=1).sum() for search in ("full", "short"))
    assert short < full / 2
    assert all(projection.stages_of(size, "short") == projection.stages_of(size, "full") for size in (8, 16))


def test_an_unknown_search_is_refused():
    with pytest.raises(ValueError, match="no search 'long'; there are full, short, doubled"):
        projection.stages_of(8, "long")


def test_the_classifier_s_labels_are_those_of_the_digits():
    digits = load_mnist().test[:40]
    found = projection.labelled(digits.images, "mnist")
    np.testing.assert_array_equal(found.labels, digits.labels)
    assert np.all(projection.labels_kept(found, digits.images, "mnist"))


@given(seed=seeds, bits=st.integers(1, 8))
def test_quantised_points_are_the_centres_of_their_cells(seed, bits):
    points = np.concatenate([uniform(20, 2, seed), [[-1, 1]]])
    found = projection.quantised(points, bits)
    assert np.abs(found - points).max() <= 0.5**bits + 1e-6
    np.testing.assert_array_equal(projection.quantised(found, bits), found)
    many = projection.quantised(uniform(5_000, 1, seed), min(bits, 5))
    assert len(np.unique(many)) == 2 ** min(bits, 5)


def test_more_bits_come_nearer_to_the_projection():
    plane = Plane(2, 0)
    digits, points = drawn(plane, uniform(30, 2, 1)), uniform(30, 2, 1)
    coded = projection.coded_errors(plane, digits, points)
    assert len(coded) == projection.MOST_BITS
    assert np.all(np.diff(coded[:5]) < 0)
    expected = np.mean((drawn(plane, projection.quantised(points, 1)) / 255 - digits / 255) ** 2)
    assert coded[0] == pytest.approx(expected, rel=1e-3)
    assert coded[-1] < LEVEL
