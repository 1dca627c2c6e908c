import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from skimage.transform import iradon

from cnn_vs_dense.models import build
from cnn_vs_dense.trunks import (
    K_SPACE_TRUNKS,
    SINOGRAM_TRUNKS,
    lenet5,
    lenet5_shifted,
    lenet5_unpooled,
    transform,
    wrapped,
)
from common.radon import FilteredBackprojection
from common.seeded import initial_seeds

OPERATOR_INSIDE = ["learned_filter", "learned_filters", "denoised_filter"]


def network(trunk, shape, seed=0):
    parts, _ = trunk(shape, initial_seeds(seed))
    return keras.Sequential([keras.Input(shape), *parts])


def up_to(model, kind):
    """Return the layers of a model up to the first of a class."""
    index = [type(layer) for layer in model.layers].index(kind)
    return keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers[: index + 1]])


@pytest.mark.parametrize("angles", [4, 16])
@pytest.mark.parametrize("detectors", [40, 64])
@pytest.mark.parametrize("trunk", SINOGRAM_TRUNKS)
def test_trunks_for_sinograms_end_in_comparable_numbers_of_features(trunk, detectors, angles):
    features = np.prod(network(SINOGRAM_TRUNKS[trunk], (detectors, angles, 1)).output_shape[1:])
    assert 150 <= features <= 400


@pytest.mark.parametrize(("side", "features"), [(28, 400), (64, 256)])
@pytest.mark.parametrize("trunk", K_SPACE_TRUNKS)
def test_trunks_for_k_space_end_in_the_features_of_lenet5(trunk, side, features):
    channels = 4 if trunk.endswith("known_phase") else 2
    assert np.prod(network(K_SPACE_TRUNKS[trunk], (side, side, channels)).output_shape[1:]) == features


@pytest.mark.parametrize(
    ("trunk", "end"),
    [("lenet5_sinogram", (5, 4, 16)), ("detector_channels", (10, 32)), ("angle_attention", (16, 12))],
)
def test_the_ends_that_are_stated_do_not_depend_on_the_detector(trunk, end):
    for detectors in (40, 64):
        assert network(SINOGRAM_TRUNKS[trunk], (detectors, 16, 1)).output_shape[1:] == end


@pytest.mark.parametrize("trunk", OPERATOR_INSIDE)
@pytest.mark.parametrize("angles", [4, 16])
@pytest.mark.parametrize(("detectors", "side", "disk"), [(40, 28, False), (64, 64, True)])
def test_an_operator_inside_starts_as_filtered_backprojection(trunk, angles, detectors, side, disk):
    sinogram = np.random.default_rng(0).random((2, detectors, angles, 1), dtype="float32")
    reconstruct = up_to(network(SINOGRAM_TRUNKS[trunk], sinogram.shape[1:]), FilteredBackprojection)
    degrees = np.arange(angles) * 180 / angles
    expected = [iradon(one[..., 0], degrees, side, "hann", circle=disk) for one in sinogram]
    np.testing.assert_allclose(np.asarray(reconstruct(sinogram))[..., 0], expected, atol=1e-4)


@settings(max_examples=3)
@given(seed=st.integers(0, 99), steps=st.integers(1, 3))
def test_wrapped_features_do_not_depend_on_the_first_angle(seed, steps):
    whole_turn = np.random.default_rng(seed).random((1, 41, 16, 1)).astype("float32")
    whole_turn[:, :, 8:] = whole_turn[:, ::-1, :8]
    parts, _ = wrapped((41, 8, 1), initial_seeds(seed))
    features = keras.Sequential([keras.Input((41, 8, 1)), *parts[:-1]])  # all but the last pooling
    still, turned = (np.asarray(features(whole_turn[:, :, first : first + 8])) for first in (0, steps))
    assert still.shape[2] == 8
    np.testing.assert_allclose(turned[:, :, : 8 - steps], still[:, :, steps:], atol=1e-5)


