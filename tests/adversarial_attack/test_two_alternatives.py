import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversarial_attack.two_alternatives import pairs, verdict


@given(n=st.integers(1, 30), seed=st.integers(0, 100))
def test_every_pair_holds_the_attacked_image_where_the_letter_says(n, seed):
    images = np.arange(n, dtype=float).reshape(n, 1, 1, 1)
    shown, attacked = pairs(images, images + 100, seed)
    for trial, letter in enumerate(attacked):
        left, right = shown[2 * trial : 2 * trial + 2].ravel()
        assert {left, right} == {trial, trial + 100}
        assert (left > right) == (letter == "L")


def test_who_sees_everything_is_told_so_and_who_guesses_too():
    assert verdict("L" * 20, "L" * 20) == (
        "20 of 20 right; who guesses gets as many or more with probability 0.000."
    )
    assert "10 of 20 right" in verdict("LR" * 10, "L" * 20)
    assert "probability 0.588" in verdict("lr" * 10, "L" * 20)
    assert verdict("", "LR").startswith("Not taken")


def test_few_right_answers_count_as_much_as_many_where_either_image_may_be_the_more_visible_one():
    few, many = (verdict(word, "L" * 20, two_sided=True) for word in ("L" * 5 + "R" * 15, "L" * 15 + "R" * 5))
    assert "probability 0.041" in few
    assert few.replace("5 of", "15 of") == many


def test_pairs_are_drawn_by_a_seed_from_as_many_images():
    images = np.zeros((3, 2, 2, 1))
    with pytest.raises(ValueError, match="seed must be a whole number"):
        pairs(images, images, None)
    with pytest.raises(ValueError, match="images and adversarial must have one shape"):
        pairs(images, images[:1], 0)


@pytest.mark.parametrize("answers", ["L", "LLX"])
def test_answers_are_one_letter_a_pair(answers):
    with pytest.raises(ValueError, match="answers must be 3 letters L or R"):
        verdict(answers, "LRL")
