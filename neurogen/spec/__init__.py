"""Where two parts of neurogen must agree: integers, formats, configurations, Network, Image.

Nothing here computes a neuron update or a routing decision; ``golden`` and ``neurogen.rtl`` each write their own.
"""
