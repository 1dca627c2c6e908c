"""Checks that the library runs in its repository; an installed package has no records or weights."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def require(what: str) -> None:
    """Raise FileNotFoundError outside the repository; `what` names the missing thing in the message."""
    if not (ROOT / "pyproject.toml").is_file():
        raise FileNotFoundError(
            f"{what} comes with the repository, not with the installed package; clone the repository and run "
            "this there."
        )


def missing(path: Path) -> FileNotFoundError:
    """Return the error for a missing file of the repository; raise like `require` outside it."""
    require(path.name)
    return FileNotFoundError(
        f"{path.name} is missing from {path.parent.name}; restore it with `git checkout`."
    )
