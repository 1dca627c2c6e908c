import json
import shutil
import sys

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbclient.exceptions import CellExecutionError

from common import notebooks
from common.notebooks import __main__, claims, compare, publish

PLOT = "from common.plotting import image_grid\nimage_grid([[[[0.5]]]])"
SOURCES = [
    "import os, sys\nprint(os.environ['RESULTS'])",
    "print('noise', file=sys.stderr)\n5 * 7\n6 * 7",
    PLOT,
    "from common.notebooks.claims import as_table\nas_table({'Six times seven': f'{6 * 7} [42, 42]'})",
    "import time\ntime.time()",
]
HOSTILE = """
c.InteractiveShell.ast_node_interactivity = "all"
c.InlineBackend.figure_formats = {"svg"}
"""


def write_notebook(path, sources=SOURCES):
    first = "# A question\n\nWhat is\n6 * 7?\n\n**It is 42.**"
    cells = [nbformat.v4.new_markdown_cell(first), *map(nbformat.v4.new_code_cell, sources)]
    tags = ("figure-plot", "claims", notebooks.IGNORE_OUTPUT)
    for cell, tag in zip(cells[-3:], tags, strict=False):
        cell.metadata["tags"] = [tag]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A repository whose one notebook was written, by a user with settings of their own."""
    root, home = tmp_path_factory.mktemp("written"), tmp_path_factory.mktemp("home")
    for name in ("ipython_config.py", "ipython_kernel_config.py"):
        (home / "profile_default").mkdir(exist_ok=True)
        (home / "profile_default" / name).write_text(HOSTILE)
    (home / "kernels" / "python3").mkdir(parents=True)
    kernel = {"argv": ["no such python"], "display_name": "mine", "language": "python"}
    (home / "kernels" / "python3" / "kernel.json").write_text(json.dumps(kernel))
    path = root / "study" / "01_question.ipynb"
    write_notebook(path)
    (root / "README.md").write_text("before <!-- notebooks -->old<!-- end notebooks --> after")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "Agg")
        patch.setenv("IPYTHONDIR", str(home))
        patch.setenv("JUPYTER_PATH", str(home))
        notebooks.write(root)
    return root


@pytest.fixture
def root(written, tmp_path):
    return shutil.copytree(written, tmp_path / "root")


@pytest.fixture
def tree(root):
    return root / "study" / "01_question.ipynb"


@pytest.fixture
def not_executed(monkeypatch):
    """Execution that returns a notebook as it is; the list of its names."""
    executed = []

    def execute(path):
        executed.append(path.stem)
        return notebooks.read(path)

    monkeypatch.setattr(publish, "execute", execute)
    return executed


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_writing_executes_and_keeps_only_what_belongs_in_the_repository(tree):
    notebook = notebooks.read(tree)
    cells = notebooks.code_cells(notebook)
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4, 5]
    assert cells[0].outputs[0].text == "replay\n"
    assert [output.data["text/plain"] for output in cells[1].outputs] == ["42"]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "execution" not in cells[0].metadata
    assert set(cells[2].outputs[0].data) == {"text/plain", "image/png"}
    png = (tree.parent / "figures" / "plot.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert notebooks.figures(notebook) == {"plot": png}


def test_writing_fills_the_front_page(root):
    text = (root / "README.md").read_text()
    assert text.startswith("before <!-- notebooks -->\n| question | answer | seconds |")
    assert "| [What is 6 * 7?](study/01_question.ipynb) | It is 42. |  |" in text
    assert text.endswith("<!-- end notebooks --> after")


def test_one_study_is_written_and_another_name_gets_one_clear_sentence(root, not_executed):
    (root / "other").mkdir()
    shutil.copy(root / "study" / "01_question.ipynb", root / "other" / "02_next.ipynb")
    notebooks.write(root, "study")
    assert not_executed == ["01_question"]
    with pytest.raises(ValueError, match="no study 'dog' with notebooks; there are other, study"):
        notebooks.write(root, "dog")


def test_a_figure_without_a_picture_is_not_written(tree, not_executed):
    before = tree.read_bytes()
    for keep_text in (True, False):
        notebook = notebooks.read(tree)
        data = notebooks.code_cells(notebook)[2].outputs[0].data
        del data["image/png"]
        notebooks.code_cells(notebook)[2].outputs *= keep_text
        with pytest.raises(ValueError, match=r"is as it was: code cells 3 show figures without pictures"):
            publish.publish(tree, notebook)
        assert tree.read_bytes() == before


def test_the_front_page_is_that_of_the_committed_notebooks():
    readme = (notebooks.ROOT / "README.md").read_text(encoding="utf-8")
    assert notebooks.with_table(readme) == readme
    for path in notebooks.paths():
        assert claims.made_in(notebooks.read(path)), path


@pytest.mark.parametrize("claim", [("two\nlines", "1"), ("a", "1 | 2")])
def test_a_claim_that_would_break_the_table_is_refused(claim):
    with pytest.raises(ValueError, match="one line without bars"):
        claims.as_table(dict([claim]))


def test_the_first_cell_asks_and_answers():
    text = "# Title\n\nIs it?\nIs it so?\n\n**It is,\nby 0.4.** More **bold**.\n\n![A figure](figures/a.png)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert claims.question(notebook) == "Is it? Is it so?"
    assert claims.answer(notebook) == "It is, by 0.4."


def test_reproduce_finds_identical_outputs_and_makes_the_evidence(root, capfd):
    table = notebooks.reproduce(root)
    assert capfd.readouterr() == ("1 of 1: study/01_question.ipynb\n", "")
    assert table[["notebook", "outputs"]].to_numpy().tolist() == [["study/01_question.ipynb", "identical"]]
    evidence = root / notebooks.EVIDENCE
    evidence.mkdir(parents=True)
    (root / "build" / notebooks.TABLE).rename(evidence / notebooks.TABLE)
    readme = notebooks.with_table("<!-- notebooks --><!-- end notebooks -->", root)
    assert f"| It is 42. | {table['seconds'][0]:.0f} |" in readme


def test_reproduce_reports_a_cell_that_fails(tmp_path):
    path = tmp_path / "study" / "01_question.ipynb"
    write_notebook(path, ["6 / 0"])
    assert notebooks.reproduce(tmp_path)["outputs"].tolist() == [
        "failed: ZeroDivisionError: division by zero"
    ]
    with pytest.raises(CellExecutionError):
        notebooks.execute(path)


def output(text, **more):
    return nbformat.v4.new_output("display_data", data={"text/plain": text} | more)


DRAWING = "Figure: 1 lines (5 points); drawn +12 -3 +4; looks 0123abcd"
PNG = {"image/png": "aaaa"}


@pytest.mark.parametrize(
    ("committed", "found", "same"),
    [
        (output("42"), output("42"), True),
        (output("42"), output("43"), False),
        (output(DRAWING, **PNG), output(DRAWING, **{"image/png": "bbbb"}), True),
        (output(DRAWING, **PNG), output(DRAWING.replace("-3", "-4"), **PNG), True),
        (output(DRAWING, **PNG), output(DRAWING.replace("-3", "-5"), **PNG), False),
        (output(DRAWING, **PNG), output(DRAWING.replace("5 points", "6 points"), **PNG), False),
        (output(DRAWING, **PNG), output(DRAWING.replace("abcd", "abce"), **PNG), False),
        (output(DRAWING, **PNG), output(DRAWING), False),
        (output(DRAWING), output(DRAWING), False),
        (output("<Figure size 1x1 with 1 Axes>"), output("<Figure size 1x1 with 1 Axes>"), False),
        (output("text", **PNG), output("text"), False),
    ],
)
def test_outputs_differ_if_a_reader_could_see_it(committed, found, same):
    one, other = (
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[o])]) for o in (committed, found)
    )
    assert (notebooks.differing_cells(one, other) == []) == same
    item = nbval_cell([found])
    assert item.compare_outputs([found], [committed]) == same


def nbval_cell(outputs):
    """A cell as nbval collects it, with the comparison that the project's conftest gives it."""
    from nbval.plugin import IPyNbCell, IPyNbFile

    cell = object.__new__(IPyNbCell)
    cell.colors = type("Colors", (), dict.fromkeys(("FAIL", "ENDC", "OKBLUE", "OKGREEN"), ""))
    cell.format_output_compare = lambda *different: None
    cell.parent = object.__new__(IPyNbFile)
    cell.parent.skip_compare = ("metadata", "image/png", "output_type", "execution_count", "stderr")
    cell.parent.sanitize_patterns = {}
    cell.compare_outputs = compare.for_nbval(cell)
    return cell


