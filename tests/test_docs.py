"""The documents say what the program does: settings, errors, endpoints, commands, scopes, limits, links; and the examples work."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
import typer
from tests.deploy.known import FILES, VARIABLES
from tests.stories.browser import Browser
from tests.stories.process import serving
from tests.stories.running import approved, new_app, person, running

from grantway import connect, oauth_error
from grantway.access_grant import AccessGrant
from grantway.accounts import account, password, session
from grantway.authorization import code, consent, request
from grantway.cli.main import app
from grantway.cli.serve import TIDY_SECONDS
from grantway.clients import authentication, draft, redirect_uri, secret
from grantway.clients.assertion import read
from grantway.clients.client import AuthMethod
from grantway.config import PREFIX, Config
from grantway.connect import forms, message
from grantway.diagnosis.use_cases import GRANTED_IN_ONE_GO
from grantway.oauth_error import OAuthError
from grantway.scopes.meaning import meaning_of, permission
from grantway.scopes.scope import ActionScope
from grantway.storage.consents import LIVING_LOOKED_AT, LOOKED_AT
from grantway.storage.sqlite import MOST_IN_ONE_COMMIT
from grantway.tokens import issue
from grantway.web.call import COOKIE
from grantway.web.path_app import MAX_BODY
from grantway.web.routes import ENDPOINTS
from grantway.web.routes import PAGES as WEB_PAGES

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "bench" / "README.md"])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl")


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def rows(name: str, under: str = "") -> list[list[str]]:
    """The cells of every table row below the heading that begins with `under`, to the next heading of any level."""
    text = text_of(name)
    if under:
        text = re.split(r"^#", text.split(f"\n{under}", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(name), re.DOTALL | re.MULTILINE)


# settings


def shown(value: object) -> str:
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    return f"`{value}`" if str(value) else "(empty)"


def test_every_setting_has_its_row_with_its_default() -> None:
    documented = [tuple(row[:2]) for row in rows("docs/configuration.md", "## Settings") if row[0].startswith(f"`{PREFIX}")]
    assert documented == [(f"`{PREFIX}{one.name.upper()}`", shown(one.default)) for one in fields(Config)]


@pytest.mark.parametrize("name", NAMES)
def test_no_page_names_a_setting_that_there_is_not(name: str) -> None:
    assert set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+", text_of(name))) <= VARIABLES


def test_every_secret_that_may_be_in_a_file_has_its_row() -> None:
    documented = {row[0].strip("`"): row[1].strip("`") for row in rows("docs/configuration.md", "## Secrets from files")}
    assert {variable: setting for variable, setting in documented.items() if variable.startswith(PREFIX)} == FILES


# errors, endpoints, scopes, limits


def errors() -> set[tuple[int, str]]:
    return {(value.status, value.code) for value in vars(oauth_error).values() if isinstance(value, OAuthError)}


def test_every_error_has_its_row_with_its_status() -> None:
    documented = [(int(row[0]), row[1].strip("`")) for row in rows("docs/contract.md", "## Errors") if row[0].isdigit()]
    assert len(documented) == len(set(documented))
    assert set(documented) == errors()


def test_app_developers_find_every_error_of_the_token_endpoint() -> None:
    token = next(endpoint for endpoint in ENDPOINTS if endpoint.path.endswith("/oauth2/token"))
    possible = {error.code for error in token.errors} | {"invalid_request", "rate_limited", "server_error", "temporarily_unavailable"}
    documented = {name for row in rows("docs/integrating.md", "## When you are refused") for name in re.findall(r"`(\w+)`", row[0])}
    assert documented - {"error"} == possible


DESCRIBED = {("GET", "/openapi.json")}
OF_PAGES = {(page.method, page.path) for page in WEB_PAGES}


def test_every_endpoint_has_its_row() -> None:
    named = [re.fullmatch(r"`([A-Z]+) (/\S+)`", row[0]) for row in rows("docs/contract.md")]
    documented = [(match[1], match[2]) for match in named if match]
    assert len(documented) == len(set(documented))
    assert set(documented) == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS} | DESCRIBED


def test_every_page_has_its_row() -> None:
    named = [re.fullmatch(r"`([A-Z]+) (/\S*)`", row[0]) for row in rows("docs/standard-flow.md", "## The pages")]
    assert {(match[1], match[2]) for match in named if match} == OF_PAGES


def test_every_way_to_authenticate_has_its_row() -> None:
    assert [row[0].strip("`") for row in rows("docs/standard-flow.md", "## How a client authenticates")][1:] == [
        one.value for one in AuthMethod
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_page_names_an_endpoint_that_there_is_not(name: str) -> None:
    known = {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS} | DESCRIBED | OF_PAGES
    assert set(re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) (/[\w/{}.-]*)", text_of(name))) <= known
    paths = set(re.findall(r"/api/v0/[\w/{}-]+", text_of(name)))
    assert paths <= {path for _, path in known}


def test_successes_other_than_200_are_said() -> None:
    for row in rows("docs/contract.md"):
        if match := re.fullmatch(r"`([A-Z]+) (/\S+)`", row[0]):
            endpoint = next((one for one in ENDPOINTS if (one.method, one.path) == match.groups()), None)
            said = re.findall(r"\b(201|204)\b", row[1])
            assert said == ([] if endpoint is None or endpoint.status == 200 else [str(endpoint.status)]), row[0]


def test_every_scope_has_its_row() -> None:
    documented = [
        row[0].strip("`") for row in rows("docs/contract.md", "## 4. Scopes") if row[0].startswith("`") and "disallow" not in row[0]
    ]
    assert documented == [*(action.value for action in ActionScope), "bucket:NAME", "bucket:NAME;PREFIX"]
    assert all(meaning_of([text]) != meaning_of([]) for text in documented)


def test_the_flags_that_lock_opens() -> None:
    """Between the caveats with and without `lock`, just those flags differ; the others of the table are set in both."""
    without, with_lock = (permission(meaning_of(scopes)).caveat((), b"") for scopes in (["read"], ["read", "lock"]))
    documented = {row[0].strip("`"): row[1] for row in rows("docs/contract.md", "## 4. Scopes") if "disallow" in row[0]}
    flags = [one.name for one in fields(without) if one.name.startswith("disallow_") and getattr(without, one.name)]
    others = {"disallow_writes", "disallow_lists", "disallow_deletes"}
    assert documented == {flag: "set" if getattr(with_lock, flag) else "open" for flag in flags if flag not in others}


def counted(number: int, unit: str) -> str:
    return f"{number} {unit}"


def days(time: timedelta) -> str:
    return counted(time.days, "days")


def seconds(time: timedelta) -> str:
    return counted(int(time.total_seconds()), "s")


DEFAULT = Config()
FIGURES = {
    "body of a request": counted(MAX_BODY // 1024, "KiB"),
    "life of a code": seconds(code.LIFETIME),
    "life of a request until consent": seconds(request.LIFETIME),
    "longest time to `exp`": counted(int(authentication.LONGEST.total_seconds()) // 60, "minutes"),
    "leeway for clocks": seconds(authentication.LEEWAY),
    "life of a consent, shortest": seconds(consent.SHORTEST),
    "life of a consent, longest": days(consent.LONGEST),
    "life of a consent, unless said": days(consent.DEFAULT_LIFETIME),
    "`not_before` of an access grant": f"{seconds(issue.STARTED_AGO)} ago",
    "life of a session": days(session.LIFETIME),
    "overlap of secrets, unless said": counted(int(secret.OVERLAP.total_seconds()) // 3600, "hours"),
    "overlap of secrets, longest": days(secret.MAX_OVERLAP),
    "scopes of a request or a client": str(draft.MAX_SCOPES),
    "places of a request together, as a form sends them": counted(request.MAX_PLACES_WRITTEN, "characters"),
    "`state`": counted(request.MAX_STATE, "characters"),
    "name of a client": counted(draft.MAX_NAME, "characters"),
    "description of a client": counted(draft.MAX_DESCRIPTION, "characters"),
    "redirect URIs of a client": str(draft.MAX_REDIRECT_URIS),
    "length of a redirect URI": counted(redirect_uri.MAX_LENGTH, "characters"),
    "name of a person or project": counted(account.MAX_NAME, "characters"),
    "password": f"{password.MIN_LENGTH} to {password.MAX_LENGTH} characters",
    "imported secret": f"{secret.MIN_LENGTH} to {secret.MAX_LENGTH} characters",
    "token requests from one address": f"{DEFAULT.token_requests_per_minute} a minute",
    "sign-ins from one address": f"{DEFAULT.sign_ins_per_minute} a minute",
    "registrations from one address": f"{DEFAULT.registrations_per_hour} an hour",
    "failed sign-ins to one account from one address": f"{DEFAULT.failed_sign_ins_per_hour} an hour",
    "failed sign-ins to one account from all addresses": f"{DEFAULT.failed_sign_ins_together_per_hour} an hour",
    "failed authentications from one address for one claimed client": f"{DEFAULT.failed_authentications_per_minute} a minute",
    "changes by one account": f"{DEFAULT.changes_per_minute} a minute",
}


def test_every_limit_is_the_programs() -> None:
    documented = {row[0]: row[1] for row in rows("docs/contract.md", "## Limits") if row[0] not in {"what", "---"}}
    assert documented == FIGURES


def test_figures_in_running_text() -> None:
    contract = text_of("docs/contract.md")
    assert f"60 to {int(consent.LONGEST.total_seconds())} seconds" in contract
    assert f"1 to {draft.MAX_REDIRECT_URIS}, each at most {redirect_uri.MAX_LENGTH} characters" in contract
    assert f"cookie `{COOKIE}`" in contract
    assert f"stay sealed for {secret.KEPT_FOR_DIAGNOSIS.days} days more" in contract
    assert f"up to {MOST_IN_ONE_COMMIT} pieces" in text_of("docs/architecture.md")
    assert f"runs every {TIDY_SECONDS // 60} minutes" in contract
    assert f"the latest {LIVING_LOOKED_AT} consents under which something is alive, of the latest {LOOKED_AT:,})" in contract
    assert f"{_IN_WORDS[GRANTED_IN_ONE_GO]} get a finding each" in text_of("docs/findings.md")


_IN_WORDS = {10: "ten", 20: "twenty", 50: "fifty"}


# commands


def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command below a group with its whole name."""
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


