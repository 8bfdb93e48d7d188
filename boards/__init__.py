"""Boards: one module each, a platform with its clock, its wiring and its default configuration.

A module defines ``NAME``; :func:`neurogen.spec.registry.scan` finds it.
"""
