"""What must not be shown in one finding: the secrets at hand, and what the same request sends in a field that is secret."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

from grantway.diagnosis import shown

SHORTEST = 4
"""A field of fewer characters hides nothing: too much would hold it by chance."""
RUN = 12
"""So many characters of a secret, one after the other, are as much as the secret."""
_LONGEST = 1024  # as long as a secret can be (`clients.secret.MAX_LENGTH`)
_PERCENT = 3  # characters of one percent-encoded byte
_SECRET_FIELDS = frozenset(
    {
        "passphrase", "password", "clientsecret", "secret", "clientassertion", "assertion", "jwt", "code", "authorizationcode",
        "codeverifier", "verifier", "token", "accesstoken", "accessgrant", "session", "sessiontoken",
    }
)  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9_.:;/-]{0,15}")
"""What is too short for a secret (`clients.secret.MIN_LENGTH`)."""
_OUR_ID = re.compile(r"([0-9A-Fa-f]{8})(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
"""The form of our ids. A secret from elsewhere may have it too, and be sent in the wrong field by a client that is not found; so only
eight digits are shown: enough to tell which id was meant, as with a fingerprint, and too few of a secret to be of use."""
_WORDS = frozenset(
    {
        "authorization_code", "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Veil:
    """Shows what was sent, but for what `runs` hold: pieces of secrets, in one case. `public` is shown whatever it holds.

    `is_blind`: no client is known whose secret it could be. Then a value is shown only where it is too plain to be one.
    """

    runs: frozenset[str] = frozenset()
    public: frozenset[str] = frozenset()
    is_blind: bool = True

    def text(self, value: object, most: int = shown.MOST) -> str:
        """A word as it may be shown, such as a field's name: `shown.text`, or masked."""
        if isinstance(value, str) and value not in self.public and self._hides(value, most):
            return shown.MASK
        return shown.text(value, most)

    def value(self, value: object, most: int = shown.MOST) -> str:
        """A field's or a claim's value as it may be shown: as `text`, or what it is made of where nobody's secrets are at hand."""
        told = self.text(value, most)
        is_open = not self.is_blind or not isinstance(value, str) or value in self.public or value in _WORDS
        return told if is_open or told == shown.MASK or _PLAIN.fullmatch(str(value)) else _shape(str(value))

    def _hides(self, value: str, most: int) -> bool:
        # a piece that begins within what is shown, percent-encoded too
        head = value[: most + RUN]
        encoded = value[: most + _PERCENT * RUN]
        return any(self._holds(one.casefold()) for one in {head, unquote(encoded), unquote_plus(encoded)})

    def _holds(self, text: str) -> bool:
        # a run of fewer than RUN characters is a whole secret; of longer ones all runs have RUN
        lengths = range(SHORTEST, RUN + 1)
        return any(text[at : at + length] in self.runs for at in range(len(text)) for length in lengths)


def over(secrets: Iterable[bytes], fields: Iterable[Mapping[str, object]], public: Collection[str], *, is_blind: bool) -> Veil:
    """A veil over these secrets, and over what stands in the secret ones of these fields."""
    kept = [key.decode("utf-8", "replace") for key in secrets]
    kept += [str(value) for some in fields for name, value in some.items() if _is_text(value) and _is_secret(name)]
    runs = set[str]()
    for one in dict.fromkeys(kept):
        text = one[:_LONGEST].strip().casefold()
        if len(text) >= SHORTEST:
            runs.update([text[at : at + RUN] for at in range(max(1, len(text) - RUN + 1))])
    return Veil(frozenset(runs), frozenset(public), is_blind)


def _is_text(value: object) -> bool:
    """A passphrase of digits may have been sent as a number."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def _is_secret(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "") in _SECRET_FIELDS


def _shape(value: str) -> str:
    if ours := _OUR_ID.fullmatch(value):
        return f"{ours[1]}… (an id's {len(value)} characters, no more is shown)"
    chars = set(value)
    kinds = {
        "letters": any(char.isalpha() for char in chars),
        "digits": any(char.isdigit() for char in chars),
        "white space": any(char.isspace() for char in chars),
        "other characters": any(not char.isalnum() and not char.isspace() for char in chars),
    }
    return f"({len(value)} characters, not shown: {', '.join(kind for kind, holds in kinds.items() if holds)})"
