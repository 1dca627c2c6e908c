"""Measures stored records again and says how far the new values are from the stored ones.

``python -m common.experiments.audit sample`` measures a sample that changes every day, for `make test`;
``python -m common.experiments.audit scratch [STUDY]`` measures everything, of one study or of all, for
`make scratch`.
The new records go to ``build/scratch``, so the committed ones stay as they are and an interrupted command
continues where it was; the reports stay in ``build``.
"""

import argparse
import datetime
import hashlib
import importlib
import json
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from common.experiments import Store, complete, decoded, same_conditions, write_atomically

ROOT = Path(__file__).parents[2]
DEAREST = 120  # seconds that a record may have taken for `samples` to measure it again


def studies():
    """Return the names of the studies that have records."""
    return sorted({path.parent.parent.name for path in ROOT.glob("*/results/*.jsonl")})


def stores(study="*"):
    """Yield (experiment function, its committed store) for one study or for all."""
    for path in sorted(ROOT.glob(f"{study}/results/*.jsonl")):
        module = importlib.import_module(f"{path.parent.parent.name}.experiments")
        yield getattr(module, path.stem), Store(path)


def cost(study):
    """Return in a sentence how many records a study has, what they took, and on which processors."""
    records = [record for _, store in stores(study) for record in store.read().values()]
    hours = sum(record["seconds"] for record in records) / 3600
    kinds = ", ".join(sorted({record["cpu"] for record in records}))
    time = f"{hours:.0f} hours of one core, so about {hours / 2:.0f} hours on two"
    return f"{len(records):,} measurements, {time}: {kinds}."


def sample(records, day, seconds):
    """Return records that took at most `seconds` together, in an order that `day` shuffles.

    A record that took longer than what is left of the seconds is passed over.
    """
    chosen = {}
    for k in sorted(records, key=lambda k: hashlib.sha256(f"{day} {k}".encode()).digest()):
        if records[k]["seconds"] <= seconds:
            chosen[k] = records[k]
            seconds -= records[k]["seconds"]
    return chosen


def samples(stored, day, seconds):
    """Return the sample of every store; of those whose records are all dear, one has its turn each day.

    A store whose cheapest record took longer than `DEAREST` seconds is left to `scratch`.

    Parameters
    ----------
    stored : list of dict
        The records of every store.
    day : datetime.date
    seconds : float
        Of a store with records that take no longer.

    Returns
    -------
    list of dict
        As long; the store whose turn it is gives its cheapest record, the other dear ones nothing.
    """
    chosen = [sample(records, day, seconds) for records in stored]
    cheapest = [min(records.items(), key=lambda item: item[1]["seconds"]) for records in stored]
    dear = [n for n, (_, record) in enumerate(cheapest) if not chosen[n] and record["seconds"] <= DEAREST]
    if dear:
        turn = dear[day.toordinal() % len(dear)]
        chosen[turn] = dict([cheapest[turn]])
    return chosen


def remeasure(work):
    """Measure the configurations of records again and return how they are `compared`.

    Parameters
    ----------
    work : list of (experiment, records, Store)
        The store receives the new records.
    """
    complete([
        (store, function, [record["config"] for record in records.values()])
        for function, records, store in work
    ])  # fmt: skip
    return compared(work)


