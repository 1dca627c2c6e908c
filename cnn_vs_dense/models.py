"""The classifiers of this study, which return logits, and the U-Net that reconstructs images.

A classifier is a trunk (`trunks`) and two or three dense layers. All but `dense` spend one budget of
parameters, at first what LeNet-5 has for 28 x 28 x 1 images and 10 classes: the first hidden layer after the
trunk is as wide as that allows.
"""

from collections.abc import Iterator
from itertools import pairwise

import keras
import numpy as np
from keras import layers

from cnn_vs_dense.fourier_layers import Magnitude, SeparableTransform
from cnn_vs_dense.layers import MixerBlock, glorot_convolution, glorot_convolution_1d, glorot_dense
from cnn_vs_dense.radon_layers import DetectorFilter, WrapAngles
from cnn_vs_dense.trunks import (
    AFFORDABLE,
    K_SPACE_TRUNKS,
    SINOGRAM_TRUNKS,
    Layers,
    Shape,
    Trunk,
    lenet5,
    lenet5_shifted,
    lenet5_unpooled,
)
from common.arguments import check_counts
from common.names import look_up
from common.radon import FilteredBackprojection
from common.seeded import initial_seeds

BUDGETS = {"62k": 61_706, "300k": 300_000}  # weights that are used at test time
BUDGET = BUDGETS["62k"]


def build(
    architecture: str,
    input_shape: Shape,
    num_classes: int,
    seed: int = 0,
    budget: int = BUDGET,
    spent: int = 0,
) -> keras.Model:
    """Return an untrained classifier.

    Parameters
    ----------
    architecture : str
        A key of `ARCHITECTURES`.
    input_shape : (int, int, int)
        Height, width, channels; for sinograms detectors, angles, channels.
    num_classes : int
    seed : int
        Decides the initial weights.
    budget : int
        Parameters of the classifier and of all that comes before it, such as a value of `BUDGETS`.
    spent : int
        Weights of what comes before the classifier, such as a reconstruction that was trained.

    Returns
    -------
    keras.Model
        Maps images (batch, height, width, channels) to logits (batch, num_classes).

    Raises
    ------
    ValueError
        `architecture` is unknown, or the sizes are no positive integers; or the budget does not pay for the
        input shape; or the channels are not what a trained transform takes.
    """
    define = look_up("architecture", architecture, ARCHITECTURES)
    _check_shape("input_shape", input_shape)
    check_counts(num_classes=num_classes)
    seeds = initial_seeds(seed)
    trunk, widths = define(input_shape, seeds)
    model = keras.Sequential([keras.Input(input_shape), *trunk, layers.Flatten()], name=architecture)
    if widths[0] is AFFORDABLE:
        widths = [_affordable_width(model, [*widths[1:], num_classes], budget, spent), *widths[1:]]
    for width in widths:
        model.add(glorot_dense(width, seeds))
    model.add(glorot_dense(num_classes, seeds, activation=None))
    return model


def _check_shape(name: str, shape: Shape) -> None:
    """Raise ValueError unless a shape is that of an image."""
    if np.shape(shape) != (3,):
        raise ValueError(f"{name} must be (height, width, channels), not {shape!r}.")
    check_counts(**dict(zip(("height", "width", "channels"), shape, strict=True)))


def _affordable_width(trunk: keras.Model, following: list[int], budget: int, spent: int) -> int:
    """Return the largest width of a dense layer between the trunk and dense layers of widths `following`."""
    features = trunk.output_shape[-1]
    fixed = spent + trunk.count_params() + following[0] + sum((a + 1) * b for a, b in pairwise(following))
    width = (budget - fixed) // (features + 1 + following[0])
    if width < 1:
        before = f" after {spent:,} before the classifier" if spent else ""
        raise ValueError(
            f"{trunk.input_shape[1:]} inputs need more than the {budget:,} parameters allowed{before}."
        )
    return width


def build_with_image(
    architecture: str,
    input_shape: Shape,
    num_classes: int,
    image_shape: Shape,
    seed: int = 0,
    budget: int = BUDGET,
    spent: int = 0,
) -> keras.Model:
    r"""Return the classifier of `build`, with the same initial weights, that also returns an image.

    The image of `joint_unet` is its reconstruction. Of all others it is a linear function of the last hidden
    layer, which only the training needs: its weights are not part of the budget.

    Parameters
    ----------
    architecture, input_shape, num_classes, seed, budget, spent
        As in `build`.
    image_shape : (int, int, int)
        Height, width, channels of the image.

    Returns
    -------
    keras.Model
        Maps images to a dict: "logits" (batch, num_classes) and "image" (batch, height, width, channels).

    Raises
    ------
    ValueError
        `build` would refuse the arguments, or the reconstruction has another shape than `image_shape`.
    """
    _check_shape("image_shape", image_shape)
    classifier = build(architecture, input_shape, num_classes, seed, budget, spent)
    inputs = keras.Input(input_shape)
    tensors = [inputs]
    for layer in classifier.layers:
        tensors.append(layer(tensors[-1]))
    if architecture == "joint_unet":
        image = tensors[1]
        if image.shape[1:] != tuple(image_shape):
            raise ValueError(f"joint_unet reconstructs {image.shape[1:]}, not {tuple(image_shape)}.")
    else:
        image = _image_head(image_shape, seed)(tensors[-2])
    return keras.Model(inputs, {"logits": tensors[-1], "image": image}, name=f"{architecture}_with_image")


