"""neurogen: from a trained spiking network to verified digital hardware."""

__version__ = "0.1.0"
