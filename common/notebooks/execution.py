"""Finds, reads and executes notebooks."""

import asyncio
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TypeVar

import joblib
import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.warnings import MissingIDFieldWarning
from traitlets import default

from common.environment import SETTINGS, environment

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
ENVIRONMENT = SETTINGS | {"RESULTS": "replay"}
WIDGET = "application/vnd.jupyter.widget-view+json"
MOST_AT_ONCE = 4  # a kernel with TensorFlow takes 1 to 2 GB
Result = TypeVar("Result")


class DamagedNotebookError(ValueError):
    """A file is not a notebook."""


def paths(root: Path = ROOT) -> list[Path]:
    """Return the paths of all notebooks below `root`, ``<study>/NN_title.ipynb``, in order."""
    return sorted(root.glob("*/[0-9][0-9]_*.ipynb"))


def explorers(root: Path = ROOT) -> list[Path]:
    """Return the paths of the explorers, ``<study>/explore.ipynb``; their widgets are not compared."""
    return sorted(root.glob("*/explore.ipynb"))


def read(path: Path) -> NotebookNode:
    """Return the notebook at `path`.

    Raises
    ------
    DamagedNotebookError
        The file is truncated or altered.
    """
    # nbformat takes a notebook without a version for an old one and fails with an unbound variable.
    damages = ValueError, KeyError, TypeError, AttributeError, UnboundLocalError
    refusals = nbformat.ValidationError, MissingIDFieldWarning
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", MissingIDFieldWarning)
            notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
            nbformat.validate(notebook)
    except (*damages, *refusals) as error:
        raise DamagedNotebookError(f"{path.name} is not a whole notebook; restore it with git.") from error
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


class OwnKernel(AsyncKernelManager):
    """Starts the kernel of this Python, whatever kernels the user has installed."""

    @default("kernel_spec_manager")
    def _only_our_own(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])


def execute(path: Path) -> NotebookNode:
    """Execute the notebook at `path` from top to bottom in a fresh kernel and return it with new outputs.

    Output to stderr is left out, and so is all metadata that differs between machines.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell raised an exception.
    """
    notebook = read(path)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=OwnKernel,
        shutdown_kernel="immediate",
        timeout=None,
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": path.parent}},
    )
    asyncio.run(client.async_execute(env=environment(RESULTS="replay")))
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in code_cells(notebook):
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        for output in cell.outputs:
            if WIDGET in output.get("data", {}):
                del output.data["text/plain"]  # holds addresses and the bytes of pictures
    return notebook


def side_by_side(function: Callable[[Path], Result], notebooks: Sequence[Path]) -> Iterator[Result]:
    """Yield the results of a function of a notebook as they finish, with one notebook on each core.

    The calls run in threads. After an exception no further call begins.
    """
    pool = ThreadPoolExecutor(min(joblib.cpu_count(), MOST_AT_ONCE))
    try:
        for future in as_completed([pool.submit(function, path) for path in notebooks]):
            yield future.result()
    finally:
        # We need not wait, because kernels end with this process.
        pool.shutdown(wait=False, cancel_futures=True)
