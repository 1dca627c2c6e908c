"""A network that reads images of any size from coarse to fine, with the same weights at every wavelet level.

Each of the `LEVELS` wavelet levels has a grid of cells, one for 2 x 2 coefficients; a cell of the finest
level covers 4 x 4 pixels. The features of a cell come from the level's approximation and details around it
and from the features of the coarser level at the same place. A hidden layer and a linear readout turn them
into one score a class. The answer of a level is the log-sum-exp of the scores of all cells of this level and
the coarser ones. `wavelet_based_dnn.refinement` computes a part of the cells.
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
FEATURES = 64
LEVELS = 4  # a cell of the coarsest spans 32 x 32 pixels
FINEST_CELL = 4  # pixels a side
HALO = 2  # cells around a region whose features two convolutions of 3 x 3 read
BEFORE, AFTER = 3, 2  # coefficients before and after a region that its cells read
NARROW = 32  # features of a coefficient
register = keras.saving.register_keras_serializable("deep_learning_notebooks")


def build_scale_network(split="haar", features=FEATURES, classes=CLASSES, seed=0):
    """Return an untrained `ScaleNetwork`.

    Parameters
    ----------
    split : key of `pyramids.SPLITS`
        What makes the approximations and details.
    features, classes : int
        Of each cell, at least 1.
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
    return ScaleNetwork(split, features, classes, seed)


@register
class ScaleNetwork(keras.Model):
    """From images ``(n, height, width, 1)`` of any size to logits ``(n, classes)`` of each level.

    Parameters
    ----------
    split, features, classes, seed
        As of `build_scale_network`, and with the same errors.
    name, **options
        Of a Keras model.
    """

    def __init__(self, split, features, classes, seed, name="scale_network", **options):
        super().__init__(name=name, **options)
        check_counts(features=features, classes=classes)
        self.arguments = {"split": split, "features": features, "classes": classes, "seed": seed}
        self.split, seeds = look_up("split", split, SPLITS), initial_seeds(seed)
        bands = 1 + self.split.split(tf.zeros((1, 2, 2, 1)))[1].shape[-1]
        convolution = partial(seeded, layers.Conv2D, seeds, initializer=HE)
        self.first = convolution(NARROW, 3, activation="relu")
        self.second = convolution(NARROW, 3, activation="relu")
        self.stem = convolution(features, 3, 2)
        self.lateral = convolution(features, 1, use_bias=False)
        self.inner, self.outer = convolution(features, 3, activation="relu"), convolution(features, 3)
        self.hidden = convolution(features, 1, activation="relu")
        self.readout = seeded(layers.Conv2D, seeds, classes, 1)
        self.first.build((None, None, None, bands))
        for layer in (self.second, self.stem):
            layer.build((None, None, None, NARROW))
        for layer in (self.lateral, self.inner, self.outer, self.hidden, self.readout):
            layer.build((None, None, None, features))
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
        features, scores = None, []
        for level in bands:
            features = self.features(level, features)
            scores.append(self.scores(features))
        return scores

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

    def features(self, bands, coarser=None):
        """Return the features of all cells of a level.

        Parameters
        ----------
        bands : tensor (n, rows, columns, bands)
            Of `bands`.
        coarser : tensor (n, rows / 4, columns / 4, features), optional
            The features of the coarser level, rows and columns rounded up; the coarsest level has none.

        Returns
        -------
        tensor (n, rows / 2, columns / 2, features)
        """
        entered = self.entered(padded(bands, BEFORE, AFTER), coarser)
        return self.deepened(padded(entered, HALO, HALO))

    def entered(self, bands, coarser=None):
        """Return what cells make of the coefficients in and around them and of the coarser features.

        Parameters
        ----------
        bands : tensor (n, BEFORE + rows + AFTER, BEFORE + columns + AFTER, bands)
        coarser : tensor (n, rows / 4, columns / 4, features), optional
            Rows and columns are rounded up.

        Returns
        -------
        tensor (n, rows / 2, columns / 2, features)
        """
        found = self.stem(self.second(self.first(bands)))
        if coarser is not None:
            found += enlarged_to(self.lateral(coarser), found)
        return tf.nn.relu(found)

    def deepened(self, entered):
        """Return the features of cells without the `HALO` around them that the convolutions read.

        Parameters
        ----------
        entered : tensor (n, HALO + rows + HALO, HALO + columns + HALO, features)
            Of `entered`; zero outside the image.

        Returns
        -------
        tensor (n, rows, columns, features)
        """
        inside = entered[:, HALO:-HALO, HALO:-HALO]
        return tf.nn.relu(inside + self.outer(self.inner(entered)))

    def scores(self, features):
        """Return the scores of cells, tensor (..., classes), from their features (..., features)."""
        return self.readout(self.hidden(features))

    @tf.function(reduce_retracing=True)
    def regions(self, bands, coarser, inside):
        """Return the features and scores of regions of a level, compiled.

        Parameters
        ----------
        bands, coarser : tensors
            As of `entered`, around each of m regions of rows x columns cells and their `HALO`.
        inside : tensor (m, HALO + rows + HALO, HALO + columns + HALO, 1)
            1 where a cell lies in the image and 0 elsewhere, where the whole level would be padded.

        Returns
        -------
        features, scores : tensors (m, rows, columns, features) and (m, rows, columns, classes)
        """
        features = self.deepened(self.entered(bands, coarser) * inside)
        return features, self.scores(features)


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


def padded(images, before, after):
    """Return images with so many rows and columns of zeros before and after."""
    return tf.pad(images, [[0, 0], [before, after], [before, after], [0, 0]])


def enlarged_to(cells, finer):
    """Return cells, each repeated in a block of 2 x 2, as many rows and columns as `finer` has."""
    rows, columns = sides(finer)
    return tf.repeat(tf.repeat(cells, 2, 1), 2, 2)[:, :rows, :columns]


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
