"""The layers of this study that Keras does not have, and those it has with initial weights from seeds."""

import keras
import numpy as np
from keras import layers, ops

from common.fourier import Spectrum, as_channels
from common.seeded import seeded


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
class WrapAngles(layers.Layer):
    """Continues sinograms of 180 degrees by ``g(s, t + 180) = g(-s, t)``, for convolutions over the angles.

    Takes ``(batch, detectors, angles, channels)``, the angles equally spaced over 180 degrees and the
    rotation centre at ``detectors // 2`` as in `common.radon`, and returns `columns` more angles at both
    ends. An even number of detectors loses the first, which has no mirror image.

    Parameters
    ----------
    columns : int
        More than there are angles go round again.
    """

    def __init__(self, columns, **kwargs):
        super().__init__(**kwargs)
        self.columns = columns

    def call(self, inputs):
        """Return tensors ``(batch, odd number of detectors, angles + 2 columns, channels)``."""
        symmetric = inputs[:, 1 - inputs.shape[1] % 2 :]
        whole_turn = ops.concatenate([symmetric, ops.flip(symmetric, axis=1)], axis=2)
        angles = symmetric.shape[2]
        return ops.take(whole_turn, np.arange(-self.columns, angles + self.columns) % (2 * angles), axis=2)

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"columns": self.columns}


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class SeparableTransform(layers.Layer):
    """``A z B^T`` with learned complex matrices A and B.

    Takes and returns ``(batch, height, width, 2 channels)``, the real parts first, as
    ``common.fourier.as_channels(k, "real_imaginary")``.

    Parameters
    ----------
    seeds : list of 2 int, optional
        Decide the initial weights, which keep the mean energy; without them the initial transform is the
        orthonormal inverse of the Fourier transform whose origins are at ``size // 2``.
    """

    def __init__(self, seeds=None, **kwargs):
        super().__init__(**kwargs)
        self.seeds = seeds

    def build(self, input_shape):
        """Make the real and imaginary parts of A and of B; ValueError for an odd number of channels."""
        if input_shape[-1] % 2:
            raise ValueError(
                f"Real and imaginary parts are an even number of channels, not {input_shape[-1]}."
            )
        self.rows, self.columns = (
            self.add_weight(
                shape=(2, size, size),
                initializer=InverseFourier()
                if seed is None
                else keras.initializers.RandomNormal(stddev=(2 * size) ** -0.5, seed=seed),
            )
            for size, seed in zip(input_shape[1:3], self.seeds or (None, None), strict=True)
        )

    def call(self, inputs):
        """Return tensors ``(batch, height, width, 2 channels)``."""
        _, height, width, channels = inputs.shape
        values = ops.reshape(inputs, (-1, height, width, 2, channels // 2))
        for matrix in (self.rows, self.columns):
            # As products of two matrices: twice as fast as sums over an axis in the middle.
            _, size, other, _, complex_channels = values.shape
            lines = ops.reshape(ops.transpose(values, (0, 2, 4, 3, 1)), (-1, 2 * size))
            products = ops.reshape(lines @ _on_real_numbers(matrix), (-1, other, complex_channels, 2, size))
            values = ops.transpose(products, (0, 1, 4, 3, 2))
        return ops.reshape(values, (-1, height, width, channels))

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"seeds": self.seeds}


def _on_real_numbers(matrix):
    """Return the (2 size, 2 size) that multiplies rows of real, then imaginary parts from the right."""
    real, imaginary = ops.transpose(matrix[0]), ops.transpose(matrix[1])
    above = ops.concatenate([real, imaginary], axis=1)
    return ops.concatenate([above, ops.concatenate([-imaginary, real], axis=1)], axis=0)


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class Magnitude(layers.Layer):
    """Magnitude of complex numbers; (batch, height, width, 2 channels), the real parts first, to half."""

    def call(self, inputs):
        """Return tensors ``(batch, height, width, channels)``."""
        return as_channels(Spectrum(*ops.split(inputs, 2, axis=-1)), "magnitude")


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class InverseFourier(keras.initializers.Initializer):
    """Real and imaginary part ``(2, size, size)`` of the orthonormal inverse discrete Fourier transform.

    Frequency 0 and the origin of the signal are at ``size // 2``.
    """

    def __call__(self, shape, dtype=None):
        """Return the weights."""
        grid = np.arange(shape[1]) - shape[1] // 2
        matrix = np.exp(2j * np.pi * np.outer(grid, grid) / len(grid)) / np.sqrt(len(grid))
        return ops.convert_to_tensor(np.stack([matrix.real, matrix.imag]), dtype)


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class DetectorFilter(layers.Layer):
    """A learned filter along the detector, at first the ramp, the same for all angles and channels.

    Takes and returns ``(batch, detector, angle, channels)``; beyond the detector there are zeros. The filter
    has a weight for every distance between two detectors.
    """

    def build(self, input_shape):
        """Make the weights ``(2 detectors - 1,)``."""
        detectors = np.arange(input_shape[1])
        self.distances = detectors[:, None] - detectors + len(detectors) - 1
        self.kernel = self.add_weight(shape=(2 * len(detectors) - 1,), initializer=RampFilter())

    def call(self, inputs):
        """Return tensors ``(batch, detector, angle, channels)``."""
        _, detectors, angles, channels = inputs.shape
        lines = ops.reshape(inputs, (-1, detectors, angles * channels))
        # As a matrix, which is twice as fast as a convolution with so few channels.
        filtered = ops.take(self.kernel, self.distances) @ lines
        return ops.reshape(filtered, (-1, detectors, angles, channels))


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class RampFilter(keras.initializers.Initializer):
    """The ramp filter, of odd length.

    Kak & Slaney 1988, chapter 3, equation 61, times 2 as in ``skimage.transform.iradon``.
    """

    def __call__(self, shape, dtype=None):
        """Return the weights."""
        distance = np.arange(shape[0]) - shape[0] // 2
        odd = distance % 2 == 1
        ramp = np.zeros(shape[0])
        ramp[odd] = -2 / (np.pi * distance[odd]) ** 2
        ramp[shape[0] // 2] = 0.5
        return ops.convert_to_tensor(ramp, dtype)


def glorot_dense(units, seeds, activation="relu"):
    """Return a dense layer whose initial weights `next(seeds)` decides, as all of these do."""
    return seeded(layers.Dense, seeds, units, activation=activation)


def glorot_convolution(filters, seeds, size=5, padding="same", strides=1, activation="relu"):
    """Return a convolution over height and width."""
    return seeded(layers.Conv2D, seeds, filters, size, strides, padding, activation=activation)


def glorot_convolution_1d(filters, seeds):
    """Return a convolution of 5 positions along one axis."""
    return seeded(layers.Conv1D, seeds, filters, 5, padding="same", activation="relu")
