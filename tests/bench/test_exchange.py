"""The exchange beside the peer with id_tokens and without: both ratios are told, and the bar stands beside the first."""

import json
from pathlib import Path

import pytest
from bench.exchange import Round, Turn, report
from bench.load import LoadError

from bench import flow


def at(rate: float) -> Round:
    return Round(rate, p50=1.0, p99=2.0, server_cpu=300.0, generator_busy=0.1)


@pytest.mark.parametrize(("signing", "plain", "met"), [(1000, 3900, True), (3900, 1000, False), (2000, 2000, True), (2001, 2000, False)])
def test_the_bar_stands_beside_the_first_peer(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, signing: float, plain: float, met: bool
) -> None:
    turns = [Turn(at(ours), (at(signing), at(plain))) for ours in (2000, 3000, 9000)]
    written = tmp_path / "figures.json"
    assert report(turns, ["RS256", "none"], written, {"python": "3"}, (1.5, 2.5)) is met
    told = capsys.readouterr().out
    for words, rate in (("beside one that signs id_tokens with RS256", signing), ("beside one without id_tokens", plain)):
        assert f"median ratio {words} {3000 / rate:.2f}; bar 1.5: {'met' if 3000 / rate >= 1.5 else 'not met'}, aim 2.5:" in told
    figures = json.loads(written.read_text())
    assert figures["median_ratios"] == {"RS256": 3000 / signing, "none": 3000 / plain}
    assert figures["median"]["peers"]["none"]["rate"] == plain


def test_id_tokens_may_be_equal_and_must_be_there() -> None:
    flow.check_there([b'{"id_token": "a"}', b'{"id_token": "a"}'], "id_token")
    for without in (b"{}", b'{"id_token": ""}'):
        with pytest.raises(LoadError, match="without id_token"):
            flow.check_there([b'{"id_token": "a"}', without], "id_token")
