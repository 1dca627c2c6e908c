import keras
import numpy as np
import pytest
from keras import layers

from cnn_vs_dense.acquisition import MRI, scan
from cnn_vs_dense.latency import milliseconds, multiplications_to_see
from cnn_vs_dense.layers import SeparableTransform
from cnn_vs_dense.methods import columns_of_k_space, method_named
from cnn_vs_dense.models import build
from common.multiplications import multiplications


def cost(model):
    [count] = multiplications(model, (1, *model.input_shape[1:]))
    return count


def test_the_multiplications_of_lenet5_are_those_of_its_definition():
    convolutions = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 6 * 25
    assert cost(build("lenet5", (28, 28, 1), 10)) == convolutions + 400 * 120 + 120 * 84 + 84 * 10


def test_dense_layers_multiply_once_for_every_weight():
    model = build("dense_small", (40, 8, 1), 10)
    assert cost(model) == sum(w.size for w in model.get_weights() if w.ndim == 2)


def test_a_filtered_backprojection_multiplies_for_every_detector_and_about_half_of_the_pixels():
    first = build("known_operator", (40, 8, 1), 10).layers[:2]
    model = keras.Sequential([keras.Input((40, 8, 1)), *first])
    # The matrix is folded at the rotation centre, which saves nearly half of its multiplications.
    assert 0.5 < (cost(model) - 40 * 8 * 40) / (40 * 8 * 28 * 28) < 0.6


@pytest.mark.parametrize("channels", [1, 3])
def test_complex_matrices_take_four_real_products(channels):
    model = keras.Sequential([keras.Input((6, 5, 2 * channels)), SeparableTransform([0, 1])])
    rows, columns = 4 * 6 * 6 * 5 * channels, 4 * 5 * 5 * 6 * channels
    assert cost(model) == rows + columns


@pytest.mark.parametrize(
    ("arm", "sampling"),
    [
        ("FBP, ramp", "8 angles"),
        ("SART", "4 angles"),
        ("regression", "4 angles"),
        ("regression", "acceleration 4"),
    ],
)
def test_a_reconstruction_multiplies_as_often_as_its_matrix_has_entries(arm, sampling):
    images = np.ones((2, 28, 28, 1), "float32")
    scanned = scan(images, sampling, "none", seed=0)
    measured = columns_of_k_space(scanned) if sampling in MRI else scanned.values
    seen = method_named(arm, sampling).fit(scanned, images)(scanned)
    assert multiplications_to_see(arm, scanned, seen[0].size) == measured[0].size * seen[0].size


def test_what_is_only_arranged_is_not_multiplied():
    scanned = scan(np.ones((1, 28, 28, 1), "float32"), "acceleration 4", "none", seed=0)
    assert multiplications_to_see("dense", scanned, 784) == 0
    # A fast transform takes less than one by a matrix for rows and one for columns.
    matrices = keras.Sequential([keras.Input((28, 28, 2)), SeparableTransform()])
    assert 0 < multiplications_to_see("zero-filled", scanned, 784) < cost(matrices)
    with pytest.raises(ValueError, match="no method 'FBP'; there are dense"):
        multiplications_to_see("FBP", scanned, 784)


def test_a_mixer_multiplies_within_its_block_too():
    model = build("mixer", (28, 28, 1), 10)
    tokens, features, units = 784, 4, 18
    block = features * 2 * tokens * 24 + tokens * 2 * features * 8
    outside = (
        tokens * features
        + features * tokens * units
        + sum(int(np.prod(layer.kernel.shape)) for layer in model.layers[-2:])
    )
    assert cost(model) == block + outside


def test_the_time_includes_the_making_of_the_input():
    model, calls = keras.Sequential([keras.Input((2,)), layers.Dense(1)]), []

    def see():
        calls.append(None)
        return np.ones((3, 2), "float32")

    assert milliseconds(model, see, repetitions=3) > 0
    assert len(calls) == 4
