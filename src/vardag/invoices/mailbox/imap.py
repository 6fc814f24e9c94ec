"""A mailbox over IMAP (RFC 9051) and SMTP submission (RFC 6409), both with TLS; password or OAuth 2.0.

A mail's handle is the inbox's UIDVALIDITY and the mail's UID: when the server gives new numbers, no old handle fits
and the mail is found again by its Message-ID. Filing copies and then removes where the server cannot move.
"""

import smtplib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Literal

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from vardag.core.errors import RefusedError
from vardag.core.log import redact
from vardag.core.rest import LOOPBACK
from vardag.invoices.mailbox.port import Folder, Waiting
from vardag.invoices.model import ApplicationError

ID_HEADER = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"
POLL_S = 30.0  # where the server has no IDLE
INBOX = "INBOX"
IDLE_PIECE_S = 600.0  # RFC 2177: an IDLE is ended and begun again at least every 29 minutes
Tls = Literal["tls", "starttls", "none"]


@dataclass(frozen=True)
class Server:
    """Where a server listens; ``none`` sends passwords in the clear and is refused but to this machine."""

    host: str
    port: int
    tls: Tls = "tls"


@dataclass(frozen=True)
class Login:
    """How to log in: user name, and a function that gives the password, or the OAuth 2.0 access token."""

    user: str
    secret: Callable[[], str]
    oauth: bool = False


