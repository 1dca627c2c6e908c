"""Memoised, parallel, resumable sweeps, whose results are committed with the study.

An experiment is a function of keyword arguments in a study's `experiments.py`. It returns numbers, flat lists
of numbers, and boolean arrays, which are stored as bits::

    @experiment(version=1, tolerance=0.01)
    def accuracy(*, dataset="mnist", architecture, seed):
        ...
        return {"test_accuracy": 0.99}

    table = sweep(accuracy, architecture=["lenet5", "dense"], seed=range(5))

`sweep` looks up every combination in ``<study>/results/accuracy.jsonl``, measures missing ones in worker
processes, and returns all as one table; `sweeps` does so for several experiments at once. A record counts
only if its configuration, the version of its experiment and the SHA-256 of its data are current. With the
environment variable ``RESULTS=replay`` nothing is measured, and a missing record is an error.
"""

from common.experiments.conditions import cpu, libraries, processor, same_conditions
from common.experiments.declaration import Experiment, absent_data, configurations, experiment
from common.experiments.measurement import (
    Interrupted,
    MissingRecordError,
    Plan,
    complete,
    require,
    results_mode,
    sweep,
    sweeps,
)
from common.experiments.store import Store, decoded, key
from common.files import lock, require_writable, write_atomically

__all__ = [
    "Experiment", "Interrupted", "MissingRecordError", "Plan", "Store", "absent_data", "complete",
    "configurations", "cpu", "decoded", "experiment", "key", "libraries", "lock", "processor",
    "require", "require_writable", "results_mode", "same_conditions", "sweep", "sweeps", "write_atomically",
]  # fmt: skip
