import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_vs_dense.fourier_layers import Demodulate, Magnitude, RandomUnitary, SeparableTransform
from common.fourier import as_channels, fft2


def complex_images(rng, shape):
    """Return complex numbers, and the same as real channels, the real parts first."""
    values = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    return values, np.concatenate([values.real, values.imag], axis=-1)


@given(height=st.integers(2, 9), width=st.integers(2, 9), channels=st.integers(1, 3), seed=st.integers(0, 99))
@settings(max_examples=10)
def test_a_separable_transform_can_be_the_fourier_transform(height, width, channels, seed):
    images = np.random.default_rng(seed).random((2, height, width, channels))
    layer = SeparableTransform([0, 1], dtype="float64")
    layer.build((None, height, width, 2 * channels))
    layer.set_weights([centred_dft(height), centred_dft(width)])
    transformed = layer(np.concatenate([images, np.zeros_like(images)], axis=-1))
    np.testing.assert_allclose(transformed, as_channels(fft2(images)), atol=1e-9)


def centred_dft(size):
    matrix = np.fft.fftshift(np.fft.fft(np.eye(size), axis=0, norm="ortho"), axes=0)
    return np.stack([matrix.real, matrix.imag])


@given(size=st.integers(2, 12), seed=st.integers(0, 99))
@settings(max_examples=10)
def test_without_seeds_a_transform_starts_as_the_inverse_fourier_transform(size, seed):
    image = np.random.default_rng(seed).random((1, size, size, 1))
    k = as_channels(fft2(np.fft.ifftshift(image, axes=(1, 2))))
    found = np.asarray(SeparableTransform(dtype="float64")(k))
    np.testing.assert_allclose(found, np.concatenate([image, np.zeros_like(image)], axis=-1), atol=1e-9)


@given(size=st.integers(1, 30), seed=st.integers(0, 99))
@settings(max_examples=10)
def test_random_matrices_are_unitary(size, seed):
    real, imaginary = np.asarray(RandomUnitary(seed)((2, size, size), "float32"))
    matrix = real + 1j * imaginary
    np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(size), atol=1e-5)


def test_random_matrices_are_uniformly_distributed():
    # A uniformly distributed matrix of 2 x 2: the mean of its trace is 0, of the squared modulus of that 1.
    parts = np.stack([RandomUnitary(seed)((2, 2, 2), "float64") for seed in range(3000)])
    traces = np.trace(parts[:, 0] + 1j * parts[:, 1], axis1=1, axis2=2)
    assert abs(traces.mean()) < 0.06
    assert (np.abs(traces) ** 2).mean() == pytest.approx(1, abs=0.06)


@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=5)
def test_a_unitary_transform_keeps_the_energy_of_every_image(height, width, seed):
    _, inputs = complex_images(np.random.default_rng(seed), (3, height, width, 2))
    outputs = np.asarray(SeparableTransform([seed, seed + 1], dtype="float64")(inputs))
    np.testing.assert_allclose((outputs**2).sum((1, 2, 3)), (inputs**2).sum((1, 2, 3)), rtol=1e-9)


@pytest.mark.parametrize("seeds", [None, [0, 1]])
def test_passed_channels_stay_as_they_are_and_change_nothing(seeds):
    rng = np.random.default_rng(0)
    inputs, others = rng.normal(size=(2, 6, 5, 2)), rng.normal(size=(2, 6, 5, 3))
    alone = SeparableTransform(seeds, dtype="float64")(inputs)
    together = SeparableTransform(seeds, passed=3, dtype="float64")(np.concatenate([inputs, others], -1))
    np.testing.assert_array_equal(together, np.concatenate([alone, others], axis=-1))


@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=5)
def test_demodulation_divides_by_the_phase_and_keeps_the_magnitude(height, width, seed):
    rng = np.random.default_rng(seed)
    values, channels = complex_images(rng, (2, height, width, 1))
    phase = rng.uniform(-9, 9, values.shape)
    inputs = np.concatenate([channels, np.cos(phase), np.sin(phase)], axis=-1)
    found = np.asarray(Demodulate(dtype="float64")(inputs))
    expected = values * np.exp(-1j * phase)
    np.testing.assert_allclose(found[..., :1] + 1j * found[..., 1:], expected, atol=1e-9)
    np.testing.assert_allclose(Magnitude()(found), Magnitude()(channels), atol=1e-5)


def test_a_transform_of_gaussian_weights_keeps_the_mean_energy():
    inputs = np.random.default_rng(0).normal(size=(50, 28, 28, 2)).astype("float32")
    outputs = np.asarray(SeparableTransform([0, 1], unitary=False)(inputs))
    assert np.square(outputs).mean() == pytest.approx(np.square(inputs).mean(), rel=0.2)


def test_a_separable_transform_of_an_odd_number_of_channels_gets_one_clear_sentence():
    with pytest.raises(ValueError, match="even number of channels, not 1"):
        SeparableTransform().build((None, 28, 28, 1))


def test_demodulation_of_other_channels_gets_one_clear_sentence():
    with pytest.raises(ValueError, match="takes 4 channels .* not 2"):
        Demodulate()(np.zeros((1, 5, 5, 2), "float32"))


def test_saved_layers_load(tmp_path):
    parts = [SeparableTransform([3, 4], passed=2), Demodulate(), Magnitude()]
    model = keras.Sequential([keras.Input((6, 5, 4)), *parts])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = np.random.default_rng(0).random((2, 6, 5, 4), dtype="float32")
    np.testing.assert_array_equal(loaded(inputs), model(inputs))
    assert loaded.layers[0].get_config() == parts[0].get_config()
