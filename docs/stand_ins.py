"""Stand-ins for libraries that `common` builds on but its documentation does not need.

Importing TensorFlow takes longer than building the whole site.
"""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class StandIn(ModuleType):
    """A module with every attribute: capitalised ones are classes, others decorators that change nothing."""

    def __init__(self, name: str):
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {}) if name[0].isupper() else StandIn(f"{self.__name__}.{name}")
        setattr(self, name, made)
        return made

    def __getitem__(self, key: Any) -> "StandIn":
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        """Registries of a library take what they are given, and forget it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what is decorated, or the decorator."""
        return args[0] if args and callable(args[0]) else self


def stand_in(*names: str) -> None:
    """Import stand-ins under the names of libraries from now on, except where the library is here already."""
    for name in names:
        sys.modules.setdefault(name, StandIn(name))
