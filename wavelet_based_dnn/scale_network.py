"""A network that reads images of any size from coarse to fine, with the same weights at every wavelet level.

Each of the `LEVELS` wavelet levels merges its approximation and details to a picture, and seven convolutions
turn the picture into a grid of cells, one for 4 x 4 of its pixels. A cell of the finest level covers 4 x 4
pixels of the image. Each cell has one score a class. The answer of a level is the log-sum-exp of the scores
of all cells of this level and the coarser ones. `wavelet_based_dnn.refinement` computes a part of the cells.
"""

from functools import partial

import keras
import tensorflow as tf
from keras import layers

from common.arguments import check_counts
from common.names import look_up
from common.seeded import HE, initial_seeds, seeded
from common.validation import as_images
from wavelet_based_dnn.pyramids import SPLITS

CLASSES = 10
FILTERS = (16, 16, 32, 32, 48, 48, 48)  # oneDNN computes channels in blocks of 16
LEVELS = 4  # a cell of the coarsest spans 32 x 32 pixels
FINEST_CELL = 4  # pixels a side
register = keras.saving.register_keras_serializable("deep_learning_notebooks")


def build_scale_network(split="haar", filters=FILTERS, classes=CLASSES, seed=0):
    """Return an untrained `ScaleNetwork`.

    Parameters
    ----------
    split : key of `pyramids.SPLITS`
        What makes the approximations and details.
    filters : sequence of 7 int
        Of the convolutions, at least 1 each.
    classes : int
        At least 1.
    seed : int
        Of the initial weights.

    Returns
    -------
    ScaleNetwork

    Raises
    ------
    ValueError
        There is no such split, or a number is not as described.
    """
    return ScaleNetwork(split, filters, classes, seed)


