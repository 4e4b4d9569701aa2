"""Exchanges with passphrases against the bare derivation: how much of Argon2's rate is left, and the memory it takes at once."""

import argparse
import hashlib
import hmac
import secrets
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret_raw

from bench import flow, servers
from bench.load import drive

BAR = 0.9
DERIVATION_MIB = 64
# What an exchange may need beside Argon2's blocks: its lanes' stacks, the pool's threads, the allocator.
SLACK_MIB = 16


@dataclass(frozen=True, slots=True)
class Measured:
    """Pairs of rates a second (bare, through the server), and MiB: resident when idle, the most during the load."""

    pairs: list[tuple[float, float]]
    idle: float
    peak: float


def derive(passphrase: bytes, salt: bytes) -> bytes:
    """A project's root key as Storj's tools derive it: access-grant-format, section 7."""
    mixed = hmac.digest(passphrase, salt, hashlib.sha256)
    argon_salt = hmac.digest(mixed, b"", hashlib.sha256)
    return hash_secret_raw(passphrase, argon_salt, time_cost=1, memory_cost=65536, parallelism=8, hash_len=32, type=Type.ID)


def bare_rate(count: int, threads: int, cores: frozenset[int]) -> float:
    """Derivations a second from `threads` threads that do nothing else, on the server's cores."""
    passphrases = [secrets.token_bytes(16) for _ in range(count)]
    salt = secrets.token_bytes(16)
    # The pool's threads start here and inherit these cores, and so do Argon2's lanes.
    with servers.on_cores(cores), ThreadPoolExecutor(threads) as pool:
        list(pool.map(derive, passphrases[:threads], [salt] * threads))  # the threads are there when the clock starts
        began = time.perf_counter()
        list(pool.map(derive, passphrases, [salt] * count))
        return count / (time.perf_counter() - began)


def exchange_rate(walk: flow.Walk, count: int, connections: int) -> float:
    """Exchanges a second, each with a passphrase of its own, so that none is answered from a cached key."""
    requests = [flow.token_request(walk.port, walk.app, code, secrets.token_urlsafe(16)) for code in flow.codes(walk, count)]
    run = drive(walk.port, requests, connections=connections)
    flow.check_distinct(run.bodies, "access_grant")
    return run.rate


def measure(count: int, rounds: int, concurrency: int, cores: frozenset[int]) -> Measured:
    """Interleaved rounds on `cores`, with four times as many requests under way as derivations are allowed."""
    with (
        servers.data_directory() as data,
        servers.grantway(data, cores=cores, settings={"GRANTWAY_ARGON2_AT_ONCE": str(concurrency)}) as server,
    ):
        walk = flow.prepare(server.port)
        exchange_rate(walk, 4 * concurrency, 4 * concurrency)
        idle = server.memory()
        server.forget_peak()
        pairs = [(bare_rate(count, concurrency, cores), exchange_rate(walk, count, 4 * concurrency)) for _ in range(rounds)]
        return Measured(pairs, idle, server.memory("VmHWM"))


def report(measured: Measured, concurrency: int, cores: frozenset[int]) -> bool:
    """Print, and tell whether both bounds hold."""
    ratio = statistics.median(served / bare for bare, served in measured.pairs)
    bare, served = (statistics.median(side) for side in zip(*measured.pairs, strict=True))
    grown, allowed = measured.peak - measured.idle, concurrency * DERIVATION_MIB
    print(f"core {', '.join(map(str, sorted(cores)))}, {concurrency} derivations at once")
    print(f"  bare {bare:.1f}/s, exchanges {served:.1f}/s, median ratio {ratio:.1%} (bar {BAR:.0%})")
    print(f"  {measured.idle:.0f} MiB idle, {measured.peak:.0f} MiB at most: {grown:.0f} MiB more, bar {allowed} + {SLACK_MIB}")
    return ratio >= BAR and grown <= allowed + SLACK_MIB


def main() -> int:
    """Measure on one core and on both, print, and give 1 when a bound doesn't hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=40, help="derivations a round")
    parser.add_argument("--concurrency", type=int, default=2, help="derivations at once, in the server and bare")
    parser.add_argument("--cores", action="append", help="cores of the server, like 0 or 0,1; may be given again (default: both)")
    asked = parser.parse_args()
    servers.pin_this_process()
    held = []
    for names in asked.cores or ["0", "0,1"]:
        cores = frozenset(int(name) for name in names.split(","))
        held.append(report(measure(asked.count, asked.rounds, asked.concurrency, cores), asked.concurrency, cores))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
