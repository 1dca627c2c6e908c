"""Measures stored records again and compares the new values with the stored ones.

``python -m common.experiments.audit sample [--seconds SECONDS] [--seed SEED]`` measures a random sample
(`make test`). ``python -m common.experiments.audit scratch [STUDY]`` measures all records of one study or of
all studies (`make scratch`). Both skip records whose data are not on this machine. The new records of
`scratch` go to ``build/scratch``, so the committed records stay unchanged and an interrupted command
continues; the reports stay in ``build``.
"""

import argparse
import importlib
import json
import random
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from common import checkout, environment
from common.experiments.conditions import same_conditions
from common.experiments.declaration import Experiment, absent_data
from common.experiments.measurement import complete
from common.experiments.store import Record, Store, decoded
from common.files import write_atomically

ROOT = Path(__file__).parents[2]
SECONDS = 10  # of one core, for a sample
Records: TypeAlias = dict[str, Record]
Again: TypeAlias = list[tuple[Experiment, Records, Store]]


def studies() -> list[str]:
    """Return the names of the studies that have records."""
    return sorted({path.parent.parent.name for path in ROOT.glob("*/results/*.jsonl")})


def stores(study: str = "*") -> Iterator[tuple[Experiment, Store]]:
    """Yield (experiment, committed store) for one study or for all."""
    for path in sorted(ROOT.glob(f"{study}/results/*.jsonl")):
        module = importlib.import_module(f"{path.parent.parent.name}.experiments")
        yield getattr(module, path.stem), Store(path)


def cost(study: str) -> str:
    """Return a sentence with the number, the total time and the processors of a study's records."""
    records = [record for _, store in stores(study) for record in store.read().values()]
    hours = sum(record["seconds"] for record in records) / 3600
    kinds = ", ".join(sorted({record["cpu"] for record in records}))
    time = f"{hours:.0f} hours of one core, so about {hours / 2:.0f} hours on two"
    return f"{len(records):,} measurements, {time}: {kinds}."


def sample(stored: list[Records], seed: int, seconds: float) -> list[Records]:
    """Return a random part of the records of several stores, which took at most `seconds` in total.

    A record that took longer than the remaining seconds is skipped.
    """
    every = [(number, name) for number, records in enumerate(stored) for name in sorted(records)]
    random.Random(seed).shuffle(every)
    chosen: list[Records] = [{} for _ in stored]
    for number, name in every:
        record = stored[number][name]
        if record["seconds"] <= seconds:
            chosen[number][name] = record
            seconds -= record["seconds"]
    return chosen


def remeasure(work: Again) -> pd.DataFrame:
    """Measure the configurations of records again and return the table of `compared`.

    Parameters
    ----------
    work : list of (experiment, records, Store)
        The store receives the new records.
    """
    complete([(store, f, [record["config"] for record in records.values()]) for f, records, store in work])
    return compared(work)


