"""Executes the notebooks in fresh kernels, from the stored results.

``python -m common.notebooks reproduce`` executes copies under ``build/``, compares their outputs with the
committed ones and makes one HTML page of them; ``python -m common.notebooks write`` is the one writer of
committed outputs, and of what the READMEs show of them: a cell tagged ``figure-NAME`` writes its picture to
``<study>/figures/NAME.png``, and the Markdown that a cell tagged ``readme-NAME`` displays goes between
``<!-- NAME -->`` and ``<!-- end NAME -->`` in the READMEs. The root's README gets the tables of
`common.notebooks.claims` as well, of the notebooks and of what they claim.
"""

import base64
import itertools
import json
import re
import time
import warnings
from pathlib import Path

import nbformat
import pandas as pd
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from nbformat.warnings import MissingIDFieldWarning

from common.environment import SETTINGS, environment
from common.experiments import Store, write_atomically
from common.notebooks import claims

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
ENVIRONMENT = SETTINGS | {"RESULTS": "replay"}
IGNORE_OUTPUT = "nbval-ignore-output"
WIDGET = "application/vnd.jupyter.widget-view+json"
EVIDENCE = "docs/evidence"  # what commands printed, committed
TABLE = "reproduce.csv"
PAGE_TITLE = "Research notebooks"
FIGURE_TAG = "figure-"
README_TAG = "readme-"


def explorers():
    """Return the paths of the explorers, ``<study>/explore.ipynb``; their widgets are not compared."""
    return sorted(ROOT.glob("*/explore.ipynb"))


class DamagedNotebookError(ValueError):
    """A file is not a notebook."""


def paths():
    """Return the paths of all notebooks, ``<study>/NN_title.ipynb``, in order."""
    return sorted(ROOT.glob("*/[0-9][0-9]_*.ipynb"))


def read(path):
    """Return the notebook at `path`.

    Raises
    ------
    DamagedNotebookError
        The file is truncated or altered.
    """
    # nbformat takes a notebook without a version for an old one, and trips over an unbound variable.
    damages = ValueError, KeyError, TypeError, AttributeError, UnboundLocalError
    refusals = nbformat.ValidationError, MissingIDFieldWarning
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", MissingIDFieldWarning)
            notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
            nbformat.validate(notebook)
    except (*damages, *refusals) as error:
        raise DamagedNotebookError(f"{path.name} is not a whole notebook; restore it with git.") from error
    return notebook


def execute(path):
    """Execute the notebook at `path` top to bottom in a fresh kernel and return it with its new outputs.

    Whatever a cell writes to stderr is left out, and so is all metadata that differs between machines.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell raised an exception.
    """
    notebook = read(path)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=None,
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": path.parent}},
    )
    client.execute(env=environment(RESULTS="replay"))
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in code_cells(notebook):
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        for output in cell.outputs:
            if WIDGET in output.get("data", {}):
                del output.data["text/plain"]  # holds addresses and the bytes of pictures
    return notebook


def code_cells(notebook):
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def differing_cells(one, other):
    """Return the numbers, from 1, of the code cells of two notebooks whose source or outputs differ.

    Pictures are not compared, because they differ between platforms, and neither are the outputs of cells
    tagged ``nbval-ignore-output``; nbval does the same.
    """
    pairs = zip(code_cells(one), code_cells(other), strict=True)
    return [number for number, (a, b) in enumerate(pairs, 1) if _comparable(a) != _comparable(b)]


def figures(notebook):
    """Return the pictures of the cells tagged ``figure-NAME`` as a dict from NAME to PNG bytes."""
    pictures = _tagged(notebook, FIGURE_TAG, "image/png")
    return {name: base64.b64decode(picture) for name, picture in pictures.items()}


def filled(readme, notebook):
    """Return the text of a README with the Markdown that the notebook's ``readme-NAME`` cells display."""
    for name, markdown in _tagged(notebook, README_TAG, "text/markdown").items():
        readme = _between(readme, name, markdown)
    return readme


def with_tables(readme):
    """Return the text of a README with the tables of the committed notebooks, their claims, the records and
    the evidence.

    The seconds of the notebooks are those of the committed table of `reproduce`. A text of the evidence,
    ``NAME.txt``, goes between ``<!-- NAME -->`` and ``<!-- end NAME -->``.
    """
    committed = {str(path.relative_to(ROOT)): read(path) for path in paths()}
    evidence = ROOT / EVIDENCE
    table = evidence / TABLE
    seconds = pd.read_csv(table, index_col="notebook")["seconds"].to_dict() if table.exists() else {}
    readme = _between(readme, "notebooks", claims.table_of_notebooks(committed, seconds))
    readme = _between(readme, "claims", claims.table_of_claims(committed))
    records = {}
    for path in sorted(ROOT.glob("*/results/*.jsonl")):
        records.setdefault(path.parent.parent.name, []).extend(Store(path).read().values())
    readme = _between(readme, "records", claims.table_of_records(records))
    for path in sorted(evidence.glob("*.txt")):
        readme = _between(readme, path.stem, f"```text\n{path.read_text(encoding='utf-8').rstrip()}\n```")
    return readme


def readmes(path):
    """Return the READMEs that show something of the notebook at `path`: its study's and the root's."""
    return [readme for folder in (path.parent, ROOT) if (readme := folder / "README.md").exists()]


