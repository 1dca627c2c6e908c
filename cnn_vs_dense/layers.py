"""The layers of this study that Keras does not have, and those it has with initial weights from seeds."""

from collections.abc import Iterator
from typing import Any

import keras
from keras import layers, ops

from cnn_vs_dense.fourier_layers import Magnitude, SeparableTransform
from cnn_vs_dense.radon_layers import DetectorFilter, WrapAngles
from common.seeded import seeded
from common.validation import Tensor

__all__ = [
    "AngleAttention",
    "DetectorFilter",
    "Magnitude",
    "MixerBlock",
    "SeparableTransform",
    "WrapAngles",
    "glorot_convolution",
    "glorot_convolution_1d",
    "glorot_dense",
]


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class MixerBlock(layers.Layer):
    """``u = x + MLP over the tokens``, then ``u + MLP over the features``: equation 1 of arXiv:2105.01601.

    With rectifiers where the paper has GELU. Takes and returns (batch, features, tokens).

    Parameters
    ----------
    token_units, feature_units : int
        Width of the hidden layer of each MLP.
    seeds : list of 4 int
        Decide the initial weights.
    """

    def __init__(self, token_units, feature_units, seeds, **kwargs):
        super().__init__(**kwargs)
        self.token_units, self.feature_units, self.seeds = token_units, feature_units, seeds

    def build(self, input_shape):
        """Make the weights for inputs (batch, features, tokens)."""
        _, features, tokens = input_shape
        seeds = iter(self.seeds)
        self.mix_tokens = keras.Sequential([
            keras.Input((features, tokens)), layers.LayerNormalization(axis=1),
            glorot_dense(self.token_units, seeds), glorot_dense(tokens, seeds, activation=None),
        ])  # fmt: skip
        self.mix_features = keras.Sequential([
            keras.Input((features, tokens)), layers.LayerNormalization(axis=1), layers.Permute((2, 1)),
            glorot_dense(self.feature_units, seeds), glorot_dense(features, seeds, activation=None),
            layers.Permute((2, 1)),
        ])  # fmt: skip

    def call(self, inputs):
        """Return tensors (batch, features, tokens)."""
        mixed = inputs + self.mix_tokens(inputs)
        return mixed + self.mix_features(mixed)

    def get_config(self):
        """Return the arguments of the constructor."""
        own = {"token_units": self.token_units, "feature_units": self.feature_units, "seeds": self.seeds}
        return super().get_config() | own


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class AngleAttention(layers.Layer):
    """``u = z + attention over the tokens of z``, then ``u + MLP(u)``: a transformer block for projections.

    z is the input plus a vector that is learned for each token, at first 0, because attention alone cannot
    tell the angles apart. Equations 1 to 3 of arXiv:2010.11929, with rectifiers where the paper has GELU.
    Takes and returns ``(batch, tokens, features)``.

    Parameters
    ----------
    units : int
        Width of the hidden layer of the MLP.
    heads : int
        Has to divide the number of features.
    seeds : list of 6 int
        Decide the initial weights.
    """

    def __init__(self, units: int, heads: int, seeds: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.heads, self.seeds = units, heads, seeds

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs (batch, tokens, features); ValueError if the heads do not fit."""
        _, tokens, features = input_shape
        if features % self.heads:
            raise ValueError(f"{self.heads} heads cannot share {features} features equally.")
        seeds = iter(self.seeds)
        self.positions = self.add_weight(shape=(tokens, features), initializer="zeros")
        self.norms = [layers.LayerNormalization(), layers.LayerNormalization()]
        self.queries, self.keys, self.values, self.mix = (
            glorot_dense(features, seeds, activation=None) for _ in range(4)
        )
        self.widen, self.narrow = glorot_dense(self.units, seeds), glorot_dense(features, seeds, None)
        for layer in (*self.norms, self.queries, self.keys, self.values, self.mix, self.widen):
            layer.build(input_shape)
        self.narrow.build((*input_shape[:-1], self.units))

    def call(self, inputs: Tensor) -> Tensor:
        """Return tensors ``(batch, tokens, features)``."""
        attended = inputs + self.positions
        attended = attended + self.attention(self.norms[0](attended))
        return attended + self.narrow(self.widen(self.norms[1](attended)))

    def attention(self, inputs: Tensor) -> Tensor:
        """Return softmax attention over the tokens, of inputs and results ``(batch, tokens, features)``.

        ``softmax(Q K^T / sqrt(d)) V`` in each head: equation 1 of arXiv:1706.03762.
        """
        _, tokens, features = inputs.shape
        shape = (-1, tokens, self.heads, features // self.heads)
        # As products of matrices, which `common.multiplications` counts.
        queries, keys, values = (
            ops.transpose(ops.reshape(layer(inputs), shape), (0, 2, 1, 3))
            for layer in (self.queries, self.keys, self.values)
        )
        scores = queries @ ops.transpose(keys, (0, 1, 3, 2)) / shape[-1] ** 0.5
        heads = ops.transpose(ops.softmax(scores, axis=-1) @ values, (0, 2, 1, 3))
        return self.mix(ops.reshape(heads, (-1, tokens, features)))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return super().get_config() | {"units": self.units, "heads": self.heads, "seeds": self.seeds}


def glorot_dense(units: int, seeds: Iterator[int], activation: str | None = "relu") -> layers.Dense:
    """Return a dense layer whose initial weights `next(seeds)` decides, as all of these do."""
    return seeded(layers.Dense, seeds, units, activation=activation)


def glorot_convolution(
    filters: int,
    seeds: Iterator[int],
    size: int | tuple[int, int] = 5,
    padding: str = "same",
    strides: int = 1,
    activation: str | None = "relu",
    dilation: int = 1,
) -> layers.Conv2D:
    """Return a convolution over height and width."""
    return seeded(
        layers.Conv2D, seeds, filters, size, strides, padding, dilation_rate=dilation, activation=activation
    )


def glorot_convolution_1d(filters: int, seeds: Iterator[int]) -> layers.Conv1D:
    """Return a convolution of 5 positions along one axis."""
    return seeded(layers.Conv1D, seeds, filters, 5, padding="same", activation="relu")
