"""A page that a tired person understands in ten seconds: verdict, what was checked, what to do."""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

NARROWEST = 20
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


class Mark(Enum):
    """What became of a check: the sign that stands before its line, and the letters where that sign cannot be written."""

    PASSED = ("✓", "ok")
    FAILED = ("✗", "NO")
    NOT_REACHED = ("·", "--")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One check of a page: what was looked at, and what was seen."""

    mark: Mark
    text: str
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: what it is about, the verdict in one sentence, the checks in order, the one thing to do, and what else is worth knowing."""

    title: str
    verdict: str
    lines: Sequence[Line]
    remedy: str
    notes: Sequence[str] = ()


def print_page(page: Page) -> None:
    """Print a page on standard output: as wide as the terminal, with styles only where there is one that wants them."""
    is_styled = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = shutil.get_terminal_size((80, 24)).columns
    print(rendered(page, width=width, is_styled=is_styled, encoding=sys.stdout.encoding or "utf-8"))


def rendered(page: Page, *, width: int = 80, is_styled: bool = False, encoding: str = "utf-8") -> str:
    """The page as text that `encoding` can hold. A word longer than `width` is not broken, so that it can be copied."""
    width = max(width, NARROWEST)
    title, verdict, remedy = _wrapped(page.title, width), _wrapped(page.verdict, width), _wrapped(f"What to do: {page.remedy}", width)
    parts = [title, [_styled(line, _BOLD, is_styled) for line in verdict]]
    parts.append([row for line in page.lines for row in _rows(line, width, is_styled, encoding)])
    parts += [remedy, [row for note in page.notes for row in _wrapped(note, width, "- ", "  ")]]
    text = "\n\n".join("\n".join(rows) for rows in parts if rows)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def printable(text: str) -> str:
    """The text with everything that a terminal would obey, and every odd space, written as an escape."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _rows(line: Line, width: int, is_styled: bool, encoding: str) -> list[str]:
    """The mark and the text; the evidence behind it where there is room, else below."""
    mark = f"  {_sign(line.mark, encoding)} "
    indent = " " * len(mark)
    text, evidence = _wrapped(line.text, width, mark, indent), printable(line.evidence)
    if not evidence:
        return text
    if len(text) == 1 and len(text[0]) + 2 + len(evidence) <= width:
        return [f"{text[0]}  {_styled(evidence, _DIM, is_styled)}"]
    below = textwrap.wrap(evidence, width - len(indent), break_long_words=False, break_on_hyphens=False)
    return text + [indent + _styled(row, _DIM, is_styled) for row in below]


def _sign(mark: Mark, encoding: str) -> str:
    """All signs or none: a page has one alphabet."""
    signs = "".join(each.value[0] for each in Mark)
    return mark.value[0] if signs.encode(encoding, "ignore").decode(encoding) == signs else mark.value[1]


def _styled(text: str, style: str, is_styled: bool) -> str:
    return f"{style}{text}{_PLAIN}" if is_styled else text


def _wrapped(text: str, width: int, first: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(
        printable(text), width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )
