"""What the notebooks claim, and the tables of the front page that are made of it.

A notebook's cell tagged ``claims`` displays `as_table`; ``make notebooks`` collects them in the README.
"""

import re
from collections.abc import Mapping

from IPython.display import Markdown
from nbformat import NotebookNode

from common.experiments import generation

TAG = "claims"
HEAD = "| claim | measured |\n| --- | --- |\n"
ROW = re.compile(r"^\| (.*) \| (.*) \|$", re.MULTILINE)


def as_table(measured: Mapping[str, str]) -> Markdown:
    """Return a table of claims for a notebook to display.

    Parameters
    ----------
    measured : dict from str to str
        From a sentence to its number with unit, interval and n.

    Raises
    ------
    ValueError
        A text holds a line break or a bar, which would break the table.
    """
    for text in map(str, (*measured, *measured.values())):
        if "|" in text or "\n" in text:
            raise ValueError(f"A claim is one line without bars, not {text!r}.")
    return Markdown(HEAD + "\n".join(f"| {claim} | {number} |" for claim, number in measured.items()))


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
    """Return the question that a notebook asks in its first cell, after ``**Question.**``.

    Raises
    ------
    ValueError
        It asks none.
    """
    first = notebook.cells[0].source
    asked = re.search(r"\*\*Question\.\*\*(.*?)(\n\n|$)", first, re.DOTALL)
    if asked is None:
        raise ValueError(f"The first cell needs a paragraph that starts with **Question.**: {first!r}")
    return " ".join(asked[1].split())


def answer(notebook: NotebookNode) -> str:
    """Return the answer of an executed notebook in one sentence, with the data that it is about.

    The answer is a text that starts with ``**Answer, SCOPE: SENTENCE**`` or ``**Answer, SCOPE.** SENTENCE``.

    Raises
    ------
    ValueError
        No cell displays one, or its bold part does not end.
    """
    texts = (
        output.get("data", {}).get("text/markdown", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    text = next((text for text in texts if text.startswith("**Answer")), None)
    if text is None:
        raise ValueError(f"No cell displays a text that starts with **Answer: {notebook.cells[0].source!r}")
    parts = re.match(r"\*\*Answer,?(.*?)\*\*(.*)", text, re.DOTALL)
    if parts is None:
        raise ValueError(f"The answer needs ** at the end of what is bold: {text!r}")
    bold, rest = parts.groups()
    scope, _, sentence = bold.rstrip(".").partition(":")
    sentence = f"{sentence}." if sentence else re.split(r"(?<=\.)\s", rest.strip())[0]
    said = " ".join(f"{scope}: {sentence}".removeprefix(": ").split())
    return said[:1].upper() + said[1:]


def table_of_claims(notebooks: Mapping[str, NotebookNode]) -> str:
    """Return a Markdown table of all claims.

    Parameters
    ----------
    notebooks : dict from str to notebook
        From its path below the root; executed.
    """
    rows = ["| claim | measured | where | measured again by |", "| --- | --- | --- | --- |"]
    for path, notebook in notebooks.items():
        study, name = path.split("/")
        where = f"[{study} {name[:2]}]({path}) | `make scratch STUDY={study}`"
        rows += [f"| {claim} | {number} | {where} |" for claim, number in made_in(notebook)]
    return "\n".join(rows)


def table_of_records(records: Mapping[str, list[dict]]) -> str:
    """Return a Markdown table of how many records each study has and what measuring them all took.

    Parameters
    ----------
    records : dict from str to list of dict
        From a study to its records, as of `experiments.Store.read`.
    """
    rows = [
        "| command | records | with their processor's model | hours of one core |",
        "| --- | --- | --- | --- |",
    ]
    for study, found in records.items():
        hours = sum(record["seconds"] for record in found) / 3600
        exact = sum(bool(generation(record["cpu"])) for record in found)
        rows.append(f"| `make scratch STUDY={study}` | {len(found):,} | {exact:,} | {hours:.0f} |")
    return "\n".join(rows)


def table_of_notebooks(notebooks: Mapping[str, NotebookNode], seconds: Mapping[str, float]) -> str:
    """Return a Markdown table of the notebooks: question, answer, and seconds that the execution took.

    Parameters
    ----------
    notebooks : as of `table_of_claims`
    seconds : dict from str to float
        From a path to its seconds, where they were measured.
    """
    rows = ["| notebook | question | answer | seconds |", "| --- | --- | --- | --- |"]
    for path, notebook in notebooks.items():
        took = f"{seconds[path]:.0f}" if path in seconds else ""
        rows.append(f"| [{path}]({path}) | {question(notebook)} | {answer(notebook)} | {took} |")
    return "\n".join(rows)
