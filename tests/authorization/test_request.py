"""May this app ask for that? Each row changes one thing about a request that may be put to the person."""

from dataclasses import dataclass, replace

import pytest
from tests.authorization.cases import CLIENT

from grantway.authorization import request
from grantway.authorization.request import Askable, Asked, NotAskable, judge, required_of
from grantway.clients.client import Client
from grantway.scopes.meaning import meaning_of
from grantway.trail import Outcome

ASKED = Asked(client_id="app", redirect_uri="https://app.example/cb", scopes=["read", "write", "bucket:photos;2024/"])
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@dataclass(frozen=True, kw_only=True)
class Case:
    asked: Asked = ASKED
    client: Client | None = CLIENT
    owned: tuple[str, ...] = ("project",)

    def judged(self) -> Askable | NotAskable:
        return judge(self.asked, self.client, self.owned)


def registered(*scopes: str) -> Client:
    return replace(CLIENT, scopes=scopes)


ASKABLE = {
    "nothing changed": Case(),
    "within what is registered": Case(client=registered("read", "write", "list", "bucket:photos")),
    "just what is registered, spelled differently": Case(client=registered("write", "read", "bucket:photos;prefix:2024")),
    "no place": Case(asked=replace(ASKED, scopes=["read"])),
    "a scope twice": Case(asked=replace(ASKED, scopes=["read", "read"])),
    "100 scopes": Case(asked=replace(ASKED, scopes=["read", *(f"bucket:b{n}" for n in range(99))])),
    "loopback with another port": Case(asked=replace(ASKED, redirect_uri="http://localhost:4711/cb")),
    "PKCE": Case(asked=replace(ASKED, code_challenge=CHALLENGE, code_challenge_method="S256")),
    "PKCE without its method": Case(asked=replace(ASKED, code_challenge=CHALLENGE)),
    "state": Case(asked=replace(ASKED, state="x" * 4096)),
    "state empty": Case(asked=replace(ASKED, state="")),
    "a project of theirs": Case(asked=replace(ASKED, project_id="project")),
    "no project at all": Case(owned=()),
}


@pytest.mark.parametrize("name", ASKABLE)
def test_askable(name: str) -> None:
    decision = ASKABLE[name].judged()
    assert isinstance(decision, Askable)
    assert decision.trail.passed
    assert decision.meaning == meaning_of(ASKABLE[name].asked.scopes)