class ImapMailbox:
    """An IMAP inbox and an SMTP submission server as a `Mailbox`.

    Parameters
    ----------
    address
        The robot's own address.
    folders
        Name of each folder, with ``/`` between levels; made when the first mail is filed there.
    trust
        Certificate authority to trust beside the system's, as a PEM file's path.
    """

    name = "imap"

    def __init__(
        self,
        address: str,
        imap: Server,
        smtp: Server,
        login: Login,
        *,
        folders: dict[Folder, str],
        trust: str | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        self.address, self.imap, self.smtp, self.login = address, imap, smtp, login
        self.folders, self.timeout_s = folders, timeout_s
        self._tls = ssl.create_default_context(cafile=trust)
        self._client: IMAPClient | None = None
        self._validity = 0
        self._names: dict[Folder, str] = {}
        for server in (imap, smtp):
            _refuse_clear_text(server)

    def waiting(self) -> Iterator[Waiting]:
        """Mails in the inbox, oldest first."""
        with self._inbox() as client:
            found = client.fetch(client.search("UNDELETED"), ["RFC822.SIZE", ID_HEADER])
            validity = self._validity
        for uid in sorted(found):
            yield Waiting(f"{validity}:{uid}", int(found[uid][b"RFC822.SIZE"]), _id_of(found[uid]))

    def fetch(self, mail: Waiting, *, most: int) -> bytes:
        """The mail as it came; only its header where it is larger than `most` bytes."""
        part = "BODY[]" if mail.size <= most else "BODY[HEADER]"
        with self._inbox() as client:
            uid = self._uid(mail)
            found = client.fetch([uid], [part.replace("BODY", "BODY.PEEK")]) if uid else {}
        if uid not in found:
            raise ApplicationError(f"{self.imap.host}: mail {mail.id} is no longer in the inbox.")
        return bytes(found[uid][part.encode()])

    def file(self, mail: Waiting, folder: Folder) -> None:
        """Lay the mail in a folder, wherever it lies now; nothing happens where it lies there already."""
        with self._inbox() as client:
            uid = self._uid(mail)
            if uid and uid in client.fetch([uid], ["UID"]):
                self._move(client, uid, folder)
                return
            for name in self._places(client, but=folder):
                client.select_folder(name)
                for uid in client.search(["HEADER", "Message-ID", mail.message_id]) if mail.message_id else ():
                    self._move(client, uid, folder)

    def send(self, message: EmailMessage) -> None:
        """Hand over a message, and a copy to the robot's own address."""
        recipients = [address.addr_spec for address in message["To"].addresses]
        try:
            with self._submission() as server:
                refused = server.send_message(message, self.address, [*recipients, self.address])
        except (OSError, smtplib.SMTPException) as error:
            raise ApplicationError(f"{self.smtp.host}: the answer was not taken: {_said(error)}") from None
        if refused:
            raise ApplicationError(f"{self.smtp.host}: {len(refused)} of the answer's recipients were refused.")

    def has(self, message_id: str) -> bool:
        """Tell whether a message with this id lies in the inbox or in one of the folders."""
        with self._inbox() as client:
            for name in self._places(client):
                client.select_folder(name, readonly=True)
                if client.search(["HEADER", "Message-ID", message_id]):
                    return True
        return False

    def wait(self, seconds: float) -> None:
        """Idle until something new comes, at most so long."""
        with self._inbox() as client:
            if not client.has_capability("IDLE"):
                time.sleep(min(seconds, POLL_S))
                return
            client.idle()
            client.idle_check(timeout=min(seconds, IDLE_PIECE_S))
            client.idle_done()

    def check(self) -> Sequence[str]:
        """What is missing before the robot can work here."""
        problems = []
        try:
            with self._inbox():
                pass
        except ApplicationError as error:
            problems.append(str(error))
        try:
            with self._submission() as server:
                server.noop()
        except (OSError, smtplib.SMTPException) as error:
            problems.append(f"{self.smtp.host}: {_said(error)}")
        return problems

    def close(self) -> None:
        """Let the connection go."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(IMAPClientError, OSError):
                client.logout()

    def _drop(self) -> None:
        """Close the connection without a word; it may be broken."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(IMAPClientError, OSError):
                client.shutdown()

    @contextmanager
    def _inbox(self) -> Iterator[IMAPClient]:
        """A connection with the inbox selected; dropped after any fault, so the next call begins anew."""
        try:
            if self._client is None:
                self._client = self._connected()
            self._validity = int(self._client.select_folder(INBOX)[b"UIDVALIDITY"])
            yield self._client
        except (IMAPClientError, OSError) as error:
            self._drop()
            raise ApplicationError(f"{self.imap.host}: {_said(error)}") from None

    def _connected(self) -> IMAPClient:
        server = self.imap
        client = IMAPClient(
            server.host,
            server.port,
            ssl=server.tls == "tls",
            ssl_context=self._tls if server.tls == "tls" else None,
            timeout=self.timeout_s,
        )
        self._client = client
        if server.tls == "starttls":
            client.starttls(self._tls)
        if self.login.oauth:
            client.oauth2_login(self.login.user, self.login.secret())
        else:
            client.login(self.login.user, self.login.secret())
        self._names = {folder: _on_server(client, name) for folder, name in self.folders.items()}
        return client

    @contextmanager
    def _submission(self) -> Iterator[smtplib.SMTP]:
        server, user = self.smtp, self.login.user
        made: smtplib.SMTP = (
            smtplib.SMTP_SSL(server.host, server.port, timeout=self.timeout_s, context=self._tls)
            if server.tls == "tls"
            else smtplib.SMTP(server.host, server.port, timeout=self.timeout_s)
        )
        with made as connection:
            if server.tls == "starttls":
                connection.starttls(context=self._tls)
            connection.ehlo()
            if self.login.oauth:
                told = f"user={user}\x01auth=Bearer {self.login.secret()}\x01\x01"
                connection.auth("XOAUTH2", lambda _challenge=None: told)
            elif connection.has_extn("auth"):
                connection.login(user, self.login.secret())
            yield connection

    def _places(self, client: IMAPClient, *, but: Folder | None = None) -> list[str]:
        """The inbox, and the robot's folders that have been made."""
        names = [name for folder, name in self._names.items() if folder is not but]
        return [INBOX, *(name for name in names if client.folder_exists(name))]

    def _uid(self, mail: Waiting) -> int:
        """Number of the mail in the inbox; 0 when the server has given new numbers since."""
        validity, _, uid = mail.id.partition(":")
        return int(uid) if validity == str(self._validity) else 0

    def _move(self, client: IMAPClient, uid: int, folder: Folder) -> None:
        name = self._names[folder]
        if not client.folder_exists(name):
            client.create_folder(name)
            client.subscribe_folder(name)
        if client.has_capability("MOVE"):
            client.move([uid], name)
            return
        client.copy([uid], name)
        client.delete_messages([uid])
        client.uid_expunge([uid]) if client.has_capability("UIDPLUS") else client.expunge()


def _on_server(client: IMAPClient, name: str) -> str:
    """A folder's name as this server writes it: its prefix, and its own sign between levels."""
    prefix, sign = "", "/"
    if client.has_capability("NAMESPACE"):
        prefix, sign = client.namespace().personal[0]
    return f"{prefix}{name.replace('/', sign or '/')}"


def _id_of(found: Mapping[bytes, Any]) -> str:
    """Message-ID of a fetched header, without angle brackets."""
    header = next((value for name, value in found.items() if name.startswith(b"BODY[HEADER.FIELDS")), b"")
    parsed = message_from_bytes(header, policy=default).get("Message-ID", "")
    return str(parsed).strip().strip("<>").strip()


def _said(error: Exception) -> str:
    """What the server said, without secrets: the class and its first line."""
    told = getattr(error, "smtp_error", None) or str(error)
    words = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
    return redact(f"{type(error).__name__}: {(words.splitlines() or [''])[0][:200]}")


def _refuse_clear_text(server: Server) -> None:
    if server.tls == "none" and server.host not in LOOPBACK:
        raise RefusedError(f"{server.host}: no password is sent without TLS. Set tls to tls or starttls.")
