"""`grantway findings`: what the operator sees of a client, also after its end."""

import asyncio
from dataclasses import replace
from pathlib import Path

from tests.cli.conftest import Run
from tests.storage.test_findings import finding as refused
from tests.storage.world import world

from grantway.clients.use_cases import NewClient
from grantway.storage.findings import Findings


def told_of(data: Path, *, delete: bool) -> NewClient:
    """A client with one refusal, in that folder."""

    async def story() -> NewClient:
        async with world(data) as there:
            new = await there.app()
            kept = replace(refused(1, client=new.client.row_id), client_id=new.client.client_id, developer_id=new.client.developer_id)
            await Findings(there.grantway.database).keep([kept])
            if delete:
                await there.house.clients.delete(new.client, there.now)
            return new

    return asyncio.run(story())


def test_a_clients_findings(run: Run, tmp_path: Path) -> None:
    client = told_of(tmp_path, delete=False).client
    for name in (client.client_id, client.row_id):
        listed = run("findings", "--client", name, "--data", tmp_path)
        assert (listed.code, len(listed.out.splitlines())) == (0, 1)
        told = run("findings", "--client", name, "--json", "--data", tmp_path).json
        assert (len(told["findings"]), told["client_is_deleted"]) == (1, False)
    assert list(run("findings", "--json", "--data", tmp_path).json) == ["findings"]


def test_a_deleted_clients_findings_are_found_and_it_is_said(run: Run, tmp_path: Path) -> None:
    client, other = told_of(tmp_path, delete=True).client, told_of(tmp_path, delete=False).client
    for name in (client.client_id, client.row_id):
        first, one = run("findings", "--client", name, "--data", tmp_path).out.splitlines()
        assert first.startswith("This client is deleted;")
        assert "unknown_key" in one
        told = run("findings", "--client", name, "--json", "--data", tmp_path).json
        assert ([one["client_id"] for one in told["findings"]], told["client_is_deleted"]) == ([client.client_id], True)
    assert "deleted" not in run("findings", "--client", other.client_id, "--data", tmp_path).out


def test_findings_of_a_client_that_there_never_was(run: Run, data: Path) -> None:
    ended = run("findings", "--client", "nobody", "--data", data)
    assert (ended.code, ended.out, ended.err) == (1, "", "grantway: There is no such client.\n")
