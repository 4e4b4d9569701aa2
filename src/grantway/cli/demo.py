"""`grantway demo`: the whole story on an empty folder, over real HTTP, told step by step."""

import asyncio
import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from grantway import app
from grantway.access_grant import AccessGrant
from grantway.app import utc_now
from grantway.cli import grant_words, photo_box
from grantway.cli.console import DataOption, fail
from grantway.cli.json_client import JsonClient
from grantway.cli.photo_box import Address, Variant
from grantway.cli.serve import HttpServer, listen, run, url_here
from grantway.clients import assertion
from grantway.config import Config
from grantway.config_sources import load
from grantway.scopes import wording

REDIRECT_URI = "https://myapp.com/callback"
SCOPES = ["read", "list", "bucket:photos;holiday/"]


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story instead of serving on.")] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.", show_default="10002")] = None,
    data: DataOption = None,
    variant: Annotated[
        Variant, typer.Option("--photo-box", help="What Photo Box, the app to click through, is built on.")
    ] = Variant.AUTHLIB,
) -> None:
    """Start a server on an empty folder and walk a StorX-style app through it: from registration to an access grant.

    Then it starts Photo Box, an app to click through in a browser, and goes on serving; Enter prints a fresh request to try with curl.
    Ctrl-C ends it all. Without --data the folder is a temporary one and goes with the demonstration.
    """
    with tempfile.TemporaryDirectory(prefix="grantway-demo-") as folder:
        if data is not None and data.exists() and any(data.iterdir()):
            fail(f"{data} is not empty; the demonstration starts on an empty folder", 2)
        config, _ = load(os.environ, host=host, port=port, data=data or Path(folder))
        run(_demo(config, Variant.NONE if once else variant, once=once))


async def _demo(config: Config, variant: Variant, *, once: bool) -> None:
    listening, config = listen(config)
    async with app.opened(config) as grantway:
        server = HttpServer(grantway)
        serving = asyncio.create_task(server.serve([listening]))
        story = _Story(JsonClient(url_here(config)), secrets.token_urlsafe(12))
        try:
            # in a thread: its requests block, and what answers them runs on this loop
            await asyncio.to_thread(story.tell)
            async with _photo_box(variant, config, story) as address:
                if not once:
                    print(story.in_a_browser(config.issuer_url, address), story.when_refused(config), sep="\n", flush=True)
                    await _serve_on(story, serving)
        finally:
            server.should_exit = True
            await serving


@contextlib.asynccontextmanager
async def _photo_box(variant: Variant, config: Config, story: "_Story") -> AsyncIterator[Address | None]:
    """Photo Box, registered and running; None where it is not wanted or cannot be had, which is said."""
    excuse = None if variant is Variant.NONE else photo_box.why_not(variant)
    if excuse:
        print(f"\n{excuse}", flush=True)
    if excuse or variant is Variant.NONE:
        yield None
        return
    address = photo_box.reserve(config.host, config.port + 1)
    client_id, client_secret = await asyncio.to_thread(story.register_app, "Photo Box", "Shows your photos.", address.redirect_uri)
    settings = {"client_id": client_id, "client_secret": client_secret, "issuer": config.issuer_url, "redirect_uri": address.redirect_uri}
    async with photo_box.running(variant, address, settings):
        yield address


async def _serve_on(story: "_Story", serving: asyncio.Task[None]) -> None:
    """Serve until told to stop; Enter prints a fresh request."""
    fresh = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.stdin.isatty():
        loop.add_reader(sys.stdin, _on_enter, fresh)
        print("\nStill serving. Press Enter for a fresh request to try with curl, Ctrl-C to end.", flush=True)
    else:
        print("\nStill serving. Ctrl-C ends it.", flush=True)
    with contextlib.suppress(asyncio.CancelledError):
        while not serving.done():
            waiting = asyncio.create_task(fresh.wait())
            await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if fresh.is_set():
                fresh.clear()
                await asyncio.to_thread(story.print_fresh_curl)


def _on_enter(fresh: asyncio.Event) -> None:
    if sys.stdin.readline():
        fresh.set()
    else:
        # the end of input can be read for ever
        asyncio.get_running_loop().remove_reader(sys.stdin)