COMMANDS: dict[str, Any] = dict(commands(typer.main.get_command(app), "grantway"))


def parameters(command: Any) -> set[str]:
    named = (one.opts if one.param_type_name == "option" else [one.metavar] for one in command.params)
    return {name for names in named for name in names} - {"--help"}


def test_every_command_has_its_section() -> None:
    assert re.findall(r"^### `(.+)`$", text_of("docs/cli.md"), re.MULTILINE) == sorted(COMMANDS, key=list(COMMANDS).index)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_its_row(name: str) -> None:
    documented = [row[0].strip("`") for row in rows("docs/cli.md", f"### `{name}`") if row[0].startswith("`")]
    assert len(documented) == len(set(documented))
    assert set(documented) == parameters(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_required_options_are_said(name: str) -> None:
    documented = {row[0].strip("`") for row in rows("docs/cli.md", f"### `{name}`") if row[1].startswith("required")}
    required = [one for one in COMMANDS[name].params if one.required]
    assert documented == {one.opts[0] if one.param_type_name == "option" else one.metavar for one in required}


def test_defaults_of_options() -> None:
    lifetime = next(one for one in COMMANDS["grantway assertion make"].params if one.name == "lifetime")
    assert (lifetime.min, lifetime.max, lifetime.default) == (1, 300, 300)
    assert "1 to 300; default 300" in text_of("docs/cli.md")


def calls(text: str) -> Iterator[list[str]]:
    """The words behind every `grantway` in a shell block or inline code, to the end of that command."""
    inline = re.findall(r"`(grantway [^`\n]+)`", text)
    shell = "".join(re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)).replace("\\\n", " ")
    found = re.findall(r"\bgrantway ((?:assertion|clients|users|developers|access|serve|demo|config|keys|db)\b[^\n|)]*)", shell)
    for call in [*(one.removeprefix("grantway ") for one in inline), *found]:
        yield shlex.split(call)


