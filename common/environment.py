"""The environment of every process that measures, draws or tests; the user's settings never change a number.

Kernels, workers, tests and explorers get these settings instead of the user's settings of Keras, TensorFlow,
Matplotlib, IPython and Jupyter, which may be in variables or in files of the home folder. These libraries
read their settings at import, so this module imports only the standard library.

``python -m common.environment kernelspec`` writes the settings into the kernel of this Python, which
JupyterLab then uses.
"""

import contextlib
import gc
import json
import logging
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
# The libraries keep their settings and caches here and make the folders.
FOLDER = _ROOT / "build" / "settings" if _CHECKOUT else Path.home() / ".cache" / "deep-learning-notebooks"

# Settings that could change a number.
NUMBERS = {
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": str(FOLDER / "keras"),
    # One thread and deterministic kernels give the same bits on any number of cores.
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_DETERMINISTIC_OPS": "1",
    # TensorFlow turns oneDNN off on processors without AVX-512 and then trains up to four times as slowly.
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "PYTHONHASHSEED": "0",
}
SETTINGS = NUMBERS | {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "IPYTHONDIR": str(FOLDER / "ipython"),
    "MPLCONFIGDIR": str(FOLDER / "matplotlib"),
    "MATPLOTLIBRC": str(FOLDER / "matplotlib"),
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # IPython runs this file in every kernel instead of the user's file.
    "PYTHONSTARTUP": str(Path(__file__).with_name("kernel_startup.py")),
    "JUPYTER_PREFER_ENV_PATH": "1",
}
USERS = ("KERAS_", "TF_", "XLA_", "OMP_", "MKL_", "OPENBLAS_", "MPL", "MATPLOTLIB", "IPYTHON", "JUPYTER_PATH")


def environment(**more: str) -> dict[str, str]:
    """Return all variables for a new process: ours, `more`, and the current ones except the user's settings.

    >>> environment(RESULTS="replay")["KERAS_BACKEND"]
    'tensorflow'
    """
    _make_folder()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(USERS)}
    return kept | SETTINGS | more


@contextlib.contextmanager
def applied(**more: str) -> Iterator[None]:
    """Give this process, and the processes that it starts, the variables of `environment` for a while."""
    before = dict(os.environ)
    _set(environment(**more))
    try:
        yield
    finally:
        _set(before)


def apply(**more: str) -> None:
    """Give this process the variables of `environment`, and `quieten` TensorFlow.

    Its log then holds errors alone: a training has a graph for each size of its images, against which
    TensorFlow warns.

    Raises
    ------
    RuntimeError
        This process imported Keras or TensorFlow with other settings, which cannot change later.
    """
    late = [name for name in ("keras", "tensorflow") if name in sys.modules]
    other = [name for name, value in NUMBERS.items() if os.environ.get(name) != value]
    if late and other:
        raise RuntimeError(
            f"This process imported {' and '.join(late)} before it had the settings of measurements "
            f"({', '.join(other)}); start a fresh process, or call common.environment.apply() first."
        )
    _set(environment(**more))
    quieten()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def quieten() -> None:
    """Keep TensorFlow from writing to stderr how it was compiled and that there is no GPU."""
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
    """Finds TensorFlow as Python does, and drops all output to stderr during its import."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname == "tensorflow" else None
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = partial(_import_quietly, spec.loader.exec_module)  # type: ignore[method-assign]
        return spec


def _import_quietly(exec_module: Callable[[ModuleType], None], module: ModuleType) -> None:
    # TensorFlow's C++ writes to the file descriptor, past `sys.stderr`, before it reads its log level.
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        gc.disable()
        exec_module(module)
        module.config.list_physical_devices()  # otherwise the first tensor reports the missing driver
    finally:
        # What TensorFlow made stays; looking for garbage in it takes a fifth of the import, and time later.
        gc.freeze()
        gc.enable()
        os.dup2(kept, 2)
        os.close(kept)


def _make_folder() -> None:
    # IPython warns if it cannot make its own folder inside this one.
    with contextlib.suppress(OSError):
        FOLDER.mkdir(parents=True, exist_ok=True)


def _set(wanted: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    os.environ.update(wanted)


if __name__ == "__main__":
    if sys.argv[1:] != ["kernelspec"]:
        sys.exit("python -m common.environment takes one command: kernelspec.")
    try:
        write_kernelspec()
    except OSError as error:
        sys.exit(str(error))
