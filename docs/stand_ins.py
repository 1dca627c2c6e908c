"""Stand-ins for libraries that `common` builds on but its documentation does not need.

Importing TensorFlow takes longer than building the whole site.
"""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy.typing


def attribute(owner: Any, name: str) -> Any:
    """Return a new class for a capitalised name, else a `StandIn`, and keep it as an attribute of `owner`."""
    if name.startswith("__"):
        raise AttributeError(name)
    made = StandInClass(name, (), {}) if name[0].isupper() else StandIn(name)
    setattr(owner, name, made)
    return made


class StandInClass(type):
    """The type of classes with every attribute."""

    __getattr__ = attribute


class StandIn(ModuleType):
    """A module with every attribute: capitalised ones are classes, others decorators that change nothing."""

    __getattr__ = attribute

    def __getitem__(self, key: Any) -> "StandIn":
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        """Registries of a library take what they are given, and forget it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what is decorated, or the decorator."""
        return args[0] if args and callable(args[0]) else self


class Finder(MetaPathFinder, Loader):
    """Finds a stand-in for every module of some libraries."""

    def __init__(self, *libraries: str):
        self.libraries = libraries

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return a specification if the module belongs to one of the libraries."""
        return ModuleSpec(name, self, is_package=True) if name.split(".")[0] in self.libraries else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the stand-in."""
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is executed."""


def stand_in(*libraries: str) -> None:
    """Import stand-ins in place of libraries from now on, and keep the names of aliases of types."""
    sys.meta_path.insert(0, Finder(*libraries))
    numpy.typing.ArrayLike = type("ArrayLike", (), {"__module__": "numpy.typing"})
    validation = importlib.import_module("common.validation")
    validation.Tensor = type("Tensor", (), {"__module__": "common.validation"})
