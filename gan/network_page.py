"""Live figures that run a Keras network: `common.live_page` with the functions of ``network_page.js``."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from common import live_page

HERE = Path(__file__).parent
KINDS = ("Dense", "Conv2D", "Conv2DTranspose", "MaxPooling2D", "AveragePooling2D", "Flatten", "Reshape")
ACTIVATIONS = ("linear", "relu", "leaky_relu", "sigmoid")
OPTIONS = ("activation", "strides", "pool_size")
HIGHEST = float(np.finfo("float16").max)
PLAIN = {
    "data_format": "channels_last",
    "dilation_rate": (1, 1),
    "groups": 1,
    "use_bias": True,
    "output_padding": None,
}


def packed(model: keras.Sequential, more: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a network in the format of ``network_page.js``, with weights in half precision.

    Parameters
    ----------
    model : keras.Sequential
        Its layers are in `KINDS`, channels last, with activations in `ACTIVATIONS`.
    more : tuple of str
        Names of further layers, which the figure's own script adds to ``kinds``; it receives their
        configuration.

    Returns
    -------
    dict
        JSON. A thousand weights take 2.7 kB.

    Raises
    ------
    ValueError
        A layer of another kind, or a weight that is not finite in half precision (above 65,504).
    """
    layers = [_described(layer, more) for layer in model.layers]
    weights = [np.ravel(weight) for layer in model.layers for weight in layer.get_weights()]
    joined = np.concatenate([*weights, np.zeros(0, "float32")])
    if not (np.abs(joined) <= HIGHEST).all():
        raise ValueError("A weight is not finite in half precision; train again with smaller weights.")
    return {"layers": layers, "weights": _text(joined.astype("<f2").tobytes())}


def _described(layer, more):
    kind, config = type(layer).__name__, layer.get_config()
    unusual = [name for name, value in PLAIN.items() if config.get(name, value) != value]
    if kind not in KINDS + more or unusual or config.get("activation", "linear") not in ACTIVATIONS:
        raise ValueError(
            f"network_page.js has no {kind} layer with the configuration {config}; it has {', '.join(KINDS)} "
            f"with biases, without dilation or groups, and the activations {', '.join(ACTIVATIONS)}."
        )
    names = OPTIONS if kind in KINDS else [name for name in config if name not in ("name", "dtype")]
    places = {"from": layer.input.shape[1:], "to": layer.output.shape[1:]}
    shapes = [list(weight.shape) for weight in layer.get_weights()]
    return (
        {"kind": kind, "shapes": shapes} | places | {name: config[name] for name in names if name in config}
    )


def _text(content):
    return base64.b64encode(content).decode()


def page(title: str, body: str, script: str, data: Mapping[str, Any], style: str = "") -> str:
    """Return `common.live_page.page` with a script that may also use the functions of ``network_page.js``."""
    network = (HERE / "network_page.js").read_text(encoding="utf-8")
    return live_page.page(title, body, network + script, data, style)