@pytest.mark.parametrize("name", NAMES)
def test_no_page_gives_a_command_or_option_that_there_is_not(name: str) -> None:
    for words in calls(text_of(name)):
        if words == ["--version"] or any(known.startswith(f"grantway {words[0]} ") and len(words) == 1 for known in COMMANDS):
            continue
        whole = next(
            (f"grantway {' '.join(words[:length])}" for length in (2, 1) if f"grantway {' '.join(words[:length])}" in COMMANDS), ""
        )
        assert whole, words
        assert {word for word in words if word.startswith("--")} <= parameters(COMMANDS[whole]), words


# links


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert linked.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(linked), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = re.findall(r"\]\(([^)\s#]+\.md)", page.read_text("utf-8"))
        linked = {(page.parent / target).resolve() for target in targets if not target.startswith("https://")}
        waiting += [one for one in linked - reached if one not in waiting]
    assert set(PAGES) <= reached


def test_decisions_are_numbered_and_whole() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    index = text_of("docs/decisions/README.md")
    for file in files:
        text = file.read_text("utf-8")
        assert text.startswith(f"# {file.name[:4]}: ")
        assert re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Why", "What it costs"]
        assert f"]({file.name})" in index


def test_the_files_that_the_words_name_are_there() -> None:
    for name in ("docs/architecture.md", "CONTRIBUTING.md", *(str(file.relative_to(ROOT)) for file in ROOT.glob("docs/decisions/0*.md"))):
        for path in re.findall(r"`([\w/]+/(?:\w+\.py|)|\w+\.py)`", text_of(name)):
            places = [ROOT / "src" / "grantway" / path, ROOT / path, *(ROOT / "src" / "grantway").glob(f"*/{path}")]
            assert any(place.exists() for place in places), (name, path)


# the examples


