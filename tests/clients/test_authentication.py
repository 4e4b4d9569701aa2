"""The judge of clients: each row changes one thing about an assertion that works."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.json_values import json_values

from grantway.clients import assertion
from grantway.clients.assertion import Assertion
from grantway.clients.authentication import Authenticated, LiveSecret, NotAuthenticated, Presented, judge
from grantway.clients.client import Client
from grantway.oauth_error import CLIENT_SECRET_EXPIRED, INVALID_CLIENT
from grantway.trail import Outcome

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = int(NOW.timestamp())
SECRET, OLD_SECRET, WRONG_SECRET = "s" * 64, "o" * 64, "w" * 64
CODE, OTHER_CODE = b"c" * 32, b"d" * 32
AUDIENCES = frozenset({"https://grantway.example", "https://grantway.example/api/v0/oauth2/token"})
CLIENT = Client(
    row_id="row",
    client_id="app",
    developer_id="dev",
    name="App",
    description="",
    redirect_uris=("https://app.example/cb",),
    scopes=(),
    required_scopes=(),
    is_active=True,
    created_at=NOW,
    updated_at=NOW,
)
DUMMIES = (LiveSecret(version=None, key=b"x" * 64), LiveSecret(version=None, key=b"y" * 64))
ONE_SECRET = (LiveSecret(version=1, key=SECRET.encode()), DUMMIES[0])
TWO_SECRETS = (LiveSecret(version=2, key=SECRET.encode()), LiveSecret(version=1, key=OLD_SECRET.encode()))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request that authenticates, unless something of it is changed."""

    claims: Mapping[str, Any] = field(default_factory=dict)
    """These replace the assertion's own; None leaves one out."""
    header: Mapping[str, Any] = field(default_factory=lambda: {"alg": "HS256", "typ": "JWT"})
    signed_with: str = SECRET
    body_client_id: str = "app"
    client: Client | None = CLIENT
    secrets: tuple[LiveSecret, ...] = ONE_SECRET
    consumed_by: bytes | None = None
    unreadable: bool = False

    def assertion(self) -> Assertion:
        claims = {"client_id": "app", "exp": SECOND + 240, **self.claims}
        text = assertion.sign({name: value for name, value in claims.items() if value is not None}, self.signed_with)
        read = assertion.read(text)
        return replace(read, header=dict(self.header))

    def judged(self) -> Authenticated | NotAuthenticated:
        presented = Presented(
            client_id=self.body_client_id,
            assertion=None if self.unreadable else self.assertion(),
            unreadable="cut" if self.unreadable else None,
            code_digest=CODE,
        )
        return judge(presented, self.client, self.secrets, self.consumed_by, AUDIENCES, NOW)


WORKS = {
    "nothing changed": Case(),
    "exp a moment ahead": Case(claims={"exp": SECOND + 1}),
    "exp less than a second ahead": Case(claims={"exp": SECOND + 0.001}),
    "exp 6 minutes ahead": Case(claims={"exp": SECOND + 360}),
    "exp a float": Case(claims={"exp": SECOND + 240.5}),
    "iat now": Case(claims={"iat": SECOND}),
    "iat a minute ahead": Case(claims={"iat": SECOND + 60}),
    "iat long ago": Case(claims={"iat": 0}),
    "iat before every calendar": Case(claims={"iat": -1e300}),
    "nbf a minute ahead": Case(claims={"nbf": SECOND + 60}),
    "iss any string": Case(claims={"iss": "storx-client"}),
    "jti": Case(claims={"jti": "1"}),
    "a claim nobody knows": Case(claims={"colour": "blue"}),
    "aud our issuer": Case(claims={"aud": "https://grantway.example"}),
    "aud our token URL": Case(claims={"aud": "https://grantway.example/api/v0/oauth2/token"}),
    "aud a list with us": Case(claims={"aud": ["https://other.example", "https://grantway.example"]}),
    "no typ": Case(header={"alg": "HS256"}),
    "typ something else": Case(header={"alg": "HS256", "typ": "at+jwt"}),
    "kid": Case(header={"alg": "HS256", "kid": "1"}),
    "retried with the same code": Case(consumed_by=CODE),
    "the newer of two secrets": Case(secrets=TWO_SECRETS),
    "the older of two secrets": Case(secrets=TWO_SECRETS, signed_with=OLD_SECRET),
}


