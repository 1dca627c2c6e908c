"""How visible the difference between two images is to the eye."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

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


TIERS = {"strict": Visibility(1.0, 2.3, 0.98, 1.0), "moderate": Visibility(2.5, 5.0, 0.95, 2.5)}


def visibility(image, other):
    """Return the `Visibility` of the difference of two images, ``(height, width, 3)`` in [0, 1]."""
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


def within(seen, tier):
    """Return whether a `Visibility` keeps all limits of a key of `TIERS`."""
    limits = TIERS[tier]
    return (
        seen.mean <= limits.mean
        and seen.p95 <= limits.p95
        and seen.ssim >= limits.ssim
        and seen.blurred <= limits.blurred
    )
