"""The table of every URL."""

import msgspec
from starlette.routing import Route, Router
from starlette.types import Lifespan

from grantway.accounts.account import Kind
from grantway.web import clients, consent, developer_access, health, openapi, projects, sign_in, token
from grantway.web.call import Answer, Call, Endpoint, NotFoundApp, PathApp
from grantway.web.house import House

# the busiest first: routes are tried in order
ENDPOINTS: tuple[Endpoint, ...] = (
    *token.ENDPOINTS,
    *consent.ENDPOINTS,
    *sign_in.endpoints(Kind.USER),
    *developer_access.ENDPOINTS,
    *projects.ENDPOINTS,
    *sign_in.endpoints(Kind.DEVELOPER),
    *clients.ENDPOINTS,
    *health.ENDPOINTS,
)


def app(house: House, lifespan: Lifespan[Router] | None = None) -> Router:
    """The ASGI app over all URLs."""
    text = msgspec.Raw(msgspec.json.encode(openapi.document(ENDPOINTS, house.issuer)))

    async def description(_call: Call) -> Answer:
        return Answer(body=text)

    described = Endpoint(method="GET", path="/openapi.json", handler=description, summary="This document")
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in (*ENDPOINTS, described):
        by_path.setdefault(endpoint.path, []).append(endpoint)
    routes = [Route(path, PathApp(house, endpoints)) for path, endpoints in by_path.items()]
    return Router(routes=routes, redirect_slashes=False, default=NotFoundApp(house), lifespan=lifespan)
