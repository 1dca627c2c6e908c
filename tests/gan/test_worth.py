from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan import worth

seeds = st.integers(0, 10_000)


def images(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28, 1), "uint8")


def brute_force(digits, samples):
    pairs = (digits[:, None] / 255 - samples[None] / 255) ** 2
    return pairs.mean(axis=(2, 3, 4))


@given(seed=seeds, n=st.integers(1, 8), data=st.data())
def test_the_expected_least_is_the_mean_over_all_choices(seed, n, data):
    values = np.random.default_rng(seed).random((3, n))
    counts = data.draw(st.lists(st.integers(1, n), min_size=1, max_size=3))
    expected = [
        np.mean([values[:, list(chosen)].min(axis=1) for chosen in combinations(range(n), count)], axis=0)
        for count in counts
    ]
    np.testing.assert_allclose(worth.expected_least(values, counts), np.stack(expected, axis=1))


@given(n=st.integers(1, 60_000), data=st.data())
def test_the_expected_least_of_ranks_is_known(n, data):
    """The expected minimum of a random subset of 1, ..., n is (n + 1) / (count + 1)."""
    count = data.draw(st.integers(1, n))
    found = worth.expected_least(np.arange(1, n + 1)[None], [count])
    assert found == pytest.approx((n + 1) / (count + 1), rel=1e-6)


@pytest.mark.parametrize("count", [0, 5])
def test_as_many_are_taken_as_there_are(count):
    with pytest.raises(
        ValueError, match=r"counts must lie in 1 to the 4 values, but they are \[" + str(count)
    ):
        worth.expected_least(np.zeros((2, 4)), [count])


@settings(max_examples=10)
@given(seed=seeds, block=st.integers(1, 4), batch=st.integers(4, 9))
def test_the_best_of_all_blocks_is_the_nearest_sample(seed, block, batch):
    digits, samples = images(3, seed), images(12, seed + 1)
    batches = [samples[start : start + batch] for start in range(0, 12, batch)]
    whole = np.concatenate([x[: len(x) // block * block] for x in batches])
    count = len(whole)
    found = worth.best_of(digits, batches, [block, count], block)
    expected = brute_force(digits, whole)
    np.testing.assert_allclose(found[:, 1], expected.min(axis=1), rtol=1e-4)
    by_block = expected.reshape(3, -1, block).min(axis=2).mean(axis=1)
    np.testing.assert_allclose(found[:, 0], by_block, rtol=1e-4)


def test_a_copy_has_no_error():
    digits = images(5, 0)
    found = worth.best_of(digits, [digits], [1, 5], block=1)
    assert np.all(found[:, 0] > 0)
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-6)
    assert np.all(found >= 0)


@given(seed=seeds)
def test_blocks_and_single_samples_agree_up_to_chance(seed):
    rng = np.random.default_rng(seed)
    values = rng.gamma(6.0, size=(200, 64 * 8))
    single = worth.expected_least(values, [64]).mean()
    blocks = worth.expected_least(values.reshape(200, -1, 8).min(axis=2), [8]).mean()
    assert blocks == pytest.approx(single, rel=0.05)


def test_sizes_fit_the_block():
    with pytest.raises(ValueError, match=r"multiples of the block of 4 samples, but \[6\] are not"):
        worth.best_of(images(1, 0), [images(8, 1)], [4, 6], block=4)
    with pytest.raises(ValueError, match="fewer samples than the block of 9"):
        worth.best_of(images(1, 0), [images(8, 1)], [9], block=9)


@pytest.mark.parametrize("split", ["test", "validation"])
def test_digits_are_drawn_evenly_and_repeatably(split):
    found = worth.drawn_digits("mnist", split, per_class=3, seed=5)
    np.testing.assert_array_equal(found.labels, np.repeat(np.arange(10), 3))
    assert len(np.unique(found.images, axis=0)) == 30
    np.testing.assert_array_equal(found.images, worth.drawn_digits("mnist", split, 3, 5).images)
    assert not np.array_equal(found.images, worth.drawn_digits("mnist", split, 3, 6).images)


def test_unseen_digits_are_test_digits_that_were_never_shown():
    shown, unseen = (worth.drawn_digits("mnist", split) for split in ("test", "unseen"))
    np.testing.assert_array_equal(unseen.labels, shown.labels)
    assert len(np.unique(np.concatenate([shown.images, unseen.images]), axis=0)) == 1_000


def test_digits_come_from_three_splits():
    with pytest.raises(ValueError, match="no split 'train'; there are test, unseen, validation"):
        worth.drawn_digits("mnist", "train")


def test_fewer_samples_are_the_first_of_more(monkeypatch):
    monkeypatch.setattr(worth, "BATCH", 4)

    def generator(points):
        return np.broadcast_to((points[:, :1, None, None] + 1) / 2, (len(points), 28, 28, 1))

    few, more = (np.concatenate(list(worth.generated(generator, 2, n, seed=3))) for n in (8, 11))
    assert len(more) == 11
    np.testing.assert_array_equal(few, more[:8])
    assert len(np.unique(more[:, 0, 0, 0])) > 8


def test_training_digits_come_once_each():
    found = np.concatenate(list(worth.training_digits("mnist", seed=1)))
    data = worth.load_dataset("mnist").train.images[:55_000]
    assert len(found) == 55_000
    np.testing.assert_array_equal(found.sum(axis=0, dtype=int), data.sum(axis=0, dtype=int))
    assert not np.array_equal(found[:100], data[:100])


@pytest.mark.parametrize("pixels", [0.8, 1.5, 2.0])
def test_blur_has_the_variance_of_its_gaussian(pixels):
    point = np.zeros((1, 28, 28, 1), "uint8")
    point[0, 10:18, 10:18] = 255
    row = worth.blurred(point, pixels).astype(float).sum(axis=(0, 1, 3))
    places = np.arange(28)
    centre = places @ row / row.sum()
    variance = (places - centre) ** 2 @ row / row.sum()
    assert centre == pytest.approx(13.5)
    assert variance == pytest.approx((8**2 - 1) / 12 + pixels**2, rel=0.02)


def test_no_blur_changes_nothing():
    np.testing.assert_array_equal(worth.blurred(images(3, 0), 0), images(3, 0))
