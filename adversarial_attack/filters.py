"""What may happen to an image between its attacker and its classifier.

A filter is callable: it takes images ``(n, height, width, channels)`` in [0, 1] and returns such images. Its
`adjoint` carries gradients from behind the filter to before it: exactly for linear filters, straight through
for the others (Athalye, Carlini & Wagner 2018, arXiv:1802.00420, section 4.1).
"""

import io
from functools import lru_cache
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import fft, ndimage, sparse
from skimage.restoration import denoise_bilateral, denoise_nl_means, denoise_tv_chambolle

from common.arguments import check_counts, check_shares
from common.pixels import as_bytes
from common.validation import as_images


class Separable(NamedTuple):
    """A linear filter that treats rows and columns apart, and all channels alike.

    Attributes
    ----------
    rows : array ``(new height, height)``
    columns : array ``(new width, width)``
    """

    rows: np.ndarray
    columns: np.ndarray

    def __call__(self, images):
        """Return ``(n, new height, new width, channels)``; ValueError for other images than these."""
        _check_size(images, (self.rows.shape[1], self.columns.shape[1]))
        return _along_both(self.rows, self.columns, images)

    def adjoint(self, gradients):
        """Return ``(n, height, width, channels)`` from ``(n, new height, new width, channels)``."""
        return _along_both(self.rows.T, self.columns.T, gradients)


class Sparse(NamedTuple):
    """A linear filter of whole images that treats all channels alike.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array ``(height * width, height * width)``
        Row ``i`` says from which pixels the new pixel ``i`` is made; pixels count row by row.
    size : (int, int)
        Height and width.
    """

    matrix: sparse.csr_array
    size: tuple[int, int]

    def __call__(self, images):
        """Return ``(n, height, width, channels)``; ValueError for images of another size."""
        _check_size(images, self.size)
        return _by_matrix(self.matrix, images)

    def adjoint(self, gradients):
        """Return ``(n, height, width, channels)`` from gradients of the same shape."""
        return _by_matrix(self.matrix.T, gradients)


class StraightThrough(NamedTuple):
    """A filter of each image whose gradient is taken for that of the identity.

    Attributes
    ----------
    function : callable
        From one image ``(height, width, channels)`` to another.
    """

    function: callable

    def __call__(self, images):
        """Return the images, filtered one by one; ValueError unless they are (n, height, width, channels)."""
        _check(images)
        return np.stack([self.function(image) for image in images]).astype(images.dtype)

    def adjoint(self, gradients):
        """Return the gradients."""
        return gradients


def _check(images):
    if not isinstance(images, np.ndarray):
        raise ValueError(f"images must be a NumPy array, not {type(images).__name__}; use np.asarray.")
    as_images(images)


def _check_size(images, size):
    _check(images)
    if images.shape[1:3] != size:
        raise ValueError(f"This filter is made for images of {size} pixels, not {images.shape[1:3]}.")


def _by_matrix(matrix, images):
    matrix = matrix.astype(images.dtype)
    pixels = images.reshape(len(images), -1, images.shape[-1])
    return np.stack([matrix @ image for image in pixels]).reshape(images.shape)


def _along_both(rows, columns, images):
    n, height, width, channels = images.shape
    filtered = rows.astype(images.dtype) @ images.reshape(n, height, width * channels)
    return columns.astype(images.dtype) @ filtered.reshape(n, len(rows), width, channels)


IDENTITY = StraightThrough(lambda image: image)


def gaussian_blur(height, width, sigma):
    """Return the blur that `scipy.ndimage.gaussian_filter` makes, reflecting the border; sigma in pixels.

    Raises ValueError unless sigma is a positive number.
    """
    if not isinstance(sigma, Real) or not 0 < sigma < np.inf:
        raise ValueError(f"sigma must be a positive number of pixels, not {sigma!r}.")
    return Separable(_blur_matrix(height, sigma), _blur_matrix(width, sigma))


@lru_cache(maxsize=256)
def _blur_matrix(size, sigma):
    return ndimage.gaussian_filter1d(np.eye(size), sigma, axis=0, mode="reflect")


def down_and_up(height, width, factor=0.5):
    """Return the bicubic resampling to a share `factor` of the size, as Pillow does it, and back.

    Raises ValueError for a factor outside [0, 1] or of less than a pixel.
    """
    return Separable(*(_down_and_up(size, _part(size, factor)) for size in (height, width)))


def _part(size, share):
    """Return a share of a size in pixels, at least one of them, or raise ValueError."""
    check_shares(share=share)
    if not round(share * size):
        raise ValueError(f"A share of {share} leaves nothing of {size} pixels.")
    return round(share * size)


def _down_and_up(size, smaller):
    return _resampling(smaller, size) @ _resampling(size, smaller)


