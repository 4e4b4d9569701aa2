"""A URL of our pages that was asked in a way that it does not take: a page that says so, and where to begin."""

from grantway.oauth_error import OAuthError
from grantway.web import of_the_app, page
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.side import Side

_OPENED = {
    "title": "Nothing to see at this address",
    "sentence": "This address only takes what a form on our pages sends. Opened by itself it shows nothing.",
}
_SENT = {
    "title": "Nothing to send to this address",
    "sentence": "Something was sent to this address, which takes nothing and only shows a page. It was not looked at.",
}
_BEGIN = "Nothing was changed. Begin here:"


def opened(call: Call, error: OAuthError, endpoint: Endpoint, side: Side) -> Answer:
    """The refusal `error` of a GET, where only forms are taken, as a page. `endpoint`: what the URL is for."""
    if endpoint.diagnosed and call.query_string:
        # no page of ours leads here with a query: an app took this for the page to send people to, and its developer finds why not
        of_the_app.tell_unjudged(call, error)
        return page.refused(call, error, side=side)
    again = "Nothing was allowed. Go back to the app and connect again, or begin here:"
    return page.refused(call, error, side=side, move=again if endpoint.diagnosed else _BEGIN, **_OPENED)


def sent(call: Call, error: OAuthError, endpoint: Endpoint, side: Side) -> Answer:
    """The refusal `error` of a POST, where there is only something to see, as a page."""
    if endpoint.diagnosed:
        # where apps send people, and this one did it with a form: its developer finds what was in it
        call.said = error
        return page.refused(call, error, side=side)
    return page.refused(call, error, side=side, move=_BEGIN, **_SENT)
