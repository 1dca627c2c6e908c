"""Scenes: one object of random size at a random place of a larger canvas, among clutter and noise.

The clutter consists of square patches of other images, as in "cluttered MNIST" (Mnih et al. 2014). Unlike
the published recipes, `DYNAMIC` draws the object's size, scales the patches like the object, and lets their
number grow with the canvas. So neither the object's size nor the number of strokes is known beforehand.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from common.arguments import as_labels, check_counts, check_seed, check_unmasked
from common.names import look_up

SMALLEST_PATCH = 6
COMBINATIONS = {"maximum": np.maximum, "sum": np.add}


class Clutter(NamedTuple):
    """What a scene shows besides the canvas: the object's size, the clutter, the noise.

    Parameters
    ----------
    sizes : (int, int)
        Smallest and largest side of the object in pixels; the side is drawn log-uniformly.
    patches : int, optional
        Number of patches; None means one per `pixels_a_patch` of the canvas, rounded.
    patch_sides : (int, int), optional
        Smallest and largest side of a patch in pixels; None means 6 to half of the object's side.
    combine : str
        "maximum" or "sum", of overlapping objects and patches; sums are clipped at 1.
    noise : float
        Standard deviation of the Gaussian noise, which is added last; the result is clipped to [0, 1].
    step : int
        The object's top and left are multiples of so many pixels; 2 keeps 2 x 2 blocks of the object whole.
    pixels_a_patch : int
        Pixels of the canvas for each patch, where their number is not given.
    """

    sizes: tuple[int, int] = (14, 56)
    patches: int | None = None
    patch_sides: tuple[int, int] | None = None
    combine: str = "maximum"
    noise: float = 0.1
    step: int = 1
    pixels_a_patch: int = 1_000


class SceneSet(NamedTuple):
    """Scenes, what each of them shows, and where.

    Parameters
    ----------
    images : array, shape (n, height, width, 1)
        float32, in [0, 1].
    labels : array, shape (n,)
        Class of the object.
    boxes : array, shape (n, 4)
        Top, left, height and width of the object's square frame, in pixels.
    """

    images: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray


DYNAMIC = Clutter()

# Canvas and clutter of "cluttered MNIST": Mnih et al. 2014 (Recurrent Models of Visual Attention) and
# Jaderberg et al. 2015 (Spatial Transformer Networks).
PUBLISHED = {
    "mnih_60": ((60, 60), Clutter((28, 28), 4, (8, 8), "sum", 0)),
    "mnih_100": ((100, 100), Clutter((28, 28), 8, (8, 8), "sum", 0)),
    "jaderberg_60": ((60, 60), Clutter((28, 28), 16, (6, 6), "sum", 0)),
}


def draw_scenes(
    images: np.ndarray,
    labels: np.ndarray,
    count: int,
    canvas: tuple[int, int],
    *,
    seed: int | Sequence[int],
    clutter: Clutter = DYNAMIC,
) -> SceneSet:
    """Return random scenes; the first scenes of a longer call with the same seed are the same, bit by bit.

    For a stream, draw one batch after another with ``seed=(seed, step)``.

    Parameters
    ----------
    images : array, shape (k, side, side, 1)
        Floats in [0, 1]: the objects, and what patches are cut from. A scene's patches come from other images
        than its object.
    labels : array, shape (k,)
        One integer an image.
    count : int
        Number of scenes.
    canvas : (int, int)
        Height and width of all scenes, in pixels; they bound the object's side, too.
    seed : int or sequence of int
    clutter : Clutter
        `DYNAMIC` or settings of your own. For the published recipes write
        ``canvas, clutter = PUBLISHED["mnih_60"]``.

    Returns
    -------
    SceneSet
        Objects and patches are resized as by ``tf.image.resize(antialias=True)`` with the object's side; a
        patch is a part of an image after that.

    Raises
    ------
    ValueError
        A wrong shape, type, range, number or setting. Of `images`, only those that a scene shows are searched
        for NaN and values outside [0, 1], because a search of all would take longer than a batch.
    """
    images = _as_sources(images)
    labels = as_labels(labels, len(images))
    check_counts(count=count)
    _check_seeds(seed)
    _check_clutter(clutter, len(images))
    _check_canvas(canvas, clutter.sizes[0])
    rng = np.random.default_rng(seed)
    scenes = np.zeros((count, *canvas), "float32")
    drawn = [_draw_scene(scene, images, clutter, rng) for scene in scenes]
    objects, boxes = zip(*drawn, strict=True)
    return SceneSet(scenes[..., np.newaxis], labels[list(objects)], np.array(boxes))


def _draw_scene(scene, images, clutter, rng):
    """Fill an empty scene and return which image it shows and the box of the object."""
    side = _draw_side(clutter.sizes[0], min(clutter.sizes[1], *scene.shape), rng)
    patches = round(scene.size / clutter.pixels_a_patch) if clutter.patches is None else clutter.patches
    chosen = _draw_sources(len(images), patches, rng)
    sources = images[chosen]
    _check_unit(sources, chosen)
    weights = interpolation(images.shape[1], side)
    spare = np.array(scene.shape) - side
    top, left = (clutter.step * rng.integers(0, spare // clutter.step, endpoint=True)).tolist()
    scene[top : top + side, left : left + side] = weights @ sources[0] @ weights.T
    sides = clutter.patch_sides or (SMALLEST_PATCH, max(SMALLEST_PATCH, side // 2))
    _add_patches(scene, sources[1:], weights, sides, COMBINATIONS[clutter.combine], rng)
    if clutter.noise:
        scene += np.float32(clutter.noise) * rng.standard_normal(scene.shape, dtype="float32")
    np.clip(scene, 0, 1, out=scene)
    return chosen[0], (top, left, side, side)


def _draw_side(least, most, rng):
    # Half a pixel more on both sides gives every whole side its logarithmic share, the outer ones included.
    side = math.exp(rng.uniform(math.log(least - 0.5), math.log(most + 0.5)))
    return min(max(round(side), least), most)


def _draw_sources(count, patches, rng):
    """Return the indices of the object and of the patches' images, which are others."""
    chosen = rng.integers(0, count, 1)
    if patches:
        others = rng.integers(0, count - 1, patches)
        chosen = np.append(chosen, others + (others >= chosen))
    return chosen