def resized_and_padded(height, width, new_height, new_width, top, left):
    """Return the bicubic resampling to a smaller size, in a black frame of the old size.

    As in Xie et al. 2019 (arXiv:1803.06978).
    """
    rows, columns = np.zeros((height, height)), np.zeros((width, width))
    rows[top : top + new_height] = _resampling(height, new_height)
    columns[left : left + new_width] = _resampling(width, new_width)
    return Separable(rows, columns)


@lru_cache(maxsize=256)
def _resampling(size, new_size):
    """Return the matrix ``(new size, size)``."""
    impulses = Image.fromarray(np.eye(size, dtype="float32"))
    return np.asarray(impulses.resize((size, new_size), Image.Resampling.BICUBIC), "float64")


def low_frequencies(height, width, share):
    """Return the projection on the lowest `share` of the discrete cosine transform's frequencies a side.

    Raises ValueError for a share outside [0, 1] or of less than one frequency.
    """
    lowest = [_cosines(size, _part(size, share)) for size in (height, width)]
    return Separable(*(waves.T @ waves for waves in lowest))


@lru_cache
def _cosines(size, number):
    """Return the first rows of the orthonormal discrete cosine transform, ``(number, size)``."""
    return fft.dct(np.eye(size), axis=0, norm="ortho")[:number]


def block_shuffle_and_rotation(height, width, rng, blocks=2, degrees=24):
    """Return a filter that shuffles and rotates random blocks (Wang et al. 2024, arXiv:2308.10299).

    One axis, chosen at random, is cut into strips, and each strip into blocks along the other axis. The
    strips are shuffled, then the blocks of each strip. Each block is rotated about its centre with bilinear
    interpolation and filled with black. Some published code rotates whole strips; we rotate blocks, as the
    paper says.

    Parameters
    ----------
    height, width : int
        Size of the images in pixels, at least `blocks`.
    rng : numpy.random.Generator
        Draws the cuts, the order and the angles.
    blocks : int
        Blocks along each axis.
    degrees : float
        Largest angle in either direction.

    Returns
    -------
    Sparse

    Raises
    ------
    ValueError
        `blocks` is not a whole number from 1 to the size, or `degrees` not from 0 to 180.
    """
    check_counts(blocks=blocks)
    if blocks > min(height, width):
        raise ValueError(f"{height} x {width} pixels cannot be cut into {blocks} blocks along each axis.")
    if not isinstance(degrees, Real) or not 0 <= degrees <= 180:
        raise ValueError(f"degrees must lie between 0 and 180, not be {degrees!r}.")
    moved = [
        _rotated_block(target, source, rng.uniform(-degrees, degrees), width)
        for target, source in _shuffled_blocks(height, width, blocks, rng)
    ]
    pixels, origins, weights = (np.concatenate(parts, axis=-1).ravel() for parts in zip(*moved, strict=True))
    shape = (height * width, height * width)
    return Sparse(sparse.coo_array((weights, (pixels, origins)), shape).tocsr(), (height, width))


def _shuffled_blocks(height, width, blocks, rng):
    """Return pairs (target, source) of blocks, each a pair of ranges of rows and of columns."""
    by_rows = rng.random() < 0.5
    across, along = (height, width) if by_rows else (width, height)
    pairs = []
    for strips in _shuffled_ranges(across, blocks, rng):
        for parts in _shuffled_ranges(along, blocks, rng):
            ends = zip(strips, parts, strict=True)
            pairs.append([(strip, part) if by_rows else (part, strip) for strip, part in ends])
    return pairs


def _shuffled_ranges(size, blocks, rng):
    """Return pairs (target, source) of ranges of equal length; targets and sources each cover the size."""
    lengths = _random_lengths(size, blocks, rng)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    order = rng.permutation(blocks)
    targets = np.concatenate([[0], np.cumsum(lengths[order])[:-1]])
    return [
        (range(target, target + length), range(start, start + length))
        for target, start, length in zip(targets, starts[order], lengths[order], strict=True)
    ]


def _random_lengths(size, blocks, rng):
    """Return random positive lengths that sum to the size.

    As in the authors' code they are proportional to uniform values in [1, 2], so no block is tiny.
    """
    shares = np.cumsum(rng.uniform(1, 2, blocks))
    # One pixel a block is set aside, so that none is empty however small the image.
    ends = np.round(shares / shares[-1] * (size - blocks)).astype(int)
    return np.diff(ends, prepend=0) + 1


def _rotated_block(target, source, angle, width):
    """Return the indices of the new and of the old pixels and the weights, each ``(4, pixels)``.

    A positive angle, in degrees, turns the first axis towards the second.
    """
    (new_rows, new_columns), (old_rows, old_columns) = target, source
    size = (len(new_rows), len(new_columns))
    centre = (np.array(size).reshape(2, 1) - 1) / 2
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    places = np.array([[cosine, sine], [-sine, cosine]]) @ (np.indices(size).reshape(2, -1) - centre) + centre
    corners = np.floor(places).astype(int)[:, np.newaxis] + np.array([[0, 0, 1, 1], [0, 1, 0, 1]])[..., None]
    weights = np.prod(1 - np.abs(places[:, np.newaxis] - corners), axis=0)
    limits = np.array(size).reshape(2, 1, 1)
    weights *= np.all((corners >= 0) & (corners < limits), axis=0)
    rows, columns = np.clip(corners, 0, limits - 1)
    pixels = np.add.outer(np.array(new_rows) * width, new_columns).ravel()
    return (
        np.broadcast_to(pixels, weights.shape),
        (rows + old_rows.start) * width + columns + old_columns.start,
        weights,
    )


