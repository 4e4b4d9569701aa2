"""What holds for all tests."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tests.stories.running import Person, Server, person, running

from argon2 import PasswordHasher
from grantway.accounts import password

# the same examples each time, however slow the machine is; `pytest --hypothesis-profile=search` looks for others
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("search"), derandomize=True, database=None)
settings.load_profile("same")

# modules beside the tests that assert for them: a failure there says what it compared, as in a test
pytest.register_assert_rewrite(
    "tests.browser.real_browser",
    "tests.interop.agreement",
    "tests.stories.consent_again",
    "tests.stories.scene",
)

FULL_COST = {"_HASHER": password._HASHER, "_NOBODYS": password._NOBODYS}


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Here passwords get real hashes that cost next to nothing. Servers that are processes of their own hash as in production."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(password, "_HASHER", quick)
        patch.setattr(password, "_NOBODYS", quick.hash("a password that was thrown away"))
        yield


@pytest.fixture
def passwords_at_full_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what depends on how long a password takes."""
    for name, value in FULL_COST.items():
        monkeypatch.setattr(password, name, value)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a fresh folder, for all tests of a file that ask for it."""
    with running(tmp_path_factory.mktemp("data")) as started:
        yield started


@pytest.fixture(scope="module")
def developer(server: Server) -> Person:
    """Somebody who registers apps there."""
    return person(server, "developer")
