import ast
import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson
from skimage.transform import radon as skimage_radon

from cnn_vs_dense import measurement
from common.data import load_dataset
from common.fourier import fft2
from common.radon import radon

ANGLES = tuple(np.arange(16) * 180 / 16)


def test_the_simulator_shares_no_code_with_the_reconstruction():
    imports = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(measurement)))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    modules = {getattr(node, "module", None) or node.names[0].name for node in imports}
    assert modules == {"collections.abc", "functools", "numpy", "scipy.ndimage"}


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
def test_the_simulated_measurement_is_close_to_the_reconstructions_model_but_not_the_same(dataset):
    images = load_dataset(dataset).test[:20].as_float()
    modelled, measured = np.asarray(radon(images, ANGLES)), measurement.projections(images, ANGLES)
    assert 0.01 < np.linalg.norm(measured - modelled) / np.linalg.norm(modelled) < 0.1
    modelled = fft2(np.fft.ifftshift(images, axes=(1, 2)))
    modelled = np.asarray(modelled.real) + 1j * np.asarray(modelled.imaginary)
    measured = measurement.k_space(images)
    assert 0.01 < np.linalg.norm(measured - modelled) / np.linalg.norm(modelled) < 0.2


@settings(max_examples=10)
@given(size=st.integers(3, 9), angle=st.floats(-360, 360), seed=st.integers(0, 99))
def test_every_projection_holds_the_whole_object(size, angle, seed):
    margin = ((0, 0), (4, 4), (4, 4), (0, 0))
    images = np.pad(np.random.default_rng(seed).random((2, size, size, 2)), margin)
    sums = measurement.projections(images, (angle,)).sum(axis=(1, 2))
    np.testing.assert_allclose(sums, images.sum(axis=(1, 2)), rtol=1e-6)
    assert measurement.projections(images, (angle,)).min() > -1e-7


@pytest.mark.parametrize("angle", ANGLES)
def test_a_disc_has_the_shadow_of_a_disc(angle):
    size, radius, row, column = 64, 15.0, 35, 28
    fine = (np.arange(8 * size) + 0.5) / 8 - 0.5
    disc = (fine[:, None] - row) ** 2 + (fine - column) ** 2 <= radius**2
    image = disc.reshape(size, 8, size, 8).mean(axis=(1, 3))[None, ..., None]
    shadow = measurement.projections(image, (angle,))[0, :, 0, 0]
    a = np.deg2rad(angle)
    centre = len(shadow) // 2 + (column - size // 2) * np.cos(a) - (row - size // 2) * np.sin(a)
    strip = np.arange(len(shadow))[:, None] + (np.arange(50) + 0.5) / 50 - 0.5
    chords = 2 * np.sqrt(np.maximum(radius**2 - (strip - centre) ** 2, 0)).mean(axis=1)
    assert np.abs(shadow - chords).max() < 0.05 * chords.max()


@pytest.mark.parametrize("angle", [0.0, 90.0, 180.0, 30.0])
def test_projections_are_close_to_those_of_scikit_image(angle):
    smooth = np.exp(-(((np.arange(32) - 15) / 6) ** 2))
    image = smooth[:, None] * np.roll(smooth, 3)
    expected = skimage_radon(image, [angle], circle=False)
    shadow = measurement.projections(image[None, ..., None], (angle,))[0, :, :, 0]
    np.testing.assert_allclose(shadow, expected, atol=0.01 * expected.max())


@settings(max_examples=5)
@given(size=st.integers(4, 9), shift=st.integers(-3, 3), seed=st.integers(0, 99))
def test_a_detector_displaced_by_whole_pixels_records_what_its_neighbours_did(size, shift, seed):
    images = np.pad(np.random.default_rng(seed).random((1, size, size, 1)), ((0, 0), (6, 6), (6, 6), (0, 0)))
    still = measurement.projections(images, ANGLES[1:9:3])
    moved = measurement.projections(images, ANGLES[1:9:3], shift)
    np.testing.assert_allclose(moved, np.roll(still, -shift, axis=1), atol=1e-9)


