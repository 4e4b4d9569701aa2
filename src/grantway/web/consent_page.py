"""`/oauth2/consent`: the page on which a person decides on an app's request, and the decision, which sends them back to the app."""

from dataclasses import replace
from urllib.parse import quote

import msgspec

from grantway.accounts.session import Session
from grantway.authorization.consent import Decision
from grantway.authorization.request import Asked
from grantway.authorization.use_cases import AskedAnswer
from grantway.oauth_error import (
    CLIENT_INACTIVE,
    FORBIDDEN,
    INVALID_REDIRECT_URI,
    INVALID_REQUEST,
    INVALID_REQUEST_ID,
    INVALID_SCOPE,
    REQUEST_EXPIRED,
    REQUEST_NOT_PENDING,
    OAuthError,
    RefusedError,
)
from grantway.scopes.meaning import meaning_of
from grantway.scopes.scope import ActionScope
from grantway.scopes.wording import CONSEQUENCE, SENTENCE, place_in_words
from grantway.web import choices, of_the_app, page
from grantway.web.allowed_words import each_in_words
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.choices import LIFETIMES, ConsentForm
from grantway.web.side import USERS

CONSENT = "/oauth2/consent"
_LONGEST_PATH = 20_000
"""Of a path as a form has it, encoded once more: beside the places it must leave room for the rest; a longer one is not kept."""
_ALLOW = "allow"
_DENY = "deny"
_NO_KEY = (
    "This allows only part of a bucket, under a prefix. Without your passphrase the app gets nothing, unless it brings the passphrase "
    "itself. Type it here, or press Allow once more to go on without."
)
_NOT_KEPT = "The passphrase that you typed before was not kept. Type it again, or press Allow once more to go on without."


async def ask(call: Call, asked: Asked, path: str) -> Answer:
    """Put an app's request before the person, who signs in first: the page on which they decide. `path`: where the app sent them, so that
    another account can go on from there."""
    session = await page.session(call)
    if session is None:
        return page.to_sign_in(call, path)
    made = await call.house.authorization.ask(session.account, asked, call.now, session.digest)
    goes_on = page.asked_for(call, path)
    return await _page(
        call, session, made, choices.all_of(made.request.scopes, goes_on if len(quote(goes_on, safe="")) <= _LONGEST_PATH else "")
    )


async def decide(call: Call) -> Answer:
    """Take the decision and send the person back to the app. What cannot be allowed shows the page again, with nothing decided."""
    form: ConsentForm = call.body
    session = await page.sender(call, form.csrf)
    if session is None:
        raise RefusedError(_signed_out())
    call.house.rate_limits.count_change(session.account.id)
    try:
        return await _decided(call, session, form)
    except RefusedError as refused:
        raise await of_the_app.refused_decision(call, form.request_id, refused) from None


async def _decided(call: Call, session: Session, form: ConsentForm) -> Answer:
    allowed: list[str] = []
    if form.decision != _DENY:
        made = await call.house.authorization.undecided(session.account, form.request_id, session.digest, call.now)
        problems = _problems(call, form, made)
        # whatever is not Allow shows the page again: so does the button that Enter presses, which decides nothing
        # whoever was warned may go on without: the app can still bring the passphrase to its token request
        if form.decision != _ALLOW or (problems.keys() - {"passphrase"} if choices.is_warned(form, made) else problems):
            return await _page(call, session, made, form, problems)
        allowed = choices.approved(form, made)
    decision = Decision(
        request_id=form.request_id,
        approved=allowed,
        rejected=(),
        approve=form.decision == _ALLOW,
        project_id=form.project_id,
        lifetime=LIFETIMES.get(form.lifetime, LIFETIMES["month"])[0],
        session_digest=session.digest,  # the page can be answered only in the session that opened it
        passphrase=form.passphrase or None,
    )
    decided = await call.house.authorization.decide(session.account, decision, call.now)
    return page.go_to_app(call, await call.house.integration.finish(decided, call.now, call.trace_id))


