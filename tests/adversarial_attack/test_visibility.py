import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from adversarial_attack.coordinates import perceptual
from adversarial_attack.held_out import as_jpeg, held_out, relative_to_jpeg
from adversarial_attack.visibility import (
    JPEG_QUALITIES,
    LIMITS,
    TIERS,
    colour_difference,
    excess,
    no_more_visible,
    scaled_to,
    sensitivity,
    visibility,
    worst_place,
    worst_window,
)
from common.data import load_photograph


@pytest.fixture(scope="module")
def photograph():
    return load_photograph("chelsea").as_float()[0, 50:150, 100:220]


def test_an_image_does_not_differ_from_itself(photograph):
    assert visibility(photograph, photograph) == pytest.approx((0, 0, 1, 0), abs=1e-9)
    assert worst_window(photograph, photograph) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("tier", TIERS)
def test_an_image_uses_up_nothing_of_any_tier(photograph, tier):
    assert excess(photograph, photograph, tier) == pytest.approx(0, abs=1e-4)


def test_a_step_of_lightness_in_grey_is_the_known_difference():
    # The CIEDE2000 difference of L* = 50 and 51 is 1 / S_L: S_L = 1 + 0.015 d / sqrt(20 + d), d = 0.25.
    def grey(lightness):
        linear = ((lightness + 16) / 116) ** 3
        return np.full((16, 16, 3), 1.055 * linear ** (1 / 2.4) - 0.055)

    expected = 1 / (1 + 0.015 * 0.25 / np.sqrt(20.25))
    found = visibility(grey(50), grey(51))
    assert (found.mean, found.p95, found.blurred) == pytest.approx((expected,) * 3, abs=2e-3)


@given(size=st.floats(0.002, 0.1), seed=st.integers(0, 100))
def test_larger_differences_are_more_visible(photograph, size, seed):
    noise = np.random.default_rng(seed).choice([-1.0, 1.0], photograph.shape)
    base = 0.2 + 0.6 * photograph
    small, large = (visibility(base, base + factor * size * noise) for factor in (1, 1.5))
    assert small.mean < large.mean
    assert small.p95 < large.p95
    assert small.ssim > large.ssim


@given(seed=st.integers(0, 100))
def test_what_averages_out_is_less_visible_from_afar(photograph, seed):
    noise = np.random.default_rng(seed).choice([-0.02, 0.02], photograph.shape)
    found = visibility(0.2 + 0.6 * photograph, 0.2 + 0.6 * photograph + noise)
    assert found.blurred < 0.5 * found.mean


@given(size=st.floats(0.001, 0.1), grain=st.integers(1, 20), seed=st.integers(0, 100))
@settings(max_examples=20)
def test_the_measure_that_is_worst_over_its_limit_counts(photograph, size, grain, seed):
    changed = grainy(photograph, size, grain, seed)
    seen, window = visibility(photograph, changed), worst_window(photograph, changed)
    for tier, (mean, p95, ssim, blurred) in LIMITS.items():
        ratios = [seen.mean / mean, seen.p95 / p95, seen.blurred / blurred, window / (2 * mean)]
        structure = ((1 - seen.ssim) / (1 - ssim)) ** 0.5
        assert excess(photograph, changed, tier) == pytest.approx(max(*ratios, structure))


def grainy(image, size, grain, seed):
    """Return an image with noise, the same in squares of `grain` x `grain` pixels.

    Noise of one amplitude would jump by whole levels where it is rounded, and its visibility with it.
    """
    noise = np.random.default_rng(seed).normal(size=(*image.shape[:2], 1))
    squares = np.kron(noise, np.ones((grain, grain, 1)))[: image.shape[0], : image.shape[1]]
    return np.clip(image + size * squares, 0, 1).astype(image.dtype)


@given(height=st.integers(7, 40), width=st.integers(7, 40), seed=st.integers(0, 100))
@settings(max_examples=20)
def test_the_worst_window_is_the_worst_of_all_windows(height, width, seed):
    image, other = np.random.default_rng(seed).random((2, height, width, 3))
    windows = sliding_window_view(colour_difference(image, other), (min(31, height), min(31, width)))
    assert worst_window(image, other) == pytest.approx(windows.mean(axis=(-1, -2)).max())
    place = worst_place(image, other, 7)
    assert colour_difference(image[place], other[place]).shape == (7, 7)
    sevens = sliding_window_view(colour_difference(image, other), (7, 7)).mean(axis=(-1, -2))
    assert colour_difference(image[place], other[place]).mean() == pytest.approx(sevens.max())


