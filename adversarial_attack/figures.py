"""The figures of this study; each takes tables of sweeps or finished images."""

import numpy as np

from adversarial_attack.battery import SIGMAS, TO_SIGMA_2
from adversarial_attack.comparisons import KINDS, joint, visibilities
from common import plotting
from common.fourier import radial_spectrum
from common.statistics import Interval, bootstrap_interval, share_interval


def survival(arms, clean):
    """Draw the share of images that no network recognises behind a blur against its sigma, a panel a kind.

    Parameters
    ----------
    arms : dict from str to table of `experiments.fooling`
    clean : table of the arm "clean"
    """
    filters = {0.0: "none"} | {sigma: f"blur {sigma:g}" for sigma in SIGMAS}
    panels = {
        title: {
            name: _stacked([share_interval(joint(rows, clean, [f], kind)) for f in filters.values()])
            for name, rows in arms.items()
        }
        for kind, title in KINDS.items()
    }
    return plotting.panels(list(filters), panels, "sigma of the blur / pixels", "images fooled / %")


def _stacked(intervals):
    """Return intervals of floats, in percent, as one of arrays."""
    return Interval(*(100 * np.array(values) for values in zip(*intervals, strict=True)))


def pareto(arms, clean, filters=TO_SIGMA_2):
    """Draw joint success over filters against the visibility, as found and at equal visibility."""
    x, y = {}, {}
    for name, (rows, kind) in arms.items():
        x[name] = bootstrap_interval(visibilities(rows, kind)["excess"].to_numpy(), np.median)
        share = share_interval(joint(rows, clean, filters, kind))
        y[name] = Interval(*(100 * value for value in share))
    return plotting.crosses(
        x, y, "worst measure of visibility / strict limit (median)", "images fooled / %", True
    )


def spectra(changes, responses):
    """Draw the radial spectra of changes, as shares of their energy, and the responses of filters.

    Parameters
    ----------
    changes : dict from str to array ``(n, height, width, 3)``
    responses : dict from str to array ``(1, height, width, 1)``
        What a filter makes of an impulse.
    """
    frequencies = None
    panels = {"share of the energy": {}, "response of the filter": {}}
    for name, images in changes.items():
        power = np.asarray(radial_spectrum(images)).mean(axis=-1)
        panels["share of the energy"][name] = _band(power / power.sum(axis=1, keepdims=True))
        frequencies = np.arange(power.shape[1]) / images.shape[1]
    for name, impulse in responses.items():
        power = np.asarray(radial_spectrum(impulse))[..., 0]
        panels["response of the filter"][name] = _band(np.sqrt(power / power[:, :1]))
    return plotting.panels(frequencies, panels, "frequency / cycles a pixel")


def _band(rows):
    low, high = (rows.min(axis=0), rows.max(axis=0))
    return Interval(rows.mean(axis=0), low, high)


def costs(samples, label):
    """Draw a number for every image and demand, with the median and its bootstrap interval.

    Parameters
    ----------
    samples : dict from str to array ``(images,)``
    label : str
        Of the axis.
    """
    intervals = {name: bootstrap_interval(values, np.median) for name, values in samples.items()}
    return plotting.dots(samples, intervals, label)
