"""Registering, signing in and out: the same four URLs for users and for developers (contract, sections 2 and 3)."""

from typing import Annotated

import msgspec

from grantway.accounts.account import Account, Kind
from grantway.accounts.session import OpenedFrom
from grantway.oauth_error import ALREADY_EXISTS, FORBIDDEN, INVALID_REQUEST, RATE_LIMITED, WRONG_CREDENTIALS, RefusedError
from grantway.web import known_browser
from grantway.web.answer import Answer, iso
from grantway.web.call import COOKIE, Call, Endpoint, check_origin
from grantway.web.rate_limits import Limited
from grantway.web.signing_in import confirming, signed_in

BASE = {Kind.USER: "/api/v0/auth", Kind.DEVELOPER: "/api/v0/developer/auth"}


class RegisterBody(msgspec.Struct):
    """A new account; the name as `fullName` or `name`."""

    email: str
    password: str
    full_name: str | None = msgspec.field(name="fullName", default=None)
    name: str | None = None


class SignInBody(msgspec.Struct):
    """Who signs in."""

    email: str
    password: str


class AccountAnswer(msgspec.Struct):
    """An account as its owner sees it."""

    id: str
    email: str
    full_name: str = msgspec.field(name="fullName")
    created_at: str


class SessionAnswer(msgspec.Struct):
    """A session token, to be sent as `Authorization: Bearer`, and when it ends."""

    token: str
    expires_at: str = msgspec.field(name="expiresAt")


class MessageAnswer(msgspec.Struct):
    """That it is done."""

    message: str


class RenameBody(msgspec.Struct):
    """A new name, as `fullName` or `name`."""

    full_name: Annotated[str, msgspec.Meta(min_length=1)] | None = msgspec.field(name="fullName", default=None)
    name: Annotated[str, msgspec.Meta(min_length=1)] | None = None


class PasswordBody(msgspec.Struct):
    """One's own password, once more."""

    password: str


def endpoints(kind: Kind) -> tuple[Endpoint, ...]:
    """The endpoints for one kind of account."""
    return (*_for_anybody(kind), *_for_the_owner(kind))


def _for_anybody(kind: Kind) -> tuple[Endpoint, ...]:
    """Where a session begins: nobody is signed in yet."""

    async def register(call: Call) -> Answer:
        body: RegisterBody = call.body
        name = _name(body.full_name, body.name)
        account = await call.house.accounts.register(kind, name, body.email, body.password, call.now)
        return Answer(201, shown(account))

    async def sign_in(call: Call) -> Answer:
        body: SignInBody = call.body
        if "origin" in call.headers:  # a page elsewhere must not sign its visitor in as somebody else
            check_origin(call)
        session = await signed_in(call, kind, body.email, body.password, OpenedFrom.API)
        cookie = [_cookie(call, session.token)] if kind is Kind.USER else []
        known = await known_browser.remembered(call, kind, body.email)
        return Answer(body=SessionAnswer(session.token, iso(session.expires_at)), headers=[*cookie, known])

    return (
        Endpoint(
            method="POST",
            path=f"{BASE[kind]}/register",
            handler=register,
            summary=f"Register as a {kind}",
            body=RegisterBody,
            answer=AccountAnswer,
            status=201,
            limited=Limited.REGISTRATION,
            errors=(ALREADY_EXISTS,),
        ),
        Endpoint(
            method="POST",
            path=f"{BASE[kind]}/token",
            handler=sign_in,
            summary=f"Sign in as a {kind}",
            body=SignInBody,
            answer=SessionAnswer,
            errors=(WRONG_CREDENTIALS, FORBIDDEN, RATE_LIMITED),
        ),
    )


def _for_the_owner(kind: Kind) -> tuple[Endpoint, ...]:
    """Of one's own account: with a session of it."""
    return (
        Endpoint(
            method="GET",
            path=f"{BASE[kind]}/account",
            handler=account,
            summary="One's own account",
            answer=AccountAnswer,
            signed_in=kind,
        ),
        Endpoint(
            method="PATCH",
            path=f"{BASE[kind]}/account",
            handler=rename,
            summary="Change one's own name",
            body=RenameBody,
            answer=AccountAnswer,
            signed_in=kind,
            limited=Limited.CHANGE,
        ),
        Endpoint(
            method="DELETE",
            path=f"{BASE[kind]}/account",
            handler=leave,
            summary="Delete one's own account; everything that it allowed is revoked first",
            body=PasswordBody,
            answer=MessageAnswer,
            signed_in=kind,
            limited=Limited.SIGN_IN,
            errors=(WRONG_CREDENTIALS,),
        ),
        Endpoint(
            method="POST",
            path=f"{BASE[kind]}/logout",
            handler=sign_out,
            summary="End this session",
            answer=MessageAnswer,
            signed_in=kind,
        ),
    )


async def account(call: Call) -> Answer:
    """One's own account."""
    return Answer(body=shown(call.account))


async def rename(call: Call) -> Answer:
    """Change one's own name."""
    body: RenameBody = call.body
    name = _name(body.full_name, body.name)
    await call.house.accounts.rename(call.account, name)
    answer = shown(call.account)
    answer.full_name = name.strip()
    return Answer(body=answer)


async def sign_out(call: Call) -> Answer:
    """End this session."""
    if call.session is not None:
        await call.house.accounts.sign_out(call.session)
    return Answer(body=MessageAnswer("Signed out"), headers=[_cookie(call, "")])


async def leave(call: Call) -> Answer:
    """Delete one's own account."""
    body: PasswordBody = call.body
    async with confirming(call):
        await call.house.accounts.leave(call.account, body.password, call.now)
    return Answer(body=MessageAnswer("Account deleted; everything that it allowed is revoked"), headers=[_cookie(call, "")])


def shown(account: Account) -> AccountAnswer:
    """An account as its owner sees it."""
    return AccountAnswer(account.id, account.email, account.full_name, iso(account.created_at))


def _name(full_name: str | None, name: str | None) -> str:
    given = full_name if full_name is not None else name
    if given is None:
        raise RefusedError(INVALID_REQUEST.saying("fullName (or name) is missing."))
    return given


def _cookie(call: Call, token: str) -> tuple[bytes, bytes]:
    """The session cookie; without a token, its removal."""
    ends = "" if token else "; Max-Age=0"
    secure = "; Secure" if call.house.is_https else ""
    return b"set-cookie", f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{ends}".encode()
