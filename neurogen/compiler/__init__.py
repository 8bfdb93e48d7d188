"""From a network file to an image: read, quantise, size, compile."""

from .conventions import Options
from .readers import read
from .source import Source

__all__ = ["Options", "Source", "read"]
