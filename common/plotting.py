"""Figures in one style. Every function takes data that are already computed and returns a `Figure`."""

from pathlib import Path
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np

in_our_style = plt.style.context(Path(__file__).with_name("notebook.mplstyle"))


@in_our_style
def image_grid(images, titles=None, columns=None, row_labels=None, limits=(0, 1), size=1.0):
    """Show images row by row.

    Parameters
    ----------
    images : array, shape (n, height, width, channels), or list of n arrays of any sizes
        One channel is drawn in grey, three as colours in [0, 1].
    titles : list of str, optional
        One above each image.
    columns : int, optional
        Images a row; by default all in one row.
    row_labels : list of str, optional
        One to the left of each row.
    limits : (float, float) or None
        Values drawn black and white; None takes each image's own extremes.
    size : float
        Inches a picture.

    Raises
    ------
    ValueError
        No images, or arrays of other shapes.
    """
    shapes = [np.shape(image) for image in images] if np.iterable(images) else []
    if not shapes or any(len(shape) != 3 or shape[2] not in (1, 3) for shape in shapes):
        found = ", ".join(map(str, dict.fromkeys(shapes))) or "none at all"
        raise ValueError(f"images must be arrays (height, width, 1 or 3), but there are {found}.")
    columns = columns or len(images)
    rows = -(-len(images) // columns)
    low, high = limits or (None, None)
    figure, axes = closed_subplots(rows, columns, size * columns, size * rows * (1.25 if titles else 1))
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for i, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        axis.imshow(np.asarray(image, float), vmin=low, vmax=high, cmap="gray")
        axis.set_title(titles[i] if titles else "", fontsize=8, loc="center")
    for axis, label in zip(axes[:, 0], row_labels or [], strict=False):
        axis.set_ylabel(label, rotation=0, ha="right", va="center")
    return figure


@in_our_style
def curves(x, bands, xlabel, ylabel, logx=False, axis=None):
    """Draw one line with its confidence band for each entry and write its name at the end of the line.

    Parameters
    ----------
    x : array, shape (points,), or a dict of one for each entry of `bands`
        Lines of a dozen points or fewer get a marker at each.
    bands : dict from str to `common.statistics.Interval` of arrays of shape (points,)
    axis : matplotlib axis, optional
        Where to draw; by default a new figure.

    Raises
    ------
    ValueError
        No lines, or arrays of other shapes.
    """
    if not bands:
        raise ValueError("There are no lines to draw.")
    if axis is None:
        _, axes = closed_subplots(1, 1, 6, 3.6)
        axis = axes[0, 0]
    for name, band in bands.items():
        points = as_numbers(x[name] if isinstance(x, dict) else x, 1, "x")
        mean, low, high = (as_numbers(values, 1, "a band") for values in (band.mean, band.low, band.high))
        (line,) = axis.plot(points, mean, marker="o" if len(points) <= 12 else "", markersize=3.5)
        axis.fill_between(points, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    _label_line_ends(axis, bands)
    axis.set(xlabel=xlabel, ylabel=ylabel, xscale="log" if logx else "linear")
    return axis.figure


@in_our_style
def panels(x, groups, xlabel="epoch", ylabel=None, logx=False, columns=None):
    """Draw several groups of curves side by side, e.g. the loss and the accuracy of a training.

    Parameters
    ----------
    x : array, shape (points,), or a dict from group to the `x` of `curves`
    groups : dict from str to the `bands` of `curves`
        The name of a group labels its vertical axis, or is its title if there is a `ylabel` for all.
    columns : int, optional
        Panels a row; by default all in one row.

    Raises
    ------
    ValueError
        No groups, or what `curves` refuses.
    """
    if not groups:
        raise ValueError("There is nothing to draw.")
    columns = columns or len(groups)
    rows = -(-len(groups) // columns)
    figure, axes = closed_subplots(rows, columns, 5 * columns, 3.4 * rows)
    for axis in axes.flat[len(groups) :]:
        axis.set_visible(False)
    for axis, (name, bands) in zip(axes.flat, groups.items(), strict=False):
        curves(x[name] if isinstance(x, dict) else x, bands, xlabel, ylabel or name, logx, axis)
        axis.set_title(name if ylabel else "")
    return figure


@in_our_style
def dots(samples, intervals, xlabel, kinds=None):
    """Draw one row for each entry: every run as a dot, the mean as a bar, the interval as a line.

    Parameters
    ----------
    samples : dict from str to array, shape (n,)
    intervals : dict from the same names to `common.statistics.Interval` of floats
    kinds : list, optional
        One value for each row; rows with the same value get the same colour. By default all have one colour.

    Raises
    ------
    ValueError
        No entries, other names, arrays of other shapes, intervals of arrays, or a kind too few or too many.
    """
    check_names(samples, intervals)
    figure, axes = closed_subplots(1, 1, 7, 0.55 * len(samples) + 0.9)
    axis, colors = axes[0, 0], plt.rcParams["axes.prop_cycle"].by_key()["color"]
    kinds = kinds or [None] * len(samples)
    if len(kinds) != len(samples):
        raise ValueError(f"{len(samples)} rows need as many kinds, not {len(kinds)}.")
    for row, (name, values) in enumerate(samples.items()):
        values, (mean, *limits) = as_numbers(values, 1, "samples"), as_floats(intervals[name])
        color = colors[list(dict.fromkeys(kinds)).index(kinds[row]) % len(colors)]
        axis.plot(limits, [row, row], color=color, linewidth=7, alpha=0.35, solid_capstyle="butt")
        axis.plot(values, np.full(len(values), row), "o", color=color, markersize=4, markeredgewidth=0)
        axis.plot([mean], [row], "|", color="black", markersize=14)
    axis.set_yticks(range(len(samples)), [f"{name}  (n = {len(v)})" for name, v in samples.items()])
    axis.set(xlabel=xlabel, ylim=(len(samples) - 0.5, -0.5))
    axis.grid(axis="y", visible=False)
    return figure


@in_our_style
def heat_map(values, notes, row_names, column_names, row_label, column_label, value_label, center=None):
    """Draw a table of numbers as colours, each cell with its number and a note.

    Parameters
    ----------
    values : array, shape (rows, columns)
    notes : array of str, shape (rows, columns)
        What to write below each value: its n, its interval, its significance.
    center : float, optional
        The value drawn white, between purple (above) and orange (below).

    Raises
    ------
    ValueError
        Arrays and names that do not fit each other.
    """
    values, notes = as_numbers(values, 2, "values"), np.asarray(notes)
    rows, columns = values.shape
    if notes.shape != values.shape or (rows, columns) != (len(row_names), len(column_names)):
        raise ValueError(f"Values {values.shape} need as many notes, names of rows and names of columns.")
    longest = max(len(str(name)) for name in row_names)
    figure, axes = closed_subplots(1, 1, 0.95 * columns + 0.09 * longest + 2, 0.6 * rows + 1.3)
    axis = axes[0, 0]
    spread = None if center is None else np.nanmax(np.abs(values - center)) or 1
    limits = {} if center is None else {"vmin": center - spread, "vmax": center + spread}
    drawn = axis.imshow(values, cmap="viridis" if center is None else "PuOr", aspect="auto", **limits)
    for (row, column), value in np.ndenumerate(values):
        shade = np.mean(drawn.cmap(drawn.norm(value))[:3])
        axis.text(column, row, f"{value:.3g}\n{notes[row, column]}", ha="center", va="center",
                  fontsize=8, color="white" if shade < 0.5 else "black")  # fmt: skip
    axis.set_xticks(range(columns), [fill(str(name), 13) for name in column_names])
    axis.set_yticks(range(rows), row_names)
    axis.set(xlabel=column_label, ylabel=row_label)
    axis.grid(visible=False)
    figure.colorbar(drawn, label=value_label)
    return figure


def as_numbers(values, rank, name):
    """Return an array of floats; raise ValueError unless it has `rank` axes and is not empty."""
    values = np.asarray(values, float)
    if values.ndim != rank or not values.size:
        raise ValueError(f"{name} must have {rank} axes and not be empty, but the shape is {values.shape}.")
    return values


def as_floats(interval):
    """Return mean, low and high; raise ValueError if they are arrays."""
    return [float(as_numbers(value, 0, "an interval")) for value in interval]


def check_names(ones, others):
    """Raise ValueError unless two dicts have the same names, and any."""
    if not ones or set(ones) != set(others):
        raise ValueError(
            f"{', '.join(ones) or 'Nothing'} cannot be drawn with {', '.join(others) or 'nothing'}."
        )


def closed_subplots(rows, columns, width, height):
    """Return a figure of `width` by `height` inches and its axes, an array (rows, columns)."""
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False)
    # A closed figure is shown once in a notebook, as the value of its cell.
    plt.close(figure)
    return figure, axes


def _label_line_ends(axis, bands):
    ends = [line.get_ydata()[-1] for line in axis.lines]
    limits = np.concatenate([np.asarray(values, float) for band in bands.values() for values in band])
    gap = 0.07 * (np.nanmax(limits) - np.nanmin(limits) or 1)
    previous = -np.inf
    for i in np.argsort(ends):
        previous = max(ends[i], previous + gap)
        line = axis.lines[i]
        axis.annotate(list(bands)[i], (line.get_xdata()[-1], previous), (4, 0), textcoords="offset points",
                      color=line.get_color(), va="center", fontsize=9, annotation_clip=False)  # fmt: skip
