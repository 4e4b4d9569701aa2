"""The master key: made once, kept from others, never replaced, never shown."""

import os
import stat
import subprocess
import sys
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


@pytest.mark.skipif(os.name != "posix", reason="there are no pipes with names")
@pytest.mark.parametrize("what", ["pipe", "folder"])
def test_it_is_a_regular_file(tmp_path: Path, what: str) -> None:
    """A pipe that nobody writes into would be waited for without end."""
    file = tmp_path / master_key.FILE_NAME
    os.mkfifo(file, 0o600) if what == "pipe" else file.mkdir(0o700)
    with pytest.raises(MasterKeyError, match=f"{file} is not a regular file"):
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
def test_garbage_in_the_settings(tmp_path: Path, name: str) -> None:
    with pytest.raises(MasterKeyError, match="GRANTWAY_MASTER_KEY") as refusal:
        master_key.load(tmp_path, GARBAGE[name], database_exists=False)
    assert GARBAGE[name] not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_the_settings_come_before_the_file(tmp_path: Path) -> None:
    kept(tmp_path, "cd" * 32)
    found = master_key.load(tmp_path, KEY, database_exists=True)
    assert (found.current(), found.came_from, found.is_new) == ((bytes.fromhex(KEY),), "the settings", False)


def test_the_settings_key_is_not_written_down(tmp_path: Path) -> None:
    master_key.load(tmp_path, KEY, database_exists=False)
    assert list(tmp_path.iterdir()) == []


def test_white_space_around_the_files_key_does_not_matter(tmp_path: Path) -> None:
    kept(tmp_path, f" {KEY.upper()}\r\n")
    assert master_key.load(tmp_path, "", database_exists=True).current() == (bytes.fromhex(KEY),)


OTHER = "cd" * 32
BOTH = (bytes.fromhex(OTHER), bytes.fromhex(KEY))


def test_several_keys_in_the_file(tmp_path: Path) -> None:
    kept(tmp_path, f"{OTHER}\n{KEY}\n")
    assert master_key.load(tmp_path, "", database_exists=True).current() == BOTH


@pytest.mark.parametrize("between", [",", " ", ", ", "\n", "\r\n"])
def test_several_keys_in_the_settings(tmp_path: Path, between: str) -> None:
    assert master_key.load(tmp_path, f"{OTHER}{between}{KEY}", database_exists=True).current() == BOTH


@pytest.mark.parametrize("text", [",", f"{KEY},xy", f"{KEY};{OTHER}", f"{KEY} {KEY.upper()}"])
def test_garbage_among_several(tmp_path: Path, text: str) -> None:
    with pytest.raises(MasterKeyError) as refusal:
        master_key.load(tmp_path, text, database_exists=True)
    assert KEY not in str(refusal.value)


def test_a_replaced_file_is_noticed(tmp_path: Path) -> None:
    file = kept(tmp_path)
    ring = master_key.load(tmp_path, "", database_exists=True)
    assert ring.current() == BOTH[1:]
    master_key.replace(file, BOTH)
    assert ring.current() == BOTH
    assert file.read_text() == f"{OTHER}\n{KEY}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [master_key.FILE_NAME]


@pytest.mark.parametrize("what", ["gone", "open to others", "half written"])
def test_a_file_that_cannot_be_used_now_changes_nothing(tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    file = kept(tmp_path)
    ring = master_key.load(tmp_path, "", database_exists=True)
    ring.current()
    if what == "gone":
        file.unlink()
    else:
        file.write_text(OTHER[:40] if what == "half written" else OTHER)
        file.chmod(0o644 if what == "open to others" else 0o600)
    assert ring.current() == BOTH[1:]
    assert "master key" in caplog.text
    assert OTHER[:40] not in caplog.text
    file.unlink(missing_ok=True)
    kept(tmp_path, OTHER)
    assert ring.current() == BOTH[:1]


def test_another_key_is_another(tmp_path: Path) -> None:
    made = master_key.another(BOTH)
    assert len(made) == 32
    assert made not in BOTH


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    file = kept(tmp_path / "elsewhere")
    (tmp_path / master_key.FILE_NAME).symlink_to(file)
    master_key.replace(tmp_path / master_key.FILE_NAME, BOTH)
    assert (tmp_path / master_key.FILE_NAME).is_symlink()
    assert file.read_text().split() == [OTHER, KEY]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives a file to others")
def test_the_file_keeps_its_owner(tmp_path: Path) -> None:
    file = kept(tmp_path)
    os.chown(file, 12345, 12346)
    master_key.replace(file, BOTH)
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 12346)


KILLED = """
import os, sys
from pathlib import Path
from grantway import master_key

left = int(sys.argv[2])
def dying(function):
    def called(*arguments, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return function(*arguments, **named)
    return called

for name in ("open", "fsync", "fdopen", "close", "chown"):
    setattr(os, name, dying(getattr(os, name)))
for name in ("replace", "unlink", "resolve"):
    setattr(Path, name, dying(getattr(Path, name)))
master_key.replace(Path(sys.argv[1]), (bytes.fromhex("cd" * 32), bytes.fromhex("ab" * 32)))
"""


def test_killed_at_any_step_the_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    found = []
    for step in range(50):
        folder = tmp_path / str(step)
        folder.mkdir()
        file = kept(folder)
        ended = subprocess.run([sys.executable, "-c", KILLED, str(file), str(step)], check=False, timeout=60)
        found.append(master_key.load(folder, "", database_exists=True).current())
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        master_key.forget_drafts(folder)
        assert [entry.name for entry in folder.iterdir()] == [master_key.FILE_NAME]
        if ended.returncode == 0:
            break
        assert ended.returncode == -9
    assert len(found) > 6
    assert found == sorted(found)  # the old one, up to a step, and from there on both
    assert {found[0], found[-1]} == {BOTH[1:], BOTH}
