import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from skimage.restoration import denoise_tv_chambolle
from skimage.transform import iradon, radon

from cnn_vs_dense import total_variation
from cnn_vs_dense.total_variation import SMOOTHING, objective, penalised, poisson_tv
from common.data import load_fashion_mnist

SIZE, ATTENUATION = 12, 0.1


@pytest.fixture(scope="module")
def images():
    """Return three images of 12 x 12 pixels."""
    return load_fashion_mnist().test[:3].as_float()[:, 2:26:2, 2:26:2]


def matrix(angles):
    """Return the Radon transform of scikit-image as a matrix from pixels to rays."""
    pixels = np.eye(SIZE * SIZE).reshape(-1, SIZE, SIZE)
    return np.array([radon(pixel, angles, circle=False, preserve_range=True).ravel() for pixel in pixels])


def variation(images):
    """Return the smoothed total variation of each image ``(n, height, width)``, pixel by pixel."""
    padded = np.pad(images, ((0, 0), (0, 1), (0, 1)), mode="edge")
    down, right = np.diff(padded, axis=1)[:, :, :-1], np.diff(padded, axis=2)[:, :-1]
    return np.sqrt(down**2 + right**2 + SMOOTHING).sum(axis=(1, 2))


def slope_of_variation(images):
    """Return the gradient of `variation`."""
    padded = np.pad(images, ((0, 0), (0, 1), (0, 1)), mode="edge")
    down, right = np.diff(padded, axis=1)[:, :, :-1], np.diff(padded, axis=2)[:, :-1]
    length = np.sqrt(down**2 + right**2 + SMOOTHING)
    slope = -(down + right) / length
    slope[:, 1:] += (down / length)[:, :-1]
    slope[:, :, 1:] += (right / length)[:, :, :-1]
    return slope


def likelihood(image, rays, counts, photons):
    """Return the function of the Poisson law and its gradient."""
    integrals = ATTENUATION * image.ravel() @ rays
    arriving = photons * np.exp(-integrals)
    return (arriving + counts.ravel() * integrals).sum(), ATTENUATION * rays @ (counts.ravel() - arriving)


def minimum(rays, counts, photons, weight, start):
    """Return the minimum by L-BFGS-B of SciPy."""
    scale = weight * ATTENUATION * np.sqrt(photons)

    def function(flat):
        fit, slope = likelihood(flat, rays, counts, photons)
        image = flat.reshape(1, SIZE, SIZE)
        return fit + scale * variation(image)[0], slope + scale * slope_of_variation(image).ravel()

    bounds, options = [(0, None)] * start.size, {"maxiter": 800, "ftol": 1e-12, "gtol": 1e-7, "maxcor": 30}
    return minimize(function, start.ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options=options).fun


@pytest.mark.parametrize(("number", "photons", "weight"), [(16, 480, 0.5), (16, 30, 2.0), (4, 120, 1.0)])
def test_the_minimum_is_that_of_scipy(images, number, photons, weight):
    angles = [k * 180 / number for k in range(number)]
    rays, rng = matrix(angles), np.random.default_rng(0)
    arriving = photons * np.exp(-ATTENUATION * images.reshape(3, -1) @ rays)
    counts = rng.poisson(arriving).reshape(3, -1, number, 1).astype("float32")
    integrals = np.log((photons + 0.5) / (counts[..., 0] + 0.5)) / ATTENUATION
    filtered = [iradon(one, angles, SIZE, "hann", circle=False) for one in integrals]
    start = np.maximum(filtered, 0)[..., None]
    settings = (counts, angles, photons, ATTENUATION, weight)
    at_start, scale = objective(start, *settings), weight * ATTENUATION * np.sqrt(photons)
    fits = [likelihood(one, rays, row, photons)[0] for one, row in zip(start, counts, strict=True)]
    np.testing.assert_allclose(at_start, fits + scale * variation(start[..., 0]), rtol=1e-6)
    best = [minimum(rays, row, photons, weight, one) for one, row in zip(start, counts, strict=True)]
    for iterations, share in ((40, 0.02), (200, 0.005)):
        found = poisson_tv(*settings, iterations)
        assert found.min() >= 0
        # Shares of what the start lacks: of the whole function, which is never near 0, less than 0.01 %.
        lacking = (objective(found, *settings) - best) / (at_start - best)
        assert lacking.max() < share


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 99), photons=st.sampled_from([30, 480]))
def test_the_gradient_is_that_of_finite_differences(seed, photons):
    rng = np.random.default_rng(seed)
    images, direction = rng.random((2, 6, 6, 1)), rng.normal(size=(2, 6, 6, 1))
    counts, angles = rng.poisson(photons, (2, 9, 3, 1)).astype("float64"), (0.0, 50.0, 120.0)
    ends = [
        objective(images + step * direction, counts, angles, photons, ATTENUATION, 1.5)
        for step in (-1e-4, 1e-4)
    ]
    fit = total_variation._likelihood_gradient(counts, angles, photons, ATTENUATION, images)
    roughness, _ = total_variation._smoothed_variation(images)
    gradient = np.asarray(fit) + 1.5 * ATTENUATION * np.sqrt(photons) * np.asarray(roughness)
    slope = (gradient * direction).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(slope, (ends[1] - ends[0]) / 2e-4, rtol=1e-4, atol=1e-4)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 99), step=st.floats(0.001, 1))
