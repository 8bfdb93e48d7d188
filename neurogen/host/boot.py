"""The boot image of a build: see :mod:`~neurogen.spec.boot`."""

from ..spec.boot import HEADER_BYTES, header
from ..spec.image import Image
from ..spec.link import FRAME_WORDS
from . import codec
from .link import Frame


def boot_image(image: Image, build: int) -> bytes:
    """What the flash of a board with the build digest ``build`` holds, so that it loads ``image`` at power-up.

    Raises InputError if there are more bytes than the header can tell.
    """
    words = codec.load(image).astype("<u4")
    frames = b"".join(
        Frame(ack=0, seq=at, session=0, words=words[at : at + FRAME_WORDS].tobytes()).encode()
        for at in range(0, len(words), FRAME_WORDS)
    )
    return header(build, len(frames)).to_bytes(HEADER_BYTES, "big") + frames
