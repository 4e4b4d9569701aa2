"""`grantway keys`: a rotation from the first line to the last, in one go or in steps, broken off anywhere, and refused where it must be."""

import asyncio
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import PASSWORD, Run
from tests.engines import postgres
from tests.storage.world import world

from grantway import folder_lock
from grantway.cli import rotation
from grantway.sealing import header, key_name
from grantway.storage.sealed_rows import COLUMNS

OLD, NEW = "ab" * 32, "cd" * 32


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else is reading: the old key need not stay for them."""
    monkeypatch.setattr(rotation.drop, "__defaults__", (0.0,))


@pytest.fixture
def apps(data: Path) -> Path:
    """The data folder, with two apps and a user."""

    async def story() -> None:
        async with world(data) as there:
            await there.account(email="uma@example.org")
            for _ in range(2):
                await there.app()

    asyncio.run(story())
    return data


def lines(data: Path) -> list[str]:
    return (data / "master.key").read_text().splitlines()


def name(key: str) -> str:
    return key_name(header(bytes.fromhex(key)))


def headers(data: Path) -> set[bytes]:
    """How all raw values begin."""
    with closing(sqlite3.connect(data / "grantway.db")) as raw:
        columns = [(one.table, one.column) for one in COLUMNS] + [("sealing_check", "sealed")]
        return {bytes(row[0])[:5] for table, column in columns for row in raw.execute(f"SELECT {column} FROM {table}")}


def test_in_one_go(run: Run, apps: Path) -> None:
    (old,) = lines(apps)
    ended = run("keys", "rotate", "--data", apps)
    (new,) = lines(apps)
    assert (ended.code, ended.err) == (0, "")
    assert new != old
    said = ended.out.splitlines()
    assert [line.split(".")[0] for line in said[:5]] == ["1", "2", "3", "4", "5"]
    assert name(new) in said[0]
    assert "4 values" in said[2]
    assert "nothing" in said[3]
    assert name(old) in said[4]
    assert new not in ended.out
    (aside,) = apps.glob("master.key.before-*")
    assert str(aside) in said[4]
    assert (aside.read_text(), stat.S_IMODE(aside.stat().st_mode)) == (f"{old}\n", 0o600)
    assert headers(apps) == {header(bytes.fromhex(new))}
    status = run("keys", "status", "--data", apps)
    assert (status.code, status.out.splitlines()[1]) == (
        0,
        f"{name(new)}  seals and opens; has sealed: 1 × project root key, 2 × client secret, 1 × satellite identity",
    )
    assert run("self-test", "--data", apps).code == 0


def test_for_programs(run: Run, apps: Path) -> None:
    (old,) = lines(apps)
    ended = run("keys", "rotate", "--json", "--data", apps)
    (new,) = lines(apps)
    (aside,) = apps.glob("master.key.before-*")
    assert ended.json == {
        "key": name(new), "older": [name(old)], "resealed": 4, "left": 0, "does_not_open": [], "put_aside": str(aside)
    }  # fmt: skip
    status = run("keys", "status", "--json", "--data", apps).json
    assert status["from"] == str(apps / "master.key")
    sealed = {"project root key": 1, "client secret": 2, "satellite identity": 1}
    assert status["keys"] == [{"id": name(new), "is_here": True, "seals": True, "sealed": sealed}]
    assert run("keys", "rotate", "--prepare", "--json", "--data", apps).json == {"prepared": True}


def test_in_steps(run: Run, apps: Path) -> None:
    (old,) = lines(apps)
    assert run("keys", "rotate", "--prepare", "--data", apps).code == 0
    new, second = lines(apps)
    assert second == old
    assert run("keys", "rotate", "--prepare", "--data", apps).code == 0
    assert lines(apps) == [new, old]
    status = run("keys", "status", "--data", apps)
    assert status.code == 1
    assert f"{name(new)}  opens; has sealed: nothing" in status.out
    assert headers(apps) == {header(bytes.fromhex(old))}
    assert run("keys", "rotate", "--reseal", "--data", apps).code == 0
    assert headers(apps) == {header(bytes.fromhex(new))}
    assert lines(apps) == [new, old]
    assert run("keys", "rotate", "--data", apps).code == 0
    assert lines(apps) == [new]


def test_with_keys_from_the_settings(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an operator of several hosts does: the new key behind the old one, then before it, then re-seal, then alone."""
    data = tmp_path / "data"
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", OLD)
    (tmp_path / "password").write_text("correct horse battery\n")
    added = ("users", "add", "uma@example.org", "--name", "Uma", "--password-file", tmp_path / "password", "--data", data)
    assert run(*added).code == 0
    one = run("keys", "rotate", "--data", data)
    assert (one.code, one.out) == (2, "")
    assert "one master key only" in one.err
    assert run("keys", "rotate", "--prepare", "--data", data).code == 2
    first = "if it is to be the new one, give it to every host, then put it first"
    then = "Once every host has these keys, the new one first, `grantway keys rotate --reseal` goes on"
    for keys, next_step in ((f"{OLD},{NEW}", first), (f"{NEW},{OLD}", then)):
        monkeypatch.setenv("GRANTWAY_MASTER_KEY", keys)
        status = run("keys", "status", "--data", data).out
        assert f"{name(OLD)}  seals and opens" in status
        assert next_step in status
    done = run("keys", "rotate", "--reseal", "--data", data)
    assert (done.code, done.err) == (0, "")
    assert f"take {name(OLD)} away" in done.out
    assert f"{name(OLD)} has sealed nothing. If it is the old key, take it away" in run("keys", "status", "--data", data).out
    assert headers(data) == {header(bytes.fromhex(NEW))}
    monkeypatch.setenv("GRANTWAY_MASTER_KEY", NEW)
    assert run("keys", "status", "--data", data).code == 0
    assert not (data / "master.key").exists()


