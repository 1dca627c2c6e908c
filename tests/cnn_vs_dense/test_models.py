import re

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from skimage.transform import iradon

from cnn_vs_dense.equivalence import largest_difference, largest_difference_of_dense, permuted
from cnn_vs_dense.models import ARCHITECTURES, BUDGET, BUDGETS, build, build_with_image, unet
from cnn_vs_dense.representations import REPRESENTATIONS, TRANSFORMS
from common.data import load_mnist
from common.scramble import Scrambler

OPTIMIZERS = [lambda: keras.optimizers.SGD(0.1), lambda: keras.optimizers.Adam(0.001)]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_networks_return_logits_and_repeat_with_the_seed(architecture):
    shape = (32, 26, 4)
    images = np.random.default_rng(0).random((3, *shape), dtype="float32")
    one, same, other = (build(architecture, shape, 7, seed) for seed in (1, 1, 2))
    logits = np.asarray(one(images))
    assert logits.shape == (3, 7)
    assert logits.min() < 0
    np.testing.assert_array_equal(logits, np.asarray(same(images)))
    assert (logits != np.asarray(other(images))).any()


@pytest.mark.parametrize(
    ("architecture", "count"),
    [("lenet5", 61_706), ("lenet5_shifted", 61_706), ("lenet5_unpooled", 61_706), ("dense", 468_874),
     ("dense_small", 61_671), ("pointwise", 61_675), ("large_kernel", 61_648), ("mixer", 61_652)],
)  # fmt: skip
def test_parameters_are_those_of_the_docstrings(architecture, count):
    assert build(architecture, (28, 28, 1), 10).count_params() == count
    assert f"{count:,}" in ARCHITECTURES[architecture].__doc__


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - {"dense"}))
@given(
    height=st.integers(10, 15), width=st.integers(10, 15), budget=st.sampled_from(list(BUDGETS.values())),
    spent=st.integers(0, 9_999),
)  # fmt: skip
@settings(max_examples=2)
def test_all_but_the_large_dense_network_spend_the_budget(architecture, height, width, budget, spent):
    model = build(architecture, (2 * height, 2 * width, 4), 10, budget=budget, spent=spent)
    hidden, following = model.layers[[type(layer) for layer in model.layers].index(layers.Flatten) + 1 :][:2]
    one_more_unit = hidden.kernel.shape[0] + 1 + following.kernel.shape[1]
    assert 0 <= budget - spent - model.count_params() < one_more_unit


SHAPES = {REPRESENTATIONS[name](np.zeros((1, 28, 28, 1), "float32")).shape[1:] for name in TRANSFORMS}


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("architecture", ["lenet5", "dense_small", "pointwise", "large_kernel", "mixer"])
def test_networks_for_all_representations_have_the_parameters_of_lenet5(architecture, shape):
    assert 0.95 * BUDGET < build(architecture, shape, 10).count_params() <= BUDGET


@pytest.mark.parametrize("shape", [(14, 14, 4), (28, 28, 1)])
def test_the_last_maps_of_lenet5_are_5_by_5(shape):
    maps = [layer.output.shape for layer in build("lenet5", shape, 10).layers if layer.output.ndim == 4]
    assert maps[-1] == (None, 5, 5, 16)


@pytest.mark.parametrize("shape", [(40, 4, 1), (20, 32, 1)])
def test_lenet5_behind_the_known_operator_pools_by_the_size_of_the_images(shape):
    maps = [
        layer.output.shape for layer in build("known_operator", shape, 10).layers if layer.output.ndim == 4
    ]
    assert maps[-1] == (None, 5, 5, 16)


@pytest.mark.parametrize("angles", [4, 8, 16, 32])
@pytest.mark.parametrize("architecture", ["sinogram_1d", "sinogram_wrapped", "known_operator"])
def test_networks_for_few_angles_have_the_parameters_of_lenet5(architecture, angles):
    assert 0.95 * BUDGET < build(architecture, (40, angles, 1), 10).count_params() <= BUDGET


