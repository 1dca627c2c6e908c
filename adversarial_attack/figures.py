"""The figures of this study; each takes tables of `analysis` or of sweeps.

Every title is the finding, which only the notebook knows, so it is passed in.
"""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator

from adversarial_attack.analysis import of_architectures, relation
from adversarial_attack.filter_set import FILTER_SET, KINDS
from adversarial_attack.judges import ATTACKED, NETWORKS
from common.plotting import closed_subplots, in_our_style
from common.statistics import bootstrap_interval, grouped

BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666"
LIMIT = "#444444"  # of targets and references
SMALL = {"mlp": "MLP", "lenet": "LeNet-5", "resnet": "ResNet", "mixer": "Mixer"}
DATASETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
GROUPS = {
    "one network": ("Lite0", "SqueezeNet", "MobileNetV1", "MobileNetV2"),
    "one network, blurred": ("Lite0, blurred", "SqueezeNet, blurred"),
    "three networks": ("three networks",),
    "three networks, blurred": ("three networks, blurred",),
    "three networks, all kinds of filter": ("three networks, all kinds",),
}


@in_our_style
def shares(conditions, control=None, title=""):
    """Draw the share of cells fooled behind each filter with its interval, filters grouped by kind.

    Parameters
    ----------
    conditions : dict from str to table of `analysis.fooled` by filter
        At most four; a filter that a table lacks is left open there.
    control : table of `analysis.fooled` by filter, optional
        Low-pass noise, drawn in grey.
    title : str
    """
    drawn = dict(conditions) | ({} if control is None else {"low-pass noise": control})
    colors = dict(zip(conditions, (BLUE, ORANGE, GREEN, PINK), strict=False)) | {"low-pass noise": GREY}
    rows, edges = _places()
    figure, axes = closed_subplots(1, 1, 7.6, 0.42 * len(rows) + 1.4)
    axis = axes[0, 0]
    offsets = np.linspace(-0.24, 0.24, len(drawn)) if len(drawn) > 1 else [0.0]
    for (name, table), offset in zip(drawn.items(), offsets, strict=True):
        places = np.array([rows[filter] + offset for filter in table.index])
        _dots(axis, places, table, colors[name], name)
    for edge, kind in edges.items():
        axis.axhline(edge, color="0.75", linewidth=0.8)
        axis.text(1.01, edge + 0.12, kind, transform=axis.get_yaxis_transform(), va="top", fontsize=9,
                  color=LIMIT, style="italic")  # fmt: skip
    axis.set_yticks(list(rows.values()), list(rows))
    axis.set(xlabel="recognised cells fooled / %", xlim=(-2, 102), ylim=(max(rows.values()) + 0.55, -0.6))
    axis.grid(axis="y", visible=False)
    _words_above(axis)
    return _entitled(figure, title)


@in_our_style
def networks(table, title="", label="recognised cells fooled / %"):
    """Draw who was attacked against who judges: the share of cells fooled, in colours and numbers.

    Below each share stands whether the judge was attacked, is related to a network that was, or was never
    attacked, and the number of photographs. Attacked judges are framed.

    Parameters
    ----------
    table : table of `analysis.fooled` or `analysis.net` by attacked and network
    title, label : str
    """
    rows = list(table.index.get_level_values(0).unique())
    figure, axes = closed_subplots(1, 1, 8.8, 0.95 * len(rows) + 1.3)
    axis, columns = axes[0, 0], list(NETWORKS)
    values = table["mean"].unstack().reindex(index=rows, columns=columns).to_numpy(float)
    drawn = axis.imshow(values, aspect="auto", cmap="Blues", vmin=0, vmax=100)
    for (attacked, network), cell in table.iterrows():
        x, y = columns.index(network), rows.index(attacked)
        kind = relation(attacked, network)
        color = "white" if cell["mean"] > 60 else "black"
        axis.text(x, y - 0.24, f"{cell['mean']:.0f} %", ha="center", va="center", fontsize=12, color=color)
        note = f"[{cell['low']:.0f}, {cell['high']:.0f}]\n{kind}\nn = {cell['n']:.0f}"
        axis.text(x, y + 0.17, note, ha="center", va="center", fontsize=8.5, color=color, linespacing=1.15)
        if kind == "attacked":
            frame = Rectangle((x - 0.47, y - 0.46), 0.94, 0.92, fill=False, edgecolor=ORANGE, linewidth=2)
            axis.add_patch(frame)
    names = [fill(", ".join(_short(name) for name in ATTACKED[row]), 18) for row in rows]
    axis.set_xticks(range(len(columns)), [fill(name.replace("-", "-\u200b"), 13) for name in columns])
    axis.set_yticks(range(len(rows)), names)
    axis.set(ylabel="attacked", xlabel="judge")
    axis.grid(visible=False)
    figure.colorbar(drawn, label=label)
    return _entitled(figure, title)


