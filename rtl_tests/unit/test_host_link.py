"""The host's side of the link against a plain model of the board: nothing lost, nothing twice, waiting ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurogen.host.link import (
    LARGEST_FRAME,
    SILENCE_SECONDS,
    STALL_SECONDS,
    Deframer,
    Frame,
    Link,
    LinkError,
    escape,
    unescape,
)
from neurogen.spec.link import END, HEADER, IDENTITY, Identity
from rtl_tests.link_board import IDENTITY as BOARD
from rtl_tests.link_board import Board, Line, Noise, header, stuffed
from rtl_tests.link_fuzz import on_model

SEED = 3


def echo(words):
    return words or []


def line(*, noise=(0.0, 0.0, 0.0), rate=100_000, **settings) -> Line:
    host = Link(session=7, now=0.0, **settings)
    return Line(host, Board(echo), Noise(SEED, *noise), Noise(SEED + 1, *noise), rate)


def drawn(count: int) -> np.ndarray:
    return np.random.default_rng(SEED).integers(0, 1 << 32, count, dtype=np.uint64).astype(np.uint32)


def exchange(line: Line, words: np.ndarray, seconds: float = 30.0) -> np.ndarray:
    """Send words over the line, and wait until as many have come back."""
    line.host.send(words)
    return receive(line, len(words), seconds)


def receive(line: Line, count: int, seconds: float = 30.0) -> np.ndarray:
    """The next words that come from the board."""
    found = np.zeros(0, dtype=np.uint32)
    latest = line.now + seconds
    while len(found) < count:
        line.host.expect(True, line.now)
        line.step()
        if len(came := line.host.take()):
            found = np.append(found, came)
        assert line.now < latest, f"{len(found)} of {count} after {seconds} s"
    return found


def rest(line: Line, steps: int) -> None:
    for _ in range(steps):
        line.step()


@given(st.binary(max_size=80))
def test_frames_survive_escaping(frame):
    line = escape(frame)
    assert line[0] == line[-1] == END and END not in line[1:-1]
    assert unescape(line[1:-1]) == frame


@given(
    st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(1, 0xFFFF), st.integers(0, 4095), st.integers(0, 7),
    st.lists(st.integers(0, 0xFFFFFFFF), max_size=64),
)  # fmt: skip
def test_frames_are_those_of_the_table(ack, seq, session, credit, flags, words):
    data = np.array(words, dtype="<u4").tobytes()
    bits = {name: flags >> i & 1 for i, name in enumerate(("open", "resend", "poll"))}
    frame = Frame(ack, seq, session, credit, **bits, words=data)
    assert frame.encode() == stuffed(header(ack, flags, credit, session, seq) + data)
    assert list(Deframer().feed(frame.encode())) == [frame]


def test_a_frame_by_hand():
    """Pins the format: CRC-32, least significant byte first, END and ESCAPE in the words."""
    frame = Frame(ack=0x0102, seq=0x0304, session=0x0506, credit=0x789, poll=1, words=bytes([0xC0, 0xDB, 0, 1]))
    expected = "c0 0201 9478 0605 0403 dbdc dbdd 0001"
    assert frame.encode().hex().startswith(expected.replace(" ", ""))
    assert HEADER.width == 64 and IDENTITY.width == 256


@given(st.binary(max_size=20), st.text("abcxyz_019", max_size=12))
def test_identities_survive_packing(build, device):
    identity = Identity(1, 2, int.from_bytes(build[:8], "little"), device, 8, 9)
    assert Identity.unpack(identity.pack()) == identity


def test_words_keep_both_directions_busy():
    words = drawn(5000)
    there = line()
    assert np.array_equal(exchange(there, words), words)
    assert there.host.identity == BOARD and there.host.resent == there.host.damaged == 0
    rate = len(words) / there.now
    assert rate > 0.9 * 25_000, f"{rate:.0f} words a second of 25,000"


@pytest.mark.parametrize("noise", [(1e-3, 0, 0), (0, 1e-3, 0), (0, 0, 1e-3), (3e-3, 1.5e-3, 1.5e-3)])
def test_noise_changes_nothing(noise):
    words = drawn(3000)
    there = line(noise=noise)
    assert np.array_equal(exchange(there, words), words)
    assert there.host.resent > 3 and there.host.damaged > 3 and there.board.taken == words.tolist()


def test_a_line_that_hates_the_link_changes_nothing():
    trial = on_model(frames=5000, seed=SEED)
    assert trial.vanished > 2


def test_a_host_that_does_not_take_is_not_overrun():
    there = line(capacity=100)
    there.host.send(drawn(2000))
    rest(there, 20_000)
    kept = there.host.take()
    assert 100 <= len(kept) <= 164
    assert np.array_equal(np.append(kept, receive(there, 2000 - len(kept))), drawn(2000))


def test_a_fabric_that_does_not_take_is_not_overrun():
    """The board's buffer fills, and what did not fit comes when there is room."""
    there = line()
    there.board.work = lambda: None
    there.host.send(drawn(1000))
    rest(there, 10_000)
    assert len(there.board._waiting) == Board.ROOM and there.host.unsent == 1000 - Board.ROOM
    del there.board.work
    assert np.array_equal(receive(there, 1000), drawn(1000))
    assert there.board.taken == drawn(1000).tolist()


def test_a_repeated_open_changes_nothing():
    there = line()
    exchange(there, drawn(10))
    again = Frame(0, 0, session=7, open=1).encode()
    for byte in again:
        there.board.feed(byte)
    assert len(exchange(there, drawn(10))) == 10 and there.board.sessions == 1 and len(there.board.taken) == 20


def test_a_board_in_a_session_of_the_same_number_gets_another():
    there = line()
    exchange(there, drawn(10))
    later = Line(Link(session=7, now=0.0), there.board)
    assert np.array_equal(exchange(later, drawn(10)), drawn(10)) and there.board.session == 8


def test_a_board_that_is_not_there():
    host, now = Link(session=7, now=0.0), 0.0
    with pytest.raises(LinkError, match="there is no answer for 3 s"):
        while now < SILENCE_SECONDS + 1:
            host.output(now)
            now += 0.01


def test_a_board_that_goes_away():
    there = line(rate=5000)
    exchange(there, drawn(10))
    there.board.frame = lambda: b""
    there.host.send(drawn(10))
    start = there.now
    with pytest.raises(LinkError, match="the board has not answered for 3 s"):
        while there.now < start + SILENCE_SECONDS + 1:
            there.step()


def test_a_board_that_was_reset():
    there = line(rate=5000)
    exchange(there, drawn(10))
    there.board = Board(echo)
    there.host.send(drawn(10))
    start = there.now
    with pytest.raises(LinkError, match="the board was reset, or another program has opened it"):
        while there.now < start + 1:
            there.step()


def test_a_line_that_lets_only_small_frames_pass():
    there = line(rate=5000)
    exchange(there, drawn(1))
    feed = there.board._end
    there.board._end = lambda frame: feed(frame if len(frame) <= 12 else frame[:-1])
    there.host.send(drawn(10))
    start = there.now
    with pytest.raises(LinkError, match="the line is too noisy: no word has come through for 10 s"):
        while there.now < start + STALL_SECONDS + 1:
            there.step()


def test_bytes_without_an_end_are_no_frame():
    deframer = Deframer()
    assert list(deframer.feed(bytes(LARGEST_FRAME))) == []
    assert list(deframer.feed(bytes(1))) == [None]
