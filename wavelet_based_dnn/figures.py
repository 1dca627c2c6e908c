"""The figures of notebooks 2 and 3; each takes intervals or numbers that were measured."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from common.plotting import as_numbers, closed_subplots, in_our_style
from wavelet_based_dnn.variants import SIZES, TRAINED_SIZES

FRAME = "tab:orange"
SHOWN = 0.99  # of the details lie between black and white
PERCENT = (0.5, 1, 2, 5, 10, 20, 50, 100)  # where the axis of errors has its numbers
MILLIONS = (0.2, 0.5, 1, 2)  # where the axis of MACs has its numbers


@in_our_style
def error_against_size(groups, specialists):
    """Draw the test error against the size of the image, a panel for each data set, logarithmic upwards.

    Parameters
    ----------
    groups : dict from str to dict from str to `common.statistics.Interval` of arrays (sizes,)
        For every panel and variant the accuracy over `variants.SIZES`, in per cent; in all panels the same.
    specialists : dict from str to (sizes, Interval of arrays (sizes,))
        For every panel, drawn as dots with their intervals.
    """
    figure, axes = closed_subplots(1, len(groups), max(7.0, 5.2 * len(groups)), 4.2)
    for axis, (name, variants) in zip(axes[0], groups.items(), strict=True):
        for variant, found in variants.items():
            errors = 100 - np.array([found.mean, found.high, found.low])
            (line,) = axis.plot(SIZES, errors[0], marker="o", markersize=3, label=variant)
            band = np.maximum(errors[1:], errors[0] / 10)  # an interval may reach below no error at all
            axis.fill_between(SIZES, *band, color=line.get_color(), alpha=0.2, linewidth=0)
        sizes, found = specialists[name]
        reach = [found.high - found.mean, found.mean - found.low]
        axis.errorbar(
            sizes, 100 - found.mean, reach, fmt="o", color="black", markersize=4, linewidth=1, zorder=3,
            label="a specialist for each size",
        )  # fmt: skip
        axis.set(xlabel="image size / pixels a side", ylabel="test error / %", yscale="log", title=name)
        axis.set_xticks([*TRAINED_SIZES, 40, 48, 56])
        axis.set_xticks(SIZES, minor=True)
        limits = axis.get_ylim()
        axis.set_yticks(PERCENT, [f"{percent:g}" for percent in PERCENT])
        axis.yaxis.set_minor_locator(NullLocator())
        axis.set_ylim(limits)
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


@in_our_style
def accuracy_against_macs(panels):
    """Draw test accuracy against million MACs an image, on a logarithmic axis, a panel for each data set.

    Parameters
    ----------
    panels : dict from str to dict from str to (macs, Interval of arrays)
        For every panel and line; lines of a single point are dots.
    """
    figure, axes = closed_subplots(1, len(panels), 5.2 * len(panels), 3.8)
    for axis, (name, lines) in zip(axes[0], panels.items(), strict=True):
        for label, (macs, band) in lines.items():
            millions = np.divide(macs, 1e6)
            (line,) = axis.plot(millions, band.mean, marker="o", markersize=4, label=label)
            axis.fill_between(millions, band.low, band.high, color=line.get_color(), alpha=0.2, linewidth=0)
        axis.set(xscale="log", xlabel="million MACs an image", ylabel="test accuracy / %", title=name)
        axis.set_xticks(MILLIONS, [f"{million:g}" for million in MILLIONS])
        axis.minorticks_off()
        axis.legend(frameon=False, loc="lower right")
    return figure


@in_our_style
def wavelet_pyramid(coefficients, size=4.0):
    """Draw a 2-D wavelet decomposition as the usual nested square, with PyWavelets' names of the bands.

    Parameters
    ----------
    coefficients : list
        ``[approximation, details_coarsest, ..., details_finest]`` with details (horizontal, vertical,
        diagonal), each a 2-D array, as `common.wavelet.wavedec2` orders them. The approximation stands at
        the top left. All details share one grey scale: zero is mid-grey, and the largest percent of them
        are black or white.

    Raises
    ------
    ValueError
        Not such a list.
    """
    if not isinstance(coefficients, list | tuple) or any(len(np.shape(level)) == 0 for level in coefficients):
        raise ValueError("coefficients must be a list: an approximation, then three details for each level.")
    approximation = as_numbers(coefficients[0], 2, "approximation")
    levels = [[as_numbers(band, 2, "details") for band in level] for level in coefficients[1:]]
    flat = np.concatenate([np.zeros(1), *(np.abs(band).ravel() for level in levels for band in level)])
    scale, mosaic, corners = np.quantile(flat, SHOWN) or 1, _stretched(approximation), []
    for number, bands in zip(range(len(levels), 0, -1), levels, strict=True):
        h, v, d = (np.clip(0.5 + band / (2 * scale), 0, 1) for band in bands)
        rows, columns = h.shape
        mosaic = np.block([[mosaic[:rows, :columns], h], [v, d]])
        corners += [(f"cH{number}", 0, columns, h), (f"cV{number}", rows, 0, v)]
        corners += [(f"cD{number}", rows, columns, d)]
    figure, axes = closed_subplots(1, 1, size, size * mosaic.shape[0] / mosaic.shape[1])
    axes[0, 0].imshow(mosaic, vmin=0, vmax=1)
    axes[0, 0].set_axis_off()
    for name, row, column, band in corners:
        _frame(axes[0, 0], name, row, column, band.shape)
    return figure


def _stretched(band):
    return (band - band.min()) / (np.ptp(band) or 1)


def _frame(axis, name, row, column, shape):
    """Frame a band whose first entry lies at a row and column, and write its name into it."""
    corner = column - 0.5, row - 0.5
    axis.add_patch(Rectangle(corner, shape[1], shape[0], fill=False, color=FRAME, linewidth=0.6))
    axis.annotate(
        name, corner, (2, -2), textcoords="offset points", va="top", color="white", fontsize=8,
        bbox={"facecolor": "black", "linewidth": 0, "pad": 1},
    )  # fmt: skip
