"""The deployment's files, read as their tools read them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "grantway.service"
CREDENTIALS = DEPLOY / "systemd" / "grantway-credentials.conf"
CONTAINERFILE = DEPLOY / "container" / "Containerfile"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
KUBERNETES = DEPLOY / "kubernetes"
FILES = sorted(file for file in DEPLOY.rglob("*") if file.is_file() and "secrets" not in file.parts and file.name != ".env")


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def document(file: Path) -> Any:
    """The one document of a YAML file."""
    return yaml.safe_load(file.read_text("utf-8"))


def manifests() -> dict[str, Any]:
    """What is applied to the cluster, by kind, but for the ConfigMap, which `settings` gives."""
    named = document(KUBERNETES / "kustomization.yaml")["resources"]
    return {one["kind"]: one for one in (document(KUBERNETES / name) for name in named)}


def variables(file: Path) -> dict[str, str]:
    """Names and values of a file with `NAME=value` on each line."""
    lines = (line.strip() for line in file.read_text("utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def unit(file: Path = UNIT) -> list[tuple[str, str]]:
    """The directives of a unit's [Service] section, in order."""
    section = file.read_text("utf-8").split("[Service]\n", 1)[1].split("\n[", 1)[0]
    return [(key, value) for line in section.splitlines() if "=" in line and line[0] != "#" for key, value in [line.split("=", 1)]]


def unit_variables(*files: Path) -> dict[str, str]:
    """What `Environment=` sets."""
    return dict(value.split("=", 1) for file in files for key, value in unit(file) if key == "Environment")


def instructions() -> Iterator[tuple[str, str]]:
    """The Containerfile's instructions in order, each on one line: its word, and what follows."""
    joined = re.sub(r"\\\n\s*", "", CONTAINERFILE.read_text("utf-8"))
    for line in joined.splitlines():
        if line and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            yield word, rest


def instruction(word: str) -> list[str]:
    return [rest for one, rest in instructions() if one == word]


def allowed() -> list[str]:
    """What .dockerignore lets a build see; everything else is left out."""
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    return [line[1:] for line in lines if line.startswith("!")]


def image_variables() -> dict[str, str]:
    """What `ENV` sets in the last stage."""
    return dict(pair.split("=", 1) for pair in instruction("ENV")[-1].split())


def pod() -> Any:
    return manifests()["Deployment"]["spec"]["template"]["spec"]


def container() -> Any:
    return pod()["containers"][0]


def pod_variables() -> dict[str, str]:
    """What the server's container sees, in the order that counts: the image's, the ConfigMap's, its own."""
    own = {one["name"]: one["value"] for one in container()["env"]}
    return {**image_variables(), **variables(KUBERNETES / "settings.env"), **own}


def compose() -> Any:
    return document(COMPOSE)


def compose_variables() -> dict[str, str]:
    return {**image_variables(), **compose()["services"]["grantway"]["environment"]}


def seconds(text: str) -> int:
    """`45s` as a number."""
    return int(text.removesuffix("s"))
