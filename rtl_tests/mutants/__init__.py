"""Deliberate damage is caught: ``python -m rtl_tests.mutants`` (``make mutants``).

Mutants are made by hand (:mod:`.hand`) and at random (:mod:`.chance`). Each runs the property cases until one fails;
one that passes them all needs a reason in ``explanations.toml``, or the run fails.
"""
