import numpy as np
import pytest
import pywt
from hypothesis import given
from hypothesis import strategies as st

from wavelet_based_dnn import coefficients
from wavelet_based_dnn.pictures import load_grey_photographs, load_perturbations

sizes = st.sampled_from([32, 48, 64])
shapes = st.tuples(st.integers(1, 3), sizes, sizes, st.integers(1, 2))
orthogonal = st.sampled_from(["haar", "db2", "sym4", "coif1"])


def images_of(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@given(shape=shapes, wavelet=orthogonal, seed=st.integers(0, 99))
def test_all_coefficients_give_the_image_and_none_is_counted_twice(shape, wavelet, seed):
    images = images_of(shape, seed)
    np.testing.assert_allclose(coefficients.from_largest_wavelets(images, 1, wavelet, 2), images, atol=1e-9)
    np.testing.assert_allclose(coefficients.from_largest_waves(images, 1), images, atol=1e-9)
    np.testing.assert_allclose(coefficients.energy_by_level(images, wavelet, 2).sum(axis=1), 1)


@given(shape=shapes, wavelet=orthogonal, share=st.floats(0.05, 0.9), seed=st.integers(0, 99))
def test_the_kept_coefficients_are_the_largest_of_pywavelets(shape, wavelet, share, seed):
    images = images_of(shape, seed)
    found = coefficients.from_largest_wavelets(images, share, wavelet, 2)
    levels = pywt.wavedec2(images[0, ..., 0], wavelet, mode="periodization", level=2)
    flat, slices = pywt.coeffs_to_array(levels)
    least = np.sort(np.abs(flat), axis=None)[-max(1, round(share * flat.size))]
    kept = pywt.array_to_coeffs(pywt.threshold(flat, least, "hard"), slices, output_format="wavedec2")
    expected = pywt.waverec2(kept, wavelet, mode="periodization")
    np.testing.assert_allclose(found[0, ..., 0], expected, atol=1e-9)


@given(shape=shapes, share=st.floats(0.05, 0.9), seed=st.integers(0, 99))
def test_what_is_lost_is_the_energy_of_what_is_left_out(shape, share, seed):
    images = images_of(shape, seed)
    for found in (
        coefficients.from_largest_wavelets(images, share, "db2", 2),
        coefficients.from_largest_waves(images, share),
    ):
        lost = np.sum((images - found) ** 2)
        np.testing.assert_allclose(lost, np.sum(images**2) - np.sum(found**2), rtol=1e-6, atol=1e-8)


def test_a_wave_is_one_pair_of_fourier_coefficients():
    wave = np.cos(2 * np.pi * 3 * np.arange(32) / 32)[None, :, None, None] * np.ones((1, 32, 32, 1))
    np.testing.assert_allclose(coefficients.from_largest_waves(wave, 2 / 1024), wave, atol=1e-9)
    few = coefficients.from_largest_wavelets(wave, 2 / 1024, "haar", 3)
    assert np.sum((few - wave) ** 2) > 0.5 * np.sum(wave**2)


def test_details_are_removed_where_they_are_and_nowhere_else():
    images = images_of((1, 64, 64, 1))
    changed = coefficients.without_details(images, (16, 32), (32, 48), "haar", 3) - images
    inside = np.zeros((64, 64), bool)
    inside[16:32, 32:48] = True
    assert np.all(changed[0, ~inside] == pytest.approx(0, abs=1e-12))
    blocks = (images + changed)[0, 16:32, 32:48, 0].reshape(2, 8, 2, 8)
    np.testing.assert_allclose(blocks, blocks.mean(axis=(1, 3), keepdims=True) * np.ones_like(blocks))


def test_high_frequencies_are_removed_everywhere():
    images = images_of((1, 32, 32, 1))
    without = coefficients.without_high_frequencies(images, 100)
    assert np.all(np.abs(without - images) > 0)
    spectrum = np.abs(np.fft.fft2(without[0, ..., 0]))
    assert 100 <= np.sum(spectrum < 1e-9) < 108
    assert spectrum[16, 16] < 1e-9 < spectrum[0, 0]


def test_the_energy_of_noise_goes_with_the_number_of_coefficients():
    shares = coefficients.energy_by_level(images_of((4, 256, 256, 1)), "haar", 3).mean(axis=0)
    np.testing.assert_allclose(shares, [1 / 64, 3 / 64, 3 / 16, 3 / 4], rtol=0.05)


@pytest.mark.parametrize("call", [
    lambda: coefficients.from_largest_wavelets(np.zeros((1, 30, 32, 1)), 0.5, "haar", 3),
    lambda: coefficients.energy_by_level(np.zeros((32, 32)), "haar", 3),
    lambda: coefficients.from_largest_waves(np.zeros((1, 8, 8, 1)), 0),
    lambda: coefficients.from_largest_wavelets(np.zeros((1, 8, 8, 1)), 1.5, "haar", 3),
    lambda: coefficients.without_high_frequencies(np.zeros((1, 8, 8, 1)), 0),
    lambda: coefficients.without_high_frequencies(np.zeros((1, 8, 8, 1)), 65),
    lambda: coefficients.from_largest_wavelets(np.ones((1, 8, 8, 1)), 0.5, "bior2.2", 3),
    lambda: coefficients.energy_by_level(np.ones((1, 8, 8, 1)), "bior2.2", 3),
    lambda: coefficients.energy_by_level(np.zeros((1, 8, 8, 1)), "haar", 3),
    lambda: coefficients.without_details(np.ones((1, 8, 8, 1)), (4, 2), (0, 4), "haar", 3),
    lambda: coefficients.without_details(np.ones((1, 8, 8, 1)), (0, 4), (8, 12), "haar", 3),
])  # fmt: skip
def test_bad_arguments_get_one_clear_sentence(call):
    with pytest.raises(
        ValueError,
        match=r"divisible by 8|share must lie in|count must be 1 to 64|orthogonal|no energy|begin and end",
    ):
        call()


def test_photographs_are_grey_and_of_one_size():
    names, images = load_grey_photographs()
    assert images.shape == (len(names), 256, 256, 1)
    assert {"camera", "astronaut"} <= set(names)
    assert 0 <= images.min() < images.max() <= 1


def test_perturbations_are_small_and_not_nothing():
    clean, added = load_perturbations()
    assert clean.shape == added.shape == (20, 224, 224, 3)
    assert 0 < np.abs(added).mean() < 0.02
    assert np.abs(added).max(axis=(1, 2, 3)).min() > 0
