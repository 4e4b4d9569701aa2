"""Photo Box on grantway.connect: the same app in fewer lines, and with a trace id when something is refused."""

from examples.photo_box import pages
from examples.photo_box.settings import CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, SCOPES, TIMEOUT_SECONDS
from flask import redirect, request, session
from werkzeug import Response

from grantway.connect import CallbackError, Client, ConnectError, DeniedError

app = pages.new_app("grantway.connect")
client = Client(ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, timeout=TIMEOUT_SECONDS)


@app.get("/connect")
def connect() -> Response:
    """The Connect button: to Grantway, with what is to be kept in the session."""
    asked = client.ask(SCOPES)
    session["asked"] = asked.keep
    return redirect(asked.url, 303)


@app.get("/callback")
def callback() -> Response:
    """Back from Grantway: the code becomes an access grant."""
    try:
        # popped: what was asked is good for one answer
        access = client.exchange(request.url, session.pop("asked", None))
    except DeniedError:
        return pages.denied()
    except CallbackError:
        return pages.problem(pages.STALE)
    except ConnectError as error:
        return pages.problem(f"Grantway says {error.error}: {error.description}", error.trace_id)
    pages.keep(access.access_grant, access.api_key)
    return redirect("/", 303)
