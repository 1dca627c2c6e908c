"""The classifiers of this study: the dynamic one, and those that it is compared with.

All take images ``(n, height, width, 1)`` of any height and width from 7 pixels up, floats in [0, 1], and
return a list of logits ``(n, classes)``, one for each level, the finest last.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from common.multiplications import multiplications
from common.names import look_up
from common.seeded import HE, initial_seeds, seeded
from common.validation import as_images
from common.weights import load_weights
from wavelet_based_dnn.pyramids import SPLITS, enlarged, pyramid
from wavelet_based_dnn.resampling import resample

CLASSES = 10
SMALLEST = 7  # pixels a side
CANVAS = 32  # pixels a side
LEVELS = 3
FEATURES, WIDE, HIDDEN = 16, 32, 64
WIDER = 48  # in place of WIDE where there is no dense layer
STRIDED_FROM = 20  # pixels a side
PRIVATE_MOMENTUM = 0.9  # a private normalisation sees a seventh of the batches
register = keras.saving.register_keras_serializable("deep_learning_notebooks")
WEIGHTS = Path(__file__).parent / "weights"


def load_dynamic_classifier(dataset):
    """Return the trained, committed dynamic classifier (`wavelet_based_dnn.weights`).

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"

    Returns
    -------
    DynamicClassifier

    Raises
    ------
    ValueError
        There is none for the data set.
    """
    return load_weights(build_dynamic_classifier(), weight_file(dataset))


def weight_file(dataset):
    """Return the path of the weights of the dynamic classifier."""
    return WEIGHTS / f"{dataset}.weights.h5"


def count_macs(model, height, width):
    """Return how many multiplications each level takes for one image, all that it builds on included.

    Those of convolutions, of dense layers, of the wavelet transform and of the resampling
    (`common.multiplications.multiplications`); one multiplication and one addition are one MAC.

    Parameters
    ----------
    model : one of the classifiers of this module
    height, width : int
        In pixels.

    Returns
    -------
    list of int
        One for each level, the finest last.
    """
    return multiplications(model, (1, height, width, 1))


def count_exit_macs(model, height, width):
    """Return how many multiplications an image takes that leaves at each level, those asked in vain included.

    Parameters and result as of `count_macs`.
    """

    def asked(images):
        logits = model(images)
        return [tf.concat(logits[: count + 1], -1) for count in range(len(logits))]

    return multiplications(asked, (1, height, width, 1))


def build_dynamic_classifier(split="haar", reuse=True, resampled=True, seed=0):
    """Return an untrained `DynamicClassifier`.

    Parameters
    ----------
    split : key of `pyramids.SPLITS`
        What makes the approximations and details.
    reuse : bool
        Whether a refinement joins the features of the level before; otherwise every level starts anew.
    resampled : bool
        Whether images are resampled to 32 x 32 pixels; otherwise they are split as they are, with zeros to
        the right and below up to a multiple of 8, and every level reads the mean over all places.
    seed : int
        Of the initial weights.

    Raises
    ------
    ValueError
        There is no such split.
    """
    return DynamicClassifier(split, reuse, resampled, seed)


@register
class DynamicClassifier(keras.Model):
    """One network for images of any size, which reads them from coarse to fine and may stop at any level.

    An image is resampled to 32 x 32 pixels, so that all sizes share the same dyadic grids, and split into a
    pyramid of three levels above 4 x 4 pixels. The stem reads that approximation. Every refinement reads the
    detail bands of the next level with the approximation that they refine, and joins the features of the
    level before, enlarged. A classifier follows the stem and every refinement: level 0 and up. All that
    was computed is kept: refining costs what it adds and no more.

    No layer normalises, so nothing depends on the sizes that a batch or a training has had.

    Parameters
    ----------
    split, reuse, resampled, seed
        As of `build_dynamic_classifier`.
    """

    def __init__(self, split, reuse, resampled, seed, name="dynamic", **options):
        super().__init__(name=name, **options)
        self.arguments = {"split": split, "reuse": reuse, "resampled": resampled, "seed": seed}
        self.split, self.reuse, self.resampled = look_up("split", split, SPLITS), reuse, resampled
        seeds = initial_seeds(seed)
        bands = 1 + self.split.split(tf.zeros((1, 2, 2, 1)))[1].shape[-1]
        self.stem = _network(1, [_convolution(FEATURES, seeds) for _ in range(2)])
        self.lateral = [_network(FEATURES, [_projection(seeds)]) for _ in range(LEVELS if reuse else 0)]
        self.entries = [
            _network(bands, [_convolution(FEATURES, seeds, activation=None)]) for _ in range(LEVELS)
        ]
        self.bodies = [
            _network(FEATURES, [_convolution(FEATURES, seeds) for _ in range(count)]) for count in (1, 1, 2)
        ]
        # Files of weights know this name.
        self.heads = [
            _classifier(side if resampled else None, strides, seeds)
            for side, strides in ((4, 1), (4, 1), (8, 1), (16, 2))
        ]
        self.built = True

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | self.arguments

    def call(self, images, training=False):
        """Return the logits of all levels, a list of tensors ``(n, 10)``, the coarsest first.

        Raises
        ------
        ValueError
            Images that are not ``(n, height, width, 1)``, floats, with known height and width of at least 7.
        """
        return list(self.refined(self.coefficients(images)))

    def coefficients(self, images):
        """Return the pyramid of images as `pyramids.pyramid` does; raises as `call`."""
        images = checked(images)
        if self.resampled:
            return pyramid(resample(images, CANVAS, CANVAS), LEVELS, self.split)
        margins = [[0, -size % 2**LEVELS] for size in images.shape[1:3]]
        return pyramid(tf.pad(images, [[0, 0], *margins, [0, 0]]), LEVELS, self.split)

    def refined(self, coefficients):
        """Yield the logits of one level after the other, computing each when it is asked for.

        Parameters
        ----------
        coefficients : list of tensors
            The approximation and the details that have arrived, the coarsest first, as of `coefficients`.
        """
        approximation, *details = coefficients
        features = self.stem(approximation)
        yield self.heads[0](features)
        for level, detail in enumerate(details):
            found = self.entries[level](tf.concat([approximation, detail], -1))
            if self.reuse:
                known = self.lateral[level](features)
                # The first refinement stands on the same grid as the stem.
                found += enlarged(known) if level else known
            features = self.bodies[level](tf.nn.relu(found))
            yield self.heads[level + 1](features)
            approximation = self.split.merge(approximation, detail)


def checked(images):
    """Return images as a tensor.

    Raises
    ------
    ValueError
        They are not floats ``(n, height, width, 1)`` with known height and width of at least 7.
    """
    images = as_images(images)
    _, *sides, channels = images.shape
    if channels != 1 or None in sides or min(sides) < SMALLEST:
        raise ValueError(
            f"Images must be (n, height, width, 1) with at least {SMALLEST} known rows and columns, "
            f"not {tuple(images.shape)}."
        )
    return images


def build_cnn(size, width=1.0, seed=0):
    """Return an untrained convolutional network of one size, `Resized`.

    Five convolutions, of which the first has a stride of 2 from 20 pixels up, then a dense layer over all
    places. On smaller images every pixel counts, and there are few.

    Parameters
    ----------
    size : int
        In pixels a side; images of other sizes are resampled to it.
    width : float
        Factor on the features of the convolutions.
    seed : int
        Of the initial weights.
    """
    seeds = initial_seeds(seed)
    trunk = [
        _convolution(round(width * filters), seeds, *shape) for filters, *shape in cnn_convolutions(size)
    ]
    return Resized(_network(1, [*trunk, *_readout(layers.Flatten(), seeds)], side=size), size)


def build_resized_convolutional(size, seed=0):
    """Return the network of `build_fully_convolutional` for images of one size, `Resized`."""
    return Resized(build_fully_convolutional(seed=seed), size)


@register
class Resized(keras.Model):
    """A network for images of one size that resamples all others to it."""

    def __init__(self, network, size, name="resized", **options):
        super().__init__(name=name, **options)
        self.network, self.size, self.built = network, size, True

    def get_config(self):
        """Return the arguments of the constructor, the network serialised."""
        network = keras.saving.serialize_keras_object(self.network)
        return super().get_config() | {"network": network, "size": self.size}

    @classmethod
    def from_config(cls, config):
        """Return the network of a configuration."""
        return cls(keras.saving.deserialize_keras_object(config.pop("network")), **config)

    def call(self, images, training=False):
        """Return the logits in a list; raises as `DynamicClassifier.call`."""
        resampled = resample(checked(images), self.size, self.size)
        return tf.nest.flatten(self.network(resampled, training=training))


def build_fully_convolutional(private_sizes=(), seed=0):
    """Return an untrained `FullyConvolutional` network.

    Parameters
    ----------
    private_sizes : sequence of int
        In pixels a side, those that have batch normalisations of their own; without any, the layers
        normalise the features of each place, which no size can mislead.
    seed : int
        Of the initial weights.
    """
    return FullyConvolutional(private_sizes, seed)


@register
class FullyConvolutional(keras.Model):
    """The convolutions of `build_cnn`, wider and normalised, a mean over all places and a linear layer.

    With private sizes it is a resolution-switchable network (Wang et al. 2020, arXiv:2007.09558): one set of
    kernels, and for every size of training its own normalisation. Images of other sizes take that of the
    size whose number of pixels is nearest in ratio.
    """

    def __init__(self, private_sizes, seed, name="fully_convolutional", **options):
        super().__init__(name=name, **options)
        self.private_sizes, self.seed, seeds = tuple(private_sizes), seed, initial_seeds(seed)
        self.convolutions, self.normalisations, channels = [], [], 1
        for filters, *shape in cnn_convolutions(CANVAS, WIDER):
            layer = _convolution(filters, seeds, *shape, activation=None)
            self.convolutions.append(_network(channels, [layer]))
            self.normalisations.append([_network(filters, [kind]) for kind in _normalisations(private_sizes)])
            channels = filters
        self.readout = _network(channels, [layers.GlobalAveragePooling2D(), _linear(seeds)])
        self.built = True

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"private_sizes": self.private_sizes, "seed": self.seed}

    def call(self, images, training=False):
        """Return the logits in a list; raises as `DynamicClassifier.call`."""
        features = checked(images)
        chosen = self.normalisation_of(*images.shape[1:3])
        for convolution, kinds in zip(self.convolutions, self.normalisations, strict=True):
            features = tf.nn.relu(kinds[chosen](convolution(features), training=training))
        return [self.readout(features)]

    def normalisation_of(self, height, width):
        """Return the index of the normalisation that images of a size take."""
        if not self.private_sizes:
            return 0
        ratios = np.log(height * width) - 2 * np.log(self.private_sizes)
        return int(np.argmin(np.abs(ratios)))


def cnn_convolutions(size, wide=WIDE):
    """Return (filters, kernel size, strides) of the five convolutions for images of a size.

    Parameters
    ----------
    size : int
        In pixels a side.
    wide : int
        Filters of the last two.
    """
    first = 1 if size < STRIDED_FROM else 2
    narrow = [(FEATURES, 5, first), (FEATURES, 3, 1), (FEATURES, 3, 1)]
    return [*narrow, (wide, 3, 2), (wide, 3, 1)]


def _network(channels, chain, side=None):
    return keras.Sequential([keras.Input((side, side, channels)), *chain])


def _convolution(filters, seeds, size=3, strides=1, activation="relu"):
    return seeded(layers.Conv2D, seeds, filters, size, strides, "same", activation=activation, initializer=HE)


def _projection(seeds):
    """Return a linear map of the features of each place, to be added to others."""
    return seeded(layers.Conv2D, seeds, FEATURES, 1, use_bias=False)


def _classifier(side, strides, seeds):
    """Return one or two convolutions and a readout of all places or, if their number is open, of the mean."""
    strided = [_convolution(WIDE, seeds, strides=2)] if strides == 2 else []
    pooling = layers.Flatten() if side else layers.GlobalAveragePooling2D()
    return _network(FEATURES, [*strided, _convolution(WIDE, seeds), *_readout(pooling, seeds)], side)


def _readout(pooling, seeds):
    return [pooling, seeded(layers.Dense, seeds, HIDDEN, "relu", initializer=HE), _linear(seeds)]


def _normalisations(private_sizes):
    if not private_sizes:
        return [layers.LayerNormalization()]
    return [layers.BatchNormalization(momentum=PRIVATE_MOMENTUM) for _ in private_sizes]


def _linear(seeds):
    return seeded(layers.Dense, seeds, CLASSES)
