"""Memoised, parallel, resumable sweeps whose results are committed beside the study.

An experiment is a function of keyword arguments, in a study's `experiments.py`, that returns numbers, flat
lists of numbers, and boolean arrays, which are stored as bits::

    @experiment(version=1, tolerance=0.01)
    def accuracy(*, dataset="mnist", architecture, seed):
        ...
        return {"test_accuracy": 0.99}

    table = sweep(accuracy, architecture=["lenet5", "dense"], seed=range(5))

`sweep` looks every combination up in ``<study>/results/accuracy.jsonl``, measures the missing ones in worker
processes, and returns all of them as one table. A record counts only if its configuration, its experiment's
version and its data's SHA-256 are those of today. The environment variable ``RESULTS=replay`` forbids
measuring: a missing record is then an error.
"""

import base64
import contextlib
import hashlib
import importlib
import importlib.metadata
import inspect
import itertools
import json
import os
import platform
import time
import warnings
from functools import cache, lru_cache
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from filelock import FileLock
from joblib.externals.loky import get_reusable_executor
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from common import data

# One thread and deterministic kernels: the same bits on any number of cores, and one experiment a core.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
LIBRARIES = ("numpy", "scipy", "keras", "tensorflow")


class MissingRecordError(LookupError):
    """A replayed sweep needs a record that the store does not hold."""


def experiment(*, version, tolerance):
    """Declare a function of keyword arguments, `seed` among them, as an experiment.

    Parameters
    ----------
    version : int
        Raise it when the meaning of the numbers changes; older records are then measured again.
    tolerance : float
        How far a number x may lie from its record on another kind of CPU: ``tolerance * max(1, abs(x))``, a
        list on the mean, and which share of decisions may differ (`common.experiments.audit.difference`).
        On the same kind of CPU with the same libraries the audit expects the same bits.

    Raises
    ------
    ValueError
        The function has positional or variable arguments, or no `seed`.
    """

    def declare(function):
        parameters = inspect.signature(function).parameters
        kinds = {parameter.kind for parameter in parameters.values()}
        if kinds != {inspect.Parameter.KEYWORD_ONLY} or "seed" not in parameters:
            raise ValueError(f"{function.__name__} must take keyword-only arguments, one of them `seed`.")
        function.version, function.tolerance = version, tolerance
        return function

    return declare


def sweep(function, **grid):
    """Return one row for every combination of the arguments, measuring those not stored yet.

    Parameters
    ----------
    function : experiment
    **grid
        For each argument one JSON value, or a list, tuple or range of them; arguments left out take
        the function's default.

    Returns
    -------
    pandas.DataFrame
        The arguments and the results as columns, rows in the order of the grid (last argument fastest).

    Raises
    ------
    MissingRecordError
        ``RESULTS=replay`` and a record is missing.
    ValueError
        An unknown or missing argument, or one that JSON cannot hold.
    """
    configs = configurations(function, grid)
    store = Store.of(function)
    if results_mode() == "replay":
        require(store, function, configs)
    else:
        complete([(store, function, configs)])
    records = store.read()
    return pd.DataFrame([config | decoded(records[key(config)]["result"]) for config in configs])


def configurations(function, grid):
    """Return the list of complete configurations (dicts) that `grid` spans for the experiment."""
    parameters = inspect.signature(function).parameters
    required = {name for name, p in parameters.items() if p.default is p.empty}
    if not required <= set(grid) <= set(parameters):
        raise ValueError(
            f"{function.__name__} takes {', '.join(parameters)} and needs {', '.join(sorted(required))}, "
            f"but it was given {', '.join(grid) or 'nothing'}."
        )
    # The caller's order of arguments decides the order of the rows; what is left out comes last.
    swept = grid | {name: p.default for name, p in parameters.items() if name not in grid}
    values = [list(v) if isinstance(v, list | tuple | range) else [v] for v in swept.values()]
    return [_as_json(function, dict(zip(swept, row, strict=True))) for row in itertools.product(*values)]


