"""The figures of this study; each takes the table of a sweep."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cnn_vs_dense.analysis import ALIGNED, SHIFTED
from cnn_vs_dense.representations import REPRESENTATIONS
from common import plotting
from common.plotting import Figure, closed_subplots, in_our_style
from common.statistics import grouped, mean_interval, summarise

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
NAMES = {"lenet5": "LeNet-5", "lenet5_shifted": "LeNet-5, pooling shifted",
         "lenet5_unpooled": "LeNet-5 without pooling",
         "dense": "dense", "dense_small": "small dense", "pointwise": "1 x 1 CNN",
         "large_kernel": "large-kernel CNN", "mixer": "mixer",
         "sinogram_1d": "1-D CNN along the detector", "sinogram_wrapped": "LeNet-5, angles wrapped",
         "separable": "learned transform + LeNet-5", "known_operator": "learned filter + LeNet-5",
         "known_transform": "known transform + LeNet-5", "mnist": "MNIST",
         "fashion_mnist": "Fashion-MNIST"}  # fmt: skip


def accuracies(table, by=("architecture", "representation")):
    """Draw the test accuracy of every run, one row for each combination of the columns `by`.

    The last of these columns decides the colour.
    """
    return _dots(table, by, 100 * table["accuracy"], "test accuracy / %")


def behind_lenet5(table):
    """Draw how far every run is behind LeNet-5 on raw images of its data set, which is given a colour.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns dataset, architecture, representation (raw or scrambled), accuracy; rows are runs.
    """
    raw = table[(table["architecture"] == "lenet5") & (table["representation"] == "raw")]
    best = {dataset: rows.mean() for dataset, rows in grouped(raw, "dataset")["accuracy"]}
    behind = 100 * (table["dataset"].map(best) - table["accuracy"])
    figure = _dots(
        table,
        ("architecture", "representation", "dataset"),
        behind,
        "test accuracy, points behind LeNet-5 on raw images",
    )
    figure.axes[0].set_title("Scrambling puts LeNet-5 behind the dense network", loc="left")
    return figure


@in_our_style
def scrambled_pixels(table: pd.DataFrame, title: str) -> Figure:
    """Draw how far every run is behind the mean of LeNet-5 on raw images of its data set.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each run: columns dataset, which gives the colour, architecture, arrangement and accuracy,
        with LeNet-5 on raw images of every data set.
    title : str
        The finding.
    """
    raw = table[(table["architecture"] == "lenet5") & (table["arrangement"] == "raw")]
    best = grouped(raw["accuracy"], raw["dataset"]).mean()
    behind = 100 * (table["dataset"].map(best) - table["accuracy"])
    by = ("architecture", "arrangement", "dataset")
    return entitled(_dots(table, by, behind, "test accuracy, points behind LeNet-5 on raw images"), title)


@in_our_style
def blocks(losses: pd.DataFrame, title: str) -> Figure:
    """Draw what scrambling inside blocks of 2 x 2 costs each network, with blocks aligned and shifted.

    Parameters
    ----------
    losses : pandas.DataFrame
        As `analysis.loss_from_raw` returns it, of one data set; other arrangements are left out.
    title : str
        The finding.
    """
    networks = list(losses["architecture"].unique())
    figure, axes = closed_subplots(1, 1, 7, 0.7 * len(networks) + 1.5)
    axis = axes[0, 0]
    for arrangement, name, color, offset in (
        (ALIGNED, "blocks aligned", BLUE, -0.14),
        (SHIFTED, "blocks shifted by one pixel", ORANGE, 0.14),
    ):
        rows = losses[losses["arrangement"] == arrangement]
        places = [networks.index(network) + offset for network in rows["architecture"]]
        draw_intervals(axis, places, rows, color, name)
    axis.axvline(0, color="black", linewidth=0.8, zorder=1)
    axis.set_yticks(range(len(networks)), [NAMES[network] for network in networks])
    axis.set(xlabel="raw - scrambled / points", ylim=(len(networks) - 0.5, -0.5))
    axis.grid(axis="y", visible=False)
    words_above(axis)
    return entitled(figure, title)


@in_our_style
def regained(runs: pd.DataFrame, ratios: pd.DataFrame, title: str) -> Figure:
    """Draw the runs of LeNet-5 on raw, unscrambled and scrambled pixels relative to the mean on raw pixels.

    Parameters
    ----------
    runs : pandas.DataFrame
        A row for each run: columns dataset, which gives the colour, arrangement and accuracy.
    ratios : pandas.DataFrame
        As `analysis.regained` returns it; written beside the arrangement "unscrambled".
    title : str
        The finding.
    """
    raw = runs[runs["arrangement"] == "raw"]
    behind = 100 * (runs["accuracy"] - runs["dataset"].map(grouped(raw["accuracy"], raw["dataset"]).mean()))
    figure = _dots(runs, ("arrangement", "dataset"), behind, "test accuracy - mean on raw pixels / points")
    axis = figure.axes[0]
    rows = list(grouped(runs, ["arrangement", "dataset"]).groups)
    for dataset, ratio in ratios.iterrows():
        share, low, high = (f"{100 * value:.0f}" for value in ratio)
        axis.annotate(f"{share} % regained [{low}, {high}]", (1.02, rows.index(("unscrambled", dataset))),
                      xycoords=axis.get_yaxis_transform(), va="center", fontsize=9)  # fmt: skip
    return entitled(figure, title)


@in_our_style
def factorial(losses: pd.DataFrame, predictions: pd.DataFrame, title: str) -> Figure:
    """Draw how far the networks on k-space are behind reconstruct first, a panel a noise.

    Parameters
    ----------
    losses : pandas.DataFrame
        As `factorial.losses` returns it: at most six networks.
    predictions : pandas.DataFrame
        As `factorial.predictions` returns it, of the cell with the fewest columns; hollow diamonds.
    title : str
        The finding.
    """
    noises = sorted(losses["noise"].unique(), reverse=True)
    figure, axes = closed_subplots(1, len(noises), 8.6, 4.2)
    widths = [1 + losses.loc[losses["noise"] == noise, "columns"].nunique() for noise in noises]
    axes[0, 0].get_gridspec().set_width_ratios(widths)
    share_heights(axes[0])
    for axis, noise in zip(axes[0], noises, strict=True):
        _against_factor(axis, losses[losses["noise"] == noise])
        axis.set_title(f"noise {noise:g}" if noise else "no noise", fontsize=10)
    first, colors = axes[0, 0], _colors_of(losses["network"])
    first.set_ylabel("behind zero-filled magnitude / points")
    for row in predictions.itertuples():
        place = _beside(28 / losses["columns"].min(), list(colors).index(row.network), len(colors))
        first.plot(
            place, row.by_profile, "D", color=colors[row.network], markersize=8, markerfacecolor="none"
        )
    handles = [Line2D([], [], color=color, marker="o", label=name) for name, color in colors.items()]
    handles.append(Line2D([], [], color=GREY, marker="D", ls="", mfc="none", label="predicted"))
    figure.legend(handles=handles, loc="outside right center", frameon=False, labelcolor="linecolor")
    return entitled(figure, title)


def _against_factor(axis: Axes, losses: pd.DataFrame) -> None:
    """Draw the losses of one noise against the acceleration, the networks side by side at each factor."""
    colors = _colors_of(losses["network"])
    factors = np.unique(28 / losses["columns"])
    for number, (name, color) in enumerate(colors.items()):
        rows = losses[losses["network"] == name].sort_values("columns", ascending=False)
        places = _beside(28 / rows["columns"], number, len(colors))
        axis.vlines(places, rows["low"], rows["high"], color=color, linewidth=2, alpha=0.6)
        axis.plot(places, rows["mean"], marker="o", markersize=5, color=color)
    axis.axhline(0, color="black", linewidth=0.8, zorder=1)
    axis.set(xscale="log", xlabel="acceleration", xlim=(factors[0] / 1.3, factors[-1] * 1.3))
    axis.set_xticks(factors, [f"{factor:g}" for factor in factors])
    axis.minorticks_off()
    axis.label_outer()


def _beside(factor: float | pd.Series, number: int, count: int) -> float | pd.Series:
    """Return the place of one of several networks at a factor, side by side to tell the intervals apart."""
    return factor * 1.03 ** (number - (count - 1) / 2)


@in_our_style
def prediction(predictions: pd.DataFrame, title: str) -> Figure:
    """Draw the measured loss of each network in the held-out cell beside the two predictions of it.

    Parameters
    ----------
    predictions : pandas.DataFrame
        As `factorial.predictions` returns it.
    title : str
        The finding.
    """
    figure, axes = closed_subplots(1, 1, 7, 0.6 * len(predictions) + 1.4)
    axis, rows = axes[0, 0], np.arange(len(predictions))
    draw_intervals(axis, rows, predictions.rename(columns={"loss": "mean"}), BLUE, "measured")
    for column, mark, color, name in (
        ("by_profile", "D", ORANGE, "predicted"),
        ("as_before", "s", GREY, "unchanged loss"),
    ):
        axis.plot(
            predictions[column], rows, mark, color=color, markerfacecolor="none", markersize=8, label=name
        )
    axis.set_yticks(rows, list(predictions["network"]))
    axis.set(xlabel="behind zero-filled magnitude / points", ylim=(len(rows) - 0.5, -0.5))
    axis.grid(axis="y", visible=False)
    words_above(axis)
    return entitled(figure, title)


def draw_intervals(axis: Axes, places: object, rows: pd.DataFrame, color: str, label: str = "") -> None:
    """Draw a horizontal line from low to high and a dot at the mean of each row at a height of `places`."""
    axis.hlines(places, rows["low"], rows["high"], color=color, linewidth=2.5, alpha=0.6)
    axis.plot(rows["mean"], places, "o", color=color, markersize=6, label=label)


def words_above(axis: Axes) -> None:
    """Write the names of what is drawn above the axis, each in its colour."""
    axis.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=4, frameon=False, fontsize=9,
                labelcolor="linecolor", handletextpad=0.3, columnspacing=1.4, borderpad=0.1)  # fmt: skip


def share_heights(axes: np.ndarray) -> None:
    """Give all axes the vertical scale of the first."""
    for axis in axes[1:]:
        axis.sharey(axes[0])


def _colors_of(names: pd.Series) -> dict[str, str]:
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    return dict(zip(names.unique(), cycle, strict=False))


def entitled(figure: Figure, title: str) -> Figure:
    """Return the figure with its finding written above it."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def histories(table):
    """Draw loss and validation accuracy over the epochs for each network and representation.

    The trainings were validated after every epoch.
    """
    groups = list(grouped(table, ["architecture", "representation"]))
    panels = {
        label: {_name(key): mean_interval(scale * np.stack(group[column])) for key, group in groups}
        for label, column, scale in (
            ("training loss (while training)", "epoch_loss", 1),
            ("validation accuracy / %", "epoch_validation_accuracy", 100),
        )
    }
    return plotting.panels(np.arange(1, len(table["epoch_loss"].iloc[0]) + 1), panels)