def compared(work: Again) -> pd.DataFrame:
    """Return one row for each record that was measured again.

    Parameters
    ----------
    work : list of (experiment, records, Store)
        The store holds the new records.

    Returns
    -------
    pandas.DataFrame
        Columns experiment and configuration; cpu and seconds of the new record; difference and tolerance of
        the result with the largest ratio of the two; verdict: "identical", "within tolerance" or "drifted".
    """
    rows = []
    for function, records, store in work:
        measured = store.read()
        for name, record in records.items():
            new = measured[name]
            far, allowed = worst(distances(record["result"], new["result"]), function.tolerance)
            judged = verdict(far, allowed, same_conditions(record, new))
            rows.append((function.__name__, name, new["cpu"], new["seconds"], far, allowed, judged))
    columns = ["experiment", "configuration", "cpu", "seconds", "difference", "tolerance", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def distances(stored: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, float]:
    """Return ``abs(x - y) / max(1, abs(x))`` for each result, or infinity if the results do not match.

    The distance of lists, such as training curves, is the mean over the list, because single epochs differ
    more than the results of training. The distance of decisions, which are boolean arrays, is the share that
    differs.

    >>> distances({"a": 0.5, "b": [0.0, 1.0]}, {"a": 0.25, "b": [0.0, 0.75]})
    {'a': 0.25, 'b': 0.125}
    """
    stored, measured = decoded(stored), decoded(measured)
    unmatched = dict.fromkeys(stored.keys() ^ measured.keys(), np.inf)
    return unmatched | {name: _distance(x, measured[name]) for name, x in stored.items() if name in measured}


def worst(distances: Mapping[str, float], tolerance: float | Mapping[str, float]) -> tuple[float, float]:
    """Return the distance that is largest relative to its tolerance, and its tolerance."""
    allowed = tolerance if isinstance(tolerance, Mapping) else dict.fromkeys(distances, tolerance)
    pairs = [(far, allowed.get(name, 0.0)) for name, far in distances.items()]
    # With a tolerance of 0 any distance is too large.
    return max(pairs, key=lambda pair: pair[0] / (pair[1] or 1e-300), default=(0.0, 0.0))


def verdict(far: float, tolerance: float, same_machine: bool) -> str:
    """Return the verdict on a difference; only other conditions may give other bits."""
    if far == 0:
        return "identical"
    return "within tolerance" if far <= tolerance and not same_machine else "drifted"


def _distance(x: Any, y: Any) -> float:
    x, y = np.asarray(x), np.asarray(y)
    if x.shape == y.shape and x.dtype == y.dtype == bool:
        return float(np.mean(x != y))
    if json.dumps(x.tolist()) == json.dumps(y.tolist()):
        return 0.0
    if x.shape != y.shape or not (np.issubdtype(x.dtype, np.number) and np.issubdtype(y.dtype, np.number)):
        return np.inf
    distance = np.mean(np.abs(x - y) / np.maximum(1, np.abs(x)))
    return np.inf if np.isnan(distance) else float(distance)


def audit_sample(seconds: float, seed: int) -> pd.DataFrame:
    """Measure a `sample` of all records again in a temporary folder and return its table."""
    committed = list(stores())
    present = [_present(function, store.read()) for function, store in committed]
    with tempfile.TemporaryDirectory() as folder:
        return remeasure([
            (function, records, Store(Path(folder) / store.path.relative_to(ROOT)))
            for (function, store), records in zip(committed, sample(present, seed, seconds), strict=True)
        ])  # fmt: skip


def _present(function: Experiment, records: Records) -> Records:
    """Return the records whose data are on this machine, and print how many others are skipped."""
    absent = {name: absent_data(function, record["config"]) for name, record in records.items()}
    names = sorted({name for missing in absent.values() for name in missing})
    if names:
        count = sum(map(bool, absent.values()))
        print(f"{count} records of {function.__name__} are passed over: no {', '.join(names)} (make data).")
    return {name: record for name, record in records.items() if not absent[name]}


def scratch(study: str) -> pd.DataFrame:
    """Measure every record of a study again and return the table.

    The new records are kept in ``build/scratch/STUDY`` until the `report` is in ``build/scratch_STUDY.txt``.

    Raises
    ------
    ValueError
        The study has no records.
    """
    if study not in studies():
        raise ValueError(f"There are no records of {study!r}; there are those of {', '.join(studies())}.")
    build = ROOT / "build"
    table = remeasure([
        (function, _present(function, store.read()), Store(build / "scratch" / store.path.relative_to(ROOT)))
        for function, store in stores(study)
    ])  # fmt: skip
    write_atomically(build / f"scratch_{study}.txt", f"{report(table)}\n".encode())
    shutil.rmtree(build / "scratch" / study, ignore_errors=True)
    return table


def report(table: pd.DataFrame) -> str:
    """Return the text of a table of `remeasure` with its `summary`."""
    if table.empty:
        return "Nothing was measured."
    rows = table.drop(columns="cpu").to_string(index=False, max_colwidth=90)
    return f"{rows}\n{summary(table)}"


def summary(table: pd.DataFrame) -> str:
    """Return the end of a report: counts, hours and differences by experiment and verdict; processors."""
    rows = table.groupby(["experiment", "verdict"], dropna=False).agg(
        records=("verdict", "size"),
        core_hours=("seconds", lambda seconds: round(seconds.sum() / 3600, 2)),
        largest_difference=("difference", "max"),
        tolerance=("tolerance", "max"),
    )
    return f"{rows.to_string()}\non {'; '.join(sorted(set(table['cpu'])))}"


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return 1 if a record drifted, else 0."""
    about = __doc__.splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m common.experiments.audit", description=about)
    commands = parser.add_subparsers(dest="command", required=True)
    sampling = commands.add_parser("sample", help="a random sample")
    sampling.add_argument("--seconds", type=float, default=SECONDS, help="of one core, as stored")
    sampling.add_argument("--seed", type=int, help="the same sample again")
    commands.add_parser("scratch", help="everything").add_argument("study", nargs="?")
    arguments = parser.parse_args(argv)
    drifted = False
    try:
        checkout.require("Every record")
        environment.apply(MPLBACKEND="Agg")  # before the experiments import Keras
        for table in _tables(arguments):
            print(report(table))
            drifted |= bool((table["verdict"] == "drifted").any())
    except (OSError, ValueError, KeyboardInterrupt) as error:
        sys.exit(str(error) or "Interrupted.")
    return int(drifted)


def _tables(arguments: argparse.Namespace) -> Iterator[pd.DataFrame]:
    if arguments.command == "scratch":
        yield from map(scratch, [arguments.study] if arguments.study else studies())
        return
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    print(f"A sample of all records; draw it again with --seed {seed}.")
    yield audit_sample(arguments.seconds, seed)


if __name__ == "__main__":
    sys.exit(main())
