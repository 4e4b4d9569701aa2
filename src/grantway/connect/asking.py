"""The way out: the URL that an app sends a person to, and what it must remember until they are back (RFC 6749 section 4.1.1, 7636)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from grantway.connect import base64url
from grantway.connect.registration import Registration
from grantway.connect.scope import joined

RANDOM_BYTES = 32  # 43 characters of base64url, the shortest verifier that there may be (RFC 7636 section 4.1)


@dataclass(frozen=True, slots=True)
class Asked:
    """Send the browser to `url`, and keep `keep` in this browser's session: strings that any session can hold."""

    url: str
    keep: dict[str, str] = field(repr=False)


def asked(registration: Registration, scopes: str | Iterable[str], random: bytes) -> Asked:
    """Make both. `random` is twice RANDOM_BYTES: half for `state`, half for the PKCE verifier."""
    state, verifier = (base64url.encoded(half) for half in (random[:RANDOM_BYTES], random[RANDOM_BYTES:]))
    parameters = {
        "response_type": "code",
        "client_id": registration.client_id,
        "redirect_uri": registration.redirect_uri,
        "scope": joined(scopes),
        "state": state,
        "code_challenge": base64url.encoded(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    return Asked(f"{registration.issuer}/oauth2/authorize?{urlencode(parameters)}", {"state": state, "code_verifier": verifier})
