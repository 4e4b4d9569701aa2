"""How a client says who it is: HTTP Basic, its secret or a JWT in the form, or its id alone (RFC 6749 section 2.3, RFC 7523)."""

import base64
import binascii
import contextlib
from urllib.parse import unquote_plus

import msgspec

from grantway.clients import assertion
from grantway.clients.assertion import UnreadableAssertionError
from grantway.clients.client import AuthMethod
from grantway.oauth_error import INVALID_CLIENT, INVALID_REQUEST, OAuthError, RefusedError
from grantway.tokens.token_request import TokenRequest
from grantway.web.answer import Answer, refusal
from grantway.web.call import Call


class ClientForm(msgspec.Struct, kw_only=True):
    """What a client may send in the form to say who it is."""

    client_id: str | None = None
    client_secret: str | None = None
    client_assertion_type: str | None = None
    client_assertion: str | None = None


def token_request(
    call: Call,
    form: ClientForm,
    token: str,
    *,
    redirect_uri: str | None = None,
    passphrase: str | None = None,
    code_verifier: str | None = None,
) -> TokenRequest:
    """The use case's request about `token`, a code or a key. A client must authenticate in one way only (RFC 6749 section 2.3)."""
    client_id, secret, method = _identity(_basic(call.headers.get("authorization", "")), form)
    if not client_id:
        raise RefusedError(INVALID_CLIENT)
    return TokenRequest(
        client_id=client_id,
        client_secret=secret,
        redirect_uri=redirect_uri,
        code=token,
        passphrase=passphrase,
        code_verifier=code_verifier,
        trace_id=call.trace_id,
        method=method,
        is_rfc7523=form.client_assertion is not None,
    )


def refused(call: Call, error: OAuthError) -> Answer:
    """A refusal in the contract's form; a client that came with an Authorization header hears which one it may send."""
    answer = refusal(error, call.trace_id)
    scheme = call.headers.get("authorization", "").partition(" ")[0].lower()
    # RFC 6749 section 5.2: a challenge where the header was tried
    if error.status != 401 or not scheme:
        return answer
    challenge = b'Bearer realm="grantway"' if scheme == "bearer" else b'Basic realm="grantway"'
    return Answer(answer.status, answer.body, [*answer.headers, (b"www-authenticate", challenge)])


def _identity(basic: tuple[str, str] | None, form: ClientForm) -> tuple[str, str, AuthMethod]:
    """The client_id, empty where none is named, what the client proves it with, and the way in which it does."""
    if sum(one is not None for one in (basic, form.client_secret, form.client_assertion)) > 1:
        raise RefusedError(INVALID_REQUEST.saying("The client authenticates in more than one way."))
    named = form.client_id or ""
    if basic is not None:
        if form.client_id not in {None, basic[0]}:
            raise RefusedError(INVALID_REQUEST.saying("client_id is not the one in the Authorization header."))
        return *basic, AuthMethod.BASIC
    if form.client_assertion is not None:
        if form.client_assertion_type != assertion.TYPE:
            raise RefusedError(INVALID_REQUEST.saying(f"client_assertion_type must be {assertion.TYPE}."))
        # RFC 7521 section 4.2: client_id may be left out
        return named or _subject(form.client_assertion), form.client_assertion, AuthMethod.JWT
    if form.client_secret is not None:
        # apps of the JSON API send their JWT as client_secret here, too
        return named, form.client_secret, AuthMethod.JWT if assertion.is_meant(form.client_secret) else AuthMethod.POST
    return named, "", AuthMethod.NONE


def _basic(header: str) -> tuple[str, str] | None:
    """client_id and secret of an Authorization header, each form-decoded (RFC 6749 section 2.3.1); None without one."""
    scheme, _, credentials = header.partition(" ")
    if not header:
        return None
    with contextlib.suppress(binascii.Error, ValueError):
        if scheme.lower() == "basic":
            name, colon, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
            if colon:
                return unquote_plus(name, errors="strict"), unquote_plus(secret, errors="strict")
    raise RefusedError(INVALID_CLIENT)


def _subject(text: str) -> str:
    """The client that an assertion says it is for; not verified."""
    with contextlib.suppress(UnreadableAssertionError):
        subject = assertion.read(text).claims.get("sub")
        return subject if isinstance(subject, str) else ""
    return ""
