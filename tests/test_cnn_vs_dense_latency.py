import time

import keras
import numpy as np
import pytest
from keras import layers

from cnn_vs_dense.latency import milliseconds, multiplications
from cnn_vs_dense.layers import SeparableTransform
from cnn_vs_dense.models import build


def test_the_multiplications_of_lenet5_are_those_of_its_definition():
    convolutions = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 6 * 25
    assert multiplications(build("lenet5", (28, 28, 1), 10)) == convolutions + 400 * 120 + 120 * 84 + 84 * 10


def test_dense_layers_multiply_once_for_every_weight():
    model = build("dense_small", (40, 8, 1), 10)
    assert multiplications(model) == sum(w.size for w in model.get_weights() if w.ndim == 2)


# A linear layer multiplies as often as its matrix has entries, if it is applied as one.
def test_a_filtered_backprojection_multiplies_for_every_detector_and_every_pixel():
    first = build("known_operator", (40, 8, 1), 10).layers[:2]
    model = keras.Sequential([keras.Input((40, 8, 1)), *first])
    assert multiplications(model) == 40 * 8 * 40 + 40 * 8 * 28 * 28


@pytest.mark.parametrize("channels", [1, 3])
def test_complex_matrices_take_four_real_products(channels):
    model = keras.Sequential([keras.Input((6, 5, 2 * channels)), SeparableTransform([0, 1])])
    rows, columns = 4 * 6 * 6 * 5 * channels, 4 * 5 * 5 * 6 * channels
    assert multiplications(model) == rows + columns


def test_the_time_includes_the_making_of_the_input():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])

    def slow():
        time.sleep(0.02)
        return np.ones((3, 2), "float32")

    assert milliseconds(model, slow, repetitions=3) > 20
