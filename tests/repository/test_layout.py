"""The rules that keep the house tidy: who may import whom, and what a notebook may hold."""

import ast
import re
import subprocess
import sys

import nbformat
import pytest

from common import notebooks
from common.notebooks import IGNORE_OUTPUT, ROOT, code_cells, paths

STUDIES = {path.parent.name for path in ROOT.glob("*/experiments.py")} - {"common"}
MODULES = [p for folder in ("common", *sorted(STUDIES)) for p in sorted((ROOT / folder).glob("**/*.py"))]


def imported_packages(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_the_four_studies_are_there():
    assert {"cnn_vs_dense", "gan", "adversarial_attack", "wavelet_based_dnn"} <= STUDIES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_common_imports_no_study_and_studies_do_not_import_each_other(path):
    own = path.relative_to(ROOT).parts[0]
    assert not (STUDIES - {own}) & set(imported_packages(path))


@pytest.mark.parametrize(
    "path", [*MODULES, *paths(), *notebooks.explorers()], ids=lambda path: str(path.relative_to(ROOT))
)
def test_studies_do_not_read_each_others_files(path):
    own = path.relative_to(ROOT).parts[0]
    if path.suffix == ".py":
        sources = [path.read_text(encoding="utf-8")]
    else:
        sources = [cell.source for cell in code_cells(nbformat.read(path, as_version=4))]
    named = {name for source in sources for name in named_paths(source)}
    assert not (STUDIES - {own}) & named


def named_paths(source):
    """Yield the parts of all paths that strings, other than docstrings, may name."""
    tree = ast.parse(source)
    sentences = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in sentences:
            yield from re.split(r"[/\\\\. ]", node.value)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_group_of_a_missing_value_is_dropped(path):
    """pandas drops rows whose key is None, an ordinary argument of an experiment, unless it is told not to.

    `common.statistics.grouped` tells it; `pivot` and `merge` keep them (tests/common/test_statistics.py).
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, keywords = node.func.attr, {keyword.arg for keyword in node.keywords}
            assert name not in ("pivot_table", "crosstab"), f"line {node.lineno}: use pivot"
            drops = name in ("groupby", "value_counts") and "dropna" not in keywords
            is_itertools = isinstance(node.func.value, ast.Name) and node.func.value.id == "itertools"
            assert not drops or is_itertools, f"line {node.lineno}: use common.statistics.grouped"


def test_importing_common_imports_nothing_else():
    code = "import sys; before = set(sys.modules); import common; print(*(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["common"]


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_committed_notebooks_are_whole_and_clean(path):
    notebook = nbformat.read(path, as_version=4)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert path.stat().st_size < 1.5 * 2**20
    assert max(len(cell.source.splitlines()) for cell in cells) <= 20
    assert sum(IGNORE_OUTPUT in cell.metadata.get("tags", []) for cell in cells) <= 1
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.get("name") == "stderr" or "ename" in output]


@pytest.mark.parametrize("path", [*paths(), *notebooks.explorers()], ids=lambda path: path.parent.name)
def test_formulas_are_readable_as_they_stand(path):
    # A page that works offline has nothing that would set TeX.
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    assert "$" not in "".join(texts)


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_the_figures_are_those_of_the_notebook(path):
    notebook = nbformat.read(path, as_version=4)
    shown = notebooks.figures(notebook)
    for name, png in shown.items():
        assert (path.parent / "figures" / f"{name}.png").read_bytes() == png
    (opening,) = re.findall(r"!\[.+\]\(figures/(\w+)\.png\)", notebook.cells[0].source)
    assert opening in shown


def test_the_front_page_is_read_in_two_minutes():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.replace("|", " ").split()) <= 900
