"""What `grantway db` says of a schema and of a check."""

from collections.abc import Iterator
from typing import Any

from grantway.storage.soundness import Step


def as_json(number: int, step: Step) -> dict[str, Any]:
    """A step of a check for programs."""
    return {"number": number, "what": step.what, "result": step.result, "faults": step.faults or ()}


def told(steps: list[Step]) -> Iterator[str]:
    """The lines of a check: each step with what it found, and the sum."""
    for at, step in enumerate(steps, 1):
        yield f"{at:>2}. {step.result:11}  {step.what}"
        for fault in step.faults or ():
            yield f"                 {fault}"
    failed = sum(bool(step.faults) for step in steps)
    yield f"{failed} of {len(steps)} checks failed." if failed else f"{len(steps)} checks passed."


def compared(found: int, known: int, missing: list[str]) -> str:
    """The schema that was found beside the newest that this program knows; `missing` names the steps between them."""
    if found > known:
        return f"{found}; this program knows {known} at most, and does not start on it"
    if missing:
        return f"{found}; {', '.join(missing)} missing: `grantway db upgrade`, or the next start, adds them"
    return f"{found}, this program's"
