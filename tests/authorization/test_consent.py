"""What did the person allow? Each row changes one thing about a decision that approves."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.authorization.cases import CLIENT, NOW, REQUEST

from grantway.authorization import consent
from grantway.authorization.consent import Approved, Decision, NotDecidable, Rejected, judge
from grantway.authorization.request import AccessRequest, AnswerOutcome, Status
from grantway.scopes.meaning import meaning_of
from grantway.trail import Outcome

ALL = ("read", "write", "bucket:photos;2024/", "bucket:music")
DECISION = Decision(request_id="request", approved=ALL, rejected=())
NEW_HOME = replace(REQUEST, client=replace(CLIENT, redirect_uris=("https://new.example/cb", "https://app.example/cb/more")))


@dataclass(frozen=True, kw_only=True)
class Case:
    decision: Decision = DECISION
    request: AccessRequest | None = REQUEST
    user_id: str = "user"
    owned: tuple[str, ...] = ("project", "second")

    def judged(self) -> Approved | Rejected | NotDecidable:
        return judge(self.decision, self.request, self.user_id, self.owned, NOW)


def deciding(**changes: Any) -> Case:
    return Case(decision=replace(DECISION, **changes))


def requesting(**changes: Any) -> Case:
    return Case(request=replace(REQUEST, **changes))


def client_with(**changes: Any) -> AccessRequest:
    return replace(REQUEST, client=replace(CLIENT, **changes))


NESTED = ("read", "bucket:photos", "bucket:photos;2024", "bucket:photos;2024/may")


def whole(*approved: str, rejected: tuple[str, ...]) -> Case:
    """Of an app that asked for the whole project."""
    return Case(decision=replace(DECISION, approved=approved, rejected=rejected), request=replace(REQUEST, scopes=("read", "write")))


def nested(*approved: str, rejected: tuple[str, ...] = (), required: tuple[str, ...] = ()) -> Case:
    """Of an app that asked for places that lie in each other."""
    return Case(
        decision=replace(DECISION, approved=["read", *approved], rejected=rejected),
        request=replace(client_with(required_scopes=required), scopes=NESTED),
    )


APPROVED = {
    "nothing changed": (Case(), ALL, ()),
    "one action only": (
        deciding(approved=["read", "bucket:photos;2024/", "bucket:music"], rejected=["write"]),
        ("read", "bucket:photos;2024/", "bucket:music"),
        ("write",),
    ),
    "rejections left out": (deciding(approved=["read", "bucket:music"]), ("read", "bucket:music"), ("write", "bucket:photos;2024/")),
    "spelled differently": (
        deciding(approved=["write", "read", "bucket:photos;prefix:2024", "bucket:%6Dusic"]),
        ("write", "read", "bucket:photos;prefix:2024", "bucket:%6Dusic"),
        (),
    ),
    "a narrower place": (
        deciding(approved=["read", "bucket:photos;2024/summer"]),
        ("read", "bucket:photos;2024/summer"),
        ("write", "bucket:music"),
    ),
    "something approved twice": (
        deciding(approved=["read", "read", "bucket:music"]),
        ("read", "bucket:music"),
        ("write", "bucket:photos;2024/"),
    ),
    "no action, which gives no permission": (
        deciding(approved=["bucket:music"]),
        ("bucket:music",),
        ("read", "write", "bucket:photos;2024/"),
    ),
    "something rejected that was not asked": (deciding(rejected=["delete"]), ALL, ()),
    "a place rejected that was not asked, and one of the project approved": (
        whole("read", "write", "bucket:photos", rejected=("bucket:music",)),
        ("read", "write", "bucket:photos"),
        (),
    ),
    "a place added where none was asked": (
        Case(request=replace(REQUEST, scopes=("read",)), decision=replace(DECISION, approved=["read", "bucket:x"])),
        ("read", "bucket:x"),
        (),
    ),
    "what is required is approved": (
        Case(request=client_with(required_scopes=("read", "bucket:music")), decision=replace(DECISION, approved=["read", "bucket:music"])),
        ("read", "bucket:music"),
        ("write", "bucket:photos;2024/"),
    ),
    "a required place is approved in part": (
        Case(request=client_with(required_scopes=("bucket:music",)), decision=replace(DECISION, approved=["read", "bucket:music;x"])),
        ("read", "bucket:music;x"),
        ("write", "bucket:photos;2024/"),
    ),
    "a place in which others lie": (nested("bucket:photos"), ("read", "bucket:photos"), ()),
    "a place in which a required one lies": (
        nested("bucket:photos", required=("bucket:photos;2024",)),
        ("read", "bucket:photos"),
        (),
    ),
    "one of three that lie in each other": (
        nested("bucket:photos;2024", rejected=("bucket:photos",)),
        ("read", "bucket:photos;2024"),
        (),
    ),
    "one of its redirect URIs left": (Case(request=client_with(redirect_uris=("https://new.example/cb", REQUEST.redirect_uri))), ALL, ()),
    "a loopback redirect URI on another port": (requesting(redirect_uri="http://localhost:51004/cb"), ALL, ()),
    "registered scopes that still hold it": (Case(request=client_with(scopes=("read", "write", "bucket:photos", "bucket:music"))), ALL, ()),
}


@pytest.mark.parametrize("name", APPROVED)
def test_approved(name: str) -> None:
    case, scopes, rejected = APPROVED[name]
    decision = case.judged()
    assert isinstance(decision, Approved), decision
    assert decision.trail.passed
    assert decision.scopes == scopes
    assert set(decision.rejected) == set(rejected)
    assert decision.meaning == meaning_of(scopes)
    assert decision.project_id == "project"


def test_the_end_is_in_whole_seconds() -> None:
    decision = deciding(lifetime=timedelta(seconds=60)).judged()
    assert isinstance(decision, Approved)
    assert decision.not_after == datetime(2026, 3, 1, 12, 1, tzinfo=UTC)


PROJECTS = [
    (None, None, ("project", "second"), "project"),
    ("second", None, ("project", "second"), "second"),
    (None, "second", ("project", "second"), "second"),
    ("project", "second", ("project", "second"), "second"),
    (None, None, (), None),
]


@pytest.mark.parametrize(("requested", "decided", "owned", "expected"), PROJECTS)
def test_which_project(requested: str | None, decided: str | None, owned: tuple[str, ...], expected: str | None) -> None:
    case = Case(request=replace(REQUEST, project_id=requested), decision=replace(DECISION, project_id=decided), owned=owned)
    decision = case.judged()
    assert isinstance(decision, Approved)
    assert decision.project_id == expected


REJECTED = {
    "nothing approved": (deciding(approved=[]), ALL),
    "all rejected": (deciding(approved=[], rejected=ALL), ALL),
    "all of a project rejected, and a place": (whole(rejected=("read", "write", "bucket:photos")), ("read", "write")),
    "approve is false": (deciding(approve=False), ALL),
    "approve is false, and scopes on both sides": (deciding(approve=False, rejected=ALL), ALL),
    "approve is false, and beyond what was asked": (deciding(approve=False, approved=["delete"]), ALL),
    "a required action missing": (
        Case(request=client_with(required_scopes=("write",)), decision=replace(DECISION, approved=["read", "bucket:music"])),
        ("write", "bucket:photos;2024/"),
    ),
    "a required place missing": (
        Case(request=client_with(required_scopes=("bucket:photos;2024",)), decision=replace(DECISION, approved=["read", "bucket:music"])),
        ("write", "bucket:photos;2024/"),
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_rejected(name: str) -> None:
    case, rejected = REJECTED[name]
    decision = case.judged()
    assert isinstance(decision, Rejected), decision
    assert set(decision.rejected) == set(rejected)


NOT_DECIDABLE = {
    "unknown": (Case(request=None), "request_known", "invalid_request_id"),
    "somebody else's": (Case(user_id="other"), "request_yours", "forbidden"),
    "approved before": (requesting(status=Status.APPROVED), "request_pending", "request_not_pending"),
    "rejected before": (requesting(status=Status.REJECTED), "request_pending", "request_not_pending"),
    "expired now": (requesting(expires_at=NOW), "request_fresh", "request_expired"),
    "client disabled": (Case(request=client_with(is_active=False)), "client_active", "client_inactive"),
    "redirect URI taken off": (Case(request=NEW_HOME), "redirect_uri_registered", "invalid_redirect_uri"),
    "redirect URI taken off, and denied": (
        Case(request=NEW_HOME, decision=replace(DECISION, approve=False)),
        "redirect_uri_registered",
        "invalid_redirect_uri",
    ),
    "redirect URI taken off, and nothing approved": (
        Case(request=NEW_HOME, decision=replace(DECISION, approved=[])),
        "redirect_uri_registered",
        "invalid_redirect_uri",
    ),
    "loopback redirect URI taken off": (
        Case(request=replace(NEW_HOME, redirect_uri="http://localhost:51004/cb")),
        "redirect_uri_registered",
        "invalid_redirect_uri",
    ),
    "somebody else's project": (deciding(project_id="other"), "project_owned", "forbidden"),
    "the request's project is gone": (requesting(project_id="gone"), "project_owned", "forbidden"),
    "both approved and rejected": (deciding(rejected=["read"]), "not_contradictory", "invalid_request"),
    "both, spelled differently": (deciding(rejected=["bucket:photos;prefix:2024"]), "not_contradictory", "invalid_request"),
    "rejected, but in an approved place": (
        nested("bucket:photos", rejected=("bucket:photos;2024",)),
        "not_contradictory",
        "invalid_request",
    ),
    "rejected, but in the approved part of one": (
        nested("bucket:photos;2024/may", rejected=("bucket:photos;2024/may/1",)),
        "not_contradictory",
        "invalid_request",
    ),
    "a place rejected, and the whole project approved": (
        whole("read", rejected=("write", "bucket:photos")),
        "not_contradictory",
        "invalid_request",
    ),
    "approved unknown": (deciding(approved=["read", "admin", "bucket:music"]), "scopes_understood", "invalid_scope"),
    "rejected unknown": (deciding(rejected=["admin"]), "scopes_understood", "invalid_scope"),
    "101 approved": (deciding(approved=["read"] * 101), "scopes_understood", "invalid_scope"),
    "an action that was not asked": (deciding(approved=[*ALL, "delete"]), "within_the_request", "invalid_scope"),
    "a place that was not asked": (deciding(approved=[*ALL, "bucket:other"]), "within_the_request", "invalid_scope"),
    "a wider place": (deciding(approved=["read", "bucket:photos"]), "within_the_request", "invalid_scope"),
    "a sibling that begins alike": (deciding(approved=["read", "bucket:photos;2024x"]), "within_the_request", "invalid_scope"),
    "the last place rejected": (
        deciding(approved=["read", "write"], rejected=["bucket:photos;2024/", "bucket:music"]),
        "within_the_request",
        "invalid_scope",
    ),
    "no longer registered": (Case(request=client_with(scopes=("read",))), "scopes_registered", "invalid_scope"),
}


@pytest.mark.parametrize("name", NOT_DECIDABLE)
def test_not_decidable(name: str) -> None:
    case, check, code = NOT_DECIDABLE[name]
    decision = case.judged()
    assert isinstance(decision, NotDecidable), decision
    assert [one.name for one in decision.trail.checks if one.outcome is Outcome.FAILED] == [check]
    assert decision.error.code == code


def test_every_check_has_an_answer() -> None:
    assert {check.name for check in Case().judged().trail.checks} == set(consent.ANSWER)


OF_THE_APP = {"request_pending", "request_fresh", "client_active", "redirect_uri_registered", "scopes_registered"}


@pytest.mark.parametrize("name", NOT_DECIDABLE)
def test_what_the_app_sees_of_a_refused_decision(name: str) -> None:
    case, check, _ = NOT_DECIDABLE[name]
    refused = case.judged()
    assert isinstance(refused, NotDecidable)
    seen = consent.seen_by_app(refused.trail)
    assert (seen is not None) == (check in OF_THE_APP)
    if seen is not None:
        assert seen.first_failed == check
        assert {one.name for one in seen.checks} >= {"request_known", "client_active"}
        assert not {one.name for one in seen.checks} & {"project_owned", "scopes_understood", "not_contradictory", "within_the_request"}


@pytest.mark.parametrize("also", [deciding(approve=False), deciding(project_id="other"), deciding(approved=["delete"])])
def test_what_was_chosen_makes_no_difference_to_what_the_app_sees(also: Case) -> None:
    trails = [replace(one, request=client_with(is_active=False)).judged().trail for one in (Case(), also)]
    told = [seen.checks for trail in trails if (seen := consent.seen_by_app(trail))]
    assert told[0] == told[1]


def test_what_changed_before_a_decision_was_stored_is_as_if_it_had_been_judged_then() -> None:
    for outcome in AnswerOutcome:
        if outcome is not AnswerOutcome.RECORDED:
            refused = consent.not_recorded(outcome)
            assert refused.trail is not None
            assert refused.error == consent.ANSWER[refused.trail.first_failed or ""]
            assert consent.seen_by_app(refused.trail) is not None
