"""Where the library stands: in its repository, or installed without the records, examples and weights."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def require(what: str) -> None:
    """Raise FileNotFoundError outside of the repository; `what` is the subject of its sentence."""
    if not (ROOT / "pyproject.toml").is_file():
        raise FileNotFoundError(
            f"{what} comes with the repository, not with the installed package; clone the repository and run "
            "this there."
        )


def missing(path: Path) -> FileNotFoundError:
    """Return the error for a file of the repository that is not there; raises like `require`."""
    require(path.name)
    return FileNotFoundError(
        f"{path.name} is missing from {path.parent.name}; restore it with `git checkout`."
    )
