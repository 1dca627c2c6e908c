"""The tables of ``docs/*.md``, which come from the notebooks' claims and from ``docs/evidence``.

``python docs/tables.py`` writes each between ``<!-- NAME -->`` and ``<!-- end NAME -->``, so that the pages
can be read on GitHub as well as on the site.
"""

import re
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from common.experiments import Store, write_atomically  # noqa: E402
from common.notebooks import claims, paths, read  # noqa: E402

EVIDENCE = ROOT / "docs" / "evidence"
PAGES = ("claims", "benchmarks", "reliability")
VERDICTS = ("identical", "within tolerance", "drifted")


def claims_of(study: str) -> str:
    """Return the claims of a study, each with its notebook, below the command that measures them again."""
    rows = [
        (f"{claim} ([notebook {int(path.stem[:2])}](../{study}/{path.name}))", measured)
        for path in paths()
        if path.parent.name == study
        for claim, measured in claims.made_in(read(path))
    ]
    return f"{_cost(study)}\n\n{_table(('claim', 'measured'), rows)}"


def benchmarks() -> list[tuple[str, list[tuple[str, float, float, str]]]]:
    """Return each task of ``make bench`` with (name, seconds, ratio to ours, target and verdict) of all.

    A remark is a task without any.
    """
    tasks: list[tuple[str, list[tuple[str, float, float, str]]]] = []
    row = re.compile(r"  (.+?)\s+([\d.e+-]+) s\s+([\d.]+)x\s+\d+ MB(?: \(.*?\))?\s*(.*)")
    for line in _evidence("benchmarks.txt").splitlines()[2:]:
        if found := row.fullmatch(line):
            tasks[-1][1].append((found[1], float(found[2]), float(found[3]), found[4]))
        elif not line.startswith(" "):
            tasks.append((line, []))
    return tasks


def table_of_benchmarks() -> str:
    """Return the machine of the last ``make bench`` and its measurements."""
    machine = _evidence("benchmarks.txt").splitlines()[0]
    rows, remarks = [], [task for task, found in benchmarks() if not found]
    for task, found in benchmarks():
        ours = {name: seconds for name, seconds, _, _ in found}.get("ours")
        others = [other for other in found if other[0] != "ours"] or [("", None, None, "")] * len(found)
        for name, seconds, ratio, verdict in others:
            target, _, met = verdict.partition("x")
            rows.append((task, name, _number(ours), _number(seconds), _number(ratio), target, met.strip()))
    head = ("task", "beside", "our seconds", "its seconds", "speed-up ↑", "target", "verdict")
    missed = [
        f"- {task}: the speed-up over {name} is {found}, not {target}"
        for task, name, _, _, found, target, verdict in rows
        if verdict == "missed"
    ]
    judged = sum(bool(row[-1]) for row in rows)
    said = f"{judged - len(missed)} of {judged} targets are met. These are missed:"
    return "\n\n".join([_machine(machine), said, "\n".join(missed), _table(head, rows), *remarks])


def table_of_tomography() -> str:
    """Return what each library of tomography costs on a CPU, how exact it is, and which are left out."""
    machine, *lines = _evidence("tomography.txt").splitlines()
    rows, task = [], ""
    for line in lines:
        if not line.startswith(" "):
            task = line
            continue
        name, *numbers = re.split(r"\s{2,}", line.strip())
        rows.append((task, name, *(_number(float(number)) for number in numbers)))
        task = ""
    remarks = " ".join(line for line in lines if line.endswith("."))
    seconds = [f"{operator}, s ↓" for operator in ("forward", "adjoint", "filtered backprojection")]
    errors = ("dot test ↓", "round trip ↓", "from scikit-image")
    return f"{_machine(machine)}\n\n{_table(('task', 'library', *seconds, *errors), rows)}\n\n{remarks}"


