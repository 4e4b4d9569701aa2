"""A backup or a restore that is killed at any step leaves one database or the other, whole."""

import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.db.database_files import asked, changed

from grantway.storage.sqlite import FILE_NAME

KILLED = """
import os, shutil, sys
from pathlib import Path
from grantway.cli import db

template, copy, folder = map(Path, sys.argv[1:4])

def dying(function, left):
    def called(*arguments, **named):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), 9)
        return function(*arguments, **named)
    return called

def in_a_child(data, steps):
    child = os.fork()
    if child == 0:
        left = [steps]
        for where, names in ((os, ("open", "fsync", "link")), (Path, ("replace", "rename", "unlink"))):
            for name in names:
                setattr(where, name, dying(getattr(where, name), left))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if copy.exists():
            db.restore(copy, data=data)
        else:
            db.backup(data / "copy.db", data=data)
        os._exit(0)
    return os.waitpid(child, 0)[1]

for step in range(100):
    data = folder / str(step)
    shutil.copytree(template, data)
    status = in_a_child(data, step)
    if status == 0:
        print(step)
        break
    assert status == 9, status
"""


def killed(template: Path, copy: Path, folder: Path) -> list[Path]:
    """The folders that are left when each file operation was the last one once; in the last of them none was."""
    folder.mkdir()
    ended = subprocess.run([sys.executable, "-c", KILLED, template, copy, folder], check=False, timeout=300, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return [folder / str(step) for step in range(int(ended.stdout) + 1)]


def test_a_restore_killed_at_any_step_leaves_one_or_the_other(run: Run, data: Path, tmp_path: Path) -> None:
    run("db", "backup", tmp_path / "copy.db", "--data", data)
    changed(data, "UPDATE accounts SET full_name = 'Changed since'")
    names = []
    for left in killed(data, tmp_path / "copy.db", tmp_path / "killed"):
        assert run("db", "check", "--data", left).code == 0
        ((name,),) = asked(left / FILE_NAME, "SELECT DISTINCT full_name FROM accounts")
        names.append(name)
        asides = [one for one in left.glob(f"{FILE_NAME}.before-*") if asked(one, "SELECT DISTINCT full_name FROM accounts")]
        assert asides or name == "Changed since"
    assert len(names) > 8
    assert sorted(names) == names
    assert {names[0], names[-1]} == {"Changed since", "Somebody"}


def test_a_backup_killed_at_any_step_is_whole_or_not_taken(run: Run, data: Path, tmp_path: Path) -> None:
    taken = []
    for left in killed(data, tmp_path / "none", tmp_path / "killed"):
        file = left / "copy.db"
        taken.append(file.exists() and file.stat().st_size > 0)
        restored = run("db", "restore", file, "--data", left)
        assert (restored.code == 0) == taken[-1]
    assert sorted(taken) == taken
    assert {taken[0], taken[-1]} == {False, True}