NOT_ASKABLE = {
    "client unknown": (Case(client=None), "client_known", "invalid_client_id"),
    "client disabled": (Case(client=replace(CLIENT, is_active=False)), "client_active", "client_inactive"),
    "redirect URI unknown": (
        Case(asked=replace(ASKED, redirect_uri="https://evil.example")),
        "redirect_uri_registered",
        "invalid_redirect_uri",
    ),
    "redirect URI longer": (
        Case(asked=replace(ASKED, redirect_uri="https://app.example/cb/x")),
        "redirect_uri_registered",
        "invalid_redirect_uri",
    ),
    "redirect URI empty": (Case(asked=replace(ASKED, redirect_uri="")), "redirect_uri_registered", "invalid_redirect_uri"),
    "scope unknown": (Case(asked=replace(ASKED, scopes=["read", "admin"])), "scopes_understood", "invalid_scope"),
    "scope malformed": (Case(asked=replace(ASKED, scopes=["read", "bucket:a;b;c"])), "scopes_understood", "invalid_scope"),
    "101 scopes": (Case(asked=replace(ASKED, scopes=["read"] * 101)), "scopes_understood", "invalid_scope"),
    "places too long together": (
        Case(asked=replace(ASKED, scopes=["read", *(f"bucket:{at:02};{'a' * 297}" for at in range(80))])),
        "scopes_short",
        "invalid_scope",
    ),
    "no scope": (Case(asked=replace(ASKED, scopes=[])), "scopes_give_a_permission", "invalid_scope"),
    "places alone": (Case(asked=replace(ASKED, scopes=["bucket:photos"])), "scopes_give_a_permission", "invalid_scope"),
    "more actions than registered": (Case(client=registered("read", "bucket:photos")), "scopes_registered", "invalid_scope"),
    "another place than registered": (Case(client=registered("read", "write", "bucket:p")), "scopes_registered", "invalid_scope"),
    "a wider place than registered": (
        Case(client=registered("read", "write", "bucket:photos;2024/x")),
        "scopes_registered",
        "invalid_scope",
    ),
    "no place where some are registered": (
        Case(asked=replace(ASKED, scopes=["read"]), client=registered("read", "bucket:photos")),
        "scopes_registered",
        "invalid_scope",
    ),
    "PKCE plain": (
        Case(asked=replace(ASKED, code_challenge=CHALLENGE, code_challenge_method="plain")),
        "pkce_usable",
        "invalid_request",
    ),
    "PKCE method alone": (Case(asked=replace(ASKED, code_challenge_method="S256")), "pkce_usable", "invalid_request"),
    "PKCE challenge cut": (Case(asked=replace(ASKED, code_challenge=CHALLENGE[:-1])), "pkce_usable", "invalid_request"),
    "PKCE challenge empty": (Case(asked=replace(ASKED, code_challenge="")), "pkce_usable", "invalid_request"),
    "state too long": (Case(asked=replace(ASKED, state="x" * 4097)), "state_short", "invalid_request"),
    "somebody else's project": (Case(asked=replace(ASKED, project_id="other")), "project_owned", "forbidden"),
    "empty project": (Case(asked=replace(ASKED, project_id="")), "project_owned", "forbidden"),
}


@pytest.mark.parametrize("name", NOT_ASKABLE)
def test_not_askable(name: str) -> None:
    case, check, code = NOT_ASKABLE[name]
    decision = case.judged()
    assert isinstance(decision, NotAskable)
    assert [one.name for one in decision.trail.checks if one.outcome is Outcome.FAILED] == [check]
    assert decision.error.code == code


def test_scopes_that_were_left_out_are_told_from_places_alone() -> None:
    said = [Case(asked=replace(ASKED, scopes=scopes)).judged() for scopes in ([], ["bucket:photos"])]
    assert [one.error.description.partition(";")[0] for one in said if isinstance(one, NotAskable)] == [
        "scope is missing or empty",
        "Bucket scopes alone give no permission",
    ]


def test_of_many_faults_the_first_is_answered_and_all_are_kept() -> None:
    asked = Asked(
        client_id="app", redirect_uri="https://evil.example", scopes=["admin"], state="x" * 5000, code_challenge="x", project_id="other"
    )
    decision = judge(asked, replace(CLIENT, is_active=False), ())
    assert isinstance(decision, NotAskable)
    assert decision.error.code == "client_inactive"
    assert [one.name for one in decision.trail.checks if one.outcome is Outcome.FAILED] == [
        "client_active",
        "redirect_uri_registered",
        "scopes_understood",
        "pkce_usable",
        "state_short",
        "project_owned",
    ]


def test_every_check_has_an_answer() -> None:
    trail = judge(ASKED, CLIENT, ()).trail
    assert {check.name for check in trail.checks} == set(request.ANSWER)


REQUIRED = [
    ((), ["read"], ()),
    (("read",), ["read", "write"], ("read",)),
    (("read", "list"), ["write", "read"], ("read",)),
    (("write",), ["read"], ()),
    (("read", "bucket:a"), ["read", "bucket:a", "bucket:b"], ("read", "bucket:a")),
    (("bucket:a;x",), ["read", "bucket:a;x/"], ("bucket:a;x/",)),
    (("bucket:a",), ["read", "bucket:a;x"], ()),
]


@pytest.mark.parametrize(("required", "asked", "expected"), REQUIRED)
def test_what_cannot_be_left_out(required: tuple[str, ...], asked: list[str], expected: tuple[str, ...]) -> None:
    assert required_of(asked, replace(CLIENT, required_scopes=required)) == expected
