"""Access grants that a person gave: one made, and whether it still opens."""

import secrets
from datetime import timedelta
from typing import Any

from tests.storage.world import World

from grantway.access_grant import AccessGrant, Action, Allowed
from grantway.accounts.account import Account
from grantway.clients.use_cases import NewClient
from grantway.tokens.token_request import Granted

HOUR = timedelta(hours=1)


async def grant(there: World, user: Account, new: NewClient, **changes: Any) -> AccessGrant:
    outcome = await there.exchange(new, await there.code(user, new, ["list"], **changes), trace_id=secrets.token_hex(16))
    assert isinstance(outcome, Granted)
    return AccessGrant.parse(str(outcome.access_grant))


async def opens(there: World, one: AccessGrant) -> bool:
    return isinstance(await there.grantway.satellite.check(one.api_key, Action.LIST, b"photos", b"", there.now), Allowed)
