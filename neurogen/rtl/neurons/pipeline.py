"""Named values that travel through pipeline registers together."""

from amaranth import *


class Pipeline:
    """Reading a name gives its value in the current step; registers are built only for what later steps read.

    ``t.let(x=...)`` names a result of the current step, ``t.step()`` starts the next one, ``t.x`` is ``x`` delayed
    by one register for every step since. An ``int`` is a constant and needs no registers.

    Parameters
    ----------
    m : Module
        Gets the registers as its submodule ``pipeline``.
    enable : Value
        The registers advance while it is high.
    resets : tuple of str
        Names whose registers a reset clears; the others hold data, which need not be cleared.
    inputs : Value or int
        What is known in the first step.
    """

    def __init__(self, m: Module, enable, resets=(), **inputs):
        # A module of its own: the first to read a name may do so inside a condition, which must not gate the register.
        m.submodules.pipeline = self._m = Module()
        self._enable = enable
        self._resets = resets
        self._step = 0
        self._chains = {name: (0, [value]) for name, value in inputs.items()}

    def let(self, **results) -> None:
        """Name results of the current step; a name that exists means the new value from here on."""
        for name, value in results.items():
            if isinstance(value, int):
                self._chains[name] = (self._step, [value])
                continue
            wire = Signal.like(value, name=name)
            self._m.d.comb += wire.eq(value)
            self._chains[name] = (self._step, [wire])

    def step(self) -> None:
        """Start the next step, one register later."""
        self._step += 1

    def history(self, name: str) -> Value:
        """A one-bit name in all its steps so far."""
        return Cat(self._chains[name][1])

    def __getattr__(self, name: str):
        born, chain = self._chains[name]
        if isinstance(chain[0], int):
            return chain[0]
        while len(chain) <= self._step - born:
            register = Signal.like(chain[-1], name=f"{name}_{born + len(chain)}", reset_less=name not in self._resets)
            with self._m.If(self._enable):
                self._m.d.sync += register.eq(chain[-1])
            chain.append(register)
        return chain[self._step - born]
