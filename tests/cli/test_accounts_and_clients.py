"""What the operator does with accounts and apps: each command, what it prints, and its exit code."""

from pathlib import Path

import pytest
from tests.cli.conftest import PASSWORD, SECRET, Run

from grantway import secret_token
from grantway.clients import assertion

URI = "https://app.example/cb"


@pytest.mark.parametrize("kind", ["users", "developers"])
def test_accounts(run: Run, files: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data, file = tmp_path / "new", files / "password"
    added = run(kind, "add", "Uma@example.org", "--name", "Uma", "--password-file", file, "--data", data)
    assert (added.code, added.err) == (0, "")
    assert f"Added the {kind[:-1]} uma@example.org" in added.out
    again = run(kind, "add", "uma@example.org", "--name", "Uma", "--password-file", file, "--data", data)
    assert (again.code, again.out) == (1, "")
    assert "registered already" in again.err
    monkeypatch.setenv("NEW_PASSWORD", PASSWORD + "2")
    reset = run(kind, "reset-password", "uma@example.org", "--password-env", "NEW_PASSWORD", "--data", data)
    assert reset.code == 0
    kept = run(kind, "delete", "uma@example.org", "--data", data, stdin="n\n")
    assert kept.code == 1
    assert run(kind, "delete", "uma@example.org", "--data", data, stdin="y\n").code == 0
    gone = run(kind, "delete", "uma@example.org", "--yes", "--data", data)
    assert (gone.code, gone.out) == (1, "")
    assert f"There is no {kind[:-1]}" in gone.err
    for ended in (added, again, reset, kept, gone):
        assert PASSWORD not in ended.out + ended.err


def test_an_added_account_as_json(run: Run, files: Path, data: Path) -> None:
    added = run("users", "add", "u@example.org", "--name", "Uma", "--password-file", files / "password", "--data", data, "--json")
    assert added.json == {**added.json, "email": "u@example.org", "name": "Uma"}


@pytest.mark.parametrize("kind", ["users", "developers"])
def test_every_account_is_listed_and_none_of_the_other_kind(run: Run, files: Path, tmp_path: Path, kind: str) -> None:
    data = tmp_path / "accounts"
    other = "users" if kind == "developers" else "developers"
    for group, email in ((kind, "a@example.org"), (other, "b@example.org"), (kind, "c@example.org"), (kind, "gone@example.org")):
        assert run(group, "add", email, "--name", "Zoë", "--password-file", files / "password", "--data", data).code == 0
    assert run(kind, "delete", "gone@example.org", "--yes", "--data", data).code == 0
    listed = run(kind, "list", "--data", data)
    assert [line.split("  ")[1:] for line in listed.out.splitlines()] == [["a@example.org", "Zoë"], ["c@example.org", "Zoë"]]
    shown = run(kind, "list", "--data", data, "--json").json
    assert [(one["email"], one["name"], sorted(one)) for one in shown] == [
        (email, "Zoë", ["created_at", "email", "id", "name"]) for email in ("a@example.org", "c@example.org")
    ]
    for email in ("a@example.org", "c@example.org"):
        assert run(kind, "delete", email, "--yes", "--data", data).code == 0
    assert run(kind, "list", "--data", data).out == f"There is no {kind[:-1]}.\n"


def registered(run: Run, data: Path, *more: object) -> dict[str, str]:
    made = run(
        "clients", "register", "--name", "App", "--developer", "dana@example.org", "--redirect-uri", URI, "--data", data, "--json", *more
    )
    assert made.code == 0, made.err
    answer: dict[str, str] = made.json
    return answer


def test_register(run: Run, data: Path) -> None:
    made = registered(
        run, data, "--scope", "read", "--scope", "bucket:a", "--required-scope", "read", "--redirect-uri", "http://localhost/cb"
    )
    assert secret_token.is_intact(made["client_secret"], secret_token.Kind.CLIENT_SECRET)
    shown = run("clients", "show", made["client_id"], "--data", data, "--json")
    assert shown.json["redirect_uris"] == [URI, "http://localhost/cb"]
    assert shown.json["scopes"] == ["read", "bucket:a"]
    assert shown.json["required_scopes"] == ["read"]
    assert shown.json["status"] == "active"
    assert made["client_secret"] not in shown.out
    plain = run("clients", "register", "--name", "B", "--developer", "dana@example.org", "--redirect-uri", URI, "--data", data)
    assert "client_secret  gws_" in plain.out
    assert (shown.json["token_endpoint_auth_method"], shown.json["require_pkce"]) == ("client_secret_jwt", True)
    basic = registered(run, data, "--auth-method", "client_secret_basic")["client_id"]
    assert run("clients", "show", basic, "--data", data, "--json").json["token_endpoint_auth_method"] == "client_secret_basic"
    unknown = run("clients", "register", "--name", "B", "--developer", "d@e.org", "--redirect-uri", URI, "--auth-method", "jwt")
    assert unknown.code == 2
    assert "'client_secret_jwt', 'client_secret_basic', 'client_secret_post', 'none'" in unknown.err
    without = registered(run, data, "--no-pkce")["client_id"]
    assert run("clients", "show", without, "--data", data, "--json").json["require_pkce"] is False


def test_list_show_disable_enable_delete(run: Run, data: Path) -> None:
    assert run("clients", "list", "--data", data).out == "No app is registered.\n"
    assert run("clients", "list", "--data", data, "--json").json == []
    client_id = registered(run, data)["client_id"]
    assert client_id in run("clients", "list", "--data", data).out
    assert run("clients", "disable", client_id, "--data", data).code == 0
    assert "disabled" in run("clients", "list", "--data", data).out
    assert run("clients", "list", "--data", data, "--json").json[0]["status"] == "disabled"
    assert run("clients", "enable", client_id, "--data", data).code == 0
    shown = run("clients", "show", client_id, "--data", data)
    assert (shown.code, "active" in shown.out, URI in shown.out) == (0, True, True)
    assert run("clients", "delete", client_id, "--data", data, stdin="n\n").code == 1
    assert run("clients", "delete", client_id, "--data", data, "--yes").code == 0
    for command in (("show",), ("disable",), ("enable",), ("delete", "--yes")):
        gone = run("clients", command[0], client_id, *command[1:], "--data", data)
        assert (gone.code, gone.out) == (1, "")
        assert "no such client" in gone.err


def test_what_is_required_is_not_any(run: Run, data: Path) -> None:
    shown = run("clients", "show", registered(run, data)["client_id"], "--data", data).out.splitlines()
    lines = {line.split()[0]: line for line in shown}
    assert "(any)" in lines["scopes"]
    assert "(any)" not in lines["required_scopes"]


def test_import(run: Run, data: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = ("clients", "import", "--developer", "dana@example.org", "--redirect-uri", URI, "--data", data)
    taken = run(*base, "--client-id", "old-app", "--secret-file", files / "secret")
    assert (taken.code, taken.err) == (0, "")
    monkeypatch.setenv("APP_SECRET", SECRET)
    second = run(*base, "--client-id", "other", "--secret-env", "APP_SECRET", "--name", "Other", "--json")
    assert (second.json["client_id"], second.json["name"]) == ("other", "Other")
    again = run(*base, "--client-id", "old-app", "--secret-file", files / "secret")
    assert again.code == 1
    jwt = assertion.sign({"client_id": "third"}, SECRET)
    monkeypatch.setenv("APP_SECRET", jwt)
    mistaken = run(*base, "--client-id", "third", "--secret-env", "APP_SECRET")
    assert mistaken.code == 1
    assert "import the secret itself" in mistaken.err
    for ended in (taken, second, again, mistaken):
        assert SECRET not in ended.out + ended.err
        assert jwt not in ended.out + ended.err


def bad(files: Path, data: Path) -> dict[str, tuple[tuple[object, ...], int]]:
    """Each row: a command that cannot be done, and its exit code."""
    register = ("clients", "register", "--name", "App", "--data", data)
    add = ("users", "add", "u@example.org", "--name", "Uma", "--data", data)
    return {
        "developer unknown": ((*register, "--developer", "x@example.org", "--redirect-uri", URI), 1),
        "redirect URI refused": ((*register, "--developer", "dana@example.org", "--redirect-uri", "http://app.example"), 1),
        "scope unknown": ((*register, "--developer", "dana@example.org", "--redirect-uri", URI, "--scope", "admin"), 1),
        "redirect URI missing": ((*register, "--developer", "dana@example.org"), 2),
        "option unknown": ((*register, "--secret", "x"), 2),
        "command unknown": (("clients", "burn"), 2),
        "client unknown": (("clients", "show", "nothing", "--data", data), 1),
        "no database": (("clients", "list", "--data", files / "none"), 2),
        "password file missing": ((*add, "--password-file", files / "none"), 2),
        "password file a folder": ((*add, "--password-file", files), 2),
        "password file binary": ((*add, "--password-file", files / "binary"), 2),
        "password too short": ((*add, "--password-file", files / "short"), 1),
        "variable not set": ((*add, "--password-env", "NOT_SET_ANYWHERE"), 2),
        "nobody to type": (add, 2),
        "address refused": (("users", "add", "nobody", "--name", "Uma", "--password-file", files / "password", "--data", data), 1),
        "secret from nowhere": (
            ("clients", "import", "--client-id", "x", "--developer", "dana@example.org", "--redirect-uri", URI, "--data", data),
            2,
        ),
        "data is a file": (("clients", "list", "--data", files / "password"), 2),
        "data is a file, adding": (
            ("users", "add", "u@example.org", "--name", "U", "--password-file", files / "password", "--data", files / "password"),
            3,
        ),
    }


@pytest.mark.parametrize("name", bad(Path(), Path()))
def test_what_cannot_be_done_is_said_in_a_sentence(run: Run, files: Path, data: Path, name: str) -> None:
    arguments, code = bad(files, data)[name]
    ended = run(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.strip()


TROUBLE = {
    "bad setting": ({"GRANTWAY_PORT": "http"}, 2, "port"),
    "bad issuer": ({"GRANTWAY_ISSUER": "https://[x"}, 2, "issuer"),
    "bad master key": ({"GRANTWAY_MASTER_KEY": "x" * 64}, 3, "GRANTWAY_MASTER_KEY"),
    "missing master key": ({"GRANTWAY_MASTER_KEY_FILE": "/nowhere/key"}, 2, "master_key: /nowhere/key cannot be read"),
    "endless master key": ({"GRANTWAY_MASTER_KEY_FILE": "/dev/zero"}, 2, "master_key: /dev/zero is not a regular file"),
    "another master key": ({"GRANTWAY_MASTER_KEY": "ab" * 32}, 3, "not the one"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_in_the_environment(run: Run, data: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, code, said = TROUBLE[name]
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    ended = run("clients", "list", "--data", data)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert "ababab" not in ended.err


def test_the_master_key_is_gone(run: Run, data: Path) -> None:
    (data / "master.key").unlink()
    ended = run("clients", "list", "--data", data)
    assert ended.code == 3
    assert "missing" in ended.err


def test_the_database_is_no_database(run: Run, data: Path) -> None:
    for file in data.glob("grantway.db*"):
        file.write_bytes(b"this is no database at all. " * 200)
    ended = run("clients", "list", "--data", data)
    assert ended.code == 3
    assert "cannot be used as a database" in ended.err