@pytest.mark.parametrize("name", WORKS)
def test_works(name: str) -> None:
    decision = WORKS[name].judged()
    assert isinstance(decision, Authenticated), decision.trail.first_failed
    assert decision.trail.passed
    assert decision.client == CLIENT
    assert decision.assertion_digest == WORKS[name].assertion().digest


def test_the_version_of_the_secret_is_told() -> None:
    for case, version in ((WORKS["nothing changed"], 1), (WORKS["the newer of two secrets"], 2), (WORKS["the older of two secrets"], 1)):
        decision = case.judged()
        assert isinstance(decision, Authenticated)
        assert decision.secret_version == version


def test_the_end_of_the_assertion_is_told() -> None:
    decision = Case(claims={"exp": SECOND + 360}).judged()
    assert isinstance(decision, Authenticated)


FAULTS = {
    "unreadable": (Case(unreadable=True), "assertion_readable"),
    "alg none": (Case(header={"alg": "none"}), "algorithm_expected"),
    "alg None": (Case(header={"alg": "None"}), "algorithm_expected"),
    "alg in lower case": (Case(header={"alg": "hs256"}), "algorithm_expected"),
    "alg HS512": (Case(header={"alg": "HS512"}), "algorithm_expected"),
    "alg RS256": (Case(header={"alg": "RS256"}), "algorithm_expected"),
    "alg missing": (Case(header={"typ": "JWT"}), "algorithm_expected"),
    "alg null": (Case(header={"alg": None}), "algorithm_expected"),
    "alg a list": (Case(header={"alg": ["HS256"]}), "algorithm_expected"),
    "crit": (Case(header={"alg": "HS256", "crit": ["exp"]}), "algorithm_expected"),
    "crit empty": (Case(header={"alg": "HS256", "crit": []}), "algorithm_expected"),
    "client_id missing": (Case(claims={"client_id": None}), "claims_present"),
    "client_id a number": (Case(claims={"client_id": 1}), "claims_present"),
    "client_id a list": (Case(claims={"client_id": ["app"]}), "claims_present"),
    "exp missing": (Case(claims={"exp": None}), "claims_present"),
    "exp a string": (Case(claims={"exp": str(SECOND + 240)}), "claims_present"),
    "exp a boolean": (Case(claims={"exp": True}), "claims_present"),
    "exp a list": (Case(claims={"exp": [SECOND + 240]}), "claims_present"),
    "client unknown": (Case(client=None, secrets=DUMMIES), "client_known"),
    "client disabled": (Case(client=replace(CLIENT, is_active=False)), "client_active"),
    "wrong secret": (Case(signed_with=WRONG_SECRET), "signature_valid"),
    "no live secret": (Case(secrets=DUMMIES), "signature_valid"),
    "signed with what stands in for a secret": (Case(secrets=(LiveSecret(version=None, key=SECRET.encode()),)), "signature_valid"),
    "exp now": (Case(claims={"exp": SECOND}), "not_expired"),
    "exp a second ago": (Case(claims={"exp": SECOND - 1}), "not_expired"),
    "exp zero": (Case(claims={"exp": 0}), "not_expired"),
    "exp negative": (Case(claims={"exp": -1}), "not_expired"),
    "exp before every calendar": (Case(claims={"exp": -1e300}), "not_expired"),
    "exp at the calendar's beginning": (Case(claims={"exp": -62_135_596_800}), "not_expired"),
    "other client_id": (Case(claims={"client_id": "other"}), "client_ids_equal"),
    "client_id in capitals": (Case(claims={"client_id": "APP"}), "client_ids_equal"),
    "client_id with a space": (Case(claims={"client_id": "app "}), "client_ids_equal"),
    "exp a moment too far": (Case(claims={"exp": SECOND + 360.001}), "not_too_long"),
    "exp 361 s ahead": (Case(claims={"exp": SECOND + 361}), "not_too_long"),
    "exp in milliseconds": (Case(claims={"exp": (SECOND + 240) * 1000}), "not_too_long"),
    "exp at the calendar's end": (Case(claims={"exp": 253_402_300_799}), "not_too_long"),
    "exp just before the calendar's end": (Case(claims={"exp": 253_402_300_798.9999}), "not_too_long"),
    "exp beyond the calendar": (Case(claims={"exp": 253_402_300_800}), "not_too_long"),
    "exp 1e300": (Case(claims={"exp": 1e300}), "not_too_long"),
    "iat 61 s ahead": (Case(claims={"iat": SECOND + 61}), "iat_not_ahead"),
    "iat a string": (Case(claims={"iat": "now"}), "iat_not_ahead"),
    "iat a boolean": (Case(claims={"iat": False}), "iat_not_ahead"),
    "iat 1e300": (Case(claims={"iat": 1e300}), "iat_not_ahead"),
    "nbf 61 s ahead": (Case(claims={"nbf": SECOND + 61}), "nbf_not_ahead"),
    "nbf a string": (Case(claims={"nbf": "now"}), "nbf_not_ahead"),
    "aud somebody else": (Case(claims={"aud": "https://other.example"}), "audience_ours"),
    "aud with a slash": (Case(claims={"aud": "https://grantway.example/"}), "audience_ours"),
    "aud in http": (Case(claims={"aud": "http://grantway.example"}), "audience_ours"),
    "aud a number": (Case(claims={"aud": 1}), "audience_ours"),
    "aud a boolean": (Case(claims={"aud": False}), "audience_ours"),
    "aud empty": (Case(claims={"aud": ""}), "audience_ours"),
    "aud an object": (Case(claims={"aud": {"https://grantway.example": 1}}), "audience_ours"),
    "aud an empty list": (Case(claims={"aud": []}), "audience_ours"),
    "aud a list of others": (Case(claims={"aud": ["https://other.example", 1, None, ["https://grantway.example"]]}), "audience_ours"),
    "used for another code": (Case(consumed_by=OTHER_CODE), "not_replayed"),
}