@in_our_style
def visibility(ratios, title=""):
    """Draw the errors of changes relative to JPEG 90: medians, quartiles and extremes of photographs.

    Parameters
    ----------
    ratios : dict from str to table of `analysis.relative_errors`
        At most three changes.
    title : str
    """
    measures = list(next(iter(ratios.values())))
    figure, axes = closed_subplots(1, 1, 7.6, 0.42 * len(measures) + 1.4)
    axis = axes[0, 0]
    offsets = np.linspace(-0.24, 0.24, len(ratios)) if len(ratios) > 1 else [0.0]
    for (name, table), color, offset in zip(ratios.items(), (ORANGE, BLUE, GREY), offsets, strict=False):
        rows = np.arange(len(measures)) + offset
        least, low, middle, high, most = np.percentile(table[measures], [0, 25, 50, 75, 100], axis=0)
        axis.hlines(rows, least, most, color=color, linewidth=1)
        axis.hlines(rows, low, high, color=color, linewidth=5, alpha=0.35)
        axis.plot(middle, rows, "o", color=color, markersize=6, label=name)
    axis.axvline(1, color=LIMIT, linewidth=1, linestyle=":", zorder=0)
    axis.set_yticks(range(len(measures)), measures)
    axis.set(xlabel="error relative to the photograph's own JPEG 90", ylim=(len(measures) - 0.5, -0.5))
    axis.grid(axis="y", visible=False)
    _words_above(axis)
    return _entitled(figure, title)


@in_our_style
def calibration(table, groups=None, title="", band=1.5):
    """Draw measured against predicted sizes with the line where both are equal, a colour a group of demands.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns demand, predicted and measured, both positive.
    groups : dict from str to demands, optional
        At most six; by default `GROUPS`.
    title : str
    band : float
        The factor either way that is shaded.
    """
    groups = groups or GROUPS
    figure, axes = closed_subplots(1, 1, 7.6, 4.6)
    axis, labels = axes[0, 0], {}
    for (name, demands), color in zip(groups.items(), _colors(), strict=False):
        rows = table[table["demand"].isin(demands)]
        if rows.empty:
            continue
        axis.plot(rows["predicted"], rows["measured"], "o", color=color, markersize=4.5, alpha=0.65,
                  markeredgewidth=0)  # fmt: skip
        labels[f"{name} (n\xa0=\xa0{len(rows)})"] = (rows["measured"].median(), color)
    sizes = table[["predicted", "measured"]].to_numpy(float)
    ends = np.array([sizes.min() / 1.2, sizes.max() * 1.2])
    axis.fill_between(ends, ends / band, ends * band, color="0.9", linewidth=0, zorder=0)
    axis.plot(ends, ends, color=LIMIT, linewidth=1.2, zorder=0)
    axis.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    axis.set(xlabel="predicted size (perceptual coordinates)", ylabel="measured size")
    _beside(axis, labels)
    note = f"shaded: within a factor of {band:g}"
    axis.text(0.98, 0.03, note, transform=axis.transAxes, ha="right", fontsize=8.5, color=LIMIT)
    _plain_numbers(axis, "xy")
    return _entitled(figure, title)


@in_our_style
def costs(table, title="", label="smallest size that meets the demand (perceptual coordinates)"):
    """Draw the median measured size of each demand with its interval, and the median prediction.

    The easiest demand comes first. A demand that was not met counts as larger than all that were.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a photograph and demand: columns demand, measured, met and, to be drawn, predicted.
    title, label : str
    """
    figure, axes = closed_subplots(1, 1, 7.6, 0.42 * table["demand"].nunique() + 1.3)
    axis, notes = axes[0, 0], []
    most = 1.1 * table.loc[table["met"], "measured"].max()
    table = table.assign(drawn=table["measured"].where(table["met"], most))
    medians = grouped(table, "demand")["drawn"].median().sort_values(kind="stable")
    for row, demand in enumerate(medians.index):
        rows = table[table["demand"] == demand]
        middle, *limits = bootstrap_interval(rows["drawn"], np.median)
        axis.plot(limits, [row, row], color=BLUE, linewidth=5, alpha=0.35, solid_capstyle="butt")
        axis.plot([middle], [row], "o", color=BLUE, markersize=7, label="" if row else "measured")
        if "predicted" in rows:
            axis.plot([rows["predicted"].median()], [row], "D", markerfacecolor="none", color=ORANGE,
                      markersize=7, linewidth=1.5, label="" if row else "predicted")  # fmt: skip
        unmet = "" if rows["met"].all() else f"   not met on {(~rows['met']).sum()} of {len(rows)}"
        notes.append(f"{middle:.2g}{unmet}")
        axis.text(1.01, row, notes[-1], transform=axis.get_yaxis_transform(), va="center", fontsize=9)
    axis.set_yticks(range(len(notes)), list(medians.index))
    axis.set(xlabel=label, xscale="log", ylim=(len(notes) - 0.5, -0.5))
    axis.grid(axis="y", visible=False)
    _plain_numbers(axis, "x")
    _words_above(axis)
    return _entitled(figure, title)


