"""The figures of this study; each takes tables of sweeps or finished images."""

from collections import Counter

import matplotlib.pyplot as plt
import numpy as np

from adversarial_attack.analysis import KINDS, joint, visibilities
from adversarial_attack.filter_set import SIGMAS, TO_SIGMA_2
from common import plotting
from common.fourier import radial_spectrum
from common.plotting import as_floats, as_numbers, check_names, closed_subplots, in_our_style
from common.statistics import Interval, bootstrap_interval, mean_interval, share_interval


def survival(attacks, clean):
    """Draw the share of images that no network recognises behind a blur against its sigma, a panel a kind.

    Parameters
    ----------
    attacks : dict from key of `analysis.KINDS` to dict from str to table of `experiments.fooling`
    clean : table of the attack "clean"
    """
    filters = {0.0: "none"} | {sigma: f"blur {sigma:g}" for sigma in SIGMAS}
    panels = {
        KINDS[kind]: {
            name: _stacked([share_interval(joint(rows, clean, [f], kind)) for f in filters.values()])
            for name, rows in tables.items()
        }
        for kind, tables in attacks.items()
    }
    figure = plotting.panels(list(filters), panels, "sigma of the blur / pixels", "images fooled / %")
    counts = [len(joint(clean, clean, [name])) for name in filters.values()]
    for axis in figure.axes:
        axis.set_xticks(
            list(filters),
            [
                f"{sigma:g}\nn = {n}" if sigma % 1 == 0 else ""
                for sigma, n in zip(filters, counts, strict=True)
            ],
        )
    return figure


def _stacked(intervals):
    """Return intervals of floats, in percent, as one of arrays."""
    return Interval(*(100 * np.array(values) for values in zip(*intervals, strict=True)))


def pareto(attacks, clean):
    """Draw joint success over `TO_SIGMA_2` against the visibility, as found and at equal visibility."""
    x, y = {}, {}
    for name, (rows, kind) in attacks.items():
        x[name] = bootstrap_interval(visibilities(rows, kind)["excess"].to_numpy(), np.median)
        share = share_interval(joint(rows, clean, TO_SIGMA_2, kind))
        y[name] = Interval(*(100 * value for value in share))
    return crosses(x, y, "worst measure of visibility / strict limit (median)", "images fooled / %")


def spectra(changes, responses):
    """Draw the radial spectra of changes, 1 for white noise of their energy, and the responses of filters.

    The zero frequency is left out.

    Parameters
    ----------
    changes : dict from str to array ``(n, height, width, 3)``
    responses : dict from str to array ``(1, height, width, 1)``
        What a filter makes of an impulse.
    """
    frequencies = None
    panels = {"power / white noise of equal energy": {}, "response of the filter": {}}
    for name, images in changes.items():
        power = np.asarray(radial_spectrum(images)).mean(axis=-1)
        relative = power / (images**2).mean(axis=(1, 2, 3))[:, np.newaxis]
        panels["power / white noise of equal energy"][name] = mean_interval(relative[:, 1:])
        frequencies = np.arange(1, power.shape[1]) / images.shape[1]
    for name, impulse in responses.items():
        power = np.asarray(radial_spectrum(impulse))[..., 0]
        response = np.sqrt(power / power[:, :1])[0, 1:]
        panels["response of the filter"][name] = Interval(response, response, response)
    return plotting.panels(frequencies, panels, "frequency / cycles a pixel")


def costs(samples, label):
    """Draw a number for every image and demand, with the median and its bootstrap interval.

    Parameters
    ----------
    samples : dict from str to array ``(images,)``
        Infinite where a demand was not met; this is drawn as a tenth more than all that were.
    label : str
        Of the axis.
    """
    most = 1.1 * max(values[np.isfinite(values)].max() for values in samples.values())
    samples = {name: np.minimum(values, most) for name, values in samples.items()}
    intervals = {name: bootstrap_interval(values, np.median) for name, values in samples.items()}
    figure = plotting.dots(samples, intervals, label)
    figure.axes[0].set_xscale("log")
    figure.axes[0].xaxis.set_major_formatter("{x:g}")
    return figure


def gallery(images, changed, blur, said):
    """Show clean and attacked images, ten times their difference, and both blurred, a row an image.

    Parameters
    ----------
    images, changed : array ``(n, height, width, 3)`` in [0, 1]
    blur : filter
    said : dict from "clean", "attacked", "clean, blurred", "attacked, blurred" to list of n str
        What the classifiers say.
    """
    kinds = {
        "clean": images,
        "attacked": changed,
        "difference x 10": np.clip(0.5 + 10 * (changed - images), 0, 1),
        "clean, blurred": np.clip(blur(images), 0, 1),
        "attacked, blurred": np.clip(blur(changed), 0, 1),
    }
    shown = [kinds[kind][i] for i in range(len(images)) for kind in kinds]
    titles = [
        f"{kind}\n{said[kind][i] if kind in said else ''}" for i in range(len(images)) for kind in kinds
    ]
    return plotting.image_grid(shown, titles, columns=len(kinds), size=1.7)


def votes(names):
    """Return the names that classifiers say, a line each with its count, the most frequent first."""
    counts = Counter(names).most_common()
    return "\n".join(f"{count} {name}" for name, count in counts)


@in_our_style
def crosses(x, y, xlabel, ylabel):
    """Draw one numbered point for each entry, with its intervals in both directions, and a key beside them.

    Parameters
    ----------
    x, y : dict from str to `common.statistics.Interval` of floats
        With the same names; x positive, on a logarithmic axis.

    Raises
    ------
    ValueError
        No entries, other names, or intervals of arrays.
    """
    check_names(x, y)
    figure, axes = closed_subplots(1, 1, 8, 4.2)
    axis, colors = axes[0, 0], plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for number, (name, across) in enumerate(x.items(), 1):
        color = colors[(number - 1) % len(colors)]
        (x_mean, *x_limits), (y_mean, *y_limits) = as_floats(across), as_floats(y[name])
        axis.plot(x_limits, [y_mean, y_mean], color=color, linewidth=1, alpha=0.5)
        axis.plot([x_mean, x_mean], y_limits, color=color, linewidth=1, alpha=0.5)
        axis.plot([x_mean], [y_mean], marker=f"${number}$", linestyle="", color=color, markersize=9,
                  label=name)  # fmt: skip
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    axis.set(xlabel=xlabel, ylabel=ylabel, xscale="log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("{x:g}")
    return figure


@in_our_style
def agreement(groups, xlabel, ylabel):
    """Draw pairs of numbers, a colour for each entry, on logarithmic axes with the line where both are equal.

    Parameters
    ----------
    groups : dict from str to (x, y)
        Positive arrays of one shape.

    Raises
    ------
    ValueError
        No groups, or arrays of other shapes.
    """
    if not groups:
        raise ValueError("There is nothing to draw.")
    pairs = {name: (as_numbers(x, 1, "x"), as_numbers(y, 1, "y")) for name, (x, y) in groups.items()}
    figure, axes = closed_subplots(1, 1, 5, 4.4)
    axis = axes[0, 0]
    for name, (x, y) in pairs.items():
        axis.plot(x, y, "o", markersize=4, markeredgewidth=0, alpha=0.7, label=name)
    everything = np.concatenate([np.concatenate(pair) for pair in pairs.values()])
    ends = [everything.min(), everything.max()]
    axis.plot(ends, ends, color="0.5", linewidth=1, zorder=0)
    axis.legend(frameon=False, fontsize=8)
    axis.set(xlabel=xlabel, ylabel=ylabel, xscale="log", yscale="log")
    return figure
