"""The comparison with the peers: how its figures are put together, and that its sides really run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bench.compare import figure, table
from bench.compare.measure import BOTH_CORES, JOBS, ONE_CORE, Figures, Measured
from bench.compare.proof import Proved
from bench.compare.sides import SIDES
from bench.load import LoadError, answer_of

ROOT = Path(__file__).parent.parent.parent
# Ory Hydra and Keycloak take minutes to build and to start; they are left to whoever runs the comparison itself.
LIGHT = ["grantway-sqlite", "oidc-provider-memory", "oidc-provider-postgres", "authlib", "django-oauth-toolkit"]
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def measured(*rates: float) -> Measured:
    rounds = {job: [Figures(rate, 1, 2, 300, 40, 0.5, 0.1) for rate in rates] for job in JOBS}
    return Measured(Proved(True, 1), rounds)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (HEAD + b"3\r\nabc\r\n0\r\n\r\n", (200, b"abc")),
        (HEAD + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", (200, b"abcde")),
        (HEAD + b"A\r\n0\r\n\r\n6789a\r\n0\r\n\r\n", (200, b"0\r\n\r\n6789a")),
        (HEAD + b"3\r\nabc\r\n0\r\n", None),
        (HEAD + b"3\r\nab", None),
        (HEAD + b"3", None),
        (HEAD, None),
    ],
)
def test_answers_in_chunks(data: bytes, answer: tuple[int, bytes] | None) -> None:
    assert answer_of(data) == answer


def test_an_answer_of_unknown_length_is_refused() -> None:
    with pytest.raises(LoadError, match="neither Content-Length nor chunks"):
        answer_of(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc")


def test_a_ratio_is_the_median_of_the_rounds_not_of_the_medians() -> None:
    assert table.ratio(measured(100, 300, 800), measured(100, 100, 400), "exchange") == 2


def test_the_table_tells_who_is_missing_and_why() -> None:
    sides, found = SIDES[:3], {side.key: measured(2000) for side in (SIDES[0], SIDES[2])}
    field = table.Field({key: f"about {key}" for key in found}, {SIDES[1].key: "it has no such option"})
    told = table.text(sides, field, {ONE_CORE: found})
    assert "Not measured: Grantway on PostgreSQL: it has no such option." in told
    assert told.count(f"| {SIDES[2].name} | memory | 2,000 | 1.00 | 1.0 | 2.0 | 300 | 1.00 | – | 0 |") == len(JOBS)
    assert all(note in told for note in SIDES[2].notes)
    assert "Other work took 10% of the servers' cores: the rates suffer from it" in told


def test_the_figure_is_one_bar_for_each_rate() -> None:
    found = {side.key: measured(1000 * (number + 1)) for number, side in enumerate(SIDES)}
    drawn = ElementTree.fromstring(figure.svg(SIDES, {ONE_CORE: found, BOTH_CORES: found}, 5))
    space = "{http://www.w3.org/2000/svg}"
    bars = [one for one in drawn.iter(f"{space}rect") if float(one.get("y", "0")) > figure.TOP - 1]
    assert len(bars) == len(SIDES) * len(JOBS) * 2
    assert {round(float(bar.get("width", "0"))) for bar in bars} == {
        round((figure.COLUMN - figure.FOR_NUMBER) * (number + 1) / len(SIDES)) for number in range(len(SIDES))
    }


def test_keys_of_sides_are_unique() -> None:
    assert len({side.key for side in SIDES}) == len(SIDES)


@pytest.mark.slow
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="a benchmark needs two cores")
def test_the_sides_do_all_three_jobs(tmp_path: Path) -> None:
    kept, drawn = tmp_path / "figures.json", tmp_path / "figure.svg"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "bench.compare",
        "--quick",
        "--cores",
        "one",
        "--only",
        ",".join(LIGHT),
        "--json",
        kept,
        "--figure",
        drawn,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(kept.read_text())
    assert told["left_out"] == {}
    sides = told["phases"]["one core"]
    assert list(sides) == LIGHT
    assert all(len(one["rounds"][job]) == 1 and one["rounds"][job][0]["rate"] > 0 for one in sides.values() for job in JOBS)
    # What must hold of ours, and what the set-up of theirs must not have lost.
    assert sides["grantway-sqlite"]["proved"] == {"refuses_replayed_jwt": True, "most_tokens_for_one_code": 1}
    assert all(sides[key]["proved"]["refuses_replayed_jwt"] for key in ("oidc-provider-memory", "oidc-provider-postgres", "authlib"))
    assert ElementTree.parse(drawn).getroot().tag.endswith("svg")
