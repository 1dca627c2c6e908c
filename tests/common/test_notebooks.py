import re

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbclient.exceptions import CellExecutionError

from common import notebooks
from common.experiments import Store
from common.notebooks import claims

SOURCES = [
    "import os, sys\nprint(os.environ['RESULTS'])",
    "print('noise', file=sys.stderr)\n6 * 7",
    "import matplotlib.pyplot as plt\nfigure, _ = plt.subplots(figsize=(1, 1)); plt.close(figure)\nfigure",
    "from common.notebooks.claims import as_table\nas_table({'Six times seven': f'{6 * 7} [42, 42]'})",
    "from IPython.display import Markdown\nMarkdown(f'**Answer: it is {6 * 7}.** \\\\1')",
    "import time\ntime.time()",
]


def write_notebook(path, sources=SOURCES):
    first = "# A question\n\n**Question.** What is\n6 * 7?"
    cells = [nbformat.v4.new_markdown_cell(first), *map(nbformat.v4.new_code_cell, sources)]
    tags = ("figure-plot", "claims", "readme-answer", notebooks.IGNORE_OUTPUT)
    for cell, tag in zip(cells[-4:], tags, strict=True):
        cell.metadata["tags"] = [tag]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A repository with one notebook whose outputs are committed."""
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "BUILD", tmp_path / "build")
    path = tmp_path / "study" / "01_question.ipynb"
    write_notebook(path)
    for folder in (tmp_path, path.parent):
        (folder / "README.md").write_text("before <!-- answer -->old<!-- end answer --> after")
    with (tmp_path / "README.md").open("a") as readme:
        tables = ("notebooks", "claims", "records")
        readme.write("".join(f"\n<!-- {table} --><!-- end {table} -->" for table in tables))
    for name, cpu in (("one", "A processor"), ("other", "A processor (family 6, model 1)")):
        record = {"config": {}, "result": {}, "seconds": 7200, "cpu": cpu}
        Store(path.parent / "results" / f"{name}.jsonl").add(record)
    notebooks.write()
    return path


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_writing_executes_and_keeps_only_what_belongs_in_the_repository(tree):
    notebook = nbformat.read(tree, as_version=4)
    cells = notebooks.code_cells(notebook)
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4, 5, 6]
    assert cells[0].outputs[0].text == "replay\n"
    assert [output.data["text/plain"] for output in cells[1].outputs] == ["42"]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "execution" not in cells[0].metadata
    png = (tree.parent / "figures" / "plot.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert notebooks.figures(notebook) == {"plot": png}


def test_what_native_code_says_to_stderr_is_shown_nowhere(tmp_path, capfd):
    path = tmp_path / "01_question.ipynb"
    write_notebook(path, ["import os\nos.write(2, b'noise\\n');", *SOURCES[2:]])
    executed = notebooks.execute(path)
    assert "noise" not in capfd.readouterr().err
    assert notebooks.code_cells(executed)[0].outputs == []


def test_writing_fills_the_readmes(tree):
    for folder in (tree.parent, tree.parent.parent):
        text = (folder / "README.md").read_text()
        assert "before <!-- answer -->\n**Answer: it is 42.** \\1\n<!-- end answer --> after" in text


def test_writing_fills_the_front_page(tree):
    text = (tree.parent.parent / "README.md").read_text()
    link = "study/01_question.ipynb"
    assert f"\n| [{link}]({link}) | What is 6 * 7? | It is 42. |  |\n" in text
    where = f"[study 01]({link}) | `make scratch STUDY=study`"
    assert f"\n| Six times seven | 42 [42, 42] | {where} |\n" in text
    assert "\n| `make scratch STUDY=study` | 2 | 1 | 4 |\n" in text


def test_the_front_page_shows_the_evidence(tree):
    seconds = notebooks.reproduce()["seconds"][0]
    evidence = notebooks.ROOT / notebooks.EVIDENCE
    evidence.mkdir(parents=True)
    (notebooks.BUILD / notebooks.TABLE).rename(evidence / notebooks.TABLE)
    (evidence / "report.txt").write_text("all identical\n")
    markers = "".join(f"<!-- {name} --><!-- end {name} -->" for name in ("notebooks", "report"))
    readme = notebooks.with_tables(markers)
    assert f"| It is 42. | {seconds:.0f} |" in readme
    assert "<!-- report -->\n```text\nall identical\n```\n<!-- end report -->" in readme


def test_the_front_page_is_that_of_the_committed_notebooks():
    readme = (notebooks.ROOT / "README.md").read_text(encoding="utf-8")
    assert notebooks.with_tables(readme) == readme
    for path in notebooks.paths():
        assert claims.made_in(notebooks.read(path)), path


@pytest.mark.parametrize("claim", [("two\nlines", "1"), ("a", "1 | 2")])
def test_a_claim_that_would_break_the_table_is_refused(claim):
    with pytest.raises(ValueError, match="one line without bars"):
        claims.as_table(dict([claim]))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "**Answer, on MNIST.** It costs 0.4\n[0.3, 0.5] points. More.",
            "On MNIST: It costs 0.4 [0.3, 0.5] points.",
        ),
        ("**Answer, on MNIST: yes,\nat 0.4.** More.", "On MNIST: yes, at 0.4."),
    ],
)
def test_the_answer_of_a_notebook_is_one_sentence(text, sentence):
    output = nbformat.v4.new_output("display_data", data={"text/markdown": text})
    cell = nbformat.v4.new_code_cell(outputs=[output])
    assert claims.answer(nbformat.v4.new_notebook(cells=[cell])) == sentence


def test_reproduce_finds_identical_outputs_and_makes_one_page(tree):
    table = notebooks.reproduce()
    assert table[["notebook", "code cells", "outputs"]].to_numpy().tolist() == [
        ["study/01_question.ipynb", 6, "identical"]
    ]
    html = (notebooks.BUILD / "index.html").read_text()
    assert 'href="#study-01_question"' in html
    assert "A question" in html
    assert not re.findall(r'(?:src|href)="(https?://[^"]*)"', html)


def test_reproduce_finds_a_changed_output(tree):
    replace(tree, '"42"', '"43"')
    assert notebooks.reproduce()["outputs"].tolist() == ["different in code cells 2"]


def test_reproduce_reports_a_cell_that_fails(tree):
    replace(tree, "6 * 7", "6 / 0")
    assert notebooks.reproduce()["outputs"].tolist() == ["failed: ZeroDivisionError: division by zero"]
    with pytest.raises(CellExecutionError):
        notebooks.execute(tree)


def test_an_interrupted_reproduce_continues_and_a_finished_one_starts_over(tree, monkeypatch):
    executed = []
    execute = notebooks.execute

    def interrupted(path):
        executed.append(path.stem)
        if path.stem == "02_next" and executed.count("02_next") == 1:
            raise KeyboardInterrupt
        return execute(path)

    write_notebook(tree.with_name("02_next.ipynb"))
    notebooks.write()
    monkeypatch.setattr(notebooks, "execute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        notebooks.reproduce()
    assert notebooks.reproduce()["outputs"].tolist() == ["identical", "identical"]
    assert executed == ["01_question", "02_next", "02_next"]
    notebooks.reproduce()
    assert executed == ["01_question", "02_next", "02_next", "01_question", "02_next"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A notebook and its content."""
    path = tmp_path_factory.mktemp("written") / "01_question.ipynb"
    write_notebook(path)
    return path, path.read_bytes()


