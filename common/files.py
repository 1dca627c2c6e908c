"""Writing of files that several processes share; a kill or a full disk leaves them unchanged."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, None)


def require_writable(path: str | os.PathLike[str]) -> None:
    """Raise the errors of `lock` before a long computation whose result could not be written."""
    with lock(path):
        pass


@contextlib.contextmanager
def lock(path: str | os.PathLike[str]) -> Iterator[None]:
    """Hold the lock of a file that several processes write, and make its folder.

    Raises
    ------
    PermissionError
        The folder is read-only.
    OSError
        The disk is full, or the file system has no locks, such as some network file systems.
    """
    path = Path(path).absolute()
    folder = next(folder for folder in path.parents if folder.exists())
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{path.name} cannot be written: {str(folder)!r} is read-only.")
    held = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held.acquire()
    except (OSError, NotImplementedError) as error:
        raise _refusal(error, f"{path.name} cannot be written: {_why_no_lock(error, folder)}.") from error
    try:
        yield
    finally:
        held.release()


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write bytes to a file that no other process writes now; a kill leaves the old content or the new.

    Raises
    ------
    OSError
        The file cannot be written, for example because the disk is full; it keeps its old content.
    """
    path = Path(path)
    aside = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        message = f"{path.name} was not written and is as it was: {error.strerror or error}."
        raise _refusal(error, message) from error


def _why_no_lock(error: Exception, folder: Path) -> str:
    if getattr(error, "errno", None) in NO_LOCKS:
        return f"the file system of {str(folder)!r} has no file locks; work in a copy on a local disk"
    return getattr(error, "strerror", None) or str(error)


def _refusal(error: Exception, message: str) -> OSError:
    kind = type(error) if isinstance(error, OSError) else OSError
    refusal = kind(message)
    refusal.errno = getattr(error, "errno", None)
    return refusal
