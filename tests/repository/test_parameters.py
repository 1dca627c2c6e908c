"""The notebooks run with other parameters, by papermill."""

import ast
import datetime
import re

import papermill
import pytest

from common import notebooks
from common.notebooks import claims

PATHS = {notebooks.anchor(path): path for path in notebooks.paths()}


def parameters(path):
    """Return the assignments of the cell tagged ``parameters`` as a dict from name to value."""
    (cell,) = (c for c in notebooks.read(path).cells if "parameters" in c.metadata.get("tags", []))
    values = {}
    for line in ast.parse(cell.source).body:
        (target,) = line.targets
        several = isinstance(target, ast.Tuple)
        names, literals = (target.elts, line.value.elts) if several else ([target], [line.value])
        values |= {n.id: ast.literal_eval(literal) for n, literal in zip(names, literals, strict=True)}
    return values


@pytest.mark.parametrize("name", PATHS)
def test_a_notebook_has_one_cell_of_parameters(name):
    found = parameters(PATHS[name])
    assert 1 <= len(found) <= 5
    cells = notebooks.code_cells(notebooks.read(PATHS[name]))
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell.source))]
    used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    assert set(found) <= used


def run(name, values, folder, monkeypatch):
    """Execute a notebook with other values of its parameters, from the stored records, and return it."""
    for variable, value in notebooks.ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    path = PATHS[name]
    papermill.execute_notebook(path, folder / "out.ipynb", values, cwd=path.parent, progress_bar=False)
    return notebooks.read(folder / "out.ipynb")


def fewer(values):
    """Return the parameters without the last seed, image or size of each, and another picture."""
    shorter = {
        name: value[:-1] for name, value in values.items() if isinstance(value, list) and len(value) > 2
    }
    return shorter or {"picture": "coins"}


@pytest.mark.parametrize("name", [sorted(PATHS)[datetime.date.today().toordinal() % len(PATHS)]])
def test_the_notebook_of_the_day_runs_on_fewer_seeds_or_images(name, tmp_path, monkeypatch):
    """All of them take minutes, so each has its turn."""
    values = fewer(parameters(PATHS[name]))
    assert claims.made_in(run(name, values, tmp_path, monkeypatch))


@pytest.mark.parametrize(
    "name", [name for name, path in PATHS.items() if "fashion_mnist" in str(parameters(path))]
)
def test_a_notebook_that_names_fashion_mnist_runs_on_it_alone(name, tmp_path, monkeypatch):
    claimed = str(claims.made_in(run(name, {"datasets": ["fashion_mnist"]}, tmp_path, monkeypatch)))
    assert "Fashion-MNIST" in claimed
    assert not re.search(r"(?<!Fashion-)MNIST", claimed)
