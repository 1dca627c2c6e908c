"""The figures of this study; each takes tables of sweeps, finished images or numbers."""

import numpy as np

from common import plotting
from common.plotting import closed_subplots, in_our_style
from common.statistics import mean_interval
from gan.manifold import mosaic

CHANCE = np.log(2)  # the cross-entropy of a critic that cannot tell
ERROR_TICKS = (0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06)


@in_our_style
def histogram(distributions):
    """Draw the histogram of pixel values and the inverse of its cumulative distribution.

    Parameters
    ----------
    distributions : dict from str to array, shape (256,)
        From `histogram.cumulative`.
    """
    figure, axes = closed_subplots(1, 2, 9, 3.2)
    left, right = axes[0]
    for name, distribution in distributions.items():
        shares = np.diff(distribution, prepend=0)
        left.step(np.arange(256), shares, where="mid", label=name)
        right.step(np.concatenate([[0], distribution]), np.concatenate([np.arange(256), [255]]), where="post")
    left.set(xlabel="pixel value", ylabel="share of the pixels", yscale="log")
    right.set(xlabel="uniform number", ylabel="pixel value")
    left.legend(frameon=False)
    return figure


def critics(budgets, groups):
    """Draw what fresh critics read against their budget, a panel each, with the line of chance.

    Parameters
    ----------
    budgets : sequence of int
    groups : dict from str to dict from str to array, shape (runs, budgets)
        For every panel and line, cross-entropies in nats of at least two runs.
    """
    bands = {
        panel: {name: mean_interval(np.stack(list(runs))) for name, runs in readings.items()}
        for panel, readings in groups.items()
    }
    figure = plotting.panels(list(budgets), bands, "images that the critic was trained on",
                             "cross-entropy on unseen images / nats", logx=True)  # fmt: skip
    for axis in figure.axes:
        axis.set_ylim(0, 0.8)  # an interval may reach beyond, a cross-entropy does not
        _line(axis, CHANCE, "ln 2")
    return figure


def losses(table):
    """Draw the losses of both players over the epochs, a panel each, with the line of ln 2.

    Parameters
    ----------
    table : dict from str to pandas.DataFrame
        Rows of `experiments.adversarial`.
    """
    groups = {
        label: {name: mean_interval(np.stack(list(rows[column]))) for name, rows in table.items()}
        for label, column in (
            ("discriminator's loss / nats", "epoch_discriminator_loss"),
            ("generator's loss / nats", "epoch_generator_loss"),
        )
    }
    epochs = np.arange(1, len(next(iter(table.values()))["epoch_distance"].iloc[0]) + 1)
    figure = plotting.panels(epochs, groups)
    for axis in figure.axes:
        _line(axis, CHANCE, "ln 2")
    return figure


def against_size(sizes, panels, lines):
    """Draw metrics against the latent size, a panel each, with lines for what real images give.

    Parameters
    ----------
    sizes : sequence of int
    panels : dict from str to dict from str to common.statistics.Interval
        For each metric and method, arrays over `sizes`.
    lines : dict from str to float
        For some of the metrics, the value of real images.
    """
    figure = plotting.panels(list(sizes), panels, "latent size", logx=True, columns=min(3, len(panels)))
    for axis, name in zip(figure.axes, panels, strict=False):
        axis.set_xticks(list(sizes), list(map(str, sizes)))
        axis.minorticks_off()
        if name in lines:
            _line(axis, lines[name], "real")
    return figure


@in_our_style
def strips(rows, titles=()):
    """Draw rows of images, with a name to the left of each row.

    Parameters
    ----------
    rows : dict from str to array, shape (columns, height, width, 1)
        In [0, 1].
    titles : sequence of str, optional
        One above each column.
    """
    count, columns, height, width = np.shape(list(rows.values()))[:4]
    longest = max(map(len, rows))
    figure, axes = closed_subplots(1, 1, 0.6 * columns + 0.08 * longest, 0.6 * (count + 0.5))
    axis = axes[0, 0]
    images = np.pad(np.concatenate(list(rows.values())), ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=1)
    axis.imshow(mosaic(images, columns)[..., 0], vmin=0, vmax=1)
    axis.set_yticks((height + 1) * (np.arange(count) + 0.5), rows)
    axis.set_xticks((width + 1) * (np.arange(len(titles)) + 0.5), titles)
    axis.tick_params(length=0, labeltop=True, labelbottom=False)
    axis.spines[:].set_visible(False)
    axis.grid(visible=False)
    return figure