def failed(decision: Authenticated | NotAuthenticated) -> list[str]:
    return [check.name for check in decision.trail.checks if check.outcome is Outcome.FAILED]


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault(name: str) -> None:
    case, check = FAULTS[name]
    decision = case.judged()
    assert isinstance(decision, NotAuthenticated)
    assert decision.trail.first_failed == check
    assert decision.error is (CLIENT_SECRET_EXPIRED if check == "not_expired" else INVALID_CLIENT)
    also = {"client unknown": ["signature_valid"], "client_id missing": ["client_ids_equal"], "client_id a number": ["client_ids_equal"]}
    allowed = also.get(name, ["client_ids_equal"] if name == "client_id a list" else [])
    assert failed(decision) == [check, *allowed]


@given(
    st.dictionaries(st.sampled_from(["client_id", "exp", "iat", "nbf", "aud", "iss", "sub", "jti"]), json_values),
    st.dictionaries(st.sampled_from(["alg", "crit", "typ"]), json_values),
    st.booleans(),
)
@example({"client_id": "app", "sub": "app", "iss": ["app"]}, {"alg": "HS256"}, True)
def test_whatever_the_claims_hold_is_judged(claims: dict[str, Any], header: dict[str, Any], is_rfc7523: bool) -> None:
    presented = replace(Case().assertion(), claims=claims, header=header)
    request = Presented(client_id="app", assertion=presented, code_digest=CODE, is_rfc7523=is_rfc7523)
    decision = judge(request, CLIENT, ONE_SECRET, None, AUDIENCES, NOW)
    assert isinstance(decision, Authenticated) is decision.trail.passed