def test_inputs_that_the_budget_does_not_pay_for_get_one_clear_sentence():
    with pytest.raises(ValueError, match="need more than the 61,706 parameters allowed"):
        build("dense_small", (300, 300, 1), 10)
    with pytest.raises(ValueError, match="61,706 parameters allowed after 60,000 before the classifier"):
        build("lenet5", (28, 28, 1), 10, spent=60_000)


# The two matrices of the inverse Fourier transform are alike.
@pytest.mark.parametrize(
    "architecture", [name for name in ARCHITECTURES if not re.match("inverse_fourier|known_transform", name)]
)
def test_no_two_layers_start_with_the_same_random_numbers(architecture):
    weights = [w for w in build(architecture, (28, 28, 4), 10).get_weights() if w.ndim > 1 and w.size >= 20]
    kernels = [w.ravel()[:10] / w.std() for w in weights if w.std() > 0]
    for i, kernel in enumerate(kernels):
        assert all(np.abs(kernel - other).max() > 0.01 for other in kernels[:i])


@pytest.mark.parametrize(("architecture", "shape"), [("wrapped", (40, 4, 1)), ("joint_unet", (28, 28, 1))])
def test_a_classifier_with_an_image_is_the_classifier(architecture, shape):
    inputs = np.random.default_rng(0).random((2, *shape), dtype="float32")
    alone = build(architecture, shape, 10, seed=3)
    outputs = build_with_image(architecture, shape, 10, (28, 28, 1), seed=3)(inputs)
    np.testing.assert_allclose(outputs["logits"], alone(inputs), atol=1e-6)
    assert outputs["image"].shape == (2, 28, 28, 1)
    if architecture == "joint_unet":
        np.testing.assert_array_equal(outputs["image"], inputs)


def test_the_image_of_a_classifier_is_a_linear_function_of_the_last_hidden_layer():
    alone = build("dense_small", (6, 5, 1), 10)
    with_image = build_with_image("dense_small", (6, 5, 1), 10, (4, 3, 2))
    assert with_image.count_params() - alone.count_params() == (23 + 1) * 24


def test_a_reconstruction_of_another_shape_gets_one_clear_sentence():
    with pytest.raises(ValueError, match=r"reconstructs \(28, 28, 1\), not \(14, 14, 1\)"):
        build_with_image("joint_unet", (28, 28, 1), 10, (14, 14, 1))


def test_a_unet_has_the_stated_parameters_and_first_returns_its_input():
    images = np.random.default_rng(0).random((2, 28, 28, 1), dtype="float32")
    model = unet((28, 28, 1), seed=1)
    assert f"{model.count_params():,}" == "4,361"
    assert "4,361" in unet.__doc__
    np.testing.assert_array_equal(model(images), images)
    one, other = (unet((28, 28, 1), seed).get_weights()[0] for seed in (1, 2))
    assert (one != other).any()


def test_a_unet_corrects_each_pixel_by_what_surrounds_it():
    model = unet((28, 28, 1))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) / 4 for w in model.get_weights()])
    image = rng.random((1, 28, 28, 1), dtype="float32")
    # A shift by the two pixels of its pooling shifts the result, away from the border.
    shifted = np.asarray(model(np.roll(image, 2, (1, 2))))[:, 12:-12, 12:-12]
    np.testing.assert_allclose(shifted, np.asarray(model(image))[:, 10:-14, 10:-14], atol=1e-4)


def test_a_unet_for_an_odd_size_gets_one_clear_sentence():
    with pytest.raises(ValueError, match="must be even, not 28 x 27"):
        unet((28, 27, 1))


def test_an_unknown_architecture_gets_one_clear_sentence():
    with pytest.raises(ValueError, match="there are lenet5, dense"):
        build("lenet6", (28, 28, 1), 10)


