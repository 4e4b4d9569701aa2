"""Text that was copied from a shell, split into commands as bash would. Nothing is run: what only running could tell is noted."""

import re
from dataclasses import dataclass

from grantway.diagnosis import shown

MOST = 128 * 1024
"""Characters that all words together may have: variables that are put in make a text longer than it came."""
MOST_NOTES = 20
"""Sentences about one text: thousands of variables would each get one."""

_TOKEN = re.compile(
    r"""(?P<gap>(?:[ \t\n]|\\\n)+)
    | (?P<end>[;|&<>()]+)
    | '(?P<single>[^']*)(?:'|(?P<open>\Z))
    | \$'(?P<ansi>(?:[^'\\]|\\.)*)(?:'|\Z)
    | "(?P<double>(?:[^"\\]|\\.)*)(?:"|(?P<half>\Z))
    | (?P<comment>(?<![^\s;|&<>()])\#[^\n]*)
    | (?P<plain>[^\s'"\\$`;|&<>()]+)
    | (?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
# another value ends at the next variable: were it looked for to the end, each of thousands that never close would be read to there
_PIECE = re.compile(
    r"""\\(?P<escaped>.)
    | \$(?:(?P<name>[A-Za-z_]\w*) | \{(?P<braced>[A-Za-z_]\w*)(?::?-(?P<otherwise>[^}$]*))?\})
    | (?P<run>\$\(|`)
    | (?P<plain>[^\\$`]+|.)""",
    re.DOTALL | re.VERBOSE,
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_CODED = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r"}
_PROMPT = re.compile(r"(?m)^[ \t]*(?:\S*[$%#>])[ \t]+(?=curl\b)")
_OF_WINDOWS = re.compile(r"\^[ \t]*\n|\^\"")

_OPEN = "A quote is opened and never closed: all after it was taken for quoted."
_RUN = "There is a command in $(…) or backticks. Nothing is run here: paste what it prints in its place."
_ENDED = "An & outside of quotes ends a command in a shell, and what follows it is not sent. Put quotes around it."
_READ_ON = "A line ends without a backslash, which ends the command in a shell; here the next line was read as a part of it."
_TYPOGRAPHIC = "There are typographic quotes (“ ” ‘ ’) or spaces, which a shell takes for letters: they are sent as they stand."
_TOO_LONG = "With its variables put in the text is too long: it was not read to its end."
_NO_VALUE = "has no value here; your shell would put one in. Paste the command with the value in its place."


@dataclass(frozen=True, slots=True)
class Read:
    """The words of each command, and what could not be taken as a shell would, one sentence each."""

    commands: list[list[str]]
    notes: list[str]


def read(text: str) -> Read:
    """The commands of a text that was copied from bash, or from cmd.exe or PowerShell where that can be told. Variables that the text
    itself sets are put in."""
    text = text.replace("\r\n", "\n").replace("`\n", "\\\n")
    if _OF_WINDOWS.search(text):
        text = re.sub(r"\^[ \t]*(\n|.)", lambda found: " " if found[1] == "\n" else found[1], text)
    reader = _Reader(_PROMPT.sub("", text))
    reader.read()
    notes = [*list(reader.notes)[:MOST_NOTES], *([_TYPOGRAPHIC] if re.search("[“”‘’\u00a0]", text) else [])]
    return Read(reader.commands, notes)


class _Reader:
    """Goes through the text once. `_word` is None between words; `_is_file_next`: the next word is a redirection's and is dropped."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._word: list[str] | None = None
        self._words: list[str] = []
        self._values: dict[str, str] = {}
        self._length = 0
        self._is_file_next = False
        self.commands: list[list[str]] = []
        self.notes = dict[str, None]()

    def read(self) -> None:
        at = 0
        while found := _TOKEN.match(self._text, at):
            at = self._take(found)
        self._end_command()

    def _take(self, found: re.Match[str]) -> int:
        """Take one token; where to read on."""
        kind, text = found.lastgroup, found[0]
        if kind == "gap":
            self._gap(text, found.end())
        elif kind == "end":
            self._end(text)
        elif kind in {"single", "open"}:
            self._add(found["single"])
            self._note(_OPEN, kind == "open")
        elif kind == "ansi":
            self._add(_CODED.sub(_letter, found["ansi"]))
        elif kind in {"double", "half"}:
            self._add("")
            self._quoted(found["double"])
            self._note(_OPEN, kind == "half")
        elif kind == "plain":
            self._add(text)
        elif kind == "other":
            return self._bare(found.start())
        return found.end()

    def _bare(self, at: int) -> int:
        """A backslash, a variable or a command within the command, outside of quotes."""
        self._add("")
        found = _PIECE.match(self._text, at)
        if found is None or found["plain"]:  # a letter like any other
            self._add(self._text[at])
            return at + 1
        return self._put(found, self._text, keeps="")

    def _quoted(self, text: str) -> None:
        at = 0
        while found := _PIECE.match(text, at):
            at = self._put(found, text, keeps='$`"\\')

    def _put(self, found: re.Match[str], text: str, keeps: str) -> int:
        """Add what a piece stands for; where to read on. In double quotes a backslash means something before what `keeps` holds only."""
        if found["run"]:
            self._note(_RUN)
            return _behind(text, found.end(), found["run"])
        if (one := found["escaped"]) is not None:
            self._add("" if one == "\n" else one if not keeps or one in keeps else f"\\{one}")
        elif name := found["name"] or found["braced"]:
            value = self._values.get(name) or found["otherwise"] or ""
            self._note(f"${shown.text(name, 40)} {_NO_VALUE}", name not in self._values and found["otherwise"] is None)
            self._add(value)
        else:
            self._add(found["plain"])
        return found.end()

    def _gap(self, text: str, end: int) -> None:
        self._end_word()
        if "\n" not in text.replace("\\\n", "") or not self._words:
            return
        if self._text[end : end + 1] in {"-", "'", '"'}:
            self._note(_READ_ON)
        else:
            self._end_command()

    def _end(self, text: str) -> None:
        self._end_word()
        if "<" in text or ">" in text:
            self._is_file_next = True
            return
        self._note(_ENDED, text == "&" and "curl" in self._words)
        self._end_command()

    def _add(self, text: str) -> None:
        self._length += len(text)
        if self._length > MOST:
            self._note(_TOO_LONG)
            return
        if self._word is None:
            self._word = []
        self._word.append(text)

    def _end_word(self) -> None:
        if self._word is None:
            return
        if not self._is_file_next:
            self._words.append("".join(self._word))
        self._word, self._is_file_next = None, False

    def _end_command(self) -> None:
        self._end_word()
        words, self._words = self._words, []
        bare = words[1:] if words[:1] == ["export"] else words
        at = 0
        while at < len(bare) and (found := _ASSIGNMENT.fullmatch(bare[at])):
            self._values[found[1]] = found[2]
            at += 1
        if at < len(bare):
            self.commands.append(bare[at:])

    def _note(self, sentence: str, holds: bool = True) -> None:
        if holds:
            self.notes[sentence] = None


def _letter(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    # half of a pair is no character that could be sent
    return chr(int(code, 16)).encode("utf-8", "replace").decode() if code else _LETTERS.get(found[3], found[3])


def _behind(text: str, at: int, opened: str) -> int:
    """Where what was opened at `at` is closed; the end of the text when it never is."""
    if opened == "`":
        return text.find("`", at) + 1 or len(text)
    depth = 1
    for found in re.compile(r"[()]").finditer(text, at):
        depth += 1 if found[0] == "(" else -1
        if not depth:
            return found.end()
    return len(text)
