"""Random bytes from the system, drawn many at a time: for what must be unlike anything else but is no secret.

Asking for each one costs 3 % of an exchange.
"""

import os

AT_ONCE = 4096


class Nonces:
    """Hands out each byte once, in one thread. Not for secrets: what is drawn ahead stands in memory for a while."""

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0
        self._process = os.getpid()

    def __call__(self, count: int) -> bytes:
        """That many random bytes, up to `AT_ONCE`."""
        start, self._at = self._at, self._at + count
        if self._at > len(self._bytes) or self._process != os.getpid():  # a forked process must not hand out the same
            self._bytes, self._process = os.urandom(AT_ONCE), os.getpid()
            start, self._at = 0, count
        return self._bytes[start : self._at]
