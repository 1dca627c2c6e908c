import numpy as np
import pytest
import pywt
from hypothesis import given
from hypothesis import strategies as st

from wavelet_based_dnn.fills import NATIVE, ORIENTATIONS, draw_fills
from wavelet_based_dnn.scenes import draw_scenes

SIDE = 28
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2


def discs(*radii):
    shapes = [np.hypot(ROWS, COLUMNS) < radius for radius in radii]
    return np.array(shapes)[..., np.newaxis].astype("float32")


IMAGES, LABELS = discs(7, 9, 11, 13), np.array([3, 1, 0, 2])
FILLS = draw_fills(IMAGES, LABELS, 200, seed=0)


def blocks(images, side=2):
    n, height, width, _ = images.shape
    return images.reshape(n, height // side, side, width // side, side).mean(axis=(2, 4), dtype="float64")


def silhouettes(images, labels):
    """The blocks of the image that each label names, enlarged."""
    shapes = blocks(images)[np.argsort(LABELS)[labels]] > 0.1
    return shapes.repeat(2, axis=1).repeat(2, axis=2)


INSIDE = silhouettes(IMAGES, FILLS.labels)


@given(seed=st.integers(0, 2**40), count=st.integers(1, 3))
def test_a_seed_fixes_all_bits_and_later_fills_change_nothing(seed, count):
    few, many = (draw_fills(IMAGES, LABELS, n, seed=seed) for n in (count, count + 2))
    for one, other in zip(few, many, strict=True):
        np.testing.assert_array_equal(one, other[:count])


def test_fills_are_images_and_all_orientations_occur():
    assert FILLS.images.dtype == np.float32
    assert FILLS.images.shape == (200, SIDE, SIDE, 1)
    assert 0 <= FILLS.images.min() <= FILLS.images.max() <= 1
    assert np.all(np.bincount(FILLS.orientations, minlength=4) > 30)


def test_the_label_names_the_silhouette():
    assert np.all(FILLS.images[..., 0][~INSIDE] == 0)
    assert np.mean(FILLS.images[..., 0][INSIDE] > 0) > 0.99


def test_mean_and_deviation_are_the_same_in_every_fill():
    for image, inside in zip(FILLS.images[..., 0].astype("float64"), INSIDE, strict=True):
        assert image[inside].mean() == pytest.approx(1 / 2, abs=1e-6)
        assert image[inside].std() == pytest.approx(1 / 8, abs=1e-6)


def test_the_energy_lies_in_the_band_and_the_orientation_of_the_label():
    details = FILLS.images[..., 0] - 0.5 * INSIDE
    energies = np.abs(np.fft.fft2(details)) ** 2
    energies /= energies.sum(axis=(1, 2), keepdims=True)
    frequencies = np.fft.fftfreq(SIDE)
    radius = np.hypot(frequencies[:, None], frequencies)
    angle = np.degrees(np.arctan2(-frequencies[:, None], frequencies))
    shares = []
    for orientation in ORIENTATIONS:
        away = np.abs((angle - orientation + 90) % 180 - 90)
        wedge = (away < 22.5) & (radius > 0.3) & (radius < 0.53)
        shares.append(energies[:, wedge].sum(axis=1))
    table = np.array([np.array(shares)[:, FILLS.orientations == k].mean(axis=1) for k in range(4)])
    assert np.diag(table).min() > 0.7
    assert (table - np.diag(np.diag(table))).max() < 0.07


def test_orientations_are_those_of_waves_counter_clockwise_from_the_horizontal():
    for orientation, angle in enumerate(np.radians(ORIENTATIONS)):
        along = COLUMNS * np.cos(angle) - ROWS * np.sin(angle)  # rows count downwards
        waves = [np.exp(2j * np.pi * f * along) for f in np.linspace(0.34, 0.49, 20)]
        details = FILLS.images[..., 0] - 0.5 * INSIDE
        strength = np.mean([np.abs((details * wave).sum(axis=(1, 2))) for wave in waves], axis=0)
        means = [strength[FILLS.orientations == k].mean() for k in range(4)]
        assert np.argmax(means) == orientation
        assert sorted(means)[-2] < 0.5 * max(means)


@pytest.mark.parametrize("level", [1, 2])
def test_no_approximation_of_haar_shows_the_orientation(level):
    """Halved once or twice, an image is its silhouette in grey, so every classifier is at chance."""
    found = pywt.wavedec2(FILLS.images.astype("float64"), "haar", level=level, axes=(1, 2))[0]
    grey = blocks(0.5 * INSIDE[..., np.newaxis], 2**level) * 2**level
    np.testing.assert_allclose(found[..., 0], grey, atol=1e-6)


@given(seed=st.integers(0, 999))
def test_native_scenes_keep_the_blocks_whole(seed):
    labels = 4 * FILLS.labels + FILLS.orientations
    alone = NATIVE._replace(patches=0, noise=0)
    images, found, boxes = draw_scenes(FILLS.images, labels, 1, (60, 44), seed=seed, clutter=alone)
    top, left = boxes[0, :2] // 2
    halved = blocks(images)[0, top : top + 14, left : left + 14]
    grey = blocks(0.5 * silhouettes(IMAGES, found // 4)[..., np.newaxis])[0]
    np.testing.assert_allclose(halved, grey, atol=1e-6)


@pytest.mark.parametrize(("changed", "message"), [
    ({"images": IMAGES[:, :20]}, "even side of at least 14"),
    ({"images": IMAGES[:, :27, :27]}, "even side of at least 14"),
    ({"images": IMAGES[:, :12, :12]}, "even side of at least 14"),
    ({"images": IMAGES.repeat(3, axis=-1)}, "square and grey"),
    ({"images": 255 * IMAGES}, "divide them by 255"),
    ({"images": 0 * IMAGES}, r"no block of image \d is above 0.1"),
    ({"labels": LABELS[:3]}, "4 images and 3 labels"),
    ({"count": 0}, "count must be a whole number"),
    ({"seed": -1}, "seed must be a whole number"),
])  # fmt: skip
def test_bad_arguments_get_one_clear_sentence(changed, message):
    with pytest.raises(ValueError, match=message):
        draw_fills(**{"images": IMAGES, "labels": LABELS, "count": 1, "seed": 0, **changed})
