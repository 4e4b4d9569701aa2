"""What a person reads of a refusal: what happened, in their words, and whose move it is. What others need of it stands apart, below."""

from typing import NamedTuple

from grantway.oauth_error import (
    CLIENT_INACTIVE,
    INVALID_CLIENT_ID,
    INVALID_REDIRECT_URI,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    RATE_LIMITED,
    SERVER_ERROR,
    TEMPORARILY_UNAVAILABLE,
    OAuthError,
)

_OURS = 500
"""The least status that says that the fault is this server's."""
_APP = "the app's developer"
_OPERATOR = "the operator of this server"
_TITLE = {404: "There is nothing here", 429: "Too many tries", 500: "Something broke here", 503: "Busy right now"}
_MOVE = {
    403: "Nothing was changed.",
    404: "Check the address, or begin here:",
    429: "Nothing was changed.",
    500: "Try again in a moment. If it stays so, send the operator of this server what stands below.",
    503: "Try again in a moment. Nothing was changed.",
}
_YOUR_MOVE = "Go back, correct it and try again. Nothing was changed."
_THE_APPS_MOVE = "Nothing was allowed, and you need do nothing. Whoever runs the app can put it right: send them what stands below."
_SENTENCE = {
    SERVER_ERROR: "Something failed in this server. It is not your fault.",
    TEMPORARILY_UNAVAILABLE: "This server has too much to do, or a part of it is away.",
    RATE_LIMITED: "That was too much in a short time. Wait a little, then try again.",
}
_OF_THE_APP = {
    INVALID_CLIENT_ID.code: "This server does not know the app that sent you here.",
    CLIENT_INACTIVE.code: "The app that sent you here is disabled.",
    INVALID_REDIRECT_URI.code: "The app wants you sent on to an address that it has not registered here.",
    INVALID_REQUEST.code: "The app sent you here with a link that cannot be read.",
    METHOD_NOT_ALLOWED.code: "The app sent you here in a way that does not work.",
}


class RefusalWords(NamedTuple):
    """A refusal for people. `reader`: for whom else something stands below, and `detail`: what, besides the trace id; both may be empty."""

    title: str
    sentence: str
    move: str
    reader: str
    detail: str


def words(error: OAuthError, told: OAuthError | None) -> RefusalWords:
    """The words for `error`; `told`: as the app's developer finds it, where it is the app's affair."""
    is_of_app = told is not None and error.status < _OURS
    known = _OF_THE_APP.get(error.code) if is_of_app else None
    general = next((text for one, text in _SENTENCE.items() if (one.code, one.description) == (error.code, error.description)), None)
    return RefusalWords(
        title=_TITLE.get(error.status, "This did not work"),
        sentence=known or general or error.description,
        move=_MOVE.get(error.status, _THE_APPS_MOVE if is_of_app else _YOUR_MOVE),
        reader=_APP if is_of_app else _OPERATOR if error.status >= _OURS else "",
        detail=f"{told.code}. {told.description}" if told and is_of_app else "",
    )
