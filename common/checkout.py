"""Where the library stands: in its repository, or installed without the records, examples and weights."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def missing(path: Path) -> FileNotFoundError:
    """Return the error for a file of the repository that is not there; it says how to get the file."""
    if (ROOT / "pyproject.toml").is_file():
        return FileNotFoundError(
            f"{path.name} is missing from {path.parent}; restore it with `git checkout`."
        )
    return FileNotFoundError(
        f"{path.name} comes with the repository, not with the installed package; clone the repository and "
        "run this there."
    )
