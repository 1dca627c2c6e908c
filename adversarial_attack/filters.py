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
from scipy import fft, ndimage
from skimage.restoration import denoise_bilateral

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
        _check(images)
        if images.shape[1:3] != (self.rows.shape[1], self.columns.shape[1]):
            size = (self.rows.shape[1], self.columns.shape[1])
            raise ValueError(f"This filter is made for images of {size} pixels, not {images.shape[1:3]}.")
        return _along_both(self.rows, self.columns, images)

    def adjoint(self, gradients):
        """Return ``(n, height, width, channels)`` from ``(n, new height, new width, channels)``."""
        return _along_both(self.rows.T, self.columns.T, gradients)


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


def bilateral(deviation=0.1, sigma=2.0):
    """Return scikit-image's bilateral filter: `deviation` of values in [0, 1], `sigma` in pixels."""
    if not (deviation > 0 and sigma > 0):
        raise ValueError(f"deviation and sigma must be positive, not {deviation} and {sigma}.")
    return StraightThrough(
        lambda image: denoise_bilateral(image, sigma_color=deviation, sigma_spatial=sigma, channel_axis=-1)
    )