def test_a_lenet5_without_strides_whose_head_sees_every_fourth_position_is_lenet5():
    images = np.random.default_rng(0).random((3, 28, 28, 1), dtype="float32")
    model = network(lenet5, (28, 28, 1))
    first, second = (layer for layer in model.layers if isinstance(layer, layers.Conv2D))
    maps = tf.nn.pool(first(images), [2, 2], "MAX", [1, 1], "VALID")
    maps = tf.nn.relu(tf.nn.convolution(maps, second.kernel.value, dilations=2) + second.bias.value)
    maps = tf.nn.pool(maps, [2, 2], "MAX", [1, 1], "VALID", dilations=[2, 2])
    np.testing.assert_allclose(maps[:, ::4, ::4], model(images), atol=1e-5)


def test_shifted_pooling_sees_an_image_as_lenet5_sees_it_moved_by_one_pixel():
    image = np.zeros((1, 28, 28, 1), "float32")
    image[:, 4:-4, 4:-4] = np.random.default_rng(0).random((1, 20, 20, 1))
    shifted, plain = (up_to(network(t, (28, 28, 1)), layers.MaxPooling2D) for t in (lenet5_shifted, lenet5))
    pooled, moved = np.asarray(shifted(image)), np.asarray(plain(np.roll(image, 1, (1, 2))))
    np.testing.assert_allclose(pooled[:, :14, :14], moved, atol=1e-6)
    assert np.abs(pooled[:, :14, :14] - np.asarray(plain(image))).max() > 0.01


def test_the_unpooled_network_has_no_maximum_and_the_head_of_lenet5():
    model = network(lenet5_unpooled, (28, 28, 1))
    assert not [layer for layer in model.layers if isinstance(layer, layers.MaxPooling2D)]
    assert model.output_shape == network(lenet5, (28, 28, 1)).output_shape == (None, 5, 5, 16)


@pytest.mark.parametrize("start", ["random", "inverse Fourier"])
def test_a_modulus_makes_it_irrelevant_whether_the_phase_is_known(start):
    rng = np.random.default_rng(0)
    k, phase = rng.normal(size=(2, 28, 28, 2)), rng.uniform(-3, 3, (2, 28, 28, 1))
    inputs = np.concatenate([k, np.cos(phase), np.sin(phase)], axis=-1).astype("float32")
    known = network(transform(start, modulus=True, known=True), (28, 28, 4))
    unknown = network(transform(start, modulus=True), (28, 28, 2))
    np.testing.assert_allclose(known(inputs), unknown(inputs[..., :2]), atol=1e-5)


@pytest.mark.parametrize("known", [False, True])
def test_from_the_inverse_fourier_transform_lenet5_first_sees_the_image(known):
    rng = np.random.default_rng(0)
    image, phase = rng.random((2, 28, 28, 1)), rng.uniform(-3, 3, (2, 28, 28, 1))
    k = np.fft.fft2(np.fft.ifftshift(image * np.exp(1j * phase), (1, 2)), axes=(1, 2), norm="ortho")
    k = np.fft.fftshift(k, (1, 2))
    inputs = np.concatenate([k.real, k.imag, np.cos(phase), np.sin(phase)], axis=-1).astype("float32")
    name = "known_phase" if known else "modulus"
    shape = (28, 28, 4 if known else 2)
    parts, _ = K_SPACE_TRUNKS[f"inverse_fourier_start_{name}"](shape, initial_seeds(0))
    seen = keras.Sequential([keras.Input(shape), *parts[:2]])(inputs[..., : shape[2]])
    np.testing.assert_allclose(seen[..., :1], image, atol=1e-5)


def test_all_trained_transforms_start_with_the_same_lenet5():
    weights = [
        build(name, (28, 28, 2), 10).layers[-7].kernel for name in ("random_start", "inverse_fourier_start")
    ]
    np.testing.assert_array_equal(*weights)


def test_an_unknown_start_gets_one_clear_sentence():
    with pytest.raises(ValueError, match="no start 'Fourier'; there are random, inverse Fourier"):
        transform("Fourier")
