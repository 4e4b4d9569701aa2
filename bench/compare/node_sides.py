"""oidc-provider as a side: everything in memory, and on PostgreSQL."""

import contextlib
import json
from collections.abc import Callable, Iterator

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
        beside = "id_token" if settings["PEER_OPENID"] else ""
        yield Running(server, JwtClient(app, f"http://127.0.0.1:{port}"), seeded(seed_port), ENDPOINTS, beside=beside)


def _in_memory(signed_with: str) -> Callable[[Place], contextlib.AbstractContextManager[Running]]:
    return lambda place: _running(place, {"PEER_OPENID": signed_with})


def _on_postgres(signed_with: str) -> Callable[[Place], contextlib.AbstractContextManager[Running]]:
    def run(place: Place) -> contextlib.AbstractContextManager[Running]:
        database = place.postgres.url(place.postgres.make_database())
        return _running(place, {"PEER_OPENID": signed_with, "PEER_DATABASE": database, "PEER_PROCESSES": str(place.processes)})

    return run


NAME, SIGNS, PROOF = "oidc-provider", "oidc-provider, id_token", "client_secret_jwt"
SIGNED = "RS256"
"""What it signs with unless told otherwise."""

MEMORY = Side("oidc-provider-memory", NAME, "memory", PROOF, _install, _in_memory(""), (notes.IN_MEMORY, notes.ID_TOKEN))
SIGNED_MEMORY = Side("oidc-provider-signing-memory", SIGNS, "memory", PROOF, _install, _in_memory(SIGNED), MEMORY.notes)
POSTGRES = Side(
    "oidc-provider-postgres", NAME, "PostgreSQL", PROOF, _install_for_postgres, _on_postgres(""), (notes.IN_POSTGRESQL, notes.ID_TOKEN)
)
SIGNED_POSTGRES = Side(
    "oidc-provider-signing-postgres", SIGNS, "PostgreSQL", PROOF, _install_for_postgres, _on_postgres(SIGNED), POSTGRES.notes
)
