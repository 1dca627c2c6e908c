"""The environment of every process that measures, draws or tests, so that the user's never reaches a number.

Kernels, workers, tests and explorers get these settings in place of whatever the user has set for Keras,
TensorFlow, Matplotlib, IPython and Jupyter, in variables or in files of the home folder. It imports nothing
but the standard library, because all of them read their settings when they are imported.

``python -m common.environment kernelspec`` writes the settings into the kernel of this Python, so that
JupyterLab starts its kernels with them.
"""

import argparse
import contextlib
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_ROOT = Path(__file__).parents[1]
_CHECKOUT = (_ROOT / "pyproject.toml").exists()
# Where libraries keep their own settings and caches; they make the folders.
FOLDER = _ROOT / "build" / "settings" if _CHECKOUT else Path.home() / ".cache" / "deep-learning-notebooks"

# What could change a number.
NUMBERS = {
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": str(FOLDER / "keras"),
    # One thread and deterministic kernels: the same bits on any number of cores, and one experiment a core.
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_DETERMINISTIC_OPS": "1",
    # TensorFlow leaves oneDNN off on processors without AVX-512, and trains up to four times as slowly then.
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "PYTHONHASHSEED": "0",
}
SETTINGS = NUMBERS | {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "IPYTHONDIR": str(FOLDER / "ipython"),
    "MPLCONFIGDIR": str(FOLDER / "matplotlib"),
    "MATPLOTLIBRC": str(FOLDER / "matplotlib"),
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # IPython runs this file in every kernel, in place of the user's.
    "PYTHONSTARTUP": str(Path(__file__).with_name("kernel_startup.py")),
    "JUPYTER_PREFER_ENV_PATH": "1",
}
USERS = ("KERAS_", "TF_", "XLA_", "OMP_", "MKL_", "OPENBLAS_", "MPL", "MATPLOTLIB", "IPYTHON", "JUPYTER_PATH")


def environment(**more: str) -> dict[str, str]:
    """Return all variables of a process to start: today's without the user's settings, ours, and `more`.

    >>> environment(RESULTS="replay")["KERAS_BACKEND"]
    'tensorflow'
    """
    _make_folder()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(USERS)}
    return kept | SETTINGS | more


@contextlib.contextmanager
def applied(**more: str) -> Iterator[None]:
    """Give this process the variables of `environment` for a while, and so the processes that it starts."""
    before = dict(os.environ)
    _set(environment(**more))
    try:
        yield
    finally:
        _set(before)


def apply(**more: str) -> None:
    """Give this process the variables of `environment`, and keep TensorFlow quiet (`quieten`).

    Raises
    ------
    RuntimeError
        Keras or TensorFlow was imported here with other settings, which it keeps.
    """
    late = [name for name in ("keras", "tensorflow") if name in sys.modules]
    other = [name for name, value in NUMBERS.items() if os.environ.get(name) != value]
    if late and other:
        raise RuntimeError(
            f"This process imported {' and '.join(late)} before it had the settings of measurements "
            f"({', '.join(other)}); start a fresh one, or call common.environment.apply() first."
        )
    _set(environment(**more))
    quieten()


def quieten() -> None:
    """Keep TensorFlow from writing to stderr, now or later, that there is no GPU and how it was compiled."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules and not any(isinstance(f, _QuietFinder) for f in sys.meta_path):
        sys.meta_path.insert(0, _QuietFinder())


def write_kernelspec(prefix: str | os.PathLike[str] = sys.prefix) -> Path:
    """Write the settings into the kernel "python3" of an environment and return the path of its file.

    Raises
    ------
    FileNotFoundError
        ipykernel is not installed there.
    """
    path = Path(prefix) / "share" / "jupyter" / "kernels" / "python3" / "kernel.json"
    if not path.exists():
        raise FileNotFoundError(f"There is no kernel in {str(prefix)!r}; install ipykernel there.")
    from common.files import write_atomically

    _make_folder()
    kernel = json.loads(path.read_text(encoding="utf-8")) | {"env": SETTINGS}
    write_atomically(path, json.dumps(kernel, indent=1).encode())
    return path


class _QuietFinder(MetaPathFinder):
    """Finds TensorFlow as Python does, and drops what is written to stderr while it is imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname == "tensorflow" else None
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = partial(_import_quietly, spec.loader.exec_module)  # type: ignore[method-assign]
        return spec


def _import_quietly(exec_module: Callable[[ModuleType], None], module: ModuleType) -> None:
    # Its C++ writes to the file descriptor, past `sys.stderr`, and before it knows its own log level.
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        gc.disable()
        exec_module(module)
        module.config.list_physical_devices()  # else the first tensor would say that there is no driver
    finally:
        # What TensorFlow made stays; looking for garbage in it takes a fifth of the import, and time later.
        gc.freeze()
        gc.enable()
        os.dup2(kept, 2)
        os.close(kept)


def _make_folder() -> None:
    # IPython warns where it cannot make its own folder inside this one.
    with contextlib.suppress(OSError):
        FOLDER.mkdir(parents=True, exist_ok=True)


def _set(wanted: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    os.environ.update(wanted)


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m common.environment", description="Writes our settings into this Python's kernel."
    )
    parser.add_argument("command", choices=["kernelspec"])
    parser.parse_args(argv)
    try:
        write_kernelspec()
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
