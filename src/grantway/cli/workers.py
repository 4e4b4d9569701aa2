"""Several worker processes: begun, watched, begun again when they die, ended together. Nothing here knows what they do."""

import logging
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn, Protocol

ANSWERS = b"r"
"""What a worker writes on its line to the parent once it answers, and every `BEAT_SECONDS` from then on. The line's end tells either that
the other has gone."""
BEAT_SECONDS = 2.0
SILENT_SECONDS = 60.0
"""Whoever answered and then says nothing for so long hangs: it is killed, and replaced."""
LOOK_SECONDS = 5.0
"""The parent looks at least so often; what it slept beyond that, as on a machine that was suspended, is no worker's silence."""
STEADY_SECONDS = 30.0
"""Whoever dies after so long is replaced at once."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
KILLED_AFTER = 5.0
"""Seconds beyond the patience with which workers may end."""

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_WATCHED = (*_STOPPING, signal.SIGCHLD)  # the latter does nothing but wake the selector

_log = logging.getLogger(__name__)

Work = Callable[[int, socket.socket], int]
"""What a worker does: it gets its number, from 0, and its end of the line, and returns its exit code."""


class Watcher(Protocol):
    """Whoever wants to know, in the parent."""

    def all_answer(self) -> None:
        """All workers answer, for the first time."""

    def has_died(self, number: int, pause: float) -> None:
        """A worker ended unasked; another begins after `pause` seconds."""

    def stops(self) -> None:
        """All are told to end."""


@dataclass(slots=True)
class _Place:
    """A worker's place: who is in it, if anybody, since when, and how many in a row ended too soon."""

    number: int
    pid: int = 0
    line: socket.socket | None = None
    answers: bool = False
    silent: float = 0.0
    """Seconds since its last word."""
    since: float = 0.0
    failures: int = 0
    due: float | None = None
    """When the next worker begins; None: not planned."""