def compared(work):
    """Return one row for each record that was measured again.

    Parameters
    ----------
    work : list of (experiment, records, Store)
        The store holds the new records.

    Returns
    -------
    pandas.DataFrame
        Columns experiment, configuration, cpu and seconds of the new record, difference (the largest one,
        see `difference`), tolerance and verdict: "identical", "within tolerance" or "drifted".
    """
    rows = []
    for function, records, store in work:
        measured = store.read()
        for name, record in records.items():
            new = measured[name]
            far = difference(record["result"], new["result"])
            judged = verdict(far, function.tolerance, same_conditions(record, new))
            spent = new["cpu"], new["seconds"]
            rows.append((function.__name__, name, *spent, far, function.tolerance, judged))
    columns = ["experiment", "configuration", "cpu", "seconds", "difference", "tolerance", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def difference(stored, measured):
    """Return the largest ``abs(x - y) / max(1, abs(x))`` over two results; infinity if they do not match.

    Of a list, such as a training curve, it is the mean over the list, because single epochs differ by more
    than what the training comes to. Of decisions, which are boolean arrays, it is the share that differ.
    """
    if stored.keys() != measured.keys():
        return np.inf
    stored, measured = decoded(stored), decoded(measured)
    return max((_distance(stored[name], measured[name]) for name in stored), default=0.0)


def verdict(far, tolerance, same_machine):
    """Judge a difference: the same kind of machine must give the same bits, another one comes close."""
    if far == 0:
        return "identical"
    return "within tolerance" if far <= tolerance and not same_machine else "drifted"


def _distance(x, y):
    x, y = np.asarray(x), np.asarray(y)
    if x.shape == y.shape and x.dtype == y.dtype == bool:
        return float(np.mean(x != y))
    if json.dumps(x.tolist()) == json.dumps(y.tolist()):
        return 0.0
    if x.shape != y.shape or not (np.issubdtype(x.dtype, np.number) and np.issubdtype(y.dtype, np.number)):
        return np.inf
    distance = np.mean(np.abs(x - y) / np.maximum(1, np.abs(x)))
    return np.inf if np.isnan(distance) else float(distance)


def audit_sample(seconds):
    """Measure today's sample of every store again, into a temporary folder, and return its table."""
    committed = list(stores())
    chosen = samples([store.read() for _, store in committed], datetime.date.today(), seconds)
    with tempfile.TemporaryDirectory() as folder:
        work = [
            (function, records, Store(Path(folder) / store.path.relative_to(ROOT)))
            for (function, store), records in zip(committed, chosen, strict=True)
        ]
        # The longest first, so that the processes end at about the same time.
        return remeasure(sorted(work, key=lambda item: -_longest(item[1])))


def _longest(records):
    return max((record["seconds"] for record in records.values()), default=0)


def scratch(study):
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
        (function, store.read(), Store(build / "scratch" / store.path.relative_to(ROOT)))
        for function, store in stores(study)
    ])  # fmt: skip
    write_atomically(build / f"scratch_{study}.txt", f"{report(table)}\n".encode())
    shutil.rmtree(build / "scratch" / study)
    return table


def report(table):
    """Return the text of a table of `remeasure` with its `summary`."""
    rows = table.drop(columns="cpu").to_string(index=False, max_colwidth=90)
    return f"{rows}\n{summary(table)}"


def summary(table):
    """Return the last lines of a report: per experiment and verdict the records, their hours, the largest
    difference and what is tolerated; and the processors.
    """
    rows = table.groupby(["experiment", "verdict"], dropna=False).agg(
        records=("verdict", "size"),
        core_hours=("seconds", lambda seconds: round(seconds.sum() / 3600, 2)),
        largest_difference=("difference", "max"),
        tolerance=("tolerance", "max"),
    )
    return f"{rows.to_string()}\non {'; '.join(sorted(set(table['cpu'])))}"


def main(argv=None):
    """Run the command line; return 1 if a record drifted, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m common.experiments.audit", description=__doc__.splitlines()[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("sample", help="a sample of today").add_argument("--seconds", type=float, default=5)
    commands.add_parser("scratch", help="everything").add_argument("study", nargs="?")
    arguments = parser.parse_args(argv)
    if arguments.command == "sample":
        measurements = [partial(audit_sample, arguments.seconds)]
    else:
        chosen = [arguments.study] if arguments.study else studies()
        measurements = [partial(scratch, study) for study in chosen]
    drifted = False
    try:
        for measure in measurements:
            table = measure()
            print(report(table))
            drifted |= (table["verdict"] == "drifted").any()
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    return int(drifted)


if __name__ == "__main__":
    sys.exit(main())
