import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from cnn_vs_dense.layers import AngleAttention

SEEDS = list(range(6))


@given(tokens=st.integers(1, 6), heads=st.integers(1, 3), size=st.integers(1, 4), seed=st.integers(0, 99))
@settings(max_examples=5)
def test_its_attention_is_that_of_keras(tokens, heads, size, seed):
    features = heads * size
    inputs = np.random.default_rng(seed).normal(size=(2, tokens, features))
    block = AngleAttention(7, heads, SEEDS, dtype="float64")
    block.build(inputs.shape)
    expected = layers.MultiHeadAttention(heads, size, use_bias=False, dtype="float64")
    expected.build(inputs.shape, inputs.shape)
    for one, other in (
        (expected.query_dense, block.queries), (expected.key_dense, block.keys),
        (expected.value_dense, block.values), (expected.output_dense, block.mix),
    ):  # fmt: skip
        one.kernel.assign(np.reshape(other.kernel, one.kernel.shape))
    np.testing.assert_allclose(block.attention(inputs), expected(inputs, inputs), atol=1e-6)


def test_at_first_a_block_treats_every_angle_alike_and_can_learn_not_to():
    inputs = np.random.default_rng(0).normal(size=(2, 5, 6)).astype("float32")
    block, order = AngleAttention(7, 2, SEEDS), [3, 1, 4, 0, 2]
    np.testing.assert_allclose(block(inputs[:, order]), np.asarray(block(inputs))[:, order], atol=1e-5)
    block.positions.assign(np.random.default_rng(1).normal(size=(5, 6)))
    assert np.abs(block(inputs[:, order]) - np.asarray(block(inputs))[:, order]).max() > 0.1


def test_heads_that_cannot_share_the_features_get_one_clear_sentence():
    with pytest.raises(ValueError, match="4 heads cannot share 6 features"):
        AngleAttention(7, 4, SEEDS).build((None, 5, 6))


def test_a_saved_block_loads(tmp_path):
    model = keras.Sequential([keras.Input((5, 6)), AngleAttention(7, 2, SEEDS)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = np.random.default_rng(0).random((2, 5, 6), dtype="float32")
    np.testing.assert_array_equal(loaded(inputs), model(inputs))
