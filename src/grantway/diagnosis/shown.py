"""What of a request may be shown: cut, printable, and nothing that is or looks like a secret."""

import re
from collections.abc import Mapping

MOST = 100
# begins only where a run of letters begins: on any text the search takes one pass
# ours, JWTs, and what StorX hands out or keeps: 64 hex digits, bcrypt
_SECRET_LIKE = re.compile(r"gw[stcv]_|(?<![^.\s])[^.\s]{8,}+\.[^.\s]{8,}+\.|(?<![0-9A-Fa-f])[0-9A-Fa-f]{48}|\$2[aby]\$\d\d\$")
MASK = "(masked: it looks like a secret)"


def text(value: object, most: int = MOST) -> str:
    """A value as it may be shown: on one line, at most so long, masked when it looks like a token or a JWT."""
    shown = value if isinstance(value, str) else type(value).__name__
    if _SECRET_LIKE.search(shown):
        return MASK
    shown = "".join(char if char.isprintable() else "�" for char in shown[: most + 1])
    return f"{shown[:most]}…" if len(shown) > most else shown


def facts(known: Mapping[str, object]) -> dict[str, object]:
    """What is known, named as it is for people: how far `iat` is off is the age of the JWT, or, in the future, the clock's lead."""
    return dict(_fact(name, value) for name, value in known.items())


def _fact(name: str, value: object) -> tuple[str, object]:
    if name != "clock_skew_seconds" or not isinstance(value, int | float):
        return name, value
    # a clock that is behind cannot be told from a JWT that is old
    return ("age of the JWT", seconds(-value)) if value <= 0 else ("lead of the clock that signed", seconds(value))


def seconds(span: float) -> str:
    """A span in words that fit its size: `4 s`, `12 min`, `3 days`."""
    for unit, size in (("days", 172_800), ("h", 7_200), ("min", 180)):
        if span >= size:
            return f"{span / {'days': 86_400, 'h': 3_600, 'min': 60}[unit]:.0f} {unit}"
    return f"{span:.1f} s" if span < 10 else f"{span:.0f} s"
