"""`grantway db check` finds every fault, and what cannot be used as a database is told in one sentence."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.cli.db.database_files import changed, cut_off, damaged, somebody_elses

from grantway.storage.sqlite import FILE_NAME


def test_a_sound_database(run: Run, data: Path) -> None:
    told = run("db", "check", "--data", data)
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[-1] == "13 checks passed."
    steps = run("db", "check", "--json", "--data", data).json
    assert [(step["number"], step["result"], step["faults"]) for step in steps] == [(at, "passed", []) for at in range(1, 14)]


FAULTS = {
    "a reference that leads nowhere": (2, "UPDATE codes SET consent_id = 'none' WHERE used_at IS NULL"),
    "another schema": (3, "DELETE FROM schema_version WHERE version > 3"),
    "the sealed row gone": (4, "DELETE FROM sealing_check"),
    "the sealed row of another key": (4, "UPDATE sealing_check SET sealed = randomblob(60)"),
    "an altered secret": (5, "UPDATE client_secrets SET sealed = CAST(substr(sealed, 1, 30) || substr(sealed, 32) AS BLOB)"),
    "swapped root keys": (5, "UPDATE project_keys SET sealed_secret = (SELECT sealed_private_key FROM satellite_identity)"),
    "an app without a secret": (6, "DELETE FROM client_secrets WHERE client_row_id = (SELECT min(row_id) FROM clients)"),
    "an app whose secret has ended": (6, "UPDATE client_secrets SET live_until = 1"),
    "an app without a developer": (7, "UPDATE accounts SET deleted_at = 1 WHERE kind = 'developer'"),
    "a project without a key": (8, "DELETE FROM project_keys"),
    "a project of nobody's": (8, "UPDATE accounts SET deleted_at = 1 WHERE kind = 'user'"),
    "a consent to no app": (9, "UPDATE consents SET client_row_id = 'none'"),
    "a consent to no request": (9, "DELETE FROM requests"),
    "a used code without a tail": (10, "UPDATE codes SET grant_tail_digest = NULL"),
    "a used code without a JWT": (10, "UPDATE codes SET used_by = NULL"),
    "an unused code with a grant": (11, "UPDATE codes SET used_at = NULL"),
    "an app's consents outlived it": (12, "UPDATE clients SET deleted_at = 1"),
    "a withdrawn consent that is not revoked": (13, "DELETE FROM revoked_tails"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_found(run: Run, data: Path, name: str) -> None:
    number, statement = FAULTS[name]
    changed(data, statement)
    told = run("db", "check", "--data", data)
    assert told.code == 1
    steps = run("db", "check", "--json", "--data", data).json
    failed = [step["number"] for step in steps if step["result"] == "failed"]
    assert number in failed
    assert failed[0] in {2, number}  # a reference may lead nowhere too
    assert steps[number - 1]["faults"]


def test_a_file_that_is_damaged(run: Run, data: Path) -> None:
    with (data / FILE_NAME).open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(20_000))
    told = run("db", "check", "--data", data)
    assert told.code == 1
    assert " 1. failed" in told.out
    assert run("db", "backup", data.parent / "copy.db", "--data", data).code in {1, 3}
    assert not (data.parent / "copy.db").exists()


UNUSABLE: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "no database": (lambda file, _: file.write_bytes(b"this is no database at all. " * 200), "cannot be used as a database: file is not a"),
    "cut off": (cut_off, "cannot be used as a database: database disk image is malformed"),
    "empty": (lambda file, _: file.write_bytes(b""), f"{FILE_NAME} has no tables of Grantway"),
    "somebody else's": (lambda file, _: somebody_elses(file, file), f"{FILE_NAME} has no tables of Grantway"),
    "a folder": (lambda file, _: file.mkdir(), "cannot be used as a database: unable to open"),
}


@pytest.mark.parametrize("command", ["status", "check", "upgrade", "backup"])
@pytest.mark.parametrize(("make", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_told_in_one_sentence(
    run: Run, data: Path, tmp_path: Path, command: str, make: Callable[[Path, Path], object], said: str
) -> None:
    whole = shutil.copytree(data, tmp_path / "whole")
    (data / FILE_NAME).unlink()
    make(data / FILE_NAME, whole)
    copy = tmp_path / "copy.db"
    ended = run("db", command, *([copy] if command == "backup" else []), "--data", data)
    assert (ended.code, ended.out) == (3, "")
    assert said in ended.err
    assert ended.err.startswith("grantway: ")
    assert len(ended.err.splitlines()) == 1
    assert not copy.exists()


def test_a_copy_that_cannot_be_made_is_named(run: Run, data: Path, tmp_path: Path) -> None:
    damaged(data, tmp_path / "damaged.db")
    (tmp_path / "damaged.db").replace(data / FILE_NAME)
    ended = run("db", "backup", tmp_path / "copy.db", "--data", data)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith(f"grantway: no copy was made at {tmp_path / 'copy.db'}: ")
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")], ids=["a file", "a broken link"])
def test_a_data_folder_that_is_none(run: Run, files: Path, tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "data")
    ended = run("users", "add", "a@b.example", "--name", "A", "--password-file", files / "password", "--data", tmp_path / "data")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == f"grantway: {tmp_path / 'data'} is no folder\n"


def test_another_master_key(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", "ef" * 32)
    told = run("db", "check", "--data", data)
    assert told.code == 1
    assert " 4. failed       the master key opens it" in told.out
    assert " 5. not reached  everything sealed opens" in told.out
