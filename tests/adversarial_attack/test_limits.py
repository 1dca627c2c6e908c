import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversarial_attack.limits import smallest


@given(wanted=st.floats(0.01, 16), rounds=st.integers(0, 9))
def test_the_smallest_number_that_succeeds_is_bracketed(wanted, rounds):
    found = smallest(lambda number: number >= wanted, 0.05, 16, rounds)
    assert max(wanted, 0.05) <= found <= max(wanted, 0.05) * 320 ** (1 / 2**rounds) * (1 + 1e-9)


@given(wanted=st.floats(16.01, 1e6), rounds=st.integers(0, 9))
def test_it_is_infinite_if_nothing_succeeds_and_no_more_is_tried(wanted, rounds):
    tried = []
    assert smallest(lambda number: tried.append(number) or number >= wanted, 0.05, 16, rounds) == np.inf
    assert tried == [16]


@pytest.mark.parametrize(("low", "high"), [(0, 16), (16, 0.05), (-1, 1), (np.nan, 1)])
def test_limits_that_do_not_ascend_get_one_clear_sentence(low, high):
    with pytest.raises(ValueError, match="low and high must be positive and ascending"):
        smallest(bool, low, high)
