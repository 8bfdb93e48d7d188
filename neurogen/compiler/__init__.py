"""From a network file to an image: read, quantise, size, compile."""

from .conventions import Options
from .mapping import compile, validate
from .quantise import Quantisation, quantise
from .readers import read
from .sizing import Sizing, Wishes, size
from .source import Source

__all__ = ["Options", "Quantisation", "Sizing", "Source", "Wishes", "compile", "quantise", "read", "size", "validate"]
