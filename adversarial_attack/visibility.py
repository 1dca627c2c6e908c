"""How visible the difference between two images is to the eye."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from adversarial_attack.held_out import held_out, jpeg_reference, relative, worst_mean
from common.names import look_up
from common.pixels import as_bytes
from common.validation import as_unit_images

VIEWING_BLUR = 2.0  # pixels: stands in for a larger distance


class Visibility(NamedTuple):
    """Measures of the difference of two images, or the limits of a tier.

    Attributes
    ----------
    mean, p95 : float
        Of the CIEDE2000 colour differences of the pixels (Sharma, Wu & Dalal 2005); 1 is about the smallest
        that an eye can tell side by side, in large patches.
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

# Attacks optimise the measures that `LIMITS` bounds. Held-out measures judge the other tiers: no more visible
# than the image's own JPEG of that quality.
LIMITS = {"strict": Visibility(1.0, 2.3, 0.98, 1.0), "moderate": Visibility(2.5, 5.0, 0.95, 2.5)}
JPEG_QUALITIES = {"JPEG 95": 95, "JPEG 90": 90, "JPEG 85": 85, "JPEG 75": 75}
TIERS = (*LIMITS, *JPEG_QUALITIES)

WORST, WORST_SIDE = 2.0, 31  # what the mean colour difference may reach in a window, over its limit; pixels
INDISCERNIBLE = 90.0  # SSIMULACRA2 that "JPEG 95" demands besides: flicker tests find no difference
AIM, ENOUGH = 0.985, 0.97  # share of a tier that a multiple aims at, and from which no larger one is sought
ROUNDS = 10  # most trials of a multiple; two to four are usual


def visibility(image, other):
    """Return the `Visibility` of the difference of two images, ``(height, width, 3)`` in [0, 1].

    Raises ValueError for images that are not floating point in [0, 1].
    """
    image, other = _as_pair(image, other)
    return _seen(image, other, colour_difference(image, other))


def _seen(image, other, differences):
    blurred = (ndimage.gaussian_filter(x, (VIEWING_BLUR, VIEWING_BLUR, 0)) for x in (image, other))
    return Visibility(
        float(differences.mean()),
        float(np.percentile(differences, 95)),
        float(structural_similarity(image, other, channel_axis=-1, data_range=1)),
        float(colour_difference(*blurred).mean()),
    )


def _as_pair(image, other):
    return as_unit_images([image])[0], as_unit_images([other])[0]


def colour_difference(image, other):
    """Return the CIEDE2000 difference of every pixel, ``(height, width)``, of two images in [0, 1]."""
    return deltaE_ciede2000(rgb2lab(image), rgb2lab(other))


def worst_window(image, other):
    """Return the mean CIEDE2000 difference in the window of two images where it is largest.

    The images are ``(height, width, 3)`` in [0, 1]. Windows lie inside the images and are `WORST_SIDE` pixels
    high and wide, or as many as the images have.
    """
    return worst_mean(colour_difference(*_as_pair(image, other)), WORST_SIDE)


def worst_place(image, other, side):
    """Return the slices of rows and of columns of the window where two images differ most.

    The window has `side` pixels a side and the largest mean CIEDE2000 difference; the images are
    ``(height, width, 3)`` in [0, 1].
    """
    differences = colour_difference(*_as_pair(image, other))
    means = sliding_window_view(differences, (side, side)).mean(axis=(2, 3))
    row, column = np.unravel_index(means.argmax(), means.shape)
    return slice(row, row + side), slice(column, column + side)


def excess(image, other, tier):
    """Return how far the difference of two images exceeds a tier: above 1 it breaks the tier.

    Roughly proportional to the size of the change.

    Parameters
    ----------
    image, other : array of float, ``(height, width, 3)`` in [0, 1]
        The original and the changed image.
    tier : str
        One of `TIERS`. For a key of `LIMITS`, the worst ratio to a limit counts; the mean colour difference
        in the worst window may reach `WORST` times the limit of the mean. For a key of `JPEG_QUALITIES`, the
        visibility relative to the image's own JPEG counts, and for "JPEG 95" also what SSIMULACRA2 lacks to
        100, over what it lacks at `INDISCERNIBLE`.

    Raises
    ------
    ValueError
        The tier is unknown, or the images are not floating point in [0, 1].
    """
    look_up("tier", tier, TIERS)
    image, other = _as_pair(image, other)
    if tier in JPEG_QUALITIES:
        return _excess_of_jpeg(image, other, JPEG_QUALITIES[tier])
    differences = colour_difference(image, other)
    limits = LIMITS[tier]
    return max(
        _excess_of_limits(_seen(image, other, differences), limits),
        worst_mean(differences, WORST_SIDE) / (WORST * limits.mean),
    )


def _excess_of_limits(seen, limits):
    """Return the worst ratio of a `Visibility` to limits.

    Of what the structural similarity lacks to 1, which goes with the square of a change, it is the root.
    """
    return max(
        seen.mean / limits.mean,
        seen.p95 / limits.p95,
        (max(0, 1 - seen.ssim) / (1 - limits.ssim)) ** 0.5,
        seen.blurred / limits.blurred,
    )


def _excess_of_jpeg(image, other, quality):
    seen = held_out(image, other)
    found = relative(seen, jpeg_reference(image, quality))
    if quality == JPEG_QUALITIES["JPEG 95"]:
        return max(found, (100 - seen.ssimulacra2) / (100 - INDISCERNIBLE))
    return found


def no_more_visible(images, adversarial, tier, most=1.0):
    """Return the images with the largest multiple of their changes that keeps a tier: see `scaled_to`."""
    return scaled_to(images, adversarial, tier, most)[0]


def scaled_to(images, adversarial, tier, most=1.0):
    """Return the images with the largest multiple of their changes that keeps a tier, and the multiples.

    Parameters
    ----------
    images, adversarial : array of float, ``(n, height, width, 3)`` in [0, 1]
    tier : str
        One of `TIERS`: what the images, rounded to 8 bits, shall not exceed.
    most : float
        Largest multiple.

    Returns
    -------
    found : numpy.ndarray, shape and type of `images`
        Values of 8 bits.
    multiples : numpy.ndarray of float, ``(n,)``
        `most`, or a multiple that uses up the tier, mostly to within 3 %.
    """
    pairs = [
        _scaled_to(image, changed - image, tier, most)
        for image, changed in zip(images, adversarial, strict=True)
    ]
    return np.stack([found for found, _ in pairs]), np.array([multiple for _, multiple in pairs])


def _scaled_to(image, change, tier, most):
    def times(multiple):
        return (as_bytes(image + multiple * change) / 255).astype(image.dtype)

    multiple = _largest_multiple(lambda multiple: excess(image, times(multiple), tier), most)
    return times(multiple), multiple


def _largest_multiple(excess_of, most):
    """Return a multiple of at most `most` whose excess, roughly proportional to it, is 1 or little less."""
    low, high = 0.0, most
    multiple, found = most, excess_of(most)
    if found <= 1:
        return most
    for _ in range(ROUNDS):
        guess = multiple * AIM / found if found else high
        multiple = guess if low < guess < high else (low + high) / 2
        found = excess_of(multiple)
        low, high = (multiple, high) if found <= 1 else (low, multiple)
        if ENOUGH <= found <= 1:
            break
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
    limits = LIMITS["strict"]
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
