"""What the server answers, read strictly: an access, nothing, or a refusal with its `trace_id` (RFC 6749 section 5)."""

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TypeGuard

from grantway.access_grant import AccessGrant, Allowance, ApiKey, Malformed
from grantway.connect.access import Access
from grantway.connect.allows import Allows
from grantway.connect.error import NoAnswerError, RefusedError
from grantway.connect.message import Reply

LONGEST_WAIT = 86_400
_LONGEST_SENTENCE = 300
_TEN_YEARS = 10 * 366 * 86_400
_TRACE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WORD = re.compile(r"[a-z_]{1,40}")


def access(reply: Reply, now: datetime, hidden: Collection[str]) -> Access:
    """The access in a token answer; `now` is when it was asked for. `hidden` are texts that no error may repeat.

    RefusedError when the server says no, NoAnswerError for an answer that is none of the contract's.
    """
    fields = _fields(reply)
    if reply.status != 200 or fields is None:
        raise _refusal(reply, fields, hidden)
    key, grant, scope, seconds = (fields.get(name) for name in ("access_token", "access_grant", "scope", "expires_in"))
    if not isinstance(key, str) or not isinstance(grant, str | None) or not isinstance(scope, str) or not _is_seconds(seconds):
        raise _strange(reply)
    return Access(
        access_grant=grant,
        api_key=key,
        scopes=tuple(scope.split()),
        expires_at=now + timedelta(seconds=seconds),
        allows=Allows.of(_allowance(reply, key, grant)),
    )


def nothing(reply: Reply, hidden: Collection[str]) -> None:
    """A revocation's answer: 200, or a refusal (RFC 7009 section 2.2)."""
    if reply.status != 200:
        raise _refusal(reply, _fields(reply), hidden)


def readable(text: str) -> str:
    """A sentence of the server's: one line that no terminal obeys, at most 300 characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_LONGEST_SENTENCE].strip()


def word(text: str) -> str:
    """An `error`, which is one word of small letters; anything else is `unknown_error`."""
    return text if _WORD.fullmatch(text) else "unknown_error"


def trace_of(value: object) -> str | None:
    """A `trace_id`, if it can be one that a log and a command line may carry."""
    return value if isinstance(value, str) and _TRACE.fullmatch(value) else None


def _fields(reply: Reply) -> Mapping[str, object] | None:
    """The body as a JSON object in which each name stands once; None when it is none."""
    try:
        value = json.loads(reply.body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name is there twice")
    return dict(pairs)


def _is_seconds(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _TEN_YEARS  # True is an int as well


def _allowance(reply: Reply, key: str, grant: str | None) -> Allowance:
    """What the credential allows; the API key must be the one in the access grant."""
    try:
        api_key = ApiKey.parse(key)
        if grant is None:
            return Allowance.of(api_key.caveats)
        access_grant = AccessGrant.parse(grant)
    except Malformed:
        raise _strange(reply) from None
    if access_grant.api_key != api_key:
        raise _strange(reply)
    return access_grant.allowance()


def _refusal(reply: Reply, fields: Mapping[str, object] | None, hidden: Collection[str]) -> RefusedError | NoAnswerError:
    """What the server says, masked: it may send back what it got."""
    error, description = (fields or {}).get("error"), (fields or {}).get("error_description")
    if reply.status < 400 or not isinstance(error, str):
        return _strange(reply)
    sentence = description if isinstance(description, str) else ""
    for secret in filter(None, hidden):
        error, sentence = "" if secret == error else error, sentence.replace(secret, "...")
    trace_id = trace_of((fields or {}).get("trace_id"))
    trace_id = None if trace_id in hidden else trace_id
    return RefusedError(word(error), readable(sentence), status=reply.status, trace_id=trace_id, retry_after=_wait(reply))


def _strange(reply: Reply) -> NoAnswerError:
    why = "the server, or what stands before it, is in trouble" if reply.status >= 500 else "not what Grantway answers: is this the issuer?"
    return NoAnswerError("no_answer", f"status {reply.status}, {why}", status=reply.status)


def _wait(reply: Reply) -> int | None:
    """Retry-After in seconds; a date is not understood, nor what is longer than a day."""
    value = reply.headers.get("retry-after", "")
    return min(int(value), LONGEST_WAIT) if re.fullmatch(r"[0-9]{1,9}", value) else None
