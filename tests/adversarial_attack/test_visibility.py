import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial_attack.coordinates import perceptual
from adversarial_attack.visibility import (
    TIERS,
    Visibility,
    colour_difference,
    excess,
    no_more_visible,
    sensitivity,
    visibility,
)
from common.data import load_photograph


@pytest.fixture(scope="module")
def photograph():
    return load_photograph("chelsea").as_float()[0, 50:150, 100:220]


def test_an_image_does_not_differ_from_itself(photograph):
    assert visibility(photograph, photograph) == pytest.approx((0, 0, 1, 0), abs=1e-9)
    assert excess(visibility(photograph, photograph), "strict") == pytest.approx(0, abs=1e-4)


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


@pytest.mark.parametrize("tier", TIERS)
def test_every_limit_of_a_tier_counts(tier):
    limits = TIERS[tier]
    assert excess(limits, tier) == pytest.approx(1)
    nothing = Visibility(0, 0, 1, 0)
    assert excess(nothing, tier) == 0
    for name in Visibility._fields:
        assert excess(nothing._replace(**{name: getattr(limits, name)}), tier) == pytest.approx(1)


@given(seed=st.integers(0, 100))
@settings(max_examples=10)
def test_the_sensitivity_predicts_the_visibility_of_small_noise(photograph, seed):
    noise = 0.004 * np.random.default_rng(seed).normal(size=photograph.shape)
    base = (0.1 + 0.8 * photograph).astype("float64")
    form = np.einsum("hwa,nhwab,hwb->hw", noise, sensitivity(base[np.newaxis]), noise)
    seen = visibility(base, base + noise)
    limits = TIERS["strict"]
    colour = (colour_difference(base, base + noise) ** 2).mean() / limits.mean**2
    structure = (1 - seen.ssim) / (1 - limits.ssim)
    assert form.mean() == pytest.approx(colour + structure, rel=0.2)


@given(seed=st.integers(0, 100))
@settings(max_examples=10)
def test_equal_perceptual_coordinates_are_equally_visible(photograph, seed):
    noise = np.random.default_rng(seed).choice([-1.0, 1.0], (1, *photograph.shape)) / 3**0.5
    base = (0.1 + 0.8 * photograph).astype("float64")[np.newaxis]
    small, large = (
        excess(visibility(base[0], (base + size * perceptual(base)(noise))[0]), "strict")
        for size in (0.2, 0.4)
    )
    assert large == pytest.approx(2 * small, rel=0.2)
    assert 0.1 < small < 0.4


@pytest.mark.parametrize("tier", TIERS)
@given(size=st.floats(0.001, 0.2), seed=st.integers(0, 100))
@settings(max_examples=10)
def test_the_largest_multiple_within_a_tier_is_found(photograph, tier, size, seed):
    images = photograph[np.newaxis]
    noise = size * np.random.default_rng(seed).normal(size=images.shape)
    changed = np.clip(images + noise, 0, 1)
    found = no_more_visible(images, changed, tier)
    reached = excess(visibility(images[0], found[0]), tier)
    assert reached <= 1
    if excess(visibility(images[0], changed[0]), tier) > 1.2:
        assert reached > 0.8


@pytest.mark.parametrize(
    "make", [lambda x: (255 * x).astype("uint8"), lambda x: 255 * x, lambda x: np.nan * x]
)
def test_images_of_another_range_are_not_judged(photograph, make):
    image = make(photograph)
    for call in (lambda: visibility(image, photograph), lambda: sensitivity(image[np.newaxis])):
        with pytest.raises(ValueError, match="images must"):
            call()
