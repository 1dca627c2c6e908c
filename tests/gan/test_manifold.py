import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from skimage.util import montage

from gan import manifold


@given(side=st.integers(1, 12))
def test_the_square_has_equal_cells(side):
    points = manifold.square(side)
    cells = np.floor((points + 1) / 2 * side).astype(int)
    assert len(np.unique(cells, axis=0)) == side**2
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-6)
    assert points[0, 0] == points[:, 0].min()
    assert points[0, 1] == points[:, 1].max()


@given(seed=st.integers(0, 1000))
def test_the_slope_of_a_linear_generator_is_the_norm_of_its_matrix(seed):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(3, 20)).astype("float32")
    points = rng.uniform(-1, 1, (5, 3)).astype("float32")
    found = manifold.slope(lambda z: tf.reshape(z @ matrix, (-1, 4, 5, 1)), points)
    np.testing.assert_allclose(found, np.linalg.norm(matrix), rtol=1e-4)


def test_a_path_leads_from_one_point_to_the_other_at_an_even_pace():
    found = manifold.path([0, 1], [1, -1], 5)
    np.testing.assert_allclose(found, [[0, 1], [0.25, 0.5], [0.5, 0], [0.75, -0.5], [1, -1]])


@given(rows=st.integers(1, 4), columns=st.integers(1, 4), seed=st.integers(0, 100))
def test_a_mosaic_is_the_montage_of_scikit_image(rows, columns, seed):
    images = np.random.default_rng(seed).random((rows * columns, 3, 2, 1))
    expected = montage(images[..., 0], grid_shape=(rows, columns))
    np.testing.assert_array_equal(manifold.mosaic(images, columns)[..., 0], expected)


def test_a_mosaic_has_whole_rows():
    with pytest.raises(ValueError, match="5 images do not fill rows of 2"):
        manifold.mosaic(np.zeros((5, 2, 2, 1)), 2)


@given(seed=st.integers(0, 1000), size=st.integers(1, 3))
def test_a_linear_generator_stretches_volumes_by_its_singular_values(seed, size):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(size, 20)).astype("float32")
    points = rng.uniform(-1, 1, (5, size)).astype("float32")
    found = manifold.stretch(lambda z: tf.reshape(z @ matrix, (-1, 4, 5, 1)), points)
    np.testing.assert_allclose(found, np.prod(np.linalg.svd(matrix)[1]), rtol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_a_generator_that_ignores_a_direction_has_no_area(seed):
    matrix = np.random.default_rng(seed).normal(size=(1, 20)).astype("float32")
    points = np.random.default_rng(seed).uniform(-1, 1, (50, 2)).astype("float32")
    found = manifold.stretch(lambda z: tf.reshape((z[:, :1] + z[:, 1:]) @ matrix, (-1, 4, 5, 1)), points)
    np.testing.assert_allclose(found, 0, atol=1e-5)


def test_the_stretch_of_one_number_is_its_slope():
    def circle(z):
        return tf.reshape(tf.concat([tf.cos(3 * z), tf.sin(3 * z)], axis=1), (-1, 1, 2, 1))

    points = np.linspace(-1, 1, 7, dtype="float32")[:, None]
    np.testing.assert_allclose(manifold.stretch(circle, points), 3, rtol=1e-5)
    np.testing.assert_allclose(manifold.slope(circle, points), 3, rtol=1e-5)
