"""Layers for sinograms: angles that wrap around, trained filters and denoising before the backprojection.

All take ``(batch, detector, angle, channels)``. The angles are equally spaced over 180 degrees and the
rotation centre is at ``detectors // 2``, as in `common.radon`.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from common.radon import filtered_backprojection
from common.validation import Tensor

Shape = tuple[int | None, ...]


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class WrapAngles(layers.Layer):
    """Continues sinograms of 180 degrees by ``g(s, t + 180) = g(-s, t)``, for convolutions over the angles.

    Adds `columns` angles at both ends. An even number of detectors loses the first, which has no mirror
    image.

    Parameters
    ----------
    columns : int
        More than there are angles go round again.
    """

    def __init__(self, columns: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns = columns

    def call(self, inputs: Tensor) -> Tensor:
        """Return tensors ``(batch, odd number of detectors, angles + 2 columns, channels)``."""
        symmetric = inputs[:, 1 - inputs.shape[1] % 2 :]
        whole_turn = ops.concatenate([symmetric, ops.flip(symmetric, axis=1)], axis=2)
        angles = symmetric.shape[2]
        return ops.take(whole_turn, np.arange(-self.columns, angles + self.columns) % (2 * angles), axis=2)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return super().get_config() | {"columns": self.columns}


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class DetectorFilter(layers.Layer):
    """A trained filter along the detector, which starts as a filter of `common.radon`.

    Returns the shape that it takes; beyond the detector there are zeros. The filter has a weight for every
    distance between two detectors, and is the same for all channels.

    Parameters
    ----------
    window : "ramp", "shepp-logan", "cosine", "hamming" or "hann"
        The initial filter.
    by_angle : bool
        Whether every angle has a filter of its own.
    """

    def __init__(self, window: str = "ramp", by_angle: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.window, self.by_angle = window, by_angle

    def build(self, input_shape: Shape) -> None:
        """Make the weights ``(2 detectors - 1,)`` or ``(2 detectors - 1, angles)``."""
        _, detectors, angles, _ = input_shape
        grid = np.arange(detectors)
        self.distances = grid[:, None] - grid + detectors - 1
        shape = (2 * detectors - 1, angles) if self.by_angle else (2 * detectors - 1,)
        self.kernel = self.add_weight(shape=shape, initializer=RampFilter(self.window))

    def call(self, inputs: Tensor) -> Tensor:
        """Return tensors ``(batch, detector, angle, channels)``."""
        _, detectors, angles, channels = inputs.shape
        # As a matrix, which is twice as fast as a convolution with so few channels.
        matrix = ops.take(self.kernel, self.distances, axis=0)
        if not self.by_angle:
            lines = ops.reshape(inputs, (-1, detectors, angles * channels))
            return ops.reshape(matrix @ lines, (-1, detectors, angles, channels))
        lines = ops.reshape(ops.transpose(inputs, (2, 1, 0, 3)), (angles, detectors, -1))
        filtered = ops.transpose(matrix, (2, 0, 1)) @ lines
        return ops.transpose(ops.reshape(filtered, (angles, detectors, -1, channels)), (2, 1, 0, 3))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return super().get_config() | {"window": self.window, "by_angle": self.by_angle}


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class DetectorDenoiser(layers.Layer):
    """Adds to a sinogram what two convolutions along the detector find; at first nothing.

    Returns the shape that it takes. The second kernel starts at 0, so a training begins at the undisturbed
    sinogram. All angles share the weights.

    Parameters
    ----------
    filters : int
        Features between the two convolutions.
    seed : int
        Decides the first kernel.
    """

    def __init__(self, filters: int, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.seed = filters, seed

    def build(self, input_shape: Shape) -> None:
        """Make the two kernels of 5 detectors."""
        self.find = layers.Conv2D(
            self.filters, (5, 1), padding="same", activation="relu",
            kernel_initializer=keras.initializers.GlorotUniform(self.seed),
        )  # fmt: skip
        self.correct = layers.Conv2D(input_shape[-1], (5, 1), padding="same", kernel_initializer="zeros")
        self.find.build(input_shape)
        self.correct.build((*input_shape[:-1], self.filters))

    def call(self, inputs: Tensor) -> Tensor:
        """Return tensors ``(batch, detector, angle, channels)``."""
        return inputs + self.correct(self.find(inputs))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return super().get_config() | {"filters": self.filters, "seed": self.seed}


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class RampFilter(keras.initializers.Initializer):
    """The ramp filter, alone or damped by a window, of odd length: the impulse response of `common.radon`.

    Kak & Slaney 1988, chapter 3, equation 61, times 2 as in ``skimage.transform.iradon``.

    Parameters
    ----------
    window : "ramp", "shepp-logan", "cosine", "hamming" or "hann"
    """

    def __init__(self, window: str = "ramp") -> None:
        self.window = window

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Tensor:
        """Return the weights ``(2 detectors - 1, ...)``, the same along further axes."""
        detectors = (shape[0] + 1) // 2
        impulse = np.eye(detectors)[:1].reshape(1, detectors, 1, 1)
        # Without rotation, every row of the image is the filtered projection times pi / 2.
        image = filtered_backprojection(impulse, [0.0], self.window, detectors)
        one_side = np.asarray(image)[0, 0, :, 0] * 2 / np.pi
        kernel = np.concatenate([one_side[:0:-1], one_side])
        return ops.convert_to_tensor(np.broadcast_to(kernel.reshape(-1, *[1] * len(shape[1:])), shape), dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"window": self.window}
