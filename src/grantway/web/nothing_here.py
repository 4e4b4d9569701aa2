"""Every URL that there is not: a page for whoever follows an old link in a browser, the contract's JSON for everybody else."""

import functools
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from grantway.oauth_error import NOT_FOUND, RefusedError
from grantway.web import afterwards, page, standard, token
from grantway.web.answer import Answer, refusal, respond
from grantway.web.authorize import AUTHORIZE
from grantway.web.call import METHODS, Call, Endpoint
from grantway.web.house import House
from grantway.web.path_app import PathApp
from grantway.web.side import DEVELOPERS, USERS, Side, side_of

_API = "/api/"
_OF_PEOPLE = ("GET", "POST")
"""What a person follows a link with, and what they send a form with that was open too long."""
_WORDS = frozenset(
    {
        "authorize", "callback", "connect", "favicon.ico", "jwks", "jwks.json", "login", "oauth", "openid-configuration", "robots.txt",
        "token", "userinfo", "v1", "v2",
    }
)  # fmt: skip
"""What is looked for at other servers."""
_MOST_SEGMENTS = 8
_NO_REQUESTS = NOT_FOUND.saying(f"No page of this server has this address. Apps that ask for access send people to {AUTHORIZE}.")
_REQUESTS = re.compile(r"/auth(?:ori[sz]e|orization)?/?\Z")
_TOKENS = re.compile(r"/(?:access_?)?tokens?/?\Z")
_NO_TOKENS = NOT_FOUND.saying(f"This is no token endpoint. {standard.TOKEN_PATH} takes forms, and {token.PATH} takes JSON.")
"""Nothing says whose app this was, so that there is no finding: the answer tells the way."""
_NO_PAGE = NOT_FOUND.saying("No page of this server has this address.")


class NotFoundApp:
    """The ASGI app of all these URLs. `paths` are those that there are."""

    def __init__(self, house: House, paths: Iterable[str]) -> None:
        self._house = house
        self._words = _WORDS.union(one for path in paths for one in path.split("/") if "{" not in one)
        self._page = {side.kind: PathApp(house, [_endpoint(side, method) for method in _OF_PEOPLE]) for side in (USERS, DEVELOPERS)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404."""
        path, takes = scope["path"], Headers(scope=scope).get("accept", "")
        if scope["method"] in {"HEAD", *_OF_PEOPLE} and "text/html" in takes and not path.startswith(_API):
            await self._page[side_of(path).kind](scope, receive, send)
        else:
            trace_id = self._house.new_trace_id(self._house.clock())
            await respond(send, refusal(_NO_TOKENS if _TOKENS.search(path) else NOT_FOUND, trace_id), [])
            method = scope["method"] if scope["method"] in METHODS else "other"
            afterwards.note_nothing_here(method, self._readable(path), Headers(scope=scope), trace_id)

    def _readable(self, path: str) -> str:
        """The path with those words alone that are known here. All else may be a secret of whoever mistook the URL, or anything."""
        segments = path.split("/", _MOST_SEGMENTS)[1:]
        return "".join(f"/{one if one in self._words else '*'}" for one in segments)


def _endpoint(side: Side, method: str) -> Endpoint:
    refused = functools.partial(page.refused, side=side)
    return Endpoint(method=method, path=f"{side.prefix}/{{anything}}", handler=_nothing, summary="Nothing", refused=refused)


async def _nothing(call: Call) -> Answer:
    raise RefusedError(_NO_REQUESTS if _REQUESTS.search(call.path) else _NO_PAGE)
