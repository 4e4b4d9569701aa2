"""`grantway assertion`: making a JWT without showing the secret, and looking into one without needing it."""

import time
from pathlib import Path

import pytest
from tests.cli.conftest import SECRET, Run

from grantway.clients import assertion

MAKE = ("assertion", "make", "--client-id", "app")


def test_the_secret_from_a_file_without_its_newline(run: Run, files: Path) -> None:
    made = run(*MAKE, "--secret-file", files / "secret")
    assert (made.code, made.err) == (0, "")
    read = assertion.read(made.out.rstrip("\n"))
    assert read.is_signed_with(SECRET.encode())
    assert read.claims["client_id"] == "app"
    assert isinstance(read.claims["exp"], int)
    assert 240 <= read.claims["exp"] - time.time() <= 300
    assert SECRET not in made.out


def test_the_secret_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_SECRET", SECRET)
    made = run(*MAKE, "--secret-env", "APP_SECRET", "--lifetime", "60", "--json")
    read = assertion.read(made.json["client_secret"])
    assert read.is_signed_with(SECRET.encode())
    assert read.claims["exp"] == made.json["expires_at"]
    assert run(*MAKE, "--secret-env", "APP_SECRET").out != run(*MAKE, "--secret-env", "APP_SECRET").out


def bad(files: Path) -> dict[str, tuple[tuple[object, ...], int]]:
    """Each row: a JWT that cannot be made, and the exit code."""
    return {
        "no secret and nobody to type it": (MAKE, 2),
        "the secret as an argument": ((*MAKE, SECRET), 2),
        "the secret as an option": ((*MAKE, "--secret", SECRET), 2),
        "empty file": ((*MAKE, "--secret-file", files / "empty"), 2),
        "empty variable": ((*MAKE, "--secret-env", "EMPTY"), 2),
        "file missing": ((*MAKE, "--secret-file", files / "none"), 2),
        "file binary": ((*MAKE, "--secret-file", files / "binary"), 2),
        "lives too long": ((*MAKE, "--secret-file", files / "secret", "--lifetime", "301"), 2),
        "lives not at all": ((*MAKE, "--secret-file", files / "secret", "--lifetime", "0"), 2),
        "no client_id": (("assertion", "make", "--secret-file", files / "secret"), 2),
    }


@pytest.mark.parametrize("name", bad(Path()))
def test_cannot_be_made(run: Run, files: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "")
    arguments, code = bad(files)[name]
    ended = run(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.strip()


def test_inspecting_a_good_one(run: Run, files: Path) -> None:
    made = run(*MAKE, "--secret-file", files / "secret").out
    seen = run("assertion", "inspect", made.strip())
    assert seen.code == 0
    assert "client_id = 'app'" in seen.out
    assert "Nothing is odd" in seen.out
    through = run("assertion", "inspect", stdin=made)
    assert (through.code, through.out) == (0, seen.out)
    told = run("assertion", "inspect", "--json", stdin=made)
    assert told.json["odd"] == []
    assert told.json["claims"]["client_id"] == "app"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (assertion.sign({"client_id": "app", "exp": 1751019815}, SECRET), "expired"),
        (assertion.sign({"client_id": "app", "exp": 1751019815000}, SECRET), "milliseconds"),
        (assertion.sign({"exp": 1e300, "iat": -1e300}, SECRET), "client_id is missing"),
        (SECRET, "the secret itself"),
        ("", "has 1"),
        ("Bearer a.b.c", "Bearer"),
    ],
)
def test_inspecting_an_odd_one(run: Run, text: str, said: str) -> None:
    seen = run("assertion", "inspect", "-", stdin=text)
    assert (seen.code, seen.err) == (1, "")
    assert said in seen.out
    assert SECRET not in seen.out
    assert run("assertion", "inspect", "-", "--json", stdin=text).json["odd"]


def test_inspecting_bytes_that_are_no_text(run: Run) -> None:
    seen = run("assertion", "inspect", "-", stdin=b"\xff\xfe")
    assert seen.code in {1, 2}


def test_names_and_values_cannot_speak_to_the_terminal(run: Run) -> None:
    text = assertion.sign({"client_id": "\x1b[2J", "\x1b[31mexp": "\x9b\u202e", "exp": 1}, SECRET)
    seen = run("assertion", "inspect", text)
    assert not any(letter in seen.out for letter in "\x1b\x9b\u202e")