def test_with_a_file_on_each_of_two_hosts(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sealed under a new key, and no old one is dropped, before somebody says that every host has both."""
    monkeypatch.setenv("GRANTWAY_DATABASE", postgres().new_database())
    monkeypatch.setenv("PASSWORD", PASSWORD)
    here, there = tmp_path / "here", tmp_path / "there"
    assert run("users", "add", "uma@example.org", "--name", "Uma", "--password-env", "PASSWORD", "--data", here).code == 0
    (old,) = lines(here)
    assert "begin with --prepare" in run("keys", "rotate", "--data", here).err
    assert run("keys", "rotate", "--prepare", "--data", here).code == 0
    new, _ = lines(here)
    early = run("keys", "rotate", "--data", here)
    assert (early.code, early.out) == (2, "")
    assert "once every host has this file, run `grantway keys rotate --reseal`" in early.err
    assert lines(here) == [new, old]
    assert f"{name(old)}  seals and opens" in run("keys", "status", "--data", here).out
    there.mkdir(mode=0o700)
    shutil.copy(here / "master.key", there)
    assert run("keys", "rotate", "--reseal", "--data", here).code == 0
    for host in (here, there):
        assert run("keys", "rotate", "--data", host).code == 0
        assert lines(host) == [new]
        assert run("keys", "status", "--data", host).code == 0


def test_what_does_not_open_keeps_the_old_key(run: Run, apps: Path) -> None:
    (old,) = lines(apps)
    with closing(sqlite3.connect(apps / "grantway.db")) as raw:
        (row_id, sealed), *_ = raw.execute("SELECT client_row_id, sealed FROM client_secrets ORDER BY client_row_id")
        raw.execute("UPDATE client_secrets SET sealed = ? WHERE client_row_id = ?", (sealed + b"x", row_id))
        raw.commit()
    ended = run("keys", "rotate", "--data", apps)
    assert ended.code == 1
    assert f"does not open: client secret {row_id}/1" in ended.out
    assert "--despite-broken" in ended.err
    new, second = lines(apps)
    assert second == old
    kept = run("keys", "rotate", "--json", "--data", apps).json
    assert (kept["left"], kept["put_aside"]) == (1, None)
    assert lines(apps) == [new, old]
    assert run("keys", "rotate", "--despite-broken", "--data", apps).code == 0
    assert lines(apps) == [new]
    status = run("keys", "status", "--data", apps)
    assert status.code == 1
    assert f"{name(old)}  is not here: what it sealed does not open; has sealed: 1 × client secret" in status.out


def test_wrong_usage(run: Run, apps: Path, tmp_path: Path) -> None:
    assert run("keys", "rotate", "--prepare", "--reseal", "--data", apps).code == 2
    assert run("keys", "rotate", "--reseal", "--data", apps).code == 2
    assert run("keys", "rotate", "--data", tmp_path / "nowhere").code == 2
    assert len(lines(apps)) == 1


def test_two_at_once(run: Run, apps: Path) -> None:
    with folder_lock.held(apps, folder_lock.ROTATION, "", alone=True):
        ended = run("keys", "rotate", "--data", apps)
    assert (ended.code, ended.out) == (3, "")
    assert "another rotation" in ended.err
    assert len(lines(apps)) == 1


KILLED = """
import asyncio, os, shutil, sys
from pathlib import Path
from grantway import master_key
from grantway.cli import keys, rotation
from grantway.storage import sealed_rows
from grantway.storage.sqlite import SqliteDatabase

template, folder = Path(sys.argv[1]), Path(sys.argv[2])
rotation.drop.__defaults__ = (0.0,)
sealed_rows.BATCH = sealed_rows.COUNTED_AT_ONCE = 1
sealed_rows.PAUSE_SECONDS = 0.0

def dying(function, left):
    def called(*arguments, **named):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), 9)
        return function(*arguments, **named)
    return called

