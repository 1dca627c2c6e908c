"""Kills, full disks and read-only folders: what a command was doing is not lost.

What takes long is killed by SIGKILL, with its process group, until `KILLS` kills have hit: a quarter of them
at any time, the others a random time after something was written. Whenever a command comes to its end, what
it leaves is compared with that of a command left alone, byte by byte but for the seconds that measurements
took. ``make faults`` sets KILLS=20; `make test` kills a sweep once, and for all commands it tests what they
rely on: that files are written in one step, and nowhere but in `common.files`.
"""

import ast
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import pytest

from common import files, notebooks
from common.environment import environment
from common.experiments import Store

KILLS = int(os.environ.get("KILLS", "1"))
ONLY_FAULTS = pytest.mark.skipif(KILLS < 20, reason="takes long: make faults")
RANDOM = random.SystemRandom()
ROOT = notebooks.ROOT
STUDIES = sorted(path.parent.name for path in ROOT.glob("*/experiments.py"))
STUDY = """
import time

from common.experiments import experiment


@experiment(version=1, tolerance=0)
def square(*, x, seed):
    time.sleep(0.02)
    return {"square": x * x, "even": [x, x % 2]}
"""
VERIFY = """
import base64, hashlib
from importlib.metadata import distributions

for package in distributions():
    assert package.files, package.name
    for file in package.files:
        if file.hash and file.suffix != ".pyc" and file.name != "kernel.json":  # which holds our settings
            digest = hashlib.new(file.hash.mode, file.locate().read_bytes()).digest()
            assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == file.hash.value, file
"""
SWEEP = textwrap.dedent("""
    from study.experiments import square
    from common.experiments import sweep
    sweep(square, x=list(range({})), seed=0)
""")
TRAINING = textwrap.dedent("""
    from pathlib import Path
    from tests.common.test_training import digest_of, fit
    from common.experiments import write_atomically
    write_atomically("result", digest_of(*fit(epochs=60, checkpoint="checkpoint.npz")).encode())
""")
SCRATCH = textwrap.dedent("""
    from pathlib import Path
    from common.experiments import audit
    audit.ROOT = Path.cwd()
    audit.main(["scratch", "study"])
""")
NOTEBOOKS = textwrap.dedent("""
    from common.notebooks.__main__ import main
    main(["{}", "--root", "."])
""")


def write_sweep(folder):
    package = folder / "study"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "experiments.py").write_text(STUDY)


def write_records(folder):
    write_sweep(folder)
    finish(start(SWEEP.format(20), folder))


def write_training(folder):
    folder.mkdir(parents=True)


def write_notebooks(folder):
    (folder / "study").mkdir(parents=True)
    draw = (
        "import matplotlib.pyplot as plt\nfigure, _ = plt.subplots(figsize=(1, 1)); plt.close(figure)\nfigure"
    )
    for number in (1, 2):
        first = f"# {number}\n\nWhich?\n\n**The answer is {number}.**"
        cells = [nbformat.v4.new_markdown_cell(first, id=f"title-{number}")]
        cells.append(nbformat.v4.new_code_cell(draw, id=f"cell-{number}"))
        cells[1].metadata["tags"] = [f"figure-plot{number}"]
        path = folder / "study" / f"0{number}_question.ipynb"
        path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
    (folder / "README.md").write_text("<!-- notebooks -->old<!-- end notebooks -->")


def records_of(folder):
    """Return the records without what is never the same twice, their seconds."""
    records = Store(folder / "study" / "results" / "square.jsonl").read().values()
    return [json.dumps(record | {"seconds": 0}) for record in records]


def report_of(folder):
    """Return the words of the report of `make scratch`, without seconds, hours and differences."""
    words = (folder / "build" / "scratch_study.txt").read_text().split()
    return [word for word in words if not re.fullmatch(r"\d+\.\d+", word)]


