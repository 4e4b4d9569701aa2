"""Registering, signing in and out, sessions and the password, for developers: the users' pages at other places with another cookie."""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

from grantway.web import account, page, people
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.portal.place import refused
from grantway.web.side import DEVELOPERS


async def home(_call: Call) -> Answer:
    """Where a developer arrives who typed only the first part."""
    return page.go(DEVELOPERS.home)


def _for_developers(one: Endpoint) -> Endpoint:
    sided = cast("Callable[..., Awaitable[Answer]]", one.handler)  # a Call is enough for it, but it takes the side too
    handler = functools.partial(sided, side=DEVELOPERS)
    return replace(one, path=DEVELOPERS.prefix + one.path, handler=handler, refused=refused)


PAGES = (
    Endpoint(method="GET", path=DEVELOPERS.prefix, handler=home, summary="To the developer's apps", refused=refused),
    *(_for_developers(one) for one in (*people.PAGES, *account.PAGES)),
)
