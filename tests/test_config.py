"""Settings: flags over environment over defaults, and every bad value named."""

from pathlib import Path

import pytest

from grantway.config import Config, SettingError, load


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
    ("log_level", "loud"),
    ("workers", "0"),
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
    with pytest.raises(SettingError, match=name):
        load({f"GRANTWAY_{name.upper()}": text})


def test_what_is_said_of_a_bad_cache_holds_no_password() -> None:
    with pytest.raises(SettingError) as refusal:
        load({"GRANTWAY_CACHE": "redis://limits:hunter2@host:99999"})
    assert "hunter2" not in str(refusal.value)


def test_secrets_are_not_shown() -> None:
    key = "ab" * 32
    config, origins = load({"GRANTWAY_MASTER_KEY": key})
    assert config.master_key == key
    assert key not in repr(config)
    assert [origin.name for origin in origins if origin.is_secret] == ["master_key", "cache", "metrics_token", "introspection_token"]


def test_every_setting_says_what_it_is_for() -> None:
    assert all(origin.help for origin in load({})[1])
