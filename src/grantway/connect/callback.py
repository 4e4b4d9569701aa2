"""The way back: is what came to the redirect URI the answer to what this session asked (RFC 6749 section 4.1.2, 9207, 9700)?"""

import hmac
import re
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import parse_qsl

from grantway.connect.answer import readable, trace_of, word
from grantway.connect.error import CallbackError, DeniedError, RefusedError

MAX_CALLBACK = 16 * 1024
"""Characters of a callback's URL; a real one has some hundreds."""
MAX_ISSUER = 200
"""Characters that are repeated of an issuer that came and is not the one that was asked."""

_OURS = ("code", "state", "iss", "error", "error_description", "trace_id")
_CODE = re.compile(r"[\x21-\x7e]{1,1024}")
_NO_ISSUER = re.compile(r"[?#&\s]")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def code_of(callback: str, keep: object, issuer: str) -> tuple[str, str]:
    """The code and the PKCE verifier that goes with it.

    `callback` is the URL that the browser came with, or its query alone; `keep` is what the session kept, None when it has nothing.
    CallbackError when this session did not ask for that; DeniedError when the person said no; RefusedError for any other refusal.
    """
    state, verifier = _kept(keep)
    came = _parameters(callback)
    # 1. this very session asked, and no other
    if not _equal(came.get("state", ""), state):
        _refuse("state is not the one of this session: the person has to begin again in the app")
    # 2. the server that was asked answers, and no other
    if not _equal(came.get("iss", ""), issuer):
        _refuse(_other_issuer(came.get("iss"), issuer))
    # 3. it is one answer: a refusal or a code
    if "error" in came:
        raise _told(came)
    if not _CODE.fullmatch(came.get("code", "")):
        _refuse("there is neither a code nor an error in it")
    return came["code"], verifier


def _kept(keep: object) -> tuple[str, str]:
    """State and verifier; whatever a session may hold instead is refused."""
    kept = keep if isinstance(keep, Mapping) else {}
    state, verifier = kept.get("state"), kept.get("code_verifier")
    if not isinstance(state, str) or not state or not isinstance(verifier, str) or not _VERIFIER.fullmatch(verifier):
        _refuse("this session asked for nothing, or has had its answer: the person has to begin again in the app")
    return state, verifier


def _parameters(callback: str) -> dict[str, str]:
    """Those parameters that are OAuth's, each of which may be there once; the redirect URI may have had others of its own."""
    query = callback.partition("#")[0]
    query = query.partition("?")[2] if "?" in query else query
    if len(query) > MAX_CALLBACK:
        _refuse("the callback is too long")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        _refuse("the callback cannot be read")
    ours = [(name, value) for name, value in pairs if name in _OURS]
    if len(dict(ours)) != len(ours):
        _refuse("a parameter is there twice")
    return dict(ours)


def _told(came: Mapping[str, str]) -> DeniedError | RefusedError:
    error, description, trace_id = word(came["error"]), readable(came.get("error_description", "")), trace_of(came.get("trace_id"))
    if error == "access_denied":
        return DeniedError(error, description or "The person did not allow it.", trace_id=trace_id)
    return RefusedError(error, description, trace_id=trace_id)


def _other_issuer(came: str | None, issuer: str) -> str:
    """Both issuers, for neither is secret; of the one that came only what an issuer may have, so no code that was glued to it."""
    if not came:
        return f"iss is missing; the issuer that was asked is {issuer!r}"
    bare = _NO_ISSUER.split(came, maxsplit=1)[0]
    shown = readable(bare[:MAX_ISSUER]) + ("…" if len(bare) > MAX_ISSUER or bare != came else "")
    return f"iss is {shown!r}, and the issuer that was asked is {issuer!r}; they must be equal, character for character"


def _equal(one: str, other: str) -> bool:
    """In constant time; of lone surrogates too, which a str may hold."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _refuse(why: str) -> NoReturn:
    raise CallbackError("invalid_callback", why)
