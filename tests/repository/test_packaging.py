"""The package elsewhere than in its repository, the lock, and a new study."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from common.checkout import ROOT
from tests.repository.test_layout import STUDIES

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def run(*command, cwd, path, **variables):
    """Run Python in a folder with another path and return what it printed, its errors, and its status."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))} | variables
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Return a copy of all files that git keeps but the largest, which would only cost time."""
    folder = tmp_path_factory.mktemp("clone")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, cwd=ROOT, text=True).split("\0"):
        if (ROOT / name).is_file() and not name.endswith("fashion_mnist.npz"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def installed(clone, tmp_path_factory):
    """Return a folder with the wheel's content, away from the repository."""
    folder = tmp_path_factory.mktemp("installed")
    pip = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder / "wheel", "."]
    built = run(*pip, cwd=clone, path=[])
    assert built.returncode == 0, built.stderr
    (wheel,) = (folder / "wheel").iterdir()
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


# `pip install .` leaves out the groups of packages for notebooks and tests.
ELSEWHERE = """
import importlib, pkgutil, sys
for name in "nbclient nbconvert nbformat nbval papermill pytest hypothesis distributed".split():
    sys.modules[name] = None
import common
for module in pkgutil.walk_packages(common.__path__, "common."):
    if not module.name.startswith("common.notebooks"):
        importlib.import_module(module.name)
print(len(common.data.load_mnist().test), common.__file__)

from adversarial_attack.examples import load_examples
from common.experiments import sweep
from common.experiments.audit import main
from gan.experiments import baseline
from gan.models import load_generator

for need in (
    load_examples,
    lambda: load_generator(2),
    lambda: sweep(baseline, kind="histogram", seed=0),
    lambda: main(["sample"]),
):
    try:
        need()
    except (FileNotFoundError, SystemExit) as error:
        print(error)
"""


def test_the_library_imports_elsewhere_and_says_what_needs_the_repository(installed, tmp_path):
    done = run("-c", ELSEWHERE, cwd=tmp_path, path=[installed], RESULTS="replay")
    first, *said = done.stdout.splitlines()
    assert first == f"10000 {installed / 'common' / '__init__.py'}", done.stderr
    needed = ["00.png", "mnist_generator_2.weights.h5", "baseline.jsonl", "Every record"]
    assert [line.partition(" comes with the repository, not with the")[0] for line in said] == needed


def test_a_command_on_notebooks_says_that_it_needs_the_repository(installed, tmp_path):
    done = run("-m", "common.notebooks", "write", cwd=tmp_path, path=[installed])
    assert done.stderr.endswith("clone the repository and run this there.\n")


@pytest.mark.parametrize("study", sorted(STUDIES))
def test_a_foreign_package_called_common_is_named(study, tmp_path):
    foreign = tmp_path / "common" / "__init__.py"
    foreign.parent.mkdir()
    foreign.touch()
    done = run("-c", f"import {study}", cwd="/", path=[tmp_path, ROOT])
    said = f"ImportError: <module 'common' from '{foreign}'> hides this repository's package"
    assert done.stderr.splitlines()[-1].startswith(said)


def test_the_lock_holds_what_the_commands_need_and_no_address():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert not [line for line in lines if re.search(r"://|@|^--|/", line.partition("#")[0])]
    locked = {}
    for line in lines[:-1]:
        requirement = Requirement(line.partition("  #")[0])
        locked.setdefault(canonicalize_name(requirement.name), []).append(str(requirement.specifier)[2:])
    groups = PROJECT["optional-dependencies"]
    for text in PROJECT["dependencies"] + groups["notebooks"] + groups["tests"] + groups["docs"]:
        wanted = Requirement(text)
        assert all(version in wanted.specifier for version in locked[canonicalize_name(wanted.name)])


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert PROJECT["version"] == citation["version"] == newest
    assert importlib.metadata.version(PROJECT["name"])


def test_a_new_study_passes_its_own_tests(clone):
    made = run("-m", "common.notebooks.skeleton", "my_study", cwd=clone, path=[clone], RESULTS="compute")
    assert made.returncode == 0, made.stderr
    # Its notebook has just been executed, so nbval need not execute it again.
    tests = ["tests/my_study", "tests/repository/test_layout.py"]
    chosen = ["-q", "-p", "no:cacheprovider", "-k", "my_study"]
    done = run("-m", "pytest", *chosen, *tests, cwd=clone, path=[clone])
    assert done.returncode == 0, done.stdout
    for check in (["check"], ["format", "--check"]):
        assert (
            run("-m", "ruff", *check, "my_study", "tests/my_study", cwd=clone, path=[clone]).returncode == 0
        )


@pytest.mark.parametrize("name", ["", "My Study", "2nd", "class", "gan", "numpy", "tests", "json"])
def test_a_study_needs_a_name_of_its_own(name):
    from common.notebooks.skeleton import make

    with pytest.raises(ValueError, match=r"such as my_study, not|imports already; choose another one"):
        make(name)