@pytest.mark.parametrize(
    ("architecture", "optimizer", "seed"),
    [("dense", 0, 1), ("dense_small", 1, 2), ("pointwise", 0, 3)],
)
def test_networks_without_neighbourhoods_train_alike_on_scrambled_pixels(architecture, optimizer, seed):
    part = load_mnist().train[:200]
    run = architecture, part.as_float(), part.labels, OPTIMIZERS[optimizer]
    difference, change = largest_difference(*run, epochs=2, seed=seed)
    assert difference < 1e-5 < 1e-3 < change


# Not its training: Keras 3.15 computes the gradients of a layer normalisation in float32.
def test_a_mixer_with_its_weights_permuted_gives_the_same_logits():
    images, scrambler = load_mnist().test[:8].as_float(), Scrambler((28, 28), 1)
    raw, scrambled = build("mixer", (28, 28, 1), 10), build("mixer", (28, 28, 1), 10)
    scrambled.set_weights(permuted(raw.get_weights(), scrambler.permutation))
    logits = np.asarray(scrambled(scrambler.scramble(images)))
    np.testing.assert_allclose(logits, np.asarray(raw(images)), atol=1e-5)


@pytest.mark.parametrize(
    ("representation", "seed"), [("k-space, real and imaginary", 0), ("wavelet subbands", 1)]
)
def test_gradient_descent_cannot_tell_a_dense_network_of_an_isometry(representation, seed):
    part = load_mnist().train[:200]
    arguments = REPRESENTATIONS[representation], part.as_float(), part.labels
    difference, change = largest_difference_of_dense(*arguments, OPTIMIZERS[0], epochs=2, seed=seed)
    assert difference < 1e-5 < 1e-3 < change
    if representation == "wavelet subbands":
        difference, _ = largest_difference_of_dense(*arguments, OPTIMIZERS[1], epochs=2, seed=seed)
        assert difference > 1e-4


@settings(max_examples=3)
@given(seed=st.integers(0, 99), quarters=st.integers(1, 3))
def test_features_of_wrapped_sinograms_turn_with_the_image(seed, quarters):
    trunk = build("sinogram_wrapped", (41, 8, 1), 10, seed).layers[:6]  # up to the second convolution
    whole_turn = np.random.default_rng(seed).random((1, 41, 16, 1)).astype("float32")
    whole_turn[:, :, 8:] = whole_turn[:, ::-1, :8]

    def features(first):
        sinogram = whole_turn[:, :, first : first + 8]
        for layer in trunk:
            sinogram = layer(sinogram)
        return np.asarray(sinogram)

    still, turned = features(0), features(2 * quarters)
    assert still.shape[2] == 4
    np.testing.assert_allclose(turned[:, :, : 4 - quarters], still[:, :, quarters:], atol=1e-5)


@given(seed=st.integers(0, 99))
@settings(max_examples=3)
def test_lenet5_behind_the_known_transform_first_sees_the_magnitude(seed):
    rng = np.random.default_rng(seed)
    image = rng.random((2, 28, 28, 1)) * np.exp(2j * np.pi * rng.random((2, 28, 28, 1)))
    k = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image, (1, 2)), axes=(1, 2), norm="ortho"), (1, 2))
    inputs = np.concatenate([k.real, k.imag], axis=-1).astype("float32")
    transform, magnitude = build("known_transform", (28, 28, 2), 10).layers[:2]
    np.testing.assert_allclose(magnitude(transform(inputs)), np.abs(image), atol=1e-5)


@given(angles=st.integers(1, 12), seed=st.integers(0, 99))
@settings(max_examples=5)
def test_the_known_operator_starts_as_filtered_backprojection(angles, seed):
    sinogram = np.random.default_rng(seed).random((2, 40, angles, 1)).astype("float32")
    learned_filter, backprojection = build("known_operator", (40, angles, 1), 10).layers[:2]
    degrees = np.arange(angles) * 180 / angles
    expected = [iradon(one[..., 0], degrees, 28, "ramp", circle=False) for one in sinogram]
    found = np.asarray(backprojection(learned_filter(sinogram)))[..., 0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
