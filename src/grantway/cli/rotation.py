"""The rotation of the master key, step by step. It may end between any two of them, and goes on from there when it is run again.

1. a new key is made and put first in the file: whoever meets what it sealed reads the file again, and opens it
2. it takes over: from this commit on every process seals under it, or not at all
3. what is under older keys is re-sealed, a small batch at a time
4. all is looked through: nothing is left under an older key
5. the older keys are dropped from the file
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from grantway import master_key
from grantway.app import Grantway, utc_now
from grantway.oauth_error import UnavailableError
from grantway.sealing import header, key_name
from grantway.storage import sealed_rows
from grantway.storage.sealed_rows import Sealed

T = TypeVar("T")

ATTEMPTS = 12
"""How often a database that is busy is asked; each time waits for some seconds."""
SETTLE_SECONDS = 5.0
"""How long the old key stays after all is re-sealed: whoever read something before has opened it by then."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """How far it came. `key` and `older` are keys' names; `left` values are not under the new key, those in `does_not_open` among them.
    `put_aside` is the file that the older keys were put into; None where none was dropped."""

    key: str
    older: tuple[str, ...]
    resealed: int
    left: int
    does_not_open: tuple[str, ...]
    put_aside: str | None = None


def names(grantway: Grantway) -> list[str]:
    """What our keys are called, the newest first."""
    return [key_name(header(one)) for one in grantway.master_key.current()]


def prepare(grantway: Grantway, say: Say) -> None:
    """Step 1, unless there are two keys already."""
    file, keys = grantway.master_key.file, grantway.master_key.current()
    assert file is not None  # noqa: S101 - the command has looked
    master_key.forget_drafts(file.parent)
    if len(keys) == 1:
        made = master_key.another(keys)
        master_key.replace(file, (made, *keys))
        say(f"1. made       the key {key_name(header(made))}; it is first in {file}, and opens from now on")
    else:
        say(f"1. made       before: {names(grantway)[0]} is first in {file}; going on with its rotation")


async def reseal(grantway: Grantway, say: Say, now: datetime) -> Rotation:
    """Steps 2 to 4. UnavailableError: the database is away."""
    key, *older = names(grantway)
    database, seals = grantway.database, grantway.seals
    changed = await _patiently(lambda: database.write(lambda: seals.begin_rotation(now)))
    say(f"2. took over  {key} seals from now on" if changed else f"2. took over  before: {key} seals")
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        if done // 10_000 < (done + count) // 10_000:
            say(f"              {(done + count) // 10_000 * 10_000:,} values so far")
        done += count

    broken = await _patiently(lambda: sealed_rows.reseal(database, seals, progress))
    say(f"3. re-sealed  {done:,} value{'' if done == 1 else 's'}")
    left = await _left(grantway)
    while left > len(broken):  # stored by a transaction that had begun before step 2
        broken = await _patiently(lambda: sealed_rows.reseal(database, seals, progress))
        left = await _left(grantway)
    say(f"4. looked     left under another key: {f'{left:,}' if left else 'nothing'}")
    return Rotation(key=key, older=tuple(older), resealed=done, left=left, does_not_open=tuple(broken))


async def drop(grantway: Grantway, say: Say, settle: float = SETTLE_SECONDS) -> str:
    """Step 5; the file that the older keys are in now."""
    file, (key, *older) = grantway.master_key.file, grantway.master_key.current()
    assert file is not None  # noqa: S101 - the command has looked
    await asyncio.sleep(settle)
    aside = master_key.put_aside(file, tuple(older), f"before-{utc_now():%Y%m%dT%H%M%S.%fZ}")
    master_key.replace(file, (key,))
    say(f"5. dropped    {', '.join(key_name(header(one)) for one in older)} from {file}, into {aside}")
    return str(aside)


async def counted(grantway: Grantway) -> Sealed:
    """What each key sealed. UnavailableError: the database is away."""
    return await _patiently(lambda: sealed_rows.counted(grantway.database))


async def _left(grantway: Grantway) -> int:
    return (await counted(grantway)).other_than(grantway.seals.sealing.headers()[0])


async def _patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Do it, again and again while the database is busy."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await work()
        except UnavailableError:
            await asyncio.sleep(sealed_rows.PAUSE_SECONDS)
    return await work()
