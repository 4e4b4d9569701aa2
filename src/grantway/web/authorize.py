"""`/oauth2/authorize`: an app sends a person here, the person decides, and goes back (RFC 6749 section 4.1, 7636, 9207, 9700)."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import msgspec

from grantway.accounts.session import Session
from grantway.authorization.consent import Decision
from grantway.authorization.request import Askable, Asked, NotAskable
from grantway.authorization.use_cases import AskedAnswer
from grantway.clients import redirect_uri
from grantway.oauth_error import (
    CLIENT_INACTIVE,
    FORBIDDEN,
    INVALID_CLIENT_ID,
    INVALID_REDIRECT_URI,
    INVALID_REQUEST,
    INVALID_REQUEST_ID,
    REQUEST_EXPIRED,
    REQUEST_NOT_PENDING,
    OAuthError,
    RefusedError,
)
from grantway.scopes.meaning import meaning_of
from grantway.scopes.scope import ActionScope, Place, parse
from grantway.scopes.wording import CONSEQUENCE, SENTENCE, place_in_words
from grantway.web import page
from grantway.web.allowed_words import each_in_words
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.rate_limits import Limited

AUTHORIZE = "/oauth2/authorize"
CONSENT = "/oauth2/consent"
LIFETIMES = {
    "hour": (timedelta(hours=1), "for an hour"),
    "day": (timedelta(days=1), "for a day"),
    "month": (timedelta(days=30), "for 30 days"),
    "year": (timedelta(days=365), "for a year"),
}

NEVER_BACK = frozenset({INVALID_CLIENT_ID.code, CLIENT_INACTIVE.code, INVALID_REDIRECT_URI.code})
"""What is told on a page of ours: nobody knows yet that the redirect URI is the app's."""
_UNSUPPORTED = OAuthError(400, "unsupported_response_type", "response_type must be code.")
_NO_CHALLENGE = INVALID_REQUEST.saying("code_challenge is missing: PKCE with S256 is required (RFC 7636).")
_NO_PLACE = INVALID_REQUEST.saying("The bucket that was typed cannot be one; write a bucket's name, or name/prefix.")


class ConsentForm(msgspec.Struct):
    """What the person decided. `narrower`: one bucket or bucket/prefix instead of the places that the app asked for."""

    csrf: str = ""
    request_id: str = ""
    decision: str = ""
    scope: list[str] = []
    project_id: str | None = None
    narrower: str = ""
    lifetime: str = "month"
    passphrase: str = ""


async def authorize(call: Call) -> Answer:
    """Examine what the app asks; then ask the person, who signs in first. What may not go back to the app ends in a page here."""
    asked = await _asked(call)
    decision = await call.house.authorization.examine(asked)
    call.trail = decision.trail
    if isinstance(decision, NotAskable):
        call.said, call.translated = decision.error, translated(asked, response_type=call.query.get("response_type"))
    if isinstance(decision, NotAskable) and decision.error.code in NEVER_BACK:
        raise RefusedError(decision.error, decision.trail)
    # from here on the redirect URI is one that the client has registered
    fault = _fault(call, asked, decision)
    if fault is not None:
        call.said, call.translated = fault, translated(asked, response_type=call.query.get("response_type"))
        return back(call, asked, fault)
    session = await page.session(call)
    if session is None:
        return page.to_sign_in(call, AUTHORIZE)
    made = await call.house.authorization.ask(session.account, asked, call.now, session.digest)
    return await consent_page(call, session, made)


async def decide(call: Call) -> Answer:
    """Take the decision and send the person back to the app."""
    form: ConsentForm = call.body
    session = await page.session(call)
    if session is None:
        raise RefusedError(_signed_out())
    page.check_form(call, form.csrf)
    decision = Decision(
        request_id=form.request_id,
        approved=_approved(form),
        rejected=(),
        approve=form.decision == "allow",
        project_id=form.project_id,
        lifetime=LIFETIMES.get(form.lifetime, LIFETIMES["month"])[0],
        session_digest=session.digest,
        passphrase=form.passphrase or None,
    )
    decided = await call.house.authorization.decide(session.account, decision, call.now)
    return page.go_to_app(call, await call.house.integration.finish(decided, call.now, call.trace_id))


async def _asked(call: Call) -> Asked:
    """The app's parameters; a client with one registered redirect URI may leave it out (RFC 6749 section 3.1.2.3)."""
    query = {name: value for name, value in call.query.items() if value}
    client_id, uri = query.get("client_id", ""), query.get("redirect_uri", "")
    if not uri and (client := await call.house.authorization.client(client_id)) and len(client.redirect_uris) == 1:
        uri = client.redirect_uris[0]
    return Asked(
        client_id=client_id,
        redirect_uri=uri,
        scopes=query.get("scope", "").split(),
        state=query.get("state"),
        code_challenge=query.get("code_challenge"),
        code_challenge_method=query.get("code_challenge_method"),
    )


