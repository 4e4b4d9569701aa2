"""What the portal's pages have in common: who is signed in, the token in each form, whose app it is, where each page is."""

import functools
import re
from typing import Any
from urllib.parse import quote

import msgspec

from grantway.clients.client import Client
from grantway.web import page
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint, Handler
from grantway.web.side import DEVELOPERS

APPS = DEVELOPERS.home
NEW = f"{APPS}/new"
ONE = f"{APPS}/{{either_id}}"
FINDINGS = f"{DEVELOPERS.prefix}/findings"
CAUSES = f"{DEVELOPERS.prefix}/causes"

_PLAIN_ID = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*")

show = functools.partial(page.show, side=DEVELOPERS)
refused = functools.partial(page.refused, side=DEVELOPERS)


def get(path: str, handler: Handler, summary: str) -> Endpoint:
    """A page for whoever is signed in as a developer."""

    async def answered(call: Call) -> Answer:
        if await page.session(call, DEVELOPERS) is None:
            return page.to_sign_in(call, path.format(**_quoted(call.parameters)), DEVELOPERS)
        return await handler(call)

    return Endpoint(method="GET", path=path, handler=answered, summary=summary, refused=refused)


def post(path: str, handler: Handler, summary: str, body: type[msgspec.Struct], *, changes: bool = True) -> Endpoint:
    """A form of a page; it is handled only with the token of this browser's session, which `body` has as `csrf`.

    One that `changes` something is counted for the account; what ends something is not.
    """

    async def answered(call: Call) -> Answer:
        if await page.sender(call, call.body.csrf, DEVELOPERS) is None:
            return page.go(DEVELOPERS.sign_in)
        # after the token, so that nobody elsewhere uses up what the account may do
        if changes:
            call.house.rate_limits.count_change(call.account.id)
        return await handler(call)

    return Endpoint(method="POST", path=path, handler=answered, summary=summary, body=body, form=True, refused=refused)


async def mine(call: Call) -> Client:
    """The app that the path names; `not_found` also when it is another developer's."""
    return await call.house.clients.one(call.account.id, call.parameters["either_id"])


def path_of(client: Client) -> str:
    """The path of an app's page: by its client_id, or by its row id where the client_id has characters that a path has not."""
    # `new` is the path of the form to create one
    taken_over = client.client_id == "new" or not _PLAIN_ID.fullmatch(client.client_id)
    return f"{APPS}/{client.row_id if taken_over else client.client_id}"


def _quoted(parameters: dict[str, Any]) -> dict[str, str]:
    return {name: quote(value, safe="") for name, value in parameters.items()}
