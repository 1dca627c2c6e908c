import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import fft, ndimage, sparse
from skimage.restoration import denoise_bilateral

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
        filters.block_shuffle_and_rotation(height, width, np.random.default_rng(height)),
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


@given(height=sizes, width=sizes, angle=st.floats(-180, 180), seed=seeds)
def test_a_rotated_block_is_that_of_scipy(height, width, angle, seed):
    image = noise(height, width, 3, seed=seed)
    block = (range(height), range(width))
    pixels, origins, weights = filters._rotated_block(block, block, angle, width)
    shape = (height * width, height * width)
    matrix = sparse.coo_array((weights.ravel(), (pixels.ravel(), origins.ravel())), shape).tocsr()
    found = filters.Sparse(matrix, (height, width))(image[np.newaxis])[0]
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turn, centre = np.array([[cosine, sine], [-sine, cosine]]), (np.array([height, width]) - 1) / 2
    for channel in range(3):
        expected = ndimage.affine_transform(
            image[..., channel], turn, centre - turn @ centre, order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(found[..., channel], expected, atol=1e-9)


@given(height=sizes, width=sizes, seed=seeds)
def test_one_block_that_does_not_turn_is_the_image(height, width, seed):
    images = noise(2, height, width, 3, seed=seed).astype("float32")
    same = filters.block_shuffle_and_rotation(height, width, np.random.default_rng(seed), 1, 0)
    np.testing.assert_array_equal(same(images), images)


@given(height=sizes, width=sizes, blocks=st.integers(1, 5), seed=seeds)
def test_blocks_that_do_not_turn_keep_all_pixels(height, width, blocks, seed):
    images = np.arange(height * width, dtype="float64").reshape(1, height, width, 1)
    shuffle = filters.block_shuffle_and_rotation(height, width, np.random.default_rng(seed), blocks, 0)
    found = shuffle(images)[0, ..., 0]
    np.testing.assert_array_equal(np.sort(found, axis=None), images.ravel())
    # Whole blocks move: from one pixel to the next, the original place jumps only at cuts.
    jumps = (np.diff(found, axis=1) != 1).sum(axis=1)
    assert np.all(jumps <= blocks - 1) or np.all((np.diff(found, axis=0) != width).sum(axis=0) <= blocks - 1)


@given(seed=seeds)
def test_a_turned_block_loses_light_but_gains_none(seed):
    turned = filters.block_shuffle_and_rotation(20, 30, np.random.default_rng(seed))
    found = turned(np.ones((1, 20, 30, 3)))
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-12


@given(seed=seeds, window=st.sampled_from([3, 5, 7]))
def test_the_bilateral_filter_does_not_darken_the_border(seed, window):
    image = 0.5 + 0.5 * noise(10, 12, 3, seed=seed)
    wide = np.pad(image, ((3, 3), (3, 3), (0, 0)), mode="symmetric")
    expected = denoise_bilateral(wide, win_size=window, sigma_color=0.1, sigma_spatial=2.0, channel_axis=-1)[
        3:-3, 3:-3
    ]
    found = filters.bilateral(window=window)(image[np.newaxis])[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(seed=seeds)
def test_total_variation_falls_and_the_mean_stays(seed):
    image = ndimage.gaussian_filter(noise(16, 20, 3, seed=seed), (1, 1, 0))
    found = filters.total_variation(0.02)(image[np.newaxis])[0]

    def objective(candidate):
        rows, columns = (np.diff(candidate, axis=axis, append=candidate.take([-1], axis)) for axis in (0, 1))
        return 0.02 * np.hypot(rows, columns).sum() + ((candidate - image) ** 2).sum() / 2

    assert objective(found) < objective(image)
    np.testing.assert_allclose(found.mean(axis=(0, 1)), image.mean(axis=(0, 1)), atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_non_local_means_removes_noise_from_a_periodic_pattern(seed, channels):
    tile = np.kron([[0.2, 0.8], [0.8, 0.2]], np.ones((2, 2)))
    pattern = np.repeat(np.tile(tile, (5, 5))[..., np.newaxis], channels, axis=-1)
    noisy = np.clip(pattern + 0.02 * np.random.default_rng(seed).normal(size=pattern.shape), 0, 1)
    found = filters.non_local_means()(noisy[np.newaxis])[0]
    assert np.abs(found - pattern).mean() < 0.7 * np.abs(noisy - pattern).mean()


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
    "nonlinear",
    [
        filters.jpeg(75),
        filters.webp(75),
        filters.median(),
        filters.bilateral(),
        filters.total_variation(),
        filters.non_local_means(),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_nonlinear_filters_treat_images_apart_and_pass_gradients_through(nonlinear, channels):
    images = noise(3, 16, 20, channels).astype("float32")
    found = nonlinear(images)
    assert (found.dtype, found.shape) == (images.dtype, images.shape)
    assert 0 <= found.min() <= found.max() <= 1
    np.testing.assert_array_equal(found[1], nonlinear(images[1:2])[0])
    np.testing.assert_array_equal(nonlinear.adjoint(images), images)


IMAGES = np.full((2, 12, 14, 3), 0.5, "float32")
RNG = np.random.default_rng(0)


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
        (
            lambda: filters.block_shuffle_and_rotation(12, 14, RNG)(IMAGES.swapaxes(1, 2)),
            r"of \(12, 14\) pixels, not \(14, 12\)",
        ),
        (lambda: filters.block_shuffle_and_rotation(12, 14, RNG, 0), "blocks must be a whole number"),
        (lambda: filters.block_shuffle_and_rotation(12, 14, RNG, 13), "cannot be cut into 13 blocks"),
        (
            lambda: filters.block_shuffle_and_rotation(12, 14, RNG, 2, -1),
            "degrees must lie between 0 and 180",
        ),
        (lambda: filters.total_variation(0), "weight must be positive, not 0"),
        (lambda: filters.total_variation(0.05, 0), "iterations must be a whole number"),
        (lambda: filters.non_local_means(np.nan), "strength must be positive, not nan"),
        (lambda: filters.non_local_means(patch=0), "patch must be a whole number"),
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
