"""How visible a change is by FLIP and SSIMULACRA2, whose gradients no attack follows; JPEG is the unit."""

from functools import lru_cache
from io import BytesIO
from itertools import chain
from typing import NamedTuple

import flip_evaluator
import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter
from ssimulacra2 import compute_ssimulacra2

from common.arguments import check_range
from common.pixels import as_bytes

PIXELS_PER_DEGREE = (67, 30)  # FLIP's default, 0.7 m from a 4K screen 0.7 m wide; about a full-HD one
WINDOW = 31  # pixels of a side
LEAST_SIDE = 256  # pixels: below, SSIMULACRA2 leaves out its coarsest scale and applies weights to others
QUALITIES = range(1, 96)  # of JPEG, as Pillow recommends


class HeldOut(NamedTuple):
    """Held-out measures of the difference of two images.

    Attributes
    ----------
    flip_mean, flip_p99, flip_window : float
        Mean and 99th percentile of the FLIP error of the pixels, 0 to 1 (Andersson et al. 2020), and its mean
        in the window of `WINDOW` pixels a side where it is largest, at 67 pixels a degree.
    near_mean, near_p99, near_window : float
        The same at 30 pixels a degree, nearer to the screen.
    ssimulacra2 : float
        100 for equal images; 90 is the score of images that flicker tests do not tell apart (Sneyers 2023).
    """

    flip_mean: float
    flip_p99: float
    flip_window: float
    near_mean: float
    near_p99: float
    near_window: float
    ssimulacra2: float


def held_out(image, other):
    """Return the `HeldOut` measures of two images, ``(height, width, 3)`` in [0, 1], the original first.

    SSIMULACRA2 sees both images as 8-bit values, reflected at their borders to at least `LEAST_SIDE`.

    Raises
    ------
    ValueError
        The images are not finite floats in [0, 1], not colour images, or of different shapes.
    """
    image, other = (_as_colour_image(x) for x in (image, other))
    if image.shape != other.shape:
        raise ValueError(f"The two images must have one shape, not {image.shape} and {other.shape}.")
    distances = (_flip(image, other, one) for one in PIXELS_PER_DEGREE)
    return HeldOut(*chain(*distances), float(compute_ssimulacra2(_file(image), _file(other))))


def as_jpeg(image, quality):
    """Return an image, ``(height, width, 3)`` in [0, 1], as it reads after it was saved as a JPEG.

    Parameters
    ----------
    quality : int
        1 to 95. The colours keep the full resolution (4:4:4).

    Raises
    ------
    ValueError
        The image is not finite floats in [0, 1] or not a colour image, or the quality is another.
    """
    if quality not in QUALITIES:
        raise ValueError(f"The quality of a JPEG must be an integer of 1 to 95, not {quality}.")
    file = BytesIO()
    pixels = as_bytes(_as_colour_image(image))
    Image.fromarray(pixels).save(file, "JPEG", quality=int(quality), subsampling=0)
    return (np.asarray(Image.open(file)) / 255).astype(np.asarray(image).dtype)


def relative_to_jpeg(image, other, quality=90):
    """Return how visible the change of an image is relative to its own JPEG: above 1, more visible.

    The `relative` visibility of `held_out` and `jpeg_reference`; the latter is computed once an image.
    """
    return relative(held_out(image, other), jpeg_reference(image, quality))


def flip_ratios(image, other, pixels_per_degree, quality=90):
    """Return the FLIP errors of a change, divided by those of the image's own JPEG, by the names in `FLIP`.

    `held_out` counts the first three, at two distances. The others look at smaller spots.

    Parameters
    ----------
    image, other : array of float, ``(height, width, 3)`` in [0, 1]
    pixels_per_degree : number
        The larger, the farther away.
    quality : int
        Of the JPEG, see `as_jpeg`.

    Returns
    -------
    dict from str to float
    """
    image, other = (_as_colour_image(x) for x in (image, other))
    errors, units = (_flip_errors(image, x, pixels_per_degree) for x in (other, as_jpeg(image, quality)))
    return {name: _ratio(measure(errors), measure(units)) for name, measure in FLIP.items()}