class Workers:
    """`count` processes that do the same `work`. They are forked: the parent must have no other thread, and no open database.

    Told to end, they have `patience` seconds.
    """

    def __init__(self, count: int, work: Work, patience: float, watcher: Watcher) -> None:
        self._places = [_Place(number) for number in range(count)]
        self._work = work
        self._patience = patience
        self._watcher = watcher
        self._selector = selectors.DefaultSelector()
        self._is_complete = False
        self._looked_at = time.monotonic()
        self._killed_at: float | None = None
        """When those that are left are killed; None: nobody was told to end."""
        self._code = 0

    def run(self) -> int:
        """Until SIGTERM or SIGINT, and then until all have ended; the exit code. Not 0: no worker could begin."""
        with _woken_by_signals() as waker:
            self._selector.register(waker, selectors.EVENT_READ)
            for place in self._places:
                self._begin(place)
            while any(place.pid or place.due is not None for place in self._places):
                self._wait()
                self._look_after_all(time.monotonic())
        self._selector.close()
        return self._code

    def _begin(self, place: _Place) -> None:
        ours, theirs = socket.socketpair()
        # a signal that comes meanwhile waits until the worker has laid down the parent's ways with it
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        place.pid = os.fork()  # and not anew from the start: it shares the parent's pages (decision 0020)
        if place.pid == 0:
            ours.close()
            self._become(place.number, theirs)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        theirs.close()  # or the line would not end with the worker
        place.line, place.answers, place.silent, place.since, place.due = ours, False, 0.0, time.monotonic(), None
        self._selector.register(ours, selectors.EVENT_READ, place)

    def _become(self, number: int, line: socket.socket) -> NoReturn:
        """Be the worker, and end with it: what is above on the stack is the parent's."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)  # it leads to the parent
            for one in _WATCHED:
                signal.signal(one, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
            for place in self._places:
                if place.line is not None:
                    place.line.close()  # or its worker would not see the parent go
            self._selector.close()
            code = self._work(number, line)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:  # noqa: BLE001 - the last line of a process
            traceback.print_exc()
        finally:
            with suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _wait(self) -> None:
        """Until a signal or a word from a worker comes, or something is due."""
        times = [place.due for place in self._places if place.due is not None] + ([self._killed_at] if self._killed_at is not None else [])
        timeout = max(0.0, min(times) - time.monotonic()) if times else LOOK_SECONDS
        for key, _ in self._selector.select(min(timeout, LOOK_SECONDS)):
            if key.data is None:
                if set(key.fileobj.recv(4096)) & set(_STOPPING):  # type: ignore[union-attr]  # the waker: a byte for each signal
                    self._stop()
            else:
                self._hear(key.data)

    def _hear(self, place: _Place) -> None:
        said = b""
        if place.line is not None:
            with suppress(OSError):
                said = place.line.recv(4096)
        if said:
            place.answers, place.silent = True, 0.0
        else:
            self._hang_up(place)
        if not self._is_complete and all(one.answers for one in self._places):
            self._is_complete = True
            self._watcher.all_answer()

    def _hang_up(self, place: _Place) -> None:
        if place.line is not None:
            self._selector.unregister(place.line)
            place.line.close()
            place.line = None

    def _look_after_all(self, now: float) -> None:
        passed, self._looked_at = now - self._looked_at, now
        for place in self._places:
            if place.pid:
                pid, status = os.waitpid(place.pid, os.WNOHANG)
                if pid:
                    self._ended(place, os.waitstatus_to_exitcode(status), now)
                # who has not answered yet still begins, and who is to end need say nothing any more
                elif place.answers and self._killed_at is None:
                    self._listen(place, passed)
            elif place.due is not None and place.due <= now:
                self._begin(place)
        if self._killed_at is not None and self._killed_at <= now:
            self._kill()

    def _listen(self, place: _Place, passed: float) -> None:
        """Kill a worker that hangs: a process that lives and answers nobody would keep its part of the connections."""
        before, place.silent = place.silent, silence(place.silent, passed)
        if before <= SILENT_SECONDS < place.silent:
            _log.error("worker %d (process %d) says nothing for %g s, and is killed", place.number, place.pid, SILENT_SECONDS)
            os.kill(place.pid, signal.SIGKILL)

    def _ended(self, place: _Place, code: int, now: float) -> None:
        """A worker has ended: plan the next one, unless all are ending, or nobody can begin."""
        pid, place.pid = place.pid, 0
        if not place.answers:
            self._hear(place)  # its last word may have come meanwhile
        self._hang_up(place)
        if self._killed_at is not None:
            return
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        if not place.answers and not (self._is_complete and any(one.pid for one in self._places)):
            print(f"grantway: worker {place.number} {ended} before it could answer, and no other does: the server ends", file=sys.stderr)
            self._code = code if code > 0 else 3
            self._stop()
            return
        is_steady = place.answers and now - place.since >= STEADY_SECONDS
        place.failures = 0 if is_steady else place.failures + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (place.failures - 1)) if place.failures else 0.0
        place.due = now + pause
        self._watcher.has_died(place.number, pause)
        level = logging.ERROR if code else logging.WARNING  # one that was asked to end has ended well
        _log.log(level, "worker %d (process %d) %s; another begins in %g s", place.number, pid, ended, pause)

    def _stop(self) -> None:
        """Tell all to end; once is enough."""
        if self._killed_at is not None:
            return
        self._killed_at = time.monotonic() + self._patience + KILLED_AFTER
        self._watcher.stops()
        for place in self._places:
            place.due = None
            if place.pid:
                os.kill(place.pid, signal.SIGTERM)

    def _kill(self) -> None:
        for place in self._places:
            if place.pid:
                _log.error("worker %d (process %d) does not end, and is killed", place.number, place.pid)
                os.kill(place.pid, signal.SIGKILL)
        self._killed_at = time.monotonic() + KILLED_AFTER


def silence(before: float, passed: float) -> float:
    """Seconds that a worker said nothing, when `passed` more went by since the parent looked last. The parent must have been awake: of what
    it slept itself, the worker may have slept all."""
    return before + min(passed, LOOK_SECONDS)


@contextmanager
def _woken_by_signals() -> Iterator[socket.socket]:
    """A socket that can be read once a signal has come, a byte for each."""
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    # a signal wakes only where Python has a handler for it, whatever that does
    before = {one: signal.signal(one, lambda *_: None) for one in _WATCHED}
    waker = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(waker)
        for one, handler in before.items():
            signal.signal(one, handler)
        reading.close()
        writing.close()
