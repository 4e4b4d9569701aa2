"""What the disk does by itself meanwhile: a page written and synchronised twenty times a second, beside whatever is measured.

Whoever waits for a commit waits for the disk, and that of a shared machine has its own bad moments.
"""

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

EVERY_SECONDS = 0.05
PAGE = b"\0" * 4096


class Disk:
    """Milliseconds that each of these took, written to a file at `path`. Works from entering to leaving, in a thread of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._probe, name="disk-probe")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def forget(self) -> None:
        """Begin anew."""
        self._taken = []

    def taken(self) -> list[float]:
        """Milliseconds of each since the last `forget`."""
        return list(self._taken)

    def _probe(self) -> None:
        file = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            while not self._ended.wait(EVERY_SECONDS):
                began = time.perf_counter()
                os.pwrite(file, PAGE, 0)
                os.fdatasync(file)
                self._taken.append((time.perf_counter() - began) * 1000)
        finally:
            os.close(file)
