"""Attempts as they are told to the diagnosis, each with a trace id of its own."""

import itertools
from datetime import UTC, datetime
from typing import Any

from grantway.diagnosis.attempt import Attempt

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
_NUMBERS = itertools.count(1)


def attempt(text: bytes, endpoint: str = "token", **more: Any) -> Attempt:
    return Attempt(trace_id=f"{next(_NUMBERS):032}", at=NOW, endpoint=endpoint, status=400, error="invalid_request", text=text, **more)
