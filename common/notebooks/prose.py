"""Finds the numbers of prose in the outputs of notebooks, so that prose cannot drift from results.

The numbers of an interval, ``3.4 [3.1, 3.7]``, or of a count, ``13 of 28``, must be side by side in an
output, rounded alike. A single number must be near a word that is also near it in the prose: rounded alike in
an output, or exactly in the code, where it is a setting. A number of three digits or more may be near any
word, because it is rarely there by chance.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from common.notebooks.compare import IGNORE_OUTPUT
from common.notebooks.execution import code_cells

NUMBER = r"(?<![\w.,/^-])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:\s?%|\s?million\b)?(?![\w^])(?!\.\d)"
TOKEN = re.compile(rf"(?P<number>{NUMBER})|[^\W\d_]+|\[|\]")
# Numbers that are no results: code, links to notebooks, years, sizes of files, a lone zero, the 95 % level.
PASSED_OVER = re.compile(
    r"`[^`]*`|\[\d\d_|notebook\s\d|\]\([^)]*\)|\b(?:19|20)\d\d\b|[\d.]+ [kMG]B\b|\b95 %"
    r"|(?<![\d.,\[])0(?!,?\d|\.\d| of| \[| %)"
)
GENERATED = re.compile(r"<!-- notebooks -->.*?<!-- end notebooks -->", re.DOTALL)
TYPED = re.compile(r"\"{3}.*?\"{3}", re.DOTALL)
SENTENCE = re.compile(r"(?<=[.!?:;])\s+|\n\s*\n|\n(?=[|#*-])")
LITTLE = set("[]") | set(re.findall(r"\w+", "the of and a an to in on at is with or by for are that it as "
                                   "from about above below least most than"))  # fmt: skip
NEAR = 2


class Number(NamedTuple):
    """A number as text, its value, and its number of decimal places."""

    text: str
    value: float
    places: int

    def is_rounded(self, other: "Number") -> bool:
        """Return whether this equals the other number, or the other rounded to fewer places."""
        half = 0.5 * 10.0**-self.places if other.places > self.places else 0.0
        return abs(self.value - other.value) <= half + 1e-9 * abs(self.value)

    def shared(self) -> "Number":
        """Return a percentage as a share."""
        return self._replace(value=self.value / 100, places=self.places + 2)


class Evidence:
    """The numbers that prose may contain.

    Parameters
    ----------
    outputs, code : list of str
        Lines.
    """

    def __init__(self, outputs: Sequence[str], code: Sequence[str] = ()) -> None:
        self.lines = [[token for token in _tokens(line) if isinstance(token, Number)] for line in outputs]
        self.results = _beside(outputs)
        self.settings = _beside(code)

    def holds(self, numbers: list[Number], words: Iterable[str], anywhere: bool = False) -> bool:
        """Return whether a group of numbers is here, or a single number near one of `words`.

        A percentage also counts as a share of 1. With `anywhere`, a number may be anywhere in the code.
        """
        forms = (numbers, [number.shared() for number in numbers])
        if len(numbers) > 1:
            groups_here = (line[i : i + len(numbers)] for line in self.lines for i in range(len(line)))
            return any(_rounded(form, here) for here in groups_here for form in forms)
        return any(self._holds(number, words, anywhere) for (number,) in forms)

    def _holds(self, number: Number, words: Iterable[str], anywhere: bool) -> bool:
        places = [*words, *([""] if len(re.sub(r"\D|^\D*0[.0]*", "", number.text)) > 2 else [])]
        settings = (self.settings.get(word, []) for word in (["", *places] if anywhere else places))
        results = (self.results.get(word, []) for word in places)
        return any(number.is_rounded(result) for found in results for result in found) or any(
            number.value == setting.value for found in settings for setting in found
        )


def _beside(lines: Iterable[str]) -> dict[str, list[Number]]:
    """Return a dict from each word to the numbers near it, with all numbers under ""."""
    beside = defaultdict(list)
    for tokens in map(list, map(_tokens, lines)):
        for i, token in enumerate(tokens):
            if isinstance(token, Number):
                for word in ("", *_neighbours(tokens, i, i + 1)):
                    beside[word].append(token)
    return beside


def evidence_of(cells: Iterable[NotebookNode], study: Path | None = None) -> Evidence:
    """Return the evidence of code cells: their outputs, their code and the code of the study's modules."""
    compared = [cell for cell in cells if IGNORE_OUTPUT not in cell.metadata.get("tags", [])]
    modules = [path.read_text(encoding="utf-8") for path in (study.glob("*.py") if study else ())]
    return Evidence(
        [line for cell in compared for text in shown(cell) for line in SENTENCE.split(text)],
        [line for code in (*(cell.source for cell in compared), *modules) for line in code.splitlines()],
    )


