"""Memoised, parallel, resumable sweeps whose results are committed beside the study.

An experiment is a function of keyword arguments, in a study's `experiments.py`, that returns numbers, flat
lists of numbers, and boolean arrays, which are stored as bits::

    @experiment(version=1, tolerance=0.01)
    def accuracy(*, dataset="mnist", architecture, seed):
        ...
        return {"test_accuracy": 0.99}

    table = sweep(accuracy, architecture=["lenet5", "dense"], seed=range(5))

`sweep` looks every combination up in ``<study>/results/accuracy.jsonl``, measures what is missing in worker
processes, and returns all of them as one table; `sweeps` does so for several at once. A record counts only if
its configuration, its experiment's version and its data's SHA-256 are those of today. The environment
variable ``RESULTS=replay`` forbids measuring: a missing record is then an error.
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
