"""The classifiers of this study; all return logits.

Each is a trunk and two or three dense layers. All but `dense` have as many parameters as LeNet-5 has for
28 x 28 x 1 images and 10 classes: the first hidden layer after the trunk is as wide as that allows.
"""

from itertools import pairwise

import keras
import numpy as np
from keras import layers

from cnn_vs_dense.layers import (
    DetectorFilter,
    Magnitude,
    MixerBlock,
    SeparableTransform,
    WrapAngles,
    glorot_convolution,
    glorot_convolution_1d,
    glorot_dense,
)
from common.arguments import check_counts
from common.names import look_up
from common.radon import FilteredBackprojection
from common.seeded import initial_seeds

BUDGET = 61_706  # parameters
SMALL = 20  # pixels a side
AFFORDABLE = None  # in place of a width: as many units as the budget allows


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
        `architecture` is unknown, or the sizes are no positive integers; or `BUDGET` does not pay for the
        input shape; or a learned transform should see real and imaginary parts, but the number of channels
        is odd.
    """
    define = look_up("architecture", architecture, ARCHITECTURES)
    if np.shape(input_shape) != (3,):
        raise ValueError(f"input_shape must be (height, width, channels), not {input_shape!r}.")
    height, width, channels = input_shape
    check_counts(height=height, width=width, channels=channels, num_classes=num_classes)
    seeds = initial_seeds(seed)
    trunk, widths = define(input_shape, seeds)
    model = keras.Sequential([keras.Input(input_shape), *trunk, layers.Flatten()], name=architecture)
    if widths[0] is AFFORDABLE:
        widths = [_affordable_width(model, [*widths[1:], num_classes]), *widths[1:]]
    for width in widths:
        model.add(glorot_dense(width, seeds))
    model.add(glorot_dense(num_classes, seeds, activation=None))
    return model


def _affordable_width(trunk, following):
    """Return the largest width of a dense layer between the trunk and dense layers of widths `following`."""
    features = trunk.output_shape[-1]
    fixed = trunk.count_params() + following[0] + sum((a + 1) * b for a, b in pairwise(following))
    width = (BUDGET - fixed) // (features + 1 + following[0])
    if width < 1:
        raise ValueError(f"{trunk.input_shape[1:]} inputs need more than the {BUDGET:,} parameters allowed.")
    return width


def lenet5(input_shape, seeds):
    """LeNet-5 in its modern form: rectifiers, maximum pooling, every map of C3 sees all of S2.

    The sizes are those of LeCun, Bottou, Bengio, Haffner 1998, figure 2.
    61,706 parameters for 28 x 28 x 1 images and 10 classes, where the first hidden layer has 120 units.
    Images smaller than 20 pixels are not pooled the first time: from 14 x 14 as from 28 x 28 pixels the last
    maps are 5 x 5.
    """
    first_pooling = [layers.MaxPooling2D(2)] if min(input_shape[:2]) >= SMALL else []
    trunk = [
        glorot_convolution(6, seeds, padding="same"),
        *first_pooling,
        glorot_convolution(16, seeds, padding="valid"),
        layers.MaxPooling2D(2),
    ]
    return trunk, [AFFORDABLE, 84]


def dense(input_shape, seeds):
    """Two hidden layers of 512 and 128 rectifiers; 468,874 parameters for 28 x 28 x 1 and 10 classes."""
    return [], [512, 128]


def dense_small(input_shape, seeds):
    """Two hidden layers, the second of 23 rectifiers; for 28 x 28 x 1 and 10 classes the first has 76.

    61,671 parameters there, as many as LeNet-5 to 0.1 %.
    """
    return [], [AFFORDABLE, 23]


def pointwise(input_shape, seeds):
    """Convolutions with kernels of 1 x 1: weights shared between positions, but no neighbourhood.

    The second one is linear, because two rectifiers alone die easily.
    61,675 parameters for 28 x 28 x 1 images and 10 classes.
    """
    trunk = [glorot_convolution(8, seeds, size=1), glorot_convolution(2, seeds, size=1, activation=None)]
    return trunk, [AFFORDABLE, 41]


def large_kernel(input_shape, seeds):
    """Convolutions that see half of the image, 15 x 15 pixels, then all of it, 5 x 5 results 4 pixels apart.

    61,648 parameters for 28 x 28 x 1 images and 10 classes.
    """
    return [glorot_convolution(6, seeds, size=15, strides=4), glorot_convolution(16, seeds)], [AFFORDABLE, 36]


def mixer(input_shape, seeds):
    """An MLP-Mixer without patches: its tokens are the pixels (Tolstikhin et al. 2021, arXiv:2105.01601).

    Its one block mixes the pixels of each feature, with 24 hidden units for 784 pixels and fewer for more,
    then the features of each pixel. The paper averages over the tokens in the end; with so few features 18
    learned weighted sums of them are taken instead.
    61,652 parameters for 28 x 28 x 1 images and 10 classes.
    """
    tokens = input_shape[0] * input_shape[1]
    trunk = [
        layers.Reshape((-1, input_shape[-1])),
        glorot_dense(4, seeds, activation=None),
        layers.Permute((2, 1)),
        MixerBlock(24 * 784 // tokens, 8, [next(seeds) for _ in range(4)]),
        layers.LayerNormalization(axis=1),
        glorot_dense(18, seeds),
    ]
    return trunk, [AFFORDABLE]


def sinogram_1d(input_shape, seeds):
    """Convolutions along the detector only; the angles are the channels, in no order."""
    detectors, angles, channels = input_shape
    trunk = [
        layers.Reshape((detectors, angles * channels)),
        glorot_convolution_1d(16, seeds),
        layers.MaxPooling1D(2),
        glorot_convolution_1d(32, seeds),
        layers.MaxPooling1D(2),
    ]
    return trunk, [AFFORDABLE, 84]


def sinogram_wrapped(input_shape, seeds):
    """LeNet-5 for sinograms over 180 degrees: what its convolutions see continues where the angles end.

    The sinogram is continued far enough for both convolutions (`WrapAngles`), because feature maps have no
    such symmetry: a turn by 180 degrees mirrors the detector, and the kernels with it.
    """
    trunk = [
        WrapAngles(6),
        layers.ZeroPadding2D((2, 0)),
        glorot_convolution(6, seeds, padding="valid"),
        layers.MaxPooling2D((3, 2)),
        layers.ZeroPadding2D((2, 0)),
        glorot_convolution(16, seeds, padding="valid"),
        layers.MaxPooling2D(2),
    ]
    return trunk, [AFFORDABLE, 84]


def separable(input_shape, seeds):
    """A learned complex transform of rows and of columns (`SeparableTransform`), then LeNet-5.

    For real and imaginary parts of k-space, as in dAUTOMAP (Schlemper et al. 2019, arXiv:1909.10995).
    """
    trunk, widths = lenet5(input_shape, seeds)
    return [SeparableTransform([next(seeds), next(seeds)]), *trunk], widths


def known_operator(input_shape, seeds):
    """Filtered backprojection with a learned filter, at first the ramp, then LeNet-5.

    For sinograms at angles equally spaced over 180 degrees. The geometry is known and stays, as in Maier et
    al. 2019, "Learning with known operators reduces maximum error bounds", Nature Machine Intelligence 1.
    """
    angles = input_shape[1]
    reconstruction = FilteredBackprojection(np.arange(angles) * 180 / angles, filter=None)
    images = reconstruction.compute_output_shape((None, *input_shape))
    trunk, widths = lenet5(images[1:], seeds)
    return [DetectorFilter(), reconstruction, *trunk], widths


def known_transform(input_shape, seeds):
    """A learned transform of rows and of columns, at first the inverse Fourier transform, then LeNet-5.

    For real and imaginary parts of k-space. LeNet-5 sees the magnitude: at first the image that zero filling
    gives (`reconstruction.zero_filled`).
    """
    trunk, widths = lenet5(input_shape, seeds)
    return [SeparableTransform(), Magnitude(), *trunk], widths


ARCHITECTURES = {
    "lenet5": lenet5,
    "dense": dense,
    "dense_small": dense_small,
    "pointwise": pointwise,
    "large_kernel": large_kernel,
    "mixer": mixer,
    "sinogram_1d": sinogram_1d,
    "sinogram_wrapped": sinogram_wrapped,
    "separable": separable,
    "known_operator": known_operator,
    "known_transform": known_transform,
}
