from itertools import pairwise

import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st

from wavelet_based_dnn.refinement import at_random, by_brightness, by_evidence, children
from wavelet_based_dnn.scale_network import LEVELS, build_scale_network
from wavelet_based_dnn.stream import (
    HEADER,
    NORMS,
    decode_images,
    encode_images,
    quantised,
    read_stream,
    received_details,
    restored,
)  # fmt: skip

NETWORK = build_scale_network("haar", (4,) * 7, seed=0)
few = settings(max_examples=3)
sides = st.tuples(st.integers(2, 50), st.integers(2, 150))  # from 129 on, a level is sent ahead
seeds = st.integers(0, 99)
splits = st.sampled_from(list(NORMS))


def drawn(sides, seed, count=2):
    """Return noise on a slope, so that details are large and small."""
    noise = np.random.default_rng(seed).integers(0, 200, (count, *sides, 1))
    return (noise * np.linspace(0, 1, sides[1])[:, None] ** 2).astype("uint8")


@pytest.fixture(scope="module")
def stream():
    return encode_images(drawn((45, 135), 0), 8)


def floats(images):
    return images.astype("float32") / 255


@given(values=st.lists(st.floats(-300, 300), min_size=1), step=st.floats(0.1, 50))
def test_a_coefficient_is_at_most_half_a_step_off_and_at_zero_less_than_one(values, step):
    values = np.array(values)
    numbers = quantised(values, 1 / step)
    off = np.abs(restored(numbers, 1 / step) - values) / step
    assert np.all(off <= np.where(numbers == 0, 1, 0.5) + 1e-4 * (1 + np.abs(values / step)))


@few
@given(halves=st.tuples(st.integers(1, 2), st.integers(1, 2)), seed=seeds, step=st.floats(0.5, 60))
def test_every_coefficient_of_pywavelets_has_the_same_step(halves, seed, step):
    images = drawn([32 * half for half in halves], seed)
    levels = 4  # of images up to 128 pixels
    decoded = 255 * decode_images(encode_images(images, step))
    for image, found in zip(images[..., 0], decoded[..., 0], strict=True):
        exact, got = (
            pywt.coeffs_to_array(pywt.wavedec2(each, "haar", level=levels))[0] for each in (image, found)
        )
        np.testing.assert_array_less(np.abs(exact - got), step * (1 + 1e-4) + 1e-2)
        large = np.abs(exact) > 1.01 * step + 0.01
        np.testing.assert_array_less(np.abs(exact - got)[large], step / 2 + 1e-2)


@few
@given(sides=sides, seed=seeds, split=splits)
def test_all_tiles_with_a_fine_step_are_the_image_and_its_dense_reading(sides, seed, split):
    images = drawn(sides, seed)
    stream = encode_images(images, 0.01, split)
    np.testing.assert_allclose(decode_images(stream), floats(images), atol=1e-4)
    reading, received = read_stream(NETWORK, stream)
    for logits, dense in zip(reading.logits, NETWORK(floats(images)), strict=True):
        np.testing.assert_allclose(logits, dense, atol=1e-2)
    np.testing.assert_array_equal(received[-1], stream.lengths)


@few
@given(blocks=st.tuples(st.integers(1, 4), st.integers(1, 4)), seed=seeds, step=st.floats(1, 60))
def test_all_tiles_are_read_as_the_decoded_images_are(blocks, seed, step):
    # Halving a row of zeros that an odd side lacks mixes it with its neighbour, so these sides stay even.
    stream = encode_images(drawn([16 * block for block in blocks], seed), step)
    logits = read_stream(NETWORK, stream).reading.logits[-1]
    np.testing.assert_allclose(logits, NETWORK(decode_images(stream))[-1], atol=1e-3)


