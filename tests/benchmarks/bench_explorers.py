"""How long an explorer takes from a moved control to the picture and the bars."""

import importlib
from functools import partial

import ipywidgets
import numpy as np

from gan.dragging import Square

CONTROLS = {
    "gan": ["the point"],
    "wavelet_based_dnn": ["scene (0 to 999)", "object, pixels", "canvas, pixels", "budget, fine tiles"],
    "cnn_vs_dense": ["test image", "block side, pixels"],
    "adversarial_attack": ["photograph (0 to 19)", "attack strength, %", "blur sigma, pixels"],
}
MOVES = 10


def cases():
    """Yield ``(task, implementations by name of the control, no target, factors)``, the first called ours."""
    for study, (first, *others) in CONTROLS.items():
        movers = {
            "ours": partial(_mover, study, first),
            **{name: partial(_mover, study, name) for name in others},
        }
        yield (
            f"explorer of {study}, picture after a new {first}",
            movers,
            None,
            dict.fromkeys(movers, 1 / MOVES),
        )


def _mover(study, name):
    """Return the function that moves a control ten times at random, all others being at their ends."""
    controls = {_name(part): part for part in _parts(importlib.import_module(f"{study}.explorer").explorer())}
    for other in controls.values():
        _move(other, 1.0)
    random = np.random.default_rng(0)

    def move():
        for share in random.permutation(np.linspace(0, 1, MOVES)):
            _move(controls[name], share)

    return move


def _move(control, share):
    """Set a control to a share, in [0, 1], of the way through its values, or to the next of few."""
    if isinstance(control, Square):
        control.x, control.y = 2 * share - 1, 1 - share
    elif hasattr(control, "index"):
        control.index = (control.index + 1) % len(control.options)
    else:
        value = control.min + share * (control.max - control.min)
        control.value = round(value) if isinstance(control.value, int) else value


def _parts(widget):
    """Yield the controls inside a widget."""
    if isinstance(widget, (Square, ipywidgets.IntSlider, ipywidgets.FloatSlider, ipywidgets.SelectionSlider)):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from _parts(child)


def _name(control):
    return "the point" if isinstance(control, Square) else control.description
