import gc
import weakref
from functools import cache

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax

from common.multiplications import multiplications
from wavelet_based_dnn.refinement import (
    LEAST,
    TILE,
    at_random,
    by_boxes,
    by_brightness,
    by_energy,
    by_evidence,
    classify,
    count_tile_macs,
    fields,
    sparse_scores,
    tile_count,
    tile_grid,
)
from wavelet_based_dnn.rivals import CoefficientScales, FinestLevel, build_plain_pyramid
from wavelet_based_dnn.scale_network import LEVELS, ScaleNetwork, build_scale_network

sides, seeds = st.integers(20, 110), st.integers(0, 2**31)
shares = st.floats(0, 1)
RULES = [by_evidence, at_random, by_energy, by_brightness]


def images(seed, *shape):
    return np.random.default_rng(seed).random((*shape, 1), dtype="float32")


@pytest.mark.parametrize("kind", [ScaleNetwork, CoefficientScales])
@settings(max_examples=3)
@given(sides, sides, seeds)
def test_computing_tiles_is_computing_the_level(kind, height, width, seed):
    network = kind("haar", (4,) * 7, 10, 0)
    for bands in network.bands(images(seed, 2, height, width)):
        tiles, expected = np.ones(tile_grid(bands), bool), network.scores(bands).numpy()
        tiles[0, -1, 0] = False
        kept = tiles.repeat(TILE, 1).repeat(TILE, 2)[:, : expected.shape[1], : expected.shape[2], None]
        found = sparse_scores(network, bands, tiles)
        np.testing.assert_allclose(found, np.where(kept, expected, -np.inf), atol=1e-5)


@settings(max_examples=8)
@given(sides, sides, seeds, shares, st.sampled_from(RULES))
def test_a_budget_bounds_the_tiles_of_the_finest_level(network, height, width, seed, budget, rule):
    reading = classify(network, images(seed, 2, height, width), budget=budget, rule=rule, seed=seed)
    assert all(tiles.all() for tiles in reading.tiles[:-1])
    count = reading.tiles[-1][0].size
    most = min(max(LEAST, int(np.ceil(budget * count - 1e-6))), count)
    np.testing.assert_array_equal(reading.tiles[-1].sum((1, 2)), most)


@settings(max_examples=5)
@given(sides, sides, seeds)
def test_logits_of_a_part_are_the_log_sum_exp_of_what_was_computed(network, height, width, seed):
    reading = classify(network, images(seed, 2, height, width), budget=0.2)
    for level in range(LEVELS):
        cells = np.concatenate([one.reshape(2, -1, 10) for one in reading.scores[: level + 1]], 1)
        expected = [
            [logsumexp(values[np.isfinite(values)]) for values in image.T] for image in cells.astype(float)
        ]
        np.testing.assert_allclose(reading.logits[level], expected, atol=1e-4)
    np.testing.assert_allclose(reading.confidence, softmax(expected, 1).max(1), atol=1e-4)
    np.testing.assert_array_equal(reading.classes, np.argmax(expected, 1))


@pytest.mark.parametrize("rule", [by_evidence, at_random])
@settings(max_examples=2)
@given(seeds, st.floats(0, 0.8))
def test_a_reading_that_goes_on_has_the_bits_of_a_reading_at_once(network, rule, seed, budget):
    options = {"budget": budget, "rule": rule, "seed": seed}
    given_images = images(seed, 2, 120, 200)
    resumed, at_once = None, classify(network, given_images, **options)
    for levels in range(1, LEVELS + 1):
        resumed = classify(network, given_images, levels=levels, reading=resumed, **options)
        assert len(resumed.logits) == levels
    for one, other in zip(resumed.logits + resumed.tiles, at_once.logits + at_once.tiles, strict=True):
        np.testing.assert_array_equal(one, other)


def test_confident_images_are_read_no_further_and_keep_their_answer(network):
    given_images = images(0, 6, 70, 90)
    first = classify(network, given_images, levels=1)
    threshold = float(np.median(first.confidence))
    sure = first.confidence >= threshold
    reading = classify(network, given_images, confidence=threshold)
    assert sure.any()
    assert not sure.all()
    assert not any(tiles[sure].any() for tiles in reading.tiles[1:])
    assert reading.tiles[1][~sure].all()
    np.testing.assert_allclose(reading.logits[-1][sure], first.logits[0][sure], atol=1e-5)


def test_what_a_reading_dropped_has_no_children_later_either(network):
    given_images = images(0, 2, 140, 140)
    stopped = classify(network, given_images, confidence=0, levels=2)
    assert not stopped.tiles[1].any()
    resumed = classify(network, given_images, reading=stopped)
    assert not any(tiles.any() for tiles in resumed.tiles[1:])