def table_of_faults() -> str:
    """Return what ``make faults`` tried, how often, and what held."""
    *lines, machine = _evidence("faults.txt").splitlines()
    found = [re.fullmatch(r"\s*([\d,]+) x (.*?): (.*) \((\w+)\)", line) for line in lines]
    held = {"passed": "", "failed": " (**it did not**)"}
    rows = [(row[2], row[1], row[3] + held[row[4]]) for row in found if row]
    failed = sum(row[4] != "passed" for row in found if row)
    said = "All of it held" if not failed else f"{failed} of {len(rows)} did not hold"
    return f"{said}, {machine}.\n\n{_table(('what we did', 'times', 'what must hold'), rows)}"


def table_of_repetitions() -> str:
    """Return how close the second measurement of each experiment came to its records, by study."""
    return "\n\n".join(_repetition(path) for path in sorted(EVIDENCE.glob("scratch_*.txt")))


def share_of_drifts_found() -> str:
    """Return what share of changed numbers in sentences the tests find."""
    total, found, share = re.findall(r"\d[\d,.]*\d", _evidence("prose.txt"))
    return (
        f"The answers of the notebooks and the READMEs of the studies hold {total} numbers. We changed a "
        f"digit of each; the test found {found} of the changes, {share} %."
    )


TABLES = {
    "benchmarks": table_of_benchmarks,
    "faults": table_of_faults,
    "prose": share_of_drifts_found,
    "repetitions": table_of_repetitions,
    "tomography": table_of_tomography,
}


def filled(page: str) -> str:
    """Return the text of a page with its tables as the evidence of today has them."""

    def made(found: re.Match[str]) -> str:
        name = found[1]
        text = claims_of(name.removeprefix("claims_")) if name.startswith("claims_") else TABLES[name]()
        return f"<!-- {name} -->\n{text}\n<!-- end {name} -->"

    return re.sub(r"<!-- (\w+) -->.*?<!-- end \1 -->", made, page, flags=re.DOTALL)


def _cost(study):
    stores = [Store(path) for path in sorted((ROOT / study / "results").glob("*.jsonl"))]
    records = [record for store in stores for record in store.read().values()]
    hours = sum(record["seconds"] for record in records) / 3600
    command = f"`make scratch STUDY={study}`"
    return f"{command} measures all {len(records):,} records again, in {hours:.0f} hours of one core."


def _repetition(path):
    *lines, machine = path.read_text(encoding="utf-8").splitlines()
    counts = pd.DataFrame([_verdict(line) for line in lines[2:]])
    counts["experiment"] = counts["experiment"].replace("", pd.NA).ffill()
    rows = []
    for experiment, found in counts.groupby("experiment"):
        by_verdict = found.set_index("verdict")["records"]
        counted = [f"{by_verdict.get(verdict, 0):,}" for verdict in VERDICTS]
        rows.append((f"`{experiment}`", *counted, f"{found['largest'].max():.2g}", found["tolerance"].max()))
    head = ("experiment", *VERDICTS, "largest difference", "tolerance")
    study = path.stem.removeprefix("scratch_")
    return f"`{study}`, {machine}:\n\n{_table(head, rows)}"


def _verdict(line):
    pattern = r"(\w*)\s+(identical|within tolerance|drifted)\s+(\d+)\s+\S+\s+(\S+)\s+(\S+)\s*"
    experiment, verdict, records, largest, tolerance = re.fullmatch(pattern, line).groups()
    return {
        "experiment": experiment,
        "verdict": verdict,
        "records": int(records),
        "largest": float(largest),
        "tolerance": float(tolerance),
    }


def _number(value):
    return "" if value is None or value != value else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _machine(line):
    processor, libraries = re.fullmatch(r"(.*?), (?=\d+ cores)(.*)", line).groups()
    cores, _, versions = libraries.partition(", ")
    said = ", ".join(f"{name} {version}" for name, version in re.findall(r"'([\w-]+)': '([^']+)'", versions))
    return f"Measured on {cores} of {processor}, with {said}."


def _evidence(name):
    return (EVIDENCE / name).read_text(encoding="utf-8")


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


if __name__ == "__main__":
    for name in PAGES:
        page = ROOT / "docs" / f"{name}.md"
        write_atomically(page, filled(page.read_text(encoding="utf-8")).encode())
