"""The classifiers of this study; all return logits.

All but `dense` have as many parameters as LeNet-5, to 0.2 %, for 28 x 28 x 1 images and 10 classes.
"""

import keras
import numpy as np
from keras import layers


def build(architecture, input_shape, num_classes, seed=0):
    """Return an untrained classifier.

    Parameters
    ----------
    architecture : str
        A key of `ARCHITECTURES`.
    input_shape : (int, int, int)
        Height, width, channels.
    num_classes : int
    seed : int
        Decides the initial weights.

    Returns
    -------
    keras.Model
        Maps images (batch, height, width, channels) to logits (batch, num_classes).

    Raises
    ------
    ValueError
        `architecture` is unknown.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"There is no architecture {architecture!r}; there are {', '.join(ARCHITECTURES)}.")
    seeds = iter(np.random.SeedSequence(seed).generate_state(16).tolist())
    hidden = ARCHITECTURES[architecture](seeds)
    return keras.Sequential(
        [keras.Input(input_shape), *hidden, _dense(num_classes, seeds, activation=None)], name=architecture
    )


def lenet5(seeds):
    """LeNet-5 in its modern form: rectifiers, maximum pooling, every map of C3 sees all of S2.

    The sizes are those of LeCun, Bottou, Bengio, Haffner 1998, figure 2.
    61,706 parameters for 28 x 28 x 1 images and 10 classes.
    """
    return [
        _convolution(6, seeds, padding="same"),
        layers.MaxPooling2D(2),
        _convolution(16, seeds, padding="valid"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        _dense(120, seeds),
        _dense(84, seeds),
    ]


def dense(seeds):
    """Two hidden layers of 512 and 128 rectifiers; 468,874 parameters for 28 x 28 x 1 and 10 classes."""
    return [layers.Flatten(), _dense(512, seeds), _dense(128, seeds)]


def dense_small(seeds):
    """Two hidden layers of 76 and 23 rectifiers; 61,671 parameters, as many as LeNet-5 to 0.1 %."""
    return [layers.Flatten(), _dense(76, seeds), _dense(23, seeds)]


def pointwise(seeds):
    """Convolutions with kernels of 1 x 1: weights shared between positions, but no neighbourhood.

    The second one is linear, because two rectifiers alone die easily.
    61,675 parameters for 28 x 28 x 1 images and 10 classes.
    """
    return [
        _convolution(8, seeds, size=1),
        _convolution(2, seeds, size=1, activation=None),
        layers.Flatten(),
        _dense(38, seeds),
        _dense(41, seeds),
    ]


def large_kernel(seeds):
    """Convolutions that see half of the image, 15 x 15 pixels, then all of it, 5 x 5 results 4 pixels apart.

    61,648 parameters for 28 x 28 x 1 images and 10 classes.
    """
    return [
        _convolution(6, seeds, size=15, strides=4),
        _convolution(16, seeds),
        layers.Flatten(),
        _dense(70, seeds),
        _dense(36, seeds),
    ]


def mixer(seeds):
    """An MLP-Mixer without patches: its tokens are the pixels (Tolstikhin et al. 2021, arXiv:2105.01601).

    Its one block mixes the pixels of each feature, then the features of each pixel. The paper averages over
    the tokens in the end; with so few features 18 learned weighted sums of them are taken instead.
    61,652 parameters for 28 x 28 x 1 images and 10 classes.
    """
    return [
        layers.Reshape((-1, 1)),
        _dense(4, seeds, activation=None),
        layers.Permute((2, 1)),
        MixerBlock(24, 8, [next(seeds) for _ in range(4)]),
        layers.LayerNormalization(axis=1),
        _dense(18, seeds),
        layers.Flatten(),
        _dense(108, seeds),
    ]


ARCHITECTURES = {
    "lenet5": lenet5,
    "dense": dense,
    "dense_small": dense_small,
    "pointwise": pointwise,
    "large_kernel": large_kernel,
    "mixer": mixer,
}


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class MixerBlock(layers.Layer):
    """``u = x + MLP over the tokens``, then ``u + MLP over the features``: equation 1 of arXiv:2105.01601.

    Takes and returns (batch, features, tokens).

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
            _dense(self.token_units, seeds), _dense(tokens, seeds, activation=None),
        ])  # fmt: skip
        self.mix_features = keras.Sequential([
            keras.Input((features, tokens)), layers.LayerNormalization(axis=1), layers.Permute((2, 1)),
            _dense(self.feature_units, seeds), _dense(features, seeds, activation=None),
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


def _dense(units, seeds, activation="relu"):
    return layers.Dense(
        units, activation=activation, kernel_initializer=keras.initializers.GlorotUniform(next(seeds))
    )


def _convolution(filters, seeds, size=5, padding="same", strides=1, activation="relu"):
    return layers.Conv2D(
        filters, size, strides, padding, activation=activation,
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
    )  # fmt: skip
