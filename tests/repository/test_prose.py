"""The numbers of prose are those of the outputs.

``python -m tests.repository.test_prose`` prints how many numbers the answers and READMEs hold, and how many
changes of one number are found; the text is committed as ``docs/evidence/prose.txt``.
"""

import random

import nbformat
import pytest

from common import notebooks
from common.notebooks import prose
from common.notebooks.prose import Evidence, drifted

SENTENCES = [
    ("It costs 3.4 points.", "costs 3.39 points", True),
    ("It costs 3.3 points.", "costs 3.39 points", False),
    ("It costs 3.39 points.", "costs 3.4 points", False),
    ("They are 73 % right.", "right 0.73", True),
    ("They are 73 % right.", "right 0.734", True),
    ("They are 74 % right.", "right 0.734", False),
    ("It has 61,706 parameters.", "parameters: 61706", True),
    ("It has 61,707 parameters.", "parameters: 61706", False),
    ("It has 0.7 million weights.", "weights 712,003", True),
    ("It has 0.8 million weights.", "weights 712,003", False),
    ("Images of 28 x 28 pixels.", "28 x 28", True),
    ("Images of 28 x 27 pixels.", "28 x 28", False),
    ("A gain of 2.4 [0.7, 4.1] dB.", "PSNR 2.41 [0.68, 4.13]", True),
    ("A gain of 2.4 [0.7, 4.2] dB.", "PSNR 2.41 [0.68, 4.13]", False),
    ("A gain of 2.4 [0.7, 4.1] dB.", "dB 2.4\n0.7 dB\n4.1 dB", False),
    ("Better in 13 of 28 cells.", "better 13 of 28", True),
    ("Better in 12 of 28 cells.", "better 13 of 28", False),
    ("A loss of -0.22 points.", "loss -0.22", True),
    ("A loss of 0.22 points.", "loss -0.22", False),
    ("Two of them, after Welch 1947, with LeNet-5 and `seed=3`.", "", True),
    ("See [the third](03_title.ipynb).", "", True),
    ("n = 5 seeds", "4 seeds, n = 5", True),
    ("n = 4 seeds", "5 images, n = 5", False),
]


@pytest.mark.parametrize(("sentence", "output", "found"), SENTENCES)
def test_a_number_is_found_rounded_alike_or_its_sentence_is_named(sentence, output, found):
    messages = drifted(sentence, Evidence(output.splitlines()))
    assert not messages if found else all(sentence[5:-1] in message for message in messages)
    assert bool(messages) != found


def test_numbers_typed_into_a_displayed_text_are_looked_for_and_computed_ones_are_not():
    source = 'Markdown(f"""It costs {cost:.1f} points with 7 seeds."""'
    display = nbformat.v4.new_output(
        "display_data", data={"text/markdown": "It costs 3.4 points with 7 seeds."}
    )
    cells = [
        nbformat.v4.new_markdown_cell("# Title\n\nIt costs 9.9 points."),
        nbformat.v4.new_code_cell(source, outputs=[display]),
    ]
    first, second = prose.drifted_in(nbformat.v4.new_notebook(cells=cells))
    assert first.startswith("9.9 is in no output")
    assert second.startswith("7 is in no output")
    cells[1].outputs.append(nbformat.v4.new_output("stream", text="costs 9.87\n"))
    cells.append(nbformat.v4.new_code_cell("seeds = 7"))
    assert prose.drifted_in(nbformat.v4.new_notebook(cells=cells)) == []


def test_a_section_of_a_readme_is_held_against_what_it_links_to():
    linked = {"study": Evidence(["costs 3.4 points"])}
    text = "## Answer\n\nIt costs 3.5 points.\n\n[study](study/01_title.ipynb)\n\n## Use\n\nPython 3.11.\n"
    text += "## Table\n<!-- notebooks -->\n[At 3.6 points](study/01_title.ipynb)\n<!-- end notebooks -->"
    (message,) = prose.drifted_in_readme(text, linked)
    assert message.startswith("3.5 is in no output")


@pytest.mark.parametrize("path", notebooks.paths(), ids=lambda path: path.stem)
def test_the_prose_of_a_committed_notebook_holds(path):
    assert prose.drifted_in(notebooks.read(path), path.parent) == []


def of_study(study):
    """Return the evidence of all notebooks of a study."""
    read = [notebooks.read(path) for path in notebooks.paths() if path.parent.name == study]
    return prose.evidence_of(
        [c for notebook in read for c in notebooks.code_cells(notebook)], notebooks.ROOT / study
    )


def test_the_prose_of_the_readmes_holds():
    studies = {study: of_study(study) for study in sorted({path.parent.name for path in notebooks.paths()})}
    front_page = (notebooks.ROOT / "README.md").read_text(encoding="utf-8")
    assert prose.drifted_in_readme(front_page, studies) == []
    for study, evidence in studies.items():
        text = (notebooks.ROOT / study / "README.md").read_text(encoding="utf-8")
        assert drifted(text, evidence) == []


def altered(number, rng):
    """Return a number whose last digit is another."""
    step = rng.choice([1, 2, 3, 5]) * rng.choice([-1, 1])
    return number._replace(value=round(number.value + step * 10.0**-number.places, 9))


def texts():
    """Yield the first cell of each notebook and the README of each study, with the evidence of each."""
    for path in notebooks.paths():
        notebook = notebooks.read(path)
        yield notebook.cells[0].source, prose.evidence_of(notebooks.code_cells(notebook), path.parent)
    for study in sorted({path.parent.name for path in notebooks.paths()}):
        yield (notebooks.ROOT / study / "README.md").read_text(encoding="utf-8"), of_study(study)


def measured():
    """Return how many numbers the answers and READMEs hold, and of how many of them one change is found."""
    rng, total, caught = random.Random(0), 0, 0
    for text, evidence in texts():
        for sentence in prose.SENTENCE.split(prose.PASSED_OVER.sub(" ", text)):
            for numbers, words in prose.groups(sentence):
                total += len(numbers)
                caught += sum(
                    not evidence.holds([*numbers[:i], altered(number, rng), *numbers[i + 1 :]], words)
                    for i, number in enumerate(numbers)
                )
    return total, caught


def test_most_changes_of_one_number_are_found():
    total, caught = measured()
    assert caught > 0.9 * total


if __name__ == "__main__":
    total, caught = measured()
    print(f"{total:,} numbers of answers and READMEs; one digit of each was changed,")
    print(f"and {caught:,} of the changes were found,")
    print(f"{100 * caught / total:.1f} %.")
