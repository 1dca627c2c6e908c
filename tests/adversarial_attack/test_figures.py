import numpy as np
import pandas as pd
import pytest

from adversarial_attack import analysis, figures
from adversarial_attack.analysis import relative_errors
from adversarial_attack.filter_set import FILTER_SET, KINDS
from adversarial_attack.judges import ATTACKED, NETWORKS
from tests.adversarial_attack import made_up
from tests.common.test_plotting import picture

FEW = range(6)  # photographs


def fooled(rng, method="low-pass attack", by="filter", **settings):
    table = made_up.fooling_table([method], FEW, rng, **settings)
    return analysis.fooled(analysis.cells(table), by)


def shares(rng):
    without = fooled(rng).loc[list(KINDS["blur"])]
    conditions = {"low-pass attack": fooled(rng), "attack without the kind": without}
    return figures.shares(conditions, fooled(rng, "noise"), "It survives")


def networks(rng):
    tables = [made_up.fooling_table(["a"], FEW, rng, attacked=name) for name in ("depthwise", "squeezenet")]
    by = ["attacked", "network"]
    return figures.networks(analysis.fooled(analysis.cells(pd.concat(tables)), by))


def seen(rng):
    references = made_up.reference_table(FEW, rng)
    jpeg = references[references["change"] == "JPEG 90"]
    changes = {"low-pass attack": made_up.fooling_table(["low-pass attack"], FEW, rng)}
    changes["noise 2"] = references[references["change"] == "noise 2"]
    return {name: relative_errors(table, jpeg) for name, table in changes.items()}


def sizes(rng):
    predictions = made_up.predictions_table(FEW, rng)
    found = made_up.smallest_size_table(predictions, rng)
    table = found.merge(predictions[["photograph", "demand", "predicted"]], on=["photograph", "demand"])
    return table[table["recognised"]]


def small(rng, names=("mlp", "lenet", "resnet", "mixer")):
    table = pd.DataFrame(
        [
            {"dataset": "mnist", "source": name, "source_seed": seed,
             **{column: rng.uniform(0.1, 0.5, len(analysis.JUDGES)) for column in ("right", "fooled", "hit")}}
            for name in names for seed in (0, 1)
        ]
    )  # fmt: skip
    rows = analysis.by_judge(table.assign(fooled=table["right"] * table["fooled"]))
    return rows.assign(net=rows["fooled"])


FIGURES = {
    "shares": shares,
    "networks": networks,
    "visibility": lambda rng: figures.visibility(seen(rng)),
    "calibration": lambda rng: figures.calibration(sizes(rng).query("met")),
    "costs": lambda rng: figures.costs(sizes(rng)),
    "families": lambda rng: figures.families(small(rng)),
}


def tick_labels(axis):
    """Return the labels of ticks within the axis; Matplotlib also keeps some that it does not draw."""
    sides = (axis.xaxis, axis.get_xlim()), (axis.yaxis, axis.get_ylim())
    return [
        tick.label1 for side, limits in sides for tick in side.get_major_ticks()
        if min(limits) <= tick.get_loc() <= max(limits)
    ]  # fmt: skip


def texts(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_something(name, rng):
    assert picture(FIGURES[name](rng)).std() > 10


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_overlaps_another_text_or_leaves_the_picture(name, rng):
    """With the longest names that occur."""
    figure = FIGURES[name](rng)
    figure.canvas.draw()
    page = figure.get_tightbbox().padded(0.05)
    boxes = []
    for axis in figure.axes:
        written = [*axis.texts, axis.title, axis.xaxis.label, axis.yaxis.label]
        shown = [text for text in [*written, *tick_labels(axis)] if text.get_text()]
        boxes += [(text.get_text(), text.get_window_extent()) for text in shown]
    for i, (words, box) in enumerate(boxes):
        assert page.x0 * figure.dpi <= box.x0, words
        assert box.x1 <= page.x1 * figure.dpi, words
        for others, other in boxes[:i]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            up = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert across < 2 or up < 2, (words, others)


def test_shares_draws_each_filter_where_its_name_stands(rng):
    table = fooled(rng)
    axis = figures.shares({"low-pass attack": table}).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == list(FILTER_SET)
    np.testing.assert_array_equal(axis.lines[0].get_xdata(), table["mean"])
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), axis.get_yticks())
    ends = np.array([path.vertices[:, 0] for path in axis.collections[0].get_paths()])
    np.testing.assert_allclose(ends, table[["low", "high"]])
    assert {*texts(axis.figure)} == {"no filter", *KINDS, "never included"}


def test_networks_frames_those_that_were_attacked(rng):
    axis = networks(rng).axes[0]
    frames = {(round(p.get_x() + 0.47), round(p.get_y() + 0.46)) for p in axis.patches}
    assert frames == {
        (x, y) for y, key in enumerate(("depthwise", "squeezenet"))
        for x, name in enumerate(NETWORKS) if name in ATTACKED[key]
    }  # fmt: skip


def test_visibility_draws_medians_quartiles_and_extremes(rng):
    ratios = seen(rng)
    axis = figures.visibility(ratios).axes[0]
    for name, table in ratios.items():
        (line,) = (line for line in axis.lines if line.get_label() == name)
        np.testing.assert_allclose(line.get_xdata(), table.median())
    ends = [path.vertices[:, 0] for bars in axis.collections[:2] for path in bars.get_paths()]
    first = ratios["low-pass attack"]
    oracle = [first.min(), first.max()], [first.quantile(0.25), first.quantile(0.75)]
    np.testing.assert_allclose(ends, np.concatenate([np.transpose(pair) for pair in oracle]))


def test_calibration_draws_every_pair_the_line_of_equals_and_a_band(rng):
    table = sizes(rng).query("met")
    axis = figures.calibration(table).axes[0]
    *groups, equals = axis.lines
    drawn = np.concatenate([line.get_xydata() for line in groups])
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, table[["predicted", "measured"]].to_numpy()))
    np.testing.assert_array_equal(equals.get_xdata(), equals.get_ydata())
    corners = axis.collections[0].get_paths()[0].vertices
    ratios = corners[:, 1] / corners[:, 0]
    np.testing.assert_allclose([ratios.min(), ratios.max()], [1 / 1.5, 1.5])


def test_a_demand_not_met_costs_more_than_all_that_were(rng):
    measured = np.array([1.0, 2.0, 0.0, 0.0, 0.0])
    table = pd.DataFrame({"demand": "a", "measured": measured, "met": measured > 0})
    axis = figures.costs(table).axes[0]
    np.testing.assert_allclose(axis.lines[1].get_xdata(), [2.2])
    assert texts(axis.figure) == ["2.2   not met on 3 of 5"]


def test_families_separates_the_network_itself_from_its_other_seed(rng):
    rows = small(rng)
    values = np.asarray(figures.families(rows).axes[0].images[0].get_array())
    of_mlp = rows[rows["source"] == "mlp"]
    itself = of_mlp[of_mlp["relation"] == "attacked itself"]["net"].mean()
    twin = of_mlp[of_mlp["relation"] == "another seed of it"]["net"].mean()
    lenet = of_mlp[of_mlp["target"] == "lenet"]["net"].mean()
    np.testing.assert_allclose(values[0, :3], [itself, twin, lenet])