def gaps(table):
    """Draw training minus test accuracy of every run, one row a data set, number of examples and network."""
    gap = 100 * (table["train_accuracy"] - table["accuracy"])
    by = ("dataset", "examples", "architecture")
    return _dots(table, by, gap, "training accuracy - test accuracy / points")


def dose_response(table):
    """Draw test accuracy against the share of neighbours kept; a panel a data set and kind of scrambling.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns dataset, architecture, kind (of scrambling), kept, seed and accuracy.
    """
    shares, groups = {}, {}
    # In pairs of one data set; the kinds and the networks keep the order of the table.
    table = table.sort_values("dataset", ascending=False, kind="stable")
    for (dataset, kind, architecture), rows in grouped(table, ["dataset", "kind", "architecture"]):
        panel, name = f"{NAMES[dataset]}, scrambled {kind}", NAMES[architecture]
        accuracies = 100 * rows.pivot(index="seed", columns="kept", values="accuracy")
        shares.setdefault(panel, {})[name] = accuracies.columns.to_numpy()
        groups.setdefault(panel, {})[name] = mean_interval(accuracies.to_numpy())
    figure = plotting.panels(shares, groups, "share of neighbours kept", "test accuracy / %", columns=2)
    for left, right in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        right.sharey(left)
    return figure


