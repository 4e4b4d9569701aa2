"""People and apps that go on while an operator works on the same folder: a user, a developer, apps, and exchanges without end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from tests.no_tls import NO_TLS
from tests.stories.process import Process
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Clock, Person, approved

MOST_APPS = 300
_SOMEBODY = {"name": "Somebody", "email": "somebody@example.org", "password": PASSWORD}


@dataclass
class Going:
    """What goes on: who takes part, what was done so far, and what went wrong."""

    user: Person
    developer: Person
    apps: list[App] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def register(self, http: httpx.Client) -> None:
        """One more app; of many, which a developer may not have, it is deleted at once."""
        developer, path = Person(http, self.developer.token, ""), "/api/v0/developer/auth/oauth2/clients"
        made = developer.call("POST", path, {"name": "Photo Box", "redirect_uris": [REDIRECT_URI]})
        assert made.status_code == 201, made.text
        if len(self.apps) < MOST_APPS:
            self.apps.append(App(http, Clock(), made.json()["client_id"], made.json()["client_secret"]))
        else:
            assert developer.call("DELETE", f"{path}/{made.json()['client_id']}").status_code == 204
        self.done.append("registered")

    def sign_in(self, http: httpx.Client) -> None:
        """The user's session anew, because the one before was ended."""
        self.user = _again(http, "/api/v0/auth")

    def exchange(self, http: httpx.Client, at: int | None = None) -> None:
        """One of the apps gets an access grant."""
        one = self.apps[len(self.done) % len(self.apps) if at is None else at]
        app = App(http, one.clock, one.client_id, one.client_secret)
        answer = app.exchange(approved(Person(http, self.user.token, ""), app))
        assert answer.status_code == 200, answer.text
        self.done.append("exchanged")


def peopled(server: Process, http: httpx.Client, apps: int) -> Going:
    """A user and a developer who are signed in, with some apps."""
    going = Going(_signed_in(http, "/api/v0/auth"), _signed_in(http, "/api/v0/developer/auth"))
    for _ in range(apps):
        going.register(http)
    return going


@contextmanager
def meanwhile(server: Process, going: Going, *works: Callable[[httpx.Client], None]) -> Iterator[None]:
    """While this is open, each of `works` is done over and over, in a thread with a connection of its own."""
    stop = threading.Event()

    def again_and_again(work: Callable[[httpx.Client], None]) -> None:
        try:
            with httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http:
                while not stop.is_set():
                    work(http)
        except BaseException as error:  # noqa: BLE001 - told by the story
            going.failures.append(error)

    threads = [threading.Thread(target=again_and_again, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _signed_in(http: httpx.Client, base: str) -> Person:
    assert http.post(f"{base}/register", json=_SOMEBODY).status_code == 201
    return _again(http, base)


def _again(http: httpx.Client, base: str) -> Person:
    token = http.post(f"{base}/token", json=_SOMEBODY).json()["token"]
    http.cookies.clear()
    return Person(http, token, _SOMEBODY["email"])
