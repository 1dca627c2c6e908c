import keras
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from cnn_vs_dense.models import build
from common.multiplications import multiplications
from common.wavelet import dwt2


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.Dense(5), (1, 7), 7 * 5),
        (layers.Conv2D(4, 3, padding="valid"), (1, 8, 9, 2), 6 * 7 * 9 * 2 * 4),
        (layers.Conv2D(4, 3, 2, padding="same"), (1, 7, 9, 2), 4 * 5 * 9 * 2 * 4),
        (layers.Conv2D(4, 3, dilation_rate=2), (1, 8, 10, 2), 4 * 6 * 9 * 2 * 4),
        (layers.DepthwiseConv2D(3, padding="same"), (1, 8, 8, 6), 64 * 9 * 6),
        (layers.Conv2DTranspose(4, 3, 2, padding="same"), (1, 5, 5, 2), 25 * 9 * 2 * 4),
        (layers.ReLU(), (1, 8, 8, 6), 0),
    ],
)
def test_counts_by_hand(layer, shape, expected):
    assert multiplications(layer, shape) == [expected]


@given(
    count=st.integers(1, 3), rows=st.integers(1, 5), inner=st.integers(1, 5), columns=st.integers(1, 5),
    transposed=st.booleans(),
)  # fmt: skip
@settings(max_examples=10, deadline=None)
def test_a_product_of_matrices_takes_rows_times_inner_times_columns(count, rows, inner, columns, transposed):
    left = (count, inner, rows) if transposed else (count, rows, inner)
    [found] = multiplications(
        lambda a, b: tf.matmul(a, b, transpose_a=transposed), left, (count, inner, columns)
    )
    assert found == count * rows * inner * columns


def test_each_output_counts_what_it_needs_and_no_more():
    inputs = keras.Input((6,))
    hidden = layers.Dense(5)(inputs)
    model = keras.Model(inputs, [layers.Dense(2)(hidden), layers.Dense(3)(layers.Dense(4)(hidden))])
    assert multiplications(model, (1, 6)) == [30 + 10, 30 + 20 + 12]


def test_a_transform_written_as_products_is_counted():
    [*found] = multiplications(lambda x: tuple(dwt2(x, "db2", "periodization")), (1, 8, 8, 1))
    # Height: 4 x 8 numbers for 8 columns; width: 4 x 8 for the 4 rows that remain.
    assert found == [4 * 8 * 8 + 4 * 8 * 4] * 4


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="shapes of"):
        multiplications(layers.Dense(3), (None, 7))
    with pytest.raises(ValueError, match="plain graph"):
        multiplications(lambda x: tf.while_loop(lambda y: tf.reduce_sum(y) < 9, lambda y: y + 1, [x]), (1, 2))
    for call, shape in (
        (lambda x: tf.einsum("ab,ab->a", x, x), (2, 5)),
        (layers.Conv3D(2, 2), (1, 3, 3, 3, 1)),
    ):
        with pytest.raises(ValueError, match="multiplies uncounted"):
            multiplications(call, shape)
    inner = tf.function(lambda x: x @ tf.ones((2, 2)))
    with pytest.raises(ValueError, match="plain graph"):
        multiplications(lambda x: inner(x), (1, 2))


def test_it_counts_one_example_as_a_part_of_a_batch():
    model = build("lenet5", (28, 28, 1), 10)
    [one], [many] = (multiplications(model, (count, 28, 28, 1)) for count in (1, 7))
    assert many == 7 * one
