"""The figures of this study; each takes tables of sweeps or finished images."""

from collections import Counter

import numpy as np

from adversarial_attack.battery import SIGMAS, TO_SIGMA_2
from adversarial_attack.comparisons import KINDS, joint, visibilities
from common import plotting
from common.fourier import radial_spectrum
from common.statistics import Interval, bootstrap_interval, mean_interval, share_interval


def survival(arms, clean):
    """Draw the share of images that no network recognises behind a blur against its sigma, a panel a kind.

    Parameters
    ----------
    arms : dict from key of `comparisons.KINDS` to dict from str to table of `experiments.fooling`
    clean : table of the arm "clean"
    """
    filters = {0.0: "none"} | {sigma: f"blur {sigma:g}" for sigma in SIGMAS}
    panels = {
        KINDS[kind]: {
            name: _stacked([share_interval(joint(rows, clean, [f], kind)) for f in filters.values()])
            for name, rows in tables.items()
        }
        for kind, tables in arms.items()
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


def pareto(arms, clean):
    """Draw joint success over `TO_SIGMA_2` against the visibility, as found and at equal visibility."""
    x, y = {}, {}
    for name, (rows, kind) in arms.items():
        x[name] = bootstrap_interval(visibilities(rows, kind)["excess"].to_numpy(), np.median)
        share = share_interval(joint(rows, clean, TO_SIGMA_2, kind))
        y[name] = Interval(*(100 * value for value in share))
    return plotting.crosses(x, y, "worst measure of visibility / strict limit (median)", "images fooled / %")


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