def results_mode():
    """Return ``"replay"`` or ``"compute"``, the value of the environment variable ``RESULTS``."""
    mode = os.environ.get("RESULTS", "compute")
    if mode not in ("replay", "compute"):
        raise ValueError(f"RESULTS must be 'replay' or 'compute', not {mode!r}.")
    return mode


def require(store, function, configs):
    """Raise `MissingRecordError` unless the store holds a valid record of every configuration."""
    missing = _missing(store, function, configs)
    if missing:
        raise MissingRecordError(
            f"{len(missing)} of {len(configs)} records of {function.__name__} (version {function.version}) "
            f"are missing from {store.path.name}, the first is {key(missing[0])}; "
            "run the notebook without RESULTS=replay to measure them."
        )


def complete(work):
    """Measure what is missing, in parallel; each record is stored as it finishes.

    Parameters
    ----------
    work : list of (Store, experiment, list of configurations)
    """
    missing = [
        (store, function, config)
        for store, function, configs in work
        for config in _missing(store, function, configs)
    ]
    if not missing:
        return
    for path in {store.path for store, *_ in missing}:
        require_writable(path)
    # By name, so that a worker imports the experiment, and TensorFlow with it, in the right environment.
    jobs = (
        joblib.delayed(_measure)(store, function.__module__, function.__name__, config)
        for store, function, config in missing
    )
    names = ", ".join(dict.fromkeys(function.__name__ for _, function, _ in missing))
    try:
        with warnings.catch_warnings():
            # joblib replaces workers whose memory has grown, as TensorFlow's does; nothing is lost.
            warnings.filterwarnings("ignore", "A worker stopped", UserWarning)
            finished = joblib.Parallel(n_jobs=-1, return_as="generator_unordered")(jobs)
            for _ in tqdm(finished, total=len(missing), desc=names, leave=False):
                pass
    finally:
        # joblib would keep the workers, and with them today's version of the code, for the next sweep.
        get_reusable_executor().shutdown(wait=True, kill_workers=True)


class Store:
    """A file of records, one JSON object a line with its own SHA-256, sorted by configuration.

    A record is added under a file lock by replacing the whole file, so a reader, a second writer or a kill
    at any moment finds either the old file or the new one.
    """

    def __init__(self, path):
        self.path = Path(path)

    @classmethod
    def of(cls, function):
        """Return the committed store of an experiment, ``<its folder>/results/<its name>.jsonl``."""
        if function.__module__ == "__main__":
            raise ValueError(f"Move {function.__name__} into a module; its records are stored beside it.")
        return cls(Path(inspect.getfile(function)).parent / "results" / f"{function.__name__}.jsonl")

    def read(self):
        """Return all records as a dict, from `key` of the configuration to the record.

        Raises
        ------
        ValueError
            A line is not a record as `add` wrote it.
        """
        return {k: record for k, (record, _) in self._parsed().items()}

    def add(self, record):
        """Insert a record, in place of the one with the same configuration if there is one."""
        with lock(self.path):
            lines = {k: line for k, (_, line) in self._parsed().items()} | {
                key(record["config"]): _line(record)
            }
            write_atomically(self.path, b"".join(lines[k] + b"\n" for k in sorted(lines)))

    def _parsed(self):
        if not self.path.exists():
            return {}
        # A file that was replaced has another inode or time, so its records are parsed once.
        stat = self.path.stat()
        return _parsed(self.path, stat.st_ino, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _parsed(path, *version):
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


def _line(record):
    return json.dumps(record | {"sha256": _sha256(record)}, sort_keys=True).encode()


def _sha256(record):
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def require_writable(path):
    """Raise PermissionError if a file could not be written, because its folder is read-only."""
    folder = next(folder for folder in Path(path).parents if folder.exists())
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{Path(path).name} cannot be written: {str(folder)!r} is read-only.")


def lock(path):
    """Return the lock of a file that several processes write, and make its folder; raises PermissionError."""
    require_writable(path)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{path}.lock")


def write_atomically(path, content):
    """Write bytes to a file, by one process at a time; a kill leaves the old content or the new one.

    Raises
    ------
    OSError
        It cannot be written, for example because the disk is full; the file is as it was.
    """
    path = Path(path)
    aside = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        refusal = type(error)(f"{path.name} was not written and is as it was: {error.strerror or error}.")
        refusal.errno = error.errno
        raise refusal from error


def key(config):
    """Return the canonical text of a configuration."""
    return json.dumps(config, sort_keys=True)


def same_conditions(record, other):
    """Whether two records were measured on the same kind of CPU with the same library versions."""
    return all(record[name] == other[name] for name in ("cpu", "libraries"))


@cache
def cpu():
    """Return the name of this machine's kind of processor."""
    info = Path("/proc/cpuinfo")
    described = processor(info.read_text()) if info.exists() else ""
    return described or platform.processor() or platform.machine()


def processor(cpuinfo):
    """Return the kind of the first processor in the text of Linux's ``/proc/cpuinfo``, "" if it has no name.

    A virtual machine may call several generations of a processor by one name; their vector units differ, and
    with them the bits of a sum, so family, model and stepping belong to the kind.
    """
    lines = [line.partition(":") for line in cpuinfo.partition("\n\n")[0].splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in lines}
    generation = [
        f"{name.removeprefix('cpu ')} {fields[name]}"
        for name in ("cpu family", "model", "stepping")
        if name in fields
    ]
    name = fields.get("model name", "")
    return f"{name} ({', '.join(generation)})" if name and generation else name


@cache
def libraries():
    """Return the versions of Python and of the libraries that decide the numbers."""
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version()} | versions


