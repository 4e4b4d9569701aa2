"""Browsers that signed in before: a long-lived cookie, signed for the accounts that they signed in to. It opens nothing.

It is good while the password is the one that this browser signed in with: nobody makes browsers known, or keeps them, who does not know
the present one, neither after it was changed nor after somebody else registered the address. It only tells a browser of the account's
owner from a stranger's, so that a stranger's guesses do not count against the owner.
"""

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grantway import base64url, secret_token
from grantway.accounts.account import Kind, normal_email
from grantway.web.call import Call
from grantway.web.one_cookie import one_cookie

COOKIE = "grantway_known"
MOST_ACCOUNTS = 4
"""For how many accounts a browser is known, the latest ones."""
MAX_AGE = 365 * 24 * 3600

_MAC_BYTES = 16


def key_from(master_key: bytes) -> bytes:
    """The key that signs the cookie, 32 bytes."""
    return HKDF(SHA256(), 32, None, b"grantway: browsers that signed in before").derive(master_key)


async def known_to(call: Call, kind: Kind, email: str) -> str | None:
    """This browser's id if it signed in to that account with its present password, else None. For no account the same is done."""
    browser, signatures = _read(call)
    # quicker without a cookie, which is no news to whoever asks; with one the account makes no difference
    if not signatures:
        return None
    mark = await call.house.accounts.password_mark(kind, email)
    mine = [_signature(key, kind, email, mark, browser).encode() for key in call.house.browser_keys()]
    return browser if any(hmac.compare_digest(good, one.encode()) for one in signatures for good in mine) else None


async def remembered(call: Call, kind: Kind, email: str) -> tuple[bytes, bytes]:
    """The cookie for a browser whose person has just given the password: known to this account too, from now on."""
    browser, signatures = _read(call)
    browser = browser or call.house.new_visitor()
    mark = await call.house.accounts.password_mark(kind, email)
    mine, *older = (_signature(key, kind, email, mark, browser) for key in call.house.browser_keys())
    # under the newest key alone from now on: the older ones go with a rotation of the master key
    others = (one for one in signatures if one != mine and one not in older)
    value = ".".join([browser, mine, *others][: MOST_ACCOUNTS + 1])
    secure = "; Secure" if call.house.is_https else ""
    return b"set-cookie", f"{_name(call)}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={MAX_AGE}{secure}".encode()


def _read(call: Call) -> tuple[str, list[str]]:
    """The browser's id and the signatures behind it; nothing for a cookie that is not one of ours."""
    browser, *signatures = one_cookie(call, _name(call)).split(".")
    is_ours = secret_token.is_intact(browser, secret_token.Kind.VISITOR) and all(map(_is_signature, signatures))
    return (browser, signatures[:MOST_ACCOUNTS]) if is_ours else ("", [])


def _is_signature(text: str) -> bool:
    return len(text) == 22 and text.isascii() and text.replace("-", "a").replace("_", "a").isalnum()


def _signature(key: bytes, kind: Kind, email: str, mark: str, browser: str) -> str:
    # as it was typed where it is no address: for what nobody has the same is done
    said = "\0".join((kind, normal_email(email) or email, mark, browser)).encode("utf-8", "surrogatepass")
    return base64url.encoded(hmac.digest(key, said, "sha256")[:_MAC_BYTES])


def _name(call: Call) -> str:
    return f"__Host-{COOKIE}" if call.house.is_https else COOKIE
