"""What the Containerfile builds, built without an engine, run as the Deployment runs it: another user, no rights, nothing to write to."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tests.deploy import files
from tests.deploy.known import EACH, OF_A_PROCESS
from tests.deploy.started import Started, access_grant, path, started
from tests.no_tls import NO_TLS

pytestmark = pytest.mark.slow

SECRETS = {"master_key": "ab" * 32, "metrics_token": "token-of-the-metrics"}
NOT_HERE = {"GRANTWAY_DATABASE_FILE", "GRANTWAY_CACHE_FILE"}
"""Left out: here the database is SQLite, in the image's data folder, and limits are counted in memory."""
CLOSED_UP = """
set -e; data=$1; uid=$2; gid=$3; shift 3
mount -t tmpfs -o mode=0700 tmpfs "$data"
mount -o remount,ro,bind /
cd /
exec setpriv --no-new-privs --inh-caps=-all unshare --user --map-user="$uid" --map-group="$gid" -- "$@"
"""


def can_close_up() -> bool:
    return all(map(shutil.which, ("unshare", "setpriv"))) and subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """What the image has in /opt/grantway, from the build stage's own commands on what .dockerignore lets through."""
    with tempfile.TemporaryDirectory() as folder:
        build, made = Path(folder, "build"), Path(folder, "opt", "grantway")
        for name in files.allowed():
            source, target = files.ROOT / name, build / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
            else:
                shutil.copy(source, target)
        commands = [line for line in files.instruction("RUN") if "/opt/grantway" in line]
        assert len(commands) == 3
        python = sys.executable if sys.prefix == sys.base_prefix else str(Path(sys.base_prefix, "bin", "python3"))
        for command in commands:
            here = command.replace("/opt/grantway", str(made)).replace("python -m venv", f"{python} -m venv", 1)
            done = subprocess.run(["sh", "-c", here], cwd=build, capture_output=True, text=True, timeout=600, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
        shutil.rmtree(build)
        yield made


@pytest.fixture
def server(image: Path, tmp_path: Path) -> Iterator[Started]:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    environment = {name: value for name, value in files.pod_variables().items() if name not in NOT_HERE}
    for name, value in SECRETS.items():
        (tmp_path / name).write_text(f"{value}\n")
        environment[f"GRANTWAY_{name.upper()}_FILE"] = str(tmp_path / name)
    # a pod has an address and a port of its own, and its callers are many
    here = {"GRANTWAY_HOST": "127.0.0.1", "GRANTWAY_PORT": "0", "GRANTWAY_DATA": str(data), "GRANTWAY_RATE_LIMITS": "off"}
    environment |= {**here, "PATH": f"{image / 'bin'}:{path()}"}
    uid, gid = files.instruction("USER")[0].split(":")
    command = [str(image / "bin" / "grantway"), *files.container()["args"]]
    closed_up = ["unshare", "--mount", "sh", "-c", CLOSED_UP, "sh", str(data), uid, gid]
    with started([*closed_up, *command] if can_close_up() else command, environment, tmp_path / "log") as one:
        yield one


def test_the_image_holds_the_program_and_what_it_needs(image: Path) -> None:
    told = subprocess.run([image / "bin" / "grantway", "--version"], capture_output=True, text=True, timeout=60, check=True, env={})
    assert told.stdout.startswith("grantway ")
    subprocess.run([image / "bin" / "python", "-m", "pip", "check"], capture_output=True, timeout=60, check=True, env={})
    needed = {name.split("==")[0] for name in (files.ROOT / "requirements" / "run.txt").read_text().splitlines() if "==" in name}
    listed = [str(image / "bin" / "python"), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
    there = subprocess.run(listed, capture_output=True, text=True, timeout=60, check=True, env={}).stdout.split()
    assert {one.split("==")[0].lower().replace("_", "-") for one in there} <= needed | {"grantway", "pip", "setuptools"}


def test_the_image_holds_every_file_of_the_program(image: Path) -> None:
    """Templates in folders, the schema, the style sheet: what stands beside the modules is installed only where a pattern names it."""
    source = files.ROOT / "src" / "grantway"
    (installed,) = image.glob("lib/python*/site-packages/grantway")
    there, wanted = ({str(one.relative_to(top)) for one in top.rglob("*") if one.is_file()} for top in (installed, source))
    assert {one for one in wanted if "__pycache__" not in one} - there == set()


def test_a_pod_lives_answers_and_stops_in_time(server: Started) -> None:
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        get = files.container()[probe]
        answer = httpx.get(server.url + get["httpGet"]["path"], timeout=get["timeoutSeconds"], verify=NO_TLS)
        assert answer.status_code == 200
    operator = {"Authorization": f"Bearer {SECRETS['metrics_token']}"}
    assert httpx.get(f"{server.url}/metrics", headers=operator, timeout=60, verify=NO_TLS).status_code == 200
    assert access_grant(server.url)
    pages = [httpx.get(server.url + path, timeout=60, verify=NO_TLS) for path in ("/sign-in", "/developer/causes")]
    style = next(name for name in re.findall(r'href="(/[^"]+)"', pages[0].text) if ".css" in name)
    assert [one.status_code for one in (*pages, httpx.get(server.url + style, timeout=60, verify=NO_TLS))] == [200, 200, 200]
    pod = files.pod()
    left = pod["terminationGracePeriodSeconds"] - files.container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert server.stop(left) == 0


@pytest.mark.skipif(not can_close_up(), reason="only root can take everything away from a process here")
def test_a_pod_has_no_rights_and_writes_nowhere_else(server: Started) -> None:
    assert access_grant(server.url)
    assert set(server.status("CapEff").split()) == {"0" * 16}
    assert server.status("NoNewPrivs") == "1"
    assert os.readlink(f"/proc/{server.popen.pid}/cwd") == "/"
    mounts = [line.split() for line in Path(f"/proc/{server.popen.pid}/mounts").read_text().splitlines()]
    assert next(options.split(",")[0] for _, place, _, options, *_ in mounts if place == "/") == "ro"
    assert server.stop(30) == 0


def test_a_pod_has_the_memory_that_it_needs(server: Started) -> None:
    """Six people at once: all derivations that may run together do."""
    with ThreadPoolExecutor(6) as together:
        assert all(together.map(access_grant, [server.url] * 6))
    assert server.status("VmHWM").endswith(" kB")
    most = int(server.status("VmHWM").split()[0]) // 1024
    at_once = int(files.pod_variables()["GRANTWAY_ARGON2_AT_ONCE"])
    assert EACH * at_once < most < EACH * at_once + OF_A_PROCESS
    assert server.stop(30) == 0


def test_the_check_of_compose_tells_health(image: Path, server: Started) -> None:
    [_, python, *arguments] = files.compose()["services"]["grantway"]["healthcheck"]["test"]
    port = server.url.rpartition(":")[2]
    check = [image / "bin" / python, *(one.replace("10002", port) for one in arguments)]
    assert subprocess.run(check, timeout=60, check=False).returncode == 0
    assert server.stop(30) == 0
    assert subprocess.run(check, timeout=60, check=False, stderr=subprocess.DEVNULL).returncode == 1