def _add_patches(scene, sources, weights, sides, combine, rng):
    """Combine the scene with one square of each source after resizing; only the squares are computed."""
    drawn = rng.integers(*sides, len(sources), endpoint=True)
    cuts = rng.integers(0, len(weights) - drawn[:, None], (len(sources), 2), endpoint=True)
    places = rng.integers(0, np.array(scene.shape) - drawn[:, None], (len(sources), 2), endpoint=True)
    numbers = zip(sources, drawn.tolist(), cuts.tolist(), places.tolist(), strict=True)
    for source, side, (row, column), (top, left) in numbers:
        patch = weights[row : row + side] @ source @ weights[column : column + side].T
        view = scene[top : top + side, left : left + side]
        combine(view, patch, out=view)


@cache
def interpolation(size: int, new_size: int) -> np.ndarray:
    """Return the matrix (new_size, size), float32, that resamples one axis linearly with anti-aliasing.

    Its weights are those of ``tf.image.resize(antialias=True)``: a triangle as wide as two pixels of the
    coarser of both grids, cut off at the border, with the sum 1.

    Examples
    --------
    >>> interpolation(2, 4)
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]], dtype=float32)
    """
    ratio = size / new_size
    centres = (np.arange(new_size) + 0.5) * ratio
    distances = np.abs(np.arange(size) + 0.5 - centres[:, np.newaxis]) / max(ratio, 1)
    weights = np.maximum(1 - distances, 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")


def _as_sources(images):
    check_unmasked(images, "images")
    found = np.asarray(images)
    shape = found.shape
    if found.ndim != 4 or shape[1] != shape[2] or shape[3] != 1 or 0 in shape:
        raise ValueError(f"images must be square and grey, shape (k, side, side, 1), not {shape}.")
    if not np.issubdtype(found.dtype, np.floating):
        raise ValueError(f"images must be floats in [0, 1], not {found.dtype}; divide uint8 by 255.")
    return found[..., 0]


def _check_unit(sources, chosen):
    if not (sources.min() >= 0 and sources.max() <= 1):  # "not", because NaN fails both comparisons
        wrong = next(i for i, x in zip(chosen, sources, strict=True) if not (x.min() >= 0 and x.max() <= 1))
        raise ValueError(f"images must lie in [0, 1] without NaN, but image {wrong} does not.")


def _check_seeds(seed):
    for part in seed if isinstance(seed, list | tuple) else [seed]:
        check_seed(part)


def _check_canvas(canvas, least):
    _check_pair("canvas", canvas, "(height, width)")
    if min(canvas) < least:
        raise ValueError(f"canvas must hold an object of {least} pixels, not be {canvas}; lower sizes.")


def _check_clutter(clutter, images):
    if not isinstance(clutter, Clutter):
        raise ValueError(f"clutter must be a Clutter, such as DYNAMIC, not {clutter!r}.")
    look_up("combination", clutter.combine, COMBINATIONS)
    check_counts(step=clutter.step, pixels_a_patch=clutter.pixels_a_patch)
    _check_sides("sizes", clutter.sizes)
    if not 0 <= clutter.noise < math.inf:
        raise ValueError(f"noise must be a standard deviation of at least 0, not {clutter.noise}.")
    if clutter.patches != 0:
        _check_patches(clutter, images)


def _check_patches(clutter, images):
    if clutter.patches is not None:
        check_counts(patches=clutter.patches)
    sides = clutter.patch_sides or (SMALLEST_PATCH, SMALLEST_PATCH)
    _check_sides("patch_sides", sides)
    if sides[1] > clutter.sizes[0]:
        raise ValueError(
            f"A patch of {sides[1]} pixels cannot be cut out of an object of {clutter.sizes[0]}; raise sizes."
        )
    if images < 2:
        raise ValueError("Patches are cut out of other images than the object: give at least two images.")


def _check_sides(name, sides):
    _check_pair(name, sides, "(smallest, largest)")
    if sides[0] > sides[1]:
        raise ValueError(f"{name} must be the smallest and the largest side, not {sides}.")


def _check_pair(name, values, meaning):
    if not isinstance(values, list | tuple) or len(values) != 2:
        raise ValueError(f"{name} must be {meaning} in pixels, not {values!r}.")
    check_counts(**{f"{name}[0]": values[0], f"{name}[1]": values[1]})
