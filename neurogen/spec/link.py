"""The link: how the words of ``spec.words`` travel over a line that loses, damages and repeats bytes.

Both directions carry frames: a header, at most ``FRAME_WORDS`` words, and the CRC-32 of both, all least significant
byte first, between two END bytes (SLIP). Words are numbered from 0 in each direction of a session. A frame says the
number of its first word (``seq``), the number of the next word that its sender expects (``ack``) and how many words
from that number on its sender can take (``credit``). A receiver takes the words of an undamaged frame that starts with
the number it expects, and no others; a sender keeps its words until they are acknowledged, and goes back to ``ack``
when asked to.

The board has no timer. It answers OPEN, POLL, frames with words, and damaged frames, and says by itself when it has
room again. The host polls while it waits for anything: the answer's ``ack`` and ``seq`` tell what was lost either way.

OPEN starts a session, whose number the host draws: board and fabric are reset (memories stay), counting starts at 0. An
OPEN of the session that runs changes nothing. So it may be repeated until its answer, the identity, has come.
"""

from dataclasses import dataclass

from .config import HOST_WORD_BITS
from .fields import Field, Layout

PROTOCOL = 1
"""Version of what this module says."""

END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE = 0xC0, 0xDB, 0xDC, 0xDD
"""SLIP (RFC 1055): END ends a frame; inside one, END and ESCAPE become ESCAPE + their escaped forms."""

WORD_BITS = HOST_WORD_BITS
NUMBER_BITS = 16
"""Words are numbered modulo 2**16; a window is far smaller."""

HEADER = Layout(
    "frame.header",
    (
        Field("ack", NUMBER_BITS, "number of the next word that is expected"),
        Field("open", 1, "host: start `session`. Board: the identity follows, as words without numbers"),
        Field("resend", 1, "words were lost: go back to `ack`"),
        Field("poll", 1, "host: answer at once"),
        Field("reserved", 1, "0"),
        Field("credit", 12, "words from `ack` on that can be taken"),
        Field("session", NUMBER_BITS, "session that the frame belongs to; after power-up the board's is 0"),
        Field("seq", NUMBER_BITS, "number of the first word here; without words, of the next one"),
    ),
)

NAME_WORDS = 3
NAME_BYTES = 4 * NAME_WORDS

IDENTITY = Layout(
    "frame.identity",
    (
        Field("protocol", 8, "version of the link's protocol"),
        Field("receive_log2", 4, "log2 of the words that the board's receive buffer holds"),
        Field("send_log2", 4, "log2 of the words that the board keeps until they are acknowledged"),
        Field("reserved", 16, "0"),
        Field("clock_hz", 32, "the board's clock"),
        Field("config", 32, "low 32 bits of the configuration's digest"),
        Field("build_low", 32, "the build's digest, low half"),
        Field("build_high", 32, "high half"),
        *(Field(f"device_{i}", 32, f"name of the board, ASCII, bytes {4 * i}..{4 * i + 3}") for i in range(NAME_WORDS)),
    ),
)

IDENTITY_WORDS = IDENTITY.width // WORD_BITS

CRC_POLYNOMIAL, CRC_RESIDUE = 0xEDB88320, 0xDEBB20E3
"""CRC-32 of IEEE 802.3 and zlib, reflected: start all ones, sent inverted. A register that ran over a frame and its CRC
holds the residue."""

FRAME_WORDS = 64
"""Most words in one frame: the header costs little, and one lost byte costs no more than this."""

MIN_CLOCKS_PER_BIT = 4
"""A UART needs as many clocks in a bit."""


@dataclass(frozen=True)
class Identity:
    """What a board says about itself. ``build`` has 64 bits; ``device`` is cut off after 12 characters."""

    clock_hz: int
    config: int
    build: int
    device: str
    receive_log2: int
    send_log2: int
    protocol: int = PROTOCOL

    def pack(self) -> int:
        """As the bits of ``IDENTITY``."""
        name = self.device.encode("ascii")[:NAME_BYTES].ljust(NAME_BYTES, b"\0")
        return IDENTITY.pack(
            protocol=self.protocol, receive_log2=self.receive_log2, send_log2=self.send_log2, reserved=0,
            clock_hz=self.clock_hz, config=self.config, build_low=self.build & 0xFFFFFFFF, build_high=self.build >> 32,
            **{f"device_{i}": int.from_bytes(name[4 * i : 4 * i + 4], "little") for i in range(NAME_WORDS)},
        )  # fmt: skip

    @classmethod
    def unpack(cls, bits: int) -> "Identity":
        """Inverse of :meth:`pack`."""
        found = IDENTITY.unpack(bits)
        name = b"".join(found.pop(f"device_{i}").to_bytes(4, "little") for i in range(NAME_WORDS))
        found["build"] = found.pop("build_low") | found.pop("build_high") << 32
        found.pop("reserved")
        return cls(device=name.rstrip(b"\0").decode("ascii", "replace"), **found)
