"""The user's environment reaches no number, no figure and no screen."""

import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from common import environment
from common.notebooks import ROOT

KERAS_JSON = {"backend": "torch", "image_data_format": "channels_first", "floatx": "float64"}
PROFILE = "c = get_config(); c.InteractiveShell.ast_node_interactivity = 'all'"


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """The environment of a user whose own settings would spoil everything."""
    home = tmp_path / "home"
    profile = home / ".ipython" / "profile_default"
    for folder in (home / ".keras", home / ".config" / "matplotlib", profile):
        folder.mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text(json.dumps(KERAS_JSON))
    (home / ".config" / "matplotlib" / "matplotlibrc").write_text("savefig.facecolor: red\nfont.size: 40\n")
    (profile / "ipython_config.py").write_text(f"{PROFILE}; c.InlineBackend.figure_formats = ['svg']")
    (home / "startup.py").write_text("print('started')")
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return kept | {
        "HOME": str(home), "KERAS_HOME": str(home / ".keras"), "KERAS_BACKEND": "jax", "MPLBACKEND": "Agg",
        "TF_ENABLE_ONEDNN_OPTS": "0", "KERAS_MAX_EPOCHS": "1", "PYTHONSTARTUP": str(home / "startup.py"),
        "MATPLOTLIBRC": str(home / ".config" / "matplotlib"), "PYTHONHASHSEED": "7", "RESULTS": "compute",
    }  # fmt: skip


STUDY = """
from common.experiments import experiment

@experiment(version=1, tolerance=0)
def size(*, seed):
    import tensorflow as tf
    from cnn_vs_dense.models import build
    for _ in range(9):  # TensorFlow advises against tracing a function so often
        tf.function(lambda x: x + 1)(tf.zeros(1))
    return {"parameters": build("pointwise", (28, 28, 1), 10, seed).count_params()}

@experiment(version=1, tolerance=0)
def spoiled(*, seed):
    import keras
    keras.config.set_image_data_format("channels_first")
    return {}
"""
SWEEPS = """
from study.experiments import size, spoiled
from common.experiments import sweep
print(sweep(size, seed=0)["parameters"].item())
try:
    sweep(spoiled, seed=0)
except RuntimeError as error:
    print(error)
"""


def test_the_users_settings_of_keras_reach_no_record_and_no_screen(hostile, tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "experiments.py").write_text(STUDY)
    done = subprocess.run(
        [sys.executable, "-c", SWEEPS], env=hostile | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True, text=True,
    )  # fmt: skip
    said = [line for line in done.stdout.splitlines() if "records" not in line]
    assert said[0] == "61675", done.stderr
    assert said[1].startswith("Keras has the settings {'image_data_format': 'channels_first'} here, but meas")
    (path,) = (tmp_path / "study" / "results").glob("*.jsonl")
    found = json.loads(path.read_text())["environment"]
    assert found == {
        "onednn": True, "threads": 1, "deterministic": True, "gpus": found["gpus"],
        "backend": "tensorflow", "floatx": "float32", "image_data_format": "channels_last",
        "epsilon": 1e-7, "dtype_policy": "float32",
    }  # fmt: skip
    lines = [line for line in re.split(r"[\r\n]+", done.stderr) if line.strip()]
    assert all(line.startswith(("size:", "spoiled:")) for line in lines), done.stderr


def test_a_process_that_imported_keras_with_other_settings_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
    environment.apply()
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    with pytest.raises(RuntimeError, match=r"imported keras.* \(TF_ENABLE_ONEDNN_OPTS\); start a fresh"):
        environment.apply()


def test_what_is_applied_for_a_while_is_taken_back(monkeypatch):
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "1")
    monkeypatch.setenv("MPLBACKEND", "svg")
    before = dict(os.environ)
    with environment.applied(RESULTS="compute"):
        assert os.environ["RESULTS"] == "compute"
        assert "KERAS_MAX_EPOCHS" not in os.environ
        assert os.environ.items() >= environment.SETTINGS.items()
    assert dict(os.environ) == before


CELLS = (
    "1\n2",
    "import tensorflow as tf, keras\n"
    "add = tf.function(lambda x: x + 1, jit_compile=True)\n"
    "float(add(tf.constant(1.0))), keras.config.image_data_format()",
    "import matplotlib.pyplot as plt\n"
    "plt.figure(figsize=(1, 1)); plt.plot([1, 2]); plt.rcParams['font.size']",
)


def test_a_kernel_of_jupyterlab_is_quiet_and_shows_figures(hostile, tmp_path, monkeypatch, capfd):
    """It is started as JupyterLab does, by its kernelspec, with nothing of its stderr dropped."""
    place = Path("share", "jupyter", "kernels", "python3")
    shutil.copytree(Path(sys.prefix) / place, tmp_path / place)
    written = environment.write_kernelspec(tmp_path)
    assert json.loads(written.read_text())["argv"][0] == "python"
    with pytest.raises(FileNotFoundError, match=r"no kernel in .*; install ipykernel there"):
        environment.write_kernelspec(tmp_path / "elsewhere")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    quietly = ["--IPKernelApp.log_level=ERROR"]  # of Jupyter's own messages
    place = {"metadata": {"path": ROOT}}
    client = NotebookClient(notebook, kernel_name="python3", extra_arguments=quietly, resources=place)
    client.execute(env=hostile)
    first, second, third = [
        [(o.output_type, o.get("data", o.get("text"))) for o in cell.outputs] for cell in notebook.cells
    ]
    assert first == [("execute_result", {"text/plain": "2"})]
    assert second == [("execute_result", {"text/plain": "(2.0, 'channels_last')"})]
    assert [kind for kind, _ in third] == ["execute_result", "display_data"]
    assert third[0][1] == {"text/plain": "10.0"}
    assert "image/png" in third[1][1]
    assert capfd.readouterr().err == ""


def test_every_command_of_a_study_takes_our_environment_before_keras_is_imported():
    studies = [path.parent for path in ROOT.glob("*/experiments.py")]
    modules = [path for study in studies for path in study.glob("*.py")]
    commands = [path for path in modules if '__name__ == "__main__"' in path.read_text()]
    assert len(commands) >= 4
    for path in commands:
        before = path.read_text().partition("environment.apply(")[0]
        assert "import keras" not in before, path
        assert before.count("import ") == 1, path
