"""What all processes count together, for limits: totals in windows, and allowances of which one comes back at a time."""

from collections.abc import Sequence

from grantway.storage.database import Database
from grantway.storage.statements import Rows, Statement, Work

IN_ONE_STATEMENT = 100
_MICROS = 1_000_000


class RateCounts:
    """Implements what limits ask of a store. `process` tells this process from all others, 8 random bytes."""

    def __init__(self, database: Database, process: bytes) -> None:
        self._database = database
        self._process = process

    async def exchange(self, totals: Sequence[tuple[bytes, int, int]]) -> list[int]:
        """Keep this process's totals (key, number, second of the window's end), each in place of its last one, and return for each key
        the total of all processes."""

        def work() -> Work[None]:
            for start in range(0, len(totals), IN_ONE_STATEMENT):
                yield self._kept(totals[start : start + IN_ONE_STATEMENT])

        # each process writes rows of its own, so that none waits for another
        await self._database.write(work)
        together: dict[bytes, int] = {}
        for start in range(0, len(totals), IN_ONE_STATEMENT):
            keys = [key for key, _, _ in totals[start : start + IN_ONE_STATEMENT]]
            sql = f"SELECT key, sum(number) FROM rate_counts WHERE key IN ({_marks(keys)}) GROUP BY key"
            together.update((bytes(key), int(number)) for key, number in await self._database.read(sql, *keys))
        # what is not there was tidied away: its window has ended
        return [together.get(key, number) for key, number, _ in totals]

    def _kept(self, totals: Sequence[tuple[bytes, int, int]]) -> Statement:
        rows = ", ".join(["(?, ?, ?, ?)"] * len(totals))
        sql = f"""INSERT INTO rate_counts (key, process, number, ends_at) VALUES {rows}
            ON CONFLICT (key, process) DO UPDATE SET number = excluded.number"""
        return Statement(sql, [value for key, number, end in totals for value in (key, self._process, number, end * _MICROS)])

    async def take(self, lanes: Sequence[tuple[bytes, int, int]], now: int) -> int:
        """Take one of each lane (key, microseconds until one comes back and of room), all or none. 0, or the microseconds to wait."""
        keys = [key for key, _, _ in lanes]
        sql = f"SELECT key, whole_at FROM rate_allowances WHERE key IN ({_marks(keys)})"
        if wait := _wait(lanes, await self._database.read(sql, *keys), now):
            return wait  # whoever is refused writes nothing

        def work() -> Work[int]:
            # once more, now alone: many at one moment have all seen the same room
            rows = yield Statement(sql, keys)
            wait = _wait(lanes, rows, now)
            if not wait:
                whole_at = _whole_at(lanes, rows, now)
                for key, interval, _ in lanes:
                    yield _taken(key, max(whole_at.get(key, now), now) + interval)
            return wait

        return await self._database.write(work)

    async def give_back(self, lanes: Sequence[tuple[bytes, int, int]]) -> None:
        """Take back what was taken."""

        def work() -> Work[None]:
            for key, interval, _ in lanes:
                yield Statement("UPDATE rate_allowances SET whole_at = whole_at - ? WHERE key = ?", (interval, key))

        await self._database.write(work)

    async def close(self) -> None:
        """The database is others' too."""


def _marks(keys: Sequence[bytes]) -> str:
    return ", ".join("?" * len(keys))


def _whole_at(lanes: Sequence[tuple[bytes, int, int]], rows: Rows, now: int) -> dict[bytes, int]:
    """When each is whole again. What was taken by a clock that was far ahead counts for nothing: it would last until all are there."""
    latest = {key: now + 2 * (interval + room) for key, interval, room in lanes}
    return {bytes(key): whole_at for key, whole_at in rows if whole_at <= latest[bytes(key)]}


def _wait(lanes: Sequence[tuple[bytes, int, int]], rows: Rows, now: int) -> int:
    whole_at = _whole_at(lanes, rows, now)
    return max((max(0, whole_at.get(key, now) - now - room) for key, _, room in lanes), default=0)


def _taken(key: bytes, whole_at: int) -> Statement:
    sql = "INSERT INTO rate_allowances (key, whole_at) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET whole_at = excluded.whole_at"
    return Statement(sql, (key, whole_at))
