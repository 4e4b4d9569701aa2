"""The apps that hold access, what they asked, and taking it back (contract, section 2)."""

from datetime import datetime

import msgspec

from grantway.accounts.account import Kind
from grantway.authorization.access import ClientAccess, IssuedGrant, RequestRecord
from grantway.oauth_error import NOT_FOUND
from grantway.web.answer import Answer, iso, maybe_iso
from grantway.web.call import Call, Endpoint
from grantway.web.sign_in import MessageAnswer

PATH = "/api/v0/auth/developer-access"


class AccessAnswer(msgspec.Struct):
    """One app that has, or had, access. `total_requests` counts the access grants that it collected and that have not ended."""

    developer_id: str
    developer_name: str
    developer_email: str
    client_id: str
    application_name: str
    application_description: str
    approved_scopes: tuple[str, ...]
    rejected_scopes: tuple[str, ...]
    access_granted_date: str
    last_access_date: str | None
    consent_expires_at: str
    is_active: bool
    total_requests: int


class HistoryAnswer(msgspec.Struct):
    """One thing that an app asked. `status`: pending, expired, approved, rejected or revoked."""

    request_id: str
    client_id: str
    application_name: str
    scopes: tuple[str, ...]
    status: str
    created_at: str


class GrantAnswer(msgspec.Struct):
    """One access grant that the app collected. `id` is the trace id of its exchange; `revoked_at` is null while it was not revoked."""

    id: str
    scopes: tuple[str, ...]
    issued_at: str
    expires_at: str
    revoked_at: str | None
    is_active: bool


async def list_all(call: Call) -> Answer:
    """Every app that has, or had, access."""
    return Answer(body=[_access(one) for one in await call.house.given_access.access_of(call.account, call.now)])


async def history(call: Call) -> Answer:
    """What one app asked, the latest first."""
    records = await call.house.given_access.history(call.account, call.parameters["client_id"], call.now)
    return Answer(body=[_record(one) for one in records])


async def grants(call: Call) -> Answer:
    """The access grants that one app collected, the latest first."""
    found = await call.house.given_access.grants_of(call.account, call.parameters["client_id"], call.now)
    return Answer(body=[_grant(one, call.now) for one in found])


async def revoke_grant(call: Call) -> Answer:
    """Take back one access grant; the answer comes when it is dead with every key made from it."""
    await call.house.given_access.revoke_grant(call.account, call.parameters["client_id"], call.parameters["grant_id"], call.now)
    return Answer(body=MessageAnswer("Access grant revoked"))


async def revoke(call: Call) -> Answer:
    """Take back all that one app was allowed; the answer comes when every key under it is dead."""
    await call.house.given_access.withdraw(call.account, call.parameters["client_id"], call.now)
    return Answer(body=MessageAnswer("Developer access revoked successfully"))  # the contract's words


def _access(one: ClientAccess) -> AccessAnswer:
    return AccessAnswer(
        developer_id=one.client.developer_id,
        developer_name=one.developer_name,
        developer_email=one.developer_email,
        client_id=one.client.client_id,
        application_name=one.client.name,
        application_description=one.client.description,
        approved_scopes=one.approved_scopes,
        rejected_scopes=one.rejected_scopes,
        access_granted_date=iso(one.granted_at),
        last_access_date=maybe_iso(one.last_access_at),
        consent_expires_at=iso(one.ends_at),
        is_active=one.is_active,
        total_requests=one.grants,
    )


def _grant(one: IssuedGrant, now: datetime) -> GrantAnswer:
    return GrantAnswer(one.id, one.scopes, iso(one.issued_at), iso(one.ends_at), maybe_iso(one.revoked_at), one.is_alive(now))


def _record(one: RequestRecord) -> HistoryAnswer:
    return HistoryAnswer(one.request_id, one.client_id, one.client_name, one.scopes, one.status, iso(one.created_at))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=PATH,
        handler=list_all,
        summary="The apps that have, or had, access",
        answer=list[AccessAnswer],
        signed_in=Kind.USER,
    ),
    Endpoint(
        method="GET",
        path=f"{PATH}/{{client_id}}/history",
        handler=history,
        summary="What one app asked",
        answer=list[HistoryAnswer],
        signed_in=Kind.USER,
        errors=(NOT_FOUND,),
    ),
    Endpoint(
        method="GET",
        path=f"{PATH}/{{client_id}}/grants",
        handler=grants,
        summary="The access grants that one app collected",
        answer=list[GrantAnswer],
        signed_in=Kind.USER,
        errors=(NOT_FOUND,),
    ),
    Endpoint(
        method="DELETE",
        path=f"{PATH}/{{client_id}}/grants/{{grant_id}}",
        handler=revoke_grant,
        summary="Revoke one access grant: it is dead then, with every key made from it",
        answer=MessageAnswer,
        signed_in=Kind.USER,
        errors=(NOT_FOUND,),
    ),
    Endpoint(
        method="DELETE",
        path=f"{PATH}/{{client_id}}/revoke",
        handler=revoke,
        summary="Revoke all access of one app: every API key that was issued under it is dead then",
        answer=MessageAnswer,
        signed_in=Kind.USER,
        errors=(NOT_FOUND,),
    ),
)
