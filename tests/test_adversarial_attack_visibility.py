import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversarial_attack.visibility import TIERS, Visibility, visibility, within
from common.data import load_photograph


@pytest.fixture(scope="module")
def photograph():
    return load_photograph("chelsea").as_float()[0, 50:150, 100:220]


def test_an_image_does_not_differ_from_itself(photograph):
    assert visibility(photograph, photograph) == pytest.approx((0, 0, 1, 0), abs=1e-9)
    assert within(visibility(photograph, photograph), "strict")


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
    assert within(limits, tier)
    beyond = Visibility(limits.mean + 0.01, limits.p95 + 0.01, limits.ssim - 0.01, limits.blurred + 0.01)
    for name in Visibility._fields:
        assert not within(limits._replace(**{name: getattr(beyond, name)}), tier)
