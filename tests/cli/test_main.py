"""The command as a whole: help, version, settings, and the demonstration as a process of its own."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.cli.conftest import Run

from grantway import __version__
from grantway.app import opened
from grantway.cli import serve
from grantway.cli.main import app
from grantway.config import Config


def commands(command: Any, name: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every command with its path."""
    found = {name: command}
    for part, below in getattr(command, "commands", {}).items():
        found |= commands(below, (*name, part))
    return found


ALL = commands(typer.main.get_command(app))


def test_there_are_all_groups() -> None:
    assert {name[0] for name in ALL if name} == {
        "serve",
        "demo",
        "findings",
        "explain",
        "doctor",
        "self-test",
        "keys",
        "db",
        "clients",
        "users",
        "developers",
        "assertion",
        "access",
        "config",
    }


@pytest.mark.parametrize("name", ALL, ids=" ".join)
def test_help(run: Run, name: tuple[str, ...]) -> None:
    ended = run(*name, "--help")
    assert (ended.code, ended.err) == (0, "")
    for parameter in ALL[name].params:
        for option in parameter.opts:
            assert option in ended.out or parameter.param_type_name == "argument"
    for below in getattr(ALL[name], "commands", {}):
        assert below in ended.out


def test_version(run: Run) -> None:
    assert run("--version").out == f"grantway {__version__}\n"


@pytest.mark.parametrize("arguments", [("fly",), ("--fly",), ("clients", "fly"), ("serve", "--port", "http"), ("serve", "--port", "70000")])
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err


NO_TEXT = {
    "a client": ("clients", "show", "\udcff"),
    "a trace id": ("explain", "\udcff"),
    "an option": ("findings", "--client", "a\udcffb"),
    "glued to its option": ("assertion", "make", "--client-id=\udcff"),
    "a bucket": ("access", "check", "--action", "list", "--bucket", "\udcff"),
    "a file": ("db", "backup", "b\udcff"),
    "no command": ("\udcff",),
}


@pytest.mark.parametrize("arguments", NO_TEXT.values(), ids=NO_TEXT)
def test_an_argument_that_is_no_text(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"grantway: argument {len(arguments)} is no text")
    assert len(ended.err.splitlines()) == 1


OBEYED = "\x1b[31m\u202ex"
TOLD_AS = "\\x1b[31m\\u202ex"
ESCAPED: dict[str, tuple[str, ...]] = {
    "a file": ("access", "inspect", OBEYED),
    "a folder": ("db", "status", "--data", OBEYED),
    "a variable": ("assertion", "make", "--client-id", "a", "--secret-env", OBEYED),
    "a cause": ("findings", "--cause", OBEYED),
    "a host": ("serve", "--port", "0", "--host", OBEYED),
}


@pytest.mark.parametrize("arguments", ESCAPED.values(), ids=ESCAPED)
def test_what_a_terminal_would_obey_is_told_as_an_escape(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.code in {2, 3}
    assert ended.err.startswith("grantway: ")
    assert TOLD_AS in ended.err
    assert ended.err.rstrip("\n").isprintable()


def test_a_secret_comes_from_one_place(run: Run, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "correct horse")
    ended = run("assertion", "make", "--client-id", "app", "--secret-env", "SECRET", "--secret-file", files / "secret")
    assert (ended.code, ended.out) == (2, "")
    assert "give one of them" in ended.err
    assert "horse" not in ended.err


def test_a_secret_that_is_no_text(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "correct horse \udcff")
    ended = run("assertion", "make", "--client-id", "app", "--secret-env", "SECRET")
    assert (ended.code, ended.out) == (2, "")
    assert "SECRET holds no text" in ended.err
    assert "horse" not in ended.err


@pytest.mark.parametrize("hours", ["-1", "876001", "99999999", "1e308", "inf", "nan"])
def test_hours_that_are_none(run: Run, data: Path, hours: str) -> None:
    ended = run("findings", "--data", data, "--hours", hours)
    assert (ended.code, ended.out) == (2, "")
    assert "--hours" in ended.err
    assert run("findings", "--data", data, "--hours", "876000").code == 0


POOR = {"C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "latin-1": {"PYTHONIOENCODING": "latin-1"}}


@pytest.mark.parametrize("environment", POOR.values(), ids=POOR)
def test_a_name_that_the_output_has_no_letters_for(run: Run, data: Path, environment: dict[str, str]) -> None:
    client = ("--name", "Ship \N{SHIP}", "--developer", "dana@example.org", "--redirect-uri", "https://app.example/cb")
    assert run("clients", "register", *client, "--data", data).code == 0
    ended = grantway("clients", "list", "--data", data, **environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Ship \\U0001f6a2" in ended.stdout
    told = grantway("clients", "list", "--json", "--data", data, **environment)
    assert [one["name"] for one in json.loads(told.stdout)] == ["Ship \N{SHIP}"]


def test_config(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", "ab" * 32)
    monkeypatch.setenv("GRANTWAY_RATE_LIMITS", "no")
    (tmp_path / "token").write_text("token-of-metrics\n")
    monkeypatch.setenv("GRANTWAY_METRICS_TOKEN_FILE", str(tmp_path / "token"))
    told = run("config", "--json", "--data", tmp_path)
    rows = {row["name"]: row for row in told.json}
    assert rows["master_key"]["value"] == "********"
    assert (rows["rate_limits"]["value"], rows["rate_limits"]["from"]) == ("off", "environment")
    assert (rows["data"]["value"], rows["data"]["from"]) == (str(tmp_path), "flag")
    assert (rows["metrics_token"]["value"], rows["metrics_token"]["from"]) == ("********", "file")
    assert rows["port"]["from"] == "default"
    plain = run("config")
    assert all(row["variable"] in plain.out and row["help"] in plain.out for row in told.json)
    assert "abab" not in told.out + plain.out
    assert "token-of-metrics" not in told.out + plain.out


def grantway(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")}
    command = [sys.executable, "-m", "grantway.cli.main", *map(str, arguments)]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, env=inherited | environment, stdin=subprocess.DEVNULL
    )


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as free:
            free.bind(("::1", 0))
    except OSError:
        return False
    return True


NEEDS_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=NEEDS_IPV6)])
def test_demo(host: str, tmp_path: Path) -> None:
    ended = grantway("demo", "--once", "--port", "0", "--host", host, "--data", tmp_path / "demo")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    assert f"curl --location 'http://{'localhost' if host == '127.0.0.1' else f'[{host}]'}:" in ended.stdout
    assert "under holiday/ in the bucket photos" in ended.stdout
    assert (tmp_path / "demo" / "grantway.db").exists()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "at http://localhost:10002 (OpenAPI"),
        ({"host": "localhost", "port": 80}, "at http://localhost:80 (OpenAPI"),
        ({"host": "0.0.0.0"}, "at http://0.0.0.0:10002 as http://localhost:10002 (OpenAPI"),
        ({"host": "::1"}, "at http://[::1]:10002 as http://localhost:10002 (OpenAPI"),
        ({"issuer": "https://auth.example"}, "at http://127.0.0.1:10002 as https://auth.example (OpenAPI"),
        ({"issuer": "http://localhost:8080"}, "at http://127.0.0.1:10002 as http://localhost:8080 (OpenAPI"),
    ],
)
def test_one_name_is_told_where_the_issuer_is_here(settings: dict[str, Any], told: str, tmp_path: Path) -> None:
    async def said() -> str:
        async with opened(Config(data=tmp_path / "data", **settings)) as grantway:
            return serve.said_at_start(grantway)[0]

    assert told in asyncio.run(said())