@needs_curl
def test_the_readme_can_be_followed(tmp_path: Path) -> None:
    """Every shell block but the ones that start something, run as it stands, against a server on another port."""
    followed = [block for block in blocks("README.md", "sh") if not block.startswith(("make ", ".venv/bin/grantway serve"))]
    assert len(followed) == 4
    with serving(tmp_path / "data") as server:
        script = "\n".join(followed).replace("http://localhost:10002", server.url).replace(".venv/bin/grantway", "grantway")
        script = f'grantway() {{ {shlex.quote(sys.executable)} -m grantway.cli.main "$@"; }}\nset -euo pipefail\n{script}'
        done = subprocess.run(
            ["bash", "-c", script],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "GRANTWAY_DATA": str(tmp_path / "data")},
        )
    assert done.returncode == 0, done.stderr
    assert "Took over e45fa79a-05f5-4f00-bbfe-bd0a14aead0a" in done.stdout
    assert done.stdout.index("may        download and read your files") < done.stdout.index("caveats    2")


@needs_curl
def test_the_integration_can_be_followed(tmp_path: Path) -> None:
    """The page's registration, and its program on a code: once it gets an access grant, then a refusal that it explains."""
    program = tmp_path / "app.py"
    program.write_text(next(block for block in blocks("docs/integrating.md", "python") if "def exchange" in block))
    with running(tmp_path / "data") as server:
        registering = blocks("docs/integrating.md", "sh")[0].replace("http://localhost:10002", server.url)
        registered = subprocess.run(["bash", "-c", registering], capture_output=True, text=True, timeout=60, check=True)
        assert '"client_secret":"gws_' in registered.stdout
        user, client = person(server), new_app(server, person(server, "developer"))
        environment = {
            **os.environ,
            "BASE": server.url,
            "CLIENT_ID": client.client_id,
            "CLIENT_SECRET": client.client_secret,
            "REDIRECT_URI": client.redirect_uri,
        }
        command = [sys.executable, str(program), approved(user, client)]
        first, second = (
            subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment) for _ in range(2)
        )
    assert (first.returncode, first.stdout[:1]) == (0, "1")
    assert (second.returncode, second.stdout.partition(":")[0]) == (1, "code_already_used")


def test_the_line_with_pyjwt() -> None:
    line = next(block for block in blocks("docs/integrating.md", "python") if "pyjwt" in block)
    known: dict[str, Any] = {"pyjwt": pyjwt, "client_id": "app", "client_secret": "x" * 64}
    exec(f"import secrets, time\n{line}", known)
    assertion = read(known["token"])
    assert assertion.claims["client_id"] == "app"
    assert assertion.is_signed_with(b"x" * 64)


def test_the_quick_start(tmp_path: Path) -> None:
    """The README's lines as they stand, with a person between the two functions."""
    quick = next(block for block in blocks("README.md", "python") if "grantway.connect" in block)
    assert len([line for line in quick.splitlines() if line.strip()]) <= 15
    with running(tmp_path / "data") as server:
        client = new_app(server, person(server, "developer"))
        known: dict[str, Any] = {"CLIENT_ID": client.client_id, "CLIENT_SECRET": client.client_secret}
        exec(quick.replace("http://localhost:10002", server.grantway.house.issuer), known)
        session: dict[str, Any] = {}
        browser = Browser(server.grantway.house.issuer)
        browser.open("/register")
        browser.register("uma@example.org", "correct horse battery")
        browser.open(known["connect"](session))
        back = browser.send("/oauth2/consent", decision="allow", passphrase="open sesame").headers["location"]
        browser.http.close()
        access_grant, allows, expires_at = known["callback"](session, back)
    assert connect.Allows.of(AccessGrant.parse(access_grant).allowance()) == allows
    assert expires_at > datetime.now(UTC)
    assert session == {}


def test_the_library_is_told_whole() -> None:
    """Every field of what an app gets has its row, and every error."""
    assert [row[0].strip("`") for row in rows("docs/connect.md", "## What you get")][1:] == [one.name for one in fields(connect.Access)]
    errors = {name for name, value in vars(connect).items() if isinstance(value, type) and issubclass(value, connect.ConnectError)}
    assert {row[0].strip("`") for row in rows("docs/connect.md", "## When it does not work")} - {"error"} == errors - {"ConnectError"}
    named = set(re.findall(r"\b(?:Client|AsyncClient|bucket|AccessGrant|Access|Allows|Place)\b", text_of("docs/connect.md")))
    assert named <= set(connect.__all__)
    assert f"{connect.client.TIMEOUT_SECONDS:g} unless" in text_of("docs/connect.md")
    assert message.MAX_ANSWER == 1024 * 1024
    assert forms.LIFETIME_SECONDS == 300