def sample_efficiency(gaps):
    """Draw LeNet-5 minus dense in test accuracy against the number of examples, raw and scrambled.

    The table is that of `analysis.lenet5_minus`, of the network `dense`.
    """
    groups = {}
    for (dataset, representation), rows in grouped(gaps, ["dataset", "representation"]):
        by_size = rows.pivot(index="seed", columns="examples", values="gap")
        groups.setdefault(NAMES[dataset], {})[representation] = mean_interval(by_size.to_numpy())
    figure = plotting.panels(
        by_size.columns.to_numpy(), groups, "training images", "LeNet-5 minus dense / points", logx=True
    )
    for axis in figure.axes:
        axis.axhline(0, color="black", linewidth=0.8, zorder=1)
    return figure


def unscrambling(recovered, bounds):
    """Draw LeNet-5's test accuracy against the number of unlabelled images that the layout came from.

    Parameters
    ----------
    recovered : pandas.DataFrame
        The table of `accuracy_unscrambled`.
    bounds : pandas.DataFrame
        That of `accuracy` on raw and on scrambled pixels; drawn as constant lines.
    """
    numbers = np.unique(recovered["unlabelled"])
    groups = {}
    for dataset, rows in grouped(recovered, "dataset"):
        lines = {"unscrambled": rows.pivot(index="seed", columns="unlabelled", values="accuracy").to_numpy()}
        for name, known in grouped(bounds[bounds["dataset"] == dataset], "representation"):
            lines[name] = np.tile(known["accuracy"].to_numpy()[:, None], len(numbers))
        groups[NAMES[dataset]] = {name: mean_interval(100 * values) for name, values in lines.items()}
    return plotting.panels(numbers, groups, "unlabelled images", "test accuracy / %", logx=True)