def jpeg(quality):
    """Return the compression by libjpeg at a quality of 1 to 95; ValueError for another."""
    _check_quality(quality, 1, 95)
    return StraightThrough(lambda image: _compressed(image, "JPEG", quality))


def webp(quality):
    """Return the lossy compression by libwebp at a quality of 0 to 100; ValueError for another."""
    _check_quality(quality, 0, 100)
    return StraightThrough(lambda image: _compressed(image, "WEBP", quality))


def _check_quality(quality, least, most):
    if not isinstance(quality, Integral) or isinstance(quality, bool) or not least <= quality <= most:
        raise ValueError(f"quality must be a whole number from {least} to {most}, not {quality!r}.")


def _compressed(image, kind, quality):
    file = io.BytesIO()
    grey = image.shape[-1] == 1
    Image.fromarray(as_bytes(image[..., 0] if grey else image)).save(file, kind, quality=quality)
    decoded = np.asarray(Image.open(file).convert("L" if grey else "RGB"), "float32") / 255
    return decoded[..., np.newaxis] if grey else decoded


def median(size=3):
    """Return the median over squares of `size` pixels a side, each channel apart."""
    check_counts(size=size)
    return StraightThrough(lambda image: ndimage.median_filter(image, (size, size, 1), mode="reflect"))


def bilateral(deviation=0.1, sigma=2.0, window=5):
    """Return scikit-image's bilateral filter (Tomasi & Manduchi 1998) in a window of a few pixels.

    Parameters
    ----------
    deviation : float
        Of the weights over the distance of two colours; colours lie in the unit cube.
    sigma : float
        Of the weights over the distance of two pixels, in pixels.
    window : int
        Pixels a side. scikit-image's choice for sigma 2, 13 pixels, takes three times as long, and networks
        recognise fewer photographs behind it.

    Raises
    ------
    ValueError
        A number is not positive.
    """
    _check_positive(deviation=deviation, sigma=sigma)
    check_counts(window=window)
    options = {"win_size": window, "sigma_color": deviation, "sigma_spatial": sigma, "mode": "symmetric"}
    return StraightThrough(lambda image: _denoised(denoise_bilateral, image, **options))


def _denoised(denoise, image, **options):
    """Return what a function of scikit-image makes of an image, without its single channel if it is grey.

    Told of a single channel, `denoise_bilateral` warns and `denoise_nl_means` returns a wrong image.
    """
    if image.shape[-1] == 1:
        return denoise(image[..., 0], channel_axis=None, **options)[..., np.newaxis]
    return denoise(image, channel_axis=-1, **options)


def _check_positive(**values):
    if not all(isinstance(value, Real) and 0 < value < np.inf for value in values.values()):
        raise ValueError(
            f"{' and '.join(values)} must be positive, not {' and '.join(map(str, values.values()))}."
        )


def total_variation(weight=0.05, iterations=10):
    """Return denoising by total variation (Chambolle 2004), each channel apart, as scikit-image does it.

    Parameters
    ----------
    weight : float
        The larger, the smoother.
    iterations : int
        At most so many. Ten stop 1.7/255 (root mean square) short of the limit on photographs of 224 x 224.

    Raises
    ------
    ValueError
        The weight is not positive, or `iterations` not a whole number of at least 1.
    """
    _check_positive(weight=weight)
    check_counts(iterations=iterations)
    # Before the limit a value may lie a little outside the image's range.
    return StraightThrough(
        lambda image: np.clip(
            denoise_tv_chambolle(image, weight, max_num_iter=iterations, channel_axis=-1), 0, 1
        )
    )


def non_local_means(strength=0.04, patch=5, distance=6):
    """Return the fast non-local means of scikit-image (Darbon et al. 2008): means over similar patches.

    Parameters
    ----------
    strength : float
        How different, in values in [0, 1], patches may be that still count as similar; `h` in the source.
    patch : int
        Pixels a side of the patches.
    distance : int
        Pixels to the farthest patch along each axis.

    Raises
    ------
    ValueError
        The strength is not positive, or another number not a whole number of at least 1.
    """
    _check_positive(strength=strength)
    check_counts(patch=patch, distance=distance)
    options = {"patch_size": patch, "patch_distance": distance, "h": strength, "fast_mode": True}
    return StraightThrough(lambda image: _denoised(denoise_nl_means, image, **options))
