"""Lays mails where their work items say."""

import sqlalchemy as sa

from vardag.invoices import store, workitems
from vardag.invoices.mailbox.port import Folder, Waiting
from vardag.invoices.model import ApplicationError, MailKind
from vardag.invoices.robot.desk import Mode, Robot
from vardag.invoices.workitems import State


def file_settled(robot: Robot) -> None:
    """File the mails that a person's decision, or a robot that was killed, has left in the wrong place."""
    may_move = [Folder.REFERRED.value, Folder.FAILED.value]
    query = sa.select(store.mail.c.key).where(
        sa.or_(store.mail.c.folder.is_(None), store.mail.c.folder.in_(may_move)), store.mail.c.raw.is_not(None)
    )
    with robot.store.read() as tx:
        keys = tx.execute(query).scalars().all()
    for key in keys:
        file_mail(robot, key)


def file_mail(robot: Robot, key: str) -> None:
    """Lay the mail where its items say, once none of them is on its way any more."""
    if robot.mode is Mode.SHADOW:
        return
    with robot.store.read() as tx:
        states = {found.state for found in workitems.listed(tx, mail=key)}
        row = tx.execute(sa.select(store.mail).where(store.mail.c.key == key)).one()
    folder = _folder(states, row.read)
    if folder is None or row.folder == folder:
        return
    robot.at_step("file")
    try:
        robot.mailbox.file(Waiting(row.handle, row.size, row.message_id), folder)
    except ApplicationError as error:
        with robot.store.begin() as tx:
            robot.note(tx, "fault", None, mail=row.sha256, kind=type(error).__name__, why="the mail was not filed")
        return
    with robot.store.begin() as tx:
        tx.execute(sa.update(store.mail).where(store.mail.c.key == key).values(folder=folder))


def _folder(states: set[State], read: dict[str, object] | None) -> Folder | None:
    """Where a mail belongs; None while an item is on its way."""
    if not states or not states <= set(workitems.SETTLED):
        return None
    if State.DEAD in states:
        return Folder.FAILED
    if State.WAITING in states:
        return Folder.REFERRED
    automatic = read is not None and read.get("kind") == MailKind.AUTO_REPLY
    return Folder.IGNORED if automatic else Folder.DONE
