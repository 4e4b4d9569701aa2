"""A clock that goes at the usual pace and jumps ahead every five seconds, the same in every process that is told how it began.

Between two jumps a flow meets an ordinary server: codes live 30 s, requests 60 s. With the jumps, months pass in minutes. Only what is
under way in a jump meets the end of its code or of its session, which is part of the load.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EVERY = 5.0
"""Real seconds between two jumps."""


@dataclass(frozen=True, slots=True)
class SteppingClock:
    """It says `start` (Unix seconds) when the machine's monotonic clock says `began`; each jump is of `step` seconds."""

    start: float
    began: float
    step: float

    @classmethod
    def now(cls, step: float) -> "SteppingClock":
        """One that begins now."""
        return cls(time.time(), time.monotonic(), step)

    def __call__(self) -> datetime:
        """What time it is."""
        passed = time.monotonic() - self.began
        return datetime.fromtimestamp(self.start, UTC) + timedelta(seconds=passed + int(passed / EVERY) * self.step)

    def arguments(self) -> list[str]:
        """For the command line of another process."""
        return [repr(self.start), repr(self.began), repr(self.step)]
