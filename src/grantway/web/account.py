"""A person's own account: who they are, where they are signed in, and ending that."""

import msgspec

from grantway.accounts.session import OpenedFrom, OpenSession
from grantway.web import page
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.moments import told_apart
from grantway.web.side import USERS, Side

END = "/account/end-session"
END_OTHERS = "/account/end-others"


class EndForm(msgspec.Struct):
    """Which session ends, by its public handle."""

    csrf: str = ""
    session: str = ""


class EndOthersForm(msgspec.Struct):
    """All but this one."""

    csrf: str = ""


async def account(call: Call, side: Side = USERS) -> Answer:
    """Who is signed in, and every session of theirs."""
    session = await page.session(call, side)
    if session is None:
        return page.to_sign_in(call, side.account, side)
    sessions = await call.house.accounts.sessions_of(session.account, call.now)
    called = told_apart([(one.created_at, one.handle) for one in sessions])
    return page.show(
        call,
        "account.html",
        side=side,
        account=session.account,
        sessions=[(one, name_of(one), since, one.digest == session.digest) for one, since in zip(sessions, called, strict=True)],
        ended=call.query.get("ended") == "1",
    )


async def end_session(call: Call, side: Side = USERS) -> Answer:
    """End one session; when the page is there again, its token opens nothing."""
    form: EndForm = call.body
    session = await page.sender(call, form.csrf, side)
    if session is None:
        return page.go(side.sign_in)
    await call.house.accounts.end_session(session.account, form.session, call.now)
    return page.go(f"{side.account}?ended=1")


async def end_others(call: Call, side: Side = USERS) -> Answer:
    """End every session but this one."""
    form: EndOthersForm = call.body
    session = await page.sender(call, form.csrf, side)
    if session is None:
        return page.go(side.sign_in)
    await call.house.accounts.end_other_sessions(session)
    return page.go(f"{side.account}?ended=1")


def name_of(one: OpenSession) -> str:
    """What to call a session: the browser, or that it was no page where it began."""
    browser = one.opened.browser
    if one.opened.opened_from is OpenedFrom.API:
        return f"{browser}, by the API" if browser else "A program, by the API"
    return browser or "A browser"


PAGES = (
    Endpoint(method="GET", path=page.ACCOUNT, handler=account, summary="One's account and sessions", refused=page.refused),
    Endpoint(method="POST", path=END, handler=end_session, summary="End one session", body=EndForm, form=True, refused=page.refused),
    Endpoint(
        method="POST",
        path=END_OTHERS,
        handler=end_others,
        summary="End all other sessions",
        body=EndOthersForm,
        form=True,
        refused=page.refused,
    ),
)
