"""What is odd about a JWT for `client_secret`, as far as can be told without the secret (causes: the contract, section 1)."""

from collections.abc import Mapping
from datetime import datetime

from grantway import secret_token
from grantway.clients import assertion
from grantway.clients.assertion import ALGORITHM, UnreadableAssertionError
from grantway.clients.authentication import LEEWAY, LONGEST, within_the_calendar

_MILLISECONDS_FROM = 100_000_000_000  # as seconds: the year 5138


def oddities(text: str, now: datetime) -> list[str]:
    """One sentence for each thing that the server would refuse, in the order of its checks. Empty when there is none."""
    around = _around(text)
    trimmed = text.strip().removeprefix("Bearer ").strip("'\" ")
    try:
        read = assertion.read(trimmed)
    except UnreadableAssertionError as error:
        return [*around, *_not_a_jwt(trimmed), str(error)]
    return [*around, *_header(read.header), *_claims(read.claims, now)]


def _around(text: str) -> list[str]:
    # a text from a pipe ends like this; that is no fault of the JWT
    bare = text.removesuffix("\n")
    checks = {
        "There is white space around it.": bare != bare.strip(),
        "It begins with “Bearer ”, which belongs into a header, not into this field.": bare.lstrip().startswith("Bearer "),
        "There are quotes around it.": bare.strip()[:1] in {"'", '"'},
    }
    return [sentence for sentence, holds in checks.items() if holds]


def _not_a_jwt(text: str) -> list[str]:
    if not text:
        return ["There is nothing."]
    if secret_token.is_intact(text, secret_token.Kind.CODE):
        return ["It is a code, which belongs into the field code."]
    if secret_token.is_intact(text, secret_token.Kind.CLIENT_SECRET):
        return ["It is the secret itself, which must never be sent: send a JWT that is signed with it."]
    if "." not in text:
        return ["If it is the secret itself: that must never be sent. Send a JWT that is signed with it."]
    return []


def _header(header: Mapping[str, object]) -> list[str]:
    algorithm = header.get("alg")
    odd = [] if algorithm == ALGORITHM else [f"alg is {algorithm!r}; it must be {ALGORITHM!r}."]
    return odd + (["There is a crit header, which is not understood here."] if "crit" in header else [])


def _claims(claims: Mapping[str, object], now: datetime) -> list[str]:
    odd = [] if isinstance(claims.get("client_id"), str) else [_without_client_id(claims)]
    odd += _expiry(claims.get("exp"), now.timestamp())
    for name in ("iat", "nbf"):
        value = claims.get(name)
        if value is not None and not _is_number(value):
            odd.append(f"{name} is not a number.")
        elif isinstance(value, int | float) and value > now.timestamp() + LEEWAY.total_seconds():
            odd.append(f"{name} lies {within_the_calendar(value) - now.timestamp():.0f} s in the future: is the clock right?")
    return odd


def _without_client_id(claims: Mapping[str, object]) -> str:
    if isinstance(claims.get("sub"), str) and claims.get("sub") == claims.get("iss"):
        return "client_id is missing; with iss and sub in its place it is a client_assertion for /oauth2/token, and none for client_secret."
    return "client_id is missing, or not a string."


def _expiry(exp: object, now: float) -> list[str]:
    if exp is None:
        return ["exp is missing."]
    if not isinstance(exp, int | float) or not _is_number(exp):
        return ["exp is not a number."]
    exp = within_the_calendar(exp)
    if exp >= _MILLISECONDS_FROM:
        return ["exp seems to be in milliseconds; it must be in seconds."]
    if exp <= now:
        return [f"It expired {now - exp:.0f} s ago."]
    longest = (LONGEST + LEEWAY).total_seconds()
    return [f"exp lies {exp - now:.0f} s ahead; at most {LONGEST.total_seconds():.0f} s are allowed."] if exp > now + longest else []


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
