"""Every notebook runs with other parameters, by papermill."""

import ast
import re

import papermill
import pytest

from common import claims, notebooks

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
    after = "\n".join(cell.source for cell in notebooks.code_cells(notebooks.read(PATHS[name])))
    for parameter in found:
        assert after.count(parameter) > 1, f"{parameter} is not used"


@pytest.mark.parametrize(
    "name", [name for name, path in PATHS.items() if "fashion_mnist" in str(parameters(path))]
)
def test_a_notebook_that_names_fashion_mnist_runs_on_it_alone(name, tmp_path, monkeypatch):
    for variable, value in notebooks.ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    papermill.execute_notebook(
        PATHS[name],
        tmp_path / "out.ipynb",
        {"datasets": ["fashion_mnist"]},
        cwd=PATHS[name].parent,
        progress_bar=False,
    )
    claimed = str(claims.made_in(notebooks.read(tmp_path / "out.ipynb")))
    assert "Fashion-MNIST" in claimed
    assert not re.search(r"(?<!Fashion-)MNIST", claimed)
