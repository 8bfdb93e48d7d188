"""The full store: the dense one without its tables, for the sequencer builds none for regions that do not exist."""

from .dense import Store

__all__ = ["NAME", "Store"]

NAME = "full"
