"""Made-up tables with the columns of this study's experiments, to test what reads and draws them."""

import numpy as np
import pandas as pd

FILTERS = (
    "none", "blur 1", "blur 2", "half size", "JPEG 75", "JPEG 50", "WebP 75", "median 3", "bilateral",
    "total variation", "non-local means",
)  # fmt: skip
NETWORKS = (
    "EfficientNet-Lite0", "EfficientNet-Lite2", "SqueezeNet", "MobileNetV1", "MobileNetV2",
    "MobileNetV2, another training",
)  # fmt: skip
CHANGES = ("JPEG 95", "JPEG 90", "JPEG 85", "JPEG 75", "noise 1", "noise 2", "noise 4")
DEMANDS = (
    "Lite0", "SqueezeNet", "MobileNetV1", "MobileNetV2", "Lite0, blurred", "SqueezeNet, blurred",
    "three networks", "three networks, blurred", "three networks, all kinds",
)  # fmt: skip
PER_CHANGE = {  # 99th percentile of FLIP at two distances, SSIMULACRA2
    "low-pass attack": (0.056, 0.140, 88.0),
    "JPEG 95": (0.044, 0.103, 92.3), "JPEG 90": (0.057, 0.143, 88.1), "JPEG 85": (0.066, 0.173, 85.1),
    "JPEG 75": (0.083, 0.220, 79.9), "noise 1": (0.034, 0.055, 95.3), "noise 2": (0.056, 0.092, 91.2),
    "noise 4": (0.094, 0.153, 82.3),
}  # fmt: skip


def fooling_table(methods, photographs, rng, *, recognised=0.85, v=0.98, **settings):
    """Return a table of `experiments.fooling`, one row for each method and photograph.

    Parameters
    ----------
    methods : sequence of str, or dict from str to the chance that a cell is fooled
        The chance is 0.8 if none is given; it is a number, or an array (filters, networks).
    photographs : sequence of int
    rng : numpy.random.Generator
    recognised : float
        The chance that a network recognises a clean photograph behind a filter.
    v : float
        Visibility of all changes.
    **settings
        Other arguments of the experiment, such as ``tier="16/255"``.
    """
    chances = methods if isinstance(methods, dict) else dict.fromkeys(methods, 0.8)
    config = {
        "dataset": "imagenet_compatible", "split": "test", "attacked": "survival", "without": "nothing",
        "tier": "JPEG 90", "gradients": 300, "budget": 1.0, "seed": 0,
    } | settings  # fmt: skip
    shape = (len(FILTERS), len(NETWORKS))
    right = {number: rng.random(shape) < recognised for number in photographs}
    hard = dict(zip(photographs, rng.normal(scale=0.15, size=len(photographs)), strict=True))
    rows = []
    for method, chance in chances.items():
        for number in photographs:
            wrong = rng.random(shape) < np.broadcast_to(chance, shape) + hard[number]
            rows.append(config | _seen("low-pass attack", rng) | {
                "photograph": number, "method": method, "right": right[number].ravel().tolist(),
                "wrong": (wrong | ~right[number]).ravel().tolist(), "v": v, "colour": 0.9,
                "worst_window": 1.4, "ssim": 0.97, "scaled": 0.95, "rms": 2.1, "linf": 9.0,
            })  # fmt: skip
    return pd.DataFrame(rows)


def reference_table(photographs, rng, changes=CHANGES, split="test"):
    """Return a table of `experiments.reference`, one row for each change and photograph."""
    rows = [
        _seen(change, rng)
        | {"dataset": "imagenet_compatible", "split": split, "photograph": number, "change": change,
           "seed": 0, "v": PER_CHANGE[change][0] / PER_CHANGE["JPEG 90"][0]}
        for change in changes for number in photographs
    ]  # fmt: skip
    return pd.DataFrame(rows)


def predictions_table(photographs, rng, demands=DEMANDS, split="test"):
    """Return what `results/predictions.csv` holds, one row for each demand and photograph."""
    rows = []
    for place, demand in enumerate(demands):
        for number in photographs:
            predicted = 0.05 * 1.6**place * rng.lognormal(sigma=0.5)
            rows.append({
                "split": split, "photograph": number, "demand": demand, "recognised": rng.random() < 0.8,
                "predicted": predicted, "rms": 4 * predicted, "dearest": 0.8 * predicted,
                "margin": rng.lognormal(),
            })  # fmt: skip
    return pd.DataFrame(rows)


def smallest_size_table(predictions, rng, spread=0.25, unmet=0.05):
    """Return a table of `experiments.smallest_size` in which the predictions are off by a log-normal factor.

    Parameters
    ----------
    predictions : pandas.DataFrame
        From `predictions_table`.
    rng : numpy.random.Generator
    spread : float
        Standard deviation of the factor's logarithm.
    unmet : float
        The chance that a demand is not met.
    """
    rows = predictions[["split", "photograph", "demand", "recognised"]].copy()
    size = predictions["predicted"] * rng.lognormal(sigma=spread, size=len(rows))
    met = (rng.random(len(rows)) > unmet) & rows["recognised"]
    return rows.assign(
        dataset="imagenet_compatible", steps=200, seed=0, met=met, measured=size.where(met, 0.0),
        rms=(4 * size).where(met, 0.0),
    )  # fmt: skip


def photograph(rng, height=224, width=224):
    """Return a smooth colourful picture in the place of a photograph, (height, width, 3) in [0, 1]."""
    coarse = rng.random((7, 7, 3))
    places = [np.linspace(0, 6, side) for side in (height, width)]
    for axis, at in enumerate(places):
        below = np.minimum(at.astype(int), 5)
        share = np.expand_dims(at - below, tuple(other for other in range(3) if other != axis))
        first, second = (np.take(coarse, below + step, axis) for step in (0, 1))
        coarse = (1 - share) * first + share * second
    return coarse.astype("float32")


def _seen(change, rng):
    """Return the measures of `held_out.HeldOut` of one photograph."""
    factor = rng.lognormal(sigma=0.2)
    far, near, similar = PER_CHANGE[change]
    flip = {"flip": far, "near": near}
    kinds = {"mean": 0.4, "p99": 1.0, "window": 0.6}
    found = {f"{name}_{kind}": factor * flip[name] * kinds[kind] for name in flip for kind in kinds}
    return found | {"ssimulacra2": 100 - factor * (100 - similar)}
