"""A board in a simulator, at a socket: what comes from there goes onto its rx pin, what its tx pin says goes there.

``board.json`` in the working directory says how. One connection is held by whoever started the simulation, and ends it
when it closes; then hosts come and go, one at a time, as they would at a serial port.
"""

import json
import select
import signal
import socket
from pathlib import Path

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer, ValueChange

from ..host import data
from .board_files import BURST, CAPACITY, PORT, SETTINGS, SPEED

QUANTUM_CYCLES = 2000
"""Clocks between two looks at the socket."""

IDLE_SECONDS = 0.005
"""A line without bytes is looked at no more often than that, and the board's clock runs as slowly."""


class BoardDriver:
    """Drives ``board_bench``: bytes in, bytes out, one wait for each chunk."""

    def __init__(self, dut: HierarchyObject):
        self._dut = dut
        self._chunks = 0

    async def start(self, **settings: int) -> None:
        """Let the bench's initial values settle, then set it up: ``seed``, ``flip``, ``drop``, ``insert``."""
        await Timer(1, unit="ns")
        for name, value in {"quantum": QUANTUM_CYCLES, **settings}.items():
            getattr(self._dut, name).value = value

    async def exchange(self, to_board: bytes) -> bytes:
        """Play at most ``BURST`` bytes onto the line; what came from the board meanwhile."""
        self._dut.to_board.value = int.from_bytes(to_board, "little")
        self._dut.to_count.value = len(to_board)
        self._chunks += 1
        self._dut.request.value = self._chunks
        await ValueChange(self._dut.served)
        count = int(self._dut.from_count.value)
        return self._dut.from_board.value.to_unsigned().to_bytes(CAPACITY, "little")[:count] if count else b""

    @property
    def clocks(self) -> int:
        """Clocks so far."""
        return int(self._dut.cycles.value)

    @property
    def damage(self) -> int:
        """Bits inverted, bytes dropped and inserted so far."""
        return int(self._dut.damage.value)


class Host:
    """The connection of the host that is there, if one is."""

    def __init__(self, server: socket.socket):
        self._server, self._connection = server, None

    def take(self, most: int, wait: bool) -> bytes:
        """Bytes from the host; waits for them a little if told to."""
        watched = self._connection or self._server
        if not select.select([watched], [], [], IDLE_SECONDS if wait else 0)[0]:
            return b""
        if self._connection is None:
            self._connection, _ = self._server.accept()
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return b""
        try:
            found = self._connection.recv(most)
        except ConnectionError:
            found = b""
        if not found:
            self._leave()
        return found

    def give(self, found: bytes) -> None:
        """Bytes to the host; lost if nobody is there."""
        if self._connection and found:
            try:
                self._connection.sendall(found)
            except ConnectionError:
                self._leave()

    def _leave(self) -> None:
        self._connection.close()
        self._connection = None


@cocotb.test()
async def serve(dut: HierarchyObject) -> None:
    """Be a board until whoever started the simulation is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a host's interrupt is not the board's
    settings = json.loads(Path(SETTINGS).read_text())
    driver = BoardDriver(dut)
    await driver.start(**settings)
    with socket.create_server(("127.0.0.1", 0)) as server:
        data.replace(Path(PORT), str(server.getsockname()[1]).encode())
        owner, _ = server.accept()
        host, is_quiet = Host(server), True
        while not select.select([owner], [], [], 0)[0]:
            to_board = host.take(BURST, wait=is_quiet)
            from_board = await driver.exchange(to_board)
            host.give(from_board)
            is_quiet = not to_board and not from_board
        owner.close()
    data.replace(Path(SPEED), json.dumps({"clocks": driver.clocks, "damage": driver.damage}).encode())
