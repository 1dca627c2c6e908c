import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from adversarial_attack import analysis
from adversarial_attack.filter_set import FILTER_SET
from adversarial_attack.held_out import as_jpeg, held_out, relative_to_jpeg
from adversarial_attack.judges import ATTACKED, NETWORKS
from common.data import load_photograph
from common.statistics import bootstrap_interval
from tests.adversarial_attack import made_up
from tests.adversarial_attack.made_up import fooling_table

SEEDS = st.integers(0, 1000)


def some_cells(seed, methods=("low-pass attack",), photographs=8, **settings):
    rng = np.random.default_rng(seed)
    return analysis.cells(fooling_table(methods, range(photographs), rng, **settings))


def test_made_up_tables_have_the_names_of_this_study():
    assert tuple(FILTER_SET) == made_up.FILTERS
    assert tuple(NETWORKS) == made_up.NETWORKS


@given(seed=SEEDS)
def test_cells_are_the_decisions_of_a_record_filters_first(seed):
    table = fooling_table(["a", "b"], [3, 1], np.random.default_rng(seed))
    cells = analysis.cells(table)
    keys = cells[["method", "photograph", "filter", "network"]].itertuples(index=False, name=None)
    found = dict(zip(keys, cells[["right", "wrong"]].itertuples(index=False, name=None), strict=True))
    for record in table.to_dict("records"):
        for i, name in enumerate(FILTER_SET):
            for j, network in enumerate(NETWORKS):
                place = i * len(NETWORKS) + j
                decisions = (record["right"][place], record["wrong"][place])
                assert found[record["method"], record["photograph"], name, network] == decisions
    assert len(cells) == 2 * 2 * len(FILTER_SET) * len(NETWORKS)
    assert set(analysis.CONFIGURATION) <= set(cells)


def test_a_change_that_is_seen_fools_nobody():
    """Equal to three decimals is no more visible; the tier of 16/255 promises nothing about visibility."""
    assert not some_cells(0, v=1.001)["wrong"].any()
    assert some_cells(0, v=1.0004)["wrong"].any()
    assert some_cells(0, v=5.0, tier="16/255")["wrong"].any()


def test_a_record_with_a_decision_missing_is_refused():
    table = fooling_table(["a"], range(2), np.random.default_rng(0))
    table.at[1, "wrong"] = table.at[1, "wrong"][1:]
    with pytest.raises(ValueError, match="Every record needs 66 decisions"):
        analysis.cells(table)


@given(seed=SEEDS)
def test_only_recognised_cells_of_a_photograph_can_be_wrong(seed):
    cells = some_cells(seed, recognised=0.3)
    found = analysis.by_photograph(cells)
    recognised = cells[cells["right"]].groupby(["split", "photograph"])
    pd.testing.assert_series_equal(found["right"], recognised.size(), check_names=False)
    pd.testing.assert_series_equal(found["wrong"], recognised["wrong"].sum(), check_names=False)


@given(seed=SEEDS)
def test_shares_are_those_that_pandas_counts(seed):
    cells = some_cells(seed, {"a": 0.3, "b": 0.9}, recognised=0.4)
    found = analysis.fooled(cells, ["method", "network"])
    counted = cells[cells["right"]].groupby(["method", "network"])
    for name, oracle in {
        "mean": 100 * counted["wrong"].mean(), "cells": counted.size(), "n": counted["photograph"].nunique(),
    }.items():  # fmt: skip
        pd.testing.assert_series_equal(found[name], oracle, check_names=False, check_like=True)
    assert (found["low"] <= found["mean"]).all()
    assert (found["mean"] <= found["high"]).all()


def test_the_interval_is_that_of_the_bootstrap_over_photographs():
    """SciPy draws the photographs of the oracle, with other random numbers."""
    cells = some_cells(1, photographs=60)
    counts = analysis.by_photograph(cells).to_numpy()
    oracle = bootstrap_interval(counts, lambda drawn: 100 * drawn[:, 1].sum() / drawn[:, 0].sum())
    found = analysis.fooled(cells).loc["all"]
    assert found["mean"] == pytest.approx(oracle.mean)
    np.testing.assert_allclose(found[["low", "high"]].astype(float), oracle[1:], atol=0.4)


def test_a_group_that_nobody_recognises_stays_in_the_table():
    cells = some_cells(2)
    cells.loc[cells["network"] == "SqueezeNet", "right"] = False
    found = analysis.fooled(cells, "network").loc["SqueezeNet"]
    assert (found["n"], found["cells"]) == (0, 0)
    assert found[["mean", "low", "high"]].isna().all()


