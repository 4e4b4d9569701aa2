"""Every setting with its default, and what each must be: one frozen object, which `config_sources.load` makes once."""

import os
import re
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "GRANTWAY_"
FILE_SUFFIX = "_FILE"
"""What ends the name of the variable that gives a secret setting's file."""
MOST_DAYS = 36_500
"""So long anything may be kept: so far back every calendar goes."""

_DATA = Path("grantway-data")


class SettingError(ValueError):
    """A setting has a value that cannot be; the message names the setting and what it was read from, never a secret value.

    `problem` follows the setting's name as it is, so it begins with a space or a colon; `variable` is empty where no variable gave it.
    """

    def __init__(self, setting: str, problem: str, variable: str = "") -> None:
        super().__init__(f"{setting}{problem}{f' ({variable})' if variable else ''}")
        self.setting = setting
        self.problem = problem


def _setting(default: object, help_text: str, *, secret: bool = False) -> Any:
    # no secret in `repr`, and so in no trace and no log
    return field(default=default, metadata={"help": help_text, "secret": secret}, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every setting. Each is read from `GRANTWAY_` and its name in capitals; a secret one also from the file that `…_FILE` names."""

    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(10002, "port to listen on")
    data: Path = _setting(_DATA, "folder of the database and the master key; made at first start")
    database: str = _setting("", "postgresql:// URL; empty: SQLite in the data folder", secret=True)
    issuer: str = _setting("", "public URL of this server, as apps know it; empty: http://localhost:PORT")
    master_key: str = _setting(
        "", "64 hex digits that seal what is stored, in a rotation several with commas; empty: the file master.key", secret=True
    )
    satellite_host: str = _setting("127.0.0.1:7777", "host:port that stands in access grants as the satellite's")
    trusted_proxies: str = _setting("", "addresses or networks, with commas, whose X-Forwarded-For and -Proto are believed")
    workers: int = _setting(1, "processes that answer; 1: the one that was started")
    argon2_at_once: int = _setting(0, "Argon2 derivations at the same time, 64 MiB each; 0: one for each processor")
    argon2_waiting: int = _setting(128, "Argon2 derivations that may wait; one more is answered 503")
    requests_at_once: int = _setting(256, "requests worked on at the same time; one more is answered 503")
    rate_limits: bool = _setting(True, "off: no request is ever refused for being one too many")
    cache: str = _setting("", "redis:// or rediss:// URL of a Valkey or Redis that holds the counts of rate limits", secret=True)
    token_requests_per_minute: int = _setting(300, "token requests from one address a minute")
    sign_ins_per_minute: int = _setting(10, "sign-ins from one address a minute")
    registrations_per_hour: int = _setting(30, "registrations from one address an hour")
    failed_sign_ins_per_hour: int = _setting(20, "failed sign-ins to one account an hour, from one address or one known browser")
    failed_sign_ins_together_per_hour: int = _setting(100, "failed sign-ins to one account an hour, from all but known browsers together")
    failed_authentications_per_minute: int = _setting(60, "failed client authentications a minute, from one address for one claimed client")
    changes_per_minute: int = _setting(120, "changes by one account a minute: of apps, projects, names, requests, consents")
    shutdown_seconds: int = _setting(30, "how long a stopping server waits for requests that it has begun to answer")
    findings_days: int = _setting(14, "days that findings are kept")
    history_days: int = _setting(400, "days that consents are kept after their end, and requests that were refused")
    audit_days: int = _setting(400, "days that lines of the audit are kept")
    log_level: str = _setting("warning", "debug, info, warning or error; info tells every answer")
    log_format: str = _setting("text", "text or json: how the lines of the log are written")
    metrics_token: str = _setting("", "bearer token for GET /metrics, at least 16 characters; empty: there is no /metrics", secret=True)
    introspection_token: str = _setting("", "bearer token of resource servers that ask about any key, at least 16 characters", secret=True)
    access_grant_in_redirect: bool = _setting(False, "on: the integration page sends the access grant itself back in the URL; dangerous")

    def __post_init__(self) -> None:
        """Check what can be checked without looking at the machine. SettingError names the setting."""
        if not 0 <= self.port <= 65535:
            raise SettingError("port", " must be 0 to 65535")
        if self.log_level not in {"debug", "info", "warning", "error"}:
            raise SettingError("log_level", " must be debug, info, warning or error")
        if self.log_format not in {"text", "json"}:
            raise SettingError("log_format", " must be text or json")
        for name in ("metrics_token", "introspection_token"):
            if 0 < len(getattr(self, name)) < 16:
                raise SettingError(name, " must have at least 16 characters")
        for name in ("argon2_at_once", "argon2_waiting", "shutdown_seconds"):
            if getattr(self, name) < 0:
                raise SettingError(name, " must not be negative")
        if self.workers > MOST_WORKERS:
            raise SettingError("workers", f" must be at most {MOST_WORKERS}")
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                is_limit = not name.endswith("_days") and name not in {"requests_at_once", "workers"}
                hint = "; GRANTWAY_RATE_LIMITS=off turns all limits off" if is_limit else ""
                raise SettingError(name, f" must be at least 1{hint}")
        if not _HOST_AND_PORT.fullmatch(self.satellite_host):
            raise SettingError("satellite_host", " must be host:port")
        if self.database and not self.database.startswith(("postgresql://", "postgres://")):
            raise SettingError("database", " must be a postgresql:// URL")
        _check_days(findings_days=self.findings_days, history_days=self.history_days, audit_days=self.audit_days)
        _check_issuer(self.issuer)
        _check_networks(self.trusted_proxies)
        _check_cache(self.cache)

    @property
    def issuer_url(self) -> str:
        """The issuer as it is sent and compared: without a slash at its end."""
        return self.issuer or f"http://localhost:{self.port}"

    @property
    def argon2_threads(self) -> int:
        """How many derivations run at once."""
        if self.argon2_at_once:
            return self.argon2_at_once
        # a process may be kept to a part of the host's processors
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


MOST_WORKERS = 256
"""More processes than any host should have; a slip of the finger would start thousands."""

_AT_LEAST_ONE = (
    "requests_at_once",
    "findings_days",
    "workers",
    "history_days",
    "audit_days",
    "token_requests_per_minute",
    "sign_ins_per_minute",
    "registrations_per_hour",
    "failed_sign_ins_per_hour",
    "failed_sign_ins_together_per_hour",
    "failed_authentications_per_minute",
    "changes_per_minute",
)


_ISSUER = re.compile(r"[A-Za-z0-9\-._~:/\[\]%]+")
_HOST_AND_PORT = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
_DATABASE_NUMBER = re.compile(r"(/[0-9]{0,9})?")


def _check_days(**days: int) -> None:
    for name, count in days.items():
        if count > MOST_DAYS:
            raise SettingError(name, f" must be at most {MOST_DAYS}, which is a hundred years")


def _check_issuer(issuer: str) -> None:
    if not issuer:
        return
    try:
        parts = urlsplit(issuer)
        # with a path no page would be found: links and redirects lead to the top of the host
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and not parts.path
    except ValueError:
        usable = False
    if not usable or not _ISSUER.fullmatch(issuer):
        raise SettingError("issuer", " must be an http or https URL without user, path, query, fragment or a slash at its end")


def _check_networks(text: str) -> None:
    for network in filter(None, (part.strip() for part in text.split(","))):
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise SettingError("trusted_proxies", " must be addresses or networks with commas between them") from None


def _check_cache(url: str) -> None:
    """The message says nothing of the value: there may be a password in it."""
    if url and not _is_cache(url):
        raise SettingError(
            "cache", " must be redis://HOST:PORT/NUMBER or rediss://…, with USER:PASSWORD@ before the host where it needs one"
        )


def _is_cache(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    has_more = bool(parts.query or parts.fragment) or _DATABASE_NUMBER.fullmatch(parts.path) is None
    return has_host and not has_more and parts.scheme in {"redis", "rediss", "valkey", "valkeys"}
