"""Files of records, with one JSON object in each line."""

import base64
import hashlib
import inspect
import json
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from common.files import lock, write_atomically

Record: TypeAlias = dict[str, Any]


class Store:
    """A file of records, one JSON object a line with its own SHA-256, sorted by configuration.

    Adding a record replaces the whole file under a lock. So a reader or a second writer finds either the old
    file or the new one, also after a kill.
    """

    path: Path

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Store":
        """Return the committed store of an experiment, ``<its folder>/results/<its name>.jsonl``."""
        if function.__module__ == "__main__":
            raise ValueError(f"Move {function.__name__} into a module; its records are stored beside it.")
        return cls(Path(inspect.getfile(function)).parent / "results" / f"{function.__name__}.jsonl")

    def read(self) -> dict[str, Record]:
        """Return a dict from the `key` of each configuration to its record.

        Raises
        ------
        ValueError
            A line is not as `add` wrote it.
        """
        return {k: record for k, (record, _) in self._parsed().items()}

    def add(self, record: Record) -> None:
        """Insert a record; it replaces a record of the same configuration."""
        with lock(self.path):
            lines = {k: line for k, (_, line) in self._parsed().items()}
            lines[key(record["config"])] = _line(record)
            write_atomically(self.path, b"".join(lines[k] + b"\n" for k in sorted(lines)))

    def _parsed(self) -> dict[str, tuple[Record, bytes]]:
        if not self.path.exists():
            return {}
        # A replaced file has another inode or time, so each version is parsed only once.
        stat = self.path.stat()
        return _parsed(self.path, stat.st_ino, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=16)
def _parsed(path: Path, *version: int) -> dict[str, tuple[Record, bytes]]:
    """Return a dict from the key of each record to the record and its line."""
    parsed = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            record = json.loads(line)
            if record.pop("sha256") != _sha256(record):
                raise ValueError("The record is altered.")
            parsed[key(record["config"])] = record, line
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"Line {number} of {path.name} is not a record as it was stored; restore it with git."
            ) from error
    return parsed


def _line(record: Record) -> bytes:
    return json.dumps(record | {"sha256": _sha256(record)}, sort_keys=True).encode()


def _sha256(record: Record) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def key(config: Mapping[str, Any]) -> str:
    """Return the canonical text of a configuration.

    >>> key({"x": 1.0}) == key({"x": np.int64(1)}) != key({"x": True})
    True
    """
    return json.dumps(as_json(config), sort_keys=True)


def as_json(value: Any) -> Any:
    """Return a value as JSON stores it: NumPy values as Python values, tuples as lists, 1.0 as 1.

    Raises
    ------
    ValueError
        The value is neither a finite number, text, boolean or None, nor a list or dict of these.
    """
    if isinstance(value, np.ndarray | np.generic):
        return as_json(value.tolist())
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, list | tuple | range):
        return [as_json(part) for part in value]
    if isinstance(value, Mapping):
        return {str(name): as_json(part) for name, part in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except TypeError as error:
        kinds = "a finite number, text, boolean or None, or a list or dict of these"
        raise ValueError(f"A record holds {kinds}, not {value!r} of type {type(value).__name__}.") from error


def decoded(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored result with its packed decisions as boolean arrays."""
    return {name: _unpacked(value) if isinstance(value, str) else value for name, value in result.items()}


def encoded(function: Callable[..., Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of an experiment in the form in which a record stores it.

    Raises
    ------
    ValueError
        The result is not a dict of numbers, flat lists of numbers and boolean arrays, or one of its names is
        an argument.
    """
    if not isinstance(result, Mapping):
        raise ValueError(f"{function.__name__} must return a dict of numbers, not {result!r}.")
    arrays = {name: np.asarray(value) for name, value in result.items()}
    unfit = [name for name, array in arrays.items() if array.ndim > 1 or array.dtype.kind not in "biuf"]
    clashes = set(arrays) & set(inspect.signature(function).parameters)
    if unfit or clashes:
        raise ValueError(
            f"{function.__name__} must return numbers and flat lists under names that are not its arguments; "
            f"{', '.join(unfit) or ', '.join(sorted(clashes))} is not."
        )
    return {
        name: _packed(array) if array.dtype == bool and array.ndim == 1 else array.tolist()
        for name, array in arrays.items()
    }


def _packed(decisions: np.ndarray) -> str:
    return f"{len(decisions)} {base64.b64encode(np.packbits(decisions).tobytes()).decode()}"


def _unpacked(text: str) -> np.ndarray:
    count, bits = text.split(" ")
    return np.unpackbits(np.frombuffer(base64.b64decode(bits), "uint8"), count=int(count)).astype(bool)