@pytest.mark.fault(
    "notebook truncated or with a flipped bit", "one sentence or a notebook that differs, and the file stays"
)
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7), truncated=st.booleans())
def test_a_damaged_notebook_gets_one_clear_sentence_or_differs(written, place, bit, truncated):
    path, content = written
    damaged = bytearray(content)
    place %= len(content)
    damaged[place] ^= 1 << bit
    damaged = damaged[:place] if truncated else damaged
    path.write_bytes(damaged)
    try:
        found = notebooks.read(path)
    except ValueError as error:
        found = str(error)
    refusal = "01_question.ipynb is not a whole notebook; restore it with git."
    assert found == refusal or (isinstance(found, dict) and not truncated)
    assert path.read_bytes() == damaged


def test_a_notebook_of_no_known_format_gets_one_clear_sentence(written):
    path, content = written
    path.write_bytes(content.replace(b'"nbformat"', b'"nbforlat"'))
    with pytest.raises(notebooks.DamagedNotebookError, match="restore it with git"):
        notebooks.read(path)


@pytest.mark.parametrize(("function", "wanted"), [(claims.question, "Question"), (claims.answer, "Answer")])
def test_a_notebook_without_question_or_answer_gets_one_clear_sentence(function, wanted):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title")])
    with pytest.raises(ValueError, match=rf"{wanted}.*: '# Title'"):
        function(notebook)


def test_an_answer_whose_bold_part_does_not_end_gets_one_clear_sentence():
    data = {"text/markdown": "**Answer: it is 42."}
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", data)])
    with pytest.raises(ValueError, match=r"needs \*\* at the end"):
        claims.answer(nbformat.v4.new_notebook(cells=[cell]))