@dataclass(slots=True)
class _Story:
    """The three people of the story: a developer, a user, and the app between them."""

    http: JsonClient
    password: str
    developer: str = ""
    user: str = ""
    client_id: str = ""
    client_secret: str = ""

    def tell(self) -> None:
        """Walk it through, one line a step."""
        steps: list[Callable[[], str]] = [self._register_developer, self._register_user, self._ask, self._exchange]
        print("\nGrantway demonstration\n")
        for number, step in enumerate(steps, 1):
            print(f"{number}. {step()}", flush=True)
        self.print_fresh_curl()

    def _register_developer(self) -> str:
        person = {"name": "Dana Developer", "email": "dana@example.org", "password": self.password}
        self.http.post("/api/v0/developer/auth/register", person)
        self.developer = self.http.post("/api/v0/developer/auth/token", person)["token"]
        self.client_id, self.client_secret = self.register_app("My App", "Prints your photos.", REDIRECT_URI)
        return f"Dana, a developer, registers the app My App.\n   Its client_id is {self.client_id}; its secret is shown to her once."

    def register_app(self, name: str, description: str, redirect_uri: str) -> tuple[str, str]:
        """Register an app of Dana's; its client_id and its secret."""
        app_ = {"name": name, "description": description, "redirect_uris": [redirect_uri]}
        made = self.http.post("/api/v0/developer/auth/oauth2/clients", app_, self.developer)
        return made["client_id"], made["client_secret"]

    def _register_user(self) -> str:
        person = {"fullName": "Uma User", "email": "uma@example.org", "password": self.password}
        self.http.post("/api/v0/auth/register", person)
        self.user = self.http.post("/api/v0/auth/token", person)["token"]
        project = self.http.get("/api/v0/projects", self.user)[0]
        return f"Uma, a user, registers and has a project: “{project['name']}”."

    def _ask(self) -> str:
        asked = self._request()
        words = "\n".join(f"      {sentence}" for sentence in wording.sentences(asked["needed_access"]))
        return f"{asked['client_name']} asks Uma for access: {', '.join(asked['needed_access'])}. In words:\n{words}"

    def _exchange(self) -> str:
        answer = self.http.post("/api/v0/oauth2/token", self._token_request())
        grant = answer["access_grant"]
        allows = "\n".join(f"      {line}" for line in grant_words.describe(AccessGrant.parse(grant)).lines())
        return (
            "Uma allows it. The app exchanges the code, with a JWT signed with its secret in place of the secret,\n"
            f"   and gets an access grant of {len(grant)} characters, good for {round(answer['expires_in'] / 86400)} days:\n{allows}"
        )

    def print_fresh_curl(self) -> None:
        """The request of every StorX integration, with fresh values: it works once, for as long as the code lives."""
        body = self._token_request()
        lines = ",\n".join(f'    "{name}": "{value}"' for name, value in body.items())
        print(
            "\nNow you: this works once, within 30 seconds. Run it twice to see the code refused.\n\n"
            f"curl --location '{self.http.base}/api/v0/oauth2/token' \\\n"
            f"--header 'Content-Type: application/json' \\\n--data '{{\n{lines}\n}}'",
            flush=True,
        )

    def in_a_browser(self, issuer: str, address: Address | None) -> str:
        """Where to click, and as whom. Uma's password was made for this demonstration and goes with it."""
        signing_in = f"uma@example.org with the password {self.password}"
        page = f"{issuer}/connected-apps"
        if address is None:
            return f"\nIn a browser: {page}\nSign in as {signing_in} and revoke it."
        return (
            "\nIn a browser (it takes a minute):\n\n"
            f"   1. Open      {address.url}  (Photo Box, somebody else's app) and connect your storage.\n"
            f"   2. Sign in   as {signing_in}, or register.\n"
            "   3. Allow     it: with a passphrase (any will do) Photo Box gets an access grant, without one only an API key.\n"
            "   4. Read      what Photo Box was given.\n"
            f"   5. Revoke    at {page}"
        )

    def when_refused(self, config: Config) -> str:
        """Where a trace_id of this demonstration leads on."""
        return (
            f"\nRefused? As dana@example.org, with the same password, look the trace_id up at {config.issuer_url}/developer/findings,\n"
            f"or run: {sys.argv[0]} explain TRACE_ID --data {config.data}"
        )

    def _request(self) -> Any:
        asked = {"client_id": self.client_id, "redirect_uri": REDIRECT_URI, "scope": SCOPES}
        return self.http.post("/api/v0/oauth2/request", asked, self.user)

    def _token_request(self) -> dict[str, str]:
        allowed = {"request_id": self._request()["request_id"], "approved_scopes": SCOPES}
        code = self.http.post("/api/v0/oauth2/consent", allowed, self.user)["code"]
        jwt = assertion.for_client(self.client_id, self.client_secret, utc_now(), secrets.token_bytes(16))
        return {"client_id": self.client_id, "client_secret": jwt, "redirect_uri": REDIRECT_URI, "code": code, "passphrase": ""}