def test_one_photograph_has_no_interval():
    found = analysis.fooled(some_cells(3, photographs=1)).loc["all"]
    assert found["n"] == 1
    assert np.isfinite(found["mean"])
    assert np.isnan(found["low"])


@given(seed=SEEDS)
def test_a_lead_counts_cells_that_are_right_in_both(seed):
    one = some_cells(seed, {"a": 0.8}, recognised=0.6)
    other = some_cells(seed + 1, {"b": 0.4}, recognised=0.6, photographs=6)
    found = analysis.lead(one, other).loc["all"]
    both = one.merge(other, on=analysis.CELL).query("right_x and right_y")
    assert found["mean"] == pytest.approx(100 * (both["wrong_x"].mean() - both["wrong_y"].mean()))
    assert (found["cells"], found["n"]) == (len(both), both["photograph"].nunique())


def test_the_interval_of_equal_methods_holds_zero_and_their_p_is_uniform():
    """A photograph is hard or easy for both methods alike, so pairing matters."""
    leads = [
        analysis.lead(
            *(rows for _, rows in some_cells(seed, {"a": 0.6, "b": 0.6}, photographs=40).groupby("method"))
        ).loc["all"]
        for seed in range(100)
    ]
    holds_zero = np.mean([lead["low"] <= 0 <= lead["high"] for lead in leads])
    assert stats.binomtest(int(holds_zero * 100), 100, 0.94).pvalue > 0.001
    assert stats.kstest([lead["p"] for lead in leads], "uniform").pvalue > 0.001


@given(seed=SEEDS)
def test_p_is_that_of_the_permutation_test(seed):
    rng = np.random.default_rng(seed)
    differences = rng.integers(-3, 5, 12)
    # Signs of twelve photographs have 4,096 combinations, so SciPy counts all of them.
    oracle = stats.permutation_test(
        (differences, np.zeros(12)), lambda x, y, axis: (x - y).sum(axis), vectorized=True,
        permutation_type="samples", n_resamples=4096,
    )  # fmt: skip
    assert analysis._sign_flips(differences) == pytest.approx(min(oracle.pvalue, 1), abs=0.025)


def test_a_control_is_matched_by_the_columns_that_set_its_conditions_apart():
    tiers = [some_cells(i, {"a": 0.5 + 0.3 * i}, tier=tier) for i, tier in enumerate(("JPEG 90", "JPEG 95"))]
    noise = [
        some_cells(i, {"low-pass noise": 0.1 + 0.2 * i}, tier=tier)
        for i, tier in enumerate(("JPEG 90", "JPEG 95"))
    ]
    found = analysis.net(pd.concat(tiers), pd.concat(noise), "tier")
    alone = [analysis.lead(one, other).loc["all"] for one, other in zip(tiers, noise, strict=True)]
    np.testing.assert_array_equal(found, alone)
    with pytest.raises(ValueError, match="no noise at the tier JPEG 95"):
        analysis.net(pd.concat(tiers), noise[0], "tier")
    with pytest.raises(ValueError, match="Several conditions"):
        analysis.net(pd.concat(tiers), pd.concat(noise))
    against_one = analysis.lead(pd.concat(tiers), noise[0], ["tier"])
    assert against_one.loc["JPEG 90", "mean"] == found.loc["JPEG 90", "mean"]


def test_conditions_without_a_photograph_in_common_have_no_lead():
    one, other = some_cells(0), some_cells(0, split="development")
    with pytest.raises(ValueError, match="no photograph in common"):
        analysis.lead(one, other)


@given(seed=SEEDS)
def test_joint_success_is_that_of_photographs_recognised_everywhere(seed):
    few = some_cells(seed, {"a": 0.9}, photographs=30, recognised=0.95)
    few = few[few["filter"].isin(["none", "blur 2"]) & few["network"].isin(ATTACKED["survival"])]
    wide = few.set_index(["photograph", "filter", "network"])[["right", "wrong"]].unstack([1, 2])
    everywhere = wide["right"].all(axis=1)
    found = analysis.joint(few).loc["all"]
    assert found["n"] == everywhere.sum()
    assert found["mean"] == pytest.approx(100 * wide["wrong"].all(axis=1)[everywhere].mean())
    assert found["low"] <= found["mean"] <= found["high"]
    assert analysis.joint(few.assign(right=False)).loc["all", "n"] == 0


