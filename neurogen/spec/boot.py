"""The boot image: what a board's flash holds behind the bitstream, for a fabric whose memory is empty at power-up.

``HEADER``, most significant byte first, then frames of :mod:`~neurogen.spec.link`, one behind the other, of session 0,
which is the board's after power-up: what a host would send that loads an image. The board plays them to itself. So
their CRCs protect the image, a damaged frame and all behind it are dropped, and the LOADED register, which the last
one writes, says whether all came through.
"""

from .fields import Field, Layout

OFFSET = 0x20000
"""Where in the flash; the bitstream of an iCE40UP5K ends before."""

WAKE, READ = 0xAB, 0x03
"""Commands of serial flashes: leave deep power-down, where an FPGA may leave it; read from an address of 24 bits on."""

WAKE_SECONDS = 50e-6
"""From WAKE to the next command; makers ask for 3 to 35 microseconds."""

MAGIC = 0x6E67656E
LENGTH_BITS = 20

HEADER = Layout(
    "boot.header",
    (
        Field("length", LENGTH_BITS, "bytes of frames that follow"),
        Field("reserved", 32 - LENGTH_BITS, "0"),
        Field("build_low", 32, "the build's digest, low half: a board takes no other build's image"),
        Field("build_high", 32, "high half"),
        Field("magic", 32, f"{MAGIC:#x}"),
    ),
)

HEADER_BYTES = HEADER.width // 8


def header(build: int, length: int) -> int:
    """The header of ``length`` bytes of frames for the build with the digest ``build``, 64 bits, as one integer.

    Raises InputError if there are more bytes than it can tell.
    """
    return HEADER.pack(
        magic=MAGIC, build_high=build >> 32, build_low=build & 0xFFFFFFFF, reserved=0, length=length
    )  # fmt: skip
