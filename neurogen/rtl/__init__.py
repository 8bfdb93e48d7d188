"""Amaranth generators of the neuron core, the router and the fabric. Imports ``neurogen.spec`` only."""
