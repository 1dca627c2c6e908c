from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from cnn_vs_dense import neighbours
from cnn_vs_dense.neighbours import crops, neighbours_kept
from common.scramble import Scrambler

seeds = st.integers(0, 2**32)


@given(st.integers(1, 6), st.integers(1, 6), seeds, st.sampled_from([1, 1.5, 3]))
def test_neighbours_kept_matches_a_count_of_all_pairs(height, width, seed, distance):
    permutation = np.random.default_rng(seed).permutation(height * width)
    place = np.argsort(permutation)

    def squared_distance(p, q):
        return (p // width - q // width) ** 2 + (p % width - q % width) ** 2

    pairs = [(p, q) for p in range(height * width) for q in range(p) if squared_distance(p, q) == 1]
    kept = [squared_distance(place[p], place[q]) <= distance**2 for p, q in pairs]
    expected = np.mean(kept) if pairs else 1.0
    assert neighbours_kept(permutation, (height, width), distance) == pytest.approx(expected)


def test_neighbours_kept_of_known_permutations():
    identity = np.arange(28 * 28)
    assert neighbours_kept(identity, (28, 28)) == 1
    assert neighbours_kept(identity[::-1], (28, 28)) == 1
    full, inside, whole = (
        neighbours_kept(Scrambler((28, 28), 0, **variant).permutation, (28, 28))
        for variant in ({}, {"block": 7}, {"block": 7, "whole_blocks": True})
    )
    assert full < inside < whole < 1


@pytest.mark.parametrize("permutation", [np.arange(53), np.zeros(54, int), np.arange(1, 55)], ids=len)
def test_neighbours_kept_refuses_what_is_no_permutation(permutation):
    with pytest.raises(ValueError, match="permutation"):
        neighbours_kept(permutation, (6, 9))


@pytest.fixture
def made_photographs(monkeypatch):
    """Two photographs of other sizes, one in colour; no value occurs twice in their mean over channels."""
    values = np.random.default_rng(0).permutation(12 * 9 + 8 * 8) / 200
    grey = {"tall": values[:108].reshape(1, 12, 9, 1), "small": values[108:].reshape(1, 8, 8, 1)}
    images = {"tall": grey["tall"] + [-0.01, 0, 0.01], "small": grey["small"]}
    stored = {name: SimpleNamespace(as_float=lambda array=array: array) for name, array in images.items()}
    monkeypatch.setattr(neighbours, "PHOTOGRAPHS", tuple(images))
    monkeypatch.setattr(neighbours, "load_photograph", stored.get)
    return grey


def test_crops_are_windows_of_the_grey_photographs_all_of_which_occur(made_photographs):
    windows = np.concatenate(
        [sliding_window_view(grey[0, ..., 0], (7, 7)).reshape(-1, 49) for grey in made_photographs.values()]
    )
    found = crops(7, 300, seed=0).reshape(300, 49)
    apart = np.abs(found[:, np.newaxis] - windows).max(axis=-1)
    assert apart.min(axis=1).max() < 1e-6
    assert len(set(apart.argmin(axis=1))) == len(windows) == 6 * 3 + 2 * 2


def test_crops_of_the_photographs_are_repeatable_images_whose_neighbours_are_alike():
    images = crops(28, 60, seed=3)
    assert (images.shape, images.dtype) == ((60, 28, 28, 1), "float32")
    assert 0 <= images.min() < images.max() <= 1
    np.testing.assert_array_equal(images, crops(28, 60, seed=3))
    assert (images != crops(28, 60, seed=4)).any()
    left, right = images[:, :, :-1].ravel(), images[:, :, 1:].ravel()
    assert np.corrcoef(left, right)[0, 1] > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((9, 5, 0), "size must be at most 8"), ((0, 5, 0), "size must be a whole"), ((7, 0, 0), "count must be"),
     ((7, 5, None), "seed must be")],
)  # fmt: skip
def test_impossible_crops_get_one_clear_sentence(made_photographs, arguments, message):
    with pytest.raises(ValueError, match=message):
        crops(*arguments)
