"""`grantway doctor` against our own server."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from tests.cli.doctoring import CLIENT_ID, SECRET, Ask, app, asker
from tests.stories.running import App, Person, Server, new_app, person, running
from typer.testing import CliRunner

from grantway.app import utc_now
from grantway.cli import doctor as command
from grantway.cli.examination import own_finding
from grantway.cli.examination.sheet import Check


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    return asker(monkeypatch)


@pytest.fixture
def client(server: Server, developer: Person) -> App:
    return new_app(server, developer)


def test_accepted(ask: Ask, server: Server, client: App) -> None:
    told = ask(server.url, client_id=client.client_id, secret=client.client_secret)
    assert (told.code, told.tried) == (0, "")
    assert told.verdict == "The client is accepted: client_id and secret are right."
    assert "It is a token endpoint Grantway 0." in told.words
    assert "✗" not in told.page
    assert "·" not in told.page


def test_the_standard_flow_is_tried_under_the_issuer(ask: Ask, server: Server, client: App) -> None:
    issuer = server.grantway.house.issuer
    told = ask(issuer, client_id=client.client_id, secret=client.client_secret)
    assert told.code == 0
    assert "✓ The standard flow knows the client too 400 invalid_grant" in told.words
    elsewhere = ask(server.url, client_id=client.client_id, secret=client.client_secret)
    assert "The standard flow" not in elsewhere.page
    assert f"the issuer is {issuer}, character for character, and not {server.url}" in elsewhere.words


def test_accepted_with_the_whole_url_and_a_file_with_a_line_end(ask: Ask, server: Server, client: App, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(client.client_secret + "\n")
    told = ask(
        f"{server.url}/api/v0/oauth2/token/",
        "--secret-file",
        str(tmp_path / "secret"),
        client_id=client.client_id,
        secret=client.client_secret,
    )
    assert told.code == 0
    assert "The file ends in a line end" in told.words


WRONG_KEYS: dict[str, tuple[Callable[[str], str], str, str]] = {
    "newline": (lambda right: right + "\n", "white space around it", "Strip"),
    "quotes": (lambda right: f'"{right}"', "quotes around the secret do not belong", "Remove"),
    "percent": (lambda right: right.replace("_", "%5F"), "percent-encoded on its way", "Decode"),
}


@pytest.mark.parametrize("name", WRONG_KEYS)
def test_a_usual_mistake_is_found_by_trial(ask: Ask, server: Server, client: App, name: str) -> None:
    spoil, verdict, remedy = WRONG_KEYS[name]
    told = ask(server.url, client_id=client.client_id, secret=spoil(client.client_secret))
    assert told.code == 1
    assert verdict in told.verdict
    assert told.remedy.startswith(remedy)
    assert told.tried.startswith("trying ")
    assert told.tried.count("\n") == told.words.count("Tried: ")
    assert told.page.count("✓ Tried: ") == 1


def test_without_trials_the_looks_decide(ask: Ask, server: Server, client: App) -> None:
    told = ask(server.url, "--no-trials", client_id=client.client_id, secret=client.client_secret + "\n")
    assert (told.code, told.tried) == (1, "")
    assert "Tried: " not in told.page
    assert told.verdict == "Refused, and something looks wrong: there is white space or a line end around it."


def test_client_id_with_white_space(ask: Ask, server: Server, client: App) -> None:
    told = ask(server.url, client_id=f" {client.client_id}", secret=client.client_secret + " ")
    assert told.code == 1
    assert told.verdict == "The client_id has white space around it."


def test_what_no_client_sends(ask: Ask, server: Server) -> None:
    told = ask(server.url, client_id="\udcff\x1b[2J\n", secret="\udcfe\x1b" * 10)
    assert told.code == 1
    assert told.remedy == "Copy the secret anew: an editor replaced characters in it."


def test_client_id_in_upper_case(ask: Ask, server: Server, client: App) -> None:
    told = ask(server.url, client_id=client.client_id.upper(), secret=client.client_secret)
    assert told.verdict == "The client_id is registered in lower case."


@pytest.mark.parametrize("is_known", [True, False])
def test_disabled_and_unknown_look_alike(ask: Ask, server: Server, developer: Person, client: App, is_known: bool) -> None:
    client_id = client.client_id if is_known else CLIENT_ID
    developer.call("PATCH", f"/api/v0/developer/auth/oauth2/clients/{client.client_id}/status", {"status": 0})
    told = ask(server.url, client_id=client_id, secret=client.client_secret)
    assert told.code == 1
    assert "do not belong together" in told.verdict
    assert "Not to be known from outside" in told.words
    assert re.search(r"grantway explain [0-9a-f]{32}\.$", told.remedy)


def test_the_session_tells_what_cannot_be_known_from_outside(ask: Ask, server: Server, developer: Person, client: App) -> None:
    developer.call("PATCH", f"/api/v0/developer/auth/oauth2/clients/{client.client_id}/status", {"status": 0})
    told = ask(server.url, client_id=client.client_id, secret=client.client_secret, session=developer.token)
    assert told.code == 1
    assert "The server's own finding client_disabled" in told.words
    assert "Enable the client" in told.remedy
    assert "Tried: " not in told.page


SPOILT: dict[str, Callable[[str], str]] = {
    "right": str,
    "with a line end": lambda right: right + "\n",
    "another": lambda right: SECRET,
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_the_code_that_was_made_up_is_no_fault_of_the_developer(
    ask: Ask, server: Server, developer: Person, client: App, spoil: Callable[[str], str]
) -> None:
    secret = spoil(client.client_secret)
    told = ask(server.url, client_id=client.client_id, secret=secret, session=developer.token)
    assert "The server's own finding" in told.words
    assert "code_unknown" not in told.words
    assert "Also wrong" not in told.words
    finding = json.loads(ask(server.url, "--json", client_id=client.client_id, secret=secret, session=developer.token).page)["finding"]
    assert finding["cause"] == (finding["faults"][0]["cause"] if finding["faults"] else None)
    assert [one for one in finding["faults"] if one["cause"] == "code_unknown"] == []
    assert finding["outcome"] == "refused"


def test_a_key_that_has_nothing_to_do_with_it_is_told_with_its_fingerprint(
    ask: Ask, server: Server, developer: Person, client: App
) -> None:
    told = ask(server.url, client_id=client.client_id, secret=SECRET, session=developer.token)
    assert "Compare the fingerprint of your secret with the one here" in told.remedy
    assert f"The secret given here has the fingerprint {hashlib.sha256(SECRET.encode()).hexdigest()[:8]}" in told.words


def test_a_session_that_may_not_see_it(ask: Ask, server: Server, client: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_finding, "FINDING_SECONDS", 0.0)
    stranger = person(server, "developer")
    told = ask(server.url, "--no-trials", client_id=client.client_id, secret=SECRET, session=stranger.token)
    assert "none for this session" in told.words
    assert told.remedy.startswith("Compare the client_id")
    ended = ask(server.url, "--no-trials", client_id=client.client_id, secret=SECRET, session="gwt_nobody")
    assert "the session is unknown or has ended" in ended.words


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(command, "utc_now", lambda: utc_now() + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "code", "verdict"),
    [
        (45, 0, "The client is accepted"),
        (-120, 1, "The client is accepted, but the clocks are too far apart"),
        (300, 1, r"This machine's clock is \d+ s ahead of the server's, and so its JWTs are refused"),
        (-900, 1, r"Refused for the clock: this machine's is \d+ s behind the server's"),
    ],
)
def test_this_machines_clock(
    ask: Ask, server: Server, client: App, monkeypatch: pytest.MonkeyPatch, seconds: float, code: int, verdict: str
) -> None:
    at(monkeypatch, seconds)
    told = ask(server.url, client_id=client.client_id, secret=client.client_secret)
    assert re.match(verdict, told.verdict), told.verdict
    assert told.code == code
    assert "Set this machine's clock (NTP)" in told.words


def test_the_servers_clock(ask: Ask, server: Server, client: App) -> None:
    with server.clock.later(timedelta(minutes=10)):
        told = ask(server.url, client_id=client.client_id, secret=client.client_secret)
    assert told.code == 1
    assert "its own clock is wrong" in told.verdict
    assert "operator" in told.remedy


def test_the_servers_clock_is_behind(ask: Ask, server: Server, client: App) -> None:
    with server.clock.later(timedelta(seconds=-90)):
        told = ask(server.url, client_id=client.client_id, secret=client.client_secret)
    assert told.verdict.startswith("The secret is right: a JWT without iat that lives 60 s is accepted")


def test_json_says_the_same(ask: Ask, server: Server, client: App, developer: Person) -> None:
    told = ask(server.url, "--json", client_id=client.client_id, secret=client.client_secret + "\n", session=developer.token)
    answer = json.loads(told.page)
    assert answer["exit_code"] == told.code == 1
    assert {"title", "verdict", "exit_code", "checks", "remedy", "notes", "trace_id", "finding"} == set(answer)
    assert {"name": "The name resolves", "outcome": "passed", "evidence": "127.0.0.1"} in answer["checks"]
    assert answer["finding"]["trace_id"] == answer["trace_id"]


def test_rate_limited(ask: Ask, tmp_path: Path) -> None:
    with running(tmp_path / "data", rate_limits=True, failed_authentications_per_minute=3) as limited:
        told = ask(limited.url, secret=f'"{SECRET}" ')
    assert told.code == 1
    assert told.verdict == "The server wants fewer requests (429)."
    assert re.fullmatch(r"Try again after \d+ s\.", told.remedy)
    assert told.page.count("Tried: ") < 5


# usage


BAD_URLS = {"localhost:10002": "Write http:// or https://", "http://user:hunter22@localhost": "before the @"}


@pytest.mark.parametrize("url", BAD_URLS)
def test_bad_url(ask: Ask, url: str) -> None:
    told = ask(url)
    assert told.code == 2
    assert BAD_URLS[url] in told.remedy
    assert told.page.count("·") == 8
    assert "hunter22" not in told.page + told.tried


@pytest.mark.parametrize(
    "changes",
    [{"APP_SECRET": ""}, {"--client-id": ""}, {"SESSION": "a\nb"}, {"--timeout": "0"}, {"--timeout": "inf"}, {"--timeout": "nan"}],
)
def test_usage(changes: dict[str, str]) -> None:
    options = {"--url": "http://localhost:1", "--client-id": "a", "--secret-env": "APP_SECRET", "--session-env": "SESSION", **changes}
    arguments = [word for name, value in options.items() if name.startswith("--") for word in (name, value)]
    ended = CliRunner().invoke(app, arguments, env={"APP_SECRET": SECRET, "SESSION": "token", **changes})
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr


def test_no_secret_is_an_argument() -> None:
    names = {name for parameter in typer.main.get_command(app).params for name in parameter.opts}
    assert {"--secret-file", "--secret-env", "--session-file", "--session-env"} <= names
    assert not {"--secret", "--client-secret"} & names
    ended = CliRunner().invoke(app, ["--url", "http://localhost", "--client-id", "a", "--session", "token"])
    assert ended.exit_code == 2


def test_the_page_of_the_documents_has_every_line() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "doctor.md").read_text("utf-8")
    assert re.findall(r"^\| ([A-Z][^|`]+?) \|", text, re.MULTILINE)[: len(Check)] == [check.value for check in Check]
    shown = [line.split("  ")[0] for line in re.findall(r"^  [✓✗·] (.+)$", text, re.MULTILINE)]
    assert shown
    assert {line for line in shown if not line.startswith("Tried: ")} <= {check.value for check in Check}
