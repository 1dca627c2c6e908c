import numpy as np
import pandas as pd
import pytest

from cnn_vs_dense.answers import answers, described, side_by_side


@pytest.fixture
def table():
    """Two methods at two numbers of angles, three seeds in disorder, with a row number in the decisions."""
    rows = [
        {"method": method, "angles": angles, "seed": seed}
        for method in ("a", "b")
        for angles in (4, 16)
        for seed in (2, 0, 1)
    ]
    right = [np.arange(12) == row for row in range(12)]
    return pd.DataFrame(rows).assign(right=right)


def test_answers_are_those_of_the_rows_in_the_order_of_the_seeds(table):
    found = answers(table, {"method": "b", "angles": 4})
    assert found.index.tolist() == [0, 1, 2]
    assert [int(np.flatnonzero(right)[0]) for right in found] == [7, 8, 6]


def test_networks_stand_side_by_side(table):
    found = side_by_side(answers(table, {"method": "a", "angles": angles}) for angles in (16, 4))
    assert found.shape == (3, 2, 12)
    np.testing.assert_array_equal(found.argmax(axis=2), [[4, 1], [5, 2], [3, 0]])


@pytest.mark.parametrize(
    ("where", "message"),
    [({"method": "c", "angles": 4}, "no run of c, angles 4"), ({"method": "a"}, "several runs with one seed"),
     ({"noise": 0}, "no column 'noise'")],
)  # fmt: skip
def test_rows_that_are_missing_or_ambiguous_get_one_clear_sentence(table, where, message):
    with pytest.raises(ValueError, match=message):
        answers(table, where)


def test_only_runs_with_the_same_seeds_and_images_are_compared(table):
    some = [answers(table, {"method": method, "angles": 4}) for method in ("a", "b")]
    with pytest.raises(ValueError, match=r"same seeds can be compared, not \[0, 1, 2\] and \[0, 1\]"):
        side_by_side([some[0], some[1].iloc[:2]])
    with pytest.raises(ValueError, match="same images can be compared"):
        side_by_side([some[0], some[1].map(lambda right: right[:5])])


def test_names_of_rows_are_readable():
    assert (
        described({"method": "wrapped", "angles": 4, "image_error": 1}) == "wrapped, angles 4, image error 1"
    )
