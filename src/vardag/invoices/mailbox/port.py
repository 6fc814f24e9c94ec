"""What the robot asks of a mailbox; every adapter gives the same answers.

Filing and sending may be called again after any doubt: a mail that is already in the folder stays there, and the
robot sends itself a copy of every answer, so `has` tells whether an answer has gone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from typing import Protocol


class Folder(StrEnum):
    """Where a mail lies when the robot is through with it."""

    DONE = "done"
    REFERRED = "referred"
    FAILED = "failed"
    SENT = "sent"
    IGNORED = "ignored"


@dataclass(frozen=True)
class Waiting:
    """A mail in the inbox, not yet fetched.

    Attributes
    ----------
    id
        The mailbox's own handle, which holds as long as the mail lies where it lies.
    size
        Bytes.
    message_id
        As its header says, without angle brackets; empty where it has none.
    """

    id: str
    size: int
    message_id: str


class Mailbox(Protocol):
    """A mailbox that receives requests and sends answers."""

    name: str
    address: str

    def waiting(self) -> Iterator[Waiting]:
        """Mails in the inbox, oldest first."""
        ...

    def fetch(self, mail: Waiting, *, most: int) -> bytes:
        """The mail as it came (RFC 5322); only its header where it is larger than `most` bytes."""
        ...

    def file(self, mail: Waiting, folder: Folder) -> None:
        """Move a mail out of the inbox; nothing happens where it is gone already."""
        ...

    def send(self, message: EmailMessage) -> None:
        """Hand over a finished message, and a copy to the robot's own address."""
        ...

    def has(self, message_id: str) -> bool:
        """Tell whether a message with this id lies in the inbox or in any of the robot's folders."""
        ...

    def wait(self, seconds: float) -> None:
        """Sleep until something new comes, at most so long."""
        ...

    def check(self) -> Sequence[str]:
        """What is missing before the robot can work here; empty when all is well."""
        ...