def _image_head(image_shape: Shape, seed: int) -> keras.Sequential:
    """Return a linear map to images; its seeds are not those of the classifier."""
    seeds = initial_seeds([seed, *image_shape])
    units = int(np.prod(image_shape))
    return keras.Sequential([glorot_dense(units, seeds, activation=None), layers.Reshape(image_shape)])


def unet(input_shape: Shape, seed: int = 0) -> keras.Model:
    """Return a small U-Net that corrects images, and at first returns them as they are.

    Two scales and a residual, as in Jin et al. 2017, "Deep convolutional neural network for inverse problems
    in imaging", IEEE Transactions on Image Processing 26. 4,361 parameters for one channel.

    Parameters
    ----------
    input_shape : (int, int, int)
        Height, width (both even), channels.
    seed : int
        Decides the initial weights.

    Returns
    -------
    keras.Model
        Maps images (batch, height, width, channels) to images of the same shape.

    Raises
    ------
    ValueError
        The sizes are no positive integers, or height or width are odd.
    """
    _check_shape("input_shape", input_shape)
    return _unet(input_shape, initial_seeds(seed))


def _unet(input_shape: Shape, seeds: Iterator[int]) -> keras.Model:
    height, width, channels = input_shape
    if height % 2 or width % 2:
        raise ValueError(f"A U-Net halves height and width, so both must be even, not {height} x {width}.")
    inputs = keras.Input(input_shape)
    fine = glorot_convolution(8, seeds, 3)(inputs)
    coarse = layers.MaxPooling2D(2)(fine)
    for layer in (
        glorot_convolution(16, seeds, 3),
        glorot_convolution(16, seeds, 3),
        glorot_convolution(8, seeds, 1, activation=None),
        layers.UpSampling2D(2),
    ):
        coarse = layer(coarse)
    merged = glorot_convolution(8, seeds, 3)(coarse + fine)
    correction = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros")(merged)
    return keras.Model(inputs, inputs + correction, name="unet")


def joint_unet(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """A reconstruction that `unet` corrects, then LeNet-5, to be trained together."""
    trunk, widths = lenet5(input_shape, seeds)
    return [_unet(input_shape, seeds), *trunk], widths


def dense(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """Two hidden layers of 512 and 128 rectifiers; 468,874 parameters for 28 x 28 x 1 and 10 classes."""
    return [], [512, 128]


def dense_small(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """Two hidden layers, the second of 23 rectifiers; for 28 x 28 x 1 and 10 classes the first has 76.

    61,671 parameters there, as many as LeNet-5 to 0.1 %.
    """
    return [], [AFFORDABLE, 23]


def pointwise(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """Convolutions with kernels of 1 x 1: weights shared between positions, but no neighbourhood.

    The second one is linear, because two rectifiers alone die easily.
    61,675 parameters for 28 x 28 x 1 images and 10 classes.
    """
    trunk = [glorot_convolution(8, seeds, size=1), glorot_convolution(2, seeds, size=1, activation=None)]
    return trunk, [AFFORDABLE, 41]


def large_kernel(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """Convolutions that see half of the image, 15 x 15 pixels, then all of it, 5 x 5 results 4 pixels apart.

    61,648 parameters for 28 x 28 x 1 images and 10 classes.
    """
    return [glorot_convolution(6, seeds, size=15, strides=4), glorot_convolution(16, seeds)], [AFFORDABLE, 36]


def mixer(input_shape: Shape, seeds: Iterator[int]) -> Layers:
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


def sinogram_1d(input_shape: Shape, seeds: Iterator[int]) -> Layers:
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


def sinogram_wrapped(input_shape: Shape, seeds: Iterator[int]) -> Layers:
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


def separable(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """A learned complex transform of rows and of columns (`SeparableTransform`), then LeNet-5.

    For real and imaginary parts of k-space, as in dAUTOMAP (Schlemper et al. 2019, arXiv:1909.10995).
    """
    trunk, widths = lenet5(input_shape, seeds)
    return [SeparableTransform([next(seeds), next(seeds)], unitary=False), *trunk], widths


def known_operator(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """Filtered backprojection with a learned filter, at first the ramp, then LeNet-5.

    For sinograms at angles equally spaced over 180 degrees. The geometry is known and stays, as in Maier et
    al. 2019, "Learning with known operators reduces maximum error bounds", Nature Machine Intelligence 1.
    """
    angles = input_shape[1]
    reconstruction = FilteredBackprojection(np.arange(angles) * 180 / angles, filter=None)
    images = reconstruction.compute_output_shape((None, *input_shape))
    trunk, widths = lenet5(images[1:], seeds)
    return [DetectorFilter(), reconstruction, *trunk], widths


def known_transform(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """A learned transform of rows and of columns, at first the inverse Fourier transform, then LeNet-5.

    For real and imaginary parts of k-space. LeNet-5 sees the magnitude: at first the image that zero filling
    gives (`reconstruction.zero_filled`).
    """
    trunk, widths = lenet5(input_shape, seeds)
    return [SeparableTransform(), Magnitude(), *trunk], widths


ARCHITECTURES: dict[str, Trunk] = {
    "lenet5": lenet5,
    "lenet5_shifted": lenet5_shifted,
    "lenet5_unpooled": lenet5_unpooled,
    "dense": dense,
    "dense_small": dense_small,
    **SINOGRAM_TRUNKS,
    **K_SPACE_TRUNKS,
    "joint_unet": joint_unet,
    "pointwise": pointwise,
    "large_kernel": large_kernel,
    "mixer": mixer,
    "sinogram_1d": sinogram_1d,
    "sinogram_wrapped": sinogram_wrapped,
    "separable": separable,
    "known_operator": known_operator,
    "known_transform": known_transform,
}
