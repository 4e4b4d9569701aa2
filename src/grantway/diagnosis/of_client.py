"""What is wrong with the claimed client: unknown, meant otherwise, deleted, disabled."""

from collections.abc import Iterator

from grantway.clients.client import Client
from grantway.diagnosis.attempt import Known
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault
from grantway.diagnosis.of_body import fault
from grantway.diagnosis.veil import Veil


def meant(claimed: str, known: Known) -> tuple[Client, Cause] | None:
    """The one client that an unknown client_id must mean, and how it differs; None when there is none, or more than one."""
    named = [(client, _difference(claimed, client)) for client in known.near]
    best = min((_RANK.index(cause) for _, cause in named), default=0)
    nearest = [(client, cause) for client, cause in named if _RANK.index(cause) == best]
    # a finding goes to one developer: where two clients may be meant, to none
    return nearest[0] if len(nearest) == 1 else None


def faults(claimed: str, known: Known, veil: Veil) -> Iterator[Fault]:
    """What is wrong with the client_id as it was claimed."""
    if known.client is None:
        yield _unknown(claimed, known, veil)
    elif known.is_deleted:
        yield fault(Cause.CLIENT_DELETED, "This client was deleted.")
    elif not known.client.is_active:
        yield fault(Cause.CLIENT_DISABLED, "This client is disabled.")


_RANK = (
    Cause.CLIENT_ID_WHITESPACE,
    Cause.CLIENT_ID_CASE,
    Cause.CLIENT_ID_IS_ROW_ID,
    Cause.CLIENT_ID_IS_NAME,
    Cause.CLIENT_ID_MISTYPED,
)
_HOW = {
    Cause.CLIENT_ID_WHITESPACE: "has white space in it",
    Cause.CLIENT_ID_CASE: "is written in another case",
    Cause.CLIENT_ID_IS_ROW_ID: "is the client's row id",
    Cause.CLIENT_ID_IS_NAME: "is the app's name",
    Cause.CLIENT_ID_MISTYPED: "is a character or two off",
}


def _unknown(claimed: str, known: Known, veil: Veil) -> Fault:
    if (found := meant(claimed, known)) is None:
        return fault(Cause.CLIENT_UNKNOWN, "No client is registered under this client_id.", claimed=veil.value(claimed))
    client, cause = found
    return fault(cause, f"The client_id {_HOW[cause]}; {client.client_id} is meant.", claimed=veil.value(claimed), meant=client.client_id)


def _difference(claimed: str, client: Client) -> Cause:
    bare = "".join(claimed.split())
    if bare == client.client_id:
        return Cause.CLIENT_ID_WHITESPACE
    if bare.casefold() == client.client_id.casefold():
        return Cause.CLIENT_ID_CASE
    if bare.casefold() == client.row_id.casefold():
        return Cause.CLIENT_ID_IS_ROW_ID
    return Cause.CLIENT_ID_IS_NAME if claimed.strip().casefold() == client.name.strip().casefold() else Cause.CLIENT_ID_MISTYPED
