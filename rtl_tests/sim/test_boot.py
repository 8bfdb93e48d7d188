"""BootLoader: what the flash holds comes out, byte by byte, if it is an image of this build; else nothing."""

import random

import pytest
from amaranth.sim import Simulator

from neurogen.rtl.boot import BootLoader
from neurogen.spec.boot import HEADER_BYTES, OFFSET, READ, WAKE, WAKE_SECONDS, header

CLOCK_HZ, BUILD = 4_000_000, 0x0123_4567_89AB_CDEF
FRAMES = bytes(random.Random(3).randrange(256) for _ in range(60))


class Flash:
    """A serial flash in deep power-down, mode 0: takes bits at rising edges of SCK, gives them at falling ones."""

    def __init__(self, contents: bytes):
        self.contents, self.orders = contents, []
        self._awake = False
        self._sck, self._bits, self._at = 0, "", 0

    def clock(self, sck: int, select: int, copi: int) -> int | None:
        """One look at the pins; what CIPO becomes, None where it stays."""
        rises, falls, self._sck = sck > self._sck, sck < self._sck, sck
        if not select:
            if self._bits:
                self.orders.append(self._bits)
            self._awake |= self._bits == f"{WAKE:08b}"
            self._bits, self._at = "", 0
            return None
        if rises and len(self._bits) < 32:
            self._bits += str(copi)
        if falls and self._awake and self._bits == f"{READ:08b}{OFFSET:024b}":
            byte, self._at = self.contents[self._at // 8 % len(self.contents)], self._at + 1
            return byte >> (7 - (self._at - 1) % 8) & 1
        return None


def image(build: int = BUILD, damage: int = 0) -> bytes:
    return (header(build, len(FRAMES)) ^ damage).to_bytes(HEADER_BYTES, "big") + FRAMES


def boot(contents: bytes, seed: int | None = None) -> tuple[list[int], Flash, int, int]:
    """The bytes that come out, the flash, the clocks until the loader is done, and those in which it had to wait."""
    rng, flash, taken = random.Random(seed), Flash(contents), []
    dut = BootLoader(clock_hz=CLOCK_HZ, build_digest=BUILD)
    counts = {"clocks": 0, "waits": 0}

    async def bench(ctx):
        offered = None
        for _ in range(40_000):
            if not ctx.get(dut.busy):
                break
            counts["clocks"] += 1
            bit = flash.clock(ctx.get(dut.sck), ctx.get(dut.select), ctx.get(dut.copi))
            if bit is not None:
                ctx.set(dut.cipo, bit)
            ready = seed is None or rng.random() < 0.03
            ctx.set(dut.o.ready, ready)
            if ctx.get(dut.o.valid):
                byte = ctx.get(dut.o.payload)
                assert offered in (None, byte), "the payload changes while it waits"
                offered = None if ready else byte
                counts["waits"] += not ready
                if ready:
                    taken.append(byte)
            await ctx.tick()
        assert not ctx.get(dut.select) and not ctx.get(dut.sck)
        flash.clock(0, 0, 0)

    simulator = Simulator(dut)
    simulator.add_clock(1 / CLOCK_HZ)
    simulator.add_testbench(bench)
    simulator.run()
    return taken, flash, counts["clocks"], counts["waits"]


def test_an_image_comes_out_as_it_is_in_the_flash():
    taken, flash, clocks, _ = boot(image())
    assert bytes(taken) == FRAMES
    assert flash.orders == [f"{WAKE:08b}", f"{READ:08b}{OFFSET:024b}"]
    bits = 8 + 32 + 8 * (HEADER_BYTES + len(FRAMES))
    assert 0 <= clocks - 2 * bits - WAKE_SECONDS * CLOCK_HZ < 8


def test_nothing_is_lost_where_bytes_have_to_wait():
    print(f"seed {(seed := 11)}")
    taken, _, _, waits = boot(image(), seed)
    assert bytes(taken) == FRAMES and waits > 200


@pytest.mark.parametrize(
    "contents",
    [b"\xff" * 64, b"\0" * 64, image(damage=1 << 127), image(build=BUILD ^ 1), image(build=BUILD ^ 1 << 63)],
    ids=["erased", "zeros", "magic", "lowest_bit_of_the_build", "highest_bit_of_the_build"],
)
def test_what_is_no_image_of_this_build_is_left_alone(contents):
    taken, _, clocks, _ = boot(contents)
    assert taken == [] and clocks < 2 * (8 + 32 + 8 * HEADER_BYTES) + WAKE_SECONDS * CLOCK_HZ + 8
