"""Every URL that there is not: a page for whoever follows an old link in a browser, the contract's JSON for everybody else."""

import functools

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from grantway.oauth_error import NOT_FOUND, RefusedError
from grantway.web import afterwards, page
from grantway.web.answer import Answer, refusal, respond
from grantway.web.call import Call, Endpoint
from grantway.web.house import House
from grantway.web.path_app import PathApp
from grantway.web.side import DEVELOPERS, USERS, Side, side_of

_API = "/api/"
_OF_PEOPLE = ("GET", "POST")
"""What a person follows a link with, and what they send a form with that was open too long."""
_NO_PAGE = NOT_FOUND.saying("No page of this server has this address.")


class NotFoundApp:
    """The ASGI app of all these URLs."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._page = {side.kind: PathApp(house, [_endpoint(side, method) for method in _OF_PEOPLE]) for side in (USERS, DEVELOPERS)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404."""
        path, takes = scope["path"], Headers(scope=scope).get("accept", "")
        if scope["method"] in {"HEAD", *_OF_PEOPLE} and "text/html" in takes and not path.startswith(_API):
            await self._page[side_of(path).kind](scope, receive, send)
        else:
            trace_id = self._house.new_trace_id(self._house.clock())
            await respond(send, refusal(NOT_FOUND, trace_id), [])
            afterwards.note_nothing_here(Headers(scope=scope), trace_id)


def _endpoint(side: Side, method: str) -> Endpoint:
    refused = functools.partial(page.refused, side=side)
    return Endpoint(method=method, path=f"{side.prefix}/{{anything}}", handler=_nothing, summary="Nothing", refused=refused)


async def _nothing(_call: Call) -> Answer:
    raise RefusedError(_NO_PAGE)