@in_our_style
def families(rows, title="", what="net"):
    """Draw which small network was attacked against which judges, a panel a data set, net of white noise.

    Parameters
    ----------
    rows : table of `analysis.net_of_noise`
        Of attacks on one network each.
    title, what : str
        The column that is drawn.
    """
    names = list(dict.fromkeys(rows["target"]))
    datasets = list(dict.fromkeys(rows["dataset"]))
    figure, axes = closed_subplots(1, len(datasets), 4.4 * len(datasets) + 0.7, 0.62 * len(names) + 1.5)
    for axis, dataset in zip(axes[0], datasets, strict=True):
        of = rows[(rows["dataset"] == dataset) & rows["source"].isin(names)]
        itself = of["relation"] == "attacked itself"
        others = grouped(of[~itself], ["source", "target"])[what].mean().unstack()
        values = np.column_stack([
            of_architectures(of[itself], what).droplevel([0, 1]).reindex(names),
            others.reindex(index=names, columns=names),
        ])  # fmt: skip
        drawn = axis.imshow(values, aspect="auto", cmap="Blues", vmin=0, vmax=100)
        for (y, x), value in np.ndenumerate(values):
            color = "white" if value > 60 else "black"
            axis.text(x, y, f"{value:.0f}", ha="center", va="center", color=color)
            if x == y + 1:
                axis.add_patch(Rectangle((x - 0.47, y - 0.45), 0.94, 0.9, fill=False, edgecolor=ORANGE,
                                         linewidth=2))  # fmt: skip
        axis.axvline(0.5, color="white", linewidth=4)
        called = [SMALL.get(name, name) for name in names]
        axis.set_xticks(range(len(names) + 1), ["itself", *called])
        axis.set_yticks(range(len(names)), called)
        axis.set(title=DATASETS.get(dataset, dataset), ylabel="attacked")
        axis.set_xlabel("judge (framed: another seed of it)")
        axis.grid(visible=False)
    figure.colorbar(drawn, ax=list(axes[0]), label="fooled, net of noise / points")
    return _entitled(figure, title)


def _places():
    """Return the row of each filter and where each kind starts, with gaps between the kinds."""
    kind_of = {name: kind for kind, names in KINDS.items() for name in names}
    rows, edges, place, before = {}, {}, 0.0, None
    for name in FILTER_SET:
        kind = kind_of.get(name, "no filter" if name == "none" else "never included")
        if kind != before:
            place += 0.2 if rows else 0
            edges[place - 0.6] = kind
        rows[name], place, before = place, place + 1, kind
    return rows, edges


def _dots(axis, places, table, color, label=""):
    """Draw a row for each place: the mean as a dot and the interval as a line."""
    axis.hlines(places, table["low"], table["high"], color=color, linewidth=2, alpha=0.7)
    axis.plot(table["mean"], places, "o", color=color, markersize=6, label=label)


def _words_above(axis):
    """Write the names of what is drawn above the axis, each in its colour."""
    if axis.get_legend_handles_labels()[1]:
        axis.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=4, frameon=False, fontsize=9,
                    labelcolor="linecolor", handletextpad=0.1, columnspacing=1.4, borderpad=0.1)  # fmt: skip


def _beside(axis, labels):
    """Write each name in its colour right of a logarithmic axis, at its place or just above another."""
    low, high = np.log(axis.get_ylim())
    previous = -np.inf
    for name, (place, color) in sorted(labels.items(), key=lambda item: item[1][0]):
        previous = max((np.log(place) - low) / (high - low), previous + 0.09)
        axis.text(1.02, previous, fill(name, 24), transform=axis.transAxes, color=color, va="center",
                  fontsize=9)  # fmt: skip


def _plain_numbers(axis, sides):
    for side in sides:
        scale = getattr(axis, f"{side}axis")
        scale.set_major_locator(LogLocator(subs=(1, 2, 5)))
        scale.set_major_formatter("{x:g}")
        scale.set_minor_formatter("")


def _colors():
    return plt.rcParams["axes.prop_cycle"].by_key()["color"]


def _short(network):
    return network.removeprefix("EfficientNet-")


def _entitled(figure, title):
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure
