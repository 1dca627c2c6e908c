import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from cnn_vs_dense import class_figures
from cnn_vs_dense.analysis import FAULTS
from cnn_vs_dense.class_figures import COLORS
from tests.cnn_vs_dense.test_figures import TITLE, check_texts, limits
from tests.common.test_plotting import picture

KINDS = {
    "labels only": ["discover", "geometry", "operator inside"],
    "labels and clean images": ["discover", "geometry", "operator inside", "joint"],
}


def classes_table(rng):
    return pd.DataFrame([
        {"supervision": supervision, "kind": kind, "angles": angles, "photons": photons, **limits(rng)}
        for supervision, kinds in KINDS.items() for kind in kinds
        for angles in (4, 16) for photons in (480, 30, 120)
    ])  # fmt: skip


def elsewhere_table(rng):
    return pd.DataFrame([
        {"supervision": supervision, "kind": kind, "fault": fault, **limits(rng)}
        for supervision, kinds in KINDS.items() for kind in [*kinds, "reconstruct first"]
        for fault in FAULTS.values()
    ])  # fmt: skip


def efficiency_table(rng):
    rows = [
        {"kind": kind, "photons": photons, "mean": mean, "low": mean - 0.1, "high": mean + 0.1}
        for kind in COLORS
        if kind != "joint"
        for photons, mean in zip((30, 120, 480), rng.uniform(0.2, 0.8, 3), strict=True)
    ]
    table = pd.DataFrame(rows)
    table.loc[table["kind"] == "Hotelling observer", ["low", "high"]] = np.nan
    return table


FIGURES = {
    "classes": lambda rng: class_figures.classes(classes_table(rng), TITLE),
    "elsewhere": lambda rng: class_figures.elsewhere(elsewhere_table(rng), TITLE),
    "efficiency": lambda rng: class_figures.efficiency(efficiency_table(rng), TITLE),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_something_below_its_finding(name, rng):
    figure = FIGURES[name](rng)
    assert picture(figure).std() > 10
    assert figure._suptitle.get_text() == TITLE
    check_texts(figure)


def test_each_class_has_a_colour_of_its_own():
    assert len(set(COLORS.values())) == len(COLORS) == 6


def test_classes_has_a_line_for_each_class_and_number_of_angles(rng):
    table = classes_table(rng)
    figure = class_figures.classes(table, TITLE)
    for axis, (supervision, kinds) in zip(figure.axes, KINDS.items(), strict=True):
        rows = table[table["supervision"] == supervision].set_index(["kind", "angles", "photons"])["mean"]
        # The last line is that of reconstruct first.
        found = {(to_hex(line.get_color()), line.get_linestyle()): line for line in axis.lines[:-1]}
        assert len(found) == 2 * len(kinds)
        for kind in kinds:
            for angles, style in ((4, "--"), (16, "-")):
                line = found[COLORS[kind].lower(), style]
                np.testing.assert_allclose(line.get_xdata(), [30, 120, 480], rtol=0.1)
                expected = [rows[kind, angles, photons] for photons in (30, 120, 480)]
                np.testing.assert_array_equal(line.get_ydata(), expected)
        assert {text.get_text() for text in axis.texts} == set(kinds)
    first, second = figure.axes
    assert first.get_ylim() == second.get_ylim()
    assert {text.get_text() for text in first.get_legend().get_texts()} == {"4 angles", "16 angles"}


def test_elsewhere_puts_every_class_beside_its_fault(rng):
    table = elsewhere_table(rng)
    for axis, (_, rows) in zip(
        class_figures.elsewhere(table, TITLE).axes, table.groupby("supervision", sort=False), strict=True
    ):
        for line, (kind, found) in zip(axis.lines, rows.groupby("kind", sort=False), strict=False):
            assert line.get_color() == COLORS[kind]
            np.testing.assert_array_equal(line.get_xdata(), found["mean"])
            np.testing.assert_array_equal(np.rint(line.get_ydata()), range(3))


def test_efficiency_lies_below_the_ideal_observer(rng):
    axis = class_figures.efficiency(efficiency_table(rng), TITLE).axes[0]
    assert axis.get_ylim() == (0, 1.1)
    assert {text.get_text() for text in axis.texts} == {"ideal observer", *COLORS} - {"joint"}
    styles = {to_hex(line.get_color()): line.get_linestyle() for line in axis.lines[:-1]}
    assert [color for color, style in styles.items() if style == ":"] == [COLORS["Hotelling observer"]]
