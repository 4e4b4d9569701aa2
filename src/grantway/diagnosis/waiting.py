"""What waits for its finding: bounded, and so that a flood from one source costs the others nothing."""

from collections import Counter, OrderedDict

from grantway.diagnosis.attempt import Attempt

MOST_WAITING = 10_000
"""Answers that may wait for their finding; one more is counted and forgotten."""
MOST_BYTES = 32 * 1024 * 1024
"""What came with those that wait may weigh so much together."""
MOST_LOOKED_UP = 500
"""Refusals that may wait for look-ups and trials; the finding of one more is made without."""
FEW_FROM_ONE = 50
"""Of a source that has fewer refusals waiting, twice as much may wait, and all are looked up."""
_UNLIMITED = frozenset({"method_not_allowed", "unauthorized"})
"""What is refused before requests are counted, however often it comes: of one source so few may wait, and no more."""


class Waiting:
    """A queue of answers in two lanes: what comes from a source with few refusals waiting goes before what comes of a flood."""

    def __init__(self) -> None:
        self._first = OrderedDict[str, Attempt]()
        self._flood = OrderedDict[str, Attempt]()
        self._bytes = 0
        self._refused_of = Counter[str]()
        self._hurried = ""
        self.taken = 0
        """How many were taken since the start."""

    def __len__(self) -> int:
        """How many wait."""
        return len(self._first) + len(self._flood)

    @property
    def soon(self) -> int:
        """How many of them a reader waits for: all, but in a flood those only that are none of it."""
        return len(self) if len(self) <= MOST_LOOKED_UP else len(self._first)

    def add(self, attempt: Attempt) -> bool:
        """Let it wait; False when there is no room."""
        is_refused = attempt.error is not None
        has_few = self._has_few(attempt)
        times = 2 if is_refused and has_few else 1
        if attempt.error in _UNLIMITED and not has_few:
            return False
        if len(self) >= times * MOST_WAITING or self._bytes + _size(attempt) > times * MOST_BYTES:
            return False
        self._bytes += _size(attempt)
        self._refused_of[attempt.source] += is_refused
        lane = self._first if not is_refused or has_few else self._flood
        lane[attempt.trace_id] = attempt
        return True

    def take(self) -> Attempt:
        """The next one, which waits no more. KeyError when none waits."""
        _, attempt = (self._first or self._flood).popitem(last=False)
        self.taken += 1
        self._bytes -= _size(attempt)
        self._refused_of[attempt.source] -= attempt.error is not None
        if not self._refused_of[attempt.source]:
            # or it would remember every source that ever came
            del self._refused_of[attempt.source]
        return attempt

    def hurry(self, trace_id: str) -> bool:
        """Let the one with that trace_id be the next, and be looked up; False when it does not wait."""
        attempt = self._flood.pop(trace_id, None)
        if attempt is not None:
            self._first[trace_id] = attempt
        if trace_id not in self._first:
            return False
        self._first.move_to_end(trace_id, last=False)
        self._hurried = trace_id
        return True

    def allows_look_up(self, taken: Attempt) -> bool:
        """Whether there is time to look up what a refusal that was just taken is about."""
        return len(self) < MOST_LOOKED_UP or self._has_few(taken) or taken.trace_id == self._hurried

    def _has_few(self, attempt: Attempt) -> bool:
        return self._refused_of[attempt.source] < FEW_FROM_ONE


def _size(attempt: Attempt) -> int:
    """About how many bytes are kept for it: all that is as long as its sender likes."""
    return len(attempt.text) + len(attempt.query) + len(attempt.authorization)
