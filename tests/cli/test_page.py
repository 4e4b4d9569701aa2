"""What a page looks like: on terminals and off them, in narrow ones, in ASCII, with hostile text on it."""

import io
import re
import sys

import pytest

from grantway.cli.page import Line, Mark, Page, print_page, printable, rendered

PAGE = Page(
    title="Doctor: app at https://auth.example",
    verdict="Refused: the secret has a line end behind it.",
    lines=[
        Line(mark=Mark.PASSED, text="The name resolves", evidence="127.0.0.1"),
        Line(
            mark=Mark.FAILED, text="The secret looks whole", evidence="there is white space around it, which is rarely meant and never wise"
        ),
        Line(mark=Mark.NOT_REACHED, text="A fresh JWT authenticates"),
    ],
    remedy="Strip it.",
    notes=["The first note.", "The second note, which is long enough to go on in a second line of its own."],
)

PLAIN = """\
Doctor: app at https://auth.example

Refused: the secret has a line end behind it.

  ✓ The name resolves  127.0.0.1
  ✗ The secret looks whole
    there is white space around it, which is rarely meant
    and never wise
  · A fresh JWT authenticates

What to do: Strip it.

- The first note.
- The second note, which is long enough to go on in a second
  line of its own."""


def test_plain() -> None:
    assert rendered(PAGE, width=60) == PLAIN


def test_ascii() -> None:
    page = rendered(PAGE, width=60, encoding="ascii")
    assert page == PLAIN.replace("  ✓ The", "  ok The").replace("  ✗ The", "  NO The").replace("  · A", "  -- A").replace(
        "    there is white space around it, which is rarely meant\n    and never wise",
        "     there is white space around it, which is rarely meant\n     and never wise",
    )  # fmt: skip


def test_styled() -> None:
    page = rendered(PAGE, width=60, is_styled=True)
    assert re.findall(r"\x1b\[1m(.*?)\x1b\[0m", page) == ["Refused: the secret has a line end behind it."]
    assert re.findall(r"\x1b\[2m(.*?)\x1b\[0m", page)[0] == "127.0.0.1"
    assert re.sub(r"\x1b\[\dm", "", page) == PLAIN


@pytest.mark.parametrize("width", [1, 20, 33, 60, 80, 500])
def test_width(width: int) -> None:
    longest_word = max(map(len, PLAIN.split()))
    assert max(map(len, rendered(PAGE, width=width).splitlines())) <= max(width, 20, longest_word + 12)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "cp437", "utf-16"])
def test_every_encoding_can_hold_it(encoding: str) -> None:
    hostile = "“é漢\ud800😀\x1b[2J"
    page = Page(title=hostile, verdict=hostile, lines=[Line(mark=Mark.FAILED, text=hostile, evidence=hostile)], remedy=hostile)
    assert rendered(page, encoding=encoding).encode(encoding)


HOSTILE = {
    "\x1b[31mred": r"\x1b[31mred",
    "a\nb\r\tc": r"a\nb\r\tc",
    "\x07\x00\x7f": r"\x07\x00\x7f",
    "\x9b31m": r"\x9b31m",
    "right\u202eleft": r"right\u202eleft",
    "zero\u200bwidth": r"zero\u200bwidth",
    "lone\udcff": r"lone\udcff",
    "no\xa0break": r"no\xa0break",
    "plain é 漢 ✓": "plain é 漢 ✓",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_terminal_has_nothing_to_obey(text: str) -> None:
    assert printable(text) == HOSTILE[text]
    page = Page(title=text, verdict=text, lines=[Line(mark=Mark.PASSED, text=text, evidence=text)], remedy=text, notes=[text])
    shown = rendered(page, width=500)
    assert shown.count(HOSTILE[text]) == 6
    assert all(letter.isprintable() for letter in shown.replace("\n", ""))


class Terminal(io.TextIOWrapper):
    """A standard output that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("environment", "is_styled"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_printed(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], is_styled: bool) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"COLUMNS": "40", **environment}.items():
        monkeypatch.setenv(name, value)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(written, "ascii"))
    print_page(PAGE)
    sys.stdout.flush()
    text = written.getvalue().decode()
    assert ("\x1b[1m" in text) is is_styled
    assert "  ok The name resolves" in text
    assert max(map(len, re.sub(r"\x1b\[\dm", "", text).splitlines())) <= 40


def test_not_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    print_page(PAGE)
    assert capsys.readouterr().out == PLAIN + "\n"
