"""What an app posts: the forms of the token and the revocation endpoint, with the JWT that stands for the secret (RFC 6749, 7523, 7009)."""

import hmac
import json
from datetime import datetime

from grantway.connect import base64url
from grantway.connect.registration import Registration, check_text

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path, not a secret
REVOCATION_PATH = "/oauth2/revoke"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME_SECONDS = 300
NONCE_BYTES = 16

Form = dict[str, str]


def exchange(registration: Registration, code: str, verifier: str, passphrase: str | None, now: datetime, nonce: bytes) -> Form:
    """Ask for what the code stands for (RFC 6749 section 4.1.3). `nonce` has NONCE_BYTES and is never used again."""
    check_text("passphrase", passphrase or "")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": registration.redirect_uri,
        "code_verifier": verifier,
        **_identity(registration, now, nonce),
    }
    return form | ({"passphrase": passphrase} if passphrase else {})  # an empty one counts as not sent


def revocation(registration: Registration, token: str, now: datetime, nonce: bytes) -> Form:
    """Give an API key or an access grant back (RFC 7009 section 2.1)."""
    check_text("token", token)
    return {"token": token, **_identity(registration, now, nonce)}


def _identity(registration: Registration, now: datetime, nonce: bytes) -> Form:
    """Who asks: by a JWT signed with the secret, or, where there is none, by name."""
    if registration.client_secret is None:
        return {"client_id": registration.client_id}
    issued = int(now.timestamp())
    claims = {
        "iss": registration.client_id,
        "sub": registration.client_id,
        "aud": registration.issuer,  # RFC 7523 section 3
        "iat": issued,
        "exp": issued + LIFETIME_SECONDS,
        "jti": nonce.hex(),
    }
    return {
        "client_id": registration.client_id,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": _signed(claims, registration.client_secret),
    }


def _signed(claims: dict[str, object], secret: str) -> str:
    """A JWT, HS256; the key is the secret as text, not what its hexadecimal digits stand for."""
    signed = ".".join(base64url.encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{base64url.encoded(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"
