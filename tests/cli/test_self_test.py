"""What `grantway self-test` says of one secret and of several."""

import pytest

from grantway.cli.self_test import told
from grantway.clients import self_test

FAILURE = self_test.Failure("a", 1, "it does not unseal")


@pytest.mark.parametrize(
    ("count", "failures", "said"),
    [
        (1, 0, "1 secret tested, it is as it was handed out."),
        (2, 0, "2 secrets tested, all are as they were handed out."),
        (1, 1, "1 of 1 secret failed: its app cannot sign in, and it is not the app's fault."),
        (3, 1, "1 of 3 secrets failed: its app cannot sign in, and it is not the app's fault."),
        (3, 2, "2 of 3 secrets failed: their apps cannot sign in, and it is not their fault."),
    ],
)
def test_one_and_many(count: int, failures: int, said: str) -> None:
    assert said in list(told(self_test.Tested(count, (FAILURE,) * failures)))
