"""What is odd about a secret and a client_id, as far as can be told by looking at them. Repeats nothing of a secret."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from grantway import secret_token
from grantway.clients.client import is_client_id

_SECRET = secret_token.Kind.CLIENT_SECRET


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """One odd thing: a sentence, and what to do. `is_fault` is false for what is merely good to know."""

    sentence: str
    remedy: str = ""
    is_fault: bool = True


MASK = "(masked)"
_TOKEN_LIKE = re.compile(r"eyJ[\w-]{8,}[\w.-]*|gw[stc]_[\w-]{8,}")
_SHORTEST_MASKED = 4

_HASH = re.compile(r"\$(2[abxy]?|argon2\w*|pbkdf2[\w-]*|scrypt|[156])\$|\{(SSHA|SHA|bcrypt)\d*\}")
_PLACEHOLDER = re.compile(
    r"<.*>|\$\{?\w+\}?|\{\{.*\}\}|%\w+%|x{3,}|\*{3,}|\.{3}|"
    r"(change[-_ ]?me|replace[-_ ]?me|secret|client[-_ ]?secret|your[-_ ].*|password|todo|test|example|none|null|undefined)",
    re.IGNORECASE,
)
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")

_AS_IT_IS = "Use the secret exactly as it was handed out when the client was registered."
_OF_SECRET: list[tuple[Callable[[str], object], str, str]] = [
    (lambda text: text != text.strip(), "there is white space or a line end around it", "Strip white space and line ends from the secret."),
    (lambda text: re.search(r"\s", text.strip()), "there is white space within it", _AS_IT_IS),
    (lambda text: text.strip()[:1] in {"'", '"', "`"}, "there are quotes around it", "Remove the quotes around the secret."),
    (
        lambda text: not text.isascii(),
        "it holds characters that are not ASCII",
        "Copy the secret anew: an editor replaced characters in it.",
    ),
    (lambda text: _HASH.match(text.strip()), "it looks like a hash", "Use the secret itself: the server's hash of it signs nothing."),
    (lambda text: _JWT.fullmatch(text.strip()), "it looks like a JWT", "Give the secret that signs, not a JWT that was signed with it."),
    (
        lambda text: re.search(r"%[0-9A-Fa-f]{2}", text),
        "it looks percent-encoded",
        "Decode the secret: it was percent-encoded on its way.",
    ),
    (
        lambda text: _PLACEHOLDER.fullmatch(text.strip()),
        "it looks like a placeholder",
        "Put the client's real secret in place of the placeholder.",
    ),
    (
        lambda text: text.strip().startswith(f"{_SECRET}_") and not secret_token.is_intact(text.strip(), _SECRET),
        "its checksum is wrong: it was cut, padded or mistyped",
        "Copy the whole secret anew; its checksum says that this is not what was handed out.",
    ),
    (
        lambda text: re.match(r"gw[tc]_", text.strip()),
        "it is a session token or a code, not a client's secret",
        f"Give the client's secret, which begins with {_SECRET}_.",
    ),
]


def oddities(secret: str, client_id: str) -> list[Oddity]:
    """What is odd about the secret, the faults first."""
    found = [Oddity(sentence=sentence, remedy=remedy) for holds, sentence, remedy in _OF_SECRET if holds(secret)]
    if secret.strip() == client_id.strip():
        found.append(Oddity(sentence="it is the client_id", remedy="Give the client's secret; the client_id is public."))
    return found + ([] if found else _good_to_know(secret))


def of_client_id(client_id: str) -> list[Oddity]:
    """What is odd about the client_id."""
    if client_id != client_id.strip():
        return [Oddity(sentence="there is white space around it", remedy="Remove the white space around the client_id.")]
    if client_id.startswith(f"{_SECRET}_"):
        return [Oddity(sentence="it looks like a secret", remedy="Give the client_id; if the secret was sent as one, regenerate it.")]
    if _PLACEHOLDER.fullmatch(client_id):
        return [Oddity(sentence="it looks like a placeholder", remedy="Give the client_id from the developer's account.")]
    if not is_client_id(client_id):
        return [Oddity(sentence="it is none: 1 to 100 printable ASCII characters, no white space", remedy="Copy the client_id anew.")]
    return []


def _good_to_know(secret: str) -> list[Oddity]:
    if re.fullmatch(r"[0-9A-Fa-f]+", secret) and len(secret) % 2 == 0:
        sentence = f"it is hex of {len(secret) // 2} bytes: the HMAC key is the {len(secret)} characters themselves, not those bytes"
        return [Oddity(sentence=sentence, is_fault=False)]
    if re.fullmatch(r"[A-Za-z0-9+/]{20,}={1,2}", secret):
        sentence = "it looks like base64: the HMAC key is the characters themselves, not the bytes that they stand for"
        return [Oddity(sentence=sentence, is_fault=False)]
    return []


def masked(text: str, *secrets: str | None) -> str:
    """The text without these secrets and without anything that looks like a JWT or a token: a server may send back what it got."""
    for secret in secrets:
        if secret and len(secret) >= _SHORTEST_MASKED:
            text = text.replace(secret, MASK)
    return _TOKEN_LIKE.sub(MASK, text)
