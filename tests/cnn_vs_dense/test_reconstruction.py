import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson
from skimage.metrics import peak_signal_noise_ratio
from skimage.transform import iradon_sart
from sklearn.linear_model import Ridge

from cnn_vs_dense import measurement, reconstruction
from cnn_vs_dense.reconstruction import (
    line_integrals,
    linear_regression,
    reduced_rank_ridge,
    sart,
    zero_filled,
)
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


@pytest.mark.parametrize("expected", [10, 30, 480])
def test_line_integrals_of_counts_have_hardly_a_bias(expected):
    counts = np.arange(3000)
    probabilities = poisson.pmf(counts, expected)
    integrals = line_integrals(counts, 1000.0, 0.1)
    mean = probabilities @ integrals
    deviation = np.sqrt(probabilities @ (integrals - mean) ** 2)
    truth = np.log(1000 / expected) / 0.1
    assert abs(mean - truth) < 0.1 * deviation
    assert np.isfinite(integrals).all()


def related(seed, count=60):
    """Return measurements ``(count, 3, 2)`` and images ``(count, 2, 2, 2)`` that depend on them, noisily."""
    rng = np.random.default_rng(seed)
    measured = 5 + rng.normal(size=(count, 6)) * rng.uniform(0.5, 4, 6)
    images = measured @ rng.normal(size=(6, 8)) + 3 * rng.normal(size=(count, 8)) - 7
    return measured.reshape(count, 3, 2), images.reshape(count, 2, 2, 2)


def with_penalty(penalty, rank, train):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reconstruction, "PENALTIES", (penalty,))
        return reduced_rank_ridge(train, train, rank)


@settings(max_examples=5)
@given(seed=st.integers(0, 99), penalty=st.sampled_from([1e-4, 0.01, 1.0]))
def test_full_rank_is_the_ridge_regression_of_scikit_learn(seed, penalty):
    measured, images = train = related(seed)
    alpha = penalty * len(measured) * measured.var()
    model = Ridge(alpha=alpha).fit(measured.reshape(-1, 6), images.reshape(-1, 8))
    expected = model.predict(measured.reshape(-1, 6)).reshape(images.shape)
    found = with_penalty(penalty, 6, train)
    np.testing.assert_allclose(found(measured), expected, atol=1e-4)
    assert found.weights == 6 + 6 * 6 + 6 * 8 + 8


@settings(max_examples=5)
@given(seed=st.integers(0, 99), penalty=st.sampled_from([1e-4, 0.01, 1.0]))
def test_each_further_rank_fits_the_training_images_better(seed, penalty):
    measured, images = train = related(seed)
    errors = [np.square(with_penalty(penalty, rank, train)(measured) - images).sum() for rank in range(1, 7)]
    assert (np.diff(errors) < 1e-9).all()


@settings(max_examples=5)
@given(seed=st.integers(0, 99), rank=st.integers(1, 4))
def test_a_rank_is_the_singular_value_decomposition_of_the_fitted_values(seed, rank):
    measured, images = train = related(seed)
    flat = measured.reshape(-1, 6) - measured.reshape(-1, 6).mean(axis=0)
    target = images.reshape(-1, 8) - images.reshape(-1, 8).mean(axis=0)
    alpha = 0.1 * len(flat) * measured.var()
    # Ridge regression is least squares with a row of zeros for each penalised coefficient.
    rows = np.concatenate([flat, np.sqrt(alpha) * np.eye(6)])
    slopes = np.linalg.lstsq(rows, np.concatenate([target, np.zeros((6, 8))]), rcond=None)[0]
    left, values, right = np.linalg.svd(rows @ slopes, full_matrices=False)
    expected = (left[:, :rank] * values[:rank] @ right[:rank])[: len(flat)] + images.reshape(-1, 8).mean(
        axis=0
    )
    np.testing.assert_allclose(with_penalty(0.1, rank, train)(measured).reshape(-1, 8), expected, atol=1e-8)


@settings(max_examples=5)
@given(seed=st.integers(0, 99))
def test_validation_images_choose_the_penalty(seed):
    train, validation = related(seed, 20), related(seed + 100)
    found = np.square(reduced_rank_ridge(train, validation, 3)(validation[0]) - validation[1]).mean()
    each = [with_penalty(penalty, 3, train)(validation[0]) for penalty in reconstruction.PENALTIES]
    assert found == pytest.approx(min(np.square(images - validation[1]).mean() for images in each))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: line_integrals(np.array([1.0, -1.0]), 9, 0.1), "counts at least 0, not 9, 0.1 and -1.0"),
        (lambda: line_integrals(np.ones(2), 0, 0.1), "photons and attenuation must be above 0"),
        (lambda: with_penalty(0.1, 7, related(0)), "rank must be at most 6"),
        (lambda: with_penalty(0.1, 0, related(0)), "rank must be a whole number of at least 1"),
        (
            lambda: with_penalty(0.1, 1, (np.ones((9, 2)), np.zeros((9, 2, 2, 1)))),
            "All measurements are equal",
        ),
        (lambda: with_penalty(0.1, 1, related(0))(np.ones((4, 2, 3))), r"must be \(3, 2\), not \(2, 3\)"),
    ],
)
def test_what_has_no_linear_reconstruction_gets_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
