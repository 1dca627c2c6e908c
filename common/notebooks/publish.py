"""Reproduces the notebooks, and writes their outputs, their figures and the table in the README."""

import base64
import re
import time
from pathlib import Path

import nbformat
import pandas as pd
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from common.experiments import write_atomically
from common.notebooks import claims
from common.notebooks.compare import differing_cells, without_picture
from common.notebooks.execution import (
    ROOT,
    DamagedNotebookError,
    code_cells,
    execute,
    explorers,
    paths,
    read,
    side_by_side,
)

EVIDENCE = "docs/evidence"  # committed outputs of commands
TABLE = "reproduce.csv"
FIGURE_TAG = "figure-"


def reproduce(root: Path = ROOT) -> pd.DataFrame:
    """Execute a copy of every notebook and return the table at the end of `make reproduce`.

    Several notebooks are executed at a time, the longest first. A copy from an interrupted run counts as
    done; its seconds are then only the time of reading it.
    """
    build = root / "build"
    unfinished = build / "reproduce.unfinished"
    build.mkdir(exist_ok=True)
    if not unfinished.exists():
        unfinished.touch()
    since = unfinished.stat().st_mtime
    sources = paths(root)
    seconds = _seconds(root)
    longest_first = sorted(sources, key=lambda path: -seconds.get(_name(path), path.stat().st_size))
    rows = {}
    for name, took, outputs in side_by_side(lambda path: _reproduced(path, since), longest_first):
        rows[name] = round(took, 1), outputs
        print(f"{len(rows)} of {len(sources)}: {name}", flush=True)
    table = pd.DataFrame(
        [(name, *rows[name]) for name in map(_name, sources)], columns=["notebook", "seconds", "outputs"]
    )
    write_atomically(build / TABLE, table.to_csv(index=False).encode())
    unfinished.unlink()
    return table


def _reproduced(path: Path, since: float) -> tuple[str, float, str]:
    """Return name, seconds and verdict of a notebook; execute it unless its copy is newer than `since`."""
    start, copy = time.perf_counter(), _copy_of(path)
    if not _is_done(copy, max(since, path.stat().st_mtime)):
        copy.unlink(missing_ok=True)
        try:
            write_atomically(copy, nbformat.writes(execute(path)).encode())
        except CellExecutionError as error:
            verdict = f"failed: {error.ename}: {error.evalue}"
        except DeadKernelError:
            verdict = "failed: its kernel died; memory may be too small"
    if copy.exists():
        different = ", ".join(map(str, differing_cells(read(path), read(copy))))
        verdict = f"different in code cells {different}" if different else "identical"
    return _name(path), time.perf_counter() - start, verdict


def _is_done(copy: Path, since: float) -> bool:
    try:
        return copy.stat().st_mtime >= since and bool(read(copy))
    except (FileNotFoundError, DamagedNotebookError):
        return False


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _copy_of(path: Path) -> Path:
    return path.parents[1] / "build" / "notebooks" / _name(path)


def _seconds(root: Path) -> dict[str, float]:
    """Return the seconds of each notebook in the committed table of `reproduce`."""
    table = root / EVIDENCE / TABLE
    return pd.read_csv(table, index_col="notebook")["seconds"].to_dict() if table.exists() else {}


def write(root: Path = ROOT, study: str | None = None) -> None:
    """Execute the notebooks of one or all studies in place; write their figures and the front page's table.

    Raises
    ------
    ValueError
        There is no such study, or a figure has no picture.
    """
    found = [*paths(root), *explorers(root)]
    studies = list(dict.fromkeys(path.parent.name for path in found))
    if study is not None and study not in studies:
        raise ValueError(f"There is no study {study!r} with notebooks; there are {', '.join(studies)}.")
    chosen = [path for path in found if study in (None, path.parent.name)]
    for path, notebook in side_by_side(lambda path: (path, execute(path)), chosen):
        publish(path, notebook)
        print(_name(path), flush=True)
    front_page = root / "README.md"
    write_atomically(front_page, with_table(front_page.read_text(encoding="utf-8"), root).encode())


def write_one(path: Path) -> None:
    """Execute the notebook at `path` in place and write its figures."""
    publish(path, execute(path))


def publish(path: Path, notebook: NotebookNode) -> None:
    """Write an executed notebook to `path`, and write its figures.

    Raises
    ------
    ValueError
        A figure has no picture; nothing is written.
    """
    if bare := without_picture(notebook, before=read(path)):
        raise ValueError(
            f"{_name(path)} was not written and is as it was: code cells {', '.join(map(str, bare))} show "
            "figures without pictures; unset MPLBACKEND, and let each cell end with its figure."
        )
    write_atomically(path, nbformat.writes(notebook).encode())
    for name, png in figures(notebook).items():
        write_atomically(path.parent / "figures" / f"{name}.png", png)


def figures(notebook: NotebookNode) -> dict[str, bytes]:
    """Return a dict from NAME to the PNG bytes of the cell tagged ``figure-NAME``."""
    return {
        tag.removeprefix(FIGURE_TAG): base64.b64decode(output.data["image/png"])
        for cell in code_cells(notebook)
        for tag in cell.metadata.get("tags", [])
        if tag.startswith(FIGURE_TAG)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    }


def with_table(readme: str, root: Path = ROOT) -> str:
    """Return the text of the front page with the table of the committed notebooks.

    The seconds come from the committed table of `reproduce`.
    """
    committed = {_name(path): read(path) for path in paths(root)}
    start, end = "<!-- notebooks -->", "<!-- end notebooks -->"
    table = f"{start}\n{claims.table_of_notebooks(committed, _seconds(root))}\n{end}"
    return re.sub(f"{start}.*?{end}", lambda _: table, readme, flags=re.DOTALL)
