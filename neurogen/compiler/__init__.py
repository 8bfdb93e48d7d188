"""From a network file to an image: read, quantise, size, compile."""

from .conventions import Options
from .mapping import compile, validate
from .quantise import Quantisation, quantise
from .readers import read
from .source import Source

__all__ = ["Options", "Quantisation", "Source", "compile", "quantise", "read", "validate"]
