"""The figures of the notebooks; each takes numbers that were measured."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator
from skimage.measure import block_reduce

from common.plotting import as_numbers, closed_subplots, in_our_style
from wavelet_based_dnn.demonstration import VEIL

FRAME = "tab:orange"
SHOWN = 0.99  # of the details lie between black and white


@in_our_style
def against_sides(sides, panels, xlabel, title):
    """Draw right answers against the side of the canvas or of the object, a panel for each data set.

    Parameters
    ----------
    sides : dict from str to sequence of int
        For each panel the sides in pixels.
    panels : dict from str to dict from str to `common.statistics.Interval` of arrays (sides,)
        For each panel and network, in per cent; not every panel must have all networks.
    xlabel, title : str
    """
    figure, axes = closed_subplots(1, len(panels), max(6.5, 3.6 * len(panels)), 3.6)
    colours = {name: f"C{n}" for n, name in enumerate(_names(panels))}
    for axis, (name, bands) in zip(axes[0], panels.items(), strict=True):
        for network, band in bands.items():
            reach = [band.mean - band.low, band.high - band.mean]
            look = {"color": colours[network], "marker": "o", "markersize": 4, "linewidth": 1.5}
            axis.errorbar(sides[name], band.mean, reach, label=network, **look)
        axis.set(xlabel=xlabel, xscale="log", title=name)
        axis.set_xticks(sides[name], list(map(str, sides[name])))
        axis.xaxis.set_minor_locator(NullLocator())
    axes[0, 0].set_ylabel("right answers / %")
    _finish(figure, title)
    return figure


@in_our_style
def accuracy_and_cost(panels, xlabel, ticks, title):
    """Draw right answers against what they cost: a line for several settings, a grey marker for one.

    Parameters
    ----------
    panels : dict from str to dict from str to (array (settings,), `common.statistics.Interval`)
        For each panel and method the costs, ascending, and the right answers in per cent.
    xlabel, title : str
    ticks : sequence of float
        Of the logarithmic horizontal axes.
    """
    figure, axes = closed_subplots(1, len(panels), max(6.5, 4.2 * len(panels)), 4.2)
    lengths = {method: len(costs) for methods in panels.values() for method, (costs, _) in methods.items()}
    lines, points = ([m for m in _names(panels) if (lengths[m] == 1) == one] for one in (False, True))
    looks = {method: {"fmt": "o-", "color": f"C{n}", "markersize": 4} for n, method in enumerate(lines)}
    looks |= {
        method: {"fmt": marker, "color": "0.35", "markersize": 5}
        for method, marker in zip(points, "sDv^P*", strict=False)
    }
    for axis, (name, methods) in zip(axes[0], panels.items(), strict=True):
        for method, (costs, band) in methods.items():
            reach = [band.mean - band.low, band.high - band.mean]
            axis.errorbar(costs, band.mean, reach, label=method, linewidth=1.3, **looks[method])
        axis.set(xlabel=xlabel, xscale="log", title=name)
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.xaxis.set_minor_locator(NullLocator())
    axes[0, 0].set_ylabel("right answers / %")
    _finish(figure, title)
    return figure


def _names(panels):
    """Return the names of what all panels show, in the order in which they first appear."""
    return list(dict.fromkeys(name for panel in panels.values() for name in panel))


def _finish(figure, title):
    """Give a figure its title and one legend for all panels."""
    shown = {}
    for axis in figure.axes:
        handles, labels = axis.get_legend_handles_labels()
        shown |= dict(zip(labels, handles, strict=True))
    figure.suptitle(title)
    figure.legend(shown.values(), shown, loc="outside lower center", ncols=3, frameon=False)


@in_our_style
def where_it_looked(images, boxes, tiles, sides, answers):
    """Draw scenes as each level sees them; what was not computed is grey, and the object is framed.

    Parameters
    ----------
    images : array, shape (n, height, width, 1)
        In [0, 1].
    boxes : array, shape (n, 4)
        Top, left, height and width of the object in pixels.
    tiles : list of bool arrays, shape (n, tile rows, tile columns)
        Of each level, as `refinement.Reading.tiles`.
    sides : list of int
        Pixels a side of a tile of each level.
    answers : list of lists of str
        For each scene what each level says.
    """
    figure, axes = closed_subplots(len(images), len(tiles), 2 * len(tiles), 2.15 * len(images))
    for number, (row, image, says) in enumerate(zip(axes, images[..., 0], answers, strict=True)):
        for place, (axis, said) in enumerate(zip(row, says, strict=True)):
            pixel = 2 ** (len(tiles) - 1 - place)
            seen = block_reduce(image, pixel, np.mean)
            read = _enlarged(tiles[place][number], sides[place] // pixel)[: len(seen), : seen.shape[1]]
            right, bottom = pixel * seen.shape[1], pixel * len(seen)
            shown = np.where(read, seen, VEIL * (1 + seen))
            axis.imshow(shown, vmin=0, vmax=1, extent=(0, right, bottom, 0))
            top, left, height, width = boxes[number]
            axis.add_patch(Rectangle((left, top), width, height, fill=False, color=FRAME))
            axis.set_axis_off()
            axis.set_title(said, fontsize=9)
    return figure


def _enlarged(tiles, side):
    return tiles.repeat(side, 0).repeat(side, 1)


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
