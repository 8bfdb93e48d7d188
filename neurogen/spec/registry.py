"""Finding things by scanning a package: one stem per thing, no list to edit."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import TypeVar

from .errors import InputError

Thing = TypeVar("Thing")


def scan(package: ModuleType) -> dict[str, ModuleType]:
    """Import every module of ``package`` that defines ``NAME`` and return them by that name, sorted.

    Raises ValueError if two modules claim one name.
    """
    found: dict[str, ModuleType] = {}
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        name = getattr(module, "NAME", None)
        if name is None:
            continue
        if name in found:
            raise ValueError(f"{module.__name__} and {found[name].__name__} are both called {name!r}")
        found[name] = module
    return dict(sorted(found.items()))


def pick(found: Mapping[str, Thing], name: str, kind: str) -> Thing:
    """The one called ``name``. Raises InputError, naming those that exist; ``kind`` says what they are."""
    if name not in found:
        raise InputError(f"there is no {kind} {name!r}; there are {', '.join(found)}")
    return found[name]
