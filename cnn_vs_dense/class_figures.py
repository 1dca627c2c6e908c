"""The figures that compare the classes of method; every title is the finding, which the notebook knows."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cnn_vs_dense.figures import draw_intervals, entitled, share_heights
from common.plotting import Figure, closed_subplots, in_our_style
from common.statistics import grouped

COLORS = {
    "discover": "#0072B2",
    "geometry": "#009E73",
    "operator inside": "#D55E00",
    "joint": "#CC79A7",
    "reconstruct first": "#000000",
    "Hotelling observer": "#666666",
}
STYLES = {16: "-", 4: "--"}  # of the lines of so many angles
APART = (
    1.035  # factor between the places of two classes at one dose, so that their intervals can be told apart
)


@in_our_style
def classes(table: pd.DataFrame, title: str) -> Figure:
    """Draw how far each class is ahead of reconstruct first against the dose, a panel a supervision.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns supervision; kind, a key of `COLORS`; angles, a key of `STYLES`; photons; mean, low and high
        of the points relative to reconstruct first, with the interval of `pooled.contrast`.
    title : str
        The finding.
    """
    panels = list(grouped(table, "supervision"))
    figure, axes = closed_subplots(1, len(panels), 4.6 * len(panels), 4.2)
    share_heights(axes[0])
    for axis, (supervision, rows) in zip(axes[0], panels, strict=True):
        for (kind, angles), line in grouped(rows, ["kind", "angles"]):
            _against_dose(axis, line, kind, rows["kind"], STYLES[angles])
        axis.axhline(0, color=COLORS["reconstruct first"], linewidth=1, zorder=1)
        axis.set_title(supervision, fontsize=10)
    for axis, (_, rows) in zip(axes[0], panels, strict=True):
        _dose_axis(axis, table["photons"])
        _name_lines(axis, rows[rows["angles"] == max(STYLES)])
    axes[0, 0].set_ylabel("ahead of reconstruct first / points")
    lines = [Line2D([], [], color="0.3", linestyle=style, label=f"{n} angles") for n, style in STYLES.items()]
    axes[0, 0].legend(handles=lines, frameon=False, fontsize=9)
    return entitled(figure, title)


@in_our_style
def elsewhere(table: pd.DataFrame, title: str) -> Figure:
    """Draw how many points each class loses on a scanner that is off, a panel a supervision.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns supervision, kind, fault, mean, low and high, as `analysis.lost_elsewhere` returns them.
    title : str
        The finding.
    """
    panels, faults = list(grouped(table, "supervision")), list(table["fault"].unique())
    figure, axes = closed_subplots(1, len(panels), 4.6 * len(panels), 1.05 * len(faults) + 1.4)
    for axis in axes[0, 1:]:
        axis.sharex(axes[0, 0])
    for axis, (supervision, rows) in zip(axes[0], panels, strict=True):
        kinds = rows["kind"].unique()
        offsets = dict(zip(kinds, np.linspace(-0.3, 0.3, len(kinds)), strict=True))
        for kind, found in grouped(rows, "kind"):
            places = [faults.index(fault) + offsets[kind] for fault in found["fault"]]
            draw_intervals(axis, places, found, COLORS[kind])
        axis.axvline(0, color="black", linewidth=0.8, zorder=1)
        axis.set_yticks(range(len(faults)), faults if axis is axes[0, 0] else [""] * len(faults))
        axis.set(xlabel="points lost", ylim=(len(faults) - 0.5, -0.5))
        axis.set_title(supervision, fontsize=10)
        axis.grid(axis="y", visible=False)
    drawn = [kind for kind in COLORS if kind in set(table["kind"])]
    handles = [Line2D([], [], color=COLORS[kind], marker="o", label=kind) for kind in drawn]
    figure.legend(handles=handles, loc="outside right center", frameon=False, labelcolor="linecolor")
    return entitled(figure, title)


@in_our_style
def efficiency(table: pd.DataFrame, title: str) -> Figure:
    """Draw the efficiency of each class relative to the ideal observer against the dose.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns kind, a key of `COLORS`; photons; mean, low and high of the efficiency, in [0, 1]; without
        limits (NaN) only the line is drawn.
    title : str
        The finding.
    """
    figure, axes = closed_subplots(1, 1, 6.4, 4.2)
    axis = axes[0, 0]
    for kind, line in grouped(table, "kind"):
        _against_dose(axis, line, kind, table["kind"], ":" if kind == "Hotelling observer" else "-")
    axis.axhline(1, color="black", linewidth=1, zorder=1)
    axis.annotate("ideal observer", (0.01, 1), (0, 3), xycoords=axis.get_yaxis_transform(),
                  textcoords="offset points", fontsize=9)  # fmt: skip
    axis.set(ylabel="efficiency", ylim=(0, 1.1))
    _name_lines(axis, table)
    _dose_axis(axis, table["photons"])
    return entitled(figure, title)


def _against_dose(axis: Axes, line: pd.DataFrame, kind: str, kinds: pd.Series, style: str) -> None:
    """Draw one line with the intervals of its points, shifted by its place among the kinds."""
    number, count = list(kinds.unique()).index(kind), kinds.nunique()
    line = line.sort_values("photons")
    places = line["photons"] * APART ** (number - (count - 1) / 2)
    axis.vlines(places, line["low"], line["high"], color=COLORS[kind], linewidth=2, alpha=0.6)
    axis.plot(places, line["mean"], marker="o", markersize=5, color=COLORS[kind], linestyle=style)


def _name_lines(axis: Axes, table: pd.DataFrame) -> None:
    """Write each kind beside its mean at the highest dose, one above the other."""
    ends = table[table["photons"] == table["photons"].max()].sort_values("mean")
    low, high = axis.get_ylim()
    previous = -np.inf
    for end in ends.itertuples():
        previous = max(end.mean, previous + 0.06 * (high - low))
        axis.annotate(end.kind, (end.photons * 1.12, previous), (2, 0), textcoords="offset points",
                      va="center", color=COLORS[end.kind], fontsize=9, annotation_clip=False)  # fmt: skip


def _dose_axis(axis: Axes, photons: pd.Series) -> None:
    doses = np.sort(photons.unique())
    axis.set(xscale="log", xlabel="photons per ray", xlim=(doses[0] / 1.25, doses[-1] * 1.25))
    axis.set_xticks(doses, [f"{dose:g}" for dose in doses])
    axis.minorticks_off()
