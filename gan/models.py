"""The networks of this study, small enough that a run takes minutes on one core.

All take or give images of 28 x 28 pixels in [0, 1]. Most convolutions stand at 14 x 14 places and fewer. No
layer normalises, so a discriminator judges every image by itself, unless `normalised` asks for DCGAN's.
"""

import hashlib
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from common.seeded import HE, initial_seeds, seeded
from common.weights import load_weights

IMAGE_SHAPE = (28, 28, 1)
CLASSES = 10
FEATURES = 64
WEIGHTS = Path(__file__).parent / "weights"
LATENT_SIZES = (2, 4, 8, 16, 32)
OCTAVES = 3  # of the generators' waves
WIDTH = 24  # filters of the discriminator's first layer


def load_generator(latent_size, dataset="mnist"):
    """Return the committed generator: averaged weights of the run with seed 0 (`gan.weights`).

    Parameters
    ----------
    latent_size : int
        One of `LATENT_SIZES`.
    dataset : "mnist" or "fashion_mnist"
        Fashion-MNIST has latent size 16 alone.

    Returns
    -------
    keras.Model
        From points uniform on [-1, 1]^latent_size, ``(n, latent_size)``, to images ``(n, 28, 28, 1)`` in
        [0, 1].

    Raises
    ------
    ValueError
        There is no such generator.
    """
    return load_weights(build_generator(latent_size), weight_file(dataset, latent_size))


def load_classifier(dataset):
    """Return the committed classifier whose features the metrics use (`build_classifier`).

    Raises
    ------
    ValueError
        There is none for the data set.
    """
    return load_weights(build_classifier(), weight_file(dataset))


def weight_file(dataset, latent_size=None):
    """Return the path of the weights of a generator or, without a latent size, of the classifier."""
    name = "classifier" if latent_size is None else f"generator_{latent_size}"
    return WEIGHTS / f"{dataset}_{name}.weights.h5"


def weight_digest(dataset, latent_size):
    """Return the SHA-256 of a committed generator's weights, by which a record knows its generator."""
    return hashlib.sha256(weight_file(dataset, latent_size).read_bytes()).hexdigest()


def build_generator(latent_size, seed=0, normalised=False, octaves=OCTAVES):
    """Return an untrained generator: from points ``(n, latent_size)`` to images ``(n, 28, 28, 1)`` in [0, 1].

    1.7 million multiplications an image and 0.7 million weights for 16 numbers.

    Parameters
    ----------
    latent_size : int
    seed : int
        Of the initial weights.
    normalised : bool
        Whether the hidden layers have batch normalisations, as DCGAN's (Radford et al. 2016, section 3).
    octaves : int
        Of the `Waves`, from 0. The more, the more often the generator can fold its latent space.
    """
    seeds = initial_seeds(seed)
    return keras.Sequential(
        [
            keras.Input((latent_size,)),
            Waves(octaves),
            *_hidden(_dense(256, seeds), normalised),
            *_hidden(_dense(256, seeds), normalised),
            *_hidden(_dense(7 * 7 * 48, seeds), normalised),
            layers.Reshape((7, 7, 48)),
            *_hidden(_upsampling(24, seeds), normalised),
            _upsampling(1, seeds, activation="sigmoid"),
        ],
        name="generator",
    )


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class Waves(layers.Layer):
    """Latent numbers followed by their sines and cosines at growing frequencies.

    ``z, sin(pi z / 2), cos(pi z / 2), sin(pi z), cos(pi z), sin(2 pi z), ...``: the positional encoding of
    Mildenhall et al. 2020 (arXiv:2003.08934, equation 4). Without it a network of few inputs hardly learns
    high frequencies (Tancik et al. 2020, arXiv:2006.10739), and two numbers need them to reach all digits.

    Parameters
    ----------
    octaves : int
        Number of frequencies; each is twice the one before.
    """

    def __init__(self, octaves, **options):
        super().__init__(**options)
        self.octaves = octaves

    def call(self, points):
        """Return ``(n, (1 + 2 * octaves) * size)`` of points ``(n, size)``."""
        angles = [np.pi / 2 * 2.0**octave * points for octave in range(self.octaves)]
        waves = [wave(angle) for angle in angles for wave in (ops.sin, ops.cos)]
        return ops.concatenate([points, *waves], axis=-1)

    def compute_output_shape(self, input_shape):
        """Return the shape of what `call` returns."""
        return (*input_shape[:-1], (1 + 2 * self.octaves) * input_shape[-1])

    def get_config(self):
        """Return the arguments that make an equal layer."""
        return super().get_config() | {"octaves": self.octaves}