def by_representation(table):
    """Draw the mean test accuracy of every network on every representation, with half its interval.

    The table has one data set.
    """
    keys = ["representation", "architecture"]
    summary = summarise(table, keys, "accuracy", scale=100)
    half = (summary["high"] - summary["mean"]).map("± {:.1f}".format)
    means, notes = (
        column.unstack().loc[table["representation"].unique(), table["architecture"].unique()]
        for column in (summary["mean"], half)
    )
    networks = [NAMES[name] for name in means.columns]
    label = f"test accuracy on {NAMES[table['dataset'].iloc[0]]} / %"
    return plotting.heat_map(means, notes, means.index, networks, "", "", label)


def representations(images, names):
    """Show representations of images, a row each; two channels side by side, four in a square.

    The hundredth part of the values at each end is drawn like the next ones.
    """
    pictures = []
    for name in names:
        values = REPRESENTATIONS[name](images)
        clipped = np.clip(values, *np.percentile(values, [1, 99]))
        channels = np.split(clipped, values.shape[-1], axis=-1)
        rows = [np.concatenate(channels[start : start + 2], axis=2) for start in range(0, len(channels), 2)]
        pictures += list(np.concatenate(rows, axis=1))
    return plotting.image_grid(pictures, columns=len(images), row_labels=names, limits=None)


def views(seen):
    """Show what the networks of some methods see of an image; a row for each acquisition.

    Parameters
    ----------
    seen : dict from str to dict from method to array ``(height, width, channels)``
        The same methods in every row. Of two channels, real and imaginary part, the magnitude is drawn, its
        highest 3 % alike: the centre of k-space outshines the rest.
    """
    methods = list(next(iter(seen.values())))
    pictures = [_magnitude(view) if view.shape[-1] == 2 else view
                for row in seen.values() for view in row.values()]  # fmt: skip
    titles = [fill(name, 16) for name in methods] + [""] * (len(pictures) - len(methods))
    rows = [fill(name, 18) for name in seen]
    return plotting.image_grid(pictures, titles, len(methods), rows, limits=None, size=1.4)


def _magnitude(view):
    magnitude = np.linalg.norm(view, axis=-1, keepdims=True)
    return np.minimum(magnitude, np.percentile(magnitude, 97))


def arrangement(worth):
    """Draw what the arrangement of every representation is worth to LeNet-5, for every run.

    The table is that of `analysis.worth_of_arrangement`.
    """
    order = {name: position for position, name in enumerate(worth["representation"].unique())}
    worth = worth.sort_values("representation", key=lambda names: names.map(order), kind="stable")
    return _dots(worth, ("representation", "dataset"), worth["gap"], "arranged - scrambled / points")


def direct_minus_reconstruction(cells):
    """Draw what the best direct method gains on the best that reconstructs first, with half its interval.

    A star marks significant cells. The table is that of `analysis.direct_minus_reconstruction`, all of
    CT or of MRI.
    """
    half = (cells["high"] - cells["mean"]).map("± {:.1f}".format)
    stars = np.where(cells["significant"], " *", "")
    columns = [
        _under(dataset, noise) for dataset, noise in zip(cells["dataset"], cells["noise"], strict=True)
    ]
    marked = cells.assign(note=half + stars, column=columns)
    means, notes = (
        marked.pivot(index="sampling", columns="column", values=value).loc[
            marked["sampling"].unique(), marked["column"].unique()
        ]
        for value in ("mean", "note")
    )
    label = "best direct - best reconstruct-first / points"
    return plotting.heat_map(means.round(2), notes, means.index, means.columns, "", "", label, center=0)


def by_arm(table, x, xlabel):
    """Draw the test accuracy of every method against a column `x`; a panel a data set and noise."""
    groups, positions = {}, {}
    for (dataset, noise, method), rows in grouped(table, ["dataset", "noise", "arm"]):
        accuracies = 100 * rows.pivot(index="seed", columns=x, values="accuracy")
        panel = _under(dataset, noise)
        groups.setdefault(panel, {})[method] = mean_interval(accuracies.to_numpy())
        positions.setdefault(panel, {})[method] = accuracies.columns.to_numpy()
    columns, ticks = table["noise"].nunique(), np.unique(table[x])
    figure = plotting.panels(positions, groups, xlabel, "test accuracy / %", logx=True, columns=columns)
    for axis in figure.axes:
        axis.set_xticks(ticks, ticks)
        axis.minorticks_off()
    return figure


def _under(dataset, noise):
    return f"{NAMES[dataset]}, {'no noise' if noise == 'none' else noise}"


def _dots(table, by, values, xlabel):
    groups = dict(list(grouped(values, [table[name] for name in by])))
    samples = {_name(key): group for key, group in groups.items()}
    intervals = {name: mean_interval(group) for name, group in samples.items()}
    return plotting.dots(samples, intervals, xlabel, [key[-1] for key in groups])


def _name(key):
    return ", ".join(
        NAMES.get(part, f"{part:,} images" if isinstance(part, int) else str(part)) for part in key
    )
