import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wavelet_based_dnn import scenes
from wavelet_based_dnn.scenes import DYNAMIC, PUBLISHED, Clutter, draw_scenes

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0.1, 1, (12, 28, 28, 1)).astype("float32")
LABELS = np.arange(12)[::-1]  # a label names its image

canvases = st.tuples(st.integers(28, 90), st.integers(28, 90))
seeds = st.integers(0, 2**40) | st.lists(st.integers(0, 99), min_size=1, max_size=3)
clutters = st.builds(
    Clutter,
    st.tuples(st.integers(6, 28), st.integers(28, 80)),
    st.none() | st.integers(0, 8),
    st.none() | st.tuples(st.integers(1, 3), st.integers(3, 6)),
    st.sampled_from(["maximum", "sum"]),
    st.floats(0, 0.5),
    st.integers(1, 3),
    st.integers(200, 3_000),
)


@given(canvas=canvases, seed=seeds, clutter=clutters)
def test_a_scene_fits_its_canvas_and_its_range(canvas, seed, clutter):
    images, labels, boxes = draw_scenes(IMAGES, LABELS, 3, canvas, seed=seed, clutter=clutter)
    assert images.shape == (3, *canvas, 1)
    assert images.dtype == np.float32
    assert 0 <= images.min() <= images.max() <= 1
    assert labels.shape == (3,)
    assert np.all(boxes[:, :2] % clutter.step == 0)
    assert np.all((boxes[:, :2] >= 0) & (boxes[:, :2] + boxes[:, 2:] <= canvas))
    assert np.all(boxes[:, 2] == boxes[:, 3])
    assert np.all((boxes[:, 2] >= clutter.sizes[0]) & (boxes[:, 2] <= clutter.sizes[1]))


@given(canvas=canvases, seed=seeds, clutter=clutters, count=st.integers(1, 4))
def test_a_seed_fixes_all_bits_and_later_scenes_change_nothing(canvas, seed, clutter, count):
    few = draw_scenes(IMAGES, LABELS, count, canvas, seed=seed, clutter=clutter)
    many = draw_scenes(IMAGES, LABELS, count + 2, canvas, seed=seed, clutter=clutter)
    for one, other in zip(few, many, strict=True):
        np.testing.assert_array_equal(one, other[:count])


