"""How long an explorer takes from a moved control to the picture and the bars."""

import importlib
from functools import partial
from itertools import cycle

from common.widgets import Square

CONTROLS = {
    "gan": ["the point"],
    "wavelet_based_dnn": ["test image", "height"],
    "cnn_vs_dense": ["test image", "block"],
    "adversarial_attack": ["photograph", "epsilon / 255", "blur / pixels"],
}


def cases():
    """Yield ``(task, implementations by name of the control, no target)``; the first one is called ours."""
    for study, (first, *others) in CONTROLS.items():
        movers = {
            "ours": partial(_mover, study, first),
            **{name: partial(_mover, study, name) for name in others},
        }
        yield f"an answer of the explorer of {study} ({first})", movers, None


def _mover(study, name):
    widget = importlib.import_module(f"{study}.explorer").explorer()
    control = next(part for part in _parts(widget) if _name(part) == name)
    trait = "x" if isinstance(control, Square) else "index" if hasattr(control, "index") else "value"
    lowest = getattr(control, "min", 0)
    values = cycle((0.5, -0.5) if trait == "x" else (lowest + 1, lowest + 2))
    return lambda: setattr(control, trait, next(values))


def _parts(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _parts(child)


def _name(part):
    return "the point" if isinstance(part, Square) else getattr(part, "description", None)
