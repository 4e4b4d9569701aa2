"""The pages on which people register, sign in and sign out."""

from typing import Any

import msgspec

from grantway.accounts.session import OpenedFrom
from grantway.oauth_error import INVALID_REQUEST, RATE_LIMITED, RefusedError
from grantway.web import known_browser, on_the_way, page
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.rate_limits import Limited
from grantway.web.side import USERS, Side
from grantway.web.signing_in import confirming, opening, signed_in

REGISTER = "/register"

_NOT_THE_SAME = INVALID_REQUEST.saying("The password and its repetition differ. Type both anew.")


class SignInForm(msgspec.Struct):
    """Who signs in, and where to go on to."""

    csrf: str = ""
    email: str = ""
    password: str = ""
    next: str = ""


class RegisterForm(msgspec.Struct):
    """A new account. `again`: the password once more, for nobody sees what they type, and only the operator can set another one."""

    csrf: str = ""
    name: str = ""
    email: str = ""
    password: str = ""
    again: str = ""
    next: str = ""


class PasswordForm(msgspec.Struct):
    """The old password, and the new one twice."""

    csrf: str = ""
    old: str = ""
    new: str = ""
    again: str = ""


class SignOutForm(msgspec.Struct):
    """Whoever signs out, and where another account goes on to."""

    csrf: str = ""
    next: str = ""


async def sign_in_page(call: Call, side: Side = USERS) -> Answer:
    """The form to sign in; somebody who is signed in goes on at once."""
    goes_on = page.own_path(call.query.get("next"), side)
    if await page.session(call, side):
        return page.go(goes_on)
    changed = call.query.get("changed") == "1"
    return page.show(
        call, "sign_in.html", side=side, next=goes_on, app=await on_the_way.app(call, goes_on), email="", problem="", changed=changed
    )


async def sign_in(call: Call, side: Side = USERS) -> Answer:
    """Open a session. A wrong password and an unknown address look the same, in bytes and in time."""
    form: SignInForm = call.body
    page.check_form(call, form.csrf, side)
    goes_on = page.own_path(form.next, side)
    try:
        made = await signed_in(call, side.kind, form.email, form.password, OpenedFrom.PAGE)
    except RefusedError as error:
        return _again(
            call, side, "sign_in.html", error, next=goes_on, app=await on_the_way.app(call, goes_on), email=form.email, changed=False
        )
    known = await known_browser.remembered(call, side.kind, form.email)
    return page.go(goes_on, page.session_cookie(call, made.token, side), known)


async def register_page(call: Call, side: Side = USERS) -> Answer:
    """The form to register."""
    goes_on = page.own_path(call.query.get("next"), side)
    app = await on_the_way.app(call, goes_on)
    return page.show(call, "register.html", side=side, next=goes_on, app=app, name="", email="", problem="")


async def register(call: Call, side: Side = USERS) -> Answer:
    """Make an account and sign in to it."""
    form: RegisterForm = call.body
    page.check_form(call, form.csrf, side)
    goes_on = page.own_path(form.next, side)
    try:
        _check_same(form.password, form.again)
        await call.house.accounts.register(side.kind, form.name, form.email, form.password, call.now)
        # the password is right: what others tried at this address before there was an account is no reason to refuse
        how = opening(call, OpenedFrom.PAGE)
        made = await call.house.accounts.sign_in(side.kind, form.email, form.password, call.now, how)
    except RefusedError as error:
        return _again(
            call, side, "register.html", error, next=goes_on, app=await on_the_way.app(call, goes_on), name=form.name, email=form.email
        )
    known = await known_browser.remembered(call, side.kind, form.email)
    return page.go(goes_on, page.session_cookie(call, made.token, side), known)


async def password_page(call: Call, side: Side = USERS) -> Answer:
    """The form to change the password."""
    if await page.session(call, side) is None:
        return page.to_sign_in(call, side.password, side)
    return page.show(call, "password.html", side=side, problem="")


async def change_password(call: Call, side: Side = USERS) -> Answer:
    """Set a new password; every session ends, so that somebody who knew the old one is out as well.

    This browser stays known; no other that signed in with the old one does.
    """
    form: PasswordForm = call.body
    session = await page.sender(call, form.csrf, side)
    if session is None:
        return page.to_sign_in(call, side.password, side)
    try:
        _check_same(form.new, form.again)
        async with confirming(call):
            await call.house.accounts.change_password(session.account, form.old, form.new)
    except RefusedError as error:
        return _again(call, side, "password.html", error)
    known = await known_browser.remembered(call, side.kind, session.account.email)
    return page.go(f"{side.sign_in}?changed=1", page.session_cookie(call, "", side), known)


async def sign_out(call: Call, side: Side = USERS) -> Answer:
    """End this browser's session. What was under way can be gone on with by whoever signs in next."""
    form: SignOutForm = call.body
    page.check_form(call, form.csrf, side)
    if found := await page.session(call, side):
        await call.house.accounts.sign_out(found)
    there = page.sign_in_before(page.own_path(form.next, side), side) if form.next else side.sign_in
    return page.go(there, page.session_cookie(call, "", side))


def _check_same(typed: str, again: str) -> None:
    if typed != again:
        raise RefusedError(_NOT_THE_SAME)


def _again(call: Call, side: Side, template: str, error: RefusedError, **values: Any) -> Answer:
    if error.error.code == RATE_LIMITED.code:
        raise error  # as a page of its own, with Retry-After
    return page.show(call, template, side=side, status=error.error.status, problem=error.error.description, **values)


PAGES = (
    Endpoint(method="GET", path=page.PASSWORD, handler=password_page, summary="Change the password", refused=page.refused),
    Endpoint(
        method="POST",
        path=page.PASSWORD,
        handler=change_password,
        summary="Change the password",
        body=PasswordForm,
        form=True,
        limited=Limited.SIGN_IN,
        refused=page.refused,
    ),
    Endpoint(method="GET", path=page.SIGN_IN, handler=sign_in_page, summary="Sign in", refused=page.refused),
    Endpoint(
        method="POST",
        path=page.SIGN_IN,
        handler=sign_in,
        summary="Sign in",
        body=SignInForm,
        form=True,
        refused=page.refused,
    ),
    Endpoint(method="GET", path=REGISTER, handler=register_page, summary="Register", refused=page.refused),
    Endpoint(
        method="POST",
        path=REGISTER,
        handler=register,
        summary="Register",
        body=RegisterForm,
        form=True,
        limited=Limited.REGISTRATION,
        refused=page.refused,
    ),
    Endpoint(method="POST", path="/sign-out", handler=sign_out, summary="Sign out", body=SignOutForm, form=True, refused=page.refused),
)
