"""What the commands of the README hand to the Python that they start."""

import os
import subprocess

from common.notebooks import ROOT


def test_python_keeps_what_it_compiles():
    """Nothing is compiled at installation, and every start would take ten seconds longer."""
    shown = subprocess.run(
        ["make", "--no-print-directory", "-f", "-", "show"],
        input="include Makefile\nshow: ; @echo [$$PYTHONDONTWRITEBYTECODE]\n",
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert shown.stdout == "[]\n"
