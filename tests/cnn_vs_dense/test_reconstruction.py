import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio
from skimage.transform import iradon_sart

from cnn_vs_dense import measurement
from cnn_vs_dense.reconstruction import linear_regression, sart, zero_filled
from common.data import load_dataset
from common.radon import filtered_backprojection


@settings(max_examples=5)
@given(angles=st.lists(st.integers(0, 180), min_size=1, max_size=5, unique=True), seed=st.integers(0, 99))
@pytest.mark.parametrize("iterations", [1, 2])
def test_sart_is_that_of_scikit_image(iterations, angles, seed):
    sinogram = np.random.default_rng(seed).random((2, 12, len(angles), 2))
    expected = None
    for _ in range(iterations):
        expected = iradon_sart(sinogram[1, :, :, 0], np.array(angles), expected)
    found = sart(sinogram, angles, iterations)
    assert found.shape == (2, 8, 8, 2)
    np.testing.assert_allclose(found[1, :, :, 0], expected[2:10, 2:10], atol=1e-9)


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
def test_reconstructions_of_simulated_measurements_resemble_the_images(dataset):
    images = load_dataset(dataset).test[:10].as_float()
    angles = tuple(np.arange(16) * 180 / 16)
    sinogram = measurement.projections(images, angles)
    for found in (
        np.asarray(filtered_backprojection(sinogram, angles)),
        sart(sinogram, angles, 2),
        zero_filled(measurement.k_space(images)).real,
    ):
        assert found.shape == images.shape
        assert peak_signal_noise_ratio(images, found, data_range=1) > 17


def test_zero_filling_is_the_inverse_fourier_transform():
    images = np.random.default_rng(0).random((2, 7, 8, 1)) * np.exp(1j * np.arange(8)[:, None])
    k = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(images, (1, 2)), axes=(1, 2), norm="ortho"), (1, 2))
    np.testing.assert_allclose(zero_filled(k), images, atol=1e-9)


@settings(max_examples=5)
@given(pixels=st.integers(1, 5), seed=st.integers(0, 99))
def test_regression_inverts_an_invertible_measurement(pixels, seed):
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(500, pixels, 2, 1))
    matrix = np.linalg.qr(rng.normal(size=(2 * pixels, 2 * pixels)))[0]
    measured = 100 * (images.reshape(500, -1) @ matrix).reshape(500, 2 * pixels, 1)
    found = linear_regression(measured[:400], images[:400])(measured[400:])
    np.testing.assert_allclose(found, images[400:], atol=0.02)


def test_no_iteration_gets_one_clear_sentence():
    with pytest.raises(ValueError, match="iterations must be a whole number of at least 1, not 0"):
        sart(np.ones((1, 6, 2, 1)), (0.0, 90.0), 0)
    with pytest.raises(ValueError, match="look like radians"):
        sart(np.ones((1, 6, 2, 1)), (0.0, np.pi / 2), 1)


@pytest.mark.parametrize(
    ("measured", "message"),
    [
        (np.ones((9, 2)) + 1j, "finite real numbers; make real and imaginary parts channels"),
        (np.full((9, 2), np.nan), "finite real numbers"),
        (np.ones((9, 2)), "All measurements are equal"),
    ],
)
def test_measurements_without_a_regression_get_one_clear_sentence(measured, message):
    with pytest.raises(ValueError, match=message):
        linear_regression(measured, np.zeros((9, 2, 2, 1)))
