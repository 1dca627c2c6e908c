"""Comparison of the outputs of notebooks, for `make reproduce` and, through conftest.py, for nbval."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nbformat import NotebookNode

from common.notebooks.execution import code_cells

IGNORE_OUTPUT = "nbval-ignore-output"
DRAWN = re.compile(r"drawn ([-+ \d]+)")
NO_PICTURE = "A figure has no picture; Matplotlib drew it with another back end than the notebooks'."


def differing_cells(one: NotebookNode, other: NotebookNode) -> list[int]:
    """Return the numbers, from 1, of the code cells of two notebooks whose source or outputs differ.

    Pictures differ between platforms, so only the texts of figures are compared, which describe the drawing
    (`common.plotting.Figure`). A figure without a picture always counts as different. Outputs of cells tagged
    ``nbval-ignore-output`` are not compared, neither here nor by nbval.
    """
    pairs = zip(code_cells(one), code_cells(other), strict=True)
    return [number for number, (a, b) in enumerate(pairs, 1) if a.source != b.source or _differ(a, b)]


def without_picture(notebook: NotebookNode, before: NotebookNode) -> list[int]:
    """Return the numbers, from 1, of the code cells that lack a picture.

    Such a cell shows a figure without a picture, or showed a picture `before` and shows none now.
    """
    had = {cell.source for cell in code_cells(before) if _pictures(cell.outputs)}
    return [
        number
        for number, cell in enumerate(code_cells(notebook), 1)
        if has_bare_figure(cell.outputs) or (cell.source in had and not _pictures(cell.outputs))
    ]


def has_bare_figure(outputs: Iterable[NotebookNode]) -> bool:
    """Return whether an output of a cell is the text of a figure without its picture."""
    return any(re.match("<?Figure", text) and "image/png" not in data for text, data in _texts(outputs))


def drawn_alike(text: str, other: str) -> bool:
    """Return whether two figures look the same according to their texts.

    The sums may differ by one in the last place, because numbers differ in their last bits between
    processors.
    """
    sums = [[int(total) for found in DRAWN.findall(t) for total in found.split()] for t in (text, other)]
    near = all(abs(a - b) <= 1 for a, b in zip(*sums, strict=False))
    return near and DRAWN.sub("", text) == DRAWN.sub("", other)


def aligned(outputs: Sequence[NotebookNode], committed: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Return outputs in which each figure that looks like the committed figure has the committed text."""
    found = [NotebookNode(output | {"data": dict(output["data"])}) if "data" in output else output
             for output in outputs]  # fmt: skip
    for (text, data), (known, _) in zip(_texts(found), list(_texts(committed)), strict=False):
        if drawn_alike(text, known):
            data["text/plain"] = known
    return found


def for_nbval(cell: Any) -> Callable[..., bool]:
    """Return nbval's comparison of a cell's outputs, extended to compare figures like `differing_cells`."""
    compare_by_nbval = cell.compare_outputs

    def compare(outputs: list[NotebookNode], committed: list[NotebookNode], **options: Any) -> bool:
        if has_bare_figure(outputs) or _pictures(outputs) != _pictures(committed):
            cell.comparison_traceback = [NO_PICTURE]
            return False
        return compare_by_nbval(aligned(outputs, committed), committed, **options)

    return compare


def _differ(committed: NotebookNode, cell: NotebookNode) -> bool:
    if IGNORE_OUTPUT in cell.metadata.get("tags", []):
        return False
    seen = [_comparable(outputs) for outputs in (committed.outputs, aligned(cell.outputs, committed.outputs))]
    return seen[0] != seen[1] or has_bare_figure(cell.outputs)


def _comparable(outputs: Iterable[NotebookNode]) -> tuple[str, list[dict[str, Any]]]:
    streams = "".join(output["text"] for output in outputs if output.get("name") == "stdout")
    return streams, [
        {kind: None if kind.startswith("image/") else value for kind, value in output["data"].items()}
        for output in outputs
        if "data" in output
    ]


def _pictures(outputs: Iterable[NotebookNode]) -> list[str]:
    return [kind for output in outputs for kind in output.get("data", {}) if kind.startswith("image/")]


def _texts(outputs: Iterable[NotebookNode]) -> list[tuple[str, NotebookNode]]:
    datas = [output["data"] for output in outputs if "text/plain" in output.get("data", {})]
    return [(data["text/plain"], data) for data in datas]
