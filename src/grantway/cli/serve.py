"""`grantway serve`: the server."""

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

import typer
import uvicorn
import uvloop

from grantway import __version__, app
from grantway.app import Grantway
from grantway.cli import log_lines
from grantway.cli.bounded_http import BoundedHttp
from grantway.cli.console import DatabaseOption, DataOption, fail
from grantway.cli.self_test import told
from grantway.config import Config
from grantway.config_sources import load, unknown
from grantway.oauth_error import UnavailableError

_log = logging.getLogger(__name__)

TIDY_SECONDS = 600
TESTED_AT_START = 1000
"""How many secrets are tested at each start, the newest: some 50 ms."""
BACKLOG = 2048
TAKEN_IN_A_TURN = 16
"""New connections in one turn of the event loop. libuv takes one from each socket that it listens on; under load its turns are long, and
whoever came anew waited for seconds."""
KEPT_SECONDS = 75
"""How long a connection is kept for another request. Most proxies and clients close theirs after 60 s or sooner: who closes second has
no request under way."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.", show_default="10002")] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer.", show_default="1")] = None,
    cache: Annotated[
        str | None, typer.Option(help="URL of a Valkey or Redis for the counts of rate limits; with a password, set GRANTWAY_CACHE.")
    ] = None,
    no_self_test: Annotated[bool, typer.Option("--no-self-test", help="Start without testing stored secrets.")] = False,
) -> None:
    """Run the server until it is told to stop (Ctrl-C or SIGTERM); what it has begun to answer it answers.

    Every setting is an environment variable too: see `grantway config`.
    """
    config, _ = load(os.environ, host=host, port=port, data=data, database=database, workers=workers, cache=cache)
    log_lines.set_up(config.log_level, config.log_format)
    for name in unknown(os.environ):
        _log.warning("%s is no setting, and changes nothing; `grantway config` lists all that there are", name)
    tested = 0 if no_self_test else TESTED_AT_START
    if config.workers == 1:
        run(_serve(config, tested))
    else:
        from grantway.cli.together import serve_together  # noqa: PLC0415 - a single process starts without it

        serve_together(config, tested)


def run(work: Coroutine[None, None, None]) -> None:
    """Run on the quick event loop; Ctrl-C before the server listens for it ends quietly."""
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def _serve(config: Config, tested: int) -> None:
    # first: a port that somebody else has is told before a folder, a key or a database is made
    listening, config = listen(config)
    with listening:
        await _answer(listening, config, tested)


async def _answer(listening: socket.socket, config: Config, tested: int) -> None:
    async with app.opened(config) as grantway:
        for line in said_at_start(grantway):
            print(line, flush=True)
        await try_out(grantway, tested)
        spare_the_collector()
        async with tidied(grantway):
            await HttpServer(grantway).serve([listening])


async def try_out(grantway: Grantway, count: int) -> None:
    """Test the newest secrets, and whether the shared counts are there; what fails is said and stops nothing."""
    if grantway.limits is not None:
        await grantway.limits.try_out()
    tested = await grantway.self_test.run(count, app.utc_now())
    if tested.failures:
        print("\n".join(told(tested)), file=sys.stderr, flush=True)


def spare_the_collector() -> None:
    """What is loaded by now stays for good: the garbage collector need not look at it again, nor look so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def listen(config: Config) -> tuple[socket.socket, Config]:
    """The listening socket, and the settings with the port that it got; ends with a clear message when there is none to be had."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((config.host, config.port))
    except (OSError, TypeError, UnicodeError) as error:  # the latter two are a name that cannot be encoded as a host's
        listening.close()
        host = f"[{config.host}]" if family == socket.AF_INET6 else config.host
        number, why = (error.errno, error.strerror or str(error)) if isinstance(error, OSError) else (None, "this can be no host's name")
        option = "--port" if number in {errno.EADDRINUSE, errno.EACCES} else "--host"
        fail(f"cannot listen on {host}:{config.port}: {why}. Choose another with {option}.", 3)
    listening.listen(BACKLOG)
    return listening, replace(config, port=listening.getsockname()[1])


class HttpServer(uvicorn.Server):
    """The HTTP server around a wired Grantway. Told to stop, it answers what it has begun to answer, and then returns."""

    def __init__(self, grantway: Grantway) -> None:
        config = grantway.config
        super().__init__(
            uvicorn.Config(
                grantway.asgi(),
                http=BoundedHttp,
                ws="none",
                lifespan="off",  # `app.opened` sees to it
                access_log=False,  # `web/afterwards.py` writes one with trace ids
                log_config=None,  # uvicorn's would take the place of ours
                server_header=False,
                # forwarded headers count only from the configured proxies
                proxy_headers=bool(config.trusted_proxies),
                forwarded_allow_ips=config.trusted_proxies or None,
                timeout_keep_alive=KEPT_SECONDS,
                timeout_graceful_shutdown=config.shutdown_seconds,
                backlog=BACKLOG,
            )
        )

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop, listening on each socket several times over."""
        given = sockets or []
        await super().serve(given + [one.dup() for one in given for _ in range(TAKEN_IN_A_TURN - 1)])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl-C and SIGTERM, and leave what is left to do to us: uvicorn's own would end the process by the signal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def tidied(grantway: Grantway) -> AsyncIterator[None]:
    """While this is open, what has ended is removed now and every ten minutes."""

    async def keep_tidy() -> None:
        while True:
            try:
                with contextlib.suppress(UnavailableError):  # the log has it
                    await grantway.tidy(app.utc_now())
            except Exception as error:  # noqa: BLE001 - whatever it was, another time comes
                _log.error("housekeeping failed (%s); it is tried again", type(error).__name__)
            await asyncio.sleep(TIDY_SECONDS)

    task = asyncio.create_task(keep_tidy())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def url_here(config: Config) -> str:
    """Where this machine reaches the server: at the issuer, where that is here, so that there is one name for it."""
    is_here = config.host in {"127.0.0.1", "localhost"} and config.issuer_url == f"http://localhost:{config.port}"
    host = f"[{config.host}]" if ":" in config.host else config.host
    return config.issuer_url if is_here else f"http://{host}:{config.port}"


def said_at_start(grantway: Grantway) -> list[str]:
    """The lines that are printed at start."""
    config, key = grantway.config, grantway.master_key
    known_as = "" if url_here(config) == config.issuer_url else f" as {config.issuer_url}"
    made = "made now" if grantway.is_first_start else "found"
    kept = "made now: keep a copy, without it nothing that is sealed opens" if key.is_new else "found"
    if len(key.current()) > 1:
        kept = f"found, {len(key.current())} keys: a rotation is under way"
    together = f" in {config.workers} workers" if config.workers > 1 else ""
    limits = [f"limits      counted together, in {counted_in}"] if (counted_in := _counted_in(config)) else []
    return [
        f"Grantway {__version__} at {url_here(config)}{known_as} (OpenAPI: /openapi.json, health: /health/ready)",
        f"database    {grantway.database_place} (schema {grantway.schema}, {made})",
        f"master key  {key.came_from} ({kept})",
        f"satellite   {grantway.satellite.address} (embedded)",
        *limits,
        f"Argon2      {config.argon2_threads} at once{together}, 64 MiB each. Stop with Ctrl-C.",
    ]


def _counted_in(config: Config) -> str:
    """Where all processes count together, in words without a password; empty for one that counts alone."""
    if not config.rate_limits:
        return ""
    if config.cache:
        cache = urlsplit(config.cache)
        return f"the cache at {cache.netloc.rpartition('@')[2]}"
    return "the database" if config.database or config.workers > 1 else ""
