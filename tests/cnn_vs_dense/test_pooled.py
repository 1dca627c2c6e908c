import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cnn_vs_dense import pooled
from cnn_vs_dense.pooled import Dose, crossed_interval, ratio_of_means
from common.statistics import Interval, mean_interval

CELLS = [Dose(4, 30), Dose(4, 120), Dose(16, 30)]
seeds_of_numbers = st.integers(0, 2**32)


def crossed(rng, seeds, images, deviations):
    """Numbers with a random part for each seed, one for each image, and one for each of both."""
    of_seeds, of_images, of_both = deviations
    parts = rng.normal(size=(seeds, 1)), rng.normal(size=images), rng.normal(size=(seeds, images))
    return of_seeds * parts[0] + of_images * parts[1] + of_both * parts[2]


def table_of(rng, shares, cells=CELLS, seeds=3, images=40):
    """Runs of methods that are right on these shares of the images."""
    rows = [
        {"method": method, **cell._asdict(), "seed": seed, "right": rng.random(images) < share}
        for method, share in shares.items()
        for cell in cells
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def test_decisions_are_of_the_method_that_counts_in_each_cell(rng):
    table = table_of(rng, {"a": 0.5, "b": 0.5})
    # Plain tuples name the same cells.
    found = pooled.decisions(table, {(4, 30): "b", (4, 120): "a", (16, 30): "a"}, CELLS[::-1])
    assert found.shape == (3, 3, 40)
    rows = table.set_index(["method", "angles", "photons", "seed"])["right"]
    np.testing.assert_array_equal(found[1, 0], rows["a", 16, 30, 1])
    np.testing.assert_array_equal(found[2, 2], rows["b", 4, 30, 2])
    with pytest.raises(ValueError, match=r"no method for Dose\(angles=4, photons=120\)"):
        pooled.decisions(table, {(4, 30): "b"}, CELLS[:2])
    with pytest.raises(ValueError, match="no run of c, angles 4, photons 30"):
        pooled.decisions(table, dict.fromkeys(CELLS, "c"), CELLS)


def test_a_contrast_is_the_mean_over_everything_and_changes_its_sign(rng):
    one, other = (rng.random((4, 3, 50)) < share for share in (0.7, 0.4))
    found, back = pooled.contrast(one, other), pooled.contrast(other, one)
    assert found.mean == pytest.approx(100 * (one.mean() - other.mean()))
    np.testing.assert_allclose([found.low, found.high], [-back.high, -back.low])
    assert pooled.contrast(one, one) == Interval(0, 0, 0)
    with pytest.raises(ValueError, match="two arrays of three axes"):
        pooled.contrast(one, other[:, :2])


@given(seed=seeds_of_numbers, n=st.integers(3, 12))
def test_without_chance_in_the_images_it_is_the_interval_of_the_seeds(seed, n):
    samples = np.random.default_rng(seed).normal(1, 2, n)
    expected = mean_interval(samples)
    np.testing.assert_allclose(crossed_interval(np.tile(samples[:, np.newaxis], 30)), expected)
    # Infinitely many images: their own chance no longer matters.
    many = samples[:, np.newaxis] + np.where(np.arange(100_000) % 2, 0.3, -0.3)
    np.testing.assert_allclose(crossed_interval(many), expected, rtol=1e-3, atol=3e-3)


@given(seed=seeds_of_numbers, n=st.integers(2, 12), m=st.integers(2, 12))
def test_seeds_and_images_play_the_same_part(seed, n, m):
    differences = np.random.default_rng(seed).normal(size=(n, m))
    np.testing.assert_allclose(crossed_interval(differences), crossed_interval(differences.T))


@pytest.mark.parametrize("deviations", [(1, 3, 0), (1, 1, 1), (0.5, 2, 3)])
def test_the_crossed_interval_covers_the_mean_as_often_as_it_says(rng, deviations):
    intervals = [crossed_interval(crossed(rng, 5, 60, deviations)) for _ in range(2_000)]
    assert 0.93 < np.mean([low <= 0 <= high for _, low, high in intervals]) < 0.97


def test_too_few_seeds_or_images_get_one_clear_sentence():
    for shape in ((1, 9), (9, 1)):
        with pytest.raises(ValueError, match="At least two seeds and two images"):
            crossed_interval(np.zeros(shape))
    with pytest.raises(ValueError, match="two arrays of one shape"):
        ratio_of_means(np.zeros((3, 4)), np.zeros((3, 5)))


def test_fieller_is_a_large_bootstrap_where_there_are_many_seeds(rng):
    # A part for each seed and image would count twice, so there is none.
    shared = crossed(rng, 200, 300, (0.5, 2, 0))
    numerators, denominators = (2 + shared + crossed(rng, 200, 300, (0.5, 1, 0)) for _ in range(2))
    samples = np.stack([numerators, denominators])
    expected = pooled.crossed_bootstrap(samples, lambda means: means[0] / means[1], resamples=5_000)
    found = ratio_of_means(numerators, denominators)
    assert found.mean == pytest.approx(expected.mean)
    half = (found.high - found.low) / 2
    np.testing.assert_allclose(found[1:], expected[1:], atol=0.1 * half)


@given(seed=seeds_of_numbers, factor=st.floats(0.1, 10))
def test_fieller_knows_no_units_and_no_direction(seed, factor):
    rng = np.random.default_rng(seed)
    numerators, denominators = (rng.normal(mean, 0.1, (5, 20)) for mean in (1, 2))
    found = ratio_of_means(numerators, denominators)
    assert found.low < numerators.mean() / denominators.mean() < found.high
    np.testing.assert_allclose(ratio_of_means(factor * numerators, denominators), factor * np.array(found))
    upside_down = ratio_of_means(denominators, numerators)
    np.testing.assert_allclose([upside_down.high, upside_down.low], 1 / np.array(found[1:]))


@given(seed=seeds_of_numbers)
def test_fieller_limits_are_the_ratios_whose_residual_is_just_significant(seed):
    rng = np.random.default_rng(seed)
    numerators, denominators = (rng.normal(mean, 0.3, (4, 30)) for mean in (1, 2))
    for ratio in ratio_of_means(numerators, denominators)[1:]:
        residual = numerators - ratio * denominators
        variance = residual.mean(axis=1).var(ddof=1) / 4 + residual.mean(axis=0).var(ddof=1) / 30
        score = abs(residual.mean()) / np.sqrt(variance)
        assert 2 * stats.t.sf(score, 3) == pytest.approx(0.05)


def test_a_denominator_that_may_be_zero_leaves_no_ratio(rng):
    denominators = crossed(rng, 5, 50, (1, 1, 0))
    found = ratio_of_means(denominators + 1, denominators - denominators.mean() + 0.1)
    assert found[1:] == (-np.inf, np.inf)
    # As when no ratio exists at all.
    assert np.isnan(ratio_of_means(np.ones((3, 4)), np.zeros((3, 4))).mean)


def test_the_crossed_bootstrap_of_a_mean_is_as_wide_as_its_two_parts(rng):
    samples = crossed(rng, 60, 400, (1, 5, 0))[np.newaxis]
    found = pooled.crossed_bootstrap(samples, lambda means: means[0])
    variance = samples[0].mean(axis=1).var() / 60 + samples[0].mean(axis=0).var() / 400
    assert found.mean == pytest.approx(samples.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.06)
    assert found == pooled.crossed_bootstrap(samples, lambda means: means[0])


def test_cell_contrasts_pool_the_deviation_of_the_seeds(rng):
    one, other = (rng.random((5, 3, 200)) < share for share in (0.8, 0.7))
    table = pooled.cell_contrasts(one, other, CELLS, least=8)
    by_seed = 100 * (one.mean(axis=2) - other.mean(axis=2))
    variance = np.mean([np.var(by_seed[:, cell], ddof=1) for cell in range(3)])
    np.testing.assert_allclose(table["mean"], by_seed.mean(axis=0))
    half = stats.t.ppf(0.975, 12) * np.sqrt(variance / 5)
    np.testing.assert_allclose(table["high"] - table["low"], 2 * half)
    p = stats.t.sf(by_seed.mean(axis=0) / np.sqrt(variance / 5), 12)
    np.testing.assert_allclose(table["p"], p)
    np.testing.assert_allclose(table["holm"], pooled.holm(p))
    assert table["met"].tolist() == [
        m >= 8 and h < 0.05 for m, h in zip(table["mean"], table["holm"], strict=True)
    ]
    assert table[["angles", "photons"]].to_records(index=False).tolist() == CELLS


def test_one_cell_is_the_usual_one_sided_test(rng):
    one, other = (rng.random((6, 1, 100)) < share for share in (0.8, 0.7))
    (row,) = pooled.cell_contrasts(one, other, CELLS[:1]).to_dict("records")
    by_seed = 100 * (one.mean(axis=(1, 2)) - other.mean(axis=(1, 2)))
    assert row["holm"] == pytest.approx(stats.ttest_1samp(by_seed, 0, alternative="greater").pvalue)
    np.testing.assert_allclose([row[k] for k in ("mean", "low", "high")], mean_interval(by_seed))


def test_cells_without_an_interval_get_one_clear_sentence(rng):
    right = rng.random((3, 2, 10)) < 0.5
    with pytest.raises(ValueError, match="the same for all seeds"):
        pooled.cell_contrasts(right, right, CELLS[:2])
    with pytest.raises(ValueError, match="3 cells need decisions of at least two seeds"):
        pooled.cell_contrasts(right, right, CELLS)


def test_holm_by_hand():
    np.testing.assert_allclose(pooled.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(pooled.holm([0.5, 0.6]), [1, 1])


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_the_p_values_and_bonferroni_and_keeps_their_order(p):
    found = pooled.holm(p)
    assert (np.array(p) <= found).all()
    assert (found <= np.minimum(1, len(p) * np.array(p)) + 1e-12).all()
    assert (np.diff(found[np.argsort(p)]) >= 0).all()


@pytest.mark.parametrize(
    ("limits", "inside"), [((-0.4, 0.4), True), ((-0.6, 0.1), False), ((0.1, 0.5), False)]
)
def test_equivalence_needs_the_whole_interval_inside_the_margin(limits, inside):
    assert pooled.equivalent(Interval(0, *limits), 0.5) is inside


def test_networks_that_lose_to_a_subset_of_their_inputs_are_flagged(rng):
    table = table_of(rng, {"more": 0.6, "less": 0.9}, images=400)
    sides = [{"method": method, "angles": 4, "photons": 30} for method in ("more", "less")]
    found = pooled.loses_to_subset(table, [sides, sides[::-1]])
    assert found["loses"].tolist() == [True, False]
    assert found.loc[0, "superset"] == "more, angles 4, photons 30"
    right = [pooled.decisions(table, {CELLS[0]: method}, CELLS[:1]) for method in ("more", "less")]
    assert found.loc[0, ["mean", "low", "high"]].tolist() == list(pooled.contrast(*right))