EXPIRED = {"exp": SECOND - 1}
ORDER = {
    "expired and the wrong key": (Case(claims=EXPIRED, signed_with=WRONG_SECRET), "signature_valid"),
    "expired and the client disabled": (Case(claims=EXPIRED, client=replace(CLIENT, is_active=False)), "client_active"),
    "expired and the client unknown": (Case(claims=EXPIRED, client=None, secrets=DUMMIES), "client_known"),
    "expired and the algorithm wrong": (Case(claims=EXPIRED, header={"alg": "none"}), "algorithm_expected"),
    "expired and another client_id": (Case(claims={**EXPIRED, "client_id": "other"}), "not_expired"),
    "expired and replayed": (Case(claims=EXPIRED, consumed_by=OTHER_CODE), "not_expired"),
    "expired and iat ahead": (Case(claims={**EXPIRED, "iat": SECOND + 61}), "not_expired"),
    "expired and for others": (Case(claims={**EXPIRED, "aud": "x"}), "not_expired"),
    "wrong key and another client_id": (Case(claims={"client_id": "other"}, signed_with=WRONG_SECRET), "signature_valid"),
    "unreadable and the client unknown": (Case(unreadable=True, client=None, secrets=DUMMIES), "assertion_readable"),
}


@pytest.mark.parametrize("name", ORDER)
def test_of_two_faults_the_first_is_answered(name: str) -> None:
    case, check = ORDER[name]
    decision = case.judged()
    assert isinstance(decision, NotAuthenticated)
    assert decision.trail.first_failed == check
    assert decision.error is (CLIENT_SECRET_EXPIRED if check == "not_expired" else INVALID_CLIENT)
    assert len(failed(decision)) >= 2


def test_independent_faults_are_all_in_the_trail() -> None:
    case = Case(
        header={"alg": "none"},
        claims={"client_id": "other", "exp": SECOND - 1, "iat": SECOND + 61, "nbf": SECOND + 61, "aud": "x"},
        signed_with=WRONG_SECRET,
        client=replace(CLIENT, is_active=False),
        consumed_by=OTHER_CODE,
    )
    assert failed(case.judged()) == [
        "algorithm_expected",
        "client_active",
        "signature_valid",
        "not_expired",
        "client_ids_equal",
        "iat_not_ahead",
        "nbf_not_ahead",
        "audience_ours",
        "not_replayed",
    ]


def test_what_could_not_be_checked_is_not_reached() -> None:
    outcomes = {check.name: check.outcome for check in Case(unreadable=True, client=None).judged().trail.checks}
    assert outcomes == {
        "assertion_readable": Outcome.FAILED,
        "client_known": Outcome.FAILED,
        **dict.fromkeys(outcomes.keys() - {"assertion_readable", "client_known"}, Outcome.NOT_REACHED),
    }
    assert set(outcomes) == {check.name for check in Case().judged().trail.checks}


@pytest.mark.parametrize("case", [Case(), Case(client=None, secrets=DUMMIES), Case(signed_with=WRONG_SECRET), Case(secrets=TWO_SECRETS)])
def test_every_secret_is_tried(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known or not, matching or not: the same number of signatures."""
    tried: list[bytes] = []
    really: Callable[[Assertion, bytes], bool] = Assertion.is_signed_with

    def counted(self: Assertion, key: bytes) -> bool:
        tried.append(key)
        return really(self, key)

    monkeypatch.setattr(Assertion, "is_signed_with", counted)
    case.judged()
    assert len(tried) == 2


def test_nothing_secret_is_in_the_trail() -> None:
    case = FAULTS["wrong secret"][0]
    text = repr(case.judged())
    assert case.assertion().signature.hex() not in text
    for secret in (SECRET, WRONG_SECRET):
        assert secret not in text
    assert repr(LiveSecret(version=1, key=SECRET.encode())) == "LiveSecret(version=1)"
