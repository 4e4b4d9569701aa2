"""`grantway keys`: which master keys there are, and the rotation from one to the next while servers run."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import typer

from grantway import folder_lock
from grantway.app import Grantway, utc_now
from grantway.cli import rotation
from grantway.cli.console import DataOption, JsonOption, fail, print_json
from grantway.cli.offline import with_grantway
from grantway.cli.rotation import Rotation
from grantway.sealing import key_name
from grantway.storage.sealed_rows import Sealed
from grantway.storage.sqlite import SqliteDatabase

app = typer.Typer(help="Master keys: what opens what is sealed in the database.", no_args_is_help=True)

_BUSY = "another rotation runs on this folder; wait for its end"


@app.command("status")
def status(data: DataOption = None, json: JsonOption = False) -> None:
    """Say which master keys there are, which one seals, and how much each has sealed; no key is shown, only ids.

    Exit code 1: a rotation is not finished, or something is sealed under a key that is not here.
    """

    async def work(grantway: Grantway) -> tuple[str, list[str], Sealed, bool]:
        return grantway.master_key.came_from, rotation.names(grantway), await rotation.counted(grantway), _is_shared(grantway)

    came_from, known, sealed, is_shared = with_grantway(data, work)
    counts = {key_name(one): count for one, count in sealed.counts.items()}
    missing = sorted(set(counts) - set(known))
    keys = [_shown(name, known, key_name(sealed.sealing_now), counts.get(name, Counter())) for name in (*known, *missing)]
    if json:
        print_json({"from": came_from, "keys": keys})
    else:
        _print(came_from, keys, is_shared)
    if len(known) > 1 or missing:
        raise SystemExit(1)


@app.command("rotate")
def rotate(
    prepare: Annotated[bool, typer.Option("--prepare", help="Only make a new key, for several hosts to get.")] = False,
    reseal: Annotated[bool, typer.Option("--reseal", help="Only re-seal under the first key, and drop none.")] = False,
    despite_broken: Annotated[bool, typer.Option("--despite-broken", help="Drop the old key although something does not open.")] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Put a new master key in the place of the old one while servers run: everything is re-sealed, then the old key is dropped.

    It may be broken off at any time; run again, it goes on. Exit code 1: something does not open, and the old key was kept.
    """
    if prepare and reseal:
        fail("--prepare and --reseal are two steps; give one", 2)
    say = (lambda _line: None) if json else print

    async def work(grantway: Grantway) -> Rotation | None:
        with folder_lock.held(grantway.config.data, folder_lock.ROTATION, _BUSY, alone=True):
            return await _rotate(grantway, say, prepare, reseal, despite_broken)

    done = with_grantway(data, work)
    if json:
        print_json({"prepared": True} if done is None else done)
    elif done is not None:
        for one in done.does_not_open:
            print(f"does not open: {one}")
    if done is not None and done.left and not despite_broken:
        fail("what does not open is as it was, and so is the old key. Mend it, or finish with --despite-broken", 1)


async def _rotate(grantway: Grantway, say: Callable[[str], None], prepare: bool, reseal: bool, despite_broken: bool) -> Rotation | None:
    file = grantway.master_key.file
    _refuse(grantway, prepare, reseal)
    if not (prepare or reseal):
        await _refuse_too_early(grantway)
    if file is not None and not reseal:
        rotation.prepare(grantway, say)
    if prepare:
        say("Give this file to every host, then run: grantway keys rotate --reseal")
        return None
    done = await rotation.reseal(grantway, say, utc_now())
    if done.left and not despite_broken:
        return done
    if file is None or reseal:
        old = " and ".join(rotation.names(grantway)[1:])
        say(f"Now take {old} away from every host; from a file: grantway keys rotate. Keep a copy of it for older backups.")
    else:
        done = replace(done, put_aside=await rotation.drop(grantway, say))
        say("Keep a copy of the new key. Backups of before open with the old one only: take that file away from here, and keep it as long.")
    return done


def _refuse(grantway: Grantway, prepare: bool, reseal: bool) -> None:
    """End with a message where the rotation cannot begin, or must not."""
    file, count = grantway.master_key.file, len(grantway.master_key.current())
    if file is None and prepare:
        fail(
            "the master key comes from the settings, where no command can write; put a new one behind it, with a comma between",
            2,
        )
    if count > 1 or prepare:
        return
    if file is None or reseal:
        fail(f"there is one master key only, from {grantway.master_key.came_from}; give every host a new one beside it first", 2)
    if _is_shared(grantway):
        fail("other hosts may use this database: begin with --prepare, and give the file to all of them", 2)


async def _refuse_too_early(grantway: Grantway) -> None:
    """End with a message where other hosts may not have the new key yet: they could neither seal nor open."""
    if grantway.master_key.file is None or not _is_shared(grantway):
        return
    if key_name((await rotation.counted(grantway)).sealing_now) != rotation.names(grantway)[0]:
        fail("the new key seals nothing yet: once every host has this file, run `grantway keys rotate --reseal`, then this on each", 2)


def _is_shared(grantway: Grantway) -> bool:
    """Whether there may be other hosts, which must know the new key before it seals anything."""
    return grantway.master_key.file is None or not isinstance(grantway.database, SqliteDatabase)


def _shown(name: str, known: list[str], sealing: str, counted: Counter[str]) -> dict[str, Any]:
    return {"id": name, "is_here": name in known, "seals": name == sealing, "sealed": dict(counted)}


def _print(came_from: str, keys: list[dict[str, Any]], is_shared: bool) -> None:
    print(f"master key from {came_from}")
    for one in keys:
        does = "seals and opens" if one["seals"] else "opens" if one["is_here"] else "is not here: what it sealed does not open"
        sealed = ", ".join(f"{count:,} × {what}" for what, count in one["sealed"].items()) or "nothing"
        print(f"{one['id']}  {does}; has sealed: {sealed}")
    here = [one for one in keys if one["is_here"]]
    if len(here) > 1:
        print(f"A rotation is not finished. {_next(keys, is_shared)}")


def _next(keys: list[dict[str, Any]], is_shared: bool) -> str:
    """The step that comes next."""
    if not is_shared:
        return "`grantway keys rotate` goes on with it."
    if not keys[0]["seals"] or any(one["sealed"] for one in keys[1:]):
        return "Once every host has these keys, the new one first, `grantway keys rotate --reseal` goes on with it."
    idle = " and ".join(one["id"] for one in keys[1:] if one["is_here"])
    return (
        f"{idle} has sealed nothing. If it is the old key, take it away from every host (from a file: `grantway keys rotate`); "
        "if it is to be the new one, give it to every host, then put it first."
    )
