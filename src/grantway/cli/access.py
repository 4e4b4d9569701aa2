"""`grantway access`: what is in an access grant, may it do that, and a narrower one."""

import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from grantway.access_grant import AccessGrant, Action, Allowed, Caveat, Denied, Malformed, NotPermitted, SharePrefix
from grantway.app import Grantway, utc_now
from grantway.cli import given_grant, grant_words
from grantway.cli.console import DataOption, JsonOption, fail, print_json, standard_input, text_of
from grantway.cli.given_grant import GivenError
from grantway.cli.offline import with_grantway
from grantway.scopes.meaning import Meaning, meaning_of, permission
from grantway.scopes.scope import ActionScope, ScopeError

app = typer.Typer(help="Access grants: what is in one, what it may do, and a narrower one.", no_args_is_help=True)

GrantFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The file with the access grant, or the JSON of a token answer; - is standard input.")
]
NONCE_BYTES = 16
LONGEST_SECONDS = 100 * 365 * 86_400


class Wanted(StrEnum):
    """What may be asked of a grant, in the words of scopes."""

    READ = "read"
    WRITE = "write"
    LIST = "list"
    DELETE = "delete"
    LOCK = "lock"


@app.command("inspect")
def inspect(file: GrantFile = Path("-"), json: JsonOption = False) -> None:
    """Say what is in an access grant. Prints no key and no signature."""
    words = grant_words.describe(_grant(file))
    if json:
        print_json(words.as_json())
    else:
        print("\n".join(words.lines()))


@app.command("check")
def check(
    action: Annotated[Wanted, typer.Option(help="What is to be done.")],
    bucket: Annotated[str, typer.Option(help="In which bucket; read needs it.")] = "",
    path: Annotated[str, typer.Option(help="On which object or prefix; read needs it.")] = "",
    file: GrantFile = Path("-"),
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Say whether a grant may do something: exit code 0 for yes, 1 for no.

    Without --data only the caveats are asked; with it, the embedded satellite also checks the signature and what was revoked.
    """
    grant, wanted = _grant(file), grant_words.ACTION_OF[ActionScope(action.value)]
    if wanted is Action.READ and not (bucket and path):
        fail("name an object with --bucket and --path: the names of its buckets are open to every grant, whatever it may do", 2)
    try:
        encrypted = grant.encryption_access.encrypt_prefix(bucket.encode(), path.encode())
    except NotPermitted:
        _answer("no", "the grant holds no key for that place", json)
    if data is None:
        reason = _denial(grant, wanted, bucket.encode(), encrypted, utc_now())
        caution = "signature and revocation not checked"
        _answer("yes" if reason is None else "no", f"the caveats allow it; {caution}" if reason is None else _in_words(reason), json)

    async def work(grantway: Grantway) -> Allowed | Denied:
        return await grantway.satellite.check(grant.api_key, wanted, bucket.encode(), encrypted, utc_now())

    verdict = with_grantway(data, work)
    if isinstance(verdict, Allowed):
        _answer("yes", "the satellite allows it: the key is genuine, not revoked, and every caveat allows it", json)
    _answer("no", _in_words(verdict.reason), json)


@app.command("restrict")
def restrict(
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="What stays allowed: read, bucket:NAME;PREFIX …; may be given again.")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"], help="When it ends, in UTC.", show_default=False),
    ] = None,
    seconds: Annotated[
        int | None, typer.Option("--for", min=1, max=LONGEST_SECONDS, help="In how many seconds it ends.", show_default=False)
    ] = None,
    file: GrantFile = Path("-"),
) -> None:
    """Print a narrower grant: with less to do, in fewer places, for a shorter time. Needs no server."""
    grant = _grant(file)
    try:
        meaning = meaning_of(scope or ())
        stays = meaning if meaning.actions else Meaning(frozenset(ActionScope), meaning.places)  # only places were named
        ends = until.replace(tzinfo=UTC) if until else None
        if seconds is not None:
            ends = utc_now().replace(microsecond=0) + timedelta(seconds=seconds)
        if not scope and ends is None:
            fail("say what to narrow: --scope, --until or --for", 2)
        if ends is not None and ends <= utc_now():
            fail(f"--until is past ({ends:%Y-%m-%dT%H:%M:%SZ}): the narrower grant would have ended already", 2)
        places = [SharePrefix(place.bucket, place.prefix + b"/") for place in meaning.places]
        narrower = grant.restrict(permission(stays, not_after=ends), places, secrets.token_bytes(NONCE_BYTES))
    except ScopeError as error:
        fail(str(error), 2)
    except NotPermitted as error:
        fail(f"the grant cannot be narrowed like this: {error}", 1)
    told = grant_words.describe(narrower)
    if told.not_after is not None and told.not_after < utc_now():
        fail(f"the grant cannot be narrowed: it ended at {told.not_after:%Y-%m-%dT%H:%M:%SZ}", 1)
    if narrower.encryption_access.default_key is None and not narrower.encryption_access.entries:
        fail("the grant cannot be narrowed like this: it would open nothing, for the grant is for other places", 1)
    if not told.actions:
        fail("the grant cannot be narrowed like this: nothing would be left to do, for the grant is for other actions", 1)
    print(narrower.serialise())


def _grant(file: Path) -> AccessGrant:
    text = standard_input() if str(file) == "-" else text_of(file)
    try:
        return given_grant.read(text)
    except GivenError as error:
        fail(f"this is no access grant: {error}", 1)


def _denial(grant: AccessGrant, action: Action, bucket: bytes, encrypted_path: bytes, now: datetime) -> str | None:
    for written in grant.api_key.caveats:
        try:
            reason = Caveat.parse(written).denial(action, bucket, encrypted_path, now)
        except Malformed:
            return "caveat_malformed"
        if reason is not None:
            return reason
    return None


_REASON = {
    "not_after": "the grant has ended",
    "not_before": "the grant has not begun",
    "allowed_paths": "this place is not among those that the grant is for",
    "caveat_malformed": "a caveat cannot be read, and so nothing is allowed",
    "unknown_key": "this satellite does not know the key: it is another's, or its project is gone",
    "tail_mismatch": "the key is not genuine: its signature does not follow from the project's key",
    "revoked": "the grant was revoked",
    "version_lacks_object_lock": "the project's key does not cover object locks",
    "version_lacks_notifications": "the project's key does not cover notifications",
}


def _in_words(reason: str) -> str:
    return _REASON.get(reason, f"a caveat forbids it ({reason})")


def _answer(allowed: str, why: str, json: bool) -> NoReturn:
    """Print the verdict and end with its exit code."""
    if json:
        print_json({"allowed": allowed == "yes", "why": why})
    else:
        print(f"{allowed}: {why}")
    raise typer.Exit(0 if allowed == "yes" else 1)
