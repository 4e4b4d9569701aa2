"""Locks on the data folder, where several users of the system have to do with it."""

import os
from pathlib import Path

import pytest

from grantway import folder_lock


@pytest.mark.parametrize("name", [folder_lock.IN_USE, folder_lock.ROTATION])
def test_a_lock_that_root_makes_can_be_opened_by_the_servers_own_user(name: str, tmp_path: Path) -> None:
    """Whatever root's umask is, and also where the file was made by a program that took no care of it."""
    before = os.umask(0o077)
    try:
        for _ in range(2):
            with folder_lock.held(tmp_path, name, "busy", alone=True):
                assert (tmp_path / name).stat().st_mode & 0o777 == 0o644
            (tmp_path / name).chmod(0o600)
    finally:
        os.umask(before)


def test_another_file_that_was_linked_there_stays_closed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.touch(0o600)
    (tmp_path / folder_lock.IN_USE).hardlink_to(closed)
    with folder_lock.held(tmp_path, folder_lock.IN_USE, "busy", alone=True):
        assert closed.stat().st_mode & 0o777 == 0o600