def test_corrected_p_values_are_those_of_a_worked_example():
    """By hand: .005 x 4, .01 x 3, then .03 x 2 and .04 x 1, which may not be less than the one before."""
    np.testing.assert_allclose(analysis.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    named = analysis.holm(pd.Series([0.9, 0.6], ["a", "b"]))
    assert named.to_dict() == {"a": 1.0, "b": 1.0}
    for wrong in ([0.1, np.nan], [1.2], [[0.1]]):
        with pytest.raises(ValueError, match="between 0 and 1"):
            analysis.holm(wrong)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_correction_lies_between_none_and_bonferroni_and_keeps_the_order(p):
    corrected = analysis.holm(p)
    assert (corrected >= np.array(p) - 1e-15).all()
    assert (corrected <= np.minimum(len(p) * np.array(p), 1) + 1e-15).all()
    assert (np.diff(corrected[np.argsort(p)]) >= 0).all()


def test_networks_are_attacked_related_or_never_attacked():
    found = {name: [analysis.relation(name, network) for network in NETWORKS] for name in ATTACKED}
    a, r, n = "attacked", "related", "never attacked"
    assert found["survival"] == [a, r, a, r, a, r]
    assert found["depthwise"] == [a, a, n, a, a, r]
    assert found["squeezenet"] == [n, n, a, n, n, n]
    assert found["three depthwise"] == [a, a, n, r, a, r]


def transferred(sources, fooled=0.0, source_seed=0):
    """Make a table of `transfer` in which every judge recognises every image."""
    shares = {"right": 1.0, "fooled": fooled, "hit": 0.0}
    lists = {
        name: [np.broadcast_to(share, len(analysis.JUDGES))] * len(sources) for name, share in shares.items()
    }
    return pd.DataFrame({"dataset": "mnist", "source": sources, "source_seed": source_seed} | lists)


def test_a_judge_may_be_attacked_itself_or_a_twin_or_unseen():
    rows = analysis.by_judge(transferred(["mlp", "all but mlp"]))
    found = rows.set_index(["source", "target", "target_seed"])["relation"]
    assert found["mlp", "mlp", 0] == found["all but mlp", "lenet", 0] == "attacked itself"
    assert found["mlp", "mlp", 1] == found["all but mlp", "lenet", 1] == "another seed of it"
    assert found["mlp", "lenet", 0] == found["all but mlp", "mlp", 0] == "another architecture"
    assert found["mlp"].value_counts()["another architecture"] == 6


@given(seed=SEEDS)
def test_architectures_count_not_their_seeds_and_noise_is_taken_off(seed):
    rng = np.random.default_rng(seed)
    shares, noise = rng.random((2, len(analysis.JUDGES))), 0.3 * rng.random(len(analysis.JUDGES))
    table = pd.concat(
        [transferred(["mlp", "lenet"], share, source_seed) for source_seed, share in enumerate(shares)]
    )
    rows = analysis.net_of_noise(analysis.by_judge(table), analysis.by_judge(transferred(["mlp"], noise)))
    names = np.array([name for name, _ in analysis.JUDGES])
    percent = 100 * (shares - noise)
    unseen = [percent[:, names != source].mean() for source in ("mlp", "lenet")]
    twins = [
        np.mean([percent[s, analysis.JUDGES.index((source, 1 - s))] for s in (0, 1)])
        for source in ("mlp", "lenet")
    ]
    found = analysis.by_relation(rows).loc["mnist"]
    assert found.loc["another architecture", "n"] == 2
    assert found.loc["another architecture", "mean"] == pytest.approx(np.mean(unseen))
    assert found.loc["another seed of it", "mean"] == pytest.approx(np.mean(twins))
    assert analysis.lead_of_twins(rows)["mnist"].mean == pytest.approx(np.mean(np.subtract(twins, unseen)))


def test_noise_of_every_judge_is_needed():
    rows = analysis.by_judge(transferred(["mlp"]))
    with pytest.raises(ValueError, match="no white noise for some"):
        analysis.net_of_noise(rows, rows[rows["target"] == "mlp"])


def test_the_largest_error_relative_to_the_jpeg_is_the_visibility():
    """The record's own numbers are the oracle: `held_out.relative` made its v from unrounded errors."""
    photograph = load_photograph("coffee").as_float()[0, :64, :64]
    noise = np.random.default_rng(0).normal(0, 0.01, photograph.shape)
    changed = np.clip(photograph + noise, 0, 1).astype("float32")
    jpeg = pd.DataFrame([held_out(photograph, as_jpeg(photograph, 90))._asdict()]).assign(photograph=3)
    table = pd.DataFrame([held_out(photograph, changed)._asdict()], index=[7]).assign(photograph=3)
    found = analysis.relative_errors(table, jpeg)
    assert found.loc[7].max() == pytest.approx(relative_to_jpeg(photograph, changed))
    for refused in (jpeg.assign(photograph=4), pd.concat([jpeg, jpeg])):
        with pytest.raises(ValueError, match="Each photograph needs one reference"):
            analysis.relative_errors(table, refused)
