"""Why apps were refused, for the operator: what `findings` and `explain` print of what a server has answered."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.stories.running import approved, new_app, person, running


@dataclass
class Answered:
    """The data folder of a server that has ended, the app, and the trace ids of what was answered, the oldest first."""

    data: Path
    client_id: str
    wrong_key: str
    nobody: str
    granted: str


@pytest.fixture
def answered(tmp_path: Path) -> Answered:
    with running(tmp_path / "data") as server:
        developer, user = person(server, "developer"), person(server, "user")
        app = new_app(server, developer)
        answers = (
            app.exchange(approved(user, app), client_secret=app.jwt(secret="k" * 40)),
            app.exchange("x" * 20, client_id="nobody"),
            app.exchange(approved(user, app)),
        )
        assert [answer.status_code for answer in answers] == [401, 401, 200]
        return Answered(
            tmp_path / "data", app.client_id, *(answer.headers.get("grantway-trace-id") or answer.json()["trace_id"] for answer in answers)
        )


def test_a_row_says_what_was_called_and_by_whom(run: Run, answered: Answered) -> None:
    ended = run("findings", "--granted", "--data", answered.data)
    assert (ended.code, ended.err) == (0, "")
    assert {tuple(line.split("  ")[1:]) for line in ended.out.splitlines()} == {
        (answered.wrong_key, "POST /api/v0/oauth2/token 401", "unknown_key", answered.client_id),
        (answered.nobody, "POST /api/v0/oauth2/token 401", "client_unknown", "nobody"),
        (answered.granted, "POST /api/v0/oauth2/token 200", "granted", answered.client_id),
    }


def test_narrowed(run: Run, answered: Answered) -> None:
    narrowed = {
        (): {answered.wrong_key, answered.nobody},
        ("--cause", "client_unknown"): {answered.nobody},
        ("--cause", "UNKNOWN_KEY"): {answered.wrong_key},
        ("--client", answered.client_id): {answered.wrong_key},
        ("--client", answered.client_id, "--granted"): {answered.wrong_key, answered.granted},
        ("--proved",): set(),
        ("--not-proved",): {answered.wrong_key, answered.nobody},
        ("--hours", "1"): {answered.wrong_key, answered.nobody},
        ("--hours", "0"): set(),
    }
    for options, expected in narrowed.items():
        ended = run("findings", *options, "--data", answered.data, "--json")
        assert {one["trace_id"] for one in ended.json["findings"]} == expected, options
    assert len(run("findings", "--limit", "1", "--data", answered.data).out.splitlines()) == 1
    assert run("findings", "--proved", "--data", answered.data).out == "Nothing was refused.\n"
    none = run("findings", "--granted", "--hours", "0", "--data", answered.data)
    assert none.out == "There are no findings.\n"


def test_a_cause_that_there_is_not(run: Run, answered: Answered) -> None:
    ended = run("findings", "--cause", "bad_luck", "--data", answered.data)
    assert (ended.code, ended.out) == (2, "")
    assert "there is no cause 'bad_luck'" in ended.err


def test_explained(run: Run, answered: Answered) -> None:
    ended = run("explain", answered.nobody, "--data", answered.data)
    assert ended.code == 0
    assert ended.out.startswith("POST /api/v0/oauth2/token answered 401 invalid_client to nobody, ")
    assert "[client_unknown]" in ended.out
    assert "The request was granted." in run("explain", answered.granted, "--data", answered.data).out
    unknown = run("explain", "0" * 32, "--data", answered.data)
    assert (unknown.code, unknown.out) == (1, "")
    assert "no finding under this trace_id" in unknown.err
