"""Ways of not getting an answer, each with what was seen and what to do about it. Decided without I/O."""

import errno
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from http.client import BadStatusLine

_TLS_ALERT = "\x15\x03"  # how a TLS alert begins, which answers our plain text


class Stage(IntEnum):
    """How far a request came."""

    NAME = 0
    CONNECTION = 1
    TLS = 2
    ANSWER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A request that got no answer: where it ended, what was seen, what to do. `is_wrong_thing`: something answers that is no HTTP."""

    stage: Stage
    evidence: str
    remedy: str
    is_wrong_thing: bool = False


def no_connection(errors: Sequence[OSError], port: int) -> Failure:
    """Refused is said before anything else: then something is there, and only the port is wrong or the server down."""
    refused = any(isinstance(error, ConnectionRefusedError) for error in errors)
    silent = any(isinstance(error, TimeoutError) for error in errors)
    if refused:
        return Failure(
            stage=Stage.CONNECTION,
            evidence=f"refused: nothing listens on port {port}",
            remedy="Start the server, or correct the port in the URL.",
        )
    if silent:
        return Failure(
            stage=Stage.CONNECTION,
            evidence="no answer: a firewall drops the packets, or the machine is off",
            remedy="Check address and port, and the firewalls on the way.",
        )
    unreachable = any(error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH} for error in errors)
    reason = "there is no route to it" if unreachable else (errors[0].strerror if errors else None) or "failed"
    return Failure(stage=Stage.CONNECTION, evidence=reason, remedy="Check this machine's network and the address in the URL.")


_CERTIFICATE = {
    10: ("the certificate has expired", "Have the operator renew the certificate; if it is new, check this machine's clock."),
    9: ("the certificate is not valid yet", "Check this machine's clock."),
    18: (
        "the certificate is self-signed",
        "Point SSL_CERT_FILE to this certificate if it is meant, or have the operator get one from an authority.",
    ),
    19: ("an authority that this machine does not trust signed it", "Point SSL_CERT_FILE to the authority's certificate if it is meant."),
    20: (
        "the certificate's authority is unknown, or the server leaves out the certificates between",
        "Have the operator send the whole chain, or point SSL_CERT_FILE to the authority's certificate.",
    ),
}
_OTHER_HOST = {62, 64}  # not for this name, not for this address


def bad_certificate(error: ssl.SSLCertVerificationError, host: str) -> Failure:
    """What is wrong with the certificate, by OpenSSL's verify code."""
    if error.verify_code in _OTHER_HOST:
        evidence, remedy = f"the certificate is not for {host}", "Use the host name that the certificate is for."
    else:
        unknown = (f"the certificate is not accepted: {error.verify_message}", "Have the operator look at the certificate.")
        evidence, remedy = _CERTIFICATE.get(error.verify_code, unknown)
    return Failure(stage=Stage.TLS, evidence=evidence, remedy=remedy)


def no_answer(error: Exception, timeout: float) -> Failure:
    """The connection stands, but no answer in HTTP comes."""
    if isinstance(error, TimeoutError):
        evidence = f"it takes the connection and says nothing within {timeout:g} s"
        return Failure(
            stage=Stage.ANSWER, evidence=evidence, remedy="See whether the server hangs, or whether the port is another program's."
        )
    if isinstance(error, BadStatusLine) and _TLS_ALERT in str(error):
        remedy = "Write https:// instead of http://."
        return Failure(stage=Stage.ANSWER, evidence="it speaks TLS on this port", remedy=remedy, is_wrong_thing=True)
    if isinstance(error, OSError):
        remedy = "Check port and scheme, and what stands before the server (a proxy, a load balancer)."
        return Failure(stage=Stage.ANSWER, evidence="it closes the connection without an answer", remedy=remedy)
    kind = re.sub(r"[^A-Za-z]", "", type(error).__name__)
    remedy = "Check the port: another program listens there."
    return Failure(stage=Stage.ANSWER, evidence=f"what comes is no HTTP ({kind})", remedy=remedy, is_wrong_thing=True)