@few
@given(seed=seeds, share=st.floats(0, 1))
def test_bytes_add_up_over_tiles_and_a_tile_alone_holds_its_details(stream, seed, share):
    level = len(stream.details) - 1
    held = stream.details[level]
    one = np.random.default_rng(seed).random(held.tiles.shape) < share
    tables = np.array([len(table) for table in held.tables])
    twice = tables * (one.any((1, 2)) & ~one.all((1, 2)))  # the table travels with the first tile of either
    np.testing.assert_array_equal(held.lengths(one) + held.lengths(~one), held.lengths() + twice)
    parts = received_details(stream, level, one) + received_details(stream, level, ~one)
    np.testing.assert_array_equal(parts, received_details(stream, level))


def test_a_whole_stream_is_its_header_its_tables_and_its_codes(stream):
    levels = [stream.coarsest, *stream.details]
    for image, length in enumerate(stream.lengths):
        parts = [part for level in levels for part in [level.tables[image], *level.tiles[image].ravel()]]
        assert length == HEADER + sum(map(len, parts))


RULES = {
    "evidence": lambda stream: by_evidence,
    "brightness": lambda stream: by_brightness,
    "random": lambda stream: at_random,
}


@pytest.mark.parametrize("rule", RULES)
def test_a_receiver_knows_only_what_it_asked_for(stream, rule):
    rule = RULES[rule](stream)
    reading, received = read_stream(NETWORK, stream, tiles=3, rule=rule)
    kept = []  # the stream without the codes that were not asked for
    for level, tiles in zip(stream.details[-LEVELS:], reading.tiles, strict=True):
        codes = level.tiles.copy()
        codes[~tiles] = b""
        kept.append(level._replace(tiles=codes))
        assert np.all(tiles.sum((1, 2)) <= 3)
    for coarse, fine in zip(reading.tiles, reading.tiles[1:], strict=False):
        assert np.all(children(coarse, fine.shape) | ~fine)
    rest = stream._replace(details=stream.details[:-LEVELS] + kept)
    np.testing.assert_array_equal(received[-1], rest.lengths)
    again = read_stream(NETWORK, rest, tiles=3, rule=by_requests(reading)).reading
    np.testing.assert_array_equal(again.logits, reading.logits)


def by_requests(reading):
    return lambda _, level, rng=None: np.where(reading.tiles[level], 1, -np.inf)


def test_a_confident_receiver_asks_for_nothing_more(stream):
    reading, received = read_stream(NETWORK, stream, confidence=0)
    assert not any(tiles.any() for tiles in reading.tiles[1:])
    np.testing.assert_array_equal(received, received[:1].repeat(LEVELS, 0))
    fewer, bytes_before = read_stream(NETWORK, stream, levels=1)
    np.testing.assert_array_equal(fewer.logits, reading.logits[:1])
    np.testing.assert_array_equal(bytes_before, received[:1])


def test_each_level_can_have_a_number_of_tiles_of_its_own(stream):
    reading, _ = read_stream(NETWORK, stream, tiles=(2, None, 5))
    possible = [children(coarse, fine.shape).sum((1, 2)) for coarse, fine in pairwise(reading.tiles)]
    for count, fine, most in zip((2, np.inf, 5), reading.tiles[1:], possible, strict=True):
        np.testing.assert_array_equal(fine.sum((1, 2)), np.minimum(count, most))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((1, 8, 8, 1)), 8), "must be uint8"),
        ((np.zeros((1, 8, 8, 3), "uint8"), 8), r"\(n, height, width, 1\)"),
        ((np.zeros((1, 8, 8, 1), "uint8"), 0), "step must be a positive number of grey values"),
        ((np.zeros((1, 8, 8, 1), "uint8"), np.nan), "step must be a positive"),
        ((np.zeros((1, 8, 8, 1), "uint8"), 8, "db2"), "average pool"),
    ],
)
def test_bad_images_steps_and_splits_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        encode_images(*arguments)


def test_bad_requests_are_refused(stream):
    for options in ({"tiles": 0}, {"tiles": (3, 2)}, {"tiles": (3, 0, 2)}, {"levels": 0}, {"confidence": 2}):
        with pytest.raises(ValueError, match="must"):
            read_stream(NETWORK, stream, **options)
