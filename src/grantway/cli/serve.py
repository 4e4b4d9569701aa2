"""`grantway serve`: the server."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from grantway import __version__, app
from grantway.app import Grantway
from grantway.cli.console import DataOption, fail
from grantway.config import Config, load
from grantway.storage.sqlite import FILE_NAME

TIDY_SECONDS = 600


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.", show_default="10002")] = None,
    data: DataOption = None,
) -> None:
    """Run the server until it is told to stop (Ctrl-C or SIGTERM); what it has begun to answer it answers.

    Every setting is an environment variable too: see `grantway config`.
    """
    config, _ = load(os.environ, host=host, port=port, data=data)
    logging.basicConfig(level=config.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(config))


async def _serve(config: Config) -> None:
    listening = listen(config)
    async with app.opened(config) as grantway:
        for line in _said_at_start(grantway, listening):
            print(line, flush=True)
        async with tidied(grantway):
            await http_server(grantway, config).serve([listening])


def listen(config: Config) -> socket.socket:
    """The listening socket; ends with a clear message when the address cannot be had."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((config.host, config.port))
    except OSError as error:
        fail(f"cannot listen on {config.host}:{config.port}: {error.strerror or error}", 3)
    return listening


def http_server(grantway: Grantway, config: Config) -> uvicorn.Server:
    """The HTTP server around a wired Grantway. Forwarded headers count only from the configured proxies."""
    return uvicorn.Server(
        uvicorn.Config(
            grantway.asgi(),
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=bool(config.trusted_proxies),
            forwarded_allow_ips=config.trusted_proxies or None,
            timeout_graceful_shutdown=config.shutdown_seconds,
            backlog=2048,
        )
    )


@contextlib.asynccontextmanager
async def tidied(grantway: Grantway) -> AsyncIterator[None]:
    """While this is open, what has ended is removed now and every ten minutes."""

    async def keep_tidy() -> None:
        while True:
            await grantway.tidy(app.utc_now())
            await asyncio.sleep(TIDY_SECONDS)

    task = asyncio.create_task(keep_tidy())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _said_at_start(grantway: Grantway, listening: socket.socket) -> list[str]:
    config = grantway.config
    host, port = listening.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    made = "made now" if grantway.is_first_start else "found"
    key = "made now: keep a copy, without it nothing that is sealed opens" if grantway.master_key.is_new else "found"
    where = grantway.master_key.came_from
    return [
        f"Grantway {__version__} at {url} as {config.issuer_url} (OpenAPI: /openapi.json, health: /health/ready)",
        f"database    {Path(config.data) / FILE_NAME} (schema {grantway.schema}, {made})",
        f"master key  {where} ({key})",
        f"satellite   {grantway.satellite.address} (embedded)",
        f"Argon2      {config.argon2_threads} at once, 64 MiB each. Stop with Ctrl-C.",
    ]
