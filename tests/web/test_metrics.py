"""The figures: bounded, and only for whoever has the token."""

import re
from pathlib import Path

import pytest
from tests.stories.running import new_app, person, running

from grantway.web import metrics
from grantway.web.metrics import Metrics


def test_clients_beyond_the_bound_share_one_label() -> None:
    counted = Metrics()
    labels = {counted._client(str(number)) for number in range(metrics.NAMED_CLIENTS + 50)}
    assert len(labels) == metrics.NAMED_CLIENTS + 1
    assert counted._client(None) == "unknown"


def test_figures_over_http(tmp_path: Path) -> None:
    with running(tmp_path, metrics_token="a token of the operator") as server:
        app = new_app(server, person(server, "developer"))
        refused = app.exchange("x" * 20)
        server.wait_for(server.grantway.house.diagnosis.drain())
        text = server.http.get("/metrics", headers={"Authorization": "Bearer a token of the operator"}).text
        assert server.http.get("/metrics").status_code == 404
        assert server.http.get("/metrics", headers=[(b"Authorization", b"Bearer \xff")]).status_code == 404
    assert refused.status_code == 400
    assert f'grantway_findings_total{{cause="code_unknown",client="{app.client_id}",endpoint="token"}} 1.0' in text
    assert 'grantway_answers_total{endpoint="/api/v0/oauth2/token",error="invalid_code",status="400"} 1.0' in text
    assert "grantway_database_commit_seconds_count" in text


@pytest.mark.parametrize("header", ["Bearer", "", "Basic eDp5"])
def test_without_a_token_there_is_nothing(tmp_path: Path, header: str) -> None:
    with running(tmp_path) as server:
        assert server.http.get("/metrics", headers={"Authorization": header}).status_code == 404


def test_the_operators_page_names_every_figure() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text("utf-8")
    told = {line.split(" ")[2] for line in Metrics().text().decode().splitlines() if line.startswith("# HELP") and "_created" not in line}
    assert set(re.findall(r"^\| `(grantway_\w+)`", page, re.MULTILINE)) == told
