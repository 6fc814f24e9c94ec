"""All that the desk shows of one work item: the mail with what was read marked in it, the reasons, the log."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from vardag.core.errors import NotFoundError
from vardag.invoices import audit, store, workitems
from vardag.invoices.audit import Entry
from vardag.invoices.model import CancellationRequest, Decision, MailRead, Read
from vardag.invoices.reading.files import files
from vardag.invoices.reading.parts import Attachment
from vardag.invoices.robot import Robot
from vardag.invoices.robot.desk import DECISION, READ
from vardag.invoices.routines import claimed
from vardag.invoices.rules import Case
from vardag.invoices.store import Store
from vardag.invoices.workitems import Item


@dataclass(frozen=True)
class Mark:
    """Something read: which field of the request, and whether it is another work item's."""

    field: str
    read: Read
    other: bool = False


@dataclass(frozen=True)
class Piece:
    """A stretch of text, and the marks that lie on it; none for what was only passed over."""

    text: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Page:
    """One place of a mail (`Read.where`) in pieces."""

    where: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Letter:
    """The mail as it came.

    Attributes
    ----------
    same
        Whether it reads today as it did when the robot read it; where not, the marks would stand in the wrong
        place and there are none.
    """

    pages: tuple[Page, ...]
    files: tuple[Attachment, ...]
    same: bool


@dataclass(frozen=True)
class FourEyes:
    """How many persons have to confirm, and who has."""

    needed: int
    confirmed: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """One work item.

    Attributes
    ----------
    read, letter
        None where the mail's time was out and it has been deleted, or where they were not asked for.
    own
        The request of this work item.
    """

    item: Item
    received_at: datetime
    read: MailRead | None
    own: CancellationRequest
    letter: Letter | None
    decision: Decision | None
    four_eyes: FourEyes | None
    earlier: tuple[Item, ...]
    entries: tuple[Entry, ...]


def sheet(robot: Robot, number: int, *, with_mail: bool = True) -> Sheet:
    """Everything about a work item, except how its invoice stands just now."""
    with robot.store.read() as tx:
        item = workitems.get(tx, number)
        row = tx.execute(sa.select(store.mail).where(store.mail.c.key == item.mail)).one()
        same = workitems.about(tx, item.target) if item.target else []
        entries = tuple(audit.entries(tx, item=number))
    read: MailRead | None = READ.validate_python(row.read) if row.read is not None else None
    decision: Decision | None = DECISION.validate_python(item.decision) if item.decision else None
    letter = _letter(robot, item, row.raw, read) if with_mail and read and row.raw is not None else None
    return Sheet(
        item=item,
        received_at=row.received_at,
        read=read if with_mail else None,
        own=_own(read, item),
        letter=letter,
        decision=decision,
        four_eyes=_four_eyes(item, decision, read),
        earlier=tuple(one for one in same if one.id != number),
        entries=entries,
    )


def file(found: Store, number: int, place: int) -> tuple[Item, Attachment]:
    """A work item, and one of its mail's files, by its place.

    Raises
    ------
    NotFoundError
        When the mail has been deleted, or has fewer files.
    """
    with found.read() as tx:
        item = workitems.get(tx, number)
        raw = tx.execute(sa.select(store.mail.c.raw).where(store.mail.c.key == item.mail)).scalar()
    every = files(raw) if raw is not None else ()
    if not 0 <= place < len(every):
        raise NotFoundError(f"work item {number} has no file {place}; its mail has {len(every)}.")
    return item, every[place]


def approvers(item: Item, read: MailRead | None) -> frozenset[str]:
    """Who has confirmed an item, each once, the one who asks not among them: as the rules count them."""
    if read is None:
        return frozenset(item.approvals)
    case = Case(CancellationRequest(), read, (), item.created_at.date(), approvals=item.approvals)
    return case.approvers


def _own(read: MailRead | None, item: Item) -> CancellationRequest:
    """The item's request; an empty one where the mail asks for nothing."""
    requests = read.requests if read else ()
    return requests[item.place] if item.place < len(requests) else CancellationRequest()


def _four_eyes(item: Item, decision: Decision | None, read: MailRead | None) -> FourEyes | None:
    if decision is None or "four_eyes" not in decision.codes:
        return None
    return FourEyes(int(str(decision.facts["persons"])), tuple(sorted(approvers(item, read))))


def _letter(robot: Robot, item: Item, raw: bytes, read: MailRead) -> Letter:
    """The mail, read once more: its text is kept as it came only, and marked by what the robot acted on."""
    _, again = claimed(robot.routines, robot.read(raw, len(raw) > robot.most_bytes), robot.patterns)
    same = replace(again, texts={}, message_id=read.message_id) == read
    marks = list(marks_of(read, item.place)) if same else []
    pages = tuple(
        Page(where, pieces(text, [mark for mark in marks if mark.read.where == where]))
        for where, text in again.texts.items()
        if where == "body" or text.strip()
    )
    return Letter(pages, files(raw), same)


def marks_of(read: MailRead, place: int) -> Iterator[Mark]:
    """What was read in a mail; the request at this place is the item's own."""
    for number, request in enumerate(read.requests):
        for name, found in reads(request).items():
            yield Mark(name, found, other=number != place)


def reads(request: CancellationRequest) -> Mapping[str, Read]:
    """What was read of a request, by field."""
    values: dict[str, Any] = {one.name: getattr(request, one.name) for one in fields(request)}
    return {name: value for name, value in values.items() if isinstance(value, Read)} | dict(request.fields)


def pieces(text: str, marks: Iterable[Mark]) -> tuple[Piece, ...]:
    """A text cut where marks begin and end; together the pieces are the text.

    >>> mark = Mark("number", Read("12", "body", "nr 12", 1.0, 3, 5))
    >>> [(piece.text, len(piece.marks)) for piece in pieces("nr 12.", [mark])]
    [('nr ', 0), ('12', 1), ('.', 0)]
    """
    lying = [mark for mark in marks if 0 <= mark.read.start < mark.read.end <= len(text)]
    cuts = sorted({0, len(text), *(edge for mark in lying for edge in (mark.read.start, mark.read.end))})
    return tuple(
        Piece(text[start:end], tuple(mark for mark in lying if mark.read.start < end and start < mark.read.end))
        for start, end in pairwise(cuts)
    )
