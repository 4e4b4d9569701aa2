"""Settings: flags over environment over defaults, secrets from files, and every bad value named."""

import os
from dataclasses import fields
from pathlib import Path

import pytest

from grantway.config import Config, SettingError
from grantway.config_sources import MOST_IN_A_FILE, load, unknown


def test_defaults() -> None:
    config, origins = load({})
    assert config == Config()
    assert (config.host, config.port, config.data, config.issuer_url) == (
        "127.0.0.1",
        10002,
        Path("grantway-data"),
        "http://localhost:10002",
    )
    assert {origin.came_from for origin in origins} == {"default"}
    assert config.argon2_threads >= 1


def test_what_is_named_like_a_setting_and_is_none() -> None:
    known = {"GRANTWAY_PORT": "1", "GRANTWAY_CACHE_FILE": "x", "grantway_host": "x", "PATH": ""}
    given = {**known, "GRANTWAY_ISUER": "x", "GRANTWAY_PORT_FILE": "x"}
    assert unknown(given) == ["GRANTWAY_ISUER", "GRANTWAY_PORT_FILE"]


def test_flags_come_before_the_environment() -> None:
    environment = {"GRANTWAY_PORT": "1", "GRANTWAY_HOST": "::1", "GRANTWAY_RATE_LIMITS": "off", "GRANTWAY_DATA": "/x", "PORT": "9"}
    config, origins = load(environment, port=2, host=None)
    assert (config.port, config.host, config.rate_limits, config.data) == (2, "::1", False, Path("/x"))
    came_from = {origin.name: origin.came_from for origin in origins}
    assert came_from["port"] == "flag"
    assert came_from["host"] == "environment"
    assert came_from["issuer"] == "default"
    assert {origin.name: origin.variable for origin in origins}["argon2_at_once"] == "GRANTWAY_ARGON2_AT_ONCE"


def test_a_flag_of_zero_is_given() -> None:
    assert load({"GRANTWAY_PORT": "1"}, port=0)[0].port == 0


@pytest.mark.parametrize(
    ("text", "expected"), [("on", True), ("ON", True), ("true", True), ("1", True), ("off", False), ("no", False), ("0", False)]
)
def test_switches(text: str, expected: bool) -> None:
    assert load({"GRANTWAY_RATE_LIMITS": text})[0].rate_limits is expected


GOOD = {
    "issuer": "https://login.example",
    "issuer ": "http://localhost:10002",
    "trusted_proxies": "127.0.0.1, 10.0.0.0/8,::1",
    "satellite_host": "satellite.example:7777",
    "argon2_at_once": "3",
    "argon2_waiting": "0",
    "shutdown_seconds": "0",
    "port": "0",
    "log_level": "debug",
    "workers": "8",
    "cache": "redis://127.0.0.1",
    "cache ": "rediss://limits:p%40ss@cache.example:6380/3",
    "cache  ": "valkey://[::1]:6379/",
}


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str) -> None:
    load({f"GRANTWAY_{name.strip().upper()}": GOOD[name]})


BAD = [
    ("port", "-1"),
    ("port", "65536"),
    ("port", "http"),
    ("port", "1.5"),
    ("rate_limits", "maybe"),
    ("issuer", "login.example"),
    ("issuer", "ftp://login.example"),
    ("issuer", "https://"),
    ("issuer", "https://login.example/"),
    ("issuer", "https://login.example/auth"),
    ("issuer", "https://login.example?x=1"),
    ("issuer", "https://login.example#x"),
    ("issuer", "https://[::1"),
    ("issuer", "https://login.example:70000"),
    ("issuer", "https://user:pass@login.example"),
    ("issuer", "https://login example"),
    ("issuer", "https://login.example\n"),
    ("satellite_host", "satellite.example"),
    ("satellite_host", "satellite.example:port"),
    ("satellite_host", "other@satellite.example:7777"),
    ("trusted_proxies", "*"),
    ("trusted_proxies", "proxy.example"),
    ("trusted_proxies", "10.0.0.0/33"),
    ("argon2_at_once", "-1"),
    ("argon2_waiting", "-1"),
    ("shutdown_seconds", "-1"),
    ("token_requests_per_minute", "0"),
    ("sign_ins_per_minute", "-5"),
    ("registrations_per_hour", "many"),
    ("failed_authentications_per_minute", "0"),
    ("history_days", "36501"),
    ("audit_days", "9" * 12),
    ("findings_days", "9" * 4000),
    ("log_level", "loud"),
    ("workers", "0"),
    ("workers", "257"),
    ("workers", "two"),
    ("cache", "127.0.0.1:6379"),
    ("cache", "http://127.0.0.1:6379"),
    ("cache", "redis://"),
    ("cache", "redis://host:port"),
    ("cache", "redis://host:0"),
    ("cache", "redis://[::1"),
    ("cache", "redis://host/one"),
    ("cache", "redis://host/0?socket_timeout=x"),
    ("cache", "redis://host/0#x"),
]


@pytest.mark.parametrize(("name", "text"), BAD)
def test_bad(name: str, text: str) -> None:
    variable = f"GRANTWAY_{name.upper()}"
    with pytest.raises(SettingError, match=rf"^{name} must .* \({variable}\)$"):
        load({variable: text})


def test_what_is_said_of_a_bad_cache_holds_no_password() -> None:
    with pytest.raises(SettingError) as refusal:
        load({"GRANTWAY_CACHE": "redis://limits:hunter2@host:99999"})
    assert "hunter2" not in str(refusal.value)