@register
class ScaleNetwork(keras.Model):
    """From images ``(n, height, width, 1)`` of any size to logits ``(n, classes)`` of each level.

    Parameters
    ----------
    split, filters, classes, seed
        As of `build_scale_network`, and with the same errors.
    name, **options
        Of a Keras model.

    Attributes
    ----------
    channels : int
        Of what the first convolution reads.
    strides : tuple of int
        Of the convolutions.
    """

    channels, strides = 1, (1, 1, 2, 1, 2, 1, 1)

    def __init__(self, split, filters, classes, seed, name="scale_network", **options):
        super().__init__(name=name, **options)
        check_counts(classes=classes, **{f"filters[{place}]": count for place, count in enumerate(filters)})
        if len(filters) != len(self.strides):
            raise ValueError(f"filters must be {len(self.strides)} numbers, not {filters!r}.")
        self.arguments = {"split": split, "filters": tuple(filters), "classes": classes, "seed": seed}
        self.split, seeds = look_up("split", split, SPLITS), initial_seeds(seed)
        convolution = partial(seeded, layers.Conv2D, seeds, initializer=HE)
        self.convolutions = [
            convolution(count, 3, stride, "valid", activation="relu")
            for count, stride in zip(filters, self.strides, strict=True)
        ]
        self.readout = seeded(layers.Conv2D, seeds, classes, 1)
        for layer, channels in zip(
            (*self.convolutions, self.readout), (self.channels, *filters), strict=True
        ):
            layer.build((None, None, None, channels))
        self.built = True

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | self.arguments

    def call(self, images, training=False):
        """Return the logits of all levels, the coarsest first.

        Parameters
        ----------
        images : tensor, shape (n, height, width, 1)
            Floats; in [0, 1] for a trained network. Height and width may be open.
        training : bool
            Without effect; there is no dropout.

        Returns
        -------
        list of tensors (n, classes)

        Raises
        ------
        ValueError
            Images that are not finite floats ``(n, height, width, 1)``.
        """
        return answers(self.cells(images))

    def cells(self, images):
        """Return the scores of all cells, (n, rows, columns, classes) for each level, the coarsest first.

        Arguments and errors are those of `call`.
        """
        return self.cells_of(self.bands(images))

    def cells_of(self, bands):
        """Return what `cells` does from what `bands` returns."""
        return [self.scores(level) for level in bands]

    def cell_sides(self, images):
        """Return height and width in pixels of a cell of each level, a list of pairs like `cells`."""
        return doubled_sides(LEVELS)

    def bands(self, images):
        """Return the approximation and details of every level, the coarsest first.

        Parameters
        ----------
        images : tensor, shape (n, height, width, 1)

        Returns
        -------
        list of tensors (n, rows, columns, bands)
            Half the rows and columns of the finer level, rounded up to even numbers with zeros. Band 0 is
            the approximation.

        Raises
        ------
        ValueError
            As of `call`.
        """
        images = checked(images)
        found = []
        for _ in range(LEVELS):
            images, details = self.split.split(with_even_sides(images))
            found.append(with_even_sides(tf.concat([images, details], -1)))
        return found[::-1]

    def scores(self, bands):
        """Return the scores of all cells of a level.

        Parameters
        ----------
        bands : tensor (n, rows, columns, bands)
            Of `bands`.

        Returns
        -------
        tensor (n, rows / 2, columns / 2, classes)
        """
        return self.read(self.picture(bands))

    def picture(self, bands):
        """Return the picture (n, 2 rows, 2 columns, 1) that the bands of a level make."""
        return self.split.merge(bands[..., :1], bands[..., 1:])

    def read(self, picture):
        """Return the scores (n, rows / 4, columns / 4, classes) of a picture (n, rows, columns, 1)."""
        found = picture
        for layer in self.convolutions:
            # All sides are even, so "SAME" adds a row before and after, and only after for a stride of 2.
            found = tf.nn.conv2d(found, layer.kernel, layer.strides, "SAME")
            found = tf.nn.relu(found + layer.bias)
        return self.readout(found)

    def regions(self, pictures, inside):
        """Return the scores of regions of a picture.

        Parameters
        ----------
        pictures : tensor (m, rows, columns, 1)
            Each of m regions and what is around it.
        inside : list of tensors (m, rows, columns, 1), one a convolution
            1 where what it reads lies in the picture and 0 elsewhere, where the whole level is padded.

        Returns
        -------
        tensor (m, rows, columns, classes)
        """
        found = pictures
        for layer, kept in zip(self.convolutions, inside, strict=True):
            found = layer(found * kept)
        return self.readout(found)


def checked(images):
    """Return grey images as a tensor.

    Raises
    ------
    ValueError
        They are not finite floats ``(n, height, width, 1)``.
    """
    images = as_images(images)
    if images.shape[-1] != 1:
        raise ValueError(
            f"images must be grey, (n, height, width, 1), not {tuple(images.shape)}; average colours."
        )
    return images


def sides(images):
    """Return rows and columns, as integers if they are known and as tensors if not."""
    return [known or tf.shape(images)[axis] for axis, known in enumerate(images.shape[1:3], 1)]


def with_even_sides(images):
    """Return images with a row or a column of zeros more where their number is odd."""
    return tf.pad(images, [[0, 0], *([0, side % 2] for side in sides(images)), [0, 0]])


def doubled_sides(levels, height=FINEST_CELL, width=FINEST_CELL):
    """Return (height, width) of a cell of each level, the coarsest first; the finest's are given."""
    return [(height * 2**level, width * 2**level) for level in reversed(range(levels))]


def answers(scores):
    """Return the logits of all levels, (n, classes) each, from the scores of their cells.

    Parameters
    ----------
    scores : list of tensors (n, rows, columns, classes)
        The coarsest level first.

    Returns
    -------
    list of tensors (n, classes)
        The log-sum-exp over all cells of a level and the coarser ones.
    """
    logits = [tf.reduce_logsumexp(one, (1, 2)) for one in scores]
    return [tf.reduce_logsumexp(tf.stack(logits[: i + 1]), 0) for i in range(len(logits))]
