import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversarial_attack import analysis
from adversarial_attack.filter_set import FILTER_SET, TO_SIGMA_2
from common.pretrained import OFFLINE

SHAPE = (6, len(FILTER_SET), len(OFFLINE))


def table(answers, kind="found"):
    """Make a table of `fooling`, its rows in no order."""
    rows = [{"image": image, f"{kind}_said_label": said.ravel()} for image, said in enumerate(answers)]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


@given(seed=st.integers(0, 1000))
def test_answers_come_back_in_their_order(seed):
    said = np.random.default_rng(seed).random(SHAPE) < 0.5
    np.testing.assert_array_equal(analysis.answers(table(said)), said)


def test_joint_success_counts_what_somebody_recognised_and_nobody_does_any_more():
    names = list(FILTER_SET)
    clean, after = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    clean[1:, 0] = True  # Image 0 is never recognised, the others are without a filter.
    after[2, names.index("JPEG 50"), 3] = True  # Image 2 still is, once.
    after[3, names.index("blur 3"), 0] = True  # Image 3 is where nobody looks.
    found = analysis.joint(table(after), table(clean), TO_SIGMA_2)
    assert found.to_dict() == {1: True, 2: False, 3: True, 4: True, 5: True}
    only_lites = analysis.joint(table(after), table(clean), TO_SIGMA_2, judges=OFFLINE[:3])
    assert only_lites.all()
    clean[4, 0, 1] = False  # One network does not recognise image 4.
    strictly = analysis.joint(table(after), table(clean), TO_SIGMA_2, eligible="all")
    assert list(strictly.index) == [1, 2, 3, 5]


@given(seed=st.integers(0, 1000))
def test_nothing_that_was_wrong_when_clean_counts_as_success(seed):
    clean = np.random.default_rng(seed).random(SHAPE) < 0.3
    assert not analysis.joint(table(clean), table(clean), TO_SIGMA_2).any()
    assert np.nansum(analysis.of_all_answers(table(clean), table(clean))) == 0


def test_shares_are_written_with_interval_and_n():
    assert analysis.as_text([True] * 9 + [False]) == "90 % [60, 98] of 10"


def test_paired_arms_are_compared_on_the_same_images():
    clean = np.ones(SHAPE, bool)
    one, other = np.zeros(SHAPE, bool), np.ones(SHAPE, bool)
    found = analysis.paired(table(one), table(other), table(clean), ["none"])
    assert (found["first"], found["second"], found["n"]) == (6, 0, 6)
    assert found["p"] == pytest.approx(2 / 2**6)


def transferred(sources, fooled=0.0):
    """Make a table of `transfer` in which every judge recognises every image."""
    shares = {"right": 1.0, "fooled": fooled, "hit": 0.0}
    lists = {
        name: [np.broadcast_to(share, len(analysis.JUDGES))] * len(sources) for name, share in shares.items()
    }
    return pd.DataFrame({"dataset": "mnist", "source": sources, "source_seed": 0} | lists)


def test_a_judge_may_be_attacked_itself_or_a_twin_or_unseen():
    rows = analysis.by_judge(transferred(["mlp", "all but mlp"]))
    found = rows.set_index(["source", "target", "target_seed"])["relation"]
    assert found["mlp", "mlp", 0] == found["all but mlp", "lenet", 0] == "attacked itself"
    assert found["mlp", "mlp", 1] == found["all but mlp", "lenet", 1] == "another seed of it"
    assert found["mlp", "lenet", 0] == found["all but mlp", "mlp", 0] == "another architecture"
    assert found["mlp"].value_counts()["another architecture"] == 6


@given(seed=st.integers(0, 1000))
def test_attacks_are_averaged_over_their_judges_and_then_counted(seed):
    percent = 100 * np.random.default_rng(seed).random(len(analysis.JUDGES))
    rows = analysis.by_judge(transferred(["mlp", "lenet"], percent / 100))
    found = analysis.by_relation(rows)
    names = np.array([name for name, _ in analysis.JUDGES])
    means = [percent[names != source].mean() for source in ("mlp", "lenet")]
    unseen = found.loc["mnist", "another architecture"]
    assert (unseen["n"], unseen["mean"]) == (2, pytest.approx(np.mean(means)))
    twins = [percent[analysis.JUDGES.index((source, 1))] for source in ("mlp", "lenet")]
    assert analysis.lead_of_twins(rows)["mnist"].mean == pytest.approx(np.mean(np.subtract(twins, means)))
    assert found.loc["mnist", "attacked itself"]["mean"] == pytest.approx(
        np.mean([percent[analysis.JUDGES.index((source, 0))] for source in ("mlp", "lenet")])
    )