def anchor(path):
    """Return the name that the notebook at `path` has on the page of all."""
    return f"{path.parent.name}-{path.stem}"


def page(notebooks):
    """Return one HTML page, usable offline, with the questions, the answers and all notebooks.

    Parameters
    ----------
    notebooks : dict from str to notebook
        From its `anchor`; executed.
    """
    cells = [nbformat.v4.new_markdown_cell(_contents(notebooks), id="contents")]
    for name, notebook in notebooks.items():
        cells.append(nbformat.v4.new_markdown_cell(f'<a id="{name}"></a>', id=f"before-{name}"))
        cells += [_on_the_page(cell, study=name.partition("-")[0]) for cell in notebook.cells]
    scripts = dict.fromkeys(("mathjax_url", "require_js_url", "jquery_url", "mermaid_js_url"), "")
    exporter = HTMLExporter(template_name="lab", **scripts)
    whole = nbformat.v4.new_notebook(cells=cells, metadata={"title": PAGE_TITLE})
    return exporter.from_notebook_node(whole)[0]


def _contents(notebooks):
    """Return the table of contents of the page as Markdown, by study."""
    lines = [f"# {PAGE_TITLE}"]
    for study, named in itertools.groupby(notebooks.items(), lambda item: item[0].partition("-")[0]):
        lines += ["", f"## {study}", ""]
        for name, notebook in named:
            said = f"{claims.question(notebook)} **{claims.answer(notebook)}**"
            lines.append(f"- [{_title(notebook)}](#{name})  \n  {said}")
    return "\n".join(lines)


def _on_the_page(cell, study):
    """Return a copy of a cell whose links to other notebooks lead to their places on the page."""
    text = re.sub(r"\]\((\d\d_\w+)\.ipynb\)", rf"](#{study}-\1)", json.dumps(cell))
    return nbformat.from_dict(json.loads(text))


def reproduce():
    """Execute a copy of every notebook and return the table that `make reproduce` ends with.

    A copy made by an interrupted run counts as done; its seconds are then those of reading it.
    """
    unfinished = BUILD / "reproduce.unfinished"
    BUILD.mkdir(exist_ok=True)
    if not unfinished.exists():
        unfinished.touch()
    rows, copies = [], {}
    for path in paths():
        start = time.perf_counter()
        copy = BUILD / "notebooks" / path.relative_to(ROOT)
        if not _is_done(copy, since=max(unfinished.stat().st_mtime, path.stat().st_mtime)):
            print(f"{path.relative_to(ROOT)} ...", flush=True)
            copy.unlink(missing_ok=True)
            verdict = _execute_to(path, copy)
        if copy.exists():
            copies[anchor(path)] = read(copy)
            verdict = _verdict(read(path), copies[anchor(path)])
        cells = len(code_cells(read(path)))
        rows.append((str(path.relative_to(ROOT)), cells, round(time.perf_counter() - start, 1), verdict))
    write_atomically(BUILD / "index.html", page(copies).encode())
    table = pd.DataFrame(rows, columns=["notebook", "code cells", "seconds", "outputs"])
    write_atomically(BUILD / TABLE, table.to_csv(index=False).encode())
    unfinished.unlink()
    return table


def write():
    """Execute every notebook in place and write what the READMEs show of all of them."""
    for path in [*paths(), *explorers()]:
        print(f"{path.relative_to(ROOT)} ...", flush=True)
        write_one(path)
    front_page = ROOT / "README.md"
    write_atomically(front_page, with_tables(front_page.read_text(encoding="utf-8")).encode())


def write_one(path):
    """Execute the notebook at `path` in place and write what the READMEs show of it."""
    notebook = execute(path)
    write_atomically(path, nbformat.writes(notebook).encode())
    for name, png in figures(notebook).items():
        write_atomically(path.parent / "figures" / f"{name}.png", png)
    for readme in readmes(path):
        write_atomically(readme, filled(readme.read_text(encoding="utf-8"), notebook).encode())


def _between(readme, name, markdown):
    start, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{start}\n{markdown}\n{end}", readme)


def _is_done(copy, since):
    try:
        return copy.stat().st_mtime >= since and bool(read(copy))
    except (FileNotFoundError, DamagedNotebookError):
        return False


def _execute_to(path, copy):
    try:
        write_atomically(copy, nbformat.writes(execute(path)).encode())
    except CellExecutionError as error:
        return f"failed: {error.ename}: {error.evalue}"


def _verdict(committed, copy):
    different = differing_cells(committed, copy)
    return f"different in code cells {', '.join(map(str, different))}" if different else "identical"


def _comparable(cell):
    if IGNORE_OUTPUT in cell.metadata.get("tags", []):
        return cell.source, None
    streams = "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
    shown = [
        {kind: value for kind, value in output.data.items() if not kind.startswith("image/")}
        for output in cell.outputs
        if "data" in output
    ]
    return cell.source, streams, shown


def _tagged(notebook, prefix, kind):
    return {
        tag.removeprefix(prefix): output.data[kind]
        for cell in code_cells(notebook)
        for tag in cell.metadata.get("tags", [])
        if tag.startswith(prefix)
        for output in cell.outputs
        if kind in output.get("data", {})
    }


def _title(notebook):
    return notebook.cells[0].source.splitlines()[0].lstrip("# ")
