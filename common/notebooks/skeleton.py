"""Makes a new study from ``docs/skeleton``; the result passes `make test`.

`make study NAME=name` runs ``python -m common.notebooks.skeleton NAME``.
"""

import importlib
import importlib.util
import keyword
import re
import subprocess
import sys
from pathlib import Path

from common import checkout
from common.checkout import ROOT
from common.experiments import sweep
from common.files import write_atomically
from common.notebooks import write_one

PLACEHOLDER = "new_study"


def make(name: str, root: Path = ROOT) -> list[Path]:
    """Write the files of a new study below `root` and return their paths; nothing is measured yet.

    Raises
    ------
    ValueError
        Python cannot import the name, or it is taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ValueError(
            f"A study is named with small letters, digits and underscores, such as my_study, not {name!r}: "
            "make study NAME=my_study"
        )
    if (root / name).exists() or importlib.util.find_spec(name):
        raise ValueError(f"{name} is a name that Python imports already; choose another one.")
    template = root / "docs" / "skeleton"
    written = []
    # With their own endings the .txt files would count as a page of the site or as a notebook here.
    for source in sorted([*template.glob("**/*.py"), *template.glob("*.txt")]):
        inside = source.relative_to(template)
        folder = root / "tests" / name if inside.parts[0] == "tests" else root / name
        written.append(folder / inside.name.replace(PLACEHOLDER, name).removesuffix(".txt"))
        text = source.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
        write_atomically(written[-1], text.replace("New study", name.replace("_", " ").capitalize()).encode())
    for tidy in (["check", "--fix"], ["format"]):  # the order of imports depends on the name
        subprocess.run([sys.executable, "-m", "ruff", *tidy, "--quiet", *written], cwd=root, check=True)
    return written


def main(argv: list[str]) -> None:
    """Make the study that the command line names, measure its records and execute its notebook."""
    try:
        (name,) = argv or [""]
        checkout.require("The template of a study")
        written = make(name)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    importlib.invalidate_caches()
    experiments = importlib.import_module(f"{name}.experiments")
    sweep(experiments.accuracy, examples=experiments.EXAMPLES, seed=range(3))
    write_one(ROOT / name / "01_first_question.ipynb")
    print(f"{name} is ready: {len(written)} files in {name}/ and tests/{name}/. `make lab` opens it.")


if __name__ == "__main__":
    main(sys.argv[1:])
