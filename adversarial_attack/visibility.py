"""How visible the difference between two images is to the eye."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from common.names import look_up
from common.pixels import as_bytes
from common.validation import as_unit_images

VIEWING_BLUR = 2.0  # pixels: what the eye averages over


class Visibility(NamedTuple):
    """Measures of the difference of two images, or the limits of a tier.

    Attributes
    ----------
    mean, p95 : float
        Of the CIEDE2000 colour differences of the pixels (Sharma, Wu & Dalal 2005); 1 is about the smallest
        that an eye can tell side by side.
    ssim : float
        Structural similarity (Wang et al. 2004), 1 for equal images.
    blurred : float
        Mean CIEDE2000 after both images were blurred by `VIEWING_BLUR`.
    """

    mean: float
    p95: float
    ssim: float
    blurred: float


STEP = 2 / 255  # of the differences that measure a sensitivity
STABLE = 0.02  # least sensitivity of a pixel relative to its largest: where differences cancel
WINDOW, STABILISER = 7, 0.03**2  # of the structural similarity, as scikit-image has them

TIERS = {"strict": Visibility(1.0, 2.3, 0.98, 1.0), "moderate": Visibility(2.5, 5.0, 0.95, 2.5)}


def visibility(image, other):
    """Return the `Visibility` of the difference of two images, ``(height, width, 3)`` in [0, 1].

    Raises ValueError for images that are not floating point in [0, 1].
    """
    image, other = as_unit_images([image])[0], as_unit_images([other])[0]
    differences = colour_difference(image, other)
    blurred = (ndimage.gaussian_filter(x, (VIEWING_BLUR, VIEWING_BLUR, 0)) for x in (image, other))
    return Visibility(
        float(differences.mean()),
        float(np.percentile(differences, 95)),
        float(structural_similarity(image, other, channel_axis=-1, data_range=1)),
        float(colour_difference(*blurred).mean()),
    )


def colour_difference(image, other):
    """Return the CIEDE2000 difference of every pixel, ``(height, width)``, of two images in [0, 1]."""
    return deltaE_ciede2000(rgb2lab(image), rgb2lab(other))


def excess(seen, tier):
    """Return the worst ratio of a `Visibility` to the limits of a key of `TIERS`: above 1 it breaks one.

    Roughly proportional to the size of the change: of what the structural similarity lacks to 1, which goes
    with the square, it is the root of the ratio.
    """
    limits = look_up("tier", tier, TIERS)
    return max(
        seen.mean / limits.mean,
        seen.p95 / limits.p95,
        ((1 - seen.ssim) / (1 - limits.ssim)) ** 0.5,
        seen.blurred / limits.blurred,
    )


def no_more_visible(images, adversarial, tier, most=1.0):
    """Return the images with the largest multiple of their changes that keeps a tier.

    Parameters
    ----------
    images, adversarial : array of float, ``(n, height, width, 3)`` in [0, 1]
    tier : key of `TIERS`
        What the images, rounded to 8 bits, shall not exceed.
    most : float
        Largest multiple.

    Returns
    -------
    numpy.ndarray, shape and type of `images`
        Values of 8 bits.
    """
    return np.stack([
        _no_more_visible(image, changed - image, tier, most)
        for image, changed in zip(images, adversarial, strict=True)
    ])  # fmt: skip


def _no_more_visible(image, change, tier, most):
    def times(multiple):
        return (as_bytes(image + multiple * change) / 255).astype(image.dtype)

    def admissible(multiple):
        return excess(visibility(image, times(multiple)), tier) <= 1

    return times(most if admissible(most) else bisect(admissible, 0, most))


def bisect(holds, low, high, rounds=8):
    """Return the number between `low`, where a condition holds, and `high` up to which bisection finds it."""
    for _ in range(rounds):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def sensitivity(images):
    """Return for every pixel how visible a small change of it is, as a matrix of a quadratic form.

    The sum of two shares that are 1 on average where a change reaches a limit of the strict tier: the squared
    CIEDE2000 difference over the squared limit, by differences of `STEP`; and what the change takes from the
    structural similarity over what the limit allows, to second order for changes without a local mean,
    ``1 - SSIM = mean(d**2 / (2 * local variance + STABILISER))``.

    Parameters
    ----------
    images : array of float, ``(n, height, width, 3)`` in [0, 1]

    Returns
    -------
    numpy.ndarray of float64, ``(n, height, width, 3, 3)``
        Symmetric and positive definite.

    Raises
    ------
    ValueError
        The images are not floating point in [0, 1].
    """
    images = as_unit_images(images)
    limits = TIERS["strict"]
    matrices = _colour_metric(images) / limits.mean**2
    structural = _structural_weight(images) / (1 - limits.ssim)
    return matrices + structural[..., np.newaxis] * np.eye(3)


def _colour_metric(images):
    """Return matrices M such that ``d @ M @ d`` is the squared CIEDE2000 difference of a small change d."""
    images = images.astype("float64")
    inwards = np.where(images <= 0.5, STEP, -STEP)
    lab = rgb2lab(images)

    def squared(*channels):
        moved = images + inwards * np.isin(range(3), channels)
        return deltaE_ciede2000(lab, rgb2lab(moved)) ** 2

    metric = np.empty((*images.shape, 3))
    for a in range(3):
        metric[..., a, a] = squared(a) / STEP**2
    for a, b in ((0, 1), (0, 2), (1, 2)):
        mixed = squared(a, b) / STEP**2 - metric[..., a, a] - metric[..., b, b]
        metric[..., a, b] = metric[..., b, a] = mixed / 2 * np.sign(inwards[..., a] * inwards[..., b])
    values, vectors = np.linalg.eigh(metric)
    values = np.maximum(values, STABLE * values[..., -1:])
    return (vectors * values[..., np.newaxis, :]) @ np.swapaxes(vectors, -1, -2)


def _structural_weight(images):
    """Return weights w such that the sum over the channels of ``mean(w * d**2)`` is about ``1 - SSIM``."""

    def local_mean(values):
        return ndimage.uniform_filter(values, (0, WINDOW, WINDOW, 0))

    images = images.astype("float64")
    variance = np.maximum(local_mean(images**2) - local_mean(images) ** 2, 0)
    return local_mean(1 / (2 * variance + STABILISER)) / images.shape[-1]
