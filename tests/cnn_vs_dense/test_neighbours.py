import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_vs_dense.neighbours import neighbours_kept
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
