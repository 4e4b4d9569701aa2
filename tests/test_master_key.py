"""The master key: made once, kept from others, never replaced, never shown."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from grantway import master_key
from grantway.sealing import MasterKeyError

KEY = "ab" * 32


def kept(tmp_path: Path, text: str = KEY, mode: int = 0o600) -> Path:
    file = tmp_path / master_key.FILE_NAME
    file.write_text(text)
    file.chmod(mode)
    return file


def test_is_made_at_the_first_start(tmp_path: Path) -> None:
    made = master_key.load(tmp_path, "", database_exists=False)
    file = tmp_path / master_key.FILE_NAME
    assert made.is_new
    assert made.came_from == str(file)
    assert [bytes.fromhex(line) for line in file.read_text().splitlines()] == list(made.current())
    assert list(map(len, made.current())) == [32]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [master_key.FILE_NAME]
    assert made.current()[0].hex() not in repr(made)
    again = master_key.load(tmp_path, "", database_exists=True)
    assert (again.current(), again.is_new) == (made.current(), False)


def test_eight_starts_at_once_make_one_key(tmp_path: Path) -> None:
    together = Barrier(8)

    def start(_: int) -> master_key.KeyRing:
        together.wait()
        return master_key.load(tmp_path, "", database_exists=False)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(start, range(8)))
    assert len({one.current() for one in found}) == 1
    assert sum(one.is_new for one in found) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == [master_key.FILE_NAME]


def test_is_not_made_beside_a_database(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="Put the key back"):
        master_key.load(tmp_path, "", database_exists=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_others_must_not_read_it(tmp_path: Path, mode: int) -> None:
    file = kept(tmp_path, mode=mode)
    with pytest.raises(MasterKeyError, match=f"chmod 600 {file}"):
        master_key.load(tmp_path, "", database_exists=True)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_may_be_read_by_its_owner(tmp_path: Path, mode: int) -> None:
    kept(tmp_path, mode=mode)
    assert master_key.load(tmp_path, "", database_exists=True).current() == (bytes.fromhex(KEY),)


GARBAGE = {
    "empty": "",
    "too short": KEY[:-2],
    "too long": KEY + "ab",
    "odd": KEY[:-1],
    "no hex": "xy" * 32,
    "base64": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=",
    "not ASCII": "é" * 64,
    "a key twice": f"{KEY}\n{KEY}",
    "a key and half a one": f"{KEY}\n{KEY[:32]}",
    "two in one line without a gap": KEY + "cd" * 32,
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_in_the_file(tmp_path: Path, name: str) -> None:
    kept(tmp_path, GARBAGE[name])
    with pytest.raises(MasterKeyError) as refusal:
        master_key.load(tmp_path, "", database_exists=True)
    assert not GARBAGE[name] or GARBAGE[name] not in str(refusal.value)
    assert KEY[:32] not in str(refusal.value)


@pytest.mark.parametrize("name", [name for name in GARBAGE if name != "empty"])
def test_garbage_in_the_environment(tmp_path: Path, name: str) -> None:
    with pytest.raises(MasterKeyError, match="GRANTWAY_MASTER_KEY") as refusal:
        master_key.load(tmp_path, GARBAGE[name], database_exists=False)
    assert GARBAGE[name] not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_the_settings_come_before_the_file(tmp_path: Path) -> None:
    kept(tmp_path, "cd" * 32)
    found = master_key.load(tmp_path, KEY, database_exists=True)
    assert (found.current(), found.came_from, found.is_new) == ((bytes.fromhex(KEY),), "the settings", False)


def test_the_environments_key_is_not_written_down(tmp_path: Path) -> None:
    master_key.load(tmp_path, KEY, database_exists=False)
    assert list(tmp_path.iterdir()) == []


def test_white_space_around_the_files_key_does_not_matter(tmp_path: Path) -> None:
    kept(tmp_path, f" {KEY.upper()}\r\n")
    assert master_key.load(tmp_path, "", database_exists=True).current() == (bytes.fromhex(KEY),)
