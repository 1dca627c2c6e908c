import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import transform
from skimage.util import view_as_blocks

from cnn_vs_dense import analysis, experiments, representations
from cnn_vs_dense.representations import (
    ANGLES,
    REPRESENTATIONS,
    SCRAMBLINGS,
    TRANSFORMS,
    neighbour_correlation,
)
from common.data import load_mnist
from common.scramble import Scrambler


@given(seed=st.integers(0, 100))
def test_scrambling_moves_pixels_and_changes_none(seed):
    images = load_mnist().test.images[:4]
    scrambled = REPRESENTATIONS["scrambled"](images, seed)
    assert REPRESENTATIONS["raw"](images, seed) is images
    assert (scrambled != images).any()
    np.testing.assert_array_equal(np.sort(scrambled, axis=None), np.sort(images, axis=None))


@pytest.mark.parametrize("name", SCRAMBLINGS)
@pytest.mark.parametrize("seed", [0, 7])
def test_every_scrambling_is_one_permutation_for_all_images(name, seed):
    indices = np.arange(784).reshape(1, 28, 28, 1)
    permutation = REPRESENTATIONS[name](indices, seed).ravel()
    images = load_mnist().test.images[:4]
    expected = images.reshape(4, 784)[:, permutation].reshape(images.shape)
    np.testing.assert_array_equal(REPRESENTATIONS[name](images, seed), expected)


def reference_transform(name, image):
    """Return what NumPy, PyWavelets and scikit-image make of one image, ``(height, width, channels)``."""
    if name == "sinogram":
        return transform.radon(image, ANGLES, circle=False, preserve_range=True)[..., None]
    if name == "wavelet subbands":
        approximation, details = pywt.dwt2(image, "haar")
        return np.stack([approximation, *details], axis=-1)
    if name == "blocks of 2 x 2 as channels":
        return view_as_blocks(image, (2, 2)).reshape(*np.array(image.shape) // 2, 4)
    k = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image), norm="ortho"))
    channels = {
        "k-space, real and imaginary": [k.real, k.imag],
        "k-space, magnitude": [np.abs(k)],
        "k-space, log magnitude": [np.log1p(np.abs(k))],
    }
    return np.stack(channels[name], axis=-1)


@pytest.mark.parametrize("name", sorted(set(TRANSFORMS) - {"k-space, magnitude and phase"}))
@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_transforms_are_those_of_other_libraries(name, seed):
    images = np.random.default_rng(seed).random((3, 12, 12, 1))
    expected = np.stack([reference_transform(name, image[..., 0]) for image in images])
    np.testing.assert_allclose(REPRESENTATIONS[name](images), expected, atol=1e-9)


def test_magnitude_and_phase_make_up_k_space():
    images = load_mnist().test[:3].as_float()
    magnitude, phase = np.moveaxis(REPRESENTATIONS["k-space, magnitude and phase"](images), -1, 0)
    parts = np.moveaxis(REPRESENTATIONS["k-space, real and imaginary"](images), -1, 0)
    np.testing.assert_allclose([magnitude * np.cos(phase), magnitude * np.sin(phase)], parts, atol=1e-4)


@given(height=st.integers(1, 4), width=st.integers(2, 4), channels=st.integers(1, 2), seed=st.integers(0, 99))
def test_the_correlation_of_neighbours_is_that_of_numpy(height, width, channels, seed):
    images = np.random.default_rng(seed).random((30, height, width, channels)).cumsum(axis=2)
    correlations = [
        np.corrcoef(images[:, i, j, c], images[:, k, m, c])[0, 1]
        for i, j, c in np.ndindex(height, width, channels)
        for k, m in ((i + 1, j), (i, j + 1))
        if k < height and m < width
    ]
    assert neighbour_correlation(images) == pytest.approx(np.mean(np.abs(correlations)))


