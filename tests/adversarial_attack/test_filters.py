import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import fft, ndimage

from adversarial_attack import filters

sizes = st.integers(5, 40)
seeds = st.integers(0, 1000)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def linear_filters(height, width):
    return [
        filters.gaussian_blur(height, width, 1.3),
        filters.down_and_up(height, width),
        filters.resized_and_padded(height, width, height - 2, width - 3, 1, 2),
        filters.low_frequencies(height, width, 0.25),
    ]


@given(height=sizes, width=sizes, seed=seeds)
def test_adjoints_of_linear_filters_are_adjoint(height, width, seed):
    x, y = noise(2, 2, height, width, 3, seed=seed)
    for linear in linear_filters(height, width):
        assert np.vdot(linear(x), y) == pytest.approx(np.vdot(x, linear.adjoint(y)), rel=1e-10)


@given(height=sizes, width=sizes, sigma=st.floats(0.3, 4), seed=seeds)
def test_the_blur_is_that_of_scipy(height, width, sigma, seed):
    images = noise(2, height, width, 3, seed=seed)
    expected = ndimage.gaussian_filter(images, (0, sigma, sigma, 0), mode="reflect")
    np.testing.assert_allclose(filters.gaussian_blur(height, width, sigma)(images), expected, atol=1e-12)


@given(height=sizes, width=sizes, seed=seeds)
def test_resampling_is_that_of_pillow(height, width, seed):
    image = noise(height, width, seed=seed).astype("float32")
    small = Image.fromarray(image).resize((round(width / 2), round(height / 2)), Image.Resampling.BICUBIC)
    expected = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
    found = filters.down_and_up(height, width)(image[np.newaxis, ..., np.newaxis])
    np.testing.assert_allclose(found[0, ..., 0], expected, atol=1e-4)


@given(seed=seeds, top=st.integers(0, 4), left=st.integers(0, 6))
def test_a_smaller_image_stands_in_a_black_frame(seed, top, left):
    image = noise(20, 30, seed=seed).astype("float32")
    expected = np.zeros((20, 30), "float32")
    small = Image.fromarray(image).resize((24, 16), Image.Resampling.BICUBIC)
    expected[top : top + 16, left : left + 24] = np.asarray(small)
    found = filters.resized_and_padded(20, 30, 16, 24, top, left)(image[np.newaxis, ..., np.newaxis])
    np.testing.assert_allclose(found[0, ..., 0], expected, atol=1e-4)


@given(height=sizes, width=sizes, share=st.floats(0.2, 1), seed=seeds)
def test_low_frequencies_are_a_projection_on_cosines(height, width, share, seed):
    images = noise(1, height, width, 1, seed=seed)
    project = filters.low_frequencies(height, width, share)
    found = project(images)
    np.testing.assert_allclose(project(found), found, atol=1e-10)
    spectrum = fft.dctn(images, axes=(1, 2), norm="ortho")
    spectrum[:, round(share * height) :] = 0
    spectrum[:, :, round(share * width) :] = 0
    np.testing.assert_allclose(fft.dctn(found, axes=(1, 2), norm="ortho"), spectrum, atol=1e-10)


@pytest.mark.parametrize(("name", "kind"), [("jpeg", "JPEG"), ("webp", "WEBP")])
@pytest.mark.parametrize("channels", [1, 3])
def test_compression_is_that_of_a_file(name, kind, channels):
    images = ndimage.gaussian_filter(noise(2, 24, 40, channels), (0, 2, 2, 0))
    file = io.BytesIO()
    stored = np.squeeze(np.round(255 * images[1]).astype("uint8"))
    Image.fromarray(stored).save(file, kind, quality=50)
    expected = np.asarray(Image.open(file).convert("RGB" if channels == 3 else "L")) / 255
    found = getattr(filters, name)(50)(images)
    assert found.shape == images.shape
    np.testing.assert_allclose(np.squeeze(found[1]), expected, atol=1e-6)
    assert np.abs(found - images).max() > 0.01


@pytest.mark.parametrize(
    "nonlinear", [filters.jpeg(75), filters.webp(75), filters.median(), filters.bilateral()]
)
def test_nonlinear_filters_treat_images_apart_and_pass_gradients_through(nonlinear):
    images = noise(3, 16, 20, 3).astype("float32")
    found = nonlinear(images)
    assert (found.dtype, found.shape) == (images.dtype, images.shape)
    np.testing.assert_array_equal(found[1], nonlinear(images[1:2])[0])
    np.testing.assert_array_equal(nonlinear.adjoint(images), images)


IMAGES = np.full((2, 12, 14, 3), 0.5, "float32")


@pytest.mark.parametrize(
    "make", [lambda: filters.gaussian_blur(12, 14, 1.0), filters.bilateral, filters.median]
)
@pytest.mark.parametrize(
    ("images", "message"),
    [
        ((255 * IMAGES).astype("uint8"), "must be floating point"),
        (IMAGES[0], "4 axes"),
        (np.nan * IMAGES, "must be finite"),
        (IMAGES.tolist(), "must be a NumPy array, not list"),
    ],
)
def test_what_a_filter_cannot_see_gets_one_clear_sentence(make, images, message):
    with pytest.raises(ValueError, match=message):
        make()(images)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: filters.gaussian_blur(12, 14, 1.0)(IMAGES.swapaxes(1, 2)),
            r"of \(12, 14\) pixels, not \(14, 12\)",
        ),
        (lambda: filters.gaussian_blur(12, 14, 0), "sigma must be a positive number"),
        (lambda: filters.down_and_up(12, 14, 50), r"share must lie in \[0, 1\], not be 50; divide percent"),
        (lambda: filters.low_frequencies(12, 14, 0), "leaves nothing of 12 pixels"),
        (lambda: filters.jpeg(-1), "quality must be a whole number from 1 to 95, not -1"),
        (lambda: filters.jpeg(150), "quality must be a whole number from 1 to 95"),
        (lambda: filters.webp(0.75), "quality must be a whole number from 0 to 100, not 0.75"),
        (lambda: filters.median(0), "size must be a whole number of at least 1"),
        (lambda: filters.bilateral(0.1, 0), "deviation and sigma must be positive"),
    ],
)
def test_numbers_out_of_range_get_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
