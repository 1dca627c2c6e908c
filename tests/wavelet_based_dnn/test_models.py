from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from wavelet_based_dnn.models import (
    build_cnn,
    build_dynamic_classifier,
    build_fully_convolutional,
    build_resized_convolutional,
    cnn_convolutions,
    count_exit_macs,
    count_macs,
    load_dynamic_classifier,
)
from wavelet_based_dnn.pyramids import HAAR, SPLITS, pyramid
from wavelet_based_dnn.resampling import resample

sides, seeds = st.integers(7, 64), st.integers(0, 2**31)
LOSSLESS = [name for name in SPLITS if "details" not in name]


def images(seed, *shape):
    return np.random.default_rng(seed).random((*shape, 1), dtype="float32")


@given(sides, sides, sides, sides, seeds)
def test_resampling_is_that_of_tensorflow(rows, columns, height, width, seed):
    given_images = images(seed, 2, rows, columns)
    expected = tf.image.resize(given_images, (height, width), antialias=True)
    np.testing.assert_allclose(resample(given_images, height, width), expected, atol=1e-5)


@given(sides, sides, seeds)
def test_resampling_keeps_constants_and_the_range(height, width, seed):
    np.testing.assert_allclose(resample(np.ones((1, 9, 30, 1), "float32"), height, width), 1, atol=1e-5)
    resampled = resample(images(seed, 1, 9, 30), height, width).numpy()
    assert -1e-5 <= resampled.min() <= resampled.max() <= 1 + 1e-5


@pytest.mark.parametrize("name", LOSSLESS)
@given(st.integers(1, 16), st.integers(1, 16), seeds)
def test_what_is_split_can_be_merged(name, rows, columns, seed):
    given_images = images(seed, 2, 2 * rows, 2 * columns)
    approximation, details = SPLITS[name].split(tf.constant(given_images))
    assert approximation.shape == (2, rows, columns, 1)
    assert details.shape[:3] == approximation.shape[:3]
    np.testing.assert_allclose(SPLITS[name].merge(approximation, details), given_images, atol=1e-5)


@given(seeds)
def test_the_approximation_of_haar_is_the_average_pool_and_its_details_span_the_same(seed):
    given_images = tf.constant(images(seed, 1, 16, 16))
    haar, pooled = HAAR.split(given_images), SPLITS["average pool"].split(given_images)
    np.testing.assert_allclose(haar[0], pooled[0], atol=1e-6)
    three, four = (np.reshape(details, (64, -1)) for details in (haar[1], pooled[1]))
    fitted = three @ np.linalg.lstsq(three, four, rcond=None)[0]
    np.testing.assert_allclose(fitted, four, atol=1e-5)


def test_spoiled_details_are_zeros_or_those_of_the_image_before():
    given_images = tf.constant(images(0, 3, 8, 8))
    approximation, details = HAAR.split(given_images)
    zeroed, shuffled = (SPLITS[f"{name} details"].split(given_images) for name in ("zeroed", "shuffled"))
    np.testing.assert_array_equal(zeroed[1], np.zeros_like(details))
    np.testing.assert_array_equal(shuffled[1], np.stack([details[2], details[0], details[1]]))
    for split in (zeroed, shuffled):
        np.testing.assert_array_equal(split[0], approximation)


@pytest.fixture(scope="module", params=[*SPLITS, "no reuse", "not resampled"])
def dynamic(request):
    options = {"no reuse": {"reuse": False}, "not resampled": {"resampled": False}}
    return build_dynamic_classifier(**options.get(request.param, {"split": request.param}))


def test_any_size_gives_the_logits_of_four_heads(dynamic):
    for seed, (height, width) in enumerate([(7, 64), (32, 32), (57, 31)]):
        logits = dynamic(images(seed, 2, height, width))
        assert [head.shape for head in logits] == [(2, 10)] * 4


@settings(max_examples=2)
@given(sides, sides, seeds)
def test_networks_judge_each_image_by_itself_at_any_size(height, width, seed):
    given_images = images(seed, 3, height, width)
    for model in networks():
        together = model(given_images)
        for head, alone in zip(together, model(given_images[1:2]), strict=True):
            np.testing.assert_allclose(head[1:2], alone, atol=1e-4)


@cache
def networks():
    """Built in the one worker that runs these tests; every worker imports this file."""
    return [
        build_dynamic_classifier(),
        build_cnn(14),
        build_fully_convolutional(),
        build_resized_convolutional(20),
        build_fully_convolutional((8, 16, 32)),
    ]


