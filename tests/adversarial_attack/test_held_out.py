import io

import flip_evaluator
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from scipy import ndimage
from ssimulacra2 import compute_ssimulacra2

from adversarial_attack.held_out import (
    FLIP,
    PIXELS_PER_DEGREE,
    WINDOW,
    HeldOut,
    as_jpeg,
    flip_ratios,
    held_out,
    jpeg_reference,
    relative,
    relative_to_jpeg,
)
from common.data import load_photograph


@pytest.fixture(scope="module")
def photograph():
    return load_photograph("chelsea").as_float()[0, 20:276, 60:316]


def noisy(image, levels, seed=0):
    noise = levels / 255 * np.random.default_rng(seed).normal(size=image.shape)
    return (np.round(255 * np.clip(image + noise, 0, 1)) / 255).astype("float32")


def test_the_packages_called_on_files_give_the_same_numbers(photograph, tmp_path):
    other = noisy(photograph, 2)
    files = [str(tmp_path / name) for name in ("image.png", "other.png")]
    for image, file in zip((photograph, other), files, strict=True):
        Image.fromarray(np.round(255 * image).astype("uint8")).save(file)
    found = held_out(photograph, other)
    assert found.ssimulacra2 == pytest.approx(compute_ssimulacra2(*files))
    maps = [
        flip_evaluator.evaluate(*files, "LDR", applyMagma=False, parameters={"ppd": ppd})[0]
        for ppd in (67, 30)
    ]
    windows = [sliding_window_view(x.squeeze(), (WINDOW, WINDOW)).mean(axis=(2, 3)).max() for x in maps]
    expected = [(x.mean(), np.percentile(x, 99), window) for x, window in zip(maps, windows, strict=True)]
    assert found[:6] == pytest.approx(np.ravel(expected), rel=1e-4)


def test_small_images_are_reflected_for_ssimulacra2(photograph):
    small, other = photograph[:120, :90], noisy(photograph[:120, :90], 3)
    padding = ((68, 68), (83, 83), (0, 0))
    padded = [np.pad(x, padding, mode="reflect") for x in (small, other)]
    assert held_out(small, other).ssimulacra2 == held_out(*padded).ssimulacra2
    tiny = held_out(small[:9, :12], other[:9, :12])
    assert 0 < tiny.flip_mean < tiny.flip_p99 < 0.5
    assert 50 < tiny.ssimulacra2 < 100


def test_an_image_does_not_differ_from_itself(photograph):
    assert held_out(photograph, photograph) == (0,) * 6 + (100,)
    assert relative_to_jpeg(photograph, photograph) == 0


def test_noise_and_jpeg_reach_about_the_medians_of_other_photographs(photograph):
    # Medians of 16 photographs at 224 x 224 (mean and 99th percentile of the nearer FLIP, SSIMULACRA2).
    medians = {
        95: (0.044, 0.103, 92.3),
        90: (0.057, 0.143, 88.1),
        85: (0.066, 0.173, 85.1),
        75: (0.083, 0.220, 79.9),
    }
    for quality, median in medians.items():
        found = held_out(photograph, as_jpeg(photograph, quality))
        assert found[3:5] == pytest.approx(median[:2], rel=0.5)
        assert found.ssimulacra2 == pytest.approx(median[2], abs=5)
    for levels, score in {1: 95.3, 2: 91.2, 4: 82.3}.items():
        assert held_out(photograph, noisy(photograph, levels)).ssimulacra2 == pytest.approx(score, abs=5)


@given(size=st.floats(1, 6), seed=st.integers(0, 100))
@settings(max_examples=4)
def test_more_noise_is_more_visible(photograph, size, seed):
    photograph = photograph[64:128, 64:128]
    small, large = (noisy(photograph, factor * size, seed) for factor in (1, 1.5))
    less, more = held_out(photograph, small), held_out(photograph, large)
    assert less.flip_mean < more.flip_mean
    assert less.flip_p99 < more.flip_p99
    assert less.ssimulacra2 > more.ssimulacra2
    assert relative_to_jpeg(photograph, small) < relative_to_jpeg(photograph, large)


@pytest.mark.parametrize("quality", [95, 90, 75])
def test_a_jpeg_is_exactly_as_visible_as_itself(photograph, quality):
    jpeg = as_jpeg(photograph, quality)
    assert relative_to_jpeg(photograph, jpeg, quality) == 1
    # The second time, the reference is a remembered one.
    assert relative_to_jpeg(photograph.copy(), jpeg, quality) == 1
    assert relative_to_jpeg(photograph, as_jpeg(photograph, quality - 15), quality) > 1


