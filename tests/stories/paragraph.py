"""What the paragraph of a cause says of the answer."""

import re

from grantway.diagnosis.cause import Cause
from grantway.diagnosis.cause_words import WORDS


def names(cause: str, status: int, error: str) -> bool:
    """Whether the paragraph, where it names answers, names this one."""
    named = re.findall(r"`(\d{3} \w+)`", WORDS[Cause[cause.upper()]])
    return not named or f"{status} {error}" in named