@in_our_style
def manifold(images, side):
    """Draw the images of all cells of the latent square side by side.

    Parameters
    ----------
    images : array, shape (side * side, height, width, 1)
        Of the points of `manifold.square`.
    side : int
    """
    figure, axes = closed_subplots(1, 1, 7, 7)
    axis = axes[0, 0]
    axis.imshow(mosaic(images, side)[..., 0], cmap="gray", vmin=0, vmax=images.max(), extent=(-1, 1, -1, 1))
    axis.set(
        xlabel="first latent number", ylabel="second latent number", xticks=(-1, 0, 1), yticks=(-1, 0, 1)
    )
    axis.grid(visible=False)
    return figure


@in_our_style
def maps(values, labels):
    """Draw the latent square coloured by class, by confidence and by slope.

    Parameters
    ----------
    values : dict from str to array, shape (side, side)
    labels : array of int, shape (side, side)
        The classes, drawn first, with their numbers here and there.
    """
    figure, (axes,) = closed_subplots(1, len(values) + 1, 4.2 * (len(values) + 1), 3.6)
    axes[0].imshow(labels, cmap="tab10", vmin=-0.5, vmax=9.5, extent=(-1, 1, -1, 1))
    side = len(labels)
    every = max(1, side // 10)
    for row, column in np.ndindex(side // every, side // every):
        x, y = (2 * (every * place + every // 2 + 0.5) / side - 1 for place in (column, row))
        label = labels[every * row + every // 2, every * column + every // 2]
        axes[0].text(x, -y, str(label), fontsize=7, color="white", ha="center", va="center")
    axes[0].set_title("class")
    for axis, (name, map_) in zip(axes[1:], values.items(), strict=True):
        figure.colorbar(axis.imshow(map_, extent=(-1, 1, -1, 1)), ax=axis)
        axis.set_title(name)
    for axis in axes:
        axis.set(
            xticks=(-1, 0, 1), yticks=(-1, 0, 1), xlabel="first latent number", ylabel="second latent number"
        )
        axis.grid(visible=False)
    return figure


@in_our_style
def best_of(bits, errors, real_bits, real, leaves):
    """Draw the error of the best of N samples against bits, with a mark where a line leaves real digits.

    Parameters
    ----------
    bits : sequence of int
        log2 N.
    errors : dict from str to array, shape (trainings, sizes)
        Squared error per pixel, of six generators at most. Every training is a thin line, their mean a thick
        one.
    real_bits : sequence of float
    real : array, shape (real sizes,)
        The same of real digits.
    leaves : dict from names of `errors` to float
        Bits at which the mean leaves the line of real digits; without an entry there is no mark.
    """
    figure, axes = closed_subplots(1, 1, 7.4, 4.8)
    axis = axes[0, 0]
    lines = {"real digits": axis.plot(real_bits, real, color="black", linewidth=2.5)[0]}
    for name, runs in errors.items():
        mean = np.mean(runs, axis=0)
        [lines[name]] = axis.plot(bits, mean, linewidth=2)
        colour = lines[name].get_color()
        axis.plot(bits, np.transpose(runs), color=colour, linewidth=0.7, alpha=0.5)
        if name in leaves:
            height = np.exp(np.interp(leaves[name], bits, np.log(mean)))
            axis.plot(
                leaves[name], height, "o", color=colour, markeredgecolor="white", markersize=9, zorder=4
            )
    _label_errors_and_bits(axis, range(int(min(bits)), int(max(bits)) + 1))
    _name_ends(axis, lines)
    return figure


def _line(axis, height, name):
    axis.axhline(height, color="0.4", linewidth=1, linestyle="--", zorder=0)
    axis.annotate(
        name, (0.01, height), (0, 2), xycoords=("axes fraction", "data"), textcoords="offset points",
        color="0.4", fontsize=8,
    )  # fmt: skip


def _label_errors_and_bits(axis, bits):
    """Make the axes those of error, a logarithmic one, and of bits with the numbers of samples."""
    axis.set(
        xlabel="bits, and the number N of samples", ylabel="squared error per pixel of the best of N",
        yscale="log",
    )  # fmt: skip
    even = [bit for bit in bits if bit % 2 == 0]
    axis.set_xticks(even, [f"{bit}\n{2**bit:,}" for bit in even])
    low, high = axis.get_ylim()
    ticks = [tick for tick in ERROR_TICKS if low <= tick <= high]
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()


def _name_ends(axis, lines):
    """Write the names of lines at their right ends, from below, so far apart that none covers another."""
    low, high = np.log(axis.get_ylim())
    previous = -np.inf
    for name, line in sorted(lines.items(), key=lambda item: item[1].get_ydata()[-1]):
        x, y = line.get_xydata()[-1]
        previous = max((np.log(y) - low) / (high - low), previous + 0.05)
        axis.annotate(
            name, (x, np.exp(low + previous * (high - low))), (5, 0), textcoords="offset points", va="center",
            color=line.get_color(), fontsize=9, annotation_clip=False,
        )  # fmt: skip
