"""Checkpoints: an interrupted training continues with the same bits.

A checkpoint is one file, replaced atomically after every epoch. It holds all variables, the history and the
settings of the training. A training with other data, another model or another seed refuses it.
"""

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from tqdm.auto import tqdm

from common.experiments import write_atomically


def resumable(
    measure_epoch: Callable[[int], Mapping[str, float]],
    variables: Sequence[keras.Variable],
    epochs: int,
    settings: Mapping[str, Any],
    checkpoint: str | PathLike[str] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Call ``measure_epoch(epoch)`` for every remaining epoch and return all rows of numbers.

    Parameters
    ----------
    measure_epoch : callable
        Takes the index of an epoch from 0, changes only `variables`, and returns a dict of numbers.
    variables : list of keras.Variable
        The whole state.
    epochs : int
        At least 1.
    settings : dict from str to JSON value
        Everything that distinguishes this training from others; error messages use the names. An array
        counts by its SHA-256, and an object with ``get_config``, such as a model, by its `described` text.
    checkpoint : path, optional
        File that receives the state after every epoch. If it exists, training continues from it.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    ValueError
        The checkpoint is damaged or holds other settings or more epochs; or an epoch measures NaN.
    """
    # Without a checkpoint we skip the descriptions, because reading all data takes a moment.
    told = {} if checkpoint is None else {name: _as_json(value) for name, value in settings.items()}
    history = [] if checkpoint is None else _restore(Path(checkpoint), variables, told, epochs)
    for epoch in tqdm(range(len(history), epochs), initial=len(history), total=epochs, disable=not progress):
        history.append(_finite(measure_epoch(epoch), epoch + 1))
        if checkpoint is not None:
            _save(checkpoint, variables, told, history)
    return pd.DataFrame(history)


def described(model: Any) -> str:
    """Return the configuration of a model, an optimizer or a loss as text, the same in every session.

    Keras numbers layers and optimizers in the order of their creation, so each name is replaced by its
    position in the text. A model without a configuration is described by the shapes of its weights.
    """
    if isinstance(model, str) or not hasattr(model, "get_config"):
        return str(getattr(model, "__name__", model))
    try:
        config = model.get_config()
    except NotImplementedError:
        config = [tuple(weight.shape) for weight in model.weights]
    text = json.dumps([type(model).__name__, config], sort_keys=True, default=_plain)
    places = {name: i for i, name in enumerate(dict.fromkeys(re.findall(r'"name": "([^"]*)"', text)))}
    return re.sub(r'"([^"]*)"', lambda found: f'"{places.get(found[1], found[1])}"', text)


def digest(*arrays: ArrayLike) -> str:
    """Return the SHA-256 of the bytes, shapes and types of arrays."""
    found = hashlib.sha256()
    for array in map(np.asarray, arrays):
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else getattr(value, "__name__", str(value))


def _as_json(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return digest(value)
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "get_config"):
        return hashlib.sha256(described(value).encode()).hexdigest()
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    return json.loads(json.dumps(value, default=described))


def _finite(row: Mapping[str, float], epoch: int) -> dict[str, float]:
    wrong = [f"{name} {value}" for name, value in row.items() if not np.isfinite(value)]
    if wrong:
        raise ValueError(
            f"Epoch {epoch} has {' and '.join(wrong)}: the training diverged, or its validation did not "
            "return a number; lower the learning rate or correct the validation."
        )
    return dict(row)


def _save(path, variables, settings, history):
    arrays = {str(i): variable.numpy() for i, variable in enumerate(variables)}
    file = io.BytesIO()
    np.savez(file, about=json.dumps({"settings": settings, "history": history}), **arrays)
    write_atomically(path, file.getvalue())


def _restore(path, variables, settings, epochs):
    if not path.exists():
        return []
    if path.is_dir():
        raise ValueError(f"{path} is a folder; a checkpoint is a file, such as {path.name or 'run'}.npz.")
    about, values = _read(path)
    stored = about["settings"]
    other = [name for name in settings | stored if settings.get(name) != stored.get(name)]
    if not other and [value.shape for value in values] != [tuple(one.shape) for one in variables]:
        other = ["weights"]
    if other:
        raise ValueError(
            f"{path.name} belongs to another run, with other {', '.join(other)}; "
            "delete it or name another file."
        )
    if len(about["history"]) > epochs:
        raise ValueError(
            f"{path.name} is further than epoch {epochs}; raise epochs, delete it or name another file."
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return about["history"]


def _read(path):
    try:
        # We read from memory, because NumPy leaves a damaged file open.
        content = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.testzip():
                raise zipfile.BadZipFile  # before NumPy parses damaged content
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            return about, [arrays[str(i)] for i in range(len(arrays.files) - 1)]
    except (ValueError, KeyError, OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name} is not a whole checkpoint; delete it to start again.") from error