def test_demo_wants_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    ended = grantway("demo", "--once", "--port", "0", "--data", tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "not empty" in ended.stderr


def test_serve_on_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = grantway("serve", "--port", taken.getsockname()[1], "--data", tmp_path / "data")
    assert ended.returncode == 3
    assert "cannot listen" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("settings", "counted_in"),
    [
        ({}, ""),
        ({"rate_limits": False, "workers": 2, "cache": "redis://cache.example"}, ""),
        ({"workers": 2}, "the database"),
        ({"database": "postgresql://u:secret@db.example/g"}, "the database"),
        ({"cache": "redis://u:secret@cache.example:6379/0", "workers": 2}, "the cache at cache.example:6379"),
        ({"cache": "rediss://:sec%40ret@[::1]:6379"}, "the cache at [::1]:6379"),
    ],
)
def test_where_limits_are_counted_is_said_without_a_password(settings: dict[str, Any], counted_in: str) -> None:
    assert serve._counted_in(Config(data=Path("data"), **settings)) == counted_in


CLOSED: dict[str, tuple[str, int, str, str]] = {
    "output, for JSON": (">&- config --json", 0, "", ""),
    "output, for a page": (">&- doctor --url http://127.0.0.1:1 --client-id a --secret-env HOME --timeout 1", 3, "", ""),
    "input, for a grant": ("<&- access inspect", 1, "", "it is empty"),
    "input, for a JWT": ("<&- assertion inspect", 1, "There is nothing", ""),
    "input, for a secret": ("<&- assertion make --client-id a", 2, "", "must come from a file"),
    "input, for an answer": ("<&- clients delete a", 1, "[y/N]", "Aborted"),
    "error output": ("2>&- explain x", 2, "", ""),
    "error output, for usage": ("2>&- clients show", 2, "", ""),
    "all": ("<&- >&- 2>&- config", 0, "", ""),
}


@pytest.mark.parametrize(("line", "code", "out", "err"), CLOSED.values(), ids=CLOSED)
def test_a_stream_that_is_closed(tmp_path: Path, line: str, code: int, out: str, err: str) -> None:
    ended = subprocess.run(
        f'"{sys.executable}" -m grantway.cli.main {line}',
        shell=True,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("GRANTWAY_")},
    )
    assert ended.returncode == code, ended.stderr
    assert out in ended.stdout if out else ended.stdout == ""
    assert err in ended.stderr if err else ended.stderr == ""
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("192.0.2.1", "192.0.2.1:0: "),
        pytest.param("2001:db8::1", "[2001:db8::1]:0: ", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6")),
    ],
)
def test_serve_on_an_address_of_another_machine(run: Run, tmp_path: Path, host: str, said: str) -> None:
    ended = run("serve", "--port", "0", "--host", host, "--data", tmp_path / "data")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith(f"grantway: cannot listen on {said}")
    assert ended.err.endswith("Choose another with --host.\n")


@pytest.mark.parametrize("host", ["no.such.host.invalid", "256.256.256.256", "x" * 300, "ü" * 80, "\u202e"])
def test_serve_on_a_host_that_is_none(run: Run, tmp_path: Path, host: str) -> None:
    ended = run("serve", "--port", "0", "--host", host, "--data", tmp_path / "data")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("grantway: cannot listen on ")
