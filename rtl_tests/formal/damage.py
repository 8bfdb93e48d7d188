"""Blocks broken on purpose, to see that a proof can fail."""

import importlib
import inspect
from types import ModuleType


def damaged(module: str, old: str, new: str) -> ModuleType:
    """The module ``neurogen.rtl.<module>`` with ``old``, which occurs once, replaced by ``new``; in memory only."""
    original = importlib.import_module(f"neurogen.rtl.{module}")
    source = inspect.getsource(original)
    assert source.count(old) == 1, f"{module} has {source.count(old)} x {old!r}: the damage needs another place"
    copy = ModuleType(original.__name__)
    copy.__package__ = original.__package__
    exec(compile(source.replace(old, new), f"damaged {module}", "exec"), copy.__dict__)
    return copy
