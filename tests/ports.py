"""A port for a server that has to be told one, and may have to be started again on the same."""

import secrets
import socket
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """One that nobody listens on, from below those that the system hands out: no other test gets it before it is used, or in between."""
    while True:
        port = 10_000 + secrets.randbelow(_first_of_the_systems() - 10_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def _first_of_the_systems() -> int:
    return int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 49_152