def shown(cell: NotebookNode) -> Iterator[str]:
    """Yield the texts that a cell shows, with each row of a table in its own paragraph."""
    for output in cell.outputs:
        data = output.get("data", {})
        text = data.get("text/markdown") or data.get("text/plain") or output.get("text", "")
        yield text if "text/markdown" in data else text.replace("\n", "\n\n")


def drifted(text: str, evidence: Evidence, anywhere: bool = False) -> list[str]:
    """Return a message for each number of a text that the evidence does not hold."""
    return [
        f"{', '.join(number.text for number in numbers)} is in no output: {' '.join(sentence.split())!r}"
        for sentence in SENTENCE.split(PASSED_OVER.sub(" ", GENERATED.sub(" ", text)))
        for numbers, words in groups(sentence)
        if not evidence.holds(numbers, words, anywhere)
    ]


def drifted_in(notebook: NotebookNode, study: Path | None = None) -> list[str]:
    """Return the messages of `drifted` for the first cell of a notebook and for displayed Markdown.

    A cell that displays Markdown computes its results, and nbval compares them. Most numbers that are typed
    in its code are settings, which may be anywhere in other code.
    """
    cells = code_cells(notebook)
    found = drifted(notebook.cells[0].source, evidence_of(cells, study))
    for cell in cells:
        if any("text/markdown" in output.get("data", {}) for output in cell.outputs):
            typed = " ".join(TYPED.findall(cell.source))
            own_code = NotebookNode(source=TYPED.sub("", cell.source), outputs=[], metadata={})
            others = [own_code if other is cell else other for other in cells]
            found += drifted(re.sub(r"\{[^{}]*\}", " ", typed), evidence_of(others, study), anywhere=True)
    return found


def drifted_in_readme(text: str, linked: Mapping[str, Evidence]) -> list[str]:
    """Return the messages of `drifted` for the sections of a README that link to notebooks.

    The table of the notebooks is left out.

    Parameters
    ----------
    linked : dict from str to Evidence
        From the start of a link to a notebook or a study to its evidence.
    """
    return [
        message
        for section in re.split(r"\n(?=#+ )", GENERATED.sub(" ", text))
        for address, evidence in linked.items()
        if f"]({address}" in section
        for message in drifted(section, evidence)
    ]


def groups(sentence: str) -> Iterator[tuple[list[Number], set[str]]]:
    """Yield the numbers of a sentence, each interval and count as one group, with the words near them."""
    tokens, i = list(_tokens(sentence)), 0
    while i < len(tokens):
        if not isinstance(tokens[i], Number):
            i += 1
            continue
        end = i + _length(["0" if isinstance(token, Number) else token for token in tokens[i : i + 7]])
        numbers = [token for token in tokens[i:end] if isinstance(token, Number)]
        yield numbers, _neighbours(tokens, i, end)
        i = end


def _length(kinds: list[str]) -> int:
    """Return the number of tokens of the group that starts with the first token."""
    interval = ["0", "[", "0", "0", "]"]
    if kinds == [*interval, "of", "0"]:
        return 7
    if kinds[:5] == interval:
        return 5
    return 3 if kinds[:3] == ["0", "of", "0"] else 1


def _tokens(text: str) -> Iterator[str | Number]:
    for found in TOKEN.finditer(text.replace("_", " ")):
        number = found["number"]
        if number is None:
            yield found[0].lower()[:5]
            continue
        plain = re.sub(r"[^\d.]", "", number)
        power = 6 if "million" in number else 0
        value = float(plain) * 10**power * (-1 if number[0] in "-−" else 1)
        yield Number(number, value, len(plain.partition(".")[2]) - power)


def _neighbours(tokens: Sequence[str | Number], start: int, end: int) -> set[str]:
    """Return the nearest words before and after some tokens, up to `NEAR` on each side."""
    sides = (tokens[:start][::-1], tokens[end:])
    words = ([t for t in side if isinstance(t, str) and t not in LITTLE] for side in sides)
    return {word for side in words for word in side[:NEAR]}


def _rounded(numbers: list[Number], found: list[Number]) -> bool:
    return len(found) == len(numbers) and all(n.is_rounded(f) for n, f in zip(numbers, found, strict=True))
