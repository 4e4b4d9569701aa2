"""The table of every URL."""

import msgspec
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from grantway.accounts.account import Kind
from grantway.web import (
    account,
    authorize,
    clients,
    connected_app,
    connected_apps,
    consent,
    consent_page,
    developer_access,
    findings,
    health,
    integration,
    introspect,
    openapi,
    people,
    projects,
    sign_in,
    standard,
    token,
)
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.house import House
from grantway.web.nothing_here import NotFoundApp
from grantway.web.path_app import PathApp
from grantway.web.portal import PAGES as PORTAL
from grantway.web.side import side_of

ENDPOINTS: tuple[Endpoint, ...] = (
    *token.ENDPOINTS,
    *consent.ENDPOINTS,
    *sign_in.endpoints(Kind.USER),
    *developer_access.ENDPOINTS,
    *projects.ENDPOINTS,
    *sign_in.endpoints(Kind.DEVELOPER),
    *clients.ENDPOINTS,
    *findings.ENDPOINTS,
    *standard.ENDPOINTS,
    *introspect.ENDPOINTS,
    *health.ENDPOINTS,
)

PAGES: tuple[Endpoint, ...] = (
    *authorize.PAGES,
    *consent_page.PAGES,
    *integration.PAGES,
    *people.PAGES,
    *account.PAGES,
    *connected_apps.PAGES,
    *connected_app.PAGES,
    *PORTAL,
)


class App:
    """The ASGI app over all URLs: those without parameters are looked up, the others matched by Starlette."""

    def __init__(self, house: House) -> None:
        paths = _apps(house)
        # looked up, because Starlette tries its routes one after the other
        self._exact = {path: answers for path, answers in paths.items() if "{" not in path}
        routes = [Route(path, answers) for path, answers in paths.items() if "{" in path]
        # no redirects for slashes: Starlette makes them from the Host header, which anybody may write
        self._router = Router(routes=routes, redirect_slashes=False, default=NotFoundApp(house, paths))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._exact.get(scope["path"], self._router)(scope, receive, send)


def _apps(house: House) -> dict[str, PathApp]:
    text = msgspec.Raw(msgspec.json.encode(openapi.document(ENDPOINTS, house.issuer)))  # once, at start

    async def description(_call: Call) -> Answer:
        return Answer(body=text)

    described = Endpoint(method="GET", path="/openapi.json", handler=description, summary="This document")
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in (*ENDPOINTS, *PAGES, described):
        by_path.setdefault(endpoint.path, []).append(endpoint)
    of_pages = {one.path for one in PAGES}
    return {path: PathApp(house, endpoints, side_of(path) if path in of_pages else None) for path, endpoints in by_path.items()}
