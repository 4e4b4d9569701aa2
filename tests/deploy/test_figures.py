"""Settings, ports, paths and times in the deployment's files are the program's."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from tests.deploy import files
from tests.deploy.files import FILES, ROOT, name_of
from tests.deploy.known import EACH, OF_A_PROCESS, VARIABLES
from tests.deploy.known import FILES as SECRET_FILES
from tests.docs.commands import COMMANDS

from grantway.cli.serve import KEPT_SECONDS
from grantway.config import PREFIX, Config, SettingError
from grantway.config_sources import load
from grantway.web.path_app import MAX_BODY
from grantway.web.routes import ENDPOINTS

DEFAULT = Config()
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
KEY = "ab" * 32


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_variable_is_a_setting(file: Path) -> None:
    assert set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+", file.read_text("utf-8"))) <= VARIABLES


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_head_says_what_it_needs(file: Path) -> None:
    lines = file.read_text("utf-8").removeprefix("#!/bin/sh\n").splitlines()
    head = "\n".join(lines[: next(place for place, line in enumerate(lines) if not line.startswith("#"))])
    assert "Needs:" in head


WHERE = {
    "systemd": {**files.variables(files.DEPLOY / "systemd" / "grantway.env"), **files.unit_variables(files.UNIT, files.CREDENTIALS)},
    "image": files.image_variables(),
    "compose": {**files.compose_variables(), "GRANTWAY_ISSUER": "https://login.example.org"},
    "kubernetes": files.pod_variables(),
}


@pytest.mark.parametrize("where", WHERE)
def test_every_value_can_be(where: str, tmp_path: Path) -> None:
    """The program takes the values as they stand, with secrets in the files that they name."""
    environment = {name: value for name, value in WHERE[where].items() if name.startswith(PREFIX)}
    for name in set(environment) & set(SECRET_FILES):
        file = tmp_path / Path(environment[name]).name
        file.write_text(
            {"database": "postgresql://grantway:secret@postgres/grantway", "cache": "redis://:secret@valkey:6379/0"}.get(file.name, KEY)
        )
        environment[name] = str(file)
    config, origins = load(environment)
    assert config.port == DEFAULT.port
    given = {origin.variable for origin in origins if origin.came_from in {"environment", "file"}}
    assert {SECRET_FILES.get(name, name) for name in environment} <= given


def test_a_forgotten_secret_is_refused() -> None:
    """The example's placeholder is no master key, and a file that is not there ends the start."""
    example = files.document(files.KUBERNETES / "secret.example.yaml")["stringData"]
    assert set(example.values()) == {"REPLACE"}
    with pytest.raises(SettingError):
        load({"GRANTWAY_METRICS_TOKEN": example["metrics_token"]})
    with pytest.raises(ValueError, match="non-hexadecimal"):
        bytes.fromhex(example["master_key"])


# ports, paths and names


def test_one_port_everywhere() -> None:
    port, container = str(DEFAULT.port), files.container()
    assert files.instruction("EXPOSE") == [port]
    assert [one["containerPort"] for one in container["ports"] if one["name"] == "http"] == [DEFAULT.port]
    assert [(one["port"], one["targetPort"]) for one in files.manifests()["Service"]["spec"]["ports"]] == [(DEFAULT.port, "http")]
    assert files.compose()["services"]["grantway"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert files.manifests()["NetworkPolicy"]["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": "http"}]
    for name in ("nginx.conf", "Caddyfile"):
        assert f" 127.0.0.1:{port}" in (files.DEPLOY / "proxy" / name).read_text("utf-8")