def test_secrets_are_not_shown() -> None:
    key = "ab" * 32
    config, origins = load({"GRANTWAY_MASTER_KEY": key})
    assert config.master_key == key
    assert key not in repr(config)
    assert [origin.name for origin in origins if origin.is_secret] == [
        "database",
        "master_key",
        "cache",
        "metrics_token",
        "introspection_token",
    ]


def test_every_setting_says_what_it_is_for() -> None:
    assert all(origin.help for origin in load({})[1])


# secrets from files

TOKEN = "correct-horse-battery"
SECRETS = [one.name for one in fields(Config) if one.metadata["secret"]]


def written(tmp_path: Path, content: bytes) -> str:
    file = tmp_path / "secret"
    file.write_bytes(content)
    return str(file)


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_be_in_a_file(tmp_path: Path, name: str) -> None:
    value = {"database": "postgresql://user:pass@db.example/grantway", "cache": "redis://:pass@cache.example:6379/0"}.get(name, "ab" * 32)
    config, origins = load({f"GRANTWAY_{name.upper()}_FILE": written(tmp_path, f"{value}\n".encode())})
    assert getattr(config, name) == value
    assert {origin.name: origin.came_from for origin in origins if origin.came_from != "default"} == {name: "file"}
    assert value not in repr(config)


GOOD_CONTENT = {
    "as it is": (TOKEN.encode(), TOKEN),
    "a newline at its end": (f"{TOKEN}\n".encode(), TOKEN),
    "a line break as Windows writes it": (f"{TOKEN}\r\n".encode(), TOKEN),
    "spaces are kept": (f" {TOKEN} \n".encode(), f" {TOKEN} "),
    "not only ASCII": (f"{TOKEN} é".encode(), f"{TOKEN} é"),
    "as long as can be": (b"x" * MOST_IN_A_FILE, "x" * MOST_IN_A_FILE),
}


@pytest.mark.parametrize("case", GOOD_CONTENT)
def test_what_a_file_gives(tmp_path: Path, case: str) -> None:
    content, expected = GOOD_CONTENT[case]
    config, origins = load({"GRANTWAY_METRICS_TOKEN_FILE": written(tmp_path, content), "GRANTWAY_METRICS_TOKEN": ""})
    assert config.metrics_token == expected
    assert {origin.name: origin.came_from for origin in origins}["metrics_token"] == "file"


BAD_CONTENT = {
    "empty": (b"", "is empty"),
    "only a newline": (b"\n", "is empty"),
    "two newlines": (f"{TOKEN}\n\n".encode(), "one line"),
    "two lines": (f"{TOKEN}\n{TOKEN}".encode(), "one line"),
    "a zero byte": (f"{TOKEN}\0".encode(), "control"),
    "a byte order mark": (f"\ufeff{TOKEN}".encode(), "control"),
    "Latin-1": (f"{TOKEN}é".encode("latin-1"), "no text in UTF-8"),
    "UTF-16": (TOKEN.encode("utf-16"), "no text in UTF-8"),
    "too long": (b"x" * (MOST_IN_A_FILE + 1), "more than 64 KiB"),
    "checked as every value": (b"too-short\n", "at least 16 characters"),
}


@pytest.mark.parametrize("case", BAD_CONTENT)
def test_what_no_file_may_hold(tmp_path: Path, case: str) -> None:
    content, why = BAD_CONTENT[case]
    with pytest.raises(SettingError, match=why) as refusal:
        load({"GRANTWAY_METRICS_TOKEN_FILE": written(tmp_path, content)})
    assert str(refusal.value).startswith("metrics_token")
    assert str(refusal.value).endswith(" (GRANTWAY_METRICS_TOKEN_FILE)")
    assert TOKEN not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, why in {
        "none": "No such file",
        "pipe": "regular file",
        "": "regular file",
        "loop": "symbolic links",
        "n" * 300: "too long",
    }.items():
        with pytest.raises(SettingError, match=why) as refusal:
            load({"GRANTWAY_MASTER_KEY_FILE": str(tmp_path / name)})
        assert str(refusal.value).startswith(f"master_key: {tmp_path / name} ")


def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    file = Path(written(tmp_path, TOKEN.encode()))
    file.chmod(0)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # root may read every file
    try:
        with pytest.raises(SettingError, match=f"metrics_token: {file} cannot be read: Permission denied"):
            load({"GRANTWAY_METRICS_TOKEN_FILE": str(file)})
    finally:
        os.seteuid(me)


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    environment = {"GRANTWAY_METRICS_TOKEN": TOKEN, "GRANTWAY_METRICS_TOKEN_FILE": written(tmp_path, TOKEN.encode())}
    with pytest.raises(SettingError, match="metrics_token is given twice") as refusal:
        load(environment)
    assert TOKEN not in str(refusal.value)


def test_a_flag_comes_before_a_file_that_is_not_even_looked_at() -> None:
    assert load({"GRANTWAY_METRICS_TOKEN_FILE": "/nowhere"}, metrics_token=TOKEN)[0].metrics_token == TOKEN


def test_only_secrets_have_files(tmp_path: Path) -> None:
    config, origins = load({"GRANTWAY_PORT_FILE": written(tmp_path, b"1"), "GRANTWAY_MASTER_KEY_FILE": ""})
    assert config == Config()
    assert {origin.came_from for origin in origins} == {"default"}
