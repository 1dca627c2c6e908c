"""What the network of scales is compared with; all take images of any size and return a list of logits."""

from functools import partial

import keras
import tensorflow as tf
from keras import layers

from common.arguments import check_counts
from common.seeded import HE, initial_seeds, seeded
from wavelet_based_dnn.scale_network import (
    CLASSES,
    FILTERS,
    FINEST_CELL,
    LEVELS,
    ScaleNetwork,
    answers,
    checked,
    doubled_sides,
    register,
    with_even_sides,
)

PYRAMID = 3  # the image and two average-pooled copies
FULL_FILTERS = (32, 32, 48, 48, 64, 64, 64)
# As many multiplications as a `ScaleNetwork` on a canvas of 224 pixels, with all and with the fewest tiles.
NARROW_FILTERS = FILTERS
COEFFICIENT_FILTERS = (32, 32, 32, 32, 32, 32, 48)  # of `CoefficientScales`; as many multiplications, too
DETAIL_GAIN = 3.0  # on training scenes, approximations deviate 2.1 (coarsest) to 3.6 times as much (MNIST)
NARROWEST_FILTERS = (8, 16, 16, 16, 32, 32, 32)


def build_plain_pyramid(filters=FULL_FILTERS, seed=0):
    """Return an untrained `PlainPyramid`; the arguments are its."""
    return PlainPyramid(filters, seed)


@register
class PlainPyramid(keras.Model):
    """Seven convolutions on an image and two average-pooled copies, pooled over all places and scales.

    It has no wavelet and no coarse-to-fine order, and computes every place. The weights are the same at all
    three scales, as in `ScaleNetwork`.

    Parameters
    ----------
    filters : sequence of int
        Of the seven convolutions.
    seed : int
        Of the initial weights.
    name, **options
        Of a Keras model.
    """

    def __init__(self, filters, seed, name="plain_pyramid", **options):
        super().__init__(name=name, **options)
        self.arguments, seeds = {"filters": tuple(filters), "seed": seed}, initial_seeds(seed)
        convolution = partial(seeded, layers.Conv2D, seeds, initializer=HE)
        self.trunk = keras.Sequential([
            keras.Input((None, None, 1)),
            *(
                convolution(count, 3, stride, "same", activation="relu")
                for count, stride in zip(filters, ScaleNetwork.strides, strict=True)
            ),
            seeded(layers.Conv2D, seeds, CLASSES, 1),
        ])  # fmt: skip
        self.built = True

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | self.arguments

    def call(self, images, training=False):
        """Return the logits (n, classes) in a list of one; arguments and errors as of `ScaleNetwork.call`."""
        return answers(self.cells(images))[-1:]

    def cells(self, images):
        """Return the scores of all places, the most reduced copy first; otherwise as `ScaleNetwork.cells`."""
        images, scores = checked(images), []
        for _ in range(PYRAMID):
            scores.append(self.trunk(images))
            images = tf.nn.avg_pool2d(images, 2, 2, "SAME")
        return scores[::-1]

    def cell_sides(self, images):
        """As of `ScaleNetwork.cell_sides`."""
        return doubled_sides(PYRAMID)


@register
class FinestLevel(ScaleNetwork):
    """A `ScaleNetwork` that reads the finest level alone: one scale, the same pooling."""

    def bands(self, images):
        """Return the finest level's bands in a list of one; arguments and errors as of `ScaleNetwork`."""
        return super().bands(images)[-1:]

    def cell_sides(self, images):
        """As of `ScaleNetwork.cell_sides`."""
        return doubled_sides(1)


@register
class CoefficientScales(ScaleNetwork):
    """A `ScaleNetwork` that reads approximation and details as four channels, in place of their picture.

    The channels are half as wide as the picture, so one stride of 2 gives the same cells. The field of a
    cell is 38 pixels of the picture in place of 31.
    """

    channels, strides = 4, (1, 1, 1, 1, 2, 1, 1)

    def picture(self, bands):
        """Return the approximation and the details times `DETAIL_GAIN`."""
        return bands * tf.constant([1, *3 * [DETAIL_GAIN]], bands.dtype)


@register
class ResizedScales(ScaleNetwork):
    """A `ScaleNetwork` that resizes every image to a square of one size first.

    Parameters
    ----------
    side : int
        In pixels, at least 1.
    split, filters, classes, seed, name, **options
        As of `ScaleNetwork`.

    Raises
    ------
    ValueError
        The side is not as described, or as of `ScaleNetwork`.
    """

    def __init__(self, side, split, filters, classes, seed, name="resized_scales", **options):
        super().__init__(split, filters, classes, seed, name=name, **options)
        check_counts(side=side)
        self.arguments |= {"side": side}
        self.side = side

    def bands(self, images):
        """Return the levels of the resized images; arguments and errors as of `ScaleNetwork`."""
        return super().bands(tf.image.resize(checked(images), (self.side, self.side), antialias=True))

    def cell_sides(self, images):
        """As of `ScaleNetwork.cell_sides`, in pixels of the image before it is resized."""
        return doubled_sides(LEVELS, *(FINEST_CELL * side / self.side for side in images.shape[1:3]))


@register
class HalvedScales(ScaleNetwork):
    """A `ScaleNetwork` that halves every image first, and so never sees the finest details."""

    def bands(self, images):
        """Return the levels of the halved images; arguments and errors as of `ScaleNetwork`."""
        return super().bands(halved_images(checked(images)))

    def cell_sides(self, images):
        """As of `ScaleNetwork.cell_sides`, in pixels of the image before it is halved."""
        return doubled_sides(LEVELS, 2 * FINEST_CELL, 2 * FINEST_CELL)


def halved_images(images):
    """Return the means of 2 x 2 pixels, (n, rows / 2, columns / 2, 1); an odd side gets a row of zeros."""
    return tf.nn.avg_pool2d(with_even_sides(images), 2, 2, "VALID")
