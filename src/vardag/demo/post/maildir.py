"""Delivery into mail folders: one Maildir for each address, on disk before it is acknowledged."""

import mailbox
import os
import shutil
from pathlib import Path

MAIL_USER = "mail"  # whom Dovecot reads mail as when it was started by root


def maildir(root: Path, address: str) -> mailbox.Maildir:
    """The Maildir of an address, made where there is none."""
    folder = root / address.lower() / "Maildir"
    made = not folder.exists()
    folder.parent.mkdir(parents=True, exist_ok=True)
    box = mailbox.Maildir(folder, factory=None)
    if made:
        for path in (folder.parent, folder, *(folder / part for part in ("cur", "new", "tmp"))):
            _hand_over(path)
    return box


def deliver(root: Path, address: str, raw: bytes) -> None:
    """Put a mail into the inbox of an address."""
    box = maildir(root, address)
    name = box.add(raw)
    _hand_over(Path(box._path, "new", name))


def messages(root: Path, address: str) -> list[bytes]:
    """Every mail in the inbox of an address, in the order of delivery."""
    box = maildir(root, address)
    return [box.get_bytes(name) for name in sorted(box.keys())]


def _hand_over(path: Path) -> None:
    if os.geteuid() == 0 and path.exists():
        shutil.chown(path, MAIL_USER, MAIL_USER)
