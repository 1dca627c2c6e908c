"""What the commands of the Makefile hand to the Python that they start."""

import os
import re
import subprocess

from common.checkout import ROOT


def make(*arguments, text=None, **variables):
    """Return what make prints."""
    command = ["make", "--no-print-directory", *arguments]
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES")
    }
    environment = inherited | variables
    return subprocess.run(
        command, input=text, env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_variables_of_a_container_do_not_slow_or_mislead_python():
    """Nothing is compiled at installation, and every start would take ten seconds longer."""
    show = "include Makefile\nshow: ; @echo [$$PYTHONDONTWRITEBYTECODE] [$$RESEARCH_DATA]\n"
    shown = make("-f", "-", "show", text=show, PYTHONDONTWRITEBYTECODE="1", RESEARCH_DATA="docs")
    assert shown == f"[] [{ROOT / 'docs'}]\n"


def test_help_lists_every_command():
    targets = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[1].split()
    assert sorted(re.findall(r"^make (\S+) ", make("help"), re.MULTILINE)) == sorted(targets)


def test_jupyterlab_is_told_when_the_user_is_root():
    assert ("--allow-root" in make("-n", "lab")) == (os.getuid() == 0)
