# amaranth: UnusedElaboratable=no
"""The link's blocks: UART at many ratios, SLIP, CRC, frames taken apart and made."""

import zlib

import numpy as np
import pytest

from neurogen.rtl.link.crc import Crc
from neurogen.rtl.link.link import Link
from neurogen.rtl.link.receiver import Receiver
from neurogen.rtl.link.sender import Sender
from neurogen.rtl.link.slip import SlipDecoder, SlipEncoder
from neurogen.rtl.link.uart import UartRx, UartTx, pace
from neurogen.spec.link import HEADER
from rtl_tests.link_board import IDENTITY, header, stuffed
from rtl_tests.sim.streams import put, simulate, sink, source

RATIOS = {"least": (4, 1), "fractional": (16, 3), "exact": (12, 1), "long": (41, 2)}
SESSION = 9


@pytest.mark.parametrize("clock_hz, baud", [(12_000_000, 115_200), (48_000_000, 3_000_000), (25_000_000, 921_600)])
def test_pace_is_exact_enough(clock_hz, baud):
    width, step = pace(clock_hz, baud)
    assert abs(step * clock_hz / (baud << width) - 1) <= 0.002
    assert width == 1 or abs(round((baud << width - 1) / clock_hz) * clock_hz / (baud << width - 1) - 1) > 0.002


def test_a_clock_that_is_too_slow_is_refused():
    with pytest.raises(ValueError, match="a UART of 3000000 baud needs a clock of 12000000 Hz, not 10000000"):
        UartRx(clock_hz=10_000_000, baud=3_000_000)


def bits_of(data: bytes) -> list[int]:
    return [bit for byte in data for bit in (0, *((byte >> i) & 1 for i in range(8)), 1)]


