"""One fixed permutation of the pixels of all images, which destroys only their spatial order."""

from numbers import Integral
from typing import Any

import numpy as np
from keras import ops

from common.transform import TransformLayer, register, symbolic_dtype
from common.validation import Tensor, check_seed


class Scrambler:
    """A random but fixed permutation of the pixels of ``(height, width)`` images, and its inverse.

    The permutation is never the identity unless there is nothing to permute. It is the same for all images
    and channels: with pixels counted row by row, ``scrambled.flat[i] = image.flat[permutation[i]]``.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the images.
    seed : int
        Seed of `numpy.random.default_rng`, at least 0.
    block : int, optional
        Side of square blocks that tile the image, a divisor of height and width. By default the whole image
        is one block.
    whole_blocks : bool
        False permutes the pixels inside each block, independently of the other blocks. True permutes the
        blocks and keeps their pixels in order; it needs a `block`.

    Attributes
    ----------
    permutation, inverse : numpy.ndarray
        ``(height width,)`` integers, read-only.

    Raises
    ------
    ValueError
        Shape or block are not positive integers, the block does not divide height and width, the seed is not
        an integer of at least 0, or `whole_blocks` is true without a `block`.

    Examples
    --------
    >>> scrambler = Scrambler((2, 2), seed=0)
    >>> scrambler.scramble(np.arange(4).reshape(1, 2, 2, 1)).ravel().tolist()
    [2, 0, 1, 3]
    """

    permutation: np.ndarray
    inverse: np.ndarray

    def __init__(
        self, shape: tuple[int, int], seed: int, block: int | None = None, whole_blocks: bool = False
    ) -> None:
        self.shape = checked_shape(shape)
        check_seed(seed)
        _check_block(block, whole_blocks, self.shape)
        self._settings = {"shape": self.shape, "seed": seed, "block": block, "whole_blocks": whole_blocks}
        self.permutation = _permutation(self.shape, np.random.default_rng(seed), block, whole_blocks)
        self.inverse = np.argsort(self.permutation)
        for array in (self.permutation, self.inverse):
            array.flags.writeable = False

    def scramble(self, images: np.ndarray | Tensor) -> np.ndarray | Tensor:
        """Return images with their pixels permuted.

        Parameters
        ----------
        images : numpy.ndarray or tensor
            ``(batch, height, width, channels)`` of any dtype. A `keras.KerasTensor` adds the layer `Scramble`
            to the model.

        Returns
        -------
        numpy.ndarray or tensor
            An array for an array, a tensor for a tensor, of the same shape and dtype.

        Raises
        ------
        ValueError
            The images have not four axes, or not the height and width of the scrambler.
        """
        return self._take(images, inverse=False)

    def unscramble(self, images: np.ndarray | Tensor) -> np.ndarray | Tensor:
        """Undo `scramble` exactly; parameters, result and errors are the same."""
        return self._take(images, inverse=True)

    def _take(self, images, inverse):
        self._check(images)
        if dtype := symbolic_dtype(images):
            return Scramble(**self._settings, inverse=inverse, dtype=dtype)(images)
        xp = np if isinstance(images, np.ndarray) else ops
        order = self.inverse if inverse else self.permutation
        batch, height, width, channels = xp.shape(images)
        pixels = xp.reshape(images, (batch, height * width, channels))
        return xp.reshape(xp.take(pixels, order, axis=1), (batch, *self.shape, channels))

    def _check(self, images):
        shape, (height, width) = tuple(getattr(images, "shape", ())), self.shape
        if len(shape) != 4 or shape[1] not in (None, height) or shape[2] not in (None, width):
            accepted = f"(batch, {height}, {width}, channels)"
            raise ValueError(f"images must be an array or tensor {accepted}, but the shape is {shape}.")


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


def checked_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) as a tuple of int; raise ValueError unless both are positive integers."""
    if np.shape(shape) != (2,) or not all(_is_integer(size, 1) for size in shape):
        raise ValueError(f"shape must be two positive integers (height, width), but it is {shape!r}.")
    height, width = shape
    return int(height), int(width)


def _check_block(block, whole_blocks, shape):
    if block is None:
        if whole_blocks:
            raise ValueError("whole_blocks needs a block size, but block is None.")
    elif not _is_integer(block, 1) or any(size % block for size in shape):
        raise ValueError(f"block must be a positive divisor of the sizes {shape}, but it is {block!r}.")


def _is_integer(value, minimum):
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= minimum


@register
class Scramble(TransformLayer):
    """`Scrambler.scramble` or, with `inverse`, `Scrambler.unscramble` as a layer."""

    def __init__(
        self,
        shape: tuple[int, int],
        seed: int,
        block: int | None = None,
        whole_blocks: bool = False,
        inverse: bool = False,
        **kwargs: Any,
    ) -> None:
        scrambler = Scrambler(shape, seed, block, whole_blocks)
        super().__init__({**scrambler._settings, "inverse": inverse}, **kwargs)
        self.scrambler = scrambler

    def check(self, images: Any, name: str) -> None:
        """Raise ValueError unless the images have the shape of the scrambler."""
        self.scrambler._check(images)

    def call(self, inputs: Any) -> Any:
        """Return images ``(batch, height, width, channels)`` with their pixels permuted."""
        return self.scrambler._take(inputs, self.settings["inverse"])

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return ``(batch, height, width, channels)`` with the sizes of the scrambler."""
        return (input_shape[0], *self.scrambler.shape, input_shape[3])
