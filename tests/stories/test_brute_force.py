"""Guessing passwords, by pages and by JSON, for users and developers: slowed down, without the owner being locked out."""

import asyncio
import secrets
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.browser import BROWSERS, Browser
from tests.stories.running import PASSWORD, Server, running

from grantway.storage import sealed_rows

ACCOUNT = {"user": "/api/v0/auth", "developer": "/api/v0/developer/auth"}
PROXIES = {"trusted_proxies": "127.0.0.1"}
FIGURES = {"rate_limits": True, "sign_ins_per_minute": 10_000, "failed_sign_ins_per_hour": 3, "failed_sign_ins_together_per_hour": 6}


@contextmanager
def limited(data: Path, **more: object) -> Iterator[Server]:
    """A server with small figures that believes `X-Forwarded-For`, so that a story can come from anywhere."""
    with running(data, **{**FIGURES, **PROXIES, **more}) as server:
        yield server
    while BROWSERS:
        BROWSERS.pop().http.close()


def registered(server: Server, kind: str) -> str:
    email = f"{secrets.token_hex(6)}@example.org"
    made = server.http.post(f"{ACCOUNT[kind]}/register", json={"name": "Uma", "email": email, "password": PASSWORD})
    assert made.status_code == 201
    return email


def tried(http: httpx.Client, kind: str, email: str, password: str = "wrong password", *, origin: str = "192.0.2.1") -> httpx.Response:
    body = {"email": email, "password": password}
    return http.post(f"{ACCOUNT[kind]}/token", json=body, headers={"X-Forwarded-For": origin})


@pytest.mark.parametrize("kind", ACCOUNT)
def test_a_stranger_is_slowed_down_and_the_owner_gets_in(tmp_path: Path, kind: str) -> None:
    with limited(tmp_path) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as owner:
        email = registered(server, kind)
        assert tried(owner, kind, email, PASSWORD, origin="192.0.2.9").status_code == 200
        assert {name for name in owner.cookies if "known" in name} == {"grantway_known"}
        assert [tried(server.http, kind, email).status_code for _ in range(5)] == [401, 401, 401, 429, 429]
        # the right password helps a stranger's place no more than a wrong one
        refused = tried(server.http, kind, email, PASSWORD)
        assert refused.status_code == 429
        assert 1141 < int(refused.headers["retry-after"]) <= 1200
        assert "Try again in 20 minutes" in refused.json()["error_description"]
        # nor do many places
        assert [tried(server.http, kind, email, origin=f"192.0.2.{n}").status_code for n in range(20, 25)] == [401, 401, 401, 429, 429]
        # the owner, at the very address that the guesses come from
        assert tried(owner, kind, email, PASSWORD).status_code == 200
        # and another account at that address
        other = registered(server, kind)
        assert tried(server.http, kind, other, PASSWORD).status_code == 200