def receive(levels: list[int], clock_hz: int, baud: int) -> list[int]:
    """Bytes that the receiver makes of a line's level in each clock."""
    dut, taken = UartRx(clock_hz=clock_hz, baud=baud), []

    async def drive(ctx):
        ctx.set(dut.o.ready, 1)
        for level in [1] * 10 + levels + [1] * 20 * (clock_hz // baud + 1):
            ctx.set(dut.rx, level)
            _, _, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid:
                taken.append(byte)

    simulate(dut, drive)
    return taken


def levels(bits: list[int], clocks_per_bit: float) -> list[int]:
    return [bits[int(clock / clocks_per_bit)] for clock in range(int(len(bits) * clocks_per_bit))]


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("skew", [0.98, 1.0, 1.02])
def test_uart_receives(ratio, skew):
    clock_hz, baud = RATIOS[ratio]
    data = bytes([0, 255, 0x55, 0xAA, 0x01, 0x80, *np.random.default_rng(1).bytes(20)])
    assert bytes(receive(levels(bits_of(data), clock_hz / baud * skew), clock_hz, baud)) == data


@pytest.mark.parametrize("ratio", RATIOS)
def test_uart_sends_what_it_receives(ratio):
    clock_hz, baud = RATIOS[ratio]
    dut, line = UartTx(clock_hz=clock_hz, baud=baud), []
    data = np.random.default_rng(2).bytes(20)

    async def record(ctx):
        while True:
            *_, level = await ctx.tick().sample(dut.tx)
            line.append(level)

    async def drive(ctx):
        for byte in data:
            await put(ctx, dut.i, byte)
        await ctx.tick().repeat(12 * (clock_hz // baud + 1))

    simulate(dut, drive, background=[record])
    assert bytes(receive(line, clock_hz, baud)) == data


def test_uart_ignores_glitches_and_drops_bytes_without_a_stop_bit():
    quiet, glitch = [1] * 40, [0]
    broken = levels([0, *[1, 0] * 4, 0, 0, 0], 12)  # the line stays low where the stop bit should be
    good = levels(bits_of(b"k"), 12)
    assert receive(quiet + glitch + quiet + [0, 0, 0] + quiet + broken + quiet + good, 12, 1) == [ord("k")]
    noisy = [level ^ (at % 12 == 5) for at, level in enumerate(good)]  # one clock in every bit
    assert receive(noisy, 12, 1) == [ord("k")]


@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_slip_there_and_back(stall):
    frames = [b"", b"\xc0", b"\xdb\xdc\xdb\xdd", bytes(range(256)), b"\xdb"]
    items = [item for frame in frames for item in (*({"byte": b, "end": 0} for b in frame), {"byte": 0, "end": 1})]
    line, back = [], []

    def run(dut, offered, taken):
        async def all_taken(ctx):
            await ctx.tick().repeat(2500)

        simulate(dut, source(dut.i, offered, seed=1), all_taken, background=[sink(dut.o, taken, seed=2, stall=stall)])

    run(SlipEncoder(), items, line)
    escaped = b"".join(f.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0" for f in frames)
    assert bytes(line) == escaped
    run(SlipDecoder(), line, back)
    assert [(i["byte"] * (not i["end"]), i["end"]) for i in back] == [(i["byte"], i["end"]) for i in items]


def test_crc_is_zlibs():
    dut, data = Crc(), np.random.default_rng(3).bytes(13)
    found = []

    async def drive(ctx):
        for _ in range(2):  # the second time after `clear`
            ctx.set(dut.enable, 1)
            for bit in np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little").tolist():
                ctx.set(dut.bit, bit)
                await ctx.tick()
            ctx.set(dut.drain, 1)
            bits = []
            for _ in range(32):
                *_, bit = await ctx.tick().sample(dut.out)
                bits.append(bit)
            found.append(sum(bit << i for i, bit in enumerate(bits)))
            ctx.set(dut.drain, 0)
            ctx.set(dut.enable, 0)
            ctx.set(dut.clear, 1)
            await ctx.tick()
            ctx.set(dut.clear, 0)

    simulate(dut, drive)
    assert found == [zlib.crc32(data)] * 2


def words_of(frames: list[bytes], ready: bool, words_log2: int = 4) -> tuple[list[int], list[dict], int]:
    """What a receiver makes of frames: the words taken from it, its news, and the number that it expects."""
    dut, taken, news = Receiver(words_log2=words_log2), [], []

    async def drive(ctx):
        ctx.set(dut.session, SESSION)
        for frame in frames:
            for byte, end in [*((b, 0) for b in frame), (0, 1)]:
                ctx.set(dut.i.p.byte, byte)
                ctx.set(dut.i.p.end, end)
                ctx.set(dut.i.valid, 1)
                ended, found = await ctx.tick().sample(dut.ended, dut.news).until(dut.i.ready)
                ctx.set(dut.i.valid, 0)
                if ended:
                    news.append(
                        {name: int(getattr(found, name)) for name in ("damaged", "open", "ours", "gap", "words")}
                    )
        await ctx.tick().repeat(40)
        news.append(ctx.get(dut.ack))

    simulate(dut, drive, background=[sink(dut.words, taken, seed=4, stall=0.3 if ready else 1.0)])
    return taken, news[:-1], news[-1]


def frame(seq: int, words: list[int], session: int = SESSION, flags: int = 0) -> bytes:
    body = header(0, flags, 0, session, seq) + np.array(words, dtype="<u4").tobytes()
    return body + zlib.crc32(body).to_bytes(4, "little")


def test_receiver_takes_what_it_expects_and_nothing_else():
    good = frame(0, [10, 11, 12])
    frames = [
        frame(0, [1])[:-1],  # cut
        bytes([good[0] ^ 1, *good[1:]]),  # damaged
        frame(0, [1], session=8),  # of another session
        good,
        good,  # repeated
        frame(5, [1]),  # from too far ahead
        b"",
        frame(3, []),
        frame(3, [13]),
    ]
    taken, news, ack = words_of(frames, ready=True)
    assert taken == [10, 11, 12, 13] and ack == 4
    assert [n["damaged"] for n in news] == [1, 1, 0, 0, 0, 0, 0, 0]
    assert [n["ours"] for n in news[2:]] == [0, 1, 1, 1, 1, 1]
    assert [n["gap"] for n in news[3:]] == [0, 0, 1, 0, 0] and [n["words"] for n in news[3:]] == [1, 1, 1, 0, 1]


def test_receiver_never_overwrites_words_that_wait():
    """Credit is 15 words; a frame of more is not taken, wherever the ring's end is."""
    full = [frame(0, list(range(15))), frame(15, [99]), frame(15, [98] * 40), frame(0, list(range(15)))]
    taken, _, ack = words_of(full, ready=False)
    assert (taken, ack) == ([], 15)
    taken, news, ack = words_of([frame(0, list(range(15))), frame(15, list(range(15, 30)))], ready=True)
    assert taken == list(range(30)) and ack == 30 and len(news) == 2


def test_sizes_are_checked():
    with pytest.raises(ValueError, match=r"Link receive_log2 is 2\.\.11, not 12"):
        Link(identity=0, receive_log2=12)


def test_link_answers_open_with_its_identity():
    dut, line = Link(identity=IDENTITY.pack()), []

    async def drive(ctx):
        for byte in stuffed(header(0, 1, 0, SESSION, 0)):
            await put(ctx, dut.i, byte)
        await ctx.tick().repeat(1500)

    simulate(dut, drive, background=[sink(dut.o, line, seed=5)])
    assert bytes(line) == stuffed(header(0, 1, 255, SESSION, 0) + IDENTITY.pack().to_bytes(32, "little"))


def test_open_is_answered_by_counts_of_its_own_session():
    """Whenever it comes, also while the header of another frame is being made."""
    dut, answers = Sender(words_log2=4, identity=IDENTITY.pack()), 0

    async def drive(ctx):
        nonlocal answers
        ctx.set(dut.o.ready, 1)
        for clocks in range(2, 80, 3):
            ctx.set(dut.ack, 700)
            ctx.set(dut.session, SESSION)
            frames, due = [b""], 1
            for clock in range(700):
                if clock == clocks:  # as the link does where a session starts
                    ctx.set(dut.session, SESSION + 1)
                    due |= 2
                ctx.set(dut.restart, clock == clocks)
                ctx.set(dut.due, {"answer": due & 1, "open": due >> 1, "resend": 0})
                *_, valid, end, byte, taken = await ctx.tick().sample(dut.o.valid, dut.o.p.end, dut.o.p.byte, dut.taken)
                if clock == clocks:
                    ctx.set(dut.ack, 0)
                if taken:
                    due = 0
                if valid:
                    frames = [*frames, b""] if end else [*frames[:-1], frames[-1] + bytes([byte])]
            opened = [frame for frame in frames if len(frame) > 12]
            expected = header(0, 1, 0, SESSION + 1, 0) + IDENTITY.pack().to_bytes(32, "little")
            assert [frame[:-4] for frame in opened] == [expected], clocks
            answers += len([frame for frame in frames if frame]) - len(opened)

    simulate(dut, drive)
    assert answers > 10


@pytest.mark.parametrize("first, clocks", [(False, range(60, 100)), (True, range(95, 140))], ids=["header", "word"])
def test_a_word_goes_out_as_it_came_in_whenever_it_came(first, clocks):
    """Around the clock from which on it is too late for the frame under way, with a header alone or with one word.

    Just before that clock a word is read from the ring as soon as it is written.
    """
    dut, line, sent, taken, frames = Sender(words_log2=4, identity=0), [], [], [], []

    async def play(ctx, length, offered, due):
        for clock in range(length):
            ctx.set(dut.words.valid, clock in offered)
            ctx.set(dut.words.payload, offered.get(clock, 0))
            ctx.set(dut.due, {"answer": due, "open": 0, "resend": 0})
            *_, valid, item, noted = await ctx.tick().sample(dut.o.valid, dut.o.payload, dut.taken)
            due = due and not noted
            if valid:
                line.append((item.end, item.byte))

    async def drive(ctx):
        ctx.set(dut.o.ready, 1)
        for clock in clocks:
            ctx.set(dut.heard, 1)
            ctx.set(dut.report, {"ack": len(sent), "credit": 15, "resend": 0})
            await play(ctx, 1, {}, due=False)
            ctx.set(dut.heard, 0)
            offered = ({0: 0x5A5A0000 + clock} if first else {}) | {clock: 0xC3C30000 + 257 * clock}
            sent.extend(offered.values())
            await play(ctx, 350, offered, due=not first)
            made = "".join("/" if end else f"{byte:02x}" for end, byte in line).split("/")
            made = [bytes.fromhex(frame) for frame in made if frame]
            line.clear()
            frames.append(len(made))
            taken.extend(np.frombuffer(b"".join(frame[HEADER.width // 8 : -4] for frame in made), "<u4").tolist())

    simulate(dut, drive)
    assert taken == sent
    assert set(frames) == {1, 2}
