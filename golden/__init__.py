"""The golden model: what a network, a fabric and a neuron compute, in NumPy integers.

It shares formats with the hardware through ``neurogen.spec`` and nothing else.
"""

from .replay import replay

__all__ = ["replay"]
