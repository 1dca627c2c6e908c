"""Kills, full disks, read-only folders and damaged files: what a command was doing is not lost.

Every long-running command is killed with its children by SIGKILL after a random time, until `KILLS` of them
have hit; whenever one comes to its end, what it leaves is compared with that of a command left alone, byte
by byte. ``make faults`` sets KILLS=20.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import pytest

from common import notebooks
from common.experiments import Store

KILLS = int(os.environ.get("KILLS", "2"))
ROOT = Path(notebooks.__file__).parent.parent
STUDY = """
import time

from common.experiments import experiment


@experiment(version=1, tolerance=0)
def square(*, x, seed):
    time.sleep(0.02)
    return {"square": x * x, "even": [x, x % 2]}
"""
SWEEP = textwrap.dedent("""
    from study.experiments import square
    from common.experiments import sweep
    sweep(square, x=list(range({})), seed=0)
""")
TRAINING = textwrap.dedent("""
    from pathlib import Path
    from tests.test_training import digest, fit
    from common.experiments import write_atomically
    write_atomically("result", digest(*fit(epochs=60, checkpoint="checkpoint.npz")).encode())
""")
NOTEBOOKS = textwrap.dedent("""
    from pathlib import Path
    from common import notebooks
    notebooks.ROOT, notebooks.BUILD = Path.cwd(), Path.cwd() / "build"
    notebooks.main(["{}"])
""")


def write_sweep(folder):
    package = folder / "study"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "experiments.py").write_text(STUDY)


def write_training(folder):
    folder.mkdir(parents=True)


def write_notebooks(folder):
    (folder / "study").mkdir(parents=True)
    draw = (
        "import matplotlib.pyplot as plt\nfigure, _ = plt.subplots(figsize=(1, 1)); plt.close(figure)\nfigure"
    )
    answer = "from IPython.display import Markdown\nMarkdown('**{}**')"
    for number in (1, 2):
        sources = [draw, answer.format(number)]
        cells = [nbformat.v4.new_markdown_cell(f"# {number}", id=f"title-{number}")]
        cells += [nbformat.v4.new_code_cell(s, id=f"cell-{number}-{i}") for i, s in enumerate(sources)]
        for cell, tag in zip(cells[1:], (f"figure-plot{number}", f"readme-answer{number}"), strict=True):
            cell.metadata["tags"] = [tag]
        path = folder / "study" / f"0{number}_question.ipynb"
        path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
    markers = "".join(f"<!-- answer{number} -->old<!-- end answer{number} -->" for number in (1, 2))
    for readme in (folder / "README.md", folder / "study" / "README.md"):
        readme.write_text(markers)


def records_of(folder):
    """Return the records without what is never the same twice, their seconds."""
    records = Store(folder / "study" / "results" / "square.jsonl").read().values()
    return [json.dumps(record | {"seconds": 0}) for record in records]


def files_of(folder, *patterns):
    """Return a dict from the files of some patterns to their bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
    }


COMMANDS = {
    "sweep": (write_sweep, SWEEP.format(40), records_of),
    "training": (write_training, TRAINING, lambda folder: files_of(folder, "result", "*.npz")),
    "reproduce": (
        write_notebooks,
        NOTEBOOKS.format("reproduce"),
        lambda folder: files_of(folder, "build/index.html", "build/notebooks/*/*.ipynb"),
    ),
    "write": (
        write_notebooks,
        NOTEBOOKS.format("write"),
        lambda folder: files_of(folder, "*/*.ipynb", "*/figures/*.png", "README.md", "*/README.md"),
    ),
}


def start(code, folder, **options):
    environment = os.environ | {
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "RESULTS": "compute",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment, start_new_session=True, **silent | options
    )


def finish(process):
    _, errors = process.communicate()
    assert process.returncode == 0, errors


@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_continues_and_leaves_the_same_bytes(name, tmp_path):
    write, code, result = COMMANDS[name]
    write(tmp_path / "whole")
    begun = time.perf_counter()
    finish(start(code, tmp_path / "whole"))
    seconds, expected = time.perf_counter() - begun, result(tmp_path / "whole")
    assert expected
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    rng, folder, killed = random.Random(seed), tmp_path / "killed", 0
    write(folder)
    while killed < KILLS:
        process = start(code, folder, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
        else:
            assert result(folder) == expected
            shutil.rmtree(folder)
            write(folder)
    finish(start(code, folder))
    assert result(folder) == expected
