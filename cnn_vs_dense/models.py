"""The classifiers of this study; all return logits."""

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


ARCHITECTURES = {"lenet5": lenet5, "dense": dense, "dense_small": dense_small}


def _dense(units, seeds, activation="relu"):
    return layers.Dense(
        units, activation=activation, kernel_initializer=keras.initializers.GlorotUniform(next(seeds))
    )


def _convolution(filters, seeds, padding):
    return layers.Conv2D(
        filters, 5, padding=padding, activation="relu",
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
    )  # fmt: skip
