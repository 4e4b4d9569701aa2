"""The Python peers as sides, both under gunicorn on PostgreSQL: Authlib on Flask with SQLAlchemy, and django-oauth-toolkit."""

import contextlib
from collections.abc import Iterator

from bench import flow, servers
from bench.compare import install, notes
from bench.compare.install import Tools
from bench.compare.side import BasicClient, JwtClient, Place, Running, Side, gunicorn, new_app, seeded

# For each core; the footnote says how it was found.
WORKERS, THREADS = 1, 16


def _about(tools: Tools, name: str, *packages: str) -> str:
    programs = install.venv(name, tools.python)
    python = install.run(name, [programs / "python", "--version"]).split()[-1]
    versions = install.run(name, [programs / "python", "-m", "pip", "list", "--disable-pip-version-check", "--format=freeze"])
    found = dict(line.split("==") for line in versions.splitlines() if "==" in line)
    listed = {key.lower(): value for key, value in found.items()}
    return ", ".join(f"{package} {listed[package]}" for package in packages) + f" on Python {python}"


def _install_authlib(tools: Tools) -> str:
    return _about(tools, "authlib", "authlib", "flask", "sqlalchemy", "psycopg", "gunicorn")


def _install_django(tools: Tools) -> str:
    return _about(tools, "django", "django-oauth-toolkit", "django", "psycopg", "gunicorn")


def _environment(place: Place, name: str, **settings: str) -> dict[str, str]:
    return {"PEER_PROGRAMS": str(install.venv(name, place.tools.python)), "PEER_REDIRECT_URI": flow.REDIRECT_URI, **settings}


@contextlib.contextmanager
def _authlib(place: Place) -> Iterator[Running]:
    app, port = new_app(), servers.free_port()
    issuer = f"http://127.0.0.1:{port}"
    database = place.postgres.url(place.postgres.make_database()).replace("postgresql:", "postgresql+psycopg:")
    env = _environment(place, "authlib", PEER_DATABASE=database, PEER_ISSUER=issuer)
    env |= {"PEER_CLIENT_ID": app.client_id, "PEER_CLIENT_SECRET": app.client_secret}
    programs = install.venv("authlib", place.tools.python)
    install.run("Authlib", [programs / "python", "app.py"], cwd=install.PEERS / "authlib", env=servers.environment(**env))
    with gunicorn(place, "authlib", "app:app", env, port, WORKERS * place.processes, THREADS) as server:
        yield Running(server, JwtClient(app, issuer), seeded(port))


@contextlib.contextmanager
def _django(place: Place) -> Iterator[Running]:
    app, port = new_app(), servers.free_port()
    database = {"PEER_DATABASE_PORT": str(place.postgres.port), "PEER_DATABASE_NAME": place.postgres.make_database()}
    env = _environment(place, "django", **database)
    env |= {"PEER_CLIENT_ID": app.client_id, "PEER_CLIENT_SECRET": app.client_secret}
    programs = install.venv("django", place.tools.python)
    install.run("Django", [programs / "python", "peer.py"], cwd=install.PEERS / "django", env=servers.environment(**env))
    with gunicorn(place, "django", "peer:app", env, port, WORKERS * place.processes, THREADS) as server:
        yield Running(server, BasicClient(app), seeded(port))


AUTHLIB = Side("authlib", "Authlib", "PostgreSQL", "client_secret_jwt", _install_authlib, _authlib, (notes.AUTHLIB, notes.GUNICORN))
DJANGO = Side(
    "django-oauth-toolkit",
    "django-oauth-toolkit",
    "PostgreSQL",
    "client_secret_basic",
    _install_django,
    _django,
    (notes.DJANGO, notes.GUNICORN),
)
