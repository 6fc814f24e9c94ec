"""A mailbox to try the robot on: IMAP by Dovecot where it is installed, else by pymap, and SMTP; all with TLS."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from vardag.demo.post.certificate import certificate
from vardag.demo.post.dovecot import dovecot, dovecot_program
from vardag.demo.post.maildir import deliver, maildir, messages
from vardag.demo.post.ports import LOOPBACK, await_port, free_port
from vardag.demo.post.smtp import smtp_server

START_S = 20.0
PYMAP_USER = "{name}:::::{home}:\n"  # as in passwd(5)
PYMAP_WORD = "{name}:{password}:::::::\n"  # as in shadow(5)


@dataclass(frozen=True)
class Post:
    """Running mail servers with one mailbox that can be read, and folders for everybody who is written to."""

    address: str
    password: str
    imap_port: int
    smtp_port: int
    mail: Path
    certificate: Path
    program: str

    def deliver(self, raw: bytes) -> None:
        """Put a mail into the mailbox."""
        deliver(self.mail, self.address, raw)

    def received(self, address: str) -> list[bytes]:
        """Mails that an address has got."""
        return messages(self.mail, address)


@contextmanager
def post(folder: Path, address: str) -> Iterator[Post]:
    """Start the servers and end them."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # Dovecot reads mail as a user of its own
    mail, password, pem = folder / "mail", secrets.token_urlsafe(24), certificate(folder)
    imap_port, smtp_port, program = free_port(), free_port(), dovecot_program()
    maildir(mail, address)
    with ExitStack() as running:
        if program:
            users = {address: password}
            running.enter_context(dovecot(program, folder, mail, imap_port, users, certificate=pem))
        else:
            running.enter_context(pymap(mail, imap_port, address, password, pem))
        running.enter_context(smtp_server(smtp_port, mail, address, password, certificate=pem))
        yield Post(address, password, imap_port, smtp_port, mail, pem, "dovecot" if program else "pymap")


@contextmanager
def pymap(mail: Path, port: int, address: str, password: str, pem: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start pymap, an IMAP server from PyPI, on the mail folders; and end it."""
    from pysasl.hashing import BuiltinHash  # noqa: PLC0415 - of the extra `demo`

    home = f"{address}/Maildir"
    (mail / "pymap-etc-passwd").write_text(PYMAP_USER.format(name=address, home=home))
    shadow = mail / "pymap-etc-shadow"
    shadow.touch(mode=0o600)
    shadow.write_text(PYMAP_WORD.format(name=address, password=BuiltinHash().hash(password)))
    command = [str(Path(sys.executable).with_name("pymap")), "--host", LOOPBACK, "--port", str(port)]
    keys = ["--cert", str(pem), "--key", str(pem), "--no-service", "admin"]
    with (mail.parent / "pymap.log").open("ab") as log:
        process = subprocess.Popen([*command, *keys, "maildir", str(mail)], stdout=log, stderr=log)
    try:
        await_port(port, "pymap", seconds=START_S)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=START_S)
