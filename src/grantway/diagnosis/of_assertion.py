"""What is wrong with the JWT in client_secret or client_assertion: its form, its header, its claims, its key."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from grantway import secret_token
from grantway.clients.assertion import ALGORITHM, is_meant
from grantway.diagnosis import loose_jwt, of_time, shown, trial_keys
from grantway.diagnosis.attempt import Attempt, Known
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault
from grantway.diagnosis.loose_jwt import LooseJwt
from grantway.diagnosis.of_body import fault
from grantway.diagnosis.sent import Sent, Way
from grantway.diagnosis.veil import Veil

_MAKE_ONE = "Make a JWT with the claims client_id and exp, sign it with the secret (HS256), and send that, never the secret itself."
_ASYMMETRIC = ("RS", "ES", "PS", "Ed")


def faults(attempt: Attempt, sent: Sent, known: Known, audiences: frozenset[str]) -> Iterator[Fault]:
    """What is wrong with what came as client_secret or client_assertion, of a request whose client was not authenticated."""
    text, claimed = sent.text("client_secret"), sent.claimed
    is_rfc7523 = sent.way is Way.ASSERTION
    field = "client_assertion" if is_rfc7523 else "client_secret"
    if not text:
        return
    # 1. is it a JWT at all?
    if text.strip().lower().startswith("bearer "):
        text = text.strip()[7:]
        yield fault(Cause.BEARER_PREFIX_IN_FIELD, f"{field} begins with “Bearer ”.")
    if _is_raw_secret(text, known):
        yield fault(Cause.RAW_SECRET_SENT, f"{field} holds the secret itself, not a JWT.")
        return
    # 2. its form
    jwt = loose_jwt.read(text)
    if "." not in text:
        yield replace(fault(Cause.ASSERTION_MALFORMED, f"{field} holds no JWT: there is no dot in it.", stage="parts"), remedy=_MAKE_ONE)
        return
    # one mistake is one fault: what is not signed has an empty signature, or two parts
    if jwt.oddities and not _is_unsigned(jwt):
        verdict = f"{field} is no JWT in compact form: {jwt.oddities[0]}."
        yield fault(Cause.ASSERTION_MALFORMED, verdict, stage=jwt.stage, what="; ".join(jwt.oddities))
    # 3. what it says
    if jwt.header is not None:
        yield from _header(jwt.header, sent.veil)
    if jwt.claims is not None:
        yield from _issuer(jwt.claims, claimed, sent.veil) if is_rfc7523 else _client_id(jwt.claims, claimed, sent.veil)
        yield from of_time.faults(jwt.claims, attempt, known, is_longer=is_rfc7523 or attempt.endpoint == "integration")
        yield from _audience(jwt.claims.get("aud"), audiences, is_rfc7523, sent.veil)
    # 4. who signed it
    yield from _key(jwt, claimed, known)
    # 5. what came beside it
    if sent.scheme in {"basic", "bearer"} and not attempt.is_standard:
        verdict = f"Beside client_secret there is an Authorization header ({sent.scheme.title()})."
        yield fault(Cause.MULTIPLE_AUTH_METHODS, verdict)


def replayed(attempt: Attempt, known: Known) -> Fault:
    """The JWT was used up before."""
    use = known.assertion_use
    if use is None and known.is_exposed:
        return fault(Cause.ASSERTION_EXPOSED, "This JWT stood in the URL of the integration page.")
    if use is None:
        return fault(Cause.ASSERTION_REPLAYED, "This JWT was used for another code before.")
    ago = (attempt.at - use.at).total_seconds()
    verdict = f"This JWT was used for another code {shown.seconds(ago)} before: each exchange needs a new one."
    return fault(Cause.ASSERTION_REPLAYED, verdict, used_seconds_before=round(ago, 1), used_in=use.trace_id)


def _is_raw_secret(text: str, known: Known) -> bool:
    bare = text.strip().strip("\"'")
    if is_meant(bare):
        return False
    # all of them: the time does not tell which one it was
    equal = [hmac.compare_digest(bare.encode("utf-8", "replace"), one.key) for one in known.secrets]
    return any(equal) or bare.startswith(f"{secret_token.Kind.CLIENT_SECRET}_")


def _is_unsigned(jwt: LooseJwt) -> bool:
    return jwt.header is not None and str(jwt.header.get("alg")).lower() == "none"


def _header(header: Mapping[str, object], veil: Veil) -> Iterator[Fault]:
    algorithm = header.get("alg")
    name = veil.value(algorithm, 20)
    if isinstance(algorithm, str) and algorithm.lower() == "none":
        yield fault(Cause.ALG_NONE, "The JWT is not signed (alg is none).", alg=name)
    elif isinstance(algorithm, str) and algorithm.startswith(_ASYMMETRIC):
        yield fault(Cause.ALG_ASYMMETRIC, f"The JWT is signed with a private key ({name}), not with the client's secret.", alg=name)
    elif algorithm != ALGORITHM:
        yield fault(Cause.ALG_MISMATCH, f"alg is {name}; it must be {ALGORITHM}.", alg=name)
    if "crit" in header:
        yield fault(Cause.CRIT_UNSUPPORTED, "The JWT has a crit header, which is not understood here.")


def _client_id(claims: Mapping[str, object], claimed: str, veil: Veil) -> Iterator[Fault]:
    named = claims.get("client_id")
    if not isinstance(named, str):
        verdict = "The claim client_id is missing." if named is None else "The claim client_id is no string."
        others = [name for name in ("sub", "iss") if claims.get(name) == claimed]
        yield fault(Cause.CLAIM_MISSING, verdict, claim="client_id", found_instead=", ".join(others) or None)
    elif claimed and named != claimed:  # one that is missing is a fault of the body's
        verdict = "The JWT names another client_id than the body."
        yield fault(Cause.CLAIM_CLIENT_ID_MISMATCH, verdict, in_jwt=veil.value(named), in_body=veil.value(claimed))


def _issuer(claims: Mapping[str, object], claimed: str, veil: Veil) -> Iterator[Fault]:
    """RFC 7523 section 3: both name the client."""
    for name, cause in (("iss", Cause.ISS_MISMATCH), ("sub", Cause.SUB_MISMATCH)):
        value = claims.get(name)
        if not isinstance(value, str):
            verdict = f"The claim {name} is {'missing' if value is None else 'no string'}."
            remedy = "Put iss and sub into a client_assertion; both are the client_id."
            yield replace(fault(Cause.CLAIM_MISSING, verdict, claim=name), remedy=remedy)
        elif claimed and value != claimed:
            verdict = f"{name} names another client than the request."
            yield fault(cause, verdict, in_jwt=veil.value(value), in_request=veil.value(claimed))


def _audience(audience: object, audiences: frozenset[str], is_rfc7523: bool, veil: Veil) -> Iterator[Fault]:
    if audience is None:
        if is_rfc7523:
            yield fault(Cause.AUD_MISSING, "The claim aud is missing.")
        return
    named = [one for one in (audience if isinstance(audience, list) else [audience]) if isinstance(one, str)]
    if any(one in audiences for one in named):
        return
    expected = sorted(audiences)
    first = named[0] if named else ""
    # against the nearest: the issuer and the token URLs would do
    component = min((_differing(first, one) for one in expected), key=len, default=["it"])
    verdict = f"aud names another server: {' and '.join(component)} differ{'s' if len(component) == 1 else ''}."
    found = fault(Cause.AUD_MISMATCH, verdict, sent=veil.value(first, 200), expected=" or ".join(expected))
    # a client_assertion may not leave it out
    yield replace(found, remedy=Cause.AUD_MISSING.remedy) if is_rfc7523 else found


def _differing(sent: str, expected: str) -> list[str]:
    """Which components of two URLs differ."""
    if sent.rstrip("/") == expected.rstrip("/"):
        return ["the slash at its end"]
    try:
        mine, theirs = urlsplit(sent), urlsplit(expected)
        parts = {
            "scheme": (mine.scheme, theirs.scheme),
            "host": (mine.hostname, theirs.hostname),
            "port": (mine.port, theirs.port),
            "path": (mine.path, theirs.path),
        }
    except ValueError:
        return ["it"]
    return [name for name, (one, other) in parts.items() if one != other] or ["it"]


def _key(jwt: LooseJwt, claimed: str, known: Known) -> Iterator[Fault]:
    """Tried for known and unknown clients alike, with the same number of keys."""
    trials = trial_keys.trial_keys(known, claimed)
    algorithm = jwt.header.get("alg") if jwt.header is not None else None
    matched, cause = trial_keys.matching(jwt.signed, jwt.signature, algorithm, trials)
    live = [one for one in known.secrets if one.ended_at is None]
    # nothing that a key could be blamed for; or the right one made it, under another algorithm
    if not jwt.signature or not live or _is_asymmetric(algorithm) or (matched and cause is None):
        return
    # the older of two live secrets is right too; the trials take the newest
    if any(hmac.compare_digest(hmac.digest(one.key, jwt.signed, "sha256"), jwt.signature) for one in live[1:]):
        return
    fingerprint = hashlib.sha256(live[0].key).hexdigest()[:8]
    if cause is None:
        verdict = "The JWT is signed with a key that has nothing to do with this client's secret, as far as could be tried."
        yield fault(Cause.UNKNOWN_KEY, verdict, fingerprint_of_secret=fingerprint, keys_tried=len(trials))
    else:
        yield fault(cause, SIGNED_WITH[cause], fingerprint_of_secret=fingerprint)


def _is_asymmetric(algorithm: object) -> bool:
    return isinstance(algorithm, str) and algorithm.startswith(_ASYMMETRIC)


SIGNED_WITH = {
    Cause.RETIRED_SECRET: "The JWT is signed with an older secret of this client, which has ended.",
    Cause.HASH_OF_SECRET: "The JWT is signed with a hash (SHA-256) of the secret.",
    Cause.SECRET_WITH_WHITESPACE: "The JWT is signed with the secret and white space around it.",
    Cause.SECRET_HEX_DECODED: "The JWT is signed with the bytes that the secret stands for in hex.",
    Cause.SECRET_BASE64_DECODED: "The JWT is signed with the bytes that the secret stands for in base64.",
    Cause.SECRET_BASE64_ENCODED: "The JWT is signed with the secret in base64.",
    Cause.SECRET_DOLLAR_STRIPPED: "The JWT is signed with the secret less what follows a $ in it.",
    Cause.SECRET_URL_ENCODED: "The JWT is signed with the secret after percent-encoding or decoding.",
    Cause.SECRET_QUOTED: "The JWT is signed with the secret and the quotes around it.",
    Cause.SECRET_TRUNCATED: "The JWT is signed with a part of the secret.",
    Cause.CLIENT_ID_AS_KEY: "The JWT is signed with the client_id as its key.",
    Cause.SECRET_OF_ANOTHER_CLIENT_OF_YOURS: "The JWT is signed with the secret of another client of yours.",
}
