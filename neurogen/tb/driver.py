"""The cocotb side of the bench: words in, words out, one wait for each chunk."""

from pathlib import Path

import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer, ValueChange

from ..host import codec
from ..spec.config import FabricConfig
from ..spec.words import Register

WORDS_IN, WORDS_OUT = Path("words.in"), Path("words.out")


class Stuck(AssertionError):
    """The fabric neither took nor gave a word for as long as the bench waits."""


class FabricDriver:
    """Drives ``neurogen_bench``. Call :meth:`start` first.

    Parameters
    ----------
    dut : the bench
    config : the fabric's configuration
    idle, stall : int
        Probability, in 1/256 and for every clock, that the next word is held back, and that none is taken.
    seed : int
        Of the generator that draws these.
    limit : int
        Clocks without a word in either direction after which the fabric counts as stuck.
    """

    def __init__(
        self, dut: HierarchyObject, config: FabricConfig, idle: int = 0, stall: int = 0, seed: int = 1,
        limit: int = 1 << 22,
    ):  # fmt: skip
        self._dut, self._config = dut, config
        self._settings = {"idle": idle, "stall": stall, "seed": seed & 0xFFFFFFFF or 1, "limit": limit}
        self._decoder = codec.Decoder(config)
        self.chunks = 0

    async def start(self) -> None:
        """Let the bench's initial values settle, then set it up."""
        await Timer(1, unit="ns")
        self._set(self._settings)

    def disturb(self, active: bool) -> None:
        """From the next exchange on hold words back as the driver's ``idle`` and ``stall`` say, or not at all."""
        self._set({name: self._settings[name] * active for name in ("idle", "stall")})

    def _set(self, settings: dict[str, int]) -> None:
        for name, value in settings.items():
            getattr(self._dut, name).value = value

    async def exchange(self, words: np.ndarray) -> codec.Records:
        """Send ``words``, wait until all are executed, and return what came back. Raises Stuck."""
        end = codec.peek(self._config, Register.IDENTITY)
        WORDS_IN.write_bytes(np.concatenate([words, end]).astype(">u4").tobytes())
        self.chunks += 1
        self._dut.request.value = self.chunks
        await ValueChange(self._dut.served)
        received = np.frombuffer(bytes.fromhex(WORDS_OUT.read_text()), dtype=">u4")
        if int(self._dut.stuck.value):
            raise Stuck(f"no word for {self._settings['limit']} clocks; {len(received)} came before")
        return self._decoder.decode(received)[:-1]

    @property
    def clocks(self) -> int:
        """Clocks so far."""
        return int(self._dut.cycles.value)

    @property
    def idled(self) -> int:
        """Clocks in which a word was held back."""
        return int(self._dut.idled.value)

    @property
    def stalled(self) -> int:
        """Clocks in which a word was offered by the fabric and not taken."""
        return int(self._dut.stalled.value)
