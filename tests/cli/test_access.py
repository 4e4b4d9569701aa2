"""`grantway access`: what is in a grant, what it may do, and a narrower one."""

import asyncio
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Ended, Run
from tests.storage.world import world

from grantway.access_grant import AccessGrant, Permission
from grantway.app import utc_now
from grantway.cli.console import MOST_READ
from grantway.tokens.token_request import Granted


def made(data: Path, scopes: list[str], *, withdrawn: bool = False) -> str:
    """A real grant of a real project in that folder."""

    async def story() -> str:
        async with world(data) as there:
            there.now = utc_now()
            user, new = await there.account(), await there.app()
            outcome = await there.exchange(new, await there.code(user, new, scopes))
            assert isinstance(outcome, Granted)
            if withdrawn:
                await there.house.given_access.withdraw(user, new.client.client_id, there.now)
            return outcome.access_grant or ""

    return asyncio.run(story())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("house")


@pytest.fixture(scope="module")
def grant(house: Path) -> str:
    return made(house, ["read", "list", "bucket:photos;2024/"])


def forged(grant: str) -> str:
    parsed = AccessGrant.parse(grant)
    key = parsed.api_key
    wrong = type(key)(head=key.head, caveats=key.caveats, tail=secrets.token_bytes(len(key.tail)))
    return AccessGrant(parsed.satellite_address, wrong, parsed.encryption_access).serialise()


def test_inspect(run: Run, grant: str, tmp_path: Path) -> None:
    file = tmp_path / "grant"
    file.write_text(f"  {grant}\n")
    seen = run("access", "inspect", file)
    assert (seen.code, seen.err) == (0, "")
    assert "under 2024/ in the bucket photos" in seen.out
    assert "caveats    2" in seen.out
    assert grant not in seen.out
    told = run("access", "inspect", "--json", stdin=grant).json
    assert told["actions"] == ["read", "list"]
    assert told["places"] == ["bucket:photos;2024/"]
    assert datetime.fromisoformat(told["not_after"]) > datetime.now(UTC)


NOT_GRANTS: list[str | bytes] = [
    "",
    "x",
    "1",
    "\n",
    "13GRuHAWdfEqzCfrJqSLPr9zHBnPjZqAGbG" * 3,
    "l" * 5000,
    "l" * 70_000,
    "é",
    b"\xff\xfe\x00",
    "0OIl",
]


@pytest.mark.parametrize("text", NOT_GRANTS)
@pytest.mark.parametrize("command", [("inspect",), ("check", "--action", "read"), ("restrict", "--for", "60")])
def test_no_grant(run: Run, command: tuple[str, ...], text: str | bytes) -> None:
    ended = run("access", *command, stdin=text)
    assert (ended.code, ended.out) == (1, "")
    assert "no access grant" in ended.err