def test_every_cell_that_nbval_collects_is_compared_by_our_rule():
    from conftest import pytest_itemcollected

    cell = nbval_cell([])
    before = cell.compare_outputs
    pytest_itemcollected(cell)
    assert cell.compare_outputs is not before


def test_changed_source_differs():
    one, other = (nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s)]) for s in "ab")
    assert notebooks.differing_cells(one, other) == [1]


def test_an_interrupted_reproduce_continues_and_a_finished_one_starts_over(root, not_executed, monkeypatch):
    shutil.copy(root / "study" / "01_question.ipynb", root / "study" / "02_next.ipynb")
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    execute = publish.execute

    def interrupted(path):
        notebook = execute(path)
        if len(not_executed) == 2:
            raise KeyboardInterrupt
        return notebook

    monkeypatch.setattr(publish, "execute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        notebooks.reproduce(root)
    assert notebooks.reproduce(root)["outputs"].tolist() == ["identical", "identical"]
    first, *others = not_executed
    assert len(others) == 2
    assert set(others) == {"01_question", "02_next"} - {first}
    notebooks.reproduce(root)
    assert set(not_executed[3:]) == {"01_question", "02_next"}


def test_an_interruption_prints_one_line_and_does_not_wait_for_kernels(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "main", interrupted)
    monkeypatch.setattr(__main__.os, "_exit", sys.exit)
    with pytest.raises(SystemExit, match="130"):
        __main__.run()
    assert capsys.readouterr().err.count("\n") == 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A notebook and its content."""
    path = tmp_path_factory.mktemp("whole") / "01_question.ipynb"
    write_notebook(path)
    return path, path.read_bytes()


@pytest.mark.fault(
    "notebook truncated or with a flipped bit", "one sentence or a notebook that differs, and the file stays"
)
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7), truncated=st.booleans())
def test_a_damaged_notebook_gets_one_clear_sentence_or_differs(whole, place, bit, truncated):
    path, content = whole
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


def test_a_notebook_of_no_known_format_gets_one_clear_sentence(whole):
    path, content = whole
    path.write_bytes(content.replace(b'"nbformat"', b'"nbforlat"'))
    with pytest.raises(notebooks.DamagedNotebookError, match="restore it with git"):
        notebooks.read(path)


@pytest.mark.parametrize("text", ["# Title", "# Title\n\nIs it?\n\n**It is.", "Is it?\n\n**It is.**"])
def test_a_notebook_without_question_or_answer_gets_one_clear_sentence(text):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    for function in (claims.question, claims.answer):
        with pytest.raises(ValueError, match="needs a title, a paragraph that ends with the question"):
            function(notebook)
