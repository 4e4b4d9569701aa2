"""How many requests are worked on at once. One more is turned away at the door, while that still costs next to nothing.

Without a bound, whatever comes beyond what can be done waits, and makes everybody behind it wait longer, until nobody is answered in
time. A request counts from when all of it is here: whoever sends slowly takes no place.
"""

from collections.abc import Callable
from types import TracebackType

from grantway.oauth_error import UnavailableError


class CrowdedError(UnavailableError):
    """As many requests as may be are being worked on: 503, and a second later there may be room."""

    def __init__(self) -> None:
        super().__init__("too many requests at once")


class Admission:
    """Room for `most` requests at once; each is inside a `with` block. CrowdedError at its begin when there is no room.

    `changed`, if there is one, hears how many are worked on whenever that has changed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.changed: Callable[[int], None] | None = None
        self.in_progress = 0

    def __enter__(self) -> None:
        """Take a place."""
        if self.in_progress >= self._most:
            raise CrowdedError
        self._now(self.in_progress + 1)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give it back."""
        self._now(self.in_progress - 1)

    def _now(self, count: int) -> None:
        self.in_progress = count
        if self.changed is not None:
            self.changed(count)
