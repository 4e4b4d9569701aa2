"""What the container's, the host's and the cluster's files must say for the server to run closed up, and to be replaced unseen."""

import fnmatch
import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.deploy import files

from grantway.config import SettingError
from grantway.config_sources import load

POD, SERVER = files.pod(), files.container()
EVERY = [*POD["containers"], *POD["initContainers"]]
SELECTED = {"app.kubernetes.io/name": "grantway"}


# Kubernetes


@pytest.mark.parametrize("container", EVERY, ids=lambda one: str(one["name"]))
def test_a_container_is_restricted(container: Any) -> None:
    """What the profile `restricted` of the Pod Security Standards asks for, and nothing to write to but memory."""
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
    writable = {one["name"] for one in container["volumeMounts"] if not one.get("readOnly")}
    assert {one["name"]: one.get("emptyDir") for one in POD["volumes"] if one["name"] in writable} == {
        "tmp": {"medium": "Memory", "sizeLimit": "16Mi"}
    }


def test_the_pod_is_restricted() -> None:
    context = POD["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert [f"{context['runAsUser']}:{context['runAsGroup']}"] == files.instruction("USER")
    assert POD["automountServiceAccountToken"] is False
    assert files.manifests()["ServiceAccount"]["automountServiceAccountToken"] is False


def test_a_service_sets_no_setting() -> None:
    """Kubernetes gives pods a variable NAME_PORT for each Service: ours would be GRANTWAY_PORT, and be tcp://…"""
    assert files.manifests()["Service"]["metadata"]["name"].upper() + "_PORT" == "GRANTWAY_PORT"
    assert POD["enableServiceLinks"] is False
    with pytest.raises(SettingError, match="port"):
        load({"GRANTWAY_PORT": "tcp://10.96.0.17:10002"})


def test_every_secret_that_is_mounted_is_in_the_secret() -> None:
    [volume] = [one for one in POD["volumes"] if one["name"] == "secrets"]
    example = files.document(files.KUBERNETES / "secret.example.yaml")
    assert volume["secret"] == {"secretName": example["metadata"]["name"], "defaultMode": 0o440}
    [mount] = [one for one in SERVER["volumeMounts"] if one["name"] == "secrets"]
    assert {one["value"] for one in SERVER["env"]} == {f"{mount['mountPath']}/{key}" for key in example["stringData"]}
    assert POD["securityContext"]["fsGroup"] == POD["securityContext"]["runAsGroup"]


def test_pods_are_replaced_one_after_another() -> None:
    deployment = files.manifests()["Deployment"]["spec"]
    assert deployment["replicas"] >= 2
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert files.manifests()["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert POD["topologySpreadConstraints"][0]["labelSelector"] == {"matchLabels": SELECTED}


def test_selectors_select_the_pods() -> None:
    made = files.manifests()
    assert made["Deployment"]["spec"]["template"]["metadata"]["labels"] == SELECTED
    assert made["Service"]["spec"]["selector"] == SELECTED
    for kind, key in (("Deployment", "selector"), ("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        assert made[kind]["spec"][key] == {"matchLabels": SELECTED}
    assert made["NetworkPolicy"]["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_nothing_real_is_in_the_kustomization() -> None:
    assert "secret.example.yaml" not in files.document(files.KUBERNETES / "kustomization.yaml")["resources"]


# one host


def test_services_of_compose_are_closed_up() -> None:
    services = files.compose()["services"]
    for name in ("grantway", "upgrade", "valkey"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert all(one["security_opt"] == ["no-new-privileges:true"] for one in services.values())
    assert files.compose()["networks"]["data"] == {"internal": True}
    assert {name for name, one in services.items() if "front" in one["networks"]} == {"grantway"}
    assert {name for name, one in services.items() if "ports" in one} == {"grantway"}
    assert (
        services["grantway"]["environment"]["GRANTWAY_TRUSTED_PROXIES"]
        == files.compose()["networks"]["front"]["ipam"]["config"][0]["gateway"]
    )


def test_compose_waits_for_health() -> None:
    services = files.compose()["services"]
    awaited = {one for service in services.values() for one in service.get("depends_on", {})}
    conditions = {name: state["condition"] for service in services.values() for name, state in service.get("depends_on", {}).items()}
    assert conditions == {"postgres": "service_healthy", "valkey": "service_healthy", "upgrade": "service_completed_successfully"}
    assert {name for name in awaited if "healthcheck" not in services[name]} == {"upgrade"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the folder, with its secrets made."""
    (tmp_path / "make-secrets").write_bytes((files.COMPOSE.parent / "make-secrets").read_bytes())
    done = subprocess.run(["sh", tmp_path / "make-secrets"], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stderr, done.stdout.count("\n")) == ("", 1)
    return tmp_path


def test_secrets_are_made_for_all_that_need_them(folder: Path) -> None:
    made = {file.name: file.read_text() for file in (folder / "secrets").iterdir()}
    named = files.compose()["secrets"]
    assert {one["file"] for one in named.values()} == {f"secrets/{name}" for name in made}
    assert set(named) == {name for service in files.compose()["services"].values() for name in service.get("secrets", [])}
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (folder / "secrets").iterdir()} == {0o444}
    assert re.fullmatch(r"[0-9a-f]{64}\n", made["master_key"])
    assert made["database"] == f"postgresql://grantway:{made['postgres_password'].strip()}@postgres/grantway\n"
    assert made["cache"] == f"redis://:{made['valkey_conf'].split()[1]}@valkey:6379/0\n"
    assert len(set(made.values())) == len(made)


def test_secrets_are_made_once(folder: Path) -> None:
    before = (folder / "secrets" / "master_key").read_text()
    again = subprocess.run(["sh", folder / "make-secrets"], capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 1
    assert "there already" in again.stderr
    assert [one.name for one in folder.iterdir() if "secrets" in one.name and one.is_dir()] == ["secrets"]
    assert (folder / "secrets" / "master_key").read_text() == before
    assert os.access(files.COMPOSE.parent / "make-secrets", os.X_OK)


def test_secrets_of_compose_are_mounted_where_they_are_looked_for() -> None:
    service = files.compose()["services"]["grantway"]
    paths = {value for name, value in service["environment"].items() if name.endswith("_FILE")}
    assert paths == {f"/run/secrets/{name}" for name in service["secrets"]}


# the image


def test_the_build_sees_what_it_copies_and_no_more() -> None:
    copied = {name for rest in files.instruction("COPY") if not rest.startswith("--from") for name in rest.split()[:-1]}
    assert copied == set(files.allowed())
    assert all((files.ROOT / name).exists() for name in copied)
    assert not any(fnmatch.fnmatch("deploy/compose/secrets/master_key", f"{name}*") for name in files.allowed())


def test_the_image_runs_as_a_number_without_a_shell_between() -> None:
    assert files.instruction("ENTRYPOINT") == ['["grantway"]']
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", files.instruction("USER")[0])
    assert files.instruction("VOLUME") == [files.image_variables()["GRANTWAY_DATA"]]
    assert f" {files.image_variables()['GRANTWAY_DATA']}" in files.instruction("RUN")[-1]
    pinned = [rest for rest in files.instruction("RUN") if "requirements/run.txt" in rest]
    assert len(pinned) == 1
    assert "--require-hashes" in pinned[0]


def test_secrets_of_compose_are_never_committed() -> None:
    ignored = (files.ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"deploy/compose/secrets*/", "deploy/compose/.env"} <= set(ignored)
