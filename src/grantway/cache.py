"""What all processes count together, in a Valkey or Redis: totals in windows, and allowances of which one comes back at a time."""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from grantway.oauth_error import UnavailableError

T = TypeVar("T")

SOCKET_SECONDS = 1.0
"""How long one connecting or one answer may take."""
_PREFIX = b"grantway:"
_TLS = {"rediss", "valkeys"}

# KEYS are the lanes; ARGV is now, then interval and room of each lane, in microseconds. Numbers stay exact: they are below 2^53,
# and written with %.0f, because Lua by itself writes fourteen digits of them. What a clock took that was far ahead counts for nothing.
_TAKE = """
local now, wait, whole = tonumber(ARGV[1]), 0, {}
for i, key in ipairs(KEYS) do
    local at, interval, room = tonumber(redis.call('GET', key) or now), tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    whole[i] = at <= now + 2 * (interval + room) and math.max(at, now) or now
    wait = math.max(wait, whole[i] - now - room)
end
if wait > 0 then return string.format('%.0f', wait) end
for i, key in ipairs(KEYS) do
    local at = whole[i] + tonumber(ARGV[2 * i])
    redis.call('SET', key, string.format('%.0f', at), 'PX', string.format('%.0f', math.ceil((at - now) / 1000)))
end
return '0'
"""
# one that has ended meanwhile must not come back without an end
_GIVE_BACK = """
for i, key in ipairs(KEYS) do
    if redis.call('EXISTS', key) == 1 then redis.call('DECRBY', key, ARGV[i]) end
end
return '0'
"""


class CachedCounts:
    """Implements what limits ask of a store. `process` tells this process from all others."""

    def __init__(self, url: str, process: bytes) -> None:
        # without it any trusted certificate would do, whatever its host
        tls = {"ssl_check_hostname": True} if urlsplit(url).scheme in _TLS else {}
        self._valkey = Valkey.from_url(url, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS, **tls)
        self._process = process

    async def exchange(self, totals: Sequence[tuple[bytes, int, int]]) -> list[int]:
        """Keep this process's totals (key, number, second of the window's end), each in place of its last one, and return for each key
        the total of all processes. All in one round trip."""

        async def told() -> list[Any]:
            # no transaction: totals take each other's place, and told twice they are the same (decision 0020)
            async with self._valkey.pipeline(transaction=False) as pipeline:
                for key, number, ends_at in totals:
                    pipeline.execute_command("HSET", _PREFIX + key, self._process, number)
                    pipeline.execute_command("EXPIREAT", _PREFIX + key, ends_at)
                    pipeline.execute_command("HVALS", _PREFIX + key)
                return list(await pipeline.execute())

        return [sum(map(int, numbers)) for numbers in (await _answer(told))[2::3]]

    async def take(self, lanes: Sequence[tuple[bytes, int, int]], now: int) -> int:
        """Take one of each lane (key, microseconds until one comes back and of room), all or none. 0, or the microseconds to wait."""
        figures = [figure for _, interval, room in lanes for figure in (interval, room)]
        return int(await self._run(_TAKE, lanes, [now, *figures]))

    async def give_back(self, lanes: Sequence[tuple[bytes, int, int]]) -> None:
        """Take back what was taken."""
        await self._run(_GIVE_BACK, lanes, [interval for _, interval, _ in lanes])

    async def close(self) -> None:
        """Close the connections."""
        await self._valkey.aclose()

    async def _run(self, script: str, lanes: Sequence[tuple[bytes, int, int]], figures: Sequence[int]) -> Any:
        keys = [_PREFIX + key for key, _, _ in lanes]
        words: list[Any] = ["EVAL", script, len(keys), *keys, *figures]
        return await _answer(lambda: self._valkey.execute_command(*words))


async def _answer(ask: Callable[[], Awaitable[T]]) -> T:
    """Its URL may hold a password, and so no word of an error comes through but its kind."""
    try:
        return await ask()
    except (ValkeyError, OSError) as error:
        raise UnavailableError(f"the cache does not answer: {_kind(error)}") from None


def _kind(error: BaseException) -> str:
    """What kind of error it was; of a certificate that was not accepted why, which says what to do."""
    met: BaseException | None = error
    while met is not None:
        if isinstance(met, ssl.SSLCertVerificationError):
            return f"certificate not accepted, {met.verify_message}"
        met = met.__cause__ or met.__context__
    return type(error).__name__