def rotate(data, left):
    for where, names in ((os, ("open", "fsync")), (Path, ("replace", "unlink")), (SqliteDatabase, ("_commit_together",))):
        for name in names:
            setattr(where, name, dying(getattr(where, name), left))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    keys.rotate(data=data)

def in_a_child(data, steps):
    child = os.fork()
    if child == 0:
        rotate(data, [steps])
        os._exit(0)
    return os.waitpid(child, 0)[1]

for step in range(1000):
    data = folder / str(step)
    shutil.copytree(template, data)
    status = in_a_child(data, step)
    print(step, status, len((data / "master.key").read_text().split()), flush=True)
    if in_a_child(data, 10**9) != 0:
        sys.exit("it does not go on")
    if status == 0:
        break
    assert status == 9, status
"""


@pytest.mark.slow
def test_killed_at_any_step_it_goes_on(apps: Path, tmp_path: Path) -> None:
    """Each file operation and each commit is the last one once. Run again, it ends with one key that opens all."""
    (old,) = lines(apps)
    folder = tmp_path / "killed"
    folder.mkdir()
    ended = subprocess.run([sys.executable, "-c", KILLED, apps, folder], check=False, timeout=300, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    steps = [tuple(map(int, line.split())) for line in ended.stdout.splitlines()]
    assert len(steps) > 20
    assert [status for _, status, _ in steps] == [9] * (len(steps) - 1) + [0]
    counts = [count for _, _, count in steps]
    assert [one for at, one in enumerate(counts) if at == 0 or counts[at - 1] != one] == [1, 2, 1]
    for step, _, _ in steps[:-1]:
        data = folder / str(step)
        (new,) = lines(data)
        assert new != old
        assert headers(data) == {header(bytes.fromhex(new))}
        kept = sorted(data.glob("master.key*"))
        assert kept[0].name == "master.key"
        # killed when all was done it begins anew, and the first new key is put aside, too
        put_aside = [one.read_text() for one in kept[1:]]
        assert f"{old}\n" in put_aside
        assert f"{new}\n" not in put_aside
        shutil.rmtree(data)