def files_of(folder, *patterns):
    """Return a dict from the files of some patterns to their bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
    }


COMMANDS = {
    "sweep": (write_sweep, SWEEP.format(40), records_of, "the records of a sweep left alone"),
    "scratch": (write_records, SCRATCH, report_of, "the report of a measurement left alone"),
    "training": (
        write_training,
        TRAINING,
        lambda folder: files_of(folder, "result", "*.npz"),
        "the bytes of a training left alone",
    ),
    "reproduce": (
        write_notebooks,
        NOTEBOOKS.format("reproduce"),
        lambda folder: files_of(folder, "build/notebooks/*/*.ipynb"),
        "the copies of a run left alone, byte by byte",
    ),
    "write": (
        write_notebooks,
        NOTEBOOKS.format("write"),
        lambda folder: files_of(folder, "*/*.ipynb", "*/figures/*.png", "README.md", "*/README.md"),
        "the notebooks, figures and READMEs of a run left alone, byte by byte",
    ),
}


def start(code, folder, prefix=(), **options):
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", f"from common.environment import quieten; quieten()\n{code}"],
        cwd=folder,
        env=environment(PYTHONPATH=f"{folder}{os.pathsep}{ROOT}", RESULTS="compute"),
        start_new_session=True,
        **silent | options,
    )


def finish(process):
    _, errors = process.communicate()
    assert process.returncode == 0, errors


def killing(name):
    """Return a parameter with the marks of a command that is killed `KILLS` times."""
    mark = pytest.mark.fault(f"{name} killed by SIGKILL and repeated", COMMANDS[name][-1], times=KILLS)
    return pytest.param(name, marks=[mark] if name == "sweep" else [mark, ONLY_FAULTS])


@pytest.mark.parametrize("name", [killing(name) for name in COMMANDS])
def test_a_killed_command_continues_and_leaves_the_same_bytes(name, tmp_path):
    write, code, result, _ = COMMANDS[name]
    write(tmp_path / "whole")
    begun = time.perf_counter()
    finish(start(code, tmp_path / "whole"))
    seconds, expected = time.perf_counter() - begun, result(tmp_path / "whole")
    assert expected
    folder, killed = tmp_path / "killed", 0
    write(folder)
    while killed < KILLS:
        with (tmp_path / "errors").open("w") as errors:
            process = start(code, folder, stderr=errors)
            if RANDOM.random() < 0.75:
                wait_for_progress(process, folder)
                kill_after(process, RANDOM.uniform(0, seconds / 4))
            else:
                kill_after(process, RANDOM.uniform(0, seconds))
        if process.returncode == -signal.SIGKILL:
            killed += 1
        else:
            assert process.returncode == 0, (tmp_path / "errors").read_text()
            assert result(folder) == expected
            shutil.rmtree(folder)
            write(folder)
    finish(start(code, folder))
    assert result(folder) == expected


def wait_for_progress(process, folder):
    """Wait until something in a folder is written or the process ends."""
    before = times(folder)
    while process.poll() is None and times(folder) == before:
        time.sleep(0.01)


def times(folder):
    found = {}
    for place, _, names in os.walk(folder):  # which passes over what is deleted meanwhile
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found[place, name] = os.stat(os.path.join(place, name)).st_mtime_ns
    return found


def kill_after(process, seconds):
    """Kill a process and its group if it takes longer; return when it has ended."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        # It may have ended in the meantime.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.fault(
    "installation killed by SIGKILL and repeated", "every file of every package is whole", times=KILLS
)
@ONLY_FAULTS
def test_after_killed_installations_every_file_is_whole(tmp_path):
    subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / "clone"], check=True)
    install, killed, begun = ["make", ".venv/ready"], 0, time.perf_counter()
    subprocess.run(install, cwd=tmp_path / "clone", check=True)
    seconds = time.perf_counter() - begun
    subprocess.run(["make", "clean"], cwd=tmp_path / "clone", check=True)
    while killed < KILLS:
        process = subprocess.Popen(install, cwd=tmp_path / "clone", start_new_session=True)
        kill_after(process, RANDOM.uniform(0, seconds))
        if process.returncode == -signal.SIGKILL:
            killed += 1
        else:
            assert process.returncode == 0
            assert_whole(tmp_path / "clone")
            subprocess.run(["make", "clean"], cwd=tmp_path / "clone", check=True)
    subprocess.run(install, cwd=tmp_path / "clone", check=True)
    assert_whole(tmp_path / "clone")


def assert_whole(clone):
    """Every package of the lock is installed, and every file has the SHA-256 that its package says."""
    python = clone / ".venv" / "bin" / "python"
    # The project itself, in the last line, would be built in an environment with packages of its own.
    *lock, project = (clone / "requirements.txt").read_text().splitlines(keepends=True)
    assert project == "-e .\n"
    (clone / "lock.txt").write_text("".join(lock))
    missing = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "-r", "lock.txt"]
    subprocess.run(missing, cwd=clone, check=True)  # fails if there is anything to install
    subprocess.run([python, "-c", "import common"], cwd=clone / "tests", check=True)
    subprocess.run([python, "-m", "pip", "check"], check=True)
    subprocess.run([python, "-c", VERIFY], check=True)