def test_a_known_browser_is_known_to_its_accounts_only(tmp_path: Path) -> None:
    with limited(tmp_path) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as mine:
        victim, own = registered(server, "user"), registered(server, "user")
        assert tried(mine, "user", own, PASSWORD).status_code == 200
        assert [tried(mine, "user", victim).status_code for _ in range(4)] == [401, 401, 401, 429]
        # somebody else's cookie with bits of one's own, and made-up ones
        known = mine.cookies["grantway_known"]
        for forged in (known[:-1] + ("A" if known[-1] != "A" else "B"), known.split(".")[0], f"{known}.x", "." * 3000, "é"):
            header = [(b"Cookie", b"grantway_known=" + forged.encode()), (b"X-Forwarded-For", b"192.0.2.1")]
            body = {"email": victim, "password": PASSWORD}
            assert (
                httpx.post(f"{server.url}{ACCOUNT['user']}/token", json=body, headers=header, timeout=60, verify=NO_TLS).status_code == 429
            )
        assert tried(mine, "user", own, PASSWORD).status_code == 200
        # a known browser has its own allowance, and no more
        assert [tried(mine, "user", own).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_a_browser_is_known_to_several_accounts(tmp_path: Path) -> None:
    with limited(tmp_path) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as shared:
        emails = [registered(server, kind) for kind in ("user", "developer", "user")]
        kinds = ("user", "developer", "user")
        for kind, email in zip(kinds, emails, strict=True):
            assert tried(shared, kind, email, PASSWORD).status_code == 200
        for kind, email in zip(kinds, emails, strict=True):
            assert [tried(server.http, kind, email).status_code for _ in range(4)][-1] == 429
            assert tried(shared, kind, email, PASSWORD).status_code == 200


def test_a_browser_is_known_while_the_password_is_the_one_that_it_signed_in_with(tmp_path: Path) -> None:
    """Whoever once knew the password has no tries of their own after it was changed; whoever changed it in a browser has."""
    with limited(tmp_path) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as former:
        email = registered(server, "user")
        owner = Browser(server.grantway.house.issuer)
        owner.open("/sign-in")
        owner.send("/sign-in", email=email, password=PASSWORD)
        assert tried(former, "user", email, PASSWORD, origin="192.0.2.9").status_code == 200
        owner.open("/password")
        owner.send("/password", old=PASSWORD, new="another horse battery")
        # from one address after the other, until that is used up for all browsers that are not known
        assert [tried(former, "user", email, origin=f"192.0.2.{n}").status_code for n in range(20, 28)] == [401] * 6 + [429] * 2
        owner.open("/sign-in")
        assert owner.send("/sign-in", email=email, password="another horse battery").status_code == 200


def test_a_browser_is_not_known_to_another_account_with_the_same_address(tmp_path: Path) -> None:
    """It is deleted and registered anew, with the very same password."""
    with limited(tmp_path) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as former:
        email = registered(server, "user")
        token = tried(former, "user", email, PASSWORD).json()["token"]
        left = former.request(
            "DELETE", f"{ACCOUNT['user']}/account", json={"password": PASSWORD}, headers={"Authorization": f"Bearer {token}"}
        )
        assert left.status_code == 200
        made = server.http.post(f"{ACCOUNT['user']}/register", json={"name": "Uma", "email": email, "password": PASSWORD})
        assert made.status_code == 201
        assert [tried(former, "user", email, origin=f"192.0.2.{n}").status_code for n in range(20, 28)] == [401] * 6 + [429] * 2


OLD, NEW = "ab" * 32, "cd" * 32


def test_a_known_browser_stays_known_while_the_master_key_is_rotated(tmp_path: Path) -> None:
    """What it was given under the old key is good until that is dropped; what it was given since, afterwards too."""

    def is_known(server: Server, email: str, cookie: str) -> bool:
        """Whether the owner gets in with that cookie once a stranger at the same address has used up the tries."""
        assert [tried(server.http, "user", email).status_code for _ in range(4)][-1] == 429
        with httpx.Client(base_url=server.url, cookies={"grantway_known": cookie}, timeout=60, verify=NO_TLS) as browser:
            answer = tried(browser, "user", email, PASSWORD)
        cookies.append(answer.cookies.get("grantway_known") or "")
        return answer.status_code == 200

    cookies: list[str] = []
    with limited(tmp_path, master_key=OLD) as server:
        email = registered(server, "user")
        cookies.append(tried(server.http, "user", email, PASSWORD, origin="192.0.2.9").cookies["grantway_known"])
        server.http.cookies.clear()
    with limited(tmp_path, master_key=f"{NEW},{OLD}") as server:
        assert is_known(server, email, cookies[0])
        assert cookies[1].count(".") == cookies[0].count(".") == 1
        database, seals = server.grantway.database, server.grantway.seals
        server.wait_for(database.write(lambda: seals.begin_rotation(server.clock())))
        server.wait_for(sealed_rows.reseal(database, seals, lambda _count: None))
    with limited(tmp_path, master_key=NEW) as server:
        assert is_known(server, email, cookies[1])
        assert not is_known(server, email, cookies[0])


def test_who_uses_up_an_address_does_not_use_up_the_owners(tmp_path: Path) -> None:
    """Somebody at the same address may use up its sign-ins; the owner's browser has its own, and no more than as many."""
    with limited(tmp_path, sign_ins_per_minute=3) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as owner:
        email = registered(server, "user")
        assert tried(owner, "user", email, PASSWORD, origin="192.0.2.9").status_code == 200
        others = [tried(server.http, "user", f"{secrets.token_hex(6)}@example.org").status_code for _ in range(5)]
        assert others == [401] * 3 + [429] * 2
        assert [tried(owner, "user", email, PASSWORD).status_code for _ in range(5)] == [200] * 3 + [429] * 2


def test_an_account_that_does_not_exist_is_refused_alike(tmp_path: Path) -> None:
    with limited(tmp_path) as server:
        seen = []
        for email in (registered(server, "user"), f"{secrets.token_hex(6)}@example.org"):
            answers = [tried(server.http, "user", email) for _ in range(5)]
            seen.append([(one.status_code, one.json()["error_description"], sorted(one.headers)) for one in answers])
        assert seen[0] == seen[1]
        assert [status for status, *_ in seen[0]] == [401, 401, 401, 429, 429]


def test_the_page_says_how_long_to_wait(tmp_path: Path) -> None:
    with limited(tmp_path) as server:
        email = registered(server, "user")
        browser = Browser(server.grantway.house.issuer)
        for status in (401, 401, 401, 429):
            browser.open("/sign-in")
            assert browser.send("/sign-in", email=email, password="wrong password").status_code == status
        assert "Try again in 20 minutes" in browser.page.text
        assert email not in browser.page.text
        # the same person in a browser that is known
        known = Browser(server.grantway.house.issuer)
        known.open("/register")
        own = f"{secrets.token_hex(6)}@example.org"
        known.register(own, PASSWORD)
        known.send("/sign-out")
        stranger = Browser(server.grantway.house.issuer)
        for _ in range(4):
            stranger.open("/sign-in")
            stranger.send("/sign-in", email=own, password="wrong password")
        assert stranger.page.status_code == 429
        known.open("/sign-in")
        assert known.send("/sign-in", email=own, password=PASSWORD).status_code == 200


@pytest.mark.usefixtures("passwords_at_full_cost")
def test_many_at_once_are_counted_too(tmp_path: Path) -> None:
    """Counted before the work, not after it: else a hundred guesses at one moment would all pass."""
    with limited(tmp_path) as server, httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http:
        email = registered(server, "user")

        async def all_at_once() -> list[int]:
            async with httpx.AsyncClient(base_url=server.url, timeout=60, verify=NO_TLS) as many:
                body = {"email": email, "password": "wrong password"}
                answers = await asyncio.gather(*(many.post(f"{ACCOUNT['user']}/token", json=body) for _ in range(20)))
            return sorted(answer.status_code for answer in answers)

        assert server.wait_for(all_at_once()) == [401] * 3 + [429] * 17
        assert http.get("/health/live").status_code == 200


def test_the_old_password_cannot_be_guessed_in_a_session(tmp_path: Path) -> None:
    """Whoever sits at somebody's open browser; the owner's other browsers are not kept out by it."""
    with limited(tmp_path) as server:
        browser = Browser(server.grantway.house.issuer)
        browser.open("/register")
        email = f"{secrets.token_hex(6)}@example.org"
        browser.register(email, PASSWORD)
        for status in (401, 401, 401, 429):
            browser.open("/password")
            assert browser.send("/password", old="wrong password", new="a new password").status_code == status
        assert tried(server.http, "user", email, PASSWORD).status_code == 200


@pytest.mark.slow
@pytest.mark.usefixtures("passwords_at_full_cost")
def test_time_does_not_tell_which_addresses_are_registered(tmp_path: Path) -> None:
    """Medians of wrong passwords for accounts that exist and that do not, in turn: no more apart than 10 %.

    What else the machine does sets them apart now and then; a difference of ours would do so each time.
    """
    with running(tmp_path) as server:
        known = [registered(server, "user") for _ in range(4)]
        apart = [medians_apart(server, known)]
        while apart[-1] >= 1.1 and len(apart) < 4:
            apart.append(medians_apart(server, known))
    assert apart[-1] < 1.1, apart


def medians_apart(server: Server, known: list[str]) -> float:
    """The larger of the two medians over the smaller one."""
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    for number in range(120):
        for name, email in (("known", known[number % 4]), ("unknown", f"{secrets.token_hex(6)}@example.org")):
            began = time.perf_counter()
            assert tried(server.http, "user", email).status_code == 401
            times[name].append(time.perf_counter() - began)
    medians = [statistics.median(one) for one in times.values()]
    return max(medians) / min(medians)
