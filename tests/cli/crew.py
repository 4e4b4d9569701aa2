"""Workers that do next to nothing, looked after as those of `grantway serve` are. `python -m tests.cli.crew KIND FOLDER`"""

import contextlib
import itertools
import logging
import os
import signal
import socket
import sys
from pathlib import Path

from grantway.cli import workers
from grantway.cli.workers import ANSWERS, Workers

FOLDER = Path(sys.argv[2])


def first_in(number: int) -> bool:
    """Whether this is the first worker that ever had this place."""
    try:
        (FOLDER / str(number)).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def steady(_number: int, line: socket.socket) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    line.send(ANSWERS)
    line.recv(1)
    return 0


def stubborn(number: int, line: socket.socket) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    line.send(ANSWERS)
    for _ in itertools.repeat(None):
        signal.pause()
    return number


def unable(_number: int, _line: socket.socket) -> int:
    return 7


def broken(_number: int, _line: socket.socket) -> int:
    raise KeyError("a fault of ours")


def short_lived(_number: int, line: socket.socket) -> int:
    line.send(ANSWERS)
    return 1


def one_cannot_come_back(number: int, line: socket.socket) -> int:
    return steady(number, line) if first_in(number) or number else 5


def none_can_come_back(number: int, line: socket.socket) -> int:
    return steady(number, line) if first_in(number) else 5


def hung(number: int, line: socket.socket) -> int:
    line.settimeout(0.01)
    if number == 0 and first_in(number):
        line.send(ANSWERS)
        signal.pause()
    while True:
        line.send(ANSWERS)
        with contextlib.suppress(TimeoutError):
            line.recv(1)
            return 0


class Told:
    """Prints what the parent hears."""

    def all_answer(self) -> None:
        print("all answer", os.getpid(), flush=True)

    def has_died(self, number: int, pause: float) -> None:
        print("died", number, pause, flush=True)

    def stops(self) -> None:
        print("stops", flush=True)


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s")
    work = globals()[sys.argv[1]]
    patience = 0.2 if work is stubborn else 60.0  # the others end by themselves, however slow the machine is
    workers.FIRST_PAUSE, workers.LONGEST_PAUSE, workers.KILLED_AFTER = 0.01, 0.05, 0.1
    if work is hung:
        workers.SILENT_SECONDS = 2.0
    sys.exit(Workers(2, work, patience, Told()).run())
