"""curl commands as people paste them, read without running them: the same request as bash and curl make of the text."""

import re
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantway.web.portal import curl, curl_options, shell

Came = tuple[str, str, str | None, str | None, bytes]


class Listener(BaseHTTPRequestHandler):
    """Keeps what comes, and answers nothing."""

    came: list[Came]

    def kept(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.came.append((self.command, self.path, self.headers.get("content-type"), self.headers.get("authorization"), body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def __getattr__(self, name: str) -> Any:
        """Whatever the method is, it is handled alike."""
        if name.startswith("do_"):
            return self.kept
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[int, list[Came]]]:
    if not (shutil.which("bash") and shutil.which("curl")):
        pytest.skip("there is no bash, or no curl, on this machine")
    came: list[Came] = []
    server = HTTPServer(("127.0.0.1", 0), type("Keeping", (Listener,), {"came": came}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, came
    server.shutdown()
    thread.join()
    server.server_close()


COMMANDS = [
    "curl -s URL -d a=1 -d b=2",
    "curl -s -XPOST URL --data-raw 'a=@x&b=$HOME'",
    "curl --location 'URL' \\\n--header 'Content-Type: application/json' \\\n--data '{\n  \"a\": \"it'\\''s\"\n}'",
    "curl -s -u id:s%3Ac URL -d \"x=\\\"q\\\" \\$y \\z\" --data-urlencode 'r=https://a b/?c&d' --data-urlencode =z --data-urlencode 'p q'",
    "curl -s --json '{\"a\":1}' --json '{}' URL",
    "A=1; export B='x y'\ncurl -s URL -d \"a=$A&b=${B}&c=${C:-def}&d=$A$A\"",
    "curl -s -G URL?z=1 -d a=1 --data-urlencode 'b=c d'",
    "curl -s -d $'a=\\x41\\u00e9\\n\\'' URL -H 'Content-Type:' -H 'authorization: Bearer q' -u a:b",
    "curl -s -sXPOST -d'a=1' URL #comment\n",
    "curl -s USERURL -d a=b#c -d '#'#\\#d",
    "printf %s secret | curl -s URL --data x=1 -o /dev/null 2>/dev/null && true",
    "curl -s URL -X PUT -d 'é=ü'",
    "curl -s --oauth2-bearer tok URL -d a",
    "curl -s URL",
    "curl -sI URL",
    "curl -s -A 'x -d y' -m 5 --max-time 5 URL -e http://referer.example/oauth2/token -d a=1",
    "curl -s URL -H 'X-Empty;' -H 'Content-Type: text/plain' -d a\\ b",
    "true; curl -s URL -d 'a=1'; curl -s URL -d 'a=2'",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_read_as_bash_and_curl_read_it(listener: tuple[int, list[Came]], command: str) -> None:
    port, came = listener
    host = f"127.0.0.1:{port}/oauth2/token"
    text = command.replace("USERURL", f"http://id:p%40w@{host}").replace("URL", f"http://{host}")
    came.clear()
    subprocess.run(["bash", "-c", text], capture_output=True, check=False, timeout=30)
    # as a browser's form brings it, too
    for pasted in (text, text.replace("\n", "\r\n")):
        sent = curl.read(pasted)
        assert sent is not None
        headers = {name.lower(): value for name, value in sent.headers}
        path = "/" + sent.url.split("/", 3)[3]
        body = sent.body.replace(b"\r\n", b"\n")
        assert (sent.method, path, headers.get("content-type"), headers.get("authorization"), body) == came[0]
        assert sent.notes == ()


def test_a_multipart_form() -> None:
    sent = curl.read("curl http://x/oauth2/token -F code=1 --form client_id=2")
    assert sent is not None
    assert dict(sent.headers)["Content-Type"].startswith("multipart/form-data; boundary=")
    assert sent.body.startswith(b"--")
    assert b'name="code"\r\n\r\n1\r\n' in sent.body


NOTED = {
    "curl http://x/oauth2/token -d @body.json": "from a file or from standard input",
    "curl http://x/oauth2/token --data-urlencode client_secret@-": "from a file or from standard input",
    "curl http://x/oauth2/token -F 'a=@f'": "from a file or from standard input",
    'curl http://x/oauth2/token -d "client_secret=$JWT"': "$JWT has no value here",
    "curl http://x/oauth2/token -d client_secret=$(make-jwt | tr -d '(x)')": "Nothing is run here",
    'J=$(make-jwt)\ncurl http://x/oauth2/token -d "client_secret=$J"': "Nothing is run here",
    'curl http://x/oauth2/token -d "client_secret=`make-jwt`&a=b"': "Nothing is run here",
    "curl http://x/oauth2/token?a=b&c=d": "An & outside of quotes",
    "curl http://x/oauth2/token -d a=b&c=d": "An & outside of quotes",
    "curl http://x/oauth2/token -d 'a=b": "never closed",
    'curl http://x/oauth2/token -d "a=b': "never closed",
    "curl http://x/oauth2/token -d “a=b”": "typographic quotes",
    "curl http://x/oauth2/token\n-d a=b": "without a backslash",
    "curl http://x/oauth2/token -u id -d a=b": "the password of --user",
    "curl http://x/oauth2/token -H 'Authorization Basic x' -d a=b": "without a colon",
    "curl http://x/oauth2/token --data=a": "behind a space, not behind an equals sign",
    "curl -K options http://x/oauth2/token": "Options from a file",
}


@pytest.mark.parametrize(("command", "note"), NOTED.items())
def test_what_the_text_cannot_tell_is_noted(command: str, note: str) -> None:
    sent = curl.read(command)
    assert sent is not None
    assert sent.url.startswith("http://x/oauth2/token")
    assert len(sent.notes) == 1
    assert note in sent.notes[0]


PASSED_OVER = {
    "curl URL -d a=b --client-secret SECRET": "--client-secret",
    "curl --client-secret SECRET URL -d a=b": "--client-secret",
    "curl URL -d a=b --client-secret=SECRET": "--client-secret",
    "curl --digest URL -d a=b": "--digest",
    "curl -n URL -d a=b": "--netrc",
    "curl URL -d a=b --aws-sigv4 SECRET": "--aws-sigv4",
    "curl URL -d a=b --variable x=SECRET --expand-header 'X: SECRET'": "--variable, --expand-header",
    "curl -WSECRET URL -d a=b": "-W",
    "curl -sSW SECRET URL -d a=b -W": "-W",
    "curl URL -d a=b --SECRET": "one that is no option of curl's",
    "curl URL -d a=b --SECRET-and-more --é=SECRET -é": "one that is no option of curl's",
    "curl --new-flag URL -d a=b": "--new-flag",
    "curl URL -d a=b --next URL": "--next",
    "curl URL -d a=b " + " ".join(f"--new{number}" for number in range(12)): ", ".join(f"--new{number}" for number in range(10))
    + " and 2 more",
}


@pytest.mark.parametrize(("command", "names"), PASSED_OVER.items())
def test_options_that_are_not_looked_at_are_named_and_their_values_are_not(command: str, names: str) -> None:
    sent = curl.read(command.replace("URL", "http://x/oauth2/token").replace("SECRET", "gws_Z9q"))
    assert sent is not None
    assert (sent.method, sent.url, sent.body) == ("POST", "http://x/oauth2/token", b"a=b")
    assert sent.notes == (f"Not looked at: {names}. Whatever such options change about the request is left out here.",)


def test_what_may_be_the_value_of_an_unknown_option_is_no_url() -> None:
    for value in ("gws_Z9q", "https://hooks.example/gws_Z9q"):
        sent = curl.read(f"curl --client-secret {value} -d a=b")
        assert sent is not None
        assert sent.url == ""


QUIET = "-sSLkvifN4 --compressed --http1.1 --tlsv1.2 --no-progress-meter --no-silent --proxy-pass SECRET --retry 3 -b a=b -A x -o f -#"


def test_options_that_change_nothing_are_passed_over_in_silence() -> None:
    sent = curl.read(f"curl {QUIET} http://x/oauth2/token -d a=b")
    assert sent is not None
    assert (sent.url, sent.body, sent.notes) == ("http://x/oauth2/token", b"a=b", ())


def test_options_are_known_as_curl_has_them() -> None:
    """A curl that is newer than this list may have more."""
    if not shutil.which("curl"):
        pytest.skip("there is no curl on this machine")
    told = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=True).stdout
    options = re.findall(r"(?m)^ *(?:-(.), )? *--([\w.-]+)(?: +([<\[]))?", told)
    known = [one for one in options if curl_options.is_known(one[1])]
    assert len(known) > 200
    for letter, name, value in known:
        assert curl_options.takes_value(name) is (bool(value) and name != "help"), name
        assert not letter or curl_options.SHORT[letter] == name, letter


OTHER_SHELLS = {
    "cmd.exe": 'curl ^"http://x/oauth2/token^" ^\n  -H ^"Content-Type: application/json^" ^\n  --data-raw ^"^{^\\^"a^\\^":1^}^"',
    "PowerShell": "curl.exe 'http://x/oauth2/token' `\n  -H 'Content-Type: application/json' `\n  --data-raw '{\"a\":1}'",
    "a prompt": "$ curl http://x/oauth2/token -H 'Content-Type: application/json' -d '{\"a\":1}'",
    "another prompt": "dana@host:~$ /usr/bin/env curl http://x/oauth2/token -H 'Content-Type: application/json' -d '{\"a\":1}'",
}


@pytest.mark.parametrize("command", OTHER_SHELLS.values(), ids=OTHER_SHELLS)
def test_other_shells(command: str) -> None:
    sent = curl.read(command)
    assert sent is not None
    assert (sent.method, sent.url, sent.body) == ("POST", "http://x/oauth2/token", b'{"a":1}')
    assert dict(sent.headers)["Content-Type"] == "application/json"


def test_half_of_a_pair_is_no_character() -> None:
    sent = curl.read(r"curl $'http://x/\ud800' -H $'A: \udfff' -d $'\ud800\u00e9'")
    assert sent is not None
    assert (sent.url, sent.headers[0], sent.body) == ("http://x/?", ("A", "?"), "?é".encode())


@pytest.mark.parametrize("text", ["", "{}", "a=b&c=d", '{"code": "curl"}', "recurl x", "http POST x"])
def test_what_is_no_command(text: str) -> None:
    assert curl.read(text) is None


@given(st.lists(st.text(st.characters(exclude_characters="\r`^\0“”‘’\u00a0", exclude_categories=["Cs"]), max_size=20), max_size=8))
def test_quoted_words_come_back_as_they_were(words: list[str]) -> None:
    found = shell.read(" ".join(["curl", *map(shlex.quote, words)]))
    assert found.commands == [["curl", *words]]
    assert found.notes == []


@given(st.text(alphabet="curl -dHuX$(){}`'\"\\\n\r\t&|;<>#=@:/a^“ ", max_size=200), st.text())
def test_any_text(text: str, other: str) -> None:
    for pasted in (text, f"curl {text}", f"curl {other}"):
        curl.read(pasted)


LONG = {
    "variables": "A=" + "a" * 30_000 + "\ncurl " + "$A" * 15_000,
    "doubled": "A=aa;" + "A=$A$A;" * 8_000 + "curl $A",
    "commands within": "curl " + "$(" * 30_000,
    "closed ones": "curl " + "$(a)" * 15_000,
    "quotes": "curl " + "''" * 30_000,
    "half quotes": 'curl "' + '\\"' * 30_000,
    "backslashes": "curl " + "\\" * 60_001,
    "continuations": "curl " + "\\\n" * 30_000,
    "comments": "curl\n" + "# a\n" * 15_000,
    "signs": "curl " + "& " * 30_000,
    "variables with another value, never closed": "curl " + "${a:-" * 12_000,
    "the same in quotes": 'curl "' + "${a:-" * 12_000,
    "assignments": "a=1 " * 15_000 + "curl",
    "dollars": "curl " + "$" * 60_000,
    "options": "curl " + "-d " * 20_000,
    "headers": "curl " + "-Ha:b " * 10_000,
    "carets": "curl ^\n" + "^" * 60_000,
    "spaces": "x" + " " * 60_000 + "curl",
    "prompts": "$ " * 30_000 + "curl",
}


def test_so_many_notes_and_no_more() -> None:
    sent = curl.read("curl " + " ".join(f"$v{number}" for number in range(9_000)))
    assert sent is not None
    assert len(sent.notes) == shell.MOST_NOTES


def test_a_command_in_parentheses() -> None:
    assert curl.read("(cd /; curl -d a=b http://h/token)") == curl.read("curl -d a=b http://h/token")


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_long_text_takes_time_by_its_length(text: str) -> None:
    began = time.process_time()
    sent = curl.read(text)
    assert time.process_time() - began < 2
    assert sent is None or len(sent.body) + len(sent.url) <= 2 * shell.MOST
