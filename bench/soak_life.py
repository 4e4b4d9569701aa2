"""What happens at a server day by day, as one stream of flows: people allow, refuse and take back, apps collect, ask, revoke and err."""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt

from bench import flow
from bench.stepping_clock import SteppingClock

AT_ONCE = 64
DAYS_ALLOWED = (1, 7, 30)
PASSWORD = "correct horse battery"
_WRONG = secrets.token_urlsafe(43)


@dataclass(slots=True)
class Person:
    """An account whose session ends now and then: whoever is told so signs in again."""

    base: str
    email: str
    token: str = field(default="", repr=False)
    signing_in: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Life:
    """Everybody at one server. `answers` counts what was answered to what; `broken` are answers that must not be."""

    http: httpx.AsyncClient
    clock: SteppingClock
    people: list[Person]
    developer: Person
    apps: list[flow.App] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    async def begin(self, apps: int) -> None:
        """Everybody registers, the developer the apps too."""
        for person in (*self.people, self.developer):
            await self._send("register", "POST", f"{person.base}/register", {"name": "Soak", "email": person.email, "password": PASSWORD})
            await self._sign_in(person, person.token)
        for _ in range(apps):
            made = await self.call("new app", self.developer, "POST", f"{flow.DEVELOPER}/oauth2/clients", _DRAFT)
            self.apps.append(flow.App(made["client_id"], made["client_secret"]))

    async def go_on(self, rate: float, seconds: float) -> None:
        """Begin `rate` flows a second for so long, fewer when more than `AT_ONCE` would be under way."""
        room, loop = asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop()
        ends, due, tasks = loop.time() + seconds, loop.time(), set[asyncio.Task[None]]()
        while due < ends:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await room.acquire()
            due = max(due + 1 / rate, loop.time())  # what could not begin in time is not made up for
            task = asyncio.create_task(self._one())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            task.add_done_callback(lambda _done: room.release())
        await asyncio.gather(*tasks)

    async def _one(self) -> None:
        (happens,) = random.choices(list(_HAPPENINGS), list(_HAPPENINGS.values()))
        try:
            await happens(self, random.choice(self.people), random.choice(self.apps))
        except _RefusedError:
            pass  # counted; a jump of the clock cuts flows short
        except Exception as error:  # noqa: BLE001 - whatever it was, it is told and fails the run
            self.broken.append(f"{happens.__name__}: {type(error).__name__} {error}")

    async def call(self, what: str, person: Person, method: str, path: str, body: object = None) -> Any:
        """One request of somebody who is signed in, or signs in again."""
        token = person.token
        answer = await self._send(what, method, path, body, token)
        if answer.status_code == 401:
            await self._sign_in(person, token)
            answer = await self._send(what, method, path, body, person.token)
        if not answer.is_success:
            raise _RefusedError
        return answer.json() if answer.content else None

    async def code(self, person: Person, app: flow.App, **consent: Any) -> str:
        """Asked and allowed."""
        request_id = await self.asked(person, app)
        body = {"request_id": request_id, "approved_scopes": flow.SCOPES, "expires_in": 86_400 * random.choice(DAYS_ALLOWED), **consent}
        return str((await self.call("consent", person, "POST", "/api/v0/oauth2/consent", body))["code"])

    async def asked(self, person: Person, app: flow.App) -> str:
        """Asked, and not answered yet."""
        body = {"client_id": app.client_id, "redirect_uri": flow.REDIRECT_URI, "scope": flow.SCOPES}
        return str((await self.call("ask", person, "POST", "/api/v0/oauth2/request", body))["request_id"])

    async def exchange(self, what: str, app: flow.App, code: str, /, **changes: Any) -> httpx.Response:
        """Present a code."""
        body = {"client_id": app.client_id, "client_secret": self.assertion(app), "redirect_uri": flow.REDIRECT_URI, "code": code}
        return await self._send(what, "POST", flow.TOKEN_PATH, {**body, "passphrase": "", **changes})

    async def collected(self, person: Person, app: flow.App) -> str:
        """An access grant."""
        answer = await self.exchange("exchange", app, await self.code(person, app))
        if answer.status_code != 200:
            raise _RefusedError
        return str(answer.json()["access_grant"])

    async def form(self, what: str, path: str, app: flow.App, token: str) -> httpx.Response:
        """Introspect or revoke a token."""
        fields = {"client_id": app.client_id, "client_secret": self.assertion(app), "token": token}
        return self.counted(what, await self.http.post(path, data=fields))

    def assertion(self, app: flow.App, secret: str | None = None, life: int = flow.JWT_LIFE) -> str:
        """A fresh client JWT by the stepping clock."""
        claims = {"client_id": app.client_id, "exp": int(self.clock().timestamp()) + life, "jti": secrets.token_hex(16)}
        return jwt.encode(claims, secret or app.client_secret, algorithm="HS256")

    async def _sign_in(self, person: Person, known: str) -> None:
        async with person.signing_in:
            if person.token == known:  # nobody else did meanwhile
                said = await self._send("sign in", "POST", f"{person.base}/token", {"email": person.email, "password": PASSWORD})
                if said.is_success:
                    person.token = said.json()["token"]

    async def _send(self, what: str, method: str, path: str, body: object = None, token: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.counted(what, await self.http.request(method, path, json=body, headers=headers))

    def counted(self, what: str, answer: httpx.Response) -> httpx.Response:
        """Note an answer, and pass it on."""
        said = "" if answer.is_success or answer.is_redirect else answer.headers.get("content-type", "")
        error = answer.json()["error"] if said == "application/json" else ""
        self.answers[f"{what} {answer.status_code} {error}".strip()] += 1
        if answer.status_code >= 500 and answer.status_code != 503:
            self.broken.append(f"{what}: {answer.status_code}")
        return answer


class _RefusedError(Exception):
    """What the flow needed to go on was refused."""


_DRAFT = {"name": "Soak", "redirect_uris": [flow.REDIRECT_URI]}
_Happening = Callable[[Life, Person, flow.App], Awaitable[object]]


async def collect(life: Life, person: Person, app: flow.App) -> None:
    await life.form("introspect", "/oauth2/introspect", app, await life.collected(person, app))


async def collect_and_give_back(life: Life, person: Person, app: flow.App) -> None:
    await life.form("revoke", "/oauth2/revoke", app, await life.collected(person, app))


async def allow_and_forget(life: Life, person: Person, app: flow.App) -> None:
    await life.code(person, app)


async def ask_and_leave(life: Life, person: Person, app: flow.App) -> None:
    await life.asked(person, app)


async def refuse(life: Life, person: Person, app: flow.App) -> None:
    body = {"request_id": await life.asked(person, app), "approved_scopes": [], "rejected_scopes": flow.SCOPES, "approve": False}
    await life.call("refuse", person, "POST", "/api/v0/oauth2/consent", body)


async def take_all_back(life: Life, person: Person, app: flow.App) -> None:
    await life.collected(person, app)
    await life.call("withdraw", person, "DELETE", f"/api/v0/auth/developer-access/{app.client_id}/revoke")


async def leak(life: Life, person: Person, app: flow.App) -> None:
    code = await life.code(person, app)
    await life.exchange("exchange", app, code)
    await life.exchange("exchange again", app, code)


async def err(life: Life, person: Person, app: flow.App) -> None:
    wrong: list[dict[str, Any]] = [
        {"client_secret": life.assertion(app, _WRONG)},
        {"client_secret": life.assertion(app, life=-60)},
        {"client_secret": app.client_secret},
        {"client_id": f"nobody-{secrets.token_hex(4)}"},
        {"redirect_uri": "https://elsewhere.example/"},
        {"code_verifier": "x" * 43},
        {"code": secrets.token_urlsafe(32)},
        {"passphrase": 7},
    ]
    await life.exchange("err", app, await life.code(person, app), **random.choice(wrong))


async def integrate(life: Life, _person: Person, app: flow.App) -> None:
    query = {"client_id": app.client_id, "redirect_uri": flow.REDIRECT_URI, "scope": "read,write"}
    answer = await life.http.get("/oauth2-integration", params={**query, "client_secret": life.assertion(app)})
    life.counted("integrate", answer)


async def bring_a_passphrase(life: Life, person: Person, app: flow.App) -> None:
    await life.call("look back", person, "GET", f"/api/v0/auth/developer-access/{app.client_id}/history")
    code = await life.code(person, app)
    await life.exchange("with passphrase", app, code, passphrase=secrets.token_hex(8))


async def regenerate(life: Life, _person: Person, app: flow.App) -> None:
    path = f"{flow.DEVELOPER}/oauth2/clients/{app.client_id}/regenerate-secret"
    made = await life.call("regenerate", life.developer, "POST", path, {})
    life.apps[:] = [flow.App(app.client_id, made["client_secret"]) if one.client_id == app.client_id else one for one in life.apps]


_HAPPENINGS: dict[_Happening, float] = {
    collect: 40,
    collect_and_give_back: 8,
    allow_and_forget: 8,
    ask_and_leave: 10,
    refuse: 8,
    take_all_back: 3,
    leak: 5,
    err: 12,
    integrate: 4,
    bring_a_passphrase: 1,
    regenerate: 1,
}