def test_half_a_displacement_lies_between_none_and_a_whole_one():
    smooth = np.exp(-(((np.arange(32) - 15) / 6) ** 2))
    image = (smooth[:, None] * smooth)[None, ..., None]
    ends = [measurement.projections(image, ANGLES, shift) for shift in (0, 1)]
    half = measurement.projections(image, ANGLES, 0.5)
    np.testing.assert_allclose(half, np.mean(ends, axis=0), atol=0.01 * half.max())


@settings(max_examples=10)
@given(row=st.floats(-3, 3), column=st.floats(-3, 3), width=st.floats(2, 4))
def test_k_space_of_a_gaussian_is_that_of_the_textbook(row, column, width):
    grid = np.arange(40) - 20
    gaussian = [np.exp(-((grid - centre) ** 2) / (2 * width**2)) for centre in (row, column)]
    waves = [np.exp(-2j * np.pi * grid * centre / 40) for centre in (row, column)]
    envelope = np.exp(-((2 * np.pi * grid * width / 40) ** 2) / 2) * width * np.sqrt(2 * np.pi / 40)
    expected = np.outer(envelope * waves[0], envelope * waves[1])
    found = measurement.k_space(np.outer(*gaussian)[None, ..., None])[0, ..., 0]
    # Linear interpolation blurs a little; half a fine sample off would be an error of up to 8 %.
    assert np.abs(found - expected).max() < 0.03 * np.abs(expected).max()


@settings(max_examples=10)
@given(size=st.integers(4, 12), seed=st.integers(0, 99))
def test_k_space_within_the_frame_is_the_discrete_transform_in_the_window_of_linear_interpolation(size, seed):
    image = np.pad(np.random.default_rng(seed).random((size - 2, size - 2)), 1)
    offsets = (np.arange(2 * measurement.FINENESS) + 0.5) / measurement.FINENESS - 1
    waves = np.exp(-2j * np.pi * (np.arange(size) - size // 2)[:, None] * offsets / size)
    window = waves @ (1 - np.abs(offsets)) / measurement.FINENESS
    transform = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image), norm="ortho"))
    found = measurement.k_space(image[None, ..., None])[0, ..., 0]
    np.testing.assert_allclose(found, window[:, None] * transform * window, atol=1e-9)


def test_a_phase_is_smooth_and_changes_no_magnitude():
    images = np.random.default_rng(0).random((3, 28, 28, 1)).astype("float32")
    turned = measurement.with_phase(images, seed=1)
    assert turned.dtype == "complex64"
    np.testing.assert_allclose(np.abs(turned), images, atol=1e-6)
    phases = measurement.with_phase(np.ones((50, 28, 28, 1)), seed=1)
    assert np.abs(np.diff(phases, axis=1)).max() < 1
    assert np.abs(phases[0] - phases[1]).max() > 0.1


@settings(max_examples=5)
@given(seed=st.integers(0, 99))
def test_the_phase_of_images_is_the_smooth_phase(seed):
    images = np.random.default_rng(seed).random((3, 9, 9, 1))
    phase = measurement.smooth_phase(3, 9, seed)
    expected = images * np.exp(1j * phase)
    np.testing.assert_allclose(measurement.with_phase(images, seed), expected, atol=1e-6)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_a_phase_is_a_polynomial_of_its_order_and_strength(order):
    weak, strong = (measurement.smooth_phase(2000, 8, 1, order, strength) for strength in (1, 2))
    assert weak.shape == (2000, 8, 8, 1)
    np.testing.assert_allclose(strong, 2 * weak)
    differences = np.diff(weak, n=order + 1, axis=1)
    np.testing.assert_allclose(differences, np.zeros_like(differences), atol=1e-9)
    assert order == 0 or np.abs(np.diff(weak, n=order, axis=2)).max() > 0.01
    # In the corner row and column are -1, so every coefficient, of one radian each, counts once.
    assert weak[:, 0, 0].std() == pytest.approx(np.sqrt((order + 1) * (order + 2) / 2), rel=0.06)


