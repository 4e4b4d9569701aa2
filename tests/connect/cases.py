"""An app that is registered, an answer that is right, and what comes back: each test changes one thing."""

import json
from datetime import UTC, datetime
from typing import Any

from tests.access_grant.strategies import SATELLITE

from grantway.access_grant import AccessGrant, ApiKey, Permission, SharePrefix
from grantway.connect.message import Reply
from grantway.connect.registration import Registration

ISSUER = "https://auth.example.org"
SECRET = "gws_not-a-real-secret-but-as-long-as-one"
REDIRECT_URI = "https://app.example.com/callback"
APP = Registration(ISSUER, "app", SECRET, REDIRECT_URI)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEEP = {"state": "s" * 43, "code_verifier": "v" * 43}
READ = Permission(download=True, not_after=datetime(2026, 12, 24, 12, tzinfo=UTC))

_WHOLE = AccessGrant.build(SATELLITE, ApiKey.new(bytes(32), b"h"), bytes(32))
GRANT = _WHOLE.restrict(READ, [SharePrefix(b"photos", b"2026")], b"")
GRANTED: dict[str, Any] = {
    "access_token": GRANT.api_key.serialise(),
    "token_type": "Bearer",
    "expires_in": 3600,
    "scope": "read bucket:photos;2026/",
    "access_grant": GRANT.serialise(),
}


def granted(**changes: Any) -> dict[str, Any]:
    """A token answer; None leaves a field out."""
    return {name: value for name, value in {**GRANTED, **changes}.items() if value is not None}


def reply(body: object, status: int = 200, **headers: str) -> Reply:
    """An answer with that body: bytes as they are, anything else as JSON."""
    return Reply(status=status, headers=headers, body=body if isinstance(body, bytes) else json.dumps(body).encode())
