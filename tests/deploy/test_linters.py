"""The tools' own word on the deployment's files."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from tests.deploy import files
from tests.deploy.files import DEPLOY, KUBERNETES
from tests.deploy.tools import BIN, needs_kubectl, needs_systemd, passes, run

YAMLLINT = "{extends: default, rules: {line-length: {max: 160}, document-start: disable}}"
OLDEST, NEWEST = "1.30", "1.37"
"""Of Kubernetes: what `kustomization.yaml` asks for, and what kubernetes-validate knows."""
EXPOSURE = 15
"""The most that systemd may find open, in tenths: what is left are sockets and the network."""

# systemd


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with its drop-in as an operator installs them, but for where the program is."""
    installed = tmp_path / files.UNIT.name
    installed.write_text(files.UNIT.read_text("utf-8").replace("/opt/grantway/bin/grantway", str(BIN / "grantway")))
    drop_in = tmp_path / f"{files.UNIT.name}.d"
    drop_in.mkdir()
    shutil.copy(files.CREDENTIALS, drop_in / "credentials.conf")
    return installed


@needs_systemd
def test_systemd_reads_the_unit_without_a_word(unit: Path) -> None:
    assert passes("systemd-analyze", "verify", "--man=no", unit) == ""


@needs_systemd
def test_systemd_would_say_what_is_wrong(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=very"))
    assert "Failed to parse protect system value" in passes("systemd-analyze", "verify", "--man=no", unit)


@needs_systemd
def test_systemd_finds_little_open(unit: Path) -> None:
    passes("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", unit)


@needs_systemd
def test_the_unit_has_its_user(tmp_path: Path) -> None:
    made = tmp_path / "etc" / "sysusers.d" / "grantway.conf"
    made.parent.mkdir(parents=True)
    shutil.copy(DEPLOY / "systemd" / "grantway.sysusers", made)
    said = passes("systemd-sysusers", f"--root={tmp_path}", "--dry-run", made.name)
    assert f"Creating user '{dict(files.unit())['User']}'" in said


# containers


def test_hadolint_has_nothing_to_say() -> None:
    assert passes(BIN / "hadolint", "--no-color", files.CONTAINERFILE) == ""


def test_hadolint_would_say_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "Containerfile"
    bad.write_text(files.CONTAINERFILE.read_text("utf-8").replace("USER 10001:10001", "USER root"))
    assert "DL3002" in run(BIN / "hadolint", "--no-color", bad).stdout


def test_compose_takes_its_file() -> None:
    read = yaml.safe_load(passes(BIN / "docker-compose", "--file", files.COMPOSE, "config", GRANTWAY_ISSUER="https://login.example.org"))
    assert read["services"]["grantway"]["environment"]["GRANTWAY_ISSUER"] == "https://login.example.org"
    assert Path(read["services"]["grantway"]["build"]["context"]) == files.ROOT


def test_compose_asks_for_the_issuer() -> None:
    asked = run(BIN / "docker-compose", "--file", files.COMPOSE, "config", GRANTWAY_ISSUER="")
    assert asked.returncode != 0
    assert "say which public https URL this server has" in asked.stderr


def test_compose_would_say_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "compose.yaml"
    bad.write_text(files.COMPOSE.read_text("utf-8").replace("mem_limit", "memory_limit"))
    assert "memory_limit" in run(BIN / "docker-compose", "--file", bad, "config", GRANTWAY_ISSUER="https://login.example.org").stderr


# YAML and Kubernetes


def test_yamllint_has_nothing_to_say() -> None:
    assert passes(BIN / "yamllint", "--strict", "-d", YAMLLINT, DEPLOY) == ""


def validate(version: str, manifests: Sequence[Path]) -> str:
    return passes(BIN / "kubernetes-validate", "--strict", "--kubernetes-version", version, *manifests)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_takes_every_manifest(version: str) -> None:
    manifests = [file for file in sorted(KUBERNETES.glob("*.yaml")) if file.name != "kustomization.yaml"]
    assert validate(version, manifests).count("passed") == len(manifests) == 7
    assert f"Kubernetes {OLDEST} or later" in (KUBERNETES / "kustomization.yaml").read_text("utf-8")


def test_kubernetes_would_say_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "deployment.yaml"
    bad.write_text((KUBERNETES / "deployment.yaml").read_text("utf-8").replace("readinessProbe:", "readyProbe:"))
    assert "readyProbe" in run(BIN / "kubernetes-validate", "--strict", "--kubernetes-version", NEWEST, bad).stdout


@needs_kubectl
def test_kustomize_puts_them_together(tmp_path: Path) -> None:
    built = tmp_path / "built.yaml"
    built.write_text(passes("kubectl", "kustomize", KUBERNETES))
    assert validate(OLDEST, [built]).count("passed") == 7
    made = {one["kind"]: one for one in yaml.safe_load_all(built.read_text())}
    assert made["ConfigMap"]["data"] == files.variables(KUBERNETES / "settings.env")
    assert {one["metadata"].get("namespace", "grantway") for one in made.values()} == {"grantway"}
    pod = made["Deployment"]["spec"]["template"]["spec"]
    for one in [*pod["containers"], *pod["initContainers"]]:
        assert one["image"].startswith("registry.example.org/grantway:")
        assert one["envFrom"] == [{"configMapRef": {"name": made["ConfigMap"]["metadata"]["name"]}}]
