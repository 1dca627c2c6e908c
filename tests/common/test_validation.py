import keras
import numpy as np
import pytest
from keras import ops

from common.validation import as_images, concrete


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_floating_images_pass_unchanged(dtype):
    x = ops.cast(np.random.default_rng(0).random((2, 3, 5, 1)), dtype)
    y = as_images(x)
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    assert bool(ops.all(x == y))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 3, 5), "float32"), r"axes .*; images\[..., None\] adds channels"),
        (np.zeros((2, 3, 5, 1), "uint8"), r"uint8; try images.astype\('float32'\) / 255"),
        (np.zeros((2, 3, 5, 1), "complex64"), "complex64; try images.real"),
        (np.zeros((2, 1, 28, 28)), r"channels-first; pass np.moveaxis\(images, 1, -1\)"),
        (np.zeros((2, 3, 480, 640)), "channels-first"),
        (keras.Input((3, 224, 224)), "channels-first"),
        (np.zeros((0, 3, 5, 1), "float32"), "empty"),
        (np.full((1, 2, 2, 1), np.nan, "float32"), "NaN"),
        (np.full((1, 2, 2, 1), np.inf), "infinity"),
        ("a picture", "axes"),
        (np.ma.masked_less(np.ones((1, 2, 2, 1)), 2), "must not be masked"),
    ],
)
def test_bad_images_get_one_sentence(x, message):
    with pytest.raises(ValueError, match=message):
        as_images(x)


@pytest.mark.parametrize(
    "shape", [(1, 3, 3, 64), (2, 1, 100, 64), (3, 3, 5, 5), (2, 3, 16, 20), (1, 28, 28, 28)]
)
def test_feature_maps_of_few_rows_are_not_taken_for_channels_first(shape):
    assert as_images(np.zeros(shape)).shape == shape


def test_large_finite_values_are_accepted():
    x = np.full((1, 4, 4, 1), np.finfo("float32").max)
    np.testing.assert_array_equal(ops.convert_to_numpy(as_images(x)), x)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs tf.function")
def test_traced_tensors_are_accepted():
    import tensorflow as tf

    traced = tf.function(as_images, input_signature=[tf.TensorSpec((None, None, None, 1))])
    x = np.ones((2, 3, 4, 1), "float32")
    np.testing.assert_array_equal(traced(x), x)


def test_symbolic_sizes_are_accepted():
    assert as_images(keras.Input((None, None, 1))).shape == (None, None, None, 1)
    assert concrete(keras.Input((None, None, 1))) is None
