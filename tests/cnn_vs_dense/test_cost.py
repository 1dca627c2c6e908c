import keras
import numpy as np
import pytest
from keras import layers

from cnn_vs_dense.cost import VIEWS, milliseconds, multiplications_before, multiplications_of
from cnn_vs_dense.fourier_layers import SeparableTransform
from cnn_vs_dense.layers import AngleAttention
from cnn_vs_dense.models import build, build_with_image
from common.multiplications import multiplications
from common.radon import FilteredBackprojection

LENET5 = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 6 * 25 + 400 * 120 + 120 * 84 + 84 * 10


def cost(model):
    [count] = multiplications(model, (1, *model.input_shape[1:]))
    return count


def test_the_multiplications_of_lenet5_are_those_of_its_definition():
    assert multiplications_of(build("lenet5", (28, 28, 1), 10), "measurement", 640, 784) == LENET5


def test_dense_layers_multiply_once_for_every_weight():
    model = build("dense_small", (40, 16, 1), 10)
    weights = sum(w.size for w in model.get_weights() if w.ndim == 2)
    assert multiplications_of(model, "measurement", 640, 784) == weights


@pytest.mark.parametrize("channels", [1, 3])
def test_complex_matrices_take_four_real_products(channels):
    model = keras.Sequential([keras.Input((6, 5, 2 * channels)), SeparableTransform([0, 1])])
    rows, columns = 4 * 6 * 6 * 5 * channels, 4 * 5 * 5 * 6 * channels
    assert cost(model) == rows + columns


def test_attention_multiplies_every_token_with_every_other():
    model = keras.Sequential([keras.Input((5, 8)), AngleAttention(16, 2, list(range(6)))])
    assert cost(model) == 4 * 5 * 8 * 8 + 2 * 5 * 5 * 8 + 2 * 5 * 8 * 16


@pytest.mark.parametrize("angles", [4, 16])
def test_filtered_backprojection_costs_what_it_costs_inside_a_network(angles):
    inputs = keras.Input((40, angles, 1))
    inside = cost(keras.Model(inputs, FilteredBackprojection(np.arange(angles) * 180 / angles)(inputs)))
    assert inside == pytest.approx(
        multiplications_before("filtered backprojection", 40 * angles, 784), rel=0.06
    )


def test_reconstructions_are_counted_by_hand():
    counts = [multiplications_before(view, 160, 784, 3) for view in VIEWS]
    assert counts == [0, 62_720, 125_440, 752_640, round(2 * 784 * np.log2(784))]
    # A fast transform takes less than a matrix for rows and one for columns.
    assert counts[-1] < cost(keras.Sequential([keras.Input((28, 28, 2)), SeparableTransform()]))


def test_the_reconstruction_is_added_to_the_network():
    model = build("lenet5", (28, 28, 1), 10)
    assert multiplications_of(model, "iterations", 640, 784, 40) == LENET5 + 80 * 640 * 784


def test_an_image_that_only_the_training_needs_costs_nothing():
    arguments = "wrapped", (40, 4, 1), 10
    alone, with_image = build(*arguments), build_with_image(*arguments, (28, 28, 1))
    assert multiplications_of(with_image, "measurement", 160, 784) == cost(alone)


def test_an_unknown_view_gets_one_clear_sentence():
    with pytest.raises(ValueError, match="no view 'FBP'; there are measurement"):
        multiplications_before("FBP", 160, 784)


def test_the_time_includes_the_making_of_the_input():
    model, calls = keras.Sequential([keras.Input((2,)), layers.Dense(1)]), []

    def see():
        calls.append(None)
        return np.ones((3, 2), "float32")

    assert milliseconds(model, see, repetitions=3) > 0
    assert len(calls) == 4
