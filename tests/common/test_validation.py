import keras
import numpy as np
import pytest
from keras import ops

from common.validation import as_images, concrete


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_images_pass_unchanged(dtype):
    x = np.random.default_rng(0).random((2, 3, 5, 1)).astype(dtype)
    y = as_images(x)
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    np.testing.assert_array_equal(ops.convert_to_numpy(y), x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 3, 5), "float32"), "axes"),
        (np.zeros((2, 3, 5, 1), "uint8"), "uint8"),
        (np.zeros((0, 3, 5, 1), "float32"), "empty"),
        (np.full((1, 2, 2, 1), np.nan, "float32"), "NaN"),
        (np.full((1, 2, 2, 1), np.inf), "infinity"),
        ("a picture", "axes"),
    ],
)
def test_bad_images_get_one_sentence(x, message):
    with pytest.raises(ValueError, match=message):
        as_images(x)


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
