"""oidc-provider as a side: everything in memory, and on PostgreSQL."""

import contextlib
import json
from collections.abc import Iterator

from bench import flow, servers
from bench.compare import install, notes
from bench.compare.install import Tools
from bench.compare.side import Endpoints, JwtClient, Place, Running, Side, new_app, seeded

ENDPOINTS = Endpoints(introspection="/token/introspection", revocation="/token/revocation")


def _install(tools: Tools) -> str:
    install.npm_peer(tools)
    return f"oidc-provider {servers.peer_version()} on Node {servers.node_version(str(tools.node))}"


def _install_for_postgres(tools: Tools) -> str:
    about = _install(tools)
    lock = json.loads((servers.PEER / "package-lock.json").read_text())
    return f"{about} with pg {lock['packages']['node_modules/pg']['version']}"


@contextlib.contextmanager
def _running(place: Place, settings: dict[str, str]) -> Iterator[Running]:
    app, port, seed_port = new_app(), servers.free_port(), servers.free_port()
    env = servers.environment(
        NODE_ENV="production",
        PEER_PORT=str(port),
        PEER_SEED_PORT=str(seed_port),
        PEER_CLIENT_ID=app.client_id,
        PEER_CLIENT_SECRET=app.client_secret,
        PEER_REDIRECT_URI=flow.REDIRECT_URI,
        **settings,
    )
    command = [place.tools.node, servers.PEER / "server.mjs"]
    with servers.running(command, port, "/.well-known/openid-configuration", env, place.cores) as server:
        yield Running(server, JwtClient(app, f"http://127.0.0.1:{port}"), seeded(seed_port), ENDPOINTS)


@contextlib.contextmanager
def _in_memory(place: Place) -> Iterator[Running]:
    with _running(place, {}) as running:
        yield running


@contextlib.contextmanager
def _on_postgres(place: Place) -> Iterator[Running]:
    database = place.postgres.url(place.postgres.make_database())
    with _running(place, {"PEER_DATABASE": database, "PEER_PROCESSES": str(place.processes)}) as running:
        yield running


MEMORY = Side("oidc-provider-memory", "oidc-provider", "memory", "client_secret_jwt", _install, _in_memory, (notes.IN_MEMORY,))
POSTGRES = Side(
    "oidc-provider-postgres",
    "oidc-provider",
    "PostgreSQL",
    "client_secret_jwt",
    _install_for_postgres,
    _on_postgres,
    (notes.IN_POSTGRESQL,),
)
