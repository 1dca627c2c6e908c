"""What the networks of this study see instead of the plain image."""

from functools import partial

from common.scramble import Scrambler

BLOCKS = (2, 4, 7, 14)  # sides that divide 28, the whole image left out


def raw(images, seed=0):
    """Return the images as they are; `seed` has no effect."""
    return images


def scrambled(images, seed=0, block=None, whole_blocks=False):
    """Return the images with their pixels permuted, every image in the same way, decided by `seed`.

    By default all pixels are permuted; with a `block`, those inside each block of that side, or the blocks
    as a whole.
    """
    return Scrambler(images.shape[1:3], seed, block, whole_blocks).scramble(images)


REPRESENTATIONS = {
    "raw": raw,
    "scrambled": scrambled,
    **{f"scrambled within {k} x {k}": partial(scrambled, block=k) for k in BLOCKS},
    **{f"blocks of {k} x {k} scrambled": partial(scrambled, block=k, whole_blocks=True) for k in BLOCKS},
}

# From no scrambling to all of it, in two ways.
DOSES = {
    "inside blocks": ["raw", *(f"scrambled within {k} x {k}" for k in BLOCKS), "scrambled"],
    "whole blocks": ["raw", *(f"blocks of {k} x {k} scrambled" for k in reversed(BLOCKS)), "scrambled"],
}
