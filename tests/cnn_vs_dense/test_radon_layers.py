import keras
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import iradon

from cnn_vs_dense.radon_layers import DetectorDenoiser, DetectorFilter, WrapAngles
from common.radon import filtered_backprojection, radon


@given(size=st.integers(9, 20), number=st.integers(1, 12), columns=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=10)
def test_angles_continue_where_180_degrees_end(size, number, columns, seed):
    # A dark border, because an even number of rays ends half a pixel earlier on one side than on the other.
    images = np.pad(np.random.default_rng(seed).random((2, size, size, 1)), ((0, 0), (1, 1), (1, 1), (0, 0)))
    angles = np.arange(-columns, number + columns) * 180 / number
    expected = np.asarray(radon(images, angles))
    wrapped = np.asarray(WrapAngles(columns, dtype="float64")(expected[:, :, columns:-columns]))
    np.testing.assert_allclose(wrapped, expected[:, 1 - expected.shape[1] % 2 :], atol=1e-9)


@given(
    detectors=st.integers(1, 9), angles=st.integers(1, 4), channels=st.integers(1, 3), seed=st.integers(0, 99)
)
@settings(max_examples=10)
def test_a_detector_filter_is_a_convolution_along_the_detector(detectors, angles, channels, seed):
    rng = np.random.default_rng(seed)
    sinogram, kernel = rng.normal(size=(2, detectors, angles, channels)), rng.normal(size=2 * detectors - 1)
    layer = DetectorFilter(dtype="float64")
    layer.build(sinogram.shape)
    layer.set_weights([kernel])
    expected = scipy.ndimage.convolve1d(sinogram, kernel, axis=1, mode="constant")
    np.testing.assert_allclose(layer(sinogram), expected, atol=1e-9)


@given(
    detectors=st.integers(1, 9), angles=st.integers(1, 4), channels=st.integers(1, 3), seed=st.integers(0, 99)
)
@settings(max_examples=5)
def test_a_filter_for_each_angle_is_a_filter_of_each_angle_alone(detectors, angles, channels, seed):
    rng = np.random.default_rng(seed)
    sinogram = rng.normal(size=(2, detectors, angles, channels))
    kernels = rng.normal(size=(2 * detectors - 1, angles))
    together = DetectorFilter(by_angle=True, dtype="float64")
    together.build(sinogram.shape)
    together.set_weights([kernels])
    for angle, kernel in enumerate(kernels.T):
        alone = DetectorFilter(dtype="float64")
        alone.build(sinogram[:, :, :1].shape)
        alone.set_weights([kernel])
        one = np.s_[:, :, angle : angle + 1]
        np.testing.assert_allclose(together(sinogram)[one], alone(sinogram[one]), atol=1e-9)


@pytest.mark.parametrize("window", ["ramp", "shepp-logan", "cosine", "hamming", "hann"])
@pytest.mark.parametrize("by_angle", [False, True])
@pytest.mark.parametrize("detectors", [40, 65])
def test_filters_start_as_those_of_scikit_image(window, by_angle, detectors):
    sinogram, angles = np.random.default_rng(0).random((1, detectors, 4, 1)), np.arange(4) * 45.0
    filtered = DetectorFilter(window, by_angle, dtype="float64")(sinogram)
    found = np.asarray(filtered_backprojection(filtered, angles, filter=None))
    expected = iradon(sinogram[0, ..., 0], angles, found.shape[1], window, circle=False)
    np.testing.assert_allclose(found[0, ..., 0], expected, atol=1e-5)


def test_a_denoiser_first_changes_nothing_and_treats_every_angle_alike():
    sinogram = np.random.default_rng(0).random((2, 9, 4, 1), dtype="float32")
    layer = DetectorDenoiser(8, seed=0)
    np.testing.assert_array_equal(layer(sinogram), sinogram)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    changed, turned = np.asarray(layer(sinogram)), np.asarray(layer(sinogram[:, :, ::-1]))
    assert np.abs(changed - sinogram).max() > 0.1
    np.testing.assert_allclose(turned, changed[:, :, ::-1], atol=1e-5)


def test_saved_layers_load(tmp_path):
    parts = [DetectorDenoiser(3, 1), DetectorFilter("hann", by_angle=True), WrapAngles(2)]
    model = keras.Sequential([keras.Input((8, 4, 1)), *parts])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    sinogram = np.random.default_rng(0).random((2, 8, 4, 1), dtype="float32")
    np.testing.assert_array_equal(loaded(sinogram), model(sinogram))
    assert loaded.layers[1].get_config() == parts[1].get_config()
