"""`grantway self-test`: does every stored secret still do what it is for?"""

from collections.abc import Iterator

from grantway.app import Grantway, utc_now
from grantway.cli.console import DataOption, JsonOption, print_json
from grantway.cli.offline import with_grantway
from grantway.clients.self_test import Tested


def self_test(data: DataOption = None, json: JsonOption = False) -> None:
    """Unseal every client's secret, compare it with what was handed out, sign with it, verify. Exit code 1: one failed."""

    async def work(grantway: Grantway) -> Tested:
        return await grantway.self_test.run(None, utc_now())

    tested = with_grantway(data, work)
    if json:
        print_json(tested)
    else:
        print("\n".join(told(tested)))
    if tested.failures:
        raise SystemExit(1)


def told(tested: Tested) -> Iterator[str]:
    """What to print of a test."""
    for one in tested.failures:
        yield f"client {one.client_id}, secret version {one.version}: {one.what}"
    failed, secrets = len(tested.failures), f"{tested.count} secret{'' if tested.count == 1 else 's'}"
    if failed:
        whose = (
            "its app cannot sign in, and it is not the app's fault"
            if failed == 1
            else "their apps cannot sign in, and it is not their fault"
        )
        yield f"{failed} of {secrets} failed: {whose}."
        yield "Regenerate what failed, or restore the database together with its master key."
    else:
        yield f"{secrets} tested, {'it is as it was' if tested.count == 1 else 'all are as they were'} handed out."
