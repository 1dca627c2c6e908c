from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from wavelet_based_dnn.scale_network import LEVELS, answers, build_scale_network

sides, seeds = st.integers(1, 90), st.integers(0, 2**31)


def images(seed, *shape):
    return np.random.default_rng(seed).random((*shape, 1), dtype="float32")


@given(seeds, st.integers(1, 4))
def test_answers_are_the_log_sum_exp_of_all_cells_so_far(seed, levels):
    rng = np.random.default_rng(seed)
    scores = [rng.normal(0, 9, (2, *rng.integers(1, 6, 2), 3)).astype("float32") for _ in range(levels)]
    for level, found in enumerate(answers([tf.constant(one) for one in scores]), 1):
        cells = np.concatenate([one.reshape(2, -1, 3) for one in scores[:level]], 1)
        np.testing.assert_allclose(found, logsumexp(cells, axis=1), rtol=1e-5, atol=1e-5)


@settings(max_examples=3)
@given(sides, sides, seeds)
def test_open_sizes_give_the_logits_of_known_sizes(network, height, width, seed):
    given_images = images(seed, 2, height, width)
    logits = network(given_images)
    assert [one.shape for one in logits] == [(2, 10)] * LEVELS
    for one, other in zip(logits, compiled(network)(given_images), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@cache
def compiled(network):
    return tf.function(network, input_signature=[tf.TensorSpec((None, None, None, 1))])


@settings(max_examples=3)
@given(seeds, st.integers(0, 2), st.integers(1, 2))
def test_evidence_moves_with_an_image_that_moves_by_a_coarsest_cell(network, seed, down, right):
    """Cells read at most 4 cells each way; what is nearer to the border differs."""
    frame = 5 * 32
    scenes = np.zeros((2, 2 * frame + 128, 2 * frame + 128, 1), "float32")
    for scene, (row, column) in zip(scenes, [(0, 0), (32 * down, 32 * right)], strict=True):
        scene[frame + row : frame + row + 64, frame + column : frame + column + 64] = images(seed, 64, 64)
    for step, scores in zip((1, 2, 4, 8), network.cells(scenes), strict=True):
        first, second = (part.numpy() for part in scores)
        moved = np.roll(first, (down * step, right * step), (0, 1))
        inside = np.s_[4 + 2 * step : -4, 4 + 2 * step : -4]
        np.testing.assert_allclose(second[inside], moved[inside], atol=1e-5)


def test_a_saved_network_gives_the_same_bits(network, tmp_path):
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    for one, other in zip(network(images(0, 2, 33, 50)), loaded(images(0, 2, 33, 50)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_seed_alone_decides_the_weights():
    first, same, other = (
        build_scale_network(filters=(4,) * 7, seed=seed).get_weights() for seed in (1, 1, 2)
    )
    assert all(np.array_equal(*pair) for pair in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": "fourier"}, "There is no split 'fourier'; there are haar"),
        ({"filters": (0,) * 7}, r"filters\[0\] must be a whole number of at least 1, not 0"),
        ({"filters": (4, 4)}, r"filters must be 7 numbers, not \(4, 4\)"),
        ({"classes": 2.5}, "classes must be a whole number"),
        ({"seed": None}, "seed must be a whole number"),
    ],
)
def test_networks_that_cannot_be_built_get_one_clear_sentence(change, message):
    with pytest.raises(ValueError, match=message):
        build_scale_network(**change)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros((1, 9, 9, 2), "float32"), "images must be grey"),
        (np.zeros((9, 9, 1), "float32"), "images must have the 4 axes"),
        (np.zeros((1, 9, 9, 1), "uint8"), "images must be floating point"),
        (np.full((1, 9, 9, 1), np.nan, "float32"), "images must be finite"),
    ],
)
def test_images_of_another_kind_are_refused(network, wrong, message):
    with pytest.raises(ValueError, match=message):
        network(wrong)