HOLDERS: dict[str, Callable[[str], str]] = {
    "the contract's answer": lambda grant: json.dumps({"access_grant": grant, "scopes": ["read"], "expires_in": 60}),
    "the standard flow's answer": lambda grant: json.dumps({"access_token": "1x", "scope": "read", "access_grant": grant}, indent=2),
    "the value in quotes": lambda grant: f'"{grant}"\n',
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_a_token_answer_is_read_for_its_grant(run: Run, grant: str, tmp_path: Path, holder: Callable[[str], str]) -> None:
    file = tmp_path / "answer.json"
    file.write_text(holder(grant))
    assert run("access", "inspect", file) == run("access", "inspect", stdin=grant)
    checked = run("access", "check", "--action", "read", "--bucket", "photos", "--path", "2024/x", stdin=holder(grant))
    assert (checked.code, checked.err) == (0, "")
    assert AccessGrant.parse(run("access", "restrict", "--for", "60", file).out.strip()).api_key.caveats


OTHERS: dict[str, tuple[Callable[[str], str], str]] = {
    "nothing": (lambda grant: " \n", "it is empty"),
    "words": (lambda grant: "correct horse", "no access grant: base58: "),
    "a refusal": (lambda grant: '{"error": "invalid_code", "trace_id": "a"}', "it is a refusal;"),
    "no grant": (lambda grant: '{"access_token": "1x", "access_grant": null}', "it is a token answer without access_grant,"),
    "other JSON": (lambda grant: "{}", "it is JSON without access_grant as a text;"),
    "a list": (lambda grant: f'["{grant}"]', "it is JSON without access_grant as a text;"),
    "a number in it": (lambda grant: '{"access_grant": 5}', "it is JSON without access_grant as a text;"),
    "a broken one in it": (lambda grant: f'{{"access_grant": "{grant[:-5]}"}}', "the value of its access_grant is none: "),
    "half an answer": (lambda grant: f'{{"access_grant": "{grant}", ', "it begins like JSON, but cannot be read"),
    "twice": (lambda grant: f'{{"access_grant": "{grant}", "access_grant": "{grant}"}}', "same name twice"),
    "endless nesting": (lambda grant: "[" * 100_000, "the JSON is nested too deeply"),
    "a lone surrogate": (lambda grant: '{"access_grant": "\\ud800"}', "it begins like JSON, but cannot be read"),
    "a key": (lambda grant: AccessGrant.parse(grant).api_key.serialise(), "it is an API key; give the value of access_grant"),
}


@pytest.mark.parametrize(("holder", "told"), OTHERS.values(), ids=OTHERS)
def test_what_holds_no_grant_is_told(run: Run, grant: str, holder: Callable[[str], str], told: str) -> None:
    ended = run("access", "inspect", stdin=holder(grant))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("grantway: this is no access grant: ")
    assert told in ended.err
    assert grant[:20] not in ended.err
    assert len(ended.err.splitlines()) == 1


def test_no_file(run: Run, tmp_path: Path) -> None:
    ended = run("access", "inspect", tmp_path / "none")
    assert (ended.code, ended.out) == (2, "")
    assert "No such file" in ended.err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero here")
def test_what_has_no_end(run: Run) -> None:
    ended = run("access", "inspect", "/dev/zero")
    assert (ended.code, ended.out) == (2, "")
    assert "/dev/zero is too long: no access grant" in ended.err
    ended = run("access", "inspect", stdin="x" * (MOST_READ + 1))
    assert (ended.code, ended.out) == (2, "")
    assert "standard input is too long: no access grant" in ended.err


def test_a_grant_in_place_of_a_file_is_not_repeated(run: Run, grant: str, tmp_path: Path) -> None:
    for mistaken in (grant, grant[:50], f"{grant[:50]}/{grant[50:]}"):
        ended = run("access", "inspect", mistaken)
        assert (ended.code, ended.out) == (2, "")
        assert grant[:20] not in ended.err
        assert f"it has {len(mistaken)} characters" in ended.err
    long = tmp_path / ("a" * 60)
    assert str(long) in run("access", "inspect", long).err


CHECKS = [
    (("read", "photos", "2024/x.jpg"), 0),
    (("list", "photos", "2024"), 0),
    (("write", "photos", "2024/x.jpg"), 1),
    (("delete", "photos", "2024/x.jpg"), 1),
    (("lock", "photos", "2024/x.jpg"), 1),
    (("read", "photos", "2025/x.jpg"), 1),
    (("read", "music", "x"), 1),
]


def check(run: Run, grant: str, asked: tuple[str, str, str], *more: object) -> Ended:
    action, bucket, path = asked
    return run("access", "check", "--action", action, "--bucket", bucket, "--path", path, *more, stdin=grant)


@pytest.mark.parametrize(("asked", "code"), CHECKS)
def test_check(run: Run, grant: str, house: Path, asked: tuple[str, str, str], code: int) -> None:
    offline = check(run, grant, asked)
    assert offline.code == code, offline
    assert offline.out.startswith("no:" if code else "yes:")
    asked_there = check(run, grant, asked, "--data", house, "--json")
    assert asked_there.code == code
    assert asked_there.json["allowed"] is not bool(code)


def test_what_only_the_satellite_knows(run: Run, grant: str, house: Path, tmp_path: Path) -> None:
    withdrawn = made(house, ["read"], withdrawn=True)
    elsewhere = made(tmp_path / "elsewhere", ["read"])
    asked = ("read", "photos", "2024/x")
    for text, reason in ((withdrawn, "revoked"), (forged(grant), "not genuine"), (elsewhere, "does not know the key")):
        caveats_alone = check(run, text, asked)
        assert caveats_alone.code == 0
        assert "not checked" in caveats_alone.out
        denied = check(run, text, asked, "--data", house)
        assert denied.code == 1
        assert reason in denied.out


def test_check_wants_an_action(run: Run, grant: str) -> None:
    assert run("access", "check", stdin=grant).code == 2
    assert run("access", "check", "--action", "burn", stdin=grant).code == 2


def test_restrict(run: Run, grant: str, house: Path) -> None:
    narrower = run("access", "restrict", "--scope", "read", "--scope", "bucket:photos;2024/summer", "--for", "3600", stdin=grant)
    assert (narrower.code, narrower.err) == (0, "")
    words = run("access", "inspect", "--json", stdin=narrower.out).json
    assert words["actions"] == ["read"]
    assert words["places"] == ["bucket:photos;2024/summer/"]
    assert words["caveats"] == 3
    for asked, code in (
        (("read", "photos", "2024/summer/x"), 0),
        (("read", "photos", "2024/x"), 1),
        (("list", "photos", "2024/summer"), 1),
    ):
        assert check(run, narrower.out, asked, "--data", house).code == code


def test_restrict_keeps_every_slash_of_a_prefix(run: Run, house: Path) -> None:
    whole = made(house, ["read"])
    narrower = run("access", "restrict", "--scope", "bucket:b;a//", stdin=whole)
    assert check(run, narrower.out, ("read", "b", "a//x"), "--data", house).code == 0
    assert check(run, narrower.out, ("read", "b", "a/x"), "--data", house).code == 1


def test_restrict_to_a_bucket_that_is_not_its_own_is_refused(run: Run, grant: str) -> None:
    refused = run("access", "restrict", "--scope", "bucket:music", stdin=grant)
    assert (refused.code, refused.out) == (1, "")
    assert "it would open nothing" in refused.err


def test_check_of_reading_names_an_object(run: Run, grant: str) -> None:
    refused = run("access", "check", "--action", "read", "--bucket", "photos", stdin=grant)
    assert (refused.code, refused.out) == (2, "")


def test_restrict_in_time_only(run: Run, grant: str) -> None:
    tomorrow = utc_now().replace(microsecond=0) + timedelta(days=1)
    narrower = run("access", "restrict", "--until", f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}", stdin=grant)
    assert (narrower.code, narrower.err) == (0, "")
    told = run("access", "inspect", "--json", stdin=narrower.out).json
    assert datetime.fromisoformat(told["not_after"]) == tomorrow


@pytest.mark.parametrize("until", ["2000-01-01", "2000-01-01T00:00:00Z"])
def test_restrict_to_a_time_that_is_past_is_refused(run: Run, grant: str, until: str) -> None:
    refused = run("access", "restrict", "--until", until, "--scope", "read", stdin=grant)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "grantway: --until is past (2000-01-01T00:00:00Z): the narrower grant would have ended already\n"
    # --for comes before it
    assert run("access", "restrict", "--until", until, "--for", "60", stdin=grant).code == 0


def test_a_grant_that_has_ended(run: Run, grant: str) -> None:
    ended = (
        AccessGrant.parse(grant).restrict(Permission(download=True, not_after=datetime(2000, 1, 1, tzinfo=UTC)), [], b"n" * 16).serialise()
    )
    denied = check(run, ended, ("read", "photos", "2024/x"))
    assert denied.code == 1
    assert "has ended" in denied.out
    for narrower in (("--for", "60"), ("--scope", "list")):
        refused = run("access", "restrict", *narrower, stdin=ended)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err == "grantway: the grant cannot be narrowed: it ended at 2000-01-01T00:00:00Z\n"


CANNOT: dict[str, tuple[tuple[Any, ...], int]] = {
    "nothing to narrow": ((), 2),
    "scope unknown": (("--scope", "admin"), 2),
    "scope malformed": (("--scope", "bucket:"), 2),
    "place without its key": (("--scope", "bucket:photos;2025"), 1),
    "an action that it does not have": (("--scope", "delete"), 1),
    "no time": (("--for", "0"), 2),
    "a time beyond every calendar": (("--for", "99999999999999999"), 2),
    "a time beyond this calendar": (("--for", "999999999999"), 2),
    "no date": (("--until", "tomorrow"), 2),
}


@pytest.mark.parametrize("name", CANNOT)
def test_cannot_be_narrowed(run: Run, grant: str, name: str) -> None:
    arguments, code = CANNOT[name]
    ended = run("access", "restrict", *arguments, stdin=grant)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err
