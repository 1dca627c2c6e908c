import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversarial_attack import comparisons
from adversarial_attack.battery import BATTERY, TO_SIGMA_2
from common.pretrained import OFFLINE

SHAPE = (6, len(BATTERY), len(OFFLINE))


def table(answers, kind="found"):
    """Make a table of `fooling`, its rows in no order."""
    rows = [{"image": image, f"{kind}_said_label": said.ravel()} for image, said in enumerate(answers)]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


@given(seed=st.integers(0, 1000))
def test_answers_come_back_in_their_order(seed):
    said = np.random.default_rng(seed).random(SHAPE) < 0.5
    np.testing.assert_array_equal(comparisons.answers(table(said)), said)


def test_joint_success_counts_what_somebody_recognised_and_nobody_does_any_more():
    names = list(BATTERY)
    clean, after = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    clean[1:, 0] = True  # Image 0 is never recognised, the others are without a filter.
    after[2, names.index("JPEG 50"), 3] = True  # Image 2 still is, once.
    after[3, names.index("blur 3"), 0] = True  # Image 3 is where nobody looks.
    found = comparisons.joint(table(after), table(clean), TO_SIGMA_2)
    assert found.to_dict() == {1: True, 2: False, 3: True, 4: True, 5: True}
    only_lites = comparisons.joint(table(after), table(clean), TO_SIGMA_2, judges=OFFLINE[:3])
    assert only_lites.all()
    clean[4, 0, 1] = False  # One network does not recognise image 4.
    strictly = comparisons.joint(table(after), table(clean), TO_SIGMA_2, eligible="all")
    assert list(strictly.index) == [1, 2, 3, 5]


@given(seed=st.integers(0, 1000))
def test_nothing_that_was_wrong_when_clean_counts_as_success(seed):
    clean = np.random.default_rng(seed).random(SHAPE) < 0.3
    assert not comparisons.joint(table(clean), table(clean), TO_SIGMA_2).any()
    assert np.nansum(comparisons.of_all_answers(table(clean), table(clean))) == 0


def test_shares_are_written_with_interval_and_n():
    assert comparisons.as_text([True] * 9 + [False]) == "90 % [60, 98] of 10"


def test_paired_arms_are_compared_on_the_same_images():
    clean = np.ones(SHAPE, bool)
    one, other = np.zeros(SHAPE, bool), np.ones(SHAPE, bool)
    found = comparisons.paired(table(one), table(other), table(clean), ["none"])
    assert (found["first"], found["second"], found["n"]) == (6, 0, 6)
    assert found["p"] == pytest.approx(2 / 2**6)


def test_a_share_meets_its_target_or_misses_it():
    hits = [True] * 9 + [False]
    found = comparisons.verdicts({"a": (hits, "at least", 0.9), "b": (hits, "at most", 0.8)})
    assert found["verdict"].to_dict() == {"a": "met", "b": "missed"}
    assert found.loc["b", "target"] == "at most 80 %"


def transferred(**columns):
    return pd.DataFrame({"dataset": "mnist", "right": 10_000} | columns)


def test_a_judge_may_be_attacked_itself_or_a_twin_or_unseen():
    table = transferred(
        source=["mlp", "mlp", "mlp", "all but mlp", "all but mlp", "all but mlp"],
        target=["mlp", "mlp", "lenet", "lenet", "lenet", "mlp"],
        source_seed=0,
        target_seed=[0, 1, 0, 0, 2, 0],
    )
    kinds = ["attacked itself", "another seed of it", "another architecture"]
    assert comparisons.relation(table).tolist() == kinds * 2


def test_attacks_are_averaged_over_their_judges_and_then_counted():
    table = transferred(
        source=["mlp", "mlp", "lenet"], target=["lenet", "resnet", "resnet"], source_seed=0, target_seed=0,
        fooled=[1_000, 3_000, 4_000],
    )  # fmt: skip
    row = comparisons.by_relation(table).loc["mnist", "another architecture"]
    assert (row["n"], row["mean"]) == (2, pytest.approx(30))
