"""What operations.md tells operators to type: the steps lead from these files to where they say they go."""

import re
import shlex
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy import files
from tests.deploy.tools import needs_kubectl, passes
from tests.docs.pages import blocks

from grantway import master_key

MANUAL = "docs/operations.md"
SHELL = blocks(MANUAL, "sh")
TYPED = "\n".join(SHELL).replace("\\\n", " ")


def lines(beginning: str) -> list[list[str]]:
    """The words of every line that begins so."""
    return [shlex.split(line) for line in TYPED.splitlines() if line.startswith(beginning)]


@pytest.mark.parametrize("block", SHELL, ids=lambda block: str(block.split("\n", 1)[0][:40]))
def test_a_shell_can_read_it(block: str) -> None:
    subprocess.run(["bash", "-n", "-c", block], timeout=60, check=True)


def test_every_file_that_is_named_is_there() -> None:
    for name in re.findall(r"\bdeploy/[\w./-]+", TYPED):
        assert (files.ROOT / name).exists(), name
    assert all((files.ROOT / words[-1]).exists() for words in lines("sudo /opt/grantway/bin/python -m pip") if "-r" in words)


def test_files_go_where_they_say_they_go() -> None:
    installed = {words[-2]: words[-1] for words in lines("sudo install ") if words[-2].startswith("deploy/")}
    assert set(installed) == {f"deploy/{name}" for name in (
        "systemd/grantway.sysusers",
        "systemd/grantway.env",
        "systemd/grantway.service",
        "systemd/grantway-credentials.conf",
        "proxy/nginx.conf",
        "proxy/Caddyfile",
    )}  # fmt: skip
    for source, target in installed.items():
        said = re.findall(r"Goes to (/[\w./-]+[\w/])", (files.ROOT / source).read_text("utf-8"))
        assert [one for one in said if target.startswith(one)] == said != []


def test_the_unit_finds_what_was_installed() -> None:
    unit = files.unit()
    assert dict(unit)["EnvironmentFile"] == "/etc/grantway/grantway.env"
    assert dict(unit)["ExecStart"].startswith("/opt/grantway/bin/")
    made = {words[-1] for words in lines("sudo install -m 0400")} | {"/etc/grantway/secrets/metrics_token"}
    loaded = [value.split(":", 1) for key, value in files.unit(files.CREDENTIALS) if key == "LoadCredential"]
    assert {path for _, path in loaded} == made
    named = {value for name, value in files.unit_variables(files.CREDENTIALS).items() if name.endswith("_FILE")}
    assert named == {f"%d/{name}" for name, _ in loaded}
    assert "GRANTWAY_DATA=/var/lib/grantway" in TYPED
    assert files.unit_variables(files.UNIT)["GRANTWAY_DATA"] == f"%S/{dict(unit)['StateDirectory']}"


def test_the_container_is_run_as_the_image_is_made() -> None:
    [words] = lines("docker run")
    values = dict(pairwise(words))
    assert values["--volume"] == f"grantway:{files.instruction('VOLUME')[0]}"
    assert values["--publish"] == "127.0.0.1:10002:10002"
    assert f"{values['--stop-timeout']}s" == files.compose()["services"]["grantway"]["stop_grace_period"]
    assert words[-1] == files.compose()["services"]["grantway"]["image"]
    [build] = lines("docker build")
    assert " ".join(build) in files.CONTAINERFILE.read_text("utf-8")


@needs_kubectl
def test_the_secret_is_made_with_all_its_keys(tmp_path: Path) -> None:
    block = next(block for block in SHELL if "create secret" in block)
    script = block.replace("kubectl apply -f deploy/kubernetes/namespace.yaml\n", "")
    done = passes("bash", "-c", f"cd {tmp_path} && {script.strip()} --dry-run=client --output=yaml")
    made, example = yaml.safe_load(done), files.document(files.KUBERNETES / "secret.example.yaml")
    assert set(made["data"]) == set(example["stringData"])
    assert made["metadata"]["name"] == example["metadata"]["name"]
    key = (tmp_path / "master_key").read_text().strip()
    assert list(map(len, master_key.load(tmp_path, key, database_exists=True).current())) == [32]


@needs_kubectl
def test_what_is_ones_own_goes_on_top(tmp_path: Path) -> None:
    shutil.copytree(files.KUBERNETES, tmp_path / "deploy" / "kubernetes")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kustomization.yaml").write_text(blocks(MANUAL, "yaml")[0])
    made: dict[str, Any] = {one["kind"]: one for one in yaml.safe_load_all(passes("kubectl", "kustomize", tmp_path / "mine"))}
    expected = files.variables(files.KUBERNETES / "settings.env")
    expected |= {"GRANTWAY_ISSUER": "https://login.example.com", "GRANTWAY_TRUSTED_PROXIES": "10.1.0.0/16"}
    assert made["ConfigMap"]["data"] == expected
    pod = made["Deployment"]["spec"]["template"]["spec"]
    assert {one["image"] for one in [*pod["containers"], *pod["initContainers"]]} == {"registry.example.com/grantway:0.2.0"}
    assert pod["containers"][0]["envFrom"][0]["configMapRef"]["name"] == made["ConfigMap"]["metadata"]["name"]


def test_times_in_the_text_are_those_of_the_files() -> None:
    text = " ".join((files.ROOT / MANUAL).read_text("utf-8").split())
    wait = files.container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    left = files.pod()["terminationGracePeriodSeconds"] - wait
    assert f"waits for {wait} s, until nothing is sent to it any more, and then has {left} s to finish" in text
    assert "runs three replicas, which" in text
    assert files.manifests()["Deployment"]["spec"]["replicas"] == 3
