"""The usual mistakes with a secret, a client_id or a clock, as attempts to make: at most a dozen, each with what its success proves."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace

from grantway import base64url
from grantway.clients.assertion import ALGORITHM, LIFETIME
from grantway.diagnosis.trial_keys import variants

MOST = 12
LARGE_SKEW = 30.0
_SECONDS = int(LIFETIME.total_seconds())
_SHORT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One way of signing. `what` says it before it is tried, `verdict` and `remedy` say what it means when it is accepted.

    `skew` is added to this machine's clock, in seconds; a `bare` JWT has no `iat`.
    """

    key: bytes = field(repr=False)
    client_id: str
    name: str = "as_is"
    what: str = "the secret as it is"
    verdict: str = ""
    remedy: str = ""
    lifetime: int = _SECONDS
    skew: float = 0.0
    is_bare: bool = False

    def jwt(self, now: float, nonce: bytes) -> str:
        """The JWT to send, made at `now` (Unix seconds)."""
        issued = int(now + self.skew)
        claims = {"client_id": self.client_id, "exp": issued + self.lifetime, "jti": nonce.hex()}
        return _signed(claims if self.is_bare else {**claims, "iat": issued}, self.key)


_OF_KEY = {
    "whitespace_stripped": (
        "the secret without the white space around it",
        "The secret has white space around it that does not belong to it.",
        "Strip white space and line ends from the secret after reading it, in your app too.",
    ),
    "with_newline": (
        "the secret with a line end behind it",
        "The server holds the secret with a line end behind it: it was registered like that.",
        "Register the secret anew without the line end, or regenerate it; until then sign with the line end.",
    ),
    "hex_decoded": (
        "the bytes that the secret stands for in hex",
        "The server takes the secret for hex and uses its bytes as the key.",
        "Decode the secret from hex before signing for this server; the contract would have its characters.",
    ),
    "base64_decoded": (
        "the bytes that the secret stands for in base64",
        "The server takes the secret for base64 and uses its bytes as the key.",
        "Decode the secret from base64 before signing for this server; the contract would have its characters.",
    ),
    "sha256_hex": (
        "the SHA-256 of the secret",
        "The server verifies with a hash of the secret: the fault is the server's.",
        "Tell the operator that the server verifies with the SHA-256 of the secret instead of the secret.",
    ),
    "url_decoded": (
        "the secret, percent-decoded",
        "The secret was percent-encoded on its way to you.",
        "Decode the secret once and store it like that.",
    ),
    "url_encoded": (
        "the secret, percent-encoded",
        "The server holds the secret percent-encoded: it was registered like that.",
        "Register the secret anew as it is, or regenerate it; until then sign with the encoded one.",
    ),
    "quotes_stripped": (
        "the secret without the quotes around it",
        "The quotes around the secret do not belong to it.",
        "Remove the quotes around the secret where your app reads it.",
    ),
}


def first(secret: str, client_id: str) -> Trial:
    """The way it should be: the secret's characters are the key, this machine's clock is right."""
    return Trial(key=secret.encode("utf-8", "replace"), client_id=client_id)


def control(client_id: str, random: bytes) -> Trial:
    """A key that nobody has: what a server answers to this, it answers to a wrong secret."""
    what = "a random key, to see what this server answers to a wrong one"
    return Trial(key=random, client_id=client_id, name="control", what=what)


def usual(secret: str, client_id: str, skew: float | None) -> list[Trial]:
    """The trials to make after the first was refused, the likeliest first. With clocks apart all of them use the server's time."""
    made = first(secret, client_id)
    trials = []
    if skew is not None and abs(skew) > LARGE_SKEW:
        made = replace(made, skew=skew)
        trials.append(_clock(made))
    trials += [_of_key(made, name, key) for name, key in variants(secret) if key != made.key]
    trials += _of_client_id(made)
    trials.append(_short(made))
    return trials[:MOST]


def _clock(made: Trial) -> Trial:
    side = "behind" if made.skew > 0 else "ahead of"
    return replace(
        made,
        name="clock_corrected",
        what="the server's time instead of this machine's",
        verdict=f"This machine's clock is {abs(made.skew):.0f} s {side} the server's, and so its JWTs are refused.",
        remedy="Set this machine's clock (NTP).",
    )


def _of_key(made: Trial, name: str, key: bytes) -> Trial:
    """One of the known variants; one that is not described here is named as it is."""
    known = (f"the secret as {name}", f"The server takes the secret as {name}.", "Register the secret anew, or regenerate it.")
    what, verdict, remedy = _OF_KEY.get(name, known)
    return replace(made, key=key, name=name, what=what, verdict=verdict, remedy=remedy)


def _of_client_id(made: Trial) -> list[Trial]:
    trimmed, lower = made.client_id.strip(), made.client_id.strip().lower()
    trials = []
    if trimmed != made.client_id:
        verdict, remedy = "The client_id has white space around it.", "Remove the white space around the client_id."
        what = "the client_id and the secret without white space around them"
        trials.append(
            replace(made, client_id=trimmed, key=made.key.strip(), name="client_id_trimmed", what=what, verdict=verdict, remedy=remedy)
        )
    if lower != trimmed:
        verdict, remedy = "The client_id is registered in lower case.", "Write the client_id in lower case."
        trials.append(
            replace(made, client_id=lower, name="client_id_lower", what="the client_id in lower case", verdict=verdict, remedy=remedy)
        )
    return trials


def _short(made: Trial) -> Trial:
    return replace(
        made,
        name="short_lived",
        what=f"a JWT without iat that lives {_SHORT} s",
        verdict=f"The secret is right: a JWT without iat that lives {_SHORT} s is accepted, one with iat that lives {_SECONDS} s is not.",
        remedy="Leave iat out and let the JWT live 60 s; and have the clocks of this machine and of the server set (NTP).",
        lifetime=_SHORT,
        is_bare=True,
    )


def fingerprint(secret: str) -> str:
    """The first 8 hex digits of the secret's SHA-256: enough to compare two copies, too little to find it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()[:8]


def _signed(claims: dict[str, object], key: bytes) -> str:
    """A JWT, HS256, under any key bytes."""
    header = base64url.encoded(json.dumps({"alg": ALGORITHM, "typ": "JWT"}).encode())
    signed = f"{header}.{base64url.encoded(json.dumps(claims).encode())}"
    return f"{signed}.{base64url.encoded(hmac.digest(key, signed.encode(), 'sha256'))}"