def build_discriminator(seed=0, normalised=False, width=WIDTH):
    """Return an untrained discriminator: from images to one logit each, positive for real.

    2.2 million multiplications an image, 0.1 million weights; both grow with the square of `width`, the
    filters of the first layer. If `normalised`, the hidden layers after the first have batch normalisations,
    as in `build_generator`.
    """
    return _judge(width=width, outputs=1, seed=seed, name="discriminator", normalised=normalised)


def build_encoder(latent_size, seed=0):
    """Return the encoder of a VAE: a discriminator with 2 * latent_size outputs, means and log variances."""
    return _judge(width=WIDTH, outputs=2 * latent_size, seed=seed, name="encoder")


def build_critic(seed=0):
    """Return a fresh critic, from images to two logits, of generated and of real.

    It is another network than the discriminator, the classifier's: it begins at full resolution and takes
    maxima, so it need not share the blind spots of what the generator was trained against.
    """
    return _pooling(outputs=2, seed=seed, name="critic")


def build_dense_critic(features, seed=0):
    """Return a critic of feature vectors ``(n, features)``: two hidden layers of 256, two logits."""
    seeds = initial_seeds(seed)
    return keras.Sequential(
        [keras.Input((features,)), _dense(256, seeds), _dense(256, seeds), _linear(2, seeds)],
        name="dense_critic",
    )


def build_classifier(seed=0):
    """Return an untrained classifier, from images to 10 logits; its layer "features" has 64 rectifiers."""
    return _pooling(outputs=CLASSES, seed=seed, name="classifier")


def _judge(width, outputs, seed, name, normalised=False):
    """Return three strided convolutions, the filters doubling, and a linear layer."""
    seeds = initial_seeds(seed)
    return keras.Sequential(
        [
            keras.Input(IMAGE_SHAPE),
            layers.Rescaling(2.0, -1.0),
            _convolution(width, seeds),
            *_hidden(_convolution(2 * width, seeds), normalised),
            *_hidden(_convolution(4 * width, seeds), normalised),
            layers.Flatten(),
            _linear(outputs, seeds),
        ],
        name=name,
    )


def _pooling(outputs, seed, name):
    """Return two convolutions of 3 x 3 with maximum pooling, 64 rectified features and a linear layer."""
    seeds = initial_seeds(seed)
    return keras.Sequential(
        [
            keras.Input(IMAGE_SHAPE),
            _convolution(32, seeds, size=3, strides=1),
            layers.MaxPooling2D(),
            _convolution(64, seeds, size=3, strides=1),
            layers.MaxPooling2D(),
            layers.Flatten(),
            _dense(FEATURES, seeds, activation="relu", name="features"),
            _linear(outputs, seeds),
        ],
        name=name,
    )


def _convolution(filters, seeds, size=4, strides=2):
    convolution = filters, size, strides, "same"
    return seeded(layers.Conv2D, seeds, *convolution, activation="leaky_relu", initializer=HE)


def _upsampling(filters, seeds, activation="leaky_relu"):
    return seeded(layers.Conv2DTranspose, seeds, filters, 4, 2, "same", activation=activation)


def _dense(units, seeds, activation="leaky_relu", name=None):
    return seeded(layers.Dense, seeds, units, activation, name=name, initializer=HE)


def _hidden(layer, normalised):
    """Return the layer, or it with a batch normalisation before its activation."""
    if not normalised:
        return [layer]
    activation, layer.activation = layer.activation, keras.activations.linear
    return [layer, layers.BatchNormalization(), layers.Activation(activation)]


def _linear(units, seeds):
    return seeded(layers.Dense, seeds, units)
