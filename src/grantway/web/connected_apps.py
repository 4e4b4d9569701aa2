"""What a person has allowed, and taking it back."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from grantway.accounts.account import Account
from grantway.authorization.access import ClientAccess
from grantway.web import page
from grantway.web.allowed_words import AllowedWords, each_in_words
from grantway.web.answer import Answer, PlainText
from grantway.web.call import Call, Endpoint

REVOKE = "/connected-apps/revoke"
STYLE = "/style.css"
SHOWN = 50
"""How many apps are on one page, those first that hold access, and of them who was allowed something last. Each may hold hundreds of
consents."""

_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


class RevokeForm(msgspec.Struct):
    """Which app loses everything."""

    csrf: str = ""
    client_id: str = ""


class App(NamedTuple):
    """One app as a person reads it, and what it may do: for each thing that was allowed, the actions and where."""

    access: ClientAccess
    allowed: list[AllowedWords]


async def connected_apps(call: Call) -> Answer:
    """Every app that holds access, and those that held it, so many on a page."""
    session = await page.session(call)
    if session is None:
        return page.to_sign_in(call, page.HOME)
    asked = call.query.get("page", "")
    number = int(asked) if _NUMBER.fullmatch(asked) else 1
    # one more than is shown tells whether there is a next page
    found = await call.house.given_access.access_of(session.account, call.now, (number - 1) * SHOWN, SHOWN + 1)
    apps = [App(access, each_in_words(access.allowed)) for access in found[:SHOWN]]
    return page.show(
        call,
        "connected_apps.html",
        account=session.account,
        active=[one for one in apps if one.access.is_active],
        ended=[one for one in apps if not one.access.is_active],
        number=number,
        now=call.now,
        has_next=len(found) > SHOWN,
        revoked=await _revoked(call, session.account),
    )


async def revoke(call: Call) -> Answer:
    """Take back all that an app was allowed; when the page is there again, every key below is dead."""
    form: RevokeForm = call.body
    session = await page.sender(call, form.csrf)
    if session is None:
        return page.go(page.SIGN_IN)
    await call.house.given_access.withdraw(session.account, form.client_id, call.now)
    return page.go(f"{page.HOME}?revoked={quote(form.client_id, safe='')}")


async def _revoked(call: Call, account: Account) -> str:
    """The name of the app that was just revoked; empty for one that holds something: a link of somebody else's has nothing untrue said."""
    client_id = call.query.get("revoked", "")
    access = await call.house.given_access.access_to(account, client_id, call.now) if client_id else None
    return access.client.name if access and not access.is_active else ""


async def home(_call: Call) -> Answer:
    """Where somebody arrives who typed only the host."""
    return page.go(page.HOME)


async def style(_call: Call) -> Answer:
    """The one style sheet."""
    return Answer(body=PlainText(_STYLE, b"text/css; charset=utf-8"))


_STYLE = (Path(__file__).parent / "style.css").read_bytes()

PAGES = (
    Endpoint(method="GET", path="/", handler=home, summary="To the connected apps", refused=page.refused),
    Endpoint(method="GET", path=page.HOME, handler=connected_apps, summary="Connected apps", refused=page.refused),
    Endpoint(
        method="POST", path=REVOKE, handler=revoke, summary="Revoke an app's access", body=RevokeForm, form=True, refused=page.refused
    ),
    Endpoint(method="GET", path=STYLE, handler=style, summary="The style sheet"),
)