def test_a_change_in_one_place_breaks_a_tier_that_it_keeps_on_average(photograph):
    changed = photograph.copy()
    changed[40:71, 40:71] = np.clip(changed[40:71, 40:71] + 0.04, 0, 1)
    seen = visibility(photograph, changed)
    assert seen.mean < 0.5 * LIMITS["strict"].mean
    assert worst_window(photograph, changed) > 2 * LIMITS["strict"].mean
    assert excess(photograph, changed, "strict") > 1


@pytest.mark.parametrize(("tier", "quality"), JPEG_QUALITIES.items())
def test_a_jpeg_just_keeps_the_tier_of_its_quality(photograph, tier, quality):
    jpeg = as_jpeg(photograph, quality)
    demanded = (100 - held_out(photograph, jpeg).ssimulacra2) / 10 if quality == 95 else 0
    assert excess(photograph, jpeg, tier) == max(1, demanded)
    assert excess(photograph, as_jpeg(photograph, quality - 15), tier) > 1
    if quality < 95:
        changed = grainy(photograph, 0.02, 3, 0)
        assert excess(photograph, changed, tier) == relative_to_jpeg(photograph, changed, quality)


def test_jpeg_95_is_indiscernible_only_where_ssimulacra2_says_so(photograph):
    # Coarse noise costs SSIMULACRA2 most; an image of noise has a JPEG 95 that is worse than that.
    noisy = grainy(photograph, 0.3, 1, 0)
    changed = grainy(noisy, 0.06, 4, 1)
    assert held_out(noisy, changed).ssimulacra2 < 90
    assert excess(noisy, changed, "JPEG 95") > 1


@given(seed=st.integers(0, 100))
@settings(max_examples=10)
def test_the_sensitivity_predicts_the_visibility_of_small_noise(photograph, seed):
    noise = 0.004 * np.random.default_rng(seed).normal(size=photograph.shape)
    base = (0.1 + 0.8 * photograph).astype("float64")
    form = np.einsum("hwa,nhwab,hwb->hw", noise, sensitivity(base[np.newaxis]), noise)
    seen = visibility(base, base + noise)
    limits = LIMITS["strict"]
    colour = (colour_difference(base, base + noise) ** 2).mean() / limits.mean**2
    structure = (1 - seen.ssim) / (1 - limits.ssim)
    assert form.mean() == pytest.approx(colour + structure, rel=0.2)


@given(seed=st.integers(0, 100))
@settings(max_examples=10)
def test_equal_perceptual_coordinates_are_equally_visible(photograph, seed):
    noise = np.random.default_rng(seed).choice([-1.0, 1.0], (1, *photograph.shape)) / 3**0.5
    base = (0.1 + 0.8 * photograph).astype("float64")[np.newaxis]
    small, large = (
        excess(base[0], (base + size * perceptual(base)(noise))[0], "strict") for size in (0.2, 0.4)
    )
    assert large == pytest.approx(2 * small, rel=0.2)
    assert 0.1 < small < 0.4


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("size", "grain"), [(0.002, 1), (0.04, 3), (0.2, 1)])
def test_the_largest_multiple_within_a_tier_is_found(photograph, tier, size, grain):
    images = photograph[np.newaxis, :64, :64]
    changed = grainy(images[0], size, grain, 0)[np.newaxis]
    found, (multiple,) = scaled_to(images, changed, tier)
    np.testing.assert_allclose(found[0], images[0] + multiple * (changed - images)[0], atol=0.501 / 255)
    np.testing.assert_allclose(255 * found, np.round(255 * found), atol=1e-4)
    reached = excess(images[0], found[0], tier)
    assert reached <= 1
    assert reached > 0.9 or multiple == 1
    np.testing.assert_array_equal(no_more_visible(images, changed, tier), found)


def test_a_small_change_grows_up_to_the_largest_multiple(photograph):
    images = np.stack([photograph, photograph])
    changed = np.stack([grainy(photograph, size, 3, 0) for size in (0.0005, 0.02)])
    found, multiples = scaled_to(images, changed, "strict", most=8.0)
    assert multiples[0] == 8
    assert 0.9 < excess(photograph, found[1], "strict") <= 1
    # The multiple does not depend on where the search starts.
    assert scaled_to(images, changed, "strict", most=20.0)[1][1] == pytest.approx(multiples[1], rel=0.1)


@pytest.mark.parametrize(
    "make", [lambda x: (255 * x).astype("uint8"), lambda x: 255 * x, lambda x: np.nan * x]
)
def test_images_of_another_range_are_not_judged(photograph, make):
    image = make(photograph)
    for call in (
        lambda: visibility(image, photograph),
        lambda: sensitivity(image[np.newaxis]),
        lambda: worst_window(photograph, image),
        lambda: excess(photograph, image, "JPEG 90"),
    ):
        with pytest.raises(ValueError, match="images must"):
            call()
