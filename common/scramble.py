"""One fixed permutation of the pixels of all images: their spatial order is lost, and nothing else."""

from numbers import Integral

import keras
import numpy as np
from keras import ops


class Scrambler:
    """A random but fixed permutation of the pixels of ``(height, width)`` images, and its inverse.

    It is never the identity, unless there is nothing to permute. It is the same for all images and channels:
    in each of them, with pixels counted row by row, ``scrambled.flat[i] = image.flat[permutation[i]]``.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the images.
    seed : int
        Seed of `numpy.random.default_rng`, at least 0.
    block : int, optional
        Side of square blocks that tile the image, a divisor of height and width; by default the whole
        image is one block.
    whole_blocks : bool
        False permutes the pixels inside each block, independently of the other blocks. True permutes the
        blocks and leaves their inside as it is; it needs a `block`.

    Attributes
    ----------
    permutation, inverse : numpy.ndarray
        ``(height width,)`` integers, read-only.

    Raises
    ------
    ValueError
        A shape or block that is not made of positive integers, a block that does not divide height and
        width, a seed that is not an integer of at least 0, or `whole_blocks` without a `block`.
    """

    def __init__(self, shape, seed, block=None, whole_blocks=False):
        self.shape = checked_shape(shape)
        _check_seed(seed)
        _check_block(block, whole_blocks, self.shape)
        self.permutation = _permutation(self.shape, np.random.default_rng(seed), block, whole_blocks)
        self.inverse = np.argsort(self.permutation)
        for array in (self.permutation, self.inverse):
            array.flags.writeable = False

    def scramble(self, images):
        """Return images with their pixels permuted.

        Parameters
        ----------
        images : numpy.ndarray or tensor
            ``(batch, height, width, channels)`` of any dtype.

        Returns
        -------
        numpy.ndarray or tensor
            An array for an array, a tensor for a tensor; same shape and dtype.

        Raises
        ------
        ValueError
            Not four axes, or another height or width than the scrambler was made for.
        """
        return self._take(images, self.permutation)

    def unscramble(self, images):
        """Undo `scramble` to the bit; takes and returns the same as `scramble`."""
        return self._take(images, self.inverse)

    def _take(self, images, order):
        shape, (height, width) = tuple(getattr(images, "shape", ())), self.shape
        if len(shape) != 4 or shape[1] not in (None, height) or shape[2] not in (None, width):
            accepted = f"(batch, {height}, {width}, channels)"
            raise ValueError(f"images must be an array or tensor {accepted}, but the shape is {shape}.")
        xp = np if isinstance(images, np.ndarray) else ops
        batch, _, _, channels = xp.shape(images)
        pixels = xp.reshape(images, (batch, height * width, channels))
        return xp.reshape(xp.take(pixels, order, axis=1), (batch, height, width, channels))


def _permutation(shape, generator, block, whole_blocks):
    height, width = shape
    rows, columns = (block, block) if block else shape
    grid = (height // rows, rows, width // columns, columns)
    blocks = np.arange(height * width).reshape(grid).swapaxes(1, 2).reshape(-1, rows * columns)
    movable = blocks.shape[0 if whole_blocks else 1] > 1
    while True:
        drawn = generator.permutation(blocks) if whole_blocks else generator.permuted(blocks, axis=1)
        if not movable or (drawn != blocks).any():
            return drawn.reshape(grid[0], grid[2], rows, columns).swapaxes(1, 2).ravel()


def checked_shape(shape):
    """Return (height, width) as a tuple of int; raise ValueError unless both are positive integers."""
    if np.shape(shape) != (2,) or not all(_is_integer(size, 1) for size in shape):
        raise ValueError(f"shape must be two positive integers (height, width), but it is {shape!r}.")
    return tuple(int(size) for size in shape)


def _check_seed(seed):
    if not _is_integer(seed, 0):
        raise ValueError(f"seed must be an integer of at least 0, but it is {seed!r}.")


def _check_block(block, whole_blocks, shape):
    if block is None:
        if whole_blocks:
            raise ValueError("whole_blocks needs a block size, but block is None.")
    elif not _is_integer(block, 1) or any(size % block for size in shape):
        raise ValueError(f"block must be a positive divisor of the sizes {shape}, but it is {block!r}.")


def _is_integer(value, minimum):
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= minimum


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class Scramble(keras.layers.Layer):
    """Layer for ``Scrambler(shape, seed, block, whole_blocks).scramble(images)``; see `Scrambler`."""

    def __init__(self, shape, seed, block=None, whole_blocks=False, **kwargs):
        super().__init__(**kwargs)
        self.arguments = {"shape": shape, "seed": seed, "block": block, "whole_blocks": whole_blocks}
        self.scrambler = Scrambler(**self.arguments)

    def call(self, images):
        """Return images ``(batch, height, width, channels)`` with their pixels permuted."""
        return self.scrambler.scramble(images)

    def compute_output_shape(self, input_shape):
        """Return ``(batch, height, width, channels)``, sizes known even where those of the input are not."""
        batch, _, _, channels = input_shape
        return (batch, *self.scrambler.shape, channels)

    def get_config(self):
        """Return the constructor arguments."""
        return {**super().get_config(), **self.arguments}
