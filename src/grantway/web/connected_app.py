"""One connected app: what it may do, each access grant that it got, what it asked; and taking one back."""

from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from grantway.authorization.access import ClientAccess, IssuedGrant, RequestRecord
from grantway.web import page
from grantway.web.allowed_words import AllowedWords, each_in_words, in_words
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.moments import told_apart

PATH = f"{page.HOME}/{{client_id}}"
REVOKE_GRANT = "/connected-apps/revoke-grant"
SHOWN = 50
"""How many of its grants and requests are on the page, the latest."""


class RevokeGrantForm(msgspec.Struct):
    """Which access grant of which app dies."""

    csrf: str = ""
    client_id: str = ""
    grant_id: str = ""


class GrantWords(NamedTuple):
    """One access grant as a person reads it; `when` it was handed out is what it is called."""

    grant: IssuedGrant
    when: str
    words: AllowedWords
    is_alive: bool


class RecordWords(NamedTuple):
    """One line of the history as a person reads it; `approved` where less was allowed than asked."""

    record: RequestRecord
    asked: AllowedWords
    approved: AllowedWords | None


async def connected_app(call: Call) -> Answer:
    """Everything about one app that asked this person."""
    client_id = call.parameters["client_id"]
    session = await page.session(call)
    if session is None:
        return page.to_sign_in(call, _path(client_id))
    allowed = call.house.given_access
    records = await allowed.history(session.account, client_id, call.now)
    grants = await allowed.grants_of(session.account, client_id, call.now)
    access = await allowed.access_to(session.account, client_id, call.now)
    called = list(zip(grants, told_apart([(one.issued_at, one.id) for one in grants]), strict=True))
    return page.show(
        call,
        "connected_app.html",
        name=records[0].client_name,  # there is one: for an app that never asked `history` refuses
        client_id=client_id,
        access=access,
        allowed=each_in_words(access.allowed) if access and access.is_active else [],
        grants=[GrantWords(one, when, in_words(one.scopes), one.is_alive(call.now)) for one, when in called[:SHOWN]],
        records=[_record(one) for one in records[:SHOWN]],
        counts=(len(grants), len(records)),
        shown=SHOWN,
        ended=_ended(access, records, call.now) if access and not access.is_active else "",
        now=call.now,
        # only of one that is: a link of somebody else's has nothing untrue said
        revoked=next((when for one, when in called if one.id == call.query.get("revoked") and one.revoked_at), ""),
    )


async def revoke_grant(call: Call) -> Answer:
    """Take back one access grant; when the page is there again, it is dead with every key made from it."""
    form: RevokeGrantForm = call.body
    session = await page.sender(call, form.csrf)
    if session is None:
        return page.go(page.SIGN_IN)
    await call.house.given_access.revoke_grant(session.account, form.client_id, form.grant_id, call.now)
    return page.go(f"{_path(form.client_id)}?revoked={quote(form.grant_id, safe='')}")


def _ended(access: ClientAccess, records: list[RequestRecord], now: datetime) -> datetime | str:
    """When what an app was allowed last has ended, or by what."""
    latest = next((one for one in records if one.ends_at is not None), None)
    if latest is not None and latest.is_uncollected:
        return "at once, because the app did not come for its key"
    if latest is not None and latest.revoked_at is not None:
        return latest.revoked_at
    return access.ends_at if access.ends_at <= now else "with the last of its keys"


def _path(client_id: str) -> str:
    return f"{page.HOME}/{quote(client_id, safe='')}"


def _record(one: RequestRecord) -> RecordWords:
    asked, approved = in_words(one.scopes), in_words(one.approved_scopes) if one.approved_scopes else None
    return RecordWords(one, asked, None if approved == asked else approved)


PAGES = (
    Endpoint(method="GET", path=PATH, handler=connected_app, summary="One connected app", refused=page.refused),
    Endpoint(
        method="POST",
        path=REVOKE_GRANT,
        handler=revoke_grant,
        summary="Revoke one access grant",
        body=RevokeGrantForm,
        form=True,
        refused=page.refused,
    ),
)
