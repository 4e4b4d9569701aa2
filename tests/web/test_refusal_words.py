"""What a person reads of a refusal: their sentence first, and apart from it what somebody else needs."""

import pytest

from grantway.oauth_error import (
    CLIENT_INACTIVE,
    FORBIDDEN,
    INVALID_CLIENT_ID,
    INVALID_REDIRECT_URI,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    RATE_LIMITED,
    SERVER_ERROR,
    TEMPORARILY_UNAVAILABLE,
    OAuthError,
)
from grantway.web.refusal_words import words

DEVELOPER, OPERATOR = "the app's developer", "the operator of this server"
ROWS: dict[str, tuple[OAuthError, bool, str, str]] = {
    "an app that nobody knows": (INVALID_CLIENT_ID, True, "This server does not know the app", DEVELOPER),
    "a disabled app": (CLIENT_INACTIVE, True, "The app that sent you here is disabled.", DEVELOPER),
    "a redirect URI": (INVALID_REDIRECT_URI, True, "an address that it has not registered", DEVELOPER),
    "an app's link": (INVALID_REQUEST, True, "a link that cannot be read", DEVELOPER),
    "an app's form": (METHOD_NOT_ALLOWED, True, "in a way that does not work", DEVELOPER),
    "a form of the person's": (INVALID_REQUEST.saying("The form cannot be read."), False, "The form cannot be read.", ""),
    "nothing there": (NOT_FOUND.saying("No page."), False, "No page.", ""),
    "not yours": (FORBIDDEN.saying("Not yours."), False, "Not yours.", ""),
    "too much": (RATE_LIMITED.after(9), False, "That was too much in a short time.", ""),
    "too much of an app": (RATE_LIMITED.after(9), True, "That was too much in a short time.", DEVELOPER),
    "too many passwords": (RATE_LIMITED.saying("Try again in 9 minutes."), False, "Try again in 9 minutes.", ""),
    "a failure": (SERVER_ERROR, False, "Something failed in this server.", OPERATOR),
    "a failure while an app asks": (SERVER_ERROR, True, "Something failed in this server.", OPERATOR),
    "busy": (TEMPORARILY_UNAVAILABLE.after(1), True, "This server has too much to do", OPERATOR),
}
"""An error; whether it is the app's affair; what the person reads; who else reads on."""


@pytest.mark.parametrize(("error", "is_of_app", "sentence", "reader"), ROWS.values(), ids=ROWS)
def test_who_reads_what(error: OAuthError, is_of_app: bool, sentence: str, reader: str) -> None:
    found = words(error, error if is_of_app else None)
    assert sentence in found.sentence
    assert found.reader == reader
    assert found.detail == (f"{error.code}. {error.description}" if reader == DEVELOPER else "")
    assert ("below" in found.move) == (bool(reader) and error.status in {400, 405, 500})
    own = f"{found.title} {found.sentence} {found.move}"
    assert [word for word in ("client_id", "redirect_uri", "request_id", "trace_id", "_") if word in own] == []