def test_probes_ask_what_there_is() -> None:
    paths = {endpoint.path for endpoint in ENDPOINTS if endpoint.method == "GET"}
    container = files.container()
    asked = {probe: container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {probe: get["path"] for probe, get in asked.items()} == {
        "startupProbe": "/health/live",
        "livenessProbe": "/health/live",  # a database that is away is no reason to start anew
        "readinessProbe": "/health/ready",
    }
    assert {get["port"] for get in asked.values()} == {"http"}
    check = files.compose()["services"]["grantway"]["healthcheck"]["test"]
    assert [path for path in paths if f'"{path}"' in check[-1]] == ["/health/ready"]
    for file in FILES:
        assert set(re.findall(r"/(?:health/\w+|metrics)\b(?!_)", file.read_text("utf-8"))) <= paths, file


def test_every_command_is_there() -> None:
    services = files.compose()["services"]
    init = files.pod()["initContainers"]
    said = [services["upgrade"]["command"], *(one["args"] for one in init), files.container()["args"]]
    said += [shlex.split(value)[1:] for key, value in files.unit() if key == "ExecStart"]
    said += [["serve"] for default in files.instruction("CMD") if default == '["serve"]']
    assert len(said) == 5
    known = {name.removeprefix("grantway ") for name in COMMANDS}
    assert {" ".join(words) for words in said} <= known


# times


def test_stopping_has_more_time_than_it_takes() -> None:
    """The server waits for what it has begun to answer, and then some work is written."""
    takes = DEFAULT.shutdown_seconds + 5
    assert all("GRANTWAY_SHUTDOWN_SECONDS" not in variables for variables in WHERE.values())
    assert int(dict(files.unit())["TimeoutStopSec"]) > takes
    assert files.seconds(files.compose()["services"]["grantway"]["stop_grace_period"]) > takes
    pod = files.pod()
    assert pod["terminationGracePeriodSeconds"] > takes + files.container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    for name in ("deploy/systemd/grantway.service", "deploy/kubernetes/deployment.yaml"):
        assert f"GRANTWAY_SHUTDOWN_SECONDS ({DEFAULT.shutdown_seconds})" in (ROOT / name).read_text("utf-8")


def test_proxies_close_idle_connections_first() -> None:
    nginx, caddy = ((files.DEPLOY / "proxy" / name).read_text("utf-8") for name in ("nginx.conf", "Caddyfile"))
    assert f"before {KEPT_SECONDS} s are over" in (ROOT / "docs" / "operations.md").read_text("utf-8")
    for text, pattern in ((nginx, r"keepalive_timeout (\d+)s;"), (caddy, r"keepalive (\d+)s\n")):
        assert f"idle for {KEPT_SECONDS} s" in text
        assert [int(found) < KEPT_SECONDS for found in re.findall(pattern, text)] == [True]


def test_nginx_lets_through_what_the_server_takes_and_refuses() -> None:
    nginx = (files.DEPLOY / "proxy" / "nginx.conf").read_text("utf-8")
    for name in ("client_max_body_size", "client_body_buffer_size"):
        assert f" {name} {2 * MAX_BODY // 1024}k;" in nginx


# memory and versions


def least(variables: dict[str, str]) -> int:
    return EACH * int(variables["GRANTWAY_ARGON2_AT_ONCE"]) + OF_A_PROCESS * int(variables["GRANTWAY_WORKERS"])


def test_there_is_memory_for_all_derivations_at_once() -> None:
    assert int(files.container()["resources"]["limits"]["memory"].removesuffix("Mi")) >= least(files.pod_variables())
    assert int(files.compose()["services"]["grantway"]["mem_limit"].removesuffix("m")) >= least(files.compose_variables())


def test_one_version_everywhere() -> None:
    services = files.compose()["services"]
    assert {services[name]["image"] for name in ("grantway", "upgrade")} == {f"grantway:{VERSION}"}
    assert [one["newTag"] for one in files.document(files.KUBERNETES / "kustomization.yaml")["images"]] == [VERSION]
    text = files.CONTAINERFILE.read_text("utf-8")
    assert f'image.version="{VERSION}"' in text
    assert f"-t grantway:{VERSION} ." in text