def _problems(call: Call, form: ConsentForm, made: AskedAnswer) -> dict[str, str]:
    """What is wrong with these choices; where nothing is, a warning beside the passphrase: of a prefix without one, or that it was not
    typed again. It is for what would be allowed, not for a place that is refused, and it is given once."""
    warns = choices.lacks_passphrase(form, made) and not call.house.integration.gives_at_once(made.request)
    is_lost = form.decision == _ALLOW and form.typed and not form.passphrase
    missed = _NO_KEY if warns else _NOT_KEPT if is_lost else ""
    return choices.problems(form, made) or ({"passphrase": missed} if missed else {})


async def _page(call: Call, session: Session, made: AskedAnswer, form: ConsentForm, problems: dict[str, str] | None = None) -> Answer:
    """The page with these choices. `problems` is None when it is shown first. A passphrase never comes back in it."""
    client = made.request.client
    meaning = meaning_of(made.request.scopes)
    required = meaning_of(made.required_scopes)
    return page.show(
        call,
        "consent.html",
        status=400 if problems else 200,
        sends_to=made.request.redirect_uri,
        client=client,
        developer=await call.house.authorization.developer_name(client),
        host=page.host_of(made.request.redirect_uri),
        account=session.account,
        request_id=made.request.id,
        at_once=call.house.integration.gives_at_once(made.request),
        actions=[(one.value, SENTENCE[one], CONSEQUENCE[one], one in required.actions) for one in ActionScope if one in meaning.actions],
        places=[(str(place), place_in_words(place), place in required.places) for place in meaning.places],
        parts=[(one, choices.within(one, made)) for one in choices.parts(form, made)],
        held=each_in_words(made.held),
        projects=await call.house.projects.of(session.account),
        lifetimes=[(name, words) for name, (_, words) in LIFETIMES.items()],
        chosen=msgspec.structs.replace(form, csrf="", passphrase=""),
        problems=problems or {},
        first=next(iter(problems or ()), ""),
        is_again=problems is not None,
        typed_passphrase=bool(form.passphrase or (form.typed and "passphrase" not in (problems or {}))),
        without=choices.without(form, made),
        goes_on=page.own_path(form.next),
    )


_ANEW = "Go back to the app and connect again. Nothing was allowed."
_NOT_DECIDED = {
    REQUEST_EXPIRED.code: {"title": "This page waited too long", "sentence": "The app has to ask again.", "move": _ANEW},
    INVALID_REQUEST_ID.code: {
        "title": "This page waited too long",
        "sentence": "What the app asked for is no longer known here.",
        "move": _ANEW,
    },
    REQUEST_NOT_PENDING.code: {
        "title": "You answered this before",
        "sentence": "What you decided first counts.",
        "move": "If the app does not go on, connect again there; what it may do is under your connected apps.",
    },
    FORBIDDEN.code: {"move": _ANEW},
    CLIENT_INACTIVE.code: {
        "title": "This app is disabled",
        "sentence": "Nothing was allowed, and you need do nothing.",
        "move": "The app's developer can say why.",
    },
    INVALID_REDIRECT_URI.code: {
        "title": "The way back to the app was closed",
        "sentence": "The address to which you would go back is no longer one of the app's.",
        "move": _ANEW,
    },
    INVALID_SCOPE.code: {
        "title": "The app may not ask for this any more",
        "sentence": "Its developer changed what it may ask for while this page was open.",
        "move": _ANEW,
    },
}
"""By error, what a person reads of a decision that could not be taken."""


def _not_decided(call: Call, error: OAuthError) -> Answer:
    # of scopes only what the app lost is the app's; what goes beyond the request comes from no page of ours
    known = _NOT_DECIDED.get(error.code, {}) if call.said or error.code != INVALID_SCOPE.code else {}
    otherwise = (
        {"move": "Go back and change your choice, or begin again in the app. Nothing was allowed."}
        if error.status < FORBIDDEN.status
        else {}
    )
    return page.refused(call, error, side=USERS, **{**otherwise, **known})


def _signed_out() -> OAuthError:
    return replace(INVALID_REQUEST, status=403, description="You are signed out. Go back to the app and begin again; nothing was allowed.")


PAGES = (
    Endpoint(
        method="POST",
        path=CONSENT,
        handler=decide,
        summary="Take the person's decision",
        body=ConsentForm,
        form=True,
        diagnosed="consent",
        refused=_not_decided,
    ),
)
