"""The notebooks run with other parameters, by papermill, and say in one sentence what a wrong value is."""

import ast

import papermill
import pytest
from papermill.inspection import inspect_notebook

from common import notebooks
from common.notebooks import claims
from tests.reliability.test_faults import ONLY_FAULTS

PATHS = {f"{path.parent.name}-{path.stem}": path for path in notebooks.paths()}
CHEAP = "adversarial_attack-03_fooling_many_architectures"


def cells(name):
    return notebooks.code_cells(notebooks.read(PATHS[name]))


def check_of(name):
    """Return the code of the cell of parameters and of the check that follows it."""
    sources = [cell.source for cell in cells(name)]
    (place,) = (i for i, cell in enumerate(cells(name)) if "parameters" in cell.metadata.get("tags", []))
    return sources[place : place + 2]


@pytest.mark.parametrize("name", PATHS)
def test_papermill_tells_type_values_and_cost_of_every_parameter(name):
    found = inspect_notebook(PATHS[name])
    assert 1 <= len(found) <= 5
    for parameter in found.values():
        assert parameter["inferred_type_name"].startswith(("int", "str", "list"))
        assert parameter["help"].strip()
    nodes = [node for cell in cells(name) for node in ast.walk(ast.parse(cell.source))]
    used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    assert set(found) <= used


@pytest.mark.parametrize("name", PATHS)
def test_a_wrong_value_of_any_parameter_gets_one_clear_sentence(name):
    parameters, check = check_of(name)
    right = {}
    exec(parameters, right)
    exec(check, dict(right))
    for parameter in inspect_notebook(PATHS[name]):
        for wrong in ("dog", -1, [], ["dog"], [-1, -2]):
            with pytest.raises(ValueError, match="is not possible; it may be") as refusal:
                exec(check, right | {parameter: wrong})
            assert str(refusal.value).startswith(f"{parameter} = {wrong!r} is not possible")


@ONLY_FAULTS
@pytest.mark.fault("notebook with other values of its parameters", "it runs to its end")
def test_a_notebook_runs_on_fashion_mnist_alone_with_fewer_seeds(tmp_path, monkeypatch):
    """All of them take minutes; the others use their parameters alike, and their checks are tested above."""
    for variable, value in notebooks.ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    path, values = PATHS[CHEAP], {"datasets": ["fashion_mnist"], "seeds": [1]}
    papermill.execute_notebook(path, tmp_path / "out.ipynb", values, cwd=path.parent, progress_bar=False)
    claimed = str(claims.made_in(notebooks.read(tmp_path / "out.ipynb")))
    assert "Fashion-MNIST" in claimed
    assert "MNIST" not in claimed.replace("Fashion-MNIST", "")
    assert "n = 4 attacked networks" in claimed
