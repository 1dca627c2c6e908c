"""Trained weights that are committed with a study; their SHA-256 is checked whenever they are read.

``<study>/weights/SHA256SUMS`` holds the SHA-256 of each file in the format of ``sha256sum --check``.
"""

import hashlib
import tempfile
from os import PathLike
from pathlib import Path

import keras

from common import checkout
from common.experiments import lock, require_writable, write_atomically

SUFFIX = ".weights.h5"
SUMS = "SHA256SUMS"


def save_weights(model: keras.Model, path: str | PathLike[str]) -> None:
    """Write the weights of a model and their SHA-256.

    After a kill the file holds the old or the new weights, or `are_whole` is false.

    Parameters
    ----------
    model : keras.Model
    path : path
        Ends with ``.weights.h5``.

    Raises
    ------
    OSError
        The weights cannot be written; the old file is unchanged.
    """
    path = Path(path)
    require_writable(path)
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / path.name
        try:
            model.save_weights(aside)
        except OSError as error:
            raise OSError(f"{path.name} was not written and is as it was: no temporary file.") from error
        content = aside.read_bytes()
    with lock(path.parent / SUMS):
        sums = _sums(path.parent)
        _write_sums(path.parent, sums | {path.name: _sha256(content)})
        try:
            write_atomically(path, content)
        except OSError:
            _write_sums(path.parent, sums)
            raise


def load_weights(model: keras.Model, path: str | PathLike[str]) -> keras.Model:
    """Give a model the weights of a file and return it.

    Parameters
    ----------
    model : keras.Model
        Built, of the architecture that was saved.
    path : path

    Raises
    ------
    ValueError
        There is no such file, it is not the one that `save_weights` wrote, or it is of another architecture.
    """
    path = Path(path)
    name = path.name.removesuffix(SUFFIX)
    if not path.is_file():
        checkout.require(path.name)
        known = ", ".join(sorted(file.name.removesuffix(SUFFIX) for file in path.parent.glob(f"*{SUFFIX}")))
        raise ValueError(f"There are no weights {name!r}; there are {known or 'none'}.")
    if not are_whole(path):
        raise ValueError(f"{path.name} is not the file whose SHA-256 is in {SUMS}; restore both with git.")
    try:
        model.load_weights(path)
    except ValueError as error:
        raise ValueError(f"{path.name} holds the weights of another architecture.") from error
    return model


def are_whole(path: Path) -> bool:
    """Whether a file of weights is there as `save_weights` wrote it."""
    return path.is_file() and _sha256(path.read_bytes()) == _sums(path.parent).get(path.name)


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


def _sums(folder):
    """Return a dict from the name of each file of a folder to its SHA-256."""
    file = folder / SUMS
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _write_sums(folder, sums):
    lines = [f"{digest}  {name}\n" for name, digest in sorted(sums.items())]
    write_atomically(folder / SUMS, "".join(lines).encode())
