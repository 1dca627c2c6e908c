"""Layers between k-space and the image: a trained transform, its initial weights, demodulation, modulus.

Complex numbers are two real channels, the real parts first, as
``common.fourier.as_channels(k, "real_imaginary")``.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from common.fourier import Spectrum, as_channels
from common.validation import Tensor

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class SeparableTransform(layers.Layer):
    """``A z B^T`` with trained complex matrices A and B, as in dAUTOMAP (arXiv:1909.10995).

    Takes and returns ``(batch, height, width, 2 channels + passed)``: the real parts, the imaginary parts,
    and channels that stay as they are.

    Parameters
    ----------
    seeds : list of 2 int, optional
        Decide the initial matrices, which are random; without them the initial transform is the orthonormal
        inverse of the Fourier transform whose origins are at ``size // 2``.
    unitary : bool
        Whether random matrices are unitary, or have independent Gaussian entries that keep the mean energy.
    passed : int
        How many of the last channels are no part of z, such as a known phase.
    """

    def __init__(
        self, seeds: list[int] | None = None, unitary: bool = True, passed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.seeds, self.unitary, self.passed = seeds, unitary, passed

    def build(self, input_shape: Shape) -> None:
        """Make the real and imaginary parts of A and of B; ValueError for an odd number of channels."""
        _, height, width, channels = input_shape
        transformed = channels - self.passed
        if transformed < 2 or transformed % 2:
            raise ValueError(
                f"Real and imaginary parts are an even number of channels, not {max(transformed, 0)}."
            )
        self.rows, self.columns = (
            self.add_weight(shape=(2, size, size), initializer=self._start(size, seed))
            for size, seed in zip((height, width), self.seeds or (None, None), strict=True)
        )

    def _start(self, size: int, seed: int | None) -> keras.Initializer:
        if seed is None:
            return InverseFourier()
        if self.unitary:
            return RandomUnitary(seed)
        return keras.initializers.RandomNormal(stddev=(2 * size) ** -0.5, seed=seed)

    def call(self, inputs: Tensor) -> Tensor:
        """Return tensors of the shape of `inputs`."""
        if not self.passed:
            return self._transformed(inputs)
        values, rest = inputs[..., : -self.passed], inputs[..., -self.passed :]
        return ops.concatenate([self._transformed(values), rest], axis=-1)

    def _transformed(self, inputs: Tensor) -> Tensor:
        _, height, width, channels = inputs.shape
        values = ops.reshape(inputs, (-1, height, width, 2, channels // 2))
        for matrix in (self.rows, self.columns):
            # As products of two matrices: twice as fast as sums over an axis in the middle.
            _, size, other, _, complex_channels = values.shape
            lines = ops.reshape(ops.transpose(values, (0, 2, 4, 3, 1)), (-1, 2 * size))
            products = ops.reshape(lines @ _on_real_numbers(matrix), (-1, other, complex_channels, 2, size))
            values = ops.transpose(products, (0, 1, 4, 3, 2))
        return ops.reshape(values, (-1, height, width, channels))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        own = {"seeds": self.seeds, "unitary": self.unitary, "passed": self.passed}
        return super().get_config() | own


def _on_real_numbers(matrix: Tensor) -> Tensor:
    """Return the (2 size, 2 size) that multiplies rows of real, then imaginary parts from the right."""
    real, imaginary = ops.transpose(matrix[0]), ops.transpose(matrix[1])
    above = ops.concatenate([real, imaginary], axis=1)
    return ops.concatenate([above, ops.concatenate([-imaginary, real], axis=1)], axis=0)


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class Demodulate(layers.Layer):
    """Multiplies an image by ``exp(-i phase)``, which removes a phase that is known.

    Takes ``(batch, height, width, 4)``: the real and the imaginary part of the image, and the cosine and the
    sine of its phase. Returns ``(batch, height, width, 2)``.
    """

    def build(self, input_shape: Shape) -> None:
        """Check the channels; ValueError unless there are 4."""
        if input_shape[-1] != 4:
            raise ValueError(
                "Demodulation takes 4 channels (real part, imaginary part, cosine and sine of the phase), "
                f"not {input_shape[-1]}."
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Return the real and the imaginary part of the demodulated image."""
        real, imaginary, cosine, sine = ops.split(inputs, 4, axis=-1)
        return ops.concatenate([real * cosine + imaginary * sine, imaginary * cosine - real * sine], axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``(batch, height, width, 2)``."""
        return (*input_shape[:-1], 2)


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class Magnitude(layers.Layer):
    """Magnitude of complex numbers; (batch, height, width, 2 channels), the real parts first, to half."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return tensors ``(batch, height, width, channels)``."""
        return as_channels(Spectrum(*ops.split(inputs, 2, axis=-1)), "magnitude")


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class InverseFourier(keras.initializers.Initializer):
    """Real and imaginary part ``(2, size, size)`` of the orthonormal inverse discrete Fourier transform.

    Frequency 0 and the origin of the signal are at ``size // 2``.
    """

    def __call__(self, shape: tuple[int, int, int], dtype: str | None = None) -> Tensor:
        """Return the weights."""
        grid = np.arange(shape[1]) - shape[1] // 2
        matrix = np.exp(2j * np.pi * np.outer(grid, grid) / len(grid)) / np.sqrt(len(grid))
        return ops.convert_to_tensor(np.stack([matrix.real, matrix.imag]), dtype)


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class RandomUnitary(keras.initializers.Initializer):
    """Real and imaginary part ``(2, size, size)`` of a unitary matrix, uniformly distributed (Haar measure).

    The orthogonal factor of a complex Gaussian matrix whose triangular factor has a positive diagonal
    (Mezzadri 2007, Notices of the AMS 54, page 592). Unlike a matrix of independent entries it is
    as well conditioned as the Fourier transform.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, shape: tuple[int, int, int], dtype: str | None = None) -> Tensor:
        """Return the weights."""
        real, imaginary = np.random.default_rng(self.seed).normal(size=shape)
        orthogonal, triangular = np.linalg.qr(real + 1j * imaginary)
        diagonal = np.diag(triangular)
        matrix = orthogonal * (diagonal / np.abs(diagonal))
        return ops.convert_to_tensor(np.stack([matrix.real, matrix.imag]), dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"seed": self.seed}
