"""The wiring, no logic: config → storage → use cases → routes."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from grantway import folder_lock, limits, master_key
from grantway.argon2_queue import Argon2Queue, HostSlots
from grantway.clients.self_test import SelfTest
from grantway.config import Config
from grantway.diagnosis.use_cases import Diagnosis
from grantway.house import Ground, built
from grantway.master_key import KeyRing
from grantway.satellite import embedded
from grantway.satellite.embedded import EmbeddedSatellite
from grantway.sealing import Sealing
from grantway.storage import clients, engine, housekeeping, satellite
from grantway.storage.database import Database
from grantway.storage.engine import Engine, SqliteEngine
from grantway.storage.sealing_check import Seals
from grantway.web import routes
from grantway.web.admission import Admission
from grantway.web.house import House
from grantway.web.metrics import Metrics, share
from grantway.web.shared_limits import SharedLimits


def utc_now() -> datetime:
    """The one clock of a real server."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Worker:
    """One of several processes of one server: its number, from 0, and the folder that they share while they run."""

    number: int
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Grantway:
    """A whole server, but for HTTP: what the web and the command line call."""

    config: Config
    house: House
    self_test: SelfTest
    satellite: EmbeddedSatellite
    database: Database
    database_place: str
    argon2: Argon2Queue
    limits: SharedLimits | None
    """Of all processes together; None for a process that counts alone."""
    master_key: KeyRing
    seals: Seals
    schema: int
    is_first_start: bool

    def asgi(self) -> routes.App:
        """The ASGI app."""
        return routes.App(self.house)

    async def tidy(self, now: datetime) -> None:
        """Remove all that has ended, batch by batch, unless another process is at it. UnavailableError: the rest is for the next time."""
        config = self.config
        kept = housekeeping.Kept(
            findings=timedelta(days=config.findings_days),
            history=timedelta(days=config.history_days),
            audit=timedelta(days=config.audit_days),
        )
        await housekeeping.tidy(self.database, kept, now)


@contextlib.asynccontextmanager
async def opened(config: Config, clock: Callable[[], datetime] = utc_now, worker: Worker | None = None) -> AsyncIterator[Grantway]:
    """Everything wired over the data folder, which is made at first start; closed in order at the end. `worker`: one of several.

    MasterKeyError, NewerDatabaseError: the folder cannot be used as it is. FolderBusyError: its database is being replaced.
    """
    # for nobody else: names and e-mail addresses stand in the database in clear (docs/security.md)
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    chosen = engine.engine(config.database, config.data)
    with in_use(config, chosen):
        async with _opened(config, chosen, clock, worker) as grantway:
            yield grantway


def in_use(config: Config, chosen: Engine) -> contextlib.AbstractContextManager[None]:
    """While this is open, nobody puts another database in the place of the one in the data folder. FolderBusyError: somebody does."""
    if not isinstance(chosen, SqliteEngine):
        return contextlib.nullcontext()
    busy = f"the database in {config.data} is being restored or moved; try again"
    return folder_lock.held(config.data, folder_lock.IN_USE, busy, alone=False)


@contextlib.asynccontextmanager
async def _opened(config: Config, chosen: Engine, clock: Callable[[], datetime], worker: Worker | None) -> AsyncIterator[Grantway]:
    # 1. the key, before any table is made: beside a database no new one is made, which would open nothing of it
    is_first_start = not await chosen.exists()
    key = master_key.load(config.data, config.master_key, database_exists=not is_first_start)
    # 2. the tables
    schema = await chosen.upgrade()
    # 3. what answers have in common
    metrics = _metrics(worker)
    argon2 = _argon2(config, worker, metrics)
    admission = Admission(config.requests_at_once)
    metrics.watch(admission)
    database = chosen.open(metrics.committed)
    try:
        seals = Seals(Sealing(key.current), secrets.token_bytes)
        # 4. the house; with another master key than its own a database is left alone before anything is answered
        await seals.check(database)
        sat = await _satellite(config, database, seals, clock)
        async with limits.counting(limits.store(config, database, is_worker=worker is not None), key, metrics) as (counts, shared):
            house = built(Ground(config, database, key, seals, sat, argon2, admission, metrics, clock, counts, shared))
            async with _diagnosing(house.diagnosis):
                yield Grantway(
                    config=config,
                    house=house,
                    self_test=SelfTest(clients.Clients(database, seals), seals.sealing, secrets.token_bytes),
                    satellite=sat,
                    database=database,
                    database_place=chosen.place,
                    argon2=argon2,
                    limits=shared,
                    master_key=key,
                    seals=seals,
                    schema=schema,
                    is_first_start=is_first_start,
                )
    finally:
        argon2.close()
        await database.close()


def _metrics(worker: Worker | None) -> Metrics:
    if worker is None:
        return Metrics()
    # by its number: a worker that takes the place of another counts on where that ended (decision 0020)
    share(worker.folder, worker.number)
    return Metrics(worker.folder)


def _argon2(config: Config, worker: Worker | None, metrics: Metrics) -> Argon2Queue:
    slots = HostSlots(worker.folder, config.argon2_threads, config.workers) if worker else None
    return Argon2Queue(config.argon2_threads, config.argon2_waiting, slots=slots, changed=metrics.argon2_waits)


@contextlib.asynccontextmanager
async def _diagnosing(diagnosis: Diagnosis) -> AsyncIterator[None]:
    """While this is open, findings are made of what is recorded; at the end, of what is left."""
    task = asyncio.create_task(diagnosis.run())
    try:
        yield
    finally:
        # not cancelled: what was answered already gets its finding
        diagnosis.close()
        await task


async def _satellite(config: Config, database: Database, seals: Seals, clock: Callable[[], datetime]) -> EmbeddedSatellite:
    records = satellite.SatelliteRecords(database, seals)
    address = await embedded.address(records, seals.sealing, secrets.token_bytes, config.satellite_host, clock())
    return EmbeddedSatellite(records, seals.sealing, secrets.token_bytes, address)
