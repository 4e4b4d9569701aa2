"""A JWT read as leniently as any library would, to tell what is odd about one that the strict reader refused."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseJwt:
    """What could be read: `header` and `claims` are None where that failed. `oddities` say what a strict reader minds."""

    header: Mapping[str, object] | None = None
    claims: Mapping[str, object] | None = field(default=None, repr=False)
    signed: bytes = field(default=b"", repr=False)
    signature: bytes = field(default=b"", repr=False)
    oddities: tuple[str, ...] = ()
    stage: str = "parts"
    """How far reading came: `parts`, `header`, `claims`, `signature` or `read`."""


def read(text: str) -> LooseJwt:
    """Read what may be a JWT; never fails."""
    bare, oddities = _bare(text)
    parts = bare.split(".")
    if len(parts) != 3:
        what = "five parts make an encrypted JWT (JWE), not a signed one" if len(parts) == 5 else f"it has {len(parts)} parts instead of 3"
        header = _object(parts[0]) if len(parts) == 2 else None  # unsigned ones come without their last dot
        return LooseJwt(header=header, claims=_object(parts[1]) if header else None, oddities=(*oddities, what))
    oddities += _odd_letters(parts)
    header = _object(parts[0])
    if header is None:
        return LooseJwt(oddities=(*oddities, "the header is no JSON object in base64url"), stage="header")
    claims = _object(parts[1])
    if claims is None:
        return LooseJwt(header=header, oddities=(*oddities, "the claims are no JSON object in base64url"), stage="claims")
    signature = _decoded(parts[2])
    signed = ".".join(parts[:2]).encode("utf-8", "replace")
    if signature is None:
        oddities += ("the signature is cut or no base64url",)
        return LooseJwt(header=header, claims=claims, signed=signed, oddities=oddities, stage="signature")
    return LooseJwt(header=header, claims=claims, signed=signed, signature=signature, oddities=oddities, stage="read")


def _bare(text: str) -> tuple[str, tuple[str, ...]]:
    oddities = []
    bare = text.strip()
    if bare != text:
        oddities.append("white space around it")
    if bare[:1] in {'"', "'"}:
        bare = bare.strip("\"'")
        oddities.append("quotes around it")
    if bare != "".join(bare.split()):
        bare = "".join(bare.split())
        oddities.append("white space or line breaks inside it")
    return bare, tuple(oddities)


def _odd_letters(parts: list[str]) -> tuple[str, ...]:
    joined = "".join(parts)
    checks = {
        "padding (=) at the end of a part": "=" in joined,
        "+ or / instead of - and _ (base64 instead of base64url)": "+" in joined or "/" in joined,
        "an empty signature": not parts[2],
    }
    return tuple(what for what, holds in checks.items() if holds)


def _object(part: str) -> Mapping[str, object] | None:
    data = _decoded(part)
    try:
        value = None if data is None else json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _decoded(part: str) -> bytes | None:
    letters = part.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return urlsafe_b64decode(letters + "=" * (-len(letters) % 4)) if letters.isascii() else None
    except ValueError:
        return None