@settings(max_examples=5)
@given(st.integers(0, 5), st.integers(0, 5))
def test_rules_prefer_the_tile_that_shows_the_object(network, row, column):
    """On 192 x 192 pixels, a tile of the finest level is a square of 32 pixels."""
    scene = np.full((1, 192, 192, 1), 0.2, "float32")
    inside = np.s_[0, 32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
    scene[inside] += np.indices((32, 32)).sum(0)[..., None] % 2 * np.float32(0.5)
    reading = classify(network, scene, levels=LEVELS - 1)
    box = np.array([[32 * row, 32 * column, 32, 32]])
    for rule in (by_energy, by_brightness, by_boxes(box)):
        preference = rule(reading, LEVELS - 1)[0]
        assert preference.shape == (6, 6)
        assert np.argwhere(preference == preference.max()).tolist() == [[row, column]]
    assert by_boxes(box)(reading, LEVELS - 1).sum() == 32 * 32


@settings(max_examples=5)
@given(seeds)
def test_boxes_share_their_pixels_among_tiles(seed):
    rng = np.random.default_rng(seed)
    boxes = np.stack([*rng.integers(0, 60, (2, 3)), *rng.integers(1, 60, (2, 3))], 1)
    reading = classify(small(), np.zeros((3, 120, 120, 1), "float32"), levels=1)
    masks = np.zeros((3, 128, 128))
    for mask, (top, left, height, width) in zip(masks, boxes, strict=True):
        mask[top : top + height, left : left + width] = 1
    expected = masks.reshape(3, 4, 32, 4, 32).sum((2, 4))
    np.testing.assert_array_equal(by_boxes(boxes)(reading, 0), expected)


@cache
def small():
    """Return a network whose only level is the finest."""
    return FinestLevel("haar", (4,) * 7, 10, 0)


def test_evidence_prefers_the_tiles_under_its_best_cells(network):
    reading = classify(network, images(2, 1, 192, 192), levels=LEVELS - 1)
    preference = by_evidence(reading, LEVELS - 1)[0]
    evidence = logsumexp(reading.scores[-1][0], axis=-1)
    best = np.array(np.unravel_index(evidence.argmax(), evidence.shape)) // (TILE // 2)
    assert np.array_equal(np.unravel_index(preference.argmax(), preference.shape), best)


@pytest.mark.parametrize(("budget", "count"), [(0, 4), (0.03, 4), (0.07, 7), (0.071, 8), (1, 100)])
def test_a_budget_is_rounded_up_to_whole_tiles_and_four(budget, count):
    assert tile_count(budget, (1, 10, 10)) == count


def test_the_multiplications_of_a_tile_by_hand_and_in_the_graph(network):
    by_hand = (
        57 * 57 * 9 * 1 * 4  # a picture of 59 x 59 pixels gives 57 x 57 places of 4 filters
        + 55 * 55 * 9 * 4 * 4
        + 27 * 27 * 9 * 4 * 4  # stride 2
        + 25 * 25 * 9 * 4 * 4
        + 12 * 12 * 9 * 4 * 4  # stride 2
        + 10 * 10 * 9 * 4 * 4
        + 8 * 8 * 9 * 4 * 4
        + 8 * 8 * 4 * 10  # readout
    )
    assert count_tile_macs(network) == by_hand
    assert fields(ScaleNetwork.strides)[0] == (59, 12, 4)
    inside = [tf.ones((1, side, side, 1)) for side, *_ in fields(ScaleNetwork.strides)]

    def read(pictures):
        return network.regions(pictures, inside)

    assert multiplications(read, (1, 59, 59, 1))[-1] == by_hand


def test_a_network_that_has_classified_can_be_forgotten():
    network = build_scale_network(filters=(4,) * 7)
    classify(network, images(0, 1, 100, 100), budget=0)
    forgotten = weakref.ref(network)
    del network
    gc.collect()
    assert forgotten() is None


def test_tensors_and_double_precision_are_read_like_arrays(network):
    given_images = images(0, 1, 40, 40)
    expected = classify(network, given_images).logits[-1]
    for same in (tf.constant(given_images), given_images.astype("float64")):
        np.testing.assert_array_equal(classify(network, same).logits[-1], expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": images(0, 1, 9, 9) * 255}, r"images must lie in \[0, 1\], .*; divide them by 255"),
        ({"images": np.zeros((1, 9, 9, 3))}, "images must be grey"),
        ({"budget": 10}, r"budget must lie in \[0, 1\]"),
        ({"confidence": -1}, r"confidence must lie in \[0, 1\]"),
        ({"levels": 0}, "levels must be a whole number of at least 1, not 0"),
        ({"levels": 5}, "levels must be 1 to 4 for this network and reading, not 5"),
        ({"seed": -1}, "seed must be a whole number"),
        (
            {"rule": "by_evidence"},
            "rule must be a function such as refinement.by_evidence, not 'by_evidence'",
        ),
        ({"rule": lambda *_: np.ones(3), "budget": 0}, r"one number a tile, shape \(1, 3, 3\), not \(3,\)"),
        ({"network": build_plain_pyramid}, "network must be a ScaleNetwork, not function"),
        ({"reading": []}, "reading must be what classify returned, not list"),
    ],
)
def test_what_cannot_be_read_gets_one_clear_sentence(network, change, message):
    with pytest.raises(ValueError, match=message):
        classify(**{"network": network, "images": images(0, 1, 90, 90)} | change)


@pytest.mark.parametrize("wrong", [np.zeros(4), np.zeros((2, 3)), [[0, 0, 9]]])
def test_boxes_of_another_shape_are_refused(wrong):
    with pytest.raises(ValueError, match=r"boxes must be \(n, 4\): top, left, height and width, not"):
        by_boxes(wrong)


def test_a_reading_of_other_images_or_of_more_levels_is_refused(network):
    reading = classify(network, images(0, 1, 30, 30), levels=2)
    for others in (images(1, 1, 30, 30), images(0, 2, 30, 30), images(0, 1, 30, 40)):
        with pytest.raises(ValueError, match="reading must be of the same images and network"):
            classify(network, others, reading=reading)
    with pytest.raises(ValueError, match="levels must be 2 to 4 for this network and reading, not 1"):
        classify(network, images(0, 1, 30, 30), levels=1, reading=reading)
