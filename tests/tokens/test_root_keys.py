"""Root keys: the empty passphrase's is derived once for each salt, others each time; a failure is not remembered."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from grantway.access_grant import root_key
from grantway.oauth_error import UnavailableError
from grantway.tokens import root_keys
from grantway.tokens.root_keys import RootKeys


class Work:
    """Stands where Argon2 runs: it counts, waits a turn, fails as often as told; the key is made up."""

    def __init__(self, failures: int = 0) -> None:
        self.asked: list[tuple[bytes, bytes]] = []
        self.failures = failures

    async def __call__(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        assert work is root_key.derive
        self.asked.append((args[0], args[1]))
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise UnavailableError("too many")
        return args[0] + args[1]


def test_the_real_derivation() -> None:
    async def inline(work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return work(*args, **kwargs)

    async def story() -> None:
        keys = RootKeys(inline)
        assert await keys.derive("", b"salt") == root_key.derive(b"", b"salt")
        assert await keys.derive("pässword", b"salt") == root_key.derive("pässword".encode(), b"salt")

    asyncio.run(story())


def test_one_derivation_a_salt_however_many_ask_at_once() -> None:
    async def story() -> None:
        work = Work()
        keys = RootKeys(work)
        asked = [keys.derive("", salt) for salt in (b"a", b"b") for _ in range(20)]
        assert await asyncio.gather(*asked) == [b"a"] * 20 + [b"b"] * 20
        assert await keys.derive("", b"a") == b"a"
        assert work.asked == [(b"", b"a"), (b"", b"b")]

    asyncio.run(story())


def test_a_passphrases_key_is_never_remembered() -> None:
    async def story() -> None:
        work = Work()
        keys = RootKeys(work)
        for _ in range(2):
            assert await keys.derive("x", b"a") == b"xa"
        assert await keys.derive("", b"a") == b"a"
        assert len(work.asked) == 3
        assert b"xa" not in repr(vars(keys)).encode()

    asyncio.run(story())


def test_a_failure_is_not_remembered() -> None:
    async def story() -> None:
        work = Work(failures=2)
        keys = RootKeys(work)
        failed = await asyncio.gather(*(keys.derive("", b"a") for _ in range(3)), return_exceptions=True)
        assert all(isinstance(one, UnavailableError) for one in failed)
        with pytest.raises(UnavailableError):
            await keys.derive("", b"a")
        assert await keys.derive("", b"a") == b"a"
        assert len(work.asked) == 3

    asyncio.run(story())


def test_who_leaves_takes_nothing_from_the_others() -> None:
    async def story() -> None:
        work = Work()
        keys = RootKeys(work)
        first, second = asyncio.ensure_future(keys.derive("", b"a")), asyncio.ensure_future(keys.derive("", b"a"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == b"a"
        assert len(work.asked) == 1

    asyncio.run(story())


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_keys, "REMEMBERED", 2)

    async def story() -> None:
        work = Work()
        keys = RootKeys(work)
        for salt in (b"a", b"b", b"a", b"c"):
            await keys.derive("", salt)
        await keys.derive("", b"a")  # used lately, so still there
        assert len(work.asked) == 3
        await keys.derive("", b"b")
        assert len(work.asked) == 4

    asyncio.run(story())
