"""What the networks of this study see instead of the plain image."""

from common.scramble import Scrambler


def raw(images, seed=0):
    """Return the images as they are; `seed` has no effect."""
    return images


def scrambled(images, seed=0):
    """Return the images with all pixels permuted, every image in the same way, decided by `seed`."""
    return Scrambler(images.shape[1:3], seed).scramble(images)


REPRESENTATIONS = {"raw": raw, "scrambled": scrambled}