def test_neighbours_of_real_images_resemble_each_other_until_they_are_scrambled():
    images = load_mnist().test[:1000].as_float()
    assert neighbour_correlation(images) > 2 * neighbour_correlation(REPRESENTATIONS["scrambled"](images, 0))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_work_on_every_image_alone_and_in_batches(name):
    images = np.random.default_rng(0).random((representations.BATCH_SIZE + 2, 4, 4, 1), dtype="float32")
    together = REPRESENTATIONS[name](images)
    assert together.dtype == "float32"
    # Of the last three, one was in the batch before.
    alone = REPRESENTATIONS[name](images[-3:])
    if "phase" in name:
        together, alone = (values[..., 0] * np.exp(1j * values[..., 1]) for values in (together, alone))
    np.testing.assert_allclose(together[-3:], alone, atol=1e-5)


@pytest.mark.parametrize("name", TRANSFORMS)
@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_a_transform_scrambled_afterwards_only_has_other_places(name, seed):
    images = load_mnist().test[:3].as_float()
    plain, moved = REPRESENTATIONS[name](images), REPRESENTATIONS[f"{name}, scrambled"](images, seed)
    assert (moved != plain).any()
    np.testing.assert_array_equal(Scrambler(plain.shape[1:3], seed).unscramble(moved), plain)


def test_blocks_bound_what_is_scrambled():
    indices = np.arange(784).reshape(1, 28, 28, 1)
    inside = REPRESENTATIONS["scrambled within 4 x 4"](indices, 0)[0, :4, :4, 0]
    assert set(inside.ravel()) == set(indices[0, :4, :4, 0].ravel())
    moved = REPRESENTATIONS["blocks of 4 x 4 scrambled"](indices, 0)[0, :4, :4, 0]
    np.testing.assert_array_equal(moved - moved[0, 0], indices[0, :4, :4, 0])


@pytest.mark.parametrize("name", SCRAMBLINGS)
def test_every_scrambling_moves_pixels_with_every_seed_in_use(name):
    for seed in {*range(10), *experiments.TUNING_SEEDS}:
        assert (analysis.permutation(name, seed) != np.arange(784)).any()


def sources(name, seed):
    """Return the row and the column from which each pixel comes, two arrays ``(28, 28)``."""
    return np.divmod(analysis.permutation(name, seed).reshape(28, 28), 28)


@pytest.mark.parametrize("block", [2, 7])
@given(seed=st.integers(0, 1000))
def test_one_permutation_scrambles_all_blocks_alike(block, seed):
    places = np.indices((28, 28))
    moves = np.array(sources(f"scrambled within {block} x {block}, one permutation", seed)) - places
    in_blocks = [view_as_blocks(move, (block, block)).reshape(-1, block, block) for move in moves]
    assert all((blocks == blocks[0]).all() for blocks in in_blocks)
    np.testing.assert_array_equal((places + moves) // block, places // block)
    assert moves.any()


@given(seed=st.integers(0, 1000))
def test_shifted_blocks_lie_across_the_borders_of_the_aligned_ones_and_keep_their_pixels(seed):
    found, places = np.array(sources("scrambled within 2 x 2, shifted", seed)), np.indices((28, 28))
    # Rows 1 and 2 belong together, then 3 and 4, and so on; 27 and 0 meet around the edge.
    np.testing.assert_array_equal((found - 1) % 28 // 2, (places - 1) % 28 // 2)
    assert (found // 2 != places // 2).any()


def test_blocks_that_do_not_tile_the_image_are_refused():
    with pytest.raises(ValueError, match="cannot reshape"):
        representations.scrambled_alike(np.zeros((2, 9, 9, 1)), block=2)


@pytest.mark.parametrize("block", representations.BLOCKS)
@pytest.mark.parametrize("seed", [0, 4])
def test_the_names_of_stored_records_mean_the_same_permutations(block, seed):
    for name, whole in (("scrambled within {0} x {0}", False), ("blocks of {0} x {0} scrambled", True)):
        expected = Scrambler((28, 28), seed, block, whole).permutation
        np.testing.assert_array_equal(analysis.permutation(name.format(block), seed), expected)
