"""Scenes and the tiles the network reads, as one HTML file: ``python -m wavelet_based_dnn.standalone``."""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

from functools import partial
from itertools import product
from pathlib import Path
from string import Template

import numpy as np
from scipy.special import softmax

from common.data import load_dataset
from common.live_page import embedded, few_greys, page, write
from wavelet_based_dnn.demonstration import FINEST_TILE, VEIL, scene, tile_counts
from wavelet_based_dnn.models import count_macs, load_dynamic_classifier
from wavelet_based_dnn.refinement import LEAST, classify
from wavelet_based_dnn.scale_network import doubled_sides

DATASETS = {"mnist": "digits", "fashion_mnist": "clothes"}
CANVASES = 56, 112, 224  # pixels
SIDES = 14, 28, 56  # pixels
BUDGETS = 0, 0.1, 0.2, 0.5, 1
SCENES = 3  # the first ones, so nobody chose them
START = {"dataset": "mnist", "number": 0, "side": 28, "canvas": 224, "budget": 1}
LEVELS = 4

HERE = Path(__file__).parent


def figure():
    """Return the page: what the committed networks read and say, computed beforehand."""
    readings = {}
    for dataset in DATASETS:
        readings |= scenes_of(dataset)
    data = {
        "classes": {dataset: load_dataset(dataset).test.class_names for dataset in DATASETS},
        "choices": _choices(),
        "cells": [side for side, _ in doubled_sides(LEVELS)],
        "tile": FINEST_TILE,
        "veil": VEIL,
        "scenes": readings,
    }
    values = {"least": LEAST, "scenes": SCENES}
    body = Template(_own("html")).substitute(values)
    return page("Where does the network look?", body, _own("js"), data, _own("css"))


def _choices():
    """Return name, legend, values with their texts, and the start of each group of radio buttons."""
    budgets = ["least", *(f"{100 * budget:.0f} %" for budget in BUDGETS[1:-1]), "all"]
    groups = [
        ("dataset", "Images", DATASETS.items()),
        ("number", "Scene", ((number, str(number + 1)) for number in range(SCENES))),
        ("side", "Object, pixels a side", ((side, str(side)) for side in SIDES)),
        ("canvas", "Canvas, pixels a side", ((side, str(side)) for side in CANVASES)),
        ("budget", "Budget, tiles of the finest level", enumerate(budgets)),
    ]
    return [(name, legend, list(options), START[name]) for name, legend, options in groups]


def scenes_of(dataset):
    """Return the scenes of a data set and what the network reads of them.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"

    Returns
    -------
    dict
        From "data set, number, object, canvas" to the scene's label, box, picture and readings, one a budget.
    """
    test, network = load_dataset(dataset).test, load_dynamic_classifier(dataset)
    images, found = test.as_float(), {}
    for canvas in CANVASES:
        macs = partial(count_macs, network, canvas, canvas)
        kinds = list(product(range(SCENES), SIDES))
        drawn = [scene(images, test.labels, number, side, canvas) for number, side in kinds]
        together = np.concatenate([one.images for one in drawn])
        readings = [classify(network, together, budget=budget) for budget in BUDGETS]
        for i, ((number, side), one) in enumerate(zip(kinds, drawn, strict=True)):
            found[f"{dataset},{number},{side},{canvas}"] = {
                "label": int(one.labels[0]),
                "box": one.boxes[0].tolist(),
                "image": embedded(few_greys(one.images[0, ..., 0])),
                "all": macs()[-1],
                "readings": [said(reading, i, macs) for reading in readings],
            }
    return found


def said(reading, image, macs):
    """Return what the page shows of one image of a reading, as JSON.

    Parameters
    ----------
    reading : Reading
    image : int
    macs : callable
        `count_macs` of the network and the scene's size.

    Returns
    -------
    dict
        For each level the tiles computed, row by row as a string of 0 and 1, the answer and its probability
        with three digits; the multiplications.
    """
    probabilities = softmax(np.array(reading.logits, float)[:, image], -1)
    return {
        "tiles": [
            "".join("01"[tile] for tile in tiles[image].ravel().astype(int)) for tiles in reading.tiles
        ],
        "answers": probabilities.argmax(-1).tolist(),
        "sure": probabilities.max(-1).round(3).tolist(),
        "macs": macs(tile_counts(reading, image))[-1],
    }


def _own(kind):
    return (HERE / f"standalone.{kind}").read_text(encoding="utf-8")


if __name__ == "__main__":
    path = write("wavelet_based_dnn", figure())
    print(f"{path}: {path.stat().st_size:,} bytes")