def test_the_parabolas_lie_above_the_total_variation(seed, step):
    rng = np.random.default_rng(seed)
    images, change = rng.random((2, 7, 6, 1)), step * rng.normal(size=(2, 7, 6, 1))
    gradient, curvature = (np.asarray(part) for part in total_variation._smoothed_variation(images))
    parabola = (gradient * change + curvature * change**2 / 2).sum(axis=(1, 2, 3))
    assert (variation((images + change)[..., 0]) <= variation(images[..., 0]) + parabola + 1e-9).all()


def test_many_photons_and_no_weight_recover_a_smooth_image():
    hill = np.exp(-(((np.arange(SIZE) - 6) / 2.5) ** 2))
    image = np.outer(hill, np.roll(hill, 1))
    angles = np.arange(24) * 180 / 24
    integrals = radon(image, angles, circle=False)
    counts = np.round(1e6 * np.exp(-ATTENUATION * integrals))[None, ..., None]
    found = poisson_tv(counts, angles, 1e6, ATTENUATION, 1e-4, 200)
    np.testing.assert_allclose(found[0, ..., 0], image, atol=0.02)


@pytest.mark.parametrize("weight", [0.05, 0.2])
def test_denoising_reaches_the_objective_of_scikit_image(images, weight):
    noisy = np.clip(images[..., 0] + np.random.default_rng(0).normal(0, 0.1, (3, SIZE, SIZE)), 0, None)
    noisy = noisy[..., None].astype("float32")
    start = keras.ops.convert_to_tensor(noisy)
    found = penalised(start, lambda x: x - start, keras.ops.ones((1, 1, 1, 1)), weight, 100)
    expected = [denoise_tv_chambolle(one[..., 0], weight, eps=1e-7, max_num_iter=2000) for one in noisy]
    ours, theirs = (
        ((denoised - noisy[..., 0]) ** 2).sum(axis=(1, 2)) / 2 + weight * variation(denoised)
        for denoised in (np.asarray(found)[..., 0], np.array(expected))
    )
    np.testing.assert_allclose(ours, theirs, rtol=0.02)
    assert (ours <= theirs + 1e-6).all()


def test_the_batch_makes_no_difference(images, monkeypatch):
    counts = np.random.default_rng(0).poisson(20, (3, 17, 4, 1)).astype("float32")
    arguments = counts, (0.0, 45.0, 90.0, 135.0), 30, ATTENUATION, 1.0, 5
    whole = poisson_tv(*arguments)
    monkeypatch.setattr(total_variation, "BATCH_SIZE", 2)
    np.testing.assert_allclose(poisson_tv(*arguments), whole, atol=1e-5)


def test_rays_without_a_photon_give_a_finite_image():
    assert np.isfinite(poisson_tv(np.zeros((1, 17, 4, 1)), (0, 45, 90, 135), 30, ATTENUATION, 1.0, 5)).all()


COUNTS = np.ones((1, 17, 2, 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: poisson_tv(COUNTS, (0, 90), 30, 0.1, -1), "weight must be at least 0, not -1"),
        (
            lambda: poisson_tv(COUNTS, (0, 90), 30, 0.1, 1, 0),
            "iterations must be a whole number of at least 1",
        ),
        (lambda: poisson_tv(COUNTS, (0, 90), 0, 0.1, 1), "photons and attenuation must be above 0"),
        (lambda: poisson_tv(-COUNTS, (0, 90), 30, 0.1, 1), "counts at least 0, not 30, 0.1 and -1"),
        (lambda: poisson_tv(COUNTS, (0, 45, 90), 30, 0.1, 1), "2 projections, but 3 angles were given"),
    ],
)
def test_what_has_no_reconstruction_gets_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
