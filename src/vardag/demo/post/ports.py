"""Free ports on loopback, and waiting for a server to open one."""

import socket
import time

from vardag.core.errors import VardagError

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A high port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


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