def test_an_image_that_is_not_resampled_is_split_as_it_is():
    model = build_dynamic_classifier(resampled=False)
    square = images(0, 1, 16, 24)
    approximation = model.coefficients(square)[0]
    np.testing.assert_allclose(approximation, tf.nn.avg_pool2d(square, 8, 8, "VALID"), atol=1e-6)
    padded = np.pad(square[:, :13, :18], ((0, 0), (0, 3), (0, 6), (0, 0)))
    for one, other in zip(model.coefficients(square[:, :13, :18]), model.coefficients(padded), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_head_needs_no_finer_details_and_computes_none():
    model = networks()[0]
    coefficients = model.coefficients(images(0, 4, 28, 28))
    whole = list(model.refined(coefficients))
    for count in range(1, 5):
        arrived = list(model.refined(coefficients[:count]))
        assert len(arrived) == count
        for one, other in zip(arrived, whole, strict=False):
            np.testing.assert_array_equal(one, other)
    # The details of the finest level are no tensor, so nothing may have touched them.
    lazy = model.refined([*coefficients[:3], None])
    for expected in whole[:3]:
        np.testing.assert_array_equal(next(lazy), expected)


def test_without_reuse_the_finest_head_sees_the_whole_image_still():
    model = build_dynamic_classifier(reuse=False)
    before = model(images(0, 1, 32, 32))
    for weight in model.stem.variables:
        weight.assign(tf.zeros_like(weight))
    after = model(images(0, 1, 32, 32))
    assert not np.array_equal(before[0], after[0])
    for one, other in zip(before[1:], after[1:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_cnn_strides_first_from_20_pixels_up():
    assert [cnn_convolutions(size)[0][2] for size in (7, 18, 20, 56)] == [1, 1, 2, 2]


def test_macs_of_the_cnn_by_hand():
    convolutions = 14 * 14 * (5 * 5 * 16 + 2 * 3 * 3 * 16 * 16) + 7 * 7 * (3 * 3 * 16 * 32 + 3 * 3 * 32 * 32)
    dense = 7 * 7 * 32 * 64 + 64 * 10
    assert count_macs(build_cnn(28), 28, 28) == [convolutions + dense]
    # Two products with matrices of 28 x 8 enlarge an image of 8 x 8.
    assert count_macs(build_cnn(28), 8, 8) == [convolutions + dense + 28 * 8 * 8 + 28 * 8 * 28]


def test_macs_of_the_dynamic_classifier_by_hand():
    """At 32 x 32 nothing is resampled; with phases instead of wavelets, splitting multiplies nothing."""
    model = build_dynamic_classifier("pixel-unshuffle")

    def level(places, convolutions, reused_places, head):
        return places * 9 * 16 * (4 + 16 * convolutions) + reused_places * 16 * 16 + head

    def readout(places):
        return places * 9 * 32 * 16 + places * 32 * 64 + 64 * 10

    stem = 16 * 9 * (16 + 16 * 16) + readout(16)
    halved = 64 * 9 * (16 * 32 + 32 * 32) + 64 * 32 * 64 + 64 * 10
    marginal = [
        stem,
        level(16, 1, 16, readout(16)),
        level(64, 1, 16, readout(64)),
        level(256, 2, 64, halved),
    ]
    # What a head built on is needed for the next, but for the readout of the head before.
    trunk = [stem - readout(16), level(16, 1, 16, 0), level(64, 1, 16, 0)]
    expected = [sum(trunk[:count]) + marginal[count] for count in range(4)]
    assert count_macs(model, 32, 32) == expected
    # Who leaves at a head has asked those before it.
    assert count_exit_macs(model, 32, 32) == np.cumsum(marginal).tolist()


def test_macs_of_the_resampling_and_of_the_wavelet_are_counted():
    """Resampling is a matrix product for either axis, Haar's approximation of two rows one of 2 n by n / 2.

    The first head needs the approximations alone.
    """
    resampling = 32 * 28 * 28 + 32 * 28 * 32
    splitting = sum((side // 2) * (2 * side) * (side // 2) for side in (32, 16, 8))
    without = count_macs(build_dynamic_classifier("pixel-unshuffle"), 32, 32)
    model = build_dynamic_classifier()
    alone = count_macs(model, 32, 32)
    assert alone[0] == without[0] + splitting
    assert count_macs(model, 28, 28) == [count + resampling for count in alone]


def test_a_narrow_cnn_costs_less():
    whole, half = (count_macs(build_cnn(28, width), 28, 28)[0] for width in (1, 0.5))
    assert 0.25 < half / whole < 0.35


def test_private_sizes_have_normalisations_of_their_own():
    model = build_fully_convolutional((8, 16, 32))
    before = [variable.numpy() for variable in model.variables]
    model(images(0, 4, 16, 16), training=True)
    changed = [
        variable.path
        for variable, old in zip(model.variables, before, strict=True)
        if not np.array_equal(variable, old)
    ]
    assert len(changed) == 2 * 5
    assert all("moving" in path for path in changed)
    assert [model.normalisation_of(*size) for size in ((7, 7), (11, 11), (12, 12), (40, 20), (56, 56))] == [
        0, 0, 1, 2, 2,
    ]  # fmt: skip


@pytest.mark.parametrize("shape", [(2, 6, 28, 1), (2, 28, 28, 3), (28, 28, 1), (2, 28, 28)])
def test_images_of_other_shapes_are_refused(shape):
    for model in networks():
        with pytest.raises(ValueError, match="images"):
            model(np.zeros(shape, "float32"))


def test_integers_and_unknown_names_are_refused():
    with pytest.raises(ValueError, match="floating"):
        networks()[0].coefficients(np.zeros((1, 28, 28, 1), "uint8"))
    with pytest.raises(ValueError, match="no split 'sym'; there are haar"):
        build_dynamic_classifier("sym")
    with pytest.raises(ValueError, match="no weights 'cifar'; there are fashion_mnist, mnist"):
        load_dynamic_classifier("cifar")


def test_a_seed_decides_the_weights():
    one, same, other = (build_dynamic_classifier(seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_the_pyramid_ends_at_4_by_4():
    shapes = [tuple(band.shape) for band in pyramid(tf.zeros((1, 32, 32, 1)), 3)]
    assert shapes == [(1, 4, 4, 1), (1, 4, 4, 3), (1, 8, 8, 3), (1, 16, 16, 3)]
    assert isinstance(networks()[0], keras.Model)
