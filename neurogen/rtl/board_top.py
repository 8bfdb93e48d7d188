"""What a board holds: a fabric behind a UART. Pins, clock and reset are the board's own (``boards``)."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from ..spec.config import FabricConfig
from ..spec.image import Image
from ..spec.link import Identity
from .boot import BootLoader
from .fabric import Fabric
from .link.link import Link
from .link.uart import UartRx, UartTx

FLASH_PINS = {"flash_sck": Out(1), "flash_select": Out(1), "flash_copi": Out(1), "flash_cipo": In(1)}


class BoardTop(wiring.Component):
    """UART, link, fabric, and the boot loader if there is one.

    The fabric is in a domain ``fabric`` of the same clock, which each new session resets too.

    Parameters
    ----------
    config : :class:`~neurogen.spec.config.FabricConfig`
    image : :class:`~neurogen.spec.image.Image`, optional
        What the fabric's memories hold at power-up.
    clock_hz, baud : int
        Of the ``sync`` domain, and of the line.
    build_digest : int
        64 bits that tell builds apart.
    device : str
        Name of the board, ASCII; of longer ones the first 12 characters.
    receive_log2, send_log2 : int
        log2 of the words that the link's buffers hold.
    boots : bool
        Load what the flash holds at power-up.
    fabric : callable
        Makes the fabric from (config, image): :class:`~neurogen.rtl.fabric.Fabric`, or another with its ports.

    Members
    -------
    rx : In(1)
    tx : Out(1)
    flash_sck, flash_select, flash_copi : Out(1)
    flash_cipo : In(1)
        Only with a boot loader: the serial flash that it reads. ``flash_select`` is active high.
    """

    def __init__(
        self, config: FabricConfig, image: Image | None = None, *, clock_hz: int, baud: int, build_digest: int,
        device: str = "neurogen", receive_log2: int = 8, send_log2: int = 8, boots: bool = False, fabric=Fabric,
    ):  # fmt: skip
        self.config = config
        self.image = image
        self.clock_hz = clock_hz
        self.baud = baud
        self.build_digest = build_digest
        self.fabric = fabric(config, image)
        identity = Identity(
            clock_hz, int(config.digest, 16) & 0xFFFFFFFF, build_digest, device, receive_log2, send_log2
        )
        self.link = Link(identity=identity.pack(), receive_log2=receive_log2, send_log2=send_log2)
        self.boots = boots
        super().__init__({"rx": In(1), "tx": Out(1)} | (FLASH_PINS if boots else {}))

    def elaborate(self, platform):
        m = Module()
        m.domains.fabric = ClockDomain(local=True)
        m.d.comb += [
            ClockSignal("fabric").eq(ClockSignal()),
            ResetSignal("fabric").eq(ResetSignal() | self.link.restart),
        ]
        m.submodules.uart_rx = uart_rx = UartRx(clock_hz=self.clock_hz, baud=self.baud)
        m.submodules.uart_tx = uart_tx = UartTx(clock_hz=self.clock_hz, baud=self.baud)
        m.submodules.link = link = self.link
        m.submodules.fabric = DomainRenamer("fabric")(self.fabric)
        if self.boots:
            self._boot(m, uart_rx.o, link.i)
        else:
            connect(m, uart_rx.o, link.i)
        connect(m, link.o, uart_tx.i)
        connect(m, link.words_out, self.fabric.words_in)
        connect(m, self.fabric.words_out, link.words_in)
        m.d.comb += [uart_rx.rx.eq(self.rx), self.tx.eq(uart_tx.tx)]
        return m

    def _boot(self, m, received, link) -> None:
        """Bytes to the link: first the flash's, then the line's."""
        m.submodules.boot = boot = BootLoader(clock_hz=self.clock_hz, build_digest=self.build_digest)
        m.d.comb += [
            self.flash_sck.eq(boot.sck),
            self.flash_select.eq(boot.select),
            self.flash_copi.eq(boot.copi),
            boot.cipo.eq(self.flash_cipo),
            link.valid.eq(Mux(boot.busy, boot.o.valid, received.valid)),
            link.payload.eq(Mux(boot.busy, boot.o.payload, received.payload)),
            boot.o.ready.eq(link.ready & boot.busy),
            received.ready.eq(link.ready & ~boot.busy),
        ]
