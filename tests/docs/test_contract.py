"""Errors, endpoints, scopes, limits and figures in the documents are the program's."""

import re
from dataclasses import fields
from datetime import timedelta

import pytest
from tests.docs.pages import NAMES, rows, text_of

from grantway import oauth_error
from grantway.accounts import account, password, session
from grantway.authorization import code, consent, request
from grantway.cli.serve import TIDY_SECONDS
from grantway.clients import authentication, draft, redirect_uri, secret
from grantway.clients.client import AuthMethod
from grantway.config import Config
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