def test_counts_are_whole_numbers_of_the_poisson_distribution():
    sinograms = np.linspace(0, 30, 4)[:, None] * np.ones(50_000)
    counts = measurement.photon_counts(sinograms, 30.0, 0.1, [3, 0, 1])
    assert counts.dtype == "float32"
    np.testing.assert_array_equal(counts, np.round(counts))
    np.testing.assert_array_equal(counts, measurement.photon_counts(sinograms, 30.0, 0.1, [3, 0, 1]))
    means = 30 * np.exp(-0.1 * sinograms[:, 0])
    np.testing.assert_allclose(counts.mean(axis=1), means, rtol=0.01)
    np.testing.assert_allclose(counts.var(axis=1), means, rtol=0.03)
    shares = [np.bincount(row.astype(int), minlength=80)[:80] / 50_000 for row in counts]
    np.testing.assert_allclose(shares, poisson.pmf(np.arange(80), means[:, None]), atol=0.01)


@pytest.mark.parametrize("mean", [5, 8, 30, 480])
def test_anscombes_transform_makes_the_variance_one(mean):
    numbers = np.arange(2000)
    probabilities = poisson.pmf(numbers, mean)
    values = measurement.anscombe(numbers)
    average = probabilities @ values
    assert probabilities @ (values - average) ** 2 == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: measurement.projections(np.ones((1, 4, 4, 1)), (np.nan,)),
            "angles and shift must be finite",
        ),
        (lambda: measurement.projections(np.ones((1, 4, 4, 1)), (0.0,), np.inf), "shift must be finite"),
        (
            lambda: measurement.photon_counts(np.ones(3), 0, 0.1, 0),
            "photons must be a positive number, not 0",
        ),
        (
            lambda: measurement.photon_counts(np.ones(3), 9, np.nan, 0),
            "attenuation must be a positive number",
        ),
        (
            lambda: measurement.anscombe(np.array([2.0, -1.0])),
            "counts must be at least 0, but the least is -1",
        ),
        (lambda: measurement.smooth_phase(2, 8, 0, order=-1), "order and strength at least 0"),
        (
            lambda: measurement.projections(np.ones((1, 4, 5, 1)), (0.0,)),
            r"must be \(n, size, size, channels\)",
        ),
        (lambda: measurement.k_space(np.full((1, 4, 4, 1), np.nan)), "images must be finite"),
        (lambda: measurement.photon_noise(np.ones(3), 0, 0), "photons must be a positive number, not 0"),
        (lambda: measurement.gaussian_noise(np.ones(3), -1, 0), "deviation must be at least 0, not -1"),
    ],
)
def test_bad_input_gets_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_integers_are_measured_as_the_numbers_they_are():
    images = np.random.default_rng(0).integers(0, 256, (2, 6, 6, 1)).astype("uint8")
    shadows = measurement.projections(images, ANGLES)
    np.testing.assert_allclose(shadows, measurement.projections(images.astype("float64"), ANGLES), rtol=1e-5)
    steps = np.arange(5, dtype="uint8")
    noisy = measurement.gaussian_noise(steps, 0.1, 0)
    np.testing.assert_allclose(noisy, measurement.gaussian_noise(steps.astype("float64"), 0.1, 0), rtol=1e-5)


def test_photon_noise_has_the_mean_and_spread_of_counting():
    sinogram = np.full((200, 200), 5.0)
    noisy = measurement.photon_noise(sinogram, 1000, seed=0)
    expected = np.exp(measurement.ATTENUATION * 5 / 2) / (measurement.ATTENUATION * np.sqrt(1000))
    assert noisy.mean() == pytest.approx(5, abs=0.02)
    assert noisy.std() == pytest.approx(expected, rel=0.05)
    np.testing.assert_array_equal(noisy, measurement.photon_noise(sinogram, 1000, seed=0))


def test_photon_noise_of_a_dark_ray_is_finite():
    assert np.isfinite(measurement.photon_noise(np.full((5, 5), 1e3), 10, seed=0)).all()


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_gaussian_noise_has_its_deviation(dtype):
    clean = np.ones((200, 200), dtype)
    noise = measurement.gaussian_noise(clean, 0.3, seed=1) - clean
    assert noise.dtype == dtype
    for part in (noise.real, noise.imag) if dtype == "complex64" else (noise,):
        assert part.std() == pytest.approx(0.3, rel=0.03)
        assert abs(part.mean()) < 0.01