def translated(asked: Asked, **more: str | None) -> bytes:
    """The request as the JSON API would have it, and what `more` a page is asked with."""
    fields = {
        **more,
        "client_id": asked.client_id,
        "redirect_uri": asked.redirect_uri,
        "scope": asked.scopes,
        "state": asked.state,
        "code_challenge": asked.code_challenge,
        "code_challenge_method": asked.code_challenge_method,
    }
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not None})


def _fault(call: Call, asked: Asked, decision: Askable | NotAskable) -> OAuthError | None:
    if call.query.get("response_type") != "code":
        return _UNSUPPORTED
    if isinstance(decision, NotAskable):
        return decision.error
    if asked.code_challenge is None:
        return _NO_CHALLENGE if decision.client.require_pkce else None
    if asked.code_challenge_method is None:
        # without a method RFC 7636 means `plain`, which we do not do
        return INVALID_REQUEST.saying("code_challenge_method must be S256.")
    return None


def back(call: Call, asked: Asked, error: OAuthError) -> Answer:
    """Back to the app with an error (RFC 6749 section 4.1.2.1); only to a redirect URI that it has registered."""
    state = {} if asked.state is None else {"state": asked.state}
    said = {"error": error.code, "error_description": error.description, **state, "iss": call.house.issuer, "trace_id": call.trace_id}
    return page.go(redirect_uri.with_parameters(asked.redirect_uri, urlencode(said)))


async def consent_page(call: Call, session: Session, made: AskedAnswer) -> Answer:
    """The page on which the person decides."""
    client = made.request.client
    meaning = meaning_of(made.request.scopes)
    required = meaning_of(made.required_scopes)
    return page.show(
        call,
        "consent.html",
        sends_to=made.request.redirect_uri,
        client=client,
        developer=await call.house.authorization.developer_name(client),
        host=page.host_of(made.request.redirect_uri),
        account=session.account,
        request_id=made.request.id,
        at_once=call.house.integration.gives_at_once(made.request),
        actions=[(one.value, SENTENCE[one], CONSEQUENCE[one], one in required.actions) for one in ActionScope if one in meaning.actions],
        places=[(str(place), place_in_words(place), place in required.places) for place in meaning.places],
        held=each_in_words(made.held),
        projects=await call.house.projects.of(session.account),
        lifetimes=[(name, words) for name, (_, words) in LIFETIMES.items()],
    )


def _approved(form: ConsentForm) -> list[str]:
    """The ticked scopes; a typed place takes the place of all ticked ones."""
    typed = form.narrower.strip()
    if not typed:
        return form.scope
    bucket, _, prefix = typed.partition("/")
    place = str(Place(bucket.encode(), prefix.rstrip("/").encode()))
    try:
        parse(place)
        return [*(text for text in form.scope if not isinstance(parse(text), Place)), place]
    except ValueError:
        raise RefusedError(_NO_PLACE) from None


_ANEW = "Go back to the app and connect again. Nothing was allowed."
_NOT_DECIDED = {
    REQUEST_EXPIRED.code: ("This page waited too long", _ANEW),
    INVALID_REQUEST_ID.code: ("This page waited too long", _ANEW),
    REQUEST_NOT_PENDING.code: (
        "You answered this before",
        "What you decided first counts. If the app does not go on, connect again there; what it may do is under your connected apps.",
    ),
    FORBIDDEN.code: ("This did not work", _ANEW),
    CLIENT_INACTIVE.code: ("This app is disabled", "Nothing was allowed, and you need do nothing. The app's developer can say why."),
    INVALID_REDIRECT_URI.code: ("The way back to the app was closed", _ANEW),
}
"""By error, what the page is called and what the person can do."""


def _not_decided(call: Call, error: OAuthError) -> Answer:
    title, move = _NOT_DECIDED.get(error.code, ("", ""))
    otherwise = "Go back and change your choice, or begin again in the app. Nothing was allowed."
    return page.refused(call, error, otherwise, title=title, move=move)


def _signed_out() -> OAuthError:
    return replace(INVALID_REQUEST, status=403, description="You are signed out. Go back to the app and begin again; nothing was allowed.")


PAGES = (
    Endpoint(
        method="GET",
        path=AUTHORIZE,
        handler=authorize,
        summary="Ask a person for access",
        limited=Limited.TOKEN_REQUEST,
        diagnosed="request",
        refused=page.refused,
    ),
    Endpoint(
        method="POST", path=CONSENT, handler=decide, summary="Take the person's decision", body=ConsentForm, form=True, refused=_not_decided
    ),
)
