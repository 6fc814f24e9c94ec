"""An SMTP submission server on loopback that delivers into mail folders: a program of its own.

`python -m vardag.demo.post.smtp PORT FOLDER USER` with the password in ``VARDAG_DEMO_PASSWORD``. It answers that it
took a mail only when the mail is in every recipient's folder.
"""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vardag.demo.post.maildir import deliver
from vardag.demo.post.ports import LOOPBACK, await_port

START_S = 20.0
MOST_BYTES = 60_000_000


@contextmanager
def smtp_server(
    port: int, folder: Path, user: str, password: str, *, certificate: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the server and end it; with a certificate (PEM with its key) it offers STARTTLS."""
    command = [sys.executable, "-m", "vardag.demo.post.smtp", str(port), str(folder), user, str(certificate or "")]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "smtp.log").open("ab") as log:
        env = {**os.environ, "VARDAG_DEMO_PASSWORD": password}
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        await_port(port, "the SMTP server", seconds=START_S)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=START_S)


class Delivery:
    """Takes mails and puts them into the recipients' folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Deliver, then acknowledge."""
        for address in dict.fromkeys(envelope.rcpt_tos):
            deliver(self.folder, address, envelope.original_content)
        return "250 delivered"


async def _serve(port: int, folder: Path, user: str, password: str, certificate: str) -> None:
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword  # noqa: PLC0415 - only in the server's own process

    def allowed(_server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> Any:
        known = (
            isinstance(data, LoginPassword) and data.login == user.encode() and data.password == password.encode()
        )
        return AuthResult(success=known)

    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)

    def session() -> Any:
        return SMTP(
            Delivery(folder),
            hostname="localhost",
            data_size_limit=MOST_BYTES,
            authenticator=allowed,
            auth_required=True,
            auth_require_tls=tls is not None,
            tls_context=tls,
            require_starttls=tls is not None,
            loop=asyncio.get_running_loop(),
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, LOOPBACK, port)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    listen, where, who, pem = sys.argv[1:]
    asyncio.run(_serve(int(listen), Path(where), who, os.environ["VARDAG_DEMO_PASSWORD"], pem))
