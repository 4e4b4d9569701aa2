"""What is wrong with a secret that was sent itself, by HTTP Basic or in the form, and with a client that sent none."""

import hashlib
import hmac
from collections.abc import Collection, Iterator
from dataclasses import replace

from grantway.clients.client import AuthMethod, Client
from grantway.diagnosis import trial_keys
from grantway.diagnosis.attempt import Known
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault
from grantway.diagnosis.of_assertion import SIGNED_WITH
from grantway.diagnosis.of_body import fault
from grantway.diagnosis.sent import Sent, Way

_METHOD = {Way.BASIC: AuthMethod.BASIC, Way.POST: AuthMethod.POST, Way.NONE: AuthMethod.NONE}
_HOW_TO = {
    AuthMethod.JWT: "Send a JWT signed with the secret, in client_assertion or client_secret",
    AuthMethod.BASIC: "Send client_id and secret in the Authorization header (Basic)",
    AuthMethod.POST: "Send client_id and client_secret in the form",
    AuthMethod.NONE: "Send client_id alone, without a secret",
}
_WHERE = {Way.BASIC: "by HTTP Basic", Way.POST: "in client_secret"}
_AS_HANDED_OUT = "Send the secret itself, character for character as it was handed out last."


def faults(sent: Sent, known: Known, claimed: str, failed: Collection[str]) -> Iterator[Fault]:
    """What is wrong with how a known client said who it is; nothing for one that nobody knows. `failed` names the failed checks."""
    client = known.client
    if client is None or known.is_deleted or sent.way not in _METHOD:
        return
    if sent.way is Way.NONE:
        yield from _nothing_sent(client, failed)
        return
    live = [one.key for one in known.secrets if one.ended_at is None]
    is_right = _is_one_of(sent.text("client_secret"), live)
    if not is_right:
        yield from _wrong(sent, known, claimed, live)
    if client.auth_method is not _METHOD[sent.way]:
        yield _not_registered(client, sent.way, is_right=is_right)


def _nothing_sent(client: Client, failed: Collection[str]) -> Iterator[Fault]:
    if "client_confidential" in failed:
        verdict = "A public client may not ask this: anybody can send its client_id."
        remedy = "Ask with a client that has a secret, or, as a resource server, with the operator's token."
        yield replace(fault(Cause.AUTH_METHOD_MISMATCH, verdict, registered=client.auth_method.value), remedy=remedy)
        return
    if client.auth_method is AuthMethod.NONE:
        return
    verdict = f"Only client_id came; this client is registered for {client.auth_method.value}."
    yield replace(fault(Cause.NO_CREDENTIALS, verdict, registered=client.auth_method.value), remedy=f"{_HOW_TO[client.auth_method]}.")


def _wrong(sent: Sent, known: Known, claimed: str, live: list[bytes]) -> Iterator[Fault]:
    """Tried with the same keys as the signature of a JWT."""
    presented = sent.text("client_secret").encode()
    # right as it stood, and so wrong once form-decoded (RFC 6749 section 2.3.1)
    if sent.basic is not None and _is_one_of(sent.basic[1], live):
        yield fault(Cause.BASIC_NOT_FORM_ENCODED, "The Basic pair has the right secret, but was not form-encoded before base64.")
        return
    trials = trial_keys.trial_keys(known, claimed)
    matched = [cause for cause, key in trials if cause is not None and hmac.compare_digest(key, presented)]
    fingerprint = hashlib.sha256(live[0]).hexdigest()[:8] if live else None
    if matched:
        verdict = SIGNED_WITH[matched[0]].replace("The JWT is signed with", "What was sent is")
        remedy = matched[0].remedy if matched[0] is Cause.SECRET_OF_ANOTHER_CLIENT_OF_YOURS else _AS_HANDED_OUT
        yield replace(fault(matched[0], verdict, fingerprint_of_secret=fingerprint), remedy=remedy)
    else:
        verdict = "The secret that was sent has nothing to do with this client's, as far as could be tried."
        yield fault(Cause.UNKNOWN_KEY, verdict, fingerprint_of_secret=fingerprint, keys_tried=len(trials))


def _not_registered(client: Client, way: Way, *, is_right: bool) -> Fault:
    registered = client.auth_method
    if registered is AuthMethod.JWT and is_right:
        verdict = f"The secret itself came {_WHERE[way]}, not a JWT signed with it; the client is registered for {registered.value}."
        remedy = (
            "Send a JWT signed with the secret, and regenerate the secret now, for it has crossed the wire; "
            f"or change token_endpoint_auth_method of the client to {_METHOD[way].value}, if it is to send the secret itself."
        )
        return replace(fault(Cause.RAW_SECRET_SENT, verdict, came=_METHOD[way].value, registered=registered.value), remedy=remedy)
    verdict = f"The client authenticates by {way.value}; it is registered for {registered.value}."
    remedy = f"{_HOW_TO[registered]}, or change token_endpoint_auth_method of the client."
    return replace(fault(Cause.AUTH_METHOD_MISMATCH, verdict, came=_METHOD[way].value, registered=registered.value), remedy=remedy)


def _is_one_of(secret: str, keys: list[bytes]) -> bool:
    equal = [hmac.compare_digest(secret.encode("utf-8", "replace"), key) for key in keys]
    return any(equal)
