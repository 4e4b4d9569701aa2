"""Checks in order: passed, failed or not reached, with safe evidence. One truth for the answer and for the diagnosis."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"


_PASSED, _FAILED = Outcome.PASSED, Outcome.FAILED


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name in snake case, its outcome, and evidence that is safe to show to the client's developer."""

    name: str
    outcome: Outcome
    evidence: Mapping[str, object]


@dataclass(slots=True)
class Trail:
    """The checks of one judgement, in the order in which a caller hears of them."""

    first_failed: str | None = None
    """The first check that failed: the one that is answered. None when none failed."""
    passed: bool = True
    """Every check was made and holds."""
    facts: dict[str, float | None] = field(default_factory=dict)
    """What else is worth knowing, in safe values."""
    # made into checks where somebody reads them, which for an exchange that is granted nobody does
    _made: list[tuple[str, Outcome, Mapping[str, object]]] = field(default_factory=list)

    @property
    def checks(self) -> list[Check]:
        """All checks so far."""
        return [Check(*made) for made in self._made]

    def check(self, name: str, holds: bool, /, **evidence: object) -> bool:  # so evidence may be called `name` too
        """Record a check and say whether it holds. Evidence must be safe: no secret, nothing that verifies one."""
        self._made.append((name, _PASSED if holds else _FAILED, evidence))
        if not holds:
            self.passed = False
            self.first_failed = self.first_failed or name
        return holds

    def only(self, names: Collection[str]) -> "Trail":
        """The same without the checks of other names, and without facts: for whoever may not know of them."""
        kept = [one for one in self._made if one[0] in names]
        failed = next((name for name, outcome, _ in kept if outcome is _FAILED), None)
        return Trail(first_failed=failed, passed=all(outcome is _PASSED for _, outcome, _ in kept), _made=kept)

    def not_reached(self, *names: str) -> None:
        """Record checks that could not be made, because what they look at is missing."""
        self._made.extend((name, Outcome.NOT_REACHED, {}) for name in names)
        self.passed = False
