"""The conditions of a measurement: processor, versions of libraries, settings."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

LIBRARIES = ("numpy", "scipy", "keras", "tensorflow")
KERAS = {
    "backend": "tensorflow",
    "floatx": "float32",
    "image_data_format": "channels_last",
    "epsilon": 1e-7,
    "dtype_policy": "float32",
}
# Fields that distinguish generations of a processor, on x86 and on ARM.
GENERATION = ("cpu family", "model", "stepping", "CPU implementer", "CPU part", "CPU revision")


def conditions() -> dict[str, Any]:
    """Return the conditions of this process as a dict of JSON values, a part of each record.

    "cpu" and "libraries" are the results of `cpu` and `libraries`. "environment" holds the other influences
    on the numbers: oneDNN, threads, determinism and, if Keras is imported, its settings and the number of
    GPUs.

    Raises
    ------
    RuntimeError
        Keras has other settings than measurements need.
    """
    found: dict[str, Any] = {
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1",
        "threads": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
        "deterministic": os.environ.get("TF_DETERMINISTIC_OPS") == "1",
    }
    return {"cpu": cpu(), "libraries": libraries(), "environment": found | _of_keras()}


def _of_keras() -> dict[str, Any]:
    keras, tensorflow = (sys.modules.get(name) for name in ("keras", "tensorflow"))
    if keras is None or tensorflow is None:
        return {}
    found = {name: getattr(keras.config, name)() for name in KERAS if name != "dtype_policy"}
    found["dtype_policy"] = keras.config.dtype_policy().name
    other = {name: value for name, value in found.items() if value != KERAS[name]}
    if other:
        wanted = {name: KERAS[name] for name in other}
        raise RuntimeError(f"Keras has the settings {other} here, but measurements need {wanted}.")
    return found | {"gpus": len(tensorflow.config.list_physical_devices("GPU"))}


def same_conditions(record: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two records have the same kind of CPU, the same libraries and the same settings.

    Old records without settings never match newer records.
    """
    return all(record.get(name) == other.get(name) for name in ("cpu", "libraries", "environment"))


@cache
def cpu() -> str:
    """Return the name of this machine's kind of processor."""
    info = Path("/proc/cpuinfo")
    described = processor(info.read_text()) if info.exists() else ""
    return described or platform.processor() or platform.machine()


def processor(cpuinfo: str) -> str:
    """Return the kind of the first processor in the text of Linux's ``/proc/cpuinfo``, "" without a name.

    A virtual machine may give several generations of a processor one name. Their vector units differ, and so
    do the bits of a sum; therefore family, model and stepping belong to the kind.

    >>> processor("model name : EPYC\\ncpu family : 25\\nmodel : 1")
    'EPYC (family 25, model 1)'
    """
    lines = [line.partition(":") for line in cpuinfo.partition("\n\n")[0].splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in lines}
    parts = [f"{name.split()[-1]} {fields[name]}" for name in GENERATION if name in fields]
    name = fields.get("model name") or (platform.machine() if parts else "")
    return f"{name} ({', '.join(parts)})" if parts else name


@cache
def libraries() -> dict[str, str]:
    """Return the versions of Python and of the libraries that determine the numbers."""
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version()} | versions
