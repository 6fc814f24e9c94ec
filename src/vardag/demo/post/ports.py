"""Free ports on loopback, and waiting for a server to open one."""

import secrets
import socket
import time

from vardag.core.errors import VardagError

LOOPBACK = "127.0.0.1"
FIRST, LAST, TRIES = 20_000, 32_000, 200


def free_port() -> int:
    """A port that nobody listens on just now, below those that systems take for outgoing connections.

    So it is still free when a server that was killed opens it again: Linux takes from 32768 on, others from 49152.
    """
    for _ in range(TRIES):
        port = FIRST + secrets.randbelow(LAST - FIRST)
        with socket.socket() as probe:
            if _binds(probe, port):
                return port
    raise VardagError(f"no free port between {FIRST} and {LAST}. End some of the servers on this machine.")


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        return False
    return True


def await_port(port: int, what: str, *, seconds: float) -> None:
    """Wait until something listens on a port.

    Raises
    ------
    VardagError
        When nothing does within the time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
        time.sleep(0.05)
    raise VardagError(f"{what} did not open port {port} within {seconds:.0f} s.")
