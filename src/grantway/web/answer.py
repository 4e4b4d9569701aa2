"""What goes back: a status, a value for JSON or a text, headers; and every refusal in the contract's form."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from starlette.types import Send

from grantway.oauth_error import UNAUTHORIZED, OAuthError

_JSON = (b"content-type", b"application/json")
# on every answer: any may hold a key or a session, and none is to be taken for another type than it says
_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
_encoder = msgspec.json.Encoder()


class ErrorBody(msgspec.Struct):
    """What every refusal says."""

    error: str
    error_description: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class PlainText:
    """A body that is no JSON, with its content type."""

    text: bytes
    content_type: bytes


@dataclass(slots=True)
class Answer:
    """What to send back: a status, a value that msgspec can encode or plain text (None: no body), further headers."""

    status: int = 200
    body: object = None
    headers: Sequence[tuple[bytes, bytes]] = ()


def refusal(error: OAuthError, trace_id: str) -> Answer:
    """A refusal in the contract's form: two refusals with the same error differ in `trace_id` and nothing else. For want of a session it
    tells how one is shown (RFC 6750 section 3)."""
    retry = [] if error.retry_after is None else [(b"retry-after", str(error.retry_after).encode())]
    # how a session's token is sent; for clients `client_credentials` says it
    challenge = [(b"www-authenticate", b'Bearer realm="grantway"')] if error.code == UNAUTHORIZED.code else []
    return Answer(error.status, ErrorBody(error.code, error.description, trace_id), [*retry, *challenge])


def iso(moment: datetime) -> str:
    """A time as our JSON has it: RFC 3339, UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe_iso(moment: datetime | None) -> str | None:
    """A time that may be absent, as our JSON has it."""
    return None if moment is None else iso(moment)


async def respond(send: Send, answer: Answer, further: Sequence[tuple[bytes, bytes]]) -> None:
    """Send an answer, with `further` headers besides its own."""
    kind = _JSON
    if isinstance(answer.body, PlainText):
        body, kind = answer.body.text, (b"content-type", answer.body.content_type)
    else:
        body = b"" if answer.body is None else _encoder.encode(answer.body)
    length = (b"content-length", str(len(body)).encode())
    # without content there is no type, and with 204 there must be no length (RFC 9110 section 8.6)
    of_content = [*([kind] if body else []), *([] if answer.status == 204 else [length])]
    headers = [*of_content, *_HEADERS, *further, *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
