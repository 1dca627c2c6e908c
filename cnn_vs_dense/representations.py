"""What the networks of this study see instead of the plain image."""

from functools import partial

import numpy as np

from common import fourier
from common.radon import radon
from common.scramble import Scrambler
from common.wavelet import dwt2

BLOCKS = (2, 4, 7, 14)  # sides that divide 28, the whole image left out
ANGLES = tuple(np.arange(32) * 180 / 32)
BATCH_SIZE = 1000  # images transformed at once, to bound the memory


def raw(images, seed=0):
    """Return the images as they are; `seed` has no effect."""
    return images


def scrambled(images, seed=0, block=None, whole_blocks=False):
    """Return the images with their pixels permuted, every image in the same way, decided by `seed`.

    By default all pixels are permuted; with a `block`, those inside each block of that side, or the blocks
    as a whole.
    """
    return Scrambler(images.shape[1:3], seed, block, whole_blocks).scramble(images)


def scrambled_shifted(images, seed=0, *, block):
    """Return the images scrambled inside blocks that begin one pixel further down and to the right.

    The last blocks of a row or column lie half at the other edge, so that blocks still cover the image.
    """
    moved = np.roll(images, -1, axis=(1, 2))
    return np.roll(scrambled(moved, seed, block), 1, axis=(1, 2))


def scrambled_alike(images, seed=0, *, block):
    """Return the images scrambled inside blocks, by one permutation for all blocks.

    It destroys what lies next to what inside a block, but a pattern still looks alike in every block, so
    weights that all blocks share stay as useful as before. Raises ValueError unless the side of the blocks
    divides height and width.
    """
    count, height, width, channels = images.shape
    order = Scrambler((block, block), seed).permutation
    blocks = images.reshape(count, height // block, block, width // block, block, channels).swapaxes(2, 3)
    moved = blocks.reshape(*blocks.shape[:3], block * block, channels)[:, :, :, order]
    return moved.reshape(blocks.shape).swapaxes(2, 3).reshape(images.shape)


def transformed(images, seed=0, *, transform):
    """Return `transform` of floating-point images, applied in batches; `seed` has no effect."""
    batches = [images[start : start + BATCH_SIZE] for start in range(0, len(images), BATCH_SIZE)]
    return np.concatenate([transform(batch) for batch in batches])


def scrambled_after(images, seed=0, *, transform):
    """Return `transform` of floating-point images with its positions permuted, decided by `seed`."""
    return scrambled(transformed(images, transform=transform), seed)


def sinogram(images):
    """Return the Radon transform at 32 angles over 180 degrees, ``(n, detector, 32, channels)``."""
    return radon(images, ANGLES)


def k_space(images, channels):
    """Return the orthonormal Fourier transform as the `channels` of `common.fourier.as_channels`.

    Frequency 0 is at the centre, and so is the origin of the image, as in MRI: with its origin in a corner,
    neighbouring frequencies would alternate in sign.
    """
    return fourier.as_channels(fourier.fft2(np.fft.ifftshift(images, axes=(1, 2))), channels)


def wavelet_subbands(images):
    """Return the four Haar subbands, half as high and wide, as channels; an orthonormal transform."""
    return np.concatenate(dwt2(images), axis=-1)


def blocks_as_channels(images):
    """Return every block of 2 x 2 pixels as one position: as coarse as the subbands, but nothing is mixed."""
    count, height, width, channels = images.shape
    blocks = images.reshape(count, height // 2, 2, width // 2, 2, channels)
    return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(count, height // 2, width // 2, 4 * channels)


def neighbour_correlation(images):
    """Return how much touching positions resemble each other: the mean absolute correlation over images.

    Over all pairs of positions ``(n, height, width, channels)`` that touch horizontally or vertically and
    both vary; the channels each count alone. Raises ValueError if there are none.
    """
    deviation = images.std(axis=0)
    varies = deviation > 0
    scores = (images - images.mean(axis=0)) / np.where(varies, deviation, 1)
    below = np.abs((scores[:, 1:] * scores[:, :-1]).mean(axis=0))[varies[1:] & varies[:-1]]
    beside = np.abs((scores[:, :, 1:] * scores[:, :, :-1]).mean(axis=0))[varies[:, 1:] & varies[:, :-1]]
    correlations = np.concatenate([below, beside])
    if not correlations.size:
        raise ValueError("No two touching positions vary over the images, so they have no correlation.")
    return float(correlations.mean())


SCRAMBLINGS = {
    "scrambled": scrambled,
    **{f"scrambled within {k} x {k}": partial(scrambled, block=k) for k in BLOCKS},
    **{f"blocks of {k} x {k} scrambled": partial(scrambled, block=k, whole_blocks=True) for k in BLOCKS},
    "scrambled within 2 x 2, shifted": partial(scrambled_shifted, block=2),
    **{f"scrambled within {k} x {k}, one permutation": partial(scrambled_alike, block=k) for k in (2, 7)},
}
TRANSFORMS = {
    "sinogram": sinogram,
    "k-space, real and imaginary": partial(k_space, channels="real_imaginary"),
    "k-space, magnitude and phase": partial(k_space, channels="magnitude_phase"),
    "k-space, magnitude": partial(k_space, channels="magnitude"),
    "k-space, log magnitude": partial(k_space, channels="log_magnitude"),
    "wavelet subbands": wavelet_subbands,
    "blocks of 2 x 2 as channels": blocks_as_channels,
}
REPRESENTATIONS = {
    "raw": raw,
    **SCRAMBLINGS,
    **{name: partial(transformed, transform=transform) for name, transform in TRANSFORMS.items()},
    **{
        f"{name}, scrambled": partial(scrambled_after, transform=transform)
        for name, transform in TRANSFORMS.items()
    },
}

# From no scrambling to all of it, in two ways.
DOSES = {
    "inside blocks": ["raw", *(f"scrambled within {k} x {k}" for k in BLOCKS), "scrambled"],
    "as whole blocks": ["raw", *(f"blocks of {k} x {k} scrambled" for k in reversed(BLOCKS)), "scrambled"],
}
