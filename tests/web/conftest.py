"""Several processes over each store in which limits come together, and patience with that store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.limit_stores import KINDS, Processes, processes


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is there is not away because the machine is slow."""
    monkeypatch.setattr("grantway.cache.SOCKET_SECONDS", 60.0)
    monkeypatch.setattr("grantway.web.shared_limits.PATIENCE_SECONDS", 60.0)


@pytest.fixture(params=KINDS)
def several(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Processes]:
    with processes(request.param, tmp_path) as made:
        yield made
