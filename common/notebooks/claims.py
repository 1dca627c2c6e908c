"""The questions, answers and claims of the notebooks.

The first cell of a notebook holds its question and answer; a cell tagged ``claims`` displays `as_table`.
"""

import re
from collections.abc import Mapping

from IPython.display import Markdown
from nbformat import NotebookNode

TAG = "claims"
HEAD = "| claim | measured |\n| --- | --- |\n"
ROW = re.compile(r"^\| (.*) \| (.*) \|$", re.MULTILINE)


def as_table(measured: Mapping[str, str], head: str = HEAD) -> Markdown:
    """Return a table of claims for a notebook to display.

    Parameters
    ----------
    measured : dict from str to str
        From the sentence of a claim to its number with unit, interval and n.
    head : str
        The first two lines of the table.

    Raises
    ------
    ValueError
        A text holds a line break or a bar, which would break the table.
    """
    for text in map(str, (*measured, *measured.values())):
        if "|" in text or "\n" in text:
            raise ValueError(f"A claim is one line without bars, not {text!r}.")
    return Markdown(head + "\n".join(f"| {claim} | {number} |" for claim, number in measured.items()))


def headline(measured: Mapping[str, str]) -> Markdown:
    """Return a table of the numbers in a notebook's answer; errors are those of `as_table`.

    Parameters
    ----------
    measured : dict from str to str
        From the name of a quantity to its number.
    """
    return as_table(measured, "| quantity | measured |\n| --- | --- |\n")


def made_in(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Return the claims of an executed notebook as a list of (claim, number)."""
    return [
        pair
        for cell in notebook.cells
        if TAG in cell.metadata.get("tags", [])
        for output in cell.get("outputs", [])
        for pair in ROW.findall(output.get("data", {}).get("text/markdown", "").removeprefix(HEAD))
    ]


def question(notebook: NotebookNode) -> str:
    """Return the question of a notebook: the last sentence of the paragraph under its title.

    Raises
    ------
    ValueError
        The first cell is not Markdown with a title, a question and an answer.
    """
    return re.split(r"(?<=\.)\s", " ".join(_opening(notebook)[0].split()))[-1]


def answer(notebook: NotebookNode) -> str:
    """Return the answer of a notebook: the bold sentence at the start of its third paragraph.

    Errors are those of `question`.
    """
    return " ".join(_opening(notebook)[1].split())


def _opening(notebook: NotebookNode) -> tuple[str, ...]:
    first = notebook.cells[0].source
    found = re.match(r"# .+\n\n(.+?\?)\n\n\*\*(.+?)\*\*", first, re.DOTALL)
    if found is None:
        raise ValueError(
            "The first cell needs a title, a paragraph that ends with the question, and a paragraph that "
            f"starts with the answer in bold: {first!r}"
        )
    return found.groups()


def table_of_notebooks(notebooks: Mapping[str, NotebookNode], seconds: Mapping[str, float]) -> str:
    """Return a Markdown table of the notebooks with question, answer, and seconds of the execution.

    Parameters
    ----------
    notebooks : dict from str to notebook
        From the path below the root to the executed notebook.
    seconds : dict from str to float
        From a path to its measured seconds; paths may be missing.
    """
    rows = ["| question | answer | seconds |", "| --- | --- | --- |"]
    for path, notebook in notebooks.items():
        took = f"{seconds[path]:.0f}" if path in seconds else ""
        rows.append(f"| [{question(notebook)}]({path}) | {answer(notebook)} | {took} |")
    return "\n".join(rows)
