"""A URL of our pages that takes only forms, opened by its address: a page that says so, and where to begin."""

from dataclasses import replace

from grantway.oauth_error import OAuthError
from grantway.web import of_the_app, page
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.side import Side

_TITLE = "Nothing to see at this address"
_WORDS = "This address only takes what a form on our pages sends. Opened by itself it shows nothing."


def told(call: Call, error: OAuthError, endpoint: Endpoint, side: Side) -> Answer:
    """The refusal `error` of a GET as a page. `endpoint`: what the URL is for."""
    move = "Nothing was changed. Begin here:"
    if endpoint.diagnosed and call.query_string:
        # no page of ours leads here with a query: an app took this for the page to send people to, and its developer finds why not
        of_the_app.tell_unjudged(call, error)
        move = page.THE_APPS_MOVE
    elif endpoint.diagnosed:
        move = "Nothing was allowed. Go back to the app and connect again, or begin here:"
    return page.refused(call, replace(error, description=_WORDS), title=_TITLE, move=move, side=side)