def test_the_reference_is_that_of_the_image_and_the_quality_asked_for(photograph):
    images = [photograph[:64, :64], photograph[64:128, :64], photograph[:64, :64].astype("float64")]
    for _ in range(2):
        for image in images:
            for quality in (90, 75):
                assert jpeg_reference(image, quality) == held_out(image, as_jpeg(image, quality))


@pytest.mark.parametrize("measure", HeldOut._fields)
def test_the_largest_ratio_counts_whichever_it_is(measure):
    reference = HeldOut(0.05, 0.1, 0.08, 0.06, 0.12, 0.09, 90.0)
    value = getattr(reference, measure)
    changed = reference._replace(**{measure: 3 * value if value < 1 else 70.0})
    assert relative(changed, reference) == pytest.approx(3)


def test_a_change_that_shows_more_from_afar_is_not_excused_by_the_nearer_distance(photograph):
    coarse = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=photograph.shape), (3, 3, 0))
    changed = np.clip(photograph + 0.01 * coarse / coarse.std(), 0, 1).astype("float32")
    seen, reference = held_out(photograph, changed), jpeg_reference(photograph)
    assert seen.flip_p99 / reference.flip_p99 > seen.near_p99 / reference.near_p99
    assert relative_to_jpeg(photograph, changed) >= seen.flip_p99 / reference.flip_p99


@given(size=st.floats(1, 6), seed=st.integers(0, 100))
@settings(max_examples=3)
def test_the_distances_of_the_limit_and_ssimulacra2_make_the_relative_visibility(photograph, size, seed):
    photograph = photograph[64:128, 64:128]
    changed = noisy(photograph, size, seed)
    seen, unit = held_out(photograph, changed), jpeg_reference(photograph)
    found = [flip_ratios(photograph, changed, distance) for distance in PIXELS_PER_DEGREE]
    counted = [ratios[name] for ratios in found for name in list(FLIP)[:3]]
    counted.append((100 - seen.ssimulacra2) / (100 - unit.ssimulacra2))
    assert relative_to_jpeg(photograph, changed) == max(counted)


@pytest.mark.parametrize("name", FLIP)
def test_measures_of_errors_grow_as_they_look_at_smaller_spots(name, rng):
    errors = ndimage.gaussian_filter(rng.random((60, 70)), 3)
    assert errors.min() <= FLIP[name](errors) <= errors.max()
    assert FLIP[name](2 * errors) == pytest.approx(2 * FLIP[name](errors))
    windows = [FLIP[f"worst {side} x {side} pixels"](errors) for side in (31, 15, 9)]
    assert windows == sorted(windows)
    assert FLIP["mean"](errors) <= FLIP["99th percentile"](errors) <= FLIP["99.9th percentile"](errors)


def test_what_a_reference_does_not_change_may_not_be_changed():
    grey = np.full((16, 16, 3), 128 / 255, "float32")
    assert held_out(grey, as_jpeg(grey, 90)) == (0,) * 6 + (100,)
    assert relative_to_jpeg(grey, grey) == 0
    assert relative_to_jpeg(grey, grey + np.float32(4 / 255)) == np.inf


def test_a_jpeg_keeps_the_resolution_of_colours(photograph):
    data = io.BytesIO()
    pixels = np.round(255 * photograph).astype("uint8")
    Image.fromarray(pixels).save(data, "JPEG", quality=90, subsampling="4:4:4")
    np.testing.assert_array_equal(np.round(255 * as_jpeg(photograph, 90)), np.asarray(Image.open(data)))
    assert as_jpeg(photograph, 90).dtype == photograph.dtype
    # Columns of red and blue, alike in lightness, melt where JPEG halves the resolution of colours.
    stripes = np.where(np.arange(32)[:, np.newaxis] % 2, (0.8, 0.2, 0.2), (0.2, 0.2, 0.8))
    image = np.broadcast_to(stripes, (32, 32, 3)).astype("float32")
    assert np.abs(as_jpeg(image, 95) - image).max() < 0.1


@pytest.mark.parametrize("quality", [0, 96, 90.5, "90", None])
def test_other_qualities_are_refused(photograph, quality):
    with pytest.raises(ValueError, match="1 to 95"):
        as_jpeg(photograph, quality)


@pytest.mark.parametrize(
    "make",
    [lambda x: (255 * x).astype("uint8"), lambda x: 255 * x, lambda x: np.nan * x, lambda x: x[..., :1]],
)
def test_what_is_no_image_in_0_to_1_is_refused(photograph, make):
    for call in (lambda x: held_out(photograph, x), lambda x: as_jpeg(x, 90), jpeg_reference):
        with pytest.raises(ValueError, match=r"[Ii]mage"):
            call(make(photograph))
    with pytest.raises(ValueError, match="one shape"):
        held_out(photograph, photograph[:100])
