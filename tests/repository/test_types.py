"""Every public function and method of `common` says which types it takes and returns."""

import ast
import re

import pytest

from common.checkout import ROOT


def untyped(path):
    """Yield the names of the public functions and methods without a type of an argument or the result."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    for scope in (tree, *classes):
        for node in scope.body:
            if isinstance(node, ast.FunctionDef) and (node.name[:1] != "_" or node.name[:2] == "__"):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                arguments += [a for a in (node.args.vararg, node.args.kwarg) if a]
                typed = all(a.annotation for a in arguments if a.arg not in ("self", "cls"))
                if not typed or node.returns is None:
                    yield f"{getattr(scope, 'name', path.stem)}.{node.name}, line {node.lineno}"


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((ROOT / "common").glob("**/*.py")) if not re.match("_(?!_)", path.name)],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_public_signatures_are_typed(path):
    assert list(untyped(path)) == []
