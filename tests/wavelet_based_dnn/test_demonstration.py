"""What explorer and live figure show of a scene: one object at all sizes, a veil over what was not read."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from wavelet_based_dnn.demonstration import FINEST_TILE, VEIL, scene, tile_counts, veiled
from wavelet_based_dnn.refinement import classify


@given(st.integers(0, 2**32 - 1), st.integers(1, 100), st.integers(1, 100))
def test_the_veil_lies_on_the_tiles_that_were_not_read(seed, height, width):
    rng = np.random.default_rng(seed)
    image = rng.random((height, width, 1), "float32")
    tiles = rng.random((-(-height // FINEST_TILE), -(-width // FINEST_TILE))) < 0.5
    shown = veiled(image, tiles)
    assert (shown.shape, shown.dtype) == (image.shape, image.dtype)
    for (row, column), read in np.ndenumerate(tiles):
        inside = np.s_[FINEST_TILE * row :, FINEST_TILE * column :][:2]
        before, after = (each[inside][:FINEST_TILE, :FINEST_TILE] for each in (image, shown))
        np.testing.assert_allclose(after, before if read else VEIL + VEIL * before, rtol=1e-6)


@given(st.integers(0, 99), st.integers(14, 56), st.integers(56, 120))
def test_a_scene_keeps_its_object_at_every_size(number, side, canvas):
    images = np.random.default_rng(0).random((50, 28, 28, 1), "float32")
    one, other = (scene(images, np.arange(50), number, *sizes) for sizes in ((28, 28), (side, canvas)))
    assert one.labels == other.labels
    assert other.images.shape == (1, canvas, canvas, 1)
    assert other.boxes[0, 2:].tolist() == [side, side]


@pytest.mark.parametrize("canvas", [56, 130])
def test_tiles_are_counted_image_by_image(network, canvas):
    images = np.random.default_rng(0).random((2, canvas, canvas, 1), "float32")
    reading = classify(network, images, budget=0)
    counts = [tile_counts(reading, image) for image in range(2)]
    assert np.mean(counts, 0).tolist() == [tiles.sum((1, 2)).mean() for tiles in reading.tiles]
