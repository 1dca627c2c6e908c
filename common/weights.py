"""Trained weights that are committed beside a study: written whole, checked whenever they are read.

``<study>/weights/SHA256SUMS`` holds the SHA-256 of each file, as ``sha256sum --check`` reads it.
"""

import hashlib
import tempfile
from pathlib import Path

from common.experiments import lock, require_writable, write_atomically

SUFFIX = ".weights.h5"
SUMS = "SHA256SUMS"


def save_weights(model, path):
    """Write the weights of a model and their SHA-256; a kill leaves the old file, the new one, or none.

    Parameters
    ----------
    model : keras.Model
    path : Path
        Ends with ``.weights.h5``.

    Raises
    ------
    OSError
        It cannot be written; the file is as it was.
    """
    require_writable(path)
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / path.name
        try:
            model.save_weights(aside)
        except OSError as error:
            raise OSError(
                f"{path.name} was not written and is as it was: no room for a temporary file."
            ) from error
        content = aside.read_bytes()
    with lock(path.parent / SUMS):
        sums = _sums(path.parent) | {path.name: hashlib.sha256(content).hexdigest()}
        # The sum comes first: a file without its sum would be there for good and never be read.
        lines = [f"{digest}  {name}\n" for name, digest in sorted(sums.items())]
        write_atomically(path.parent / SUMS, "".join(lines).encode())
        write_atomically(path, content)


def load_weights(model, path):
    """Give a model the weights of a file and return it.

    Parameters
    ----------
    model : keras.Model
        Built, of the architecture that was saved.
    path : Path

    Raises
    ------
    ValueError
        There is no such file, or it is not the one that `save_weights` wrote.
    """
    name = path.name.removesuffix(SUFFIX)
    if not path.exists():
        known = ", ".join(sorted(file.name.removesuffix(SUFFIX) for file in path.parent.glob(f"*{SUFFIX}")))
        raise ValueError(f"There are no weights {name!r}; there are {known or 'none'}.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != _sums(path.parent).get(path.name):
        raise ValueError(f"The weights {name!r} are truncated or altered; restore {path.name} with git.")
    model.load_weights(path)
    return model


def _sums(folder):
    """Return the SHA-256 of each file of a folder, a dict by name."""
    file = folder / SUMS
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
