"""What both variants of Photo Box share: the pages, the session cookie, and what is held for whom."""

import secrets
from collections import OrderedDict
from datetime import UTC, datetime
from urllib.parse import urlsplit

from examples.photo_box import words
from examples.photo_box.settings import ISSUER, REDIRECT_URI
from examples.photo_box.words import Held
from flask import Flask, Response, make_response, render_template, session

MOST_HELD = 1000
STALE = "What came back does not answer what this browser asked. It may be from an old tab."
AWAY = "Grantway does not answer. Try again in a moment."
_held: OrderedDict[str, Held] = OrderedDict()
"""By a random id that the session cookie has. In memory: a real app keeps an access grant like a password, and encrypted."""


def new_app(built_on: str) -> Flask:
    """The app without its OAuth routes. Its cookie is signed, not secret: no credential goes into it."""
    app = Flask("examples.photo_box")
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),
        SESSION_COOKIE_NAME="photo_box",  # a name of its own: all ports of localhost share their cookies
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=urlsplit(REDIRECT_URI).scheme == "https",
        TRUSTED_HOSTS=[urlsplit(REDIRECT_URI).hostname],
    )
    app.jinja_env.globals.update(built_on=built_on, take_back=f"{ISSUER}/connected-apps")
    app.add_url_rule("/", view_func=home, methods=["GET"])
    app.after_request(_safe)
    return app


def home() -> str:
    """Either the Connect button, or what was given."""
    held = _held.get(str(session.get("held")))
    if held is None:
        return render_template("home.html")
    return render_template("connected.html", held=held, remaining=held.remaining(datetime.now(UTC)))


def keep(access_grant: str | None, api_key: str) -> None:
    """Hold it for this browser, under a fresh id: a session that somebody else began must not come to hold anything."""
    session.clear()
    session["held"] = secrets.token_urlsafe(16)
    _held[session["held"]] = words.read(access_grant, api_key)
    while len(_held) > MOST_HELD:
        _held.popitem(last=False)


def denied() -> Response:
    """The person said no."""
    return make_response(render_template("denied.html"))


def problem(what: str, trace_id: str | None = None) -> Response:
    """Something else went wrong."""
    return make_response(render_template("problem.html", what=what, trace_id=trace_id), 400)


def _safe(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
    answer.headers["Referrer-Policy"] = "no-referrer"  # a callback's URL has a code in it
    answer.headers["X-Content-Type-Options"] = "nosniff"
    if answer.mimetype == "text/html":
        answer.headers["Cache-Control"] = "no-store"
    return answer