UNHARMED = "one sentence, and what was there stays"
WRITERS = """
import contextlib, os
from pathlib import Path
import keras, numpy as np
from common.experiments import Store, write_atomically
from common.checkpoints import resumable
from common.weights import save_weights

def record(size):
    Store("results/store.jsonl").add({"config": {"size": size}, "result": {"bytes": [1] * size}})

def weights(size):
    model = keras.Sequential([keras.Input((size,)), keras.layers.Dense(10)])
    save_weights(model, Path("results/some.weights.h5"))

def checkpoint(size):
    variables, epochs = [keras.Variable(np.ones(100_000, "float32"))], 1 if size == 10 else 2
    resumable(lambda epoch: {"epoch": epoch}, variables, epochs, {}, "results/checkpoint.npz")

def figure(size):
    write_atomically("results/figure.png", bytes(size))

writers = record, weights, checkpoint, figure
"""
WRITTEN = "store.jsonl", "some.weights.h5", "checkpoint.npz", "figure.png"
# A disk of its own, which is there for the process only, so that it can be filled.
SMALL_DISK = (
    "unshare", "--user", "--map-root-user", "--mount",
    "sh", "-c", 'mount -t tmpfs -o size=2m tmpfs results && exec "$@"', "sh",
)  # fmt: skip
FILL_ALL_BUT_64_KB = """
with open("results/filler.lock", "wb", buffering=0) as filler:
    with contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    filler.truncate(filler.tell() - 65_536)
"""
# A superuser may write into every folder, unless it gives that up.
NO_SUPERUSER = () if os.getuid() else ("setpriv", "--bounding-set", "-dac_override")
SPOILED = {
    "a full disk": (SMALL_DISK, FILL_ALL_BUT_64_KB),
    "a read-only folder": (NO_SUPERUSER, "os.chmod('results', 0o555)"),
}


def unwritable(spoiled):
    """Return a parameter with the mark of what is tried."""
    mark = pytest.mark.fault(f"record, weights, checkpoint or figure and {spoiled}", UNHARMED)
    # Of the two, `make test` tries one; it also stops `write_atomically` at every step by a full disk, below.
    return pytest.param(spoiled, marks=(mark, ONLY_FAULTS) if spoiled == "a full disk" else mark)


WRITE_AND_FAIL = """
def content():
    return {{path.name: path.read_bytes() for path in Path("results").iterdir() if path.suffix != ".lock"}}

for write in writers:
    write(10)
before = content()
{spoil}
for write in writers:
    try:
        write(100_000)
    except OSError as error:
        print(error)
    assert content() == before
"""


@pytest.mark.parametrize("spoiled", [unwritable(spoiled) for spoiled in SPOILED])
def test_what_cannot_be_written_gets_one_clear_sentence_and_destroys_nothing(spoiled, tmp_path):
    (tmp_path / "results").mkdir()
    prefix, spoil = SPOILED[spoiled]
    if prefix and (not shutil.which(prefix[0]) or subprocess.run([*prefix, "true"], cwd=tmp_path).returncode):
        pytest.skip(f"needs to be allowed: {prefix[0]}")
    process = start(WRITERS + WRITE_AND_FAIL.format(spoil=spoil), tmp_path, prefix, stdout=subprocess.PIPE)
    said, errors = process.communicate()
    assert process.returncode == 0, errors
    sentence = "{} (was not written and is as it was|cannot be written): .*\\."
    for name, line in zip(WRITTEN, said.splitlines(), strict=True):
        assert re.fullmatch(sentence.format(name), line)


STEPS = "open", "fsync", "replace"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("No space left on device")])
def test_a_write_that_stops_at_any_step_leaves_the_old_content_or_the_new(step, error, tmp_path, monkeypatch):
    path = tmp_path / "file"
    files.write_atomically(path, b"old")

    def stop(*_, **__):
        raise error

    monkeypatch.setattr(os if step == "fsync" else Path, step, stop)
    with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else OSError):
        files.write_atomically(path, b"new and longer")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    files.write_atomically(path, b"new and longer")
    assert path.read_bytes() == b"new and longer"
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


def test_nothing_writes_a_file_but_the_function_that_does_it_in_one_step():
    modules = [p for folder in ("common", *STUDIES) for p in sorted((ROOT / folder).glob("**/*.py"))]
    writing = {
        (str(path.relative_to(ROOT)), name)
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and (name := writes(node))
    }
    assert writing == {("common/files.py", "open")}


def writes(call):
    """Return the name of a call that writes a file, or None; what is called `file` is in memory."""
    name = getattr(call.func, "attr", getattr(call.func, "id", None))
    arguments = [ast.unparse(argument) for argument in call.args]
    if name == "open":
        return (
            name if {"'w'", "'wb'", "'a'", "'x'"} & {*arguments} and "os.devnull" not in arguments else None
        )
    into_a_file = arguments and arguments[0] not in ("file", "*args")
    if name in {"write_text", "write_bytes"} or (
        name in {"savez", "savefig", "save", "to_csv"} and into_a_file
    ):
        return name


@ONLY_FAULTS
@pytest.mark.fault("records by two processes at once", "none lost, none stored twice", times=50 * KILLS)
def test_two_processes_sweeping_at_once_lose_and_duplicate_nothing(tmp_path):
    write_sweep(tmp_path)
    count = 50 * KILLS
    halves_overlap = (f"0, {3 * count // 4}", f"{count // 4}, {count}")
    both = [start(SWEEP.format(part), tmp_path) for part in halves_overlap]
    for process in both:
        finish(process)
    lines = (tmp_path / "study" / "results" / "square.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["config"]["x"] for line in lines) == list(range(count))