@given(canvas=canvases, seed=seeds, side=st.integers(6, 90))
def test_the_box_holds_the_labelled_image_as_pillow_and_tensorflow_resize_it(canvas, seed, side):
    side = min(side, *canvas)
    alone = Clutter(sizes=(side, side), patches=0, noise=0)
    images, labels, boxes = draw_scenes(IMAGES, LABELS, 1, canvas, seed=seed, clutter=alone)
    top, left = boxes[0, :2]
    inside = images[0, top : top + side, left : left + side]
    source = IMAGES[np.flatnonzero(labels[0] == LABELS)]
    by_pillow = Image.fromarray(source[0, ..., 0]).resize((side, side), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(inside[..., 0], by_pillow, atol=1e-6)
    # TensorFlow's places, up to 28, are float32 numbers, so its weights are wrong by up to three millionths.
    np.testing.assert_allclose(inside, tf.image.resize(source, (side, side), antialias=True)[0], atol=1e-5)
    assert np.count_nonzero(images) == side * side


@given(seed=seeds, combine=st.sampled_from(["maximum", "sum"]))
def test_patches_are_parts_of_other_images_as_large_as_the_object(seed, combine):
    constants = np.linspace(0.1, 0.4, 4, dtype="float32")[:, None, None, None] * np.ones((1, 28, 28, 1), "f4")
    images, labels, boxes = draw_scenes(
        constants, np.arange(4), 1, (70, 50), seed=seed, clutter=Clutter((20, 40), 1, (5, 9), combine, 0)
    )
    top, left, side, _ = boxes[0]
    own, scene = constants[labels[0], 0, 0, 0], images[0, ..., 0]
    outside = scene.copy()
    outside[top : top + side, left : left + side] = 0
    inside = scene[top : top + side, left : left + side]
    added = np.unique(np.round(outside[outside > 0], 4))
    assert len(added) <= 1
    assert not np.isclose(added, own).any()
    assert inside.min() == pytest.approx(own, abs=1e-6)  # nothing darkens the object
    covered = np.count_nonzero(outside) + np.count_nonzero(inside > own + 1e-5)
    if combine == "sum":
        assert 5**2 <= covered <= 9**2


def test_the_square_of_a_patch_is_cut_after_resizing():
    """A lone patch, found by its pixels in the resized image it was cut from."""
    clutter = Clutter((14, 14), 1, (7, 7), "maximum", 0)
    images, labels, boxes = draw_scenes(IMAGES[:2], [0, 1], 20, (80, 80), seed=0, clutter=clutter)
    resized = tf.image.resize(IMAGES[:2], (14, 14), antialias=True).numpy()[..., 0]
    checked = 0
    for scene, label, (top, left, _, _) in zip(images[..., 0], labels, boxes, strict=True):
        scene[top : top + 14, left : left + 14] = 0
        rows, columns = np.nonzero(scene)
        if len(rows) == 49:
            patch = scene[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            windows = np.lib.stride_tricks.sliding_window_view(resized[1 - label], (7, 7))
            assert np.abs(windows - patch).max(axis=(2, 3)).min() < 1e-6
            checked += 1
    assert checked > 10


def test_sides_are_log_uniform_and_places_uniform():
    sides = [scenes._draw_side(14, 56, rng) for rng in [np.random.default_rng(1)] for _ in range(4000)]
    counts = np.bincount(sides, minlength=57)[14:]
    expected = np.log((np.arange(14, 57) + 0.5) / (np.arange(14, 57) - 0.5))
    expected *= len(sides) / expected.sum()
    assert np.sum((counts - expected) ** 2 / expected) < 76  # chi-squared, 42 degrees of freedom, p = 0.001
    alone = Clutter(sizes=(28, 28), patches=0, noise=0)
    places = draw_scenes(IMAGES, LABELS, 1000, (37, 32), seed=2, clutter=alone).boxes[:, :2]
    for axis, count in ((0, 10), (1, 5)):
        found = np.bincount(places[:, axis], minlength=count)
        assert np.sum((found - 1000 / count) ** 2) / (1000 / count) < 28


@pytest.mark.parametrize(("canvas", "count"), [((56, 56), 3), ((112, 112), 13), ((224, 150), 34)])
def test_dynamic_clutter_grows_with_the_canvas(canvas, count, monkeypatch):
    drawn = []
    monkeypatch.setattr(scenes, "_add_patches", lambda scene, sources, *rest: drawn.append(len(sources)))
    draw_scenes(IMAGES, LABELS, 1, canvas, seed=0, clutter=DYNAMIC)
    assert drawn == [count]


def test_noise_has_its_deviation():
    grey = np.full((1, 28, 28, 1), 0.5, "float32")
    clutter = Clutter(sizes=(60, 60), patches=0, noise=0.1)
    images = draw_scenes(grey, [0], 2, (60, 60), seed=0, clutter=clutter).images
    assert images.mean() == pytest.approx(0.5, abs=0.005)
    assert images.std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_scenes_hold_a_digit_of_its_native_size_and_sums_of_patches(name):
    canvas, clutter = PUBLISHED[name]
    images, labels, boxes = draw_scenes(IMAGES, LABELS, 5, canvas, seed=0, clutter=clutter)
    assert images.shape[1:3] == canvas == (int(name.split("_")[1]),) * 2
    assert np.all(boxes[:, 2:] == 28)
    for scene, label, (top, left, _, _) in zip(images, labels, boxes, strict=True):
        inside = scene[top : top + 28, left : left + 28]
        assert np.all(inside >= IMAGES[11 - label])
        added = np.count_nonzero(scene) - 28**2 + np.count_nonzero(inside > IMAGES[11 - label])
        assert 0 < added <= clutter.patches * clutter.patch_sides[1] ** 2


@pytest.mark.parametrize(("changed", "message"), [
    ({"images": IMAGES[..., 0]}, "square and grey"),
    ({"images": IMAGES[:, :20]}, "square and grey"),
    ({"images": (255 * IMAGES).astype("uint8")}, "divide uint8 by 255"),
    ({"images": 255 * IMAGES}, r"lie in \[0, 1\] without NaN, but image \d+ does not"),
    ({"images": np.where(IMAGES > 0, np.nan, IMAGES)}, "without NaN"),
    ({"images": np.ma.masked_greater(IMAGES, 0.5)}, "masked"),
    ({"labels": LABELS[:3]}, "12 images and 3 labels"),
    ({"labels": LABELS / 2}, "labels must be one integer"),
    ({"count": 0}, "count must be a whole number of at least 1"),
    ({"seed": None}, "seed must be a whole number"),
    ({"seed": (1, -2)}, "seed must be a whole number"),
    ({"canvas": 60}, r"canvas must be \(height, width\)"),
    ({"canvas": (60, 60.0)}, r"canvas\[1\] must be a whole number"),
    ({"canvas": (60, 60, 1)}, r"canvas must be \(height, width\)"),
    ({"canvas": (13, 60)}, "canvas must hold an object of 14 pixels"),
    ({"clutter": Clutter(sizes=(20, 14))}, "smallest and the largest"),
    ({"clutter": Clutter(sizes=14)}, r"sizes must be \(smallest, largest\)"),
    ({"clutter": Clutter(sizes=(14, 20.5))}, r"sizes\[1\] must be a whole number"),
    ({"clutter": Clutter(sizes=(5, 14))}, "patch of 6 pixels cannot be cut"),
    ({"clutter": Clutter(patch_sides=(6, 15))}, "patch of 15 pixels cannot be cut"),
    ({"clutter": Clutter(patches=-1)}, "patches must be a whole number"),
    ({"clutter": Clutter(combine="min")}, "no combination 'min'"),
    ({"clutter": Clutter(noise=-0.1)}, "noise must be a standard deviation"),
    ({"clutter": Clutter(noise=float("nan"))}, "noise must be a standard deviation"),
    ({"clutter": Clutter(step=0)}, "step must be a whole number"),
    ({"clutter": Clutter(pixels_a_patch=0)}, "pixels_a_patch must be a whole number"),
    ({"clutter": {"noise": 0}}, "clutter must be a Clutter"),
    ({"images": IMAGES[:1], "labels": [0]}, "at least two images"),
])  # fmt: skip
def test_bad_arguments_get_one_clear_sentence(changed, message):
    arguments = {"images": IMAGES, "labels": LABELS, "count": 1, "canvas": (60, 60), "seed": 0, **changed}
    with pytest.raises(ValueError, match=message):
        draw_scenes(**arguments)
