import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_vs_dense.neighbours import neighbours_kept
from cnn_vs_dense.unscramble import CHOSEN, FEWEST_PIXELS, SETTINGS, lay_out, oriented, recover_layout
from common.data import load_dataset
from common.fourier import gaussian_blur
from common.scramble import Scrambler


def blurred_noise(size, count, seed):
    noise = np.random.default_rng(seed).normal(size=(count, size, size, 1))
    return np.asarray(gaussian_blur(noise, 1.5))


@pytest.mark.parametrize("seed", [0, 1])
def test_the_layout_of_smooth_images_is_recovered(seed):
    scrambler = Scrambler((12, 12), seed)
    recovered = recover_layout(scrambler.scramble(blurred_noise(12, 2000, seed)))
    layout = scrambler.permutation[recovered]
    assert neighbours_kept(layout, (12, 12), 3) > 0.9
    assert neighbours_kept(layout, (12, 12)) > 0.5


def test_the_layout_of_real_images_is_recovered_better_than_by_chance():
    images, shape = load_dataset("fashion_mnist").train.images[:500, 6:22, 6:22], (16, 16)
    scrambler = Scrambler(shape, 3)
    layout = scrambler.permutation[recover_layout(scrambler.scramble(images))]
    assert neighbours_kept(layout, shape, 3) > 0.8 > 0.15 > neighbours_kept(scrambler.permutation, shape, 3)


def test_pixels_in_groups_without_a_connection_are_laid_out_without_a_warning():
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(2, 50, 1, 1)), rng.normal(size=(50, 6, 8, 1))
    images = np.concatenate([group[..., None] + 0.1 * own for group in common], axis=2)
    layout = recover_layout(images)
    groups = (layout % 16 < 8).reshape(6, 16)
    assert np.mean(groups[:, 1:] == groups[:, :-1]) > 0.8


def test_recovering_a_layout_repeats():
    images = blurred_noise(10, 300, 0)
    np.testing.assert_array_equal(recover_layout(images), recover_layout(images))


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_recovers_the_layout_of_smooth_images(setting):
    scrambler = Scrambler((10, 10), 0)
    recovered = recover_layout(scrambler.scramble(blurred_noise(10, 2000, 0)), setting)
    assert neighbours_kept(scrambler.permutation[recovered], (10, 10), 3) > 0.8


def test_settings_vary_one_constant_each_around_the_first():
    assert CHOSEN in SETTINGS
    first, *others = SETTINGS.values()
    assert [sum(a != b for a, b in zip(first, other, strict=True)) for other in others] == [1] * 6
    assert all(setting.perplexity < FEWEST_PIXELS for setting in SETTINGS.values())
    with pytest.raises(ValueError, match="no setting 'x'; there are standard, "):
        recover_layout(blurred_noise(4, 9, 0), "x")


def test_laying_out_by_the_inverse_undoes_a_scrambling():
    scrambler, images = Scrambler((6, 4), 0), np.random.default_rng(0).random((3, 6, 4, 2))
    np.testing.assert_array_equal(lay_out(scrambler.scramble(images), scrambler.inverse), images)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((5, 28, 28, 1)), "only 0 of the 784 pixels change"),
        (np.zeros((0, 28, 28, 1)), "must not be empty"),
        (np.full((5, 4, 4, 1), np.nan), "must be finite"),
        (np.zeros((28, 28, 1)), r"shape is \(28, 28, 1\)"),
        (np.zeros((5, 1, 28, 28)), "channels-first"),
        (np.random.default_rng(0).random((2, 4, 4, 1)), "vary in fewer than two ways"),
        (np.outer(np.arange(1, 51), np.arange(1, 17)).reshape(50, 4, 4, 1), "vary in fewer than two ways"),
    ],
)
def test_a_layout_that_cannot_be_recovered_gets_one_clear_sentence(images, message):
    with pytest.raises(ValueError, match=message):
        recover_layout(images)


@given(quarters=st.integers(0, 3), mirrored=st.booleans(), seed=st.integers(0, 99))
def test_a_layout_is_turned_to_where_the_pixels_were(quarters, mirrored, seed):
    scrambler = Scrambler((5, 5), seed)
    layout = scrambler.inverse.reshape(5, 5)
    turned = np.rot90(layout[:, ::-1] if mirrored else layout, quarters)
    np.testing.assert_array_equal(oriented(turned.ravel(), scrambler), scrambler.inverse)


def test_layouts_that_are_none_get_one_clear_sentence():
    images, scrambler = np.zeros((3, 4, 4, 1)), Scrambler((4, 6), 0)
    for layout in (np.zeros(16, int), np.arange(16) - 16, np.arange(8)):
        with pytest.raises(ValueError, match="permutation must hold each of 0"):
            lay_out(images, layout)
    with pytest.raises(ValueError, match="Only layouts of square images can be turned"):
        oriented(scrambler.inverse, scrambler)
