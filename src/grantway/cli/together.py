"""`grantway serve --workers N`: several processes on one port, which share what is the host's and count together."""

import asyncio
import contextlib
import fcntl
import gc
import os
import socket
import sys
import tempfile
from pathlib import Path

from grantway import app
from grantway.app import Grantway, Worker
from grantway.cli.exit_code import refusals_told
from grantway.cli.serve import BACKLOG, HttpServer, listen, run, said_at_start, spare_the_collector, tidied, try_out
from grantway.cli.workers import ANSWERS, BEAT_SECONDS, Workers
from grantway.config import Config
from grantway.web.metrics import forget_gauges


def serve_together(config: Config, tested: int) -> None:
    """Serve with `config.workers` processes: the first start is made here, then this process only looks after them."""
    port = Port(config)
    said: list[str] = []
    with tempfile.TemporaryDirectory(prefix="grantway-") as name:
        folder = Path(name)
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)  # while it is locked, systemd-tmpfiles does not clean it up
        run(_start_first(port.config, tested, said))
        if not said:  # Ctrl-C
            return
        gc.collect()
        gc.freeze()  # or the workers' collectors would write to memory that all share
        code = Workers(
            config.workers,
            lambda number, line: _work(port, Worker(number, folder), line),
            patience=config.shutdown_seconds,
            watcher=_Watcher(port, folder, said),
        ).run()
    if code:
        raise SystemExit(code)


class Port:
    """One port with a listening socket for each worker, among which the system shares out the connections.

    Of one socket for all, whichever worker is awake takes every connection that waits. Only Linux shares out; elsewhere it is one for all.
    """

    def __init__(self, config: Config) -> None:
        # the plain socket tells whether somebody else has the port: those that are shared would share it with them, too
        plain, self.config = listen(config)
        self._sockets: list[socket.socket | None] = [plain] * config.workers
        if sys.platform == "linux":
            plain.close()
            self._sockets = [self._opened() for _ in range(config.workers)]

    def only(self, number: int) -> socket.socket:
        """That worker's socket, in its own process, where all others' are closed."""
        mine = self._sockets[number] or self._opened()  # given up when the one before it died too soon
        for other in self._sockets:
            if other is not None and other is not mine:
                other.close()
        return mine

    def give_up(self, number: int) -> None:
        """Nobody takes that worker's connections for a while: the others get them."""
        mine = self._sockets[number]
        if mine is not None and self._sockets.count(mine) == 1:  # else it is everybody's
            mine.close()
            self._sockets[number] = None

    def close(self) -> None:
        """Take no more connections in this process."""
        for one in self._sockets:
            if one is not None:
                one.close()

    def _opened(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.config.host else socket.AF_INET
        opened = socket.socket(family)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind((self.config.host, self.config.port))
        # by the parent, which keeps it: connections wait while a worker is replaced (decision 0020)
        opened.listen(BACKLOG)
        return opened


class _Watcher:
    """What the parent does when something becomes of a worker."""

    def __init__(self, port: Port, folder: Path, said: list[str]) -> None:
        self._port = port
        self._folder = folder
        self._said = said

    def all_answer(self) -> None:
        print("\n".join(self._said), flush=True)

    def has_died(self, number: int, pause: float) -> None:
        forget_gauges(self._folder, number)
        if pause:
            self._port.give_up(number)

    def stops(self) -> None:
        self._port.close()


async def _start_first(config: Config, tested: int, said: list[str]) -> None:
    """What is to be done once, whoever answers later: folder, master key, schema, identity, and the test of stored secrets."""
    async with app.opened(config) as grantway:
        await try_out(grantway, tested)
        said += said_at_start(grantway)


def _work(port: Port, worker: Worker, line: socket.socket) -> int:
    with refusals_told():
        run(_serve_as(port.config, port.only(worker.number), worker, line))
    return 0


async def _serve_as(config: Config, listening: socket.socket, worker: Worker, line: socket.socket) -> None:
    async with app.opened(config, worker=worker) as grantway:
        spare_the_collector()
        # one of them is enough
        async with tidied(grantway) if worker.number == 0 else contextlib.nullcontext():
            await _WorkersServer(grantway, line).serve([listening])


class _WorkersServer(HttpServer):
    """A worker's server: tells the parent that it answers, again and again, and stops when the parent has gone."""

    def __init__(self, grantway: Grantway, line: socket.socket) -> None:
        super().__init__(grantway)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        asyncio.get_running_loop().add_reader(self._line, self._parent_has_gone)
        self._beat()

    def _beat(self) -> None:
        """From the event loop: where that hangs, the parent hears nothing."""
        with contextlib.suppress(OSError):  # the parent has gone, or is stopped and does not read
            self._line.send(ANSWERS, socket.MSG_DONTWAIT)
        asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat)

    def _parent_has_gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._line)
        self.should_exit = True
