"""What waits for its finding: bounded, and so that a flood from one source costs the others nothing."""

from collections import Counter, deque

from grantway.diagnosis.attempt import Attempt

MOST_WAITING = 10_000
"""Answers that may wait for their finding; one more is counted and forgotten."""
MOST_BYTES = 32 * 1024 * 1024
"""What the bodies of those that wait may weigh together."""
MOST_LOOKED_UP = 500
"""Refusals that may wait for look-ups and trials; the finding of one more is made without."""
FEW_FROM_ONE = 50
"""Of a source that has fewer refusals waiting, twice as much may wait, and all are looked up."""
_UNLIMITED = frozenset({"method_not_allowed", "unauthorized"})
"""What is refused before requests are counted, however often it comes: of one source so few may wait, and no more."""


class Waiting:
    """A queue of answers."""

    def __init__(self) -> None:
        self._queue: deque[Attempt] = deque()
        self._bytes = 0
        self._refused_of = Counter[str]()
        self.taken = 0
        """How many were taken since the start, in the order in which they came."""

    def __len__(self) -> int:
        """How many wait."""
        return len(self._queue)

    def add(self, attempt: Attempt) -> bool:
        """Let it wait; False when there is no room."""
        is_refused = attempt.error is not None
        times = 2 if is_refused and self._has_few(attempt) else 1
        if attempt.error in _UNLIMITED and not self._has_few(attempt):
            return False
        if len(self._queue) >= times * MOST_WAITING or self._bytes + len(attempt.text) > times * MOST_BYTES:
            return False
        self._bytes += len(attempt.text)
        self._refused_of[attempt.source] += is_refused
        self._queue.append(attempt)
        return True

    def take(self) -> Attempt:
        """The one that has waited longest, which waits no more. IndexError when none waits."""
        attempt = self._queue.popleft()
        self.taken += 1
        self._bytes -= len(attempt.text)
        self._refused_of[attempt.source] -= attempt.error is not None
        if not self._refused_of[attempt.source]:
            # or it would remember every source that ever came
            del self._refused_of[attempt.source]
        return attempt

    def allows_look_up(self, taken: Attempt) -> bool:
        """Whether there is time to look up what a refusal that was just taken is about."""
        return len(self._queue) < MOST_LOOKED_UP or self._has_few(taken)

    def _has_few(self, attempt: Attempt) -> bool:
        return self._refused_of[attempt.source] < FEW_FROM_ONE
