"""Tables of the results of experiments; missing records are measured in one parallel call."""

import importlib
import inspect
import itertools
import os
import signal
import statistics
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Generator, Hashable, Mapping
from functools import cache
from typing import Any, TypeAlias

import joblib
import pandas as pd
from joblib.externals.loky import get_reusable_executor
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from common import checkout, environment
from common.experiments.conditions import conditions
from common.experiments.declaration import (
    Config,
    Experiment,
    Grid,
    absent_data,
    configurations,
    data_sha256,
    is_valid,
)
from common.experiments.store import Store, decoded, encoded, key
from common.files import require_writable

# A plan yields sweeps, receives their tables, and returns its own result.
Plan: TypeAlias = Generator[list[tuple[Experiment, Grid]], list[pd.DataFrame], Any]
Work: TypeAlias = list[tuple[Store, Experiment, list[Config]]]
Job: TypeAlias = tuple[Store, Experiment, Config]
Setup: TypeAlias = frozenset[tuple[str, str]]  # the arguments without the seed


class MissingRecordError(LookupError):
    """A replayed sweep needs a record that the store does not hold."""


class Interrupted(KeyboardInterrupt):
    """An interruption of measurements; the message says how many records are stored."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]  # IPython shows this


def sweep(function: Experiment, /, **grid: Any) -> pd.DataFrame:
    """Return one row for every combination of the arguments, and measure missing ones.

    Parameters
    ----------
    function : experiment
    **grid
        For each argument one JSON value, or several in a list, tuple, range or array. Omitted arguments take
        the function's defaults. NumPy numbers count as numbers, and 1.0 equals 1.

    Returns
    -------
    pandas.DataFrame
        The arguments and the results as columns, rows in the order of the grid (last argument fastest).

    Raises
    ------
    MissingRecordError
        A record is missing and ``RESULTS=replay``.
    ValueError
        An unknown or missing argument, one that JSON cannot hold or that holds a value twice, a seed that is
        None, or a data set without a SHA-256.
    FileNotFoundError
        A record is missing, and so are the data for its measurement.
    Interrupted
        The user interrupted; finished records are stored.
    """
    return sweeps({"": (function, grid)})[""]


def sweeps(work: Mapping[Hashable, tuple[Experiment, Grid] | Plan]) -> dict[Hashable, Any]:
    """Return the tables of several sweeps, and measure all missing records in one parallel call.

    Parameters
    ----------
    work : dict from a name to (experiment, grid), or to a plan
        A plan is a generator for measurements in several rounds, such as a choice and its consequences. In
        each round it yields a list of (experiment, grid) and receives the list of their tables; at the end it
        returns its result. Each round of all plans is one parallel call.

    Returns
    -------
    dict
        From each name to a table, as from `sweep`, or to the result of the plan.

    Raises
    ------
    As `sweep`.
    """
    plans = {name: _once(*one) if isinstance(one, tuple) else one for name, one in work.items()}
    for name, plan in plans.items():
        if not inspect.isgenerator(plan) or inspect.getgeneratorstate(plan) != inspect.GEN_CREATED:
            raise ValueError(f"{name!r} must be (experiment, grid) or a plan, which can be carried out once.")
    results: dict[Hashable, Any] = {}
    answers: dict[Hashable, Any] = dict.fromkeys(plans)
    while answers:
        asked = {}
        for name, answer in answers.items():
            try:
                asked[name] = plans[name].send(answer)
            except StopIteration as end:
                results[name] = end.value
        tables = iter(_tables(list(itertools.chain.from_iterable(asked.values()))))
        answers = {name: list(itertools.islice(tables, len(pairs))) for name, pairs in asked.items()}
    return {name: results[name] for name in work}


def _once(function: Experiment, grid: Grid) -> Plan:
    (table,) = yield [(function, grid)]
    return table


def _tables(pairs: list[tuple[Experiment, Grid]]) -> list[pd.DataFrame]:
    work = [(Store.of(function), function, configurations(function, grid)) for function, grid in pairs]
    (require if results_mode() == "replay" else complete)(work)
    tables = []
    for store, _, configs in work:
        records = store.read()
        tables.append(pd.DataFrame([c | decoded(records[key(c)]["result"]) for c in configs]))
    return tables


def results_mode() -> str:
    """Return ``"replay"`` or ``"compute"``, the value of the environment variable ``RESULTS``."""
    mode = os.environ.get("RESULTS", "compute")
    if mode not in ("replay", "compute"):
        raise ValueError(f"RESULTS must be 'replay' or 'compute', not {mode!r}.")
    return mode


def require(work: Work) -> None:
    """Raise `MissingRecordError` unless the stores hold a valid record of every configuration."""
    for store, function, configs in work:
        missing = _missing(store, function, configs)
        if missing:
            checkout.require(store.path.name)
            raise MissingRecordError(
                f"{len(missing)} of {len(configs)} records of {function.__name__} (version "
                f"{function.version}) are missing from {store.path.name}, the first is {key(missing[0])}; "
                "run the notebook without RESULTS=replay to measure them."
            )


def complete(work: Work) -> None:
    """Measure missing records in one parallel call, and store each as soon as it is finished.

    Parameters
    ----------
    work : list of (Store, experiment, list of configurations)

    Raises
    ------
    PermissionError, OSError
        A store cannot be written.
    FileNotFoundError
        Data that do not ship are absent.
    Interrupted
        The user interrupted.
    """
    wanted = {
        (store.path, key(config)): (store, function, config)
        for store, function, configs in work
        for config in _missing(store, function, configs)
    }
    if not wanted:
        return
    jobs = list(wanted.values())
    _require_possible(jobs)
    seconds = _expected_seconds(jobs)
    planned = sum(len(configs) for *_, configs in work)
    names = ", ".join(dict.fromkeys(function.__name__ for _, function, _ in jobs))
    print(
        f"Measuring {len(jobs)} of {planned} records ({names}) takes {_in_words(seconds)}; "
        "an interruption keeps all finished records.",
        flush=True,
    )
    # The longest jobs come first, so that the processes end at about the same time.
    order = sorted(range(len(jobs)), key=lambda n: -(seconds[n] or 0))
    _measure_all([jobs[n] for n in order], names)


def _require_possible(jobs: list[Job]) -> None:
    for path in {store.path for store, *_ in jobs}:
        require_writable(path)
    absent = {name for _, function, config in jobs for name in absent_data(function, config)}
    if absent:
        raise FileNotFoundError(
            f"{len(jobs)} records are missing, and so are the data to measure them on: "
            f"{', '.join(sorted(absent))}; `make data` downloads them. Stored records replay without them."
        )


def _measure_all(jobs: list[Job], names: str) -> None:
    # Calls name the experiment, so that a worker imports it, and TensorFlow, in the right environment.
    calls = (
        joblib.delayed(_measure)(store, function.__module__, function.__name__, config, os.getpid())
        for store, function, config in jobs
    )
    # With one worker joblib would measure in this process, where Keras may have other settings.
    workers = -1 if _workers() > 1 else 2
    try:
        with warnings.catch_warnings(), environment.applied(MPLBACKEND="Agg"):
            # joblib replaces workers whose memory has grown, as TensorFlow's memory does; nothing is lost.
            warnings.filterwarnings("ignore", "A worker stopped", UserWarning)
            finished = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")(calls)
            for _ in tqdm(finished, total=len(jobs), desc=names, leave=False):
                pass
    except KeyboardInterrupt:
        _stop_workers()
        done = sum(not _missing(store, function, [config]) for store, function, config in jobs)
        raise Interrupted(
            f"Interrupted: {done} of {len(jobs)} records are measured and stored; run it again to go on."
        ) from None
    finally:
        # Otherwise joblib keeps the workers, with the current version of the code, for the next sweep.
        _stop_workers()


def _stop_workers() -> None:
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _workers() -> int:
    return joblib.effective_n_jobs(-1)


def _expected_seconds(jobs: list[Job]) -> list[float | None]:
    """Return the expected seconds of each record: the median of the most similar stored records."""
    known = {
        path: _known_seconds(Store(path)) for path in {Store.of(function).path for _, function, _ in jobs}
    }
    alike = cache(lambda path, setup: _seconds_alike(setup, known[path]))
    return [alike(Store.of(function).path, _but_seed(config)) for _, function, config in jobs]


def _known_seconds(store: Store) -> dict[Setup, float]:
    seconds = defaultdict(list)
    for record in store.read().values():
        seconds[_but_seed(record["config"])].append(record["seconds"])
    return {setup: statistics.median(values) for setup, values in seconds.items()}


def _seconds_alike(setup: Setup, known: dict[Setup, float]) -> float | None:
    alike = defaultdict(list)
    for other, seconds in known.items():
        alike[len(setup & other)].append(seconds)
    return statistics.median(alike[max(alike)]) if alike else None


def _but_seed(config: Config) -> Setup:
    return frozenset((name, key({"": value})) for name, value in config.items() if name != "seed")


def _in_words(seconds: list[float | None]) -> str:
    """Return the total time of measurements in words; unknown times count like the mean of the others."""
    known = [each for each in seconds if each is not None]
    if not known:
        return "an unknown time"
    total = max(len(seconds) * statistics.mean(known) / _workers(), *known)
    amount, unit = next((total / n, u) for n, u in ((3600, "hours"), (60, "minutes"), (1, "seconds")) if
                        total >= 2 * n or n == 1)  # fmt: skip
    cores = "one core" if _workers() == 1 else f"{_workers()} cores"
    return f"about {max(1, amount):.0f} {unit if amount >= 1.5 else unit[:-1]} on {cores}"


def _missing(store: Store, function: Experiment, configs: list[Config]) -> list[Config]:
    records = store.read()
    return [config for config in configs if not is_valid(records.get(key(config)), function)]


def _measure(store: Store, module: str, name: str, config: Config, parent: int) -> None:
    if os.getppid() == parent and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interruption is the parent's to handle
    environment.apply(MPLBACKEND=os.environ.get("MPLBACKEND", "Agg"))
    function = getattr(importlib.import_module(module), name)
    conditions()  # refuses settings that would change the numbers
    start = time.perf_counter()
    with threadpool_limits(1):  # NumPy may have been imported before the environment was set
        result = encoded(function, function(**config))
    store.add({
        "config": config,
        "result": result,
        "version": function.version,
        "data_sha256": data_sha256(function, config),
        "seconds": round(time.perf_counter() - start, 2),
        **conditions(),
    })  # fmt: skip
