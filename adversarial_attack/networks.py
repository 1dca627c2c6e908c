"""Small classifiers of four families for 28 x 28 images; all return logits."""

from functools import lru_cache
from pathlib import Path

import keras
from keras import layers

from common import training
from common.data import load_dataset
from common.names import look_up
from common.validation import check_seed

EPOCHS = 5
LEARNING_RATE = 0.002
TRAINING_IMAGES = 20_000
CHECKPOINTS = Path(__file__).parent.parent / "build" / "adversarial_attack"


@lru_cache
def trained(dataset, architecture, seed):
    """Return a classifier of `dataset`, trained with Adam and a cosine schedule on its first 20,000 images.

    It is trained once; its weights are kept under ``build/``.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    architecture : key of `ARCHITECTURES`
    seed : int
        Of the initial weights and the batches.

    Returns
    -------
    keras.Model
        From images ``(n, 28, 28, 1)`` in [0, 1] to logits ``(n, 10)``.
    """
    images = load_dataset(dataset).train[:TRAINING_IMAGES]
    model = build(architecture, seed)
    steps = EPOCHS * -(-len(images) // training.BATCH_SIZE)
    training.compile_classifier(model, LEARNING_RATE, steps)
    training.fit(
        model, (images.as_float(), images.labels), epochs=EPOCHS, seed=seed,
        checkpoint=CHECKPOINTS / f"{dataset}-{architecture}-{seed}.npz",
    )  # fmt: skip
    return model


def build(architecture, seed):
    """Return an untrained classifier; `seed` decides its initial weights."""
    define = look_up("architecture", architecture, ARCHITECTURES)
    check_seed(seed)
    keras.utils.set_random_seed(int(seed))
    images = keras.Input((28, 28, 1))
    return keras.Model(images, define(images), name=architecture)


def mlp(images):
    """Two hidden layers of 256 and 128 rectifiers; 235,146 parameters."""
    x = layers.Flatten()(images)
    for width in (256, 128):
        x = layers.Dense(width, activation="relu")(x)
    return layers.Dense(10)(x)


def lenet(images):
    """LeNet-5 with rectifiers and maximum pooling; 61,706 parameters."""
    x = layers.MaxPooling2D()(layers.Conv2D(6, 5, padding="same", activation="relu")(images))
    x = layers.MaxPooling2D()(layers.Conv2D(16, 5, activation="relu")(x))
    x = layers.Flatten()(x)
    for width in (120, 84):
        x = layers.Dense(width, activation="relu")(x)
    return layers.Dense(10)(x)


def resnet(images):
    """Four residual blocks with 16 and 32 channels and batch normalisation; 43,418 parameters.

    As in He et al. 2016 (arXiv:1512.03385, section 4.2), but at 14 x 14 and 7 x 7 places.
    """
    x = _normalised_convolution(images, 16, stride=2)
    for channels, stride in ((16, 1), (16, 1), (32, 2), (32, 1)):
        y = _normalised_convolution(x, channels, stride)
        y = _normalised_convolution(y, channels, activation=None)
        if stride != 1:
            x = _normalised_convolution(x, channels, stride, size=1, activation=None)
        x = layers.ReLU()(layers.Add()([x, y]))
    return layers.Dense(10)(layers.GlobalAveragePooling2D()(x))


def _normalised_convolution(x, channels, stride=1, size=3, activation="relu"):
    x = layers.Conv2D(channels, size, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.Activation(activation)(x) if activation else x


def mixer(images):
    """An MLP-Mixer of two layers on patches of 4 x 4 (Tolstikhin et al. 2021, arXiv:2105.01601).

    48 features, 96 hidden units for the tokens and for the features; 39,612 parameters.
    """
    x = layers.Reshape((49, 48))(layers.Conv2D(48, 4, 4)(images))
    for _ in range(2):
        y = layers.Permute((2, 1))(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Permute((2, 1))(_two_dense(y, 49))])
        x = layers.Add()([x, _two_dense(layers.LayerNormalization()(x), 48)])
    return layers.Dense(10)(layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x)))


def _two_dense(x, width):
    return layers.Dense(width)(layers.Dense(96, activation="relu")(x))


ARCHITECTURES = {"mlp": mlp, "lenet": lenet, "resnet": resnet, "mixer": mixer}