def _missing(store, function, configs):
    records = store.read()
    return [config for config in configs if not _is_valid(records.get(key(config)), function)]


def _is_valid(record, function):
    return (
        record is not None
        and record["version"] == function.version
        and record["data_sha256"] == _data_sha256(record["config"])
    )


def _data_sha256(config):
    return data.SHA256.get(config.get("dataset"))


def _measure(store, module, name, config):
    os.environ.update(WORKER_ENVIRONMENT)
    function = getattr(importlib.import_module(module), name)
    start = time.perf_counter()
    with threadpool_limits(1):  # where NumPy was imported before it could see the environment
        result = _as_result(function, function(**config))
    store.add({
        "config": config,
        "result": result,
        "version": function.version,
        "data_sha256": _data_sha256(config),
        "seconds": round(time.perf_counter() - start, 2),
        "cpu": cpu(),
        "libraries": libraries(),
    })  # fmt: skip


def _as_json(function, config):
    try:
        return json.loads(json.dumps(config, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"An argument of {function.__name__} is not a JSON value: {config}.") from error


def decoded(result):
    """Return a stored result with its decisions, one bit each in the store, as boolean arrays."""
    return {name: _unpacked(value) if isinstance(value, str) else value for name, value in result.items()}


def _packed(decisions):
    return f"{len(decisions)} {base64.b64encode(np.packbits(decisions)).decode()}"


def _unpacked(text):
    count, bits = text.split(" ")
    return np.unpackbits(np.frombuffer(base64.b64decode(bits), "uint8"), count=int(count)).astype(bool)


def _as_result(function, result):
    arrays = {name: np.asarray(value) for name, value in result.items()}
    plain = {
        name: _packed(array) if array.dtype == bool and array.ndim == 1 else array.tolist()
        for name, array in arrays.items()
    }
    unfit = [name for name, array in arrays.items() if array.ndim > 1 or array.dtype.kind not in "biuf"]
    clashes = set(plain) & set(inspect.signature(function).parameters)
    if unfit or clashes:
        raise ValueError(
            f"{function.__name__} must return numbers and flat lists under names that are not its arguments; "
            f"{', '.join(unfit) or ', '.join(sorted(clashes))} is not."
        )
    return plain
