import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from keras import ops

from common.scramble import Scramble, Scrambler

DTYPES = ["bool", "uint8", "int32", "int64", "float16", "float32", "float64"]
VARIANTS = [{}, {"block": 3}, {"block": 3, "whole_blocks": True}]
seeds = st.integers(0, 2**32 - 1)


@st.composite
def scramblers(draw):
    """A scrambler of any size, in any of the three variants."""
    block = draw(st.none() | st.integers(1, 4))
    shape = tuple(draw(st.integers(1, 5)) * (block or 1) for _ in range(2))
    return Scrambler(shape, draw(seeds), block, block is not None and draw(st.booleans()))


def blocks_of(images, block):
    """Return ``(batch, block rows, block columns, pixels of a block, channels)``."""
    batch, height, width, channels = images.shape
    grid = images.reshape(batch, height // block, block, width // block, block, channels)
    return grid.swapaxes(2, 3).reshape(batch, height // block, width // block, block * block, channels)


def sorted_pixels(images):
    return np.sort(images.reshape(len(images), -1, images.shape[3]), axis=1)


def numbered(height, width):
    return np.arange(height * width).reshape(1, height, width, 1)


@given(scramblers())
def test_permutation_is_a_bijection_with_its_inverse(scrambler):
    pixels = np.arange(np.prod(scrambler.shape))
    np.testing.assert_array_equal(np.sort(scrambler.permutation), pixels)
    np.testing.assert_array_equal(scrambler.permutation[scrambler.inverse], pixels)
    scrambled = scrambler.scramble(numbered(*scrambler.shape))
    np.testing.assert_array_equal(scrambled.ravel(), scrambler.permutation)


@given(scramblers(), st.sampled_from(DTYPES), st.integers(0, 3), st.integers(1, 3), st.data())
def test_unscramble_restores_every_bit_of_an_array(scrambler, dtype, batch, channels, data):
    images = data.draw(hnp.arrays(dtype, (batch, *scrambler.shape, channels)))
    scrambled = scrambler.scramble(images)
    assert isinstance(scrambled, np.ndarray)
    assert scrambled.dtype == images.dtype
    assert scrambler.unscramble(scrambled).tobytes() == images.tobytes()
    assert scrambler.scramble(scrambler.unscramble(images)).tobytes() == images.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_tensors_are_scrambled_like_arrays(dtype, variant):
    scrambler = Scrambler((6, 9), seed=5, **variant)
    images = np.random.default_rng(0).integers(0, 2, (2, 6, 9, 3)).astype(dtype)
    scrambled = scrambler.scramble(ops.convert_to_tensor(images))
    assert ops.is_tensor(scrambled)
    assert keras.backend.standardize_dtype(scrambled.dtype) == dtype
    np.testing.assert_array_equal(ops.convert_to_numpy(scrambled), scrambler.scramble(images))
    np.testing.assert_array_equal(ops.convert_to_numpy(scrambler.unscramble(scrambled)), images)


@given(scramblers(), seeds)
def test_every_image_and_channel_keeps_its_histogram_and_shares_the_permutation(scrambler, seed):
    images = np.random.default_rng(seed).random((2, *scrambler.shape, 2))
    scrambled = scrambler.scramble(images)
    np.testing.assert_array_equal(sorted_pixels(scrambled), sorted_pixels(images))
    single = scrambler.scramble(images[1:, :, :, 1:])
    np.testing.assert_array_equal(scrambled[1:, :, :, 1:], single)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), seeds)
def test_inside_blocks_every_pixel_stays_in_its_block(block, rows, columns, seed):
    images = numbered(rows * block, columns * block)
    scrambled = Scrambler(images.shape[1:3], seed, block).scramble(images)
    before, after = blocks_of(images, block), blocks_of(scrambled, block)
    np.testing.assert_array_equal(np.sort(after, axis=3), np.sort(before, axis=3))


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), seeds)
def test_whole_blocks_keep_their_inside(block, rows, columns, seed):
    images = numbered(rows * block, columns * block)
    scrambled = Scrambler(images.shape[1:3], seed, block, whole_blocks=True).scramble(images)
    before, after = (blocks_of(x, block).reshape(-1, block * block) for x in (images, scrambled))
    order = np.argsort(after[:, 0])
    np.testing.assert_array_equal(after[order], before[np.argsort(before[:, 0])])


def test_blocks_are_permuted_independently():
    images = numbered(32, 32)
    inside = blocks_of(Scrambler((32, 32), 0, 8).scramble(images), 8).reshape(16, 64)
    order = np.argsort(inside, axis=1)
    assert len(np.unique(order, axis=0)) == 16


@pytest.mark.parametrize("variant", [{"block": 1}, {"block": 6, "whole_blocks": True}], ids=str)
def test_trivial_blocks_are_the_identity(variant):
    np.testing.assert_array_equal(Scrambler((6, 6), 3, **variant).permutation, np.arange(36))


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_the_seed_decides(variant):
    first, again, other = (Scrambler((12, 9), seed, **variant).permutation for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_all_permutations_of_four_pixels_but_the_identity_are_equally_likely():
    drawn = [tuple(Scrambler((2, 2), seed).permutation) for seed in range(2300)]
    assert (0, 1, 2, 3) not in drawn
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    # 23 cells of expectation 100: chi-square with 22 degrees of freedom exceeds 48 once in 1,000 times.
    assert len(counts) == 23
    assert ((counts - 100) ** 2 / 100).sum() < 48, counts


@given(seeds, st.sampled_from([{"block": 2}, {"block": 2, "whole_blocks": True}]))
def test_nothing_is_left_as_it_was(seed, variant):
    assert (Scrambler((2, 4), seed, **variant).permutation != np.arange(8)).any()


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_layer_has_known_sizes_and_its_configuration_restores_it(variant):
    layer = Scramble((6, 9), 7, **variant)
    assert layer(keras.Input((None, None, 2))).shape == (None, 6, 9, 2)
    images = np.random.default_rng(0).random((3, 6, 9, 2)).astype("float32")
    scrambled = Scrambler((6, 9), 7, **variant).scramble(images)
    for same in (layer, Scramble.from_config(layer.get_config())):
        np.testing.assert_array_equal(ops.convert_to_numpy(same(images)), scrambled)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (6,), "seed": 0}, "shape"),
        ({"shape": (6, 0), "seed": 0}, "shape"),
        ({"shape": (6, 2.0), "seed": 0}, "shape"),
        ({"shape": (6, 9), "seed": None}, "seed"),
        ({"shape": (6, 9), "seed": -1}, "seed"),
        ({"shape": (6, 9), "seed": 0, "block": 2}, "divisor"),
        ({"shape": (6, 9), "seed": 0, "block": 0}, "divisor"),
        ({"shape": (6, 9), "seed": 0, "block": 3.0}, "divisor"),
        ({"shape": (6, 9), "seed": 0, "whole_blocks": True}, "whole_blocks"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [Scrambler, Scramble])
def test_bad_arguments_get_one_sentence(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**arguments)


@pytest.mark.parametrize("shape", [(6, 9), (2, 9, 6, 1), (2, 6, 9)], ids=str)
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(batch, 6, 9, channels\)"):
        Scrambler((6, 9), 0).scramble(np.zeros(shape))
