"""Signing in, and whatever else takes the password, with its tries counted: the same for pages and JSON, users and developers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grantway.accounts.account import Kind, normal_email
from grantway.accounts.session import NewSession, OpenedFrom, Opening
from grantway.oauth_error import UNAUTHORIZED, WRONG_CREDENTIALS, RefusedError
from grantway.web import known_browser
from grantway.web.browser_name import browser_name
from grantway.web.call import Call
from grantway.web.rate_limits import Limited


async def signed_in(call: Call, kind: Kind, email: str, password: str, opened_from: OpenedFrom) -> NewSession:
    """Open a session; refuses with `rate_limited` besides what the use case refuses.

    Tries by a browser that signed in to the account before are counted by themselves, whatever others at the same address do.
    """
    browser = await known_browser.known_to(call, kind, email)
    # here and not at the endpoint, which does not know yet whether this browser is known
    call.house.rate_limits.count(Limited.SIGN_IN, call.address, "" if browser is None else f"{kind} {normal_email(email)}")
    async with _counted(call, kind, email, browser):
        return await call.house.accounts.sign_in(kind, email, password, call.now, opening(call, opened_from))


@asynccontextmanager
async def confirming(call: Call) -> AsyncIterator[None]:
    """Around work that asks somebody who is signed in for the password once more: wrong ones are counted for this session."""
    session = call.session
    if session is None:
        raise RefusedError(UNAUTHORIZED)
    async with _counted(call, session.account.kind, session.account.email, session.digest.hex()):
        yield


def opening(call: Call, opened_from: OpenedFrom) -> Opening:
    """How this session is being opened, for the person's list."""
    return Opening(opened_from, browser_name(call.headers.get("user-agent", "")))


@asynccontextmanager
async def _counted(call: Call, kind: Kind, email: str, browser: str | None) -> AsyncIterator[None]:
    """What is done within counts as a try from its beginning, and in the end only if the password was wrong."""
    counted = await call.house.sign_in_limits.begin(kind, email, call.address, browser)
    was_wrong = False
    try:
        yield
    except RefusedError as refused:
        was_wrong = refused.error.code == WRONG_CREDENTIALS.code
        raise
    finally:
        if not was_wrong:
            await call.house.sign_in_limits.give_back(counted)