def jpeg_reference(image, quality=90):
    """Return the `HeldOut` measures of an image and its own JPEG, see `as_jpeg`; the last ones are kept."""
    image = _as_colour_image(image)
    return _remembered_reference(image.tobytes(), image.shape, image.dtype.str, int(quality))


def relative(seen, reference):
    """Return the largest ratio of `HeldOut` measures to those of a reference.

    Each distance counts by itself: the errors of a JPEG fade with the distance faster than those of an attack
    that survives blurs. Of SSIMULACRA2, what it lacks to 100 counts. Where a measure of the reference sees no
    difference, the ratio is 0 if the other sees none either, and else infinite.
    """
    pairs = zip(_errors(seen), _errors(reference), strict=True)
    return max(_ratio(error, unit) for error, unit in pairs)


def _errors(measures):
    *flip, ssimulacra2 = measures
    return *flip, 100 - ssimulacra2


def _ratio(error, unit):
    if unit > 0:
        return error / unit
    return float("inf") if error > 0 else 0.0


# An attack asks for the same image hundreds of times, and a batch holds a few dozen images.
@lru_cache(maxsize=64)
def _remembered_reference(values, shape, dtype, quality):
    image = np.frombuffer(values, dtype).reshape(shape)
    return held_out(image, as_jpeg(image, quality))


def _flip(image, other, pixels_per_degree):
    """Return the mean, the 99th percentile and the worst window's mean of the FLIP error."""
    errors = _flip_errors(image, other, pixels_per_degree)
    return tuple(measure(errors) for measure in list(FLIP.values())[:3])


def _flip_errors(image, other, pixels_per_degree):
    """Return the FLIP error of every pixel, ``(height, width)``."""
    errors, *_ = flip_evaluator.evaluate(
        *(np.array(x, "float32", order="C") for x in (image, other)),  # it refuses read-only arrays
        "LDR",
        applyMagma=False,
        parameters={"ppd": pixels_per_degree},
    )
    return errors.squeeze()


def worst_mean(errors, side):
    """Return the largest mean of errors, ``(height, width)``, in a window inside; of the whole if smaller."""
    sides = [min(side, length) for length in errors.shape]
    inside = tuple(
        slice(side // 2, length - (side - 1) // 2) for side, length in zip(sides, errors.shape, strict=True)
    )
    return float(uniform_filter(errors.astype("float64"), sides)[inside].max())


def _percentile(share):
    return lambda errors: float(np.percentile(errors, share))


def _window(side):
    return lambda errors: worst_mean(errors, side)


# Measures of the FLIP errors of an image, ``(height, width)``; `HeldOut` has the first three.
FLIP = {
    "mean": lambda errors: float(errors.mean(dtype="float64")),
    "99th percentile": _percentile(99),
    f"worst {WINDOW} x {WINDOW} pixels": _window(WINDOW),
    "99.9th percentile": _percentile(99.9),
    "worst 15 x 15 pixels": _window(15),
    "worst 9 x 9 pixels": _window(9),
}


def _file(image):
    """Return an image as an uncompressed file in memory, since `compute_ssimulacra2` opens files."""
    rows, columns = (max(0, LEAST_SIDE - side) for side in image.shape[:2])
    padding = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0))
    file = BytesIO()
    Image.fromarray(np.pad(as_bytes(image), padding, "reflect")).save(file, "BMP")
    return file


def _as_colour_image(image):
    found = np.asarray(image)
    if found.ndim != 3 or found.shape[-1] != 3 or not np.issubdtype(found.dtype, np.floating):
        raise ValueError(f"images must be floats, (height, width, 3), not {found.dtype} of {found.shape}.")
    if not np.isfinite(found).all():
        raise ValueError("images must be finite.")
    check_range(found)
    return found
