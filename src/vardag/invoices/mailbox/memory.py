"""A mailbox in memory: for the tests and the speed of the robot itself."""

import email
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from email.message import EmailMessage
from email.policy import default
from itertools import count

from vardag.invoices.mailbox.port import Folder, Waiting
from vardag.invoices.model import ApplicationError

LONGEST_HEAD = 100_000


class MemoryMailbox:
    """Mails in dictionaries, as a `Mailbox`; the copy of an answer comes back to the inbox, as on a server."""

    name = "memory"

    def __init__(self, address: str, mails: Iterable[bytes] = ()) -> None:
        self.address = address
        self.inbox: dict[str, bytes] = {}
        self.folders: dict[Folder, dict[str, bytes]] = {folder: {} for folder in Folder}
        self.sent: list[EmailMessage] = []
        self._ids: dict[str, str] = {}
        self._numbers = count(1)
        for raw in mails:
            self.deliver(raw)

    def deliver(self, raw: bytes) -> None:
        """Put a mail into the inbox."""
        self._put(raw, email.message_from_bytes(_head(raw), policy=default))

    def _put(self, raw: bytes, head: EmailMessage) -> None:
        handle = str(next(self._numbers))
        self.inbox[handle] = raw
        self._ids[handle] = str(head.get("Message-ID", "")).strip().strip("<>")

    def waiting(self) -> Iterator[Waiting]:
        """Mails in the inbox, oldest first."""
        for handle, raw in list(self.inbox.items()):
            yield Waiting(handle, len(raw), self._ids[handle])

    def fetch(self, mail: Waiting, *, most: int) -> bytes:
        """The mail as it came; only its header where it is too large."""
        if mail.id not in self.inbox:
            raise ApplicationError(f"mail {mail.id} is no longer in the inbox.")
        raw = self.inbox[mail.id]
        return raw if len(raw) <= most else _head(raw)

    def file(self, mail: Waiting, folder: Folder) -> None:
        """Lay the mail in a folder, wherever it lies now."""
        for place in (self.inbox, *self.folders.values()):
            if mail.id in place:
                self.folders[folder][mail.id] = place.pop(mail.id)
                return

    def send(self, message: EmailMessage) -> None:
        """Keep the message, and put a copy into the inbox."""
        self.sent.append(message)
        self._put(message.as_bytes(), message)

    def has(self, message_id: str) -> bool:
        """Tell whether a message with this id is here."""
        places = (self.inbox, *self.folders.values())
        return any(self._ids[handle] == message_id for place in places for handle in place)

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def check(self) -> Sequence[str]:
        """Nothing is missing."""
        return ()


def _head(raw: bytes) -> bytes:
    """A mail's header: up to the first empty line."""
    return re.split(rb"\r?\n\r?\n", raw[:LONGEST_HEAD], maxsplit=1)[0] + b"\r\n\r\n"
