"""The robot's own database: mails, work items, the journal of outside effects, the audit log and the brakes.

One SQLite file by default; PostgreSQL where several robots work side by side. A change and its entry in the audit
log are written in one transaction, so they cannot disagree. SQLite's transactions take the write lock when they
begin, and are on disk when they end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite

from vardag.core.errors import DatabaseError

SCHEMA_VERSION = 2
BUSY_MS = 30_000

Transaction = sa.Connection
metadata = sa.MetaData()


class Moment(sa.types.TypeDecorator[datetime]):
    """A point in time, in UTC on every database; SQLite would forget the zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Times are handed over in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Times come back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


mail = sa.Table(
    "mail",
    metadata,
    sa.Column("key", sa.Text, primary_key=True, comment="Message-ID, or the hash of the mail where it has none"),
    sa.Column("handle", sa.Text, nullable=False, index=True, comment="the mailbox's own handle when the mail came"),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False, comment="hash of the mail as it came"),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("salt", sa.Text, comment="key of the sender's pseudonym in the log; emptied with the mail"),
    sa.Column("raw", sa.LargeBinary, comment="the mail as it came; emptied when its time is out"),
    sa.Column("read", sa.JSON, comment="what was read in it; emptied with it"),
    sa.Column("folder", sa.Text, comment="where it was filed; null while it lies in the inbox"),
)

item = sa.Table(
    "item",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.Text, nullable=False, unique=True, comment="idempotency key: mail and invoice number"),
    sa.Column("mail", sa.Text, sa.ForeignKey("mail.key"), nullable=False, index=True),
    sa.Column("place", sa.Integer, nullable=False, comment="which of the mail's requests"),
    sa.Column(
        "routine", sa.Text, nullable=False, server_default="cancellation", comment="the routine it goes through"
    ),
    sa.Column("at", sa.Text, comment="the person's step on the map where it stands, or last stood"),
    sa.Column("outcome", sa.Text, comment="what the person decided there; null while it waits"),
    sa.Column("outcomes", sa.JSON, comment="what the steps before it came to, for the choices after it"),
    sa.Column("exits", sa.JSON, comment="what a person may decide there, and the state it ends in, if it ends"),
    sa.Column("target", sa.Text, nullable=False, index=True, comment="invoice number or reference; empty for none"),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("reserved_by", sa.Text),
    sa.Column("lease_until", Moment),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("retry_at", Moment),
    sa.Column("decision", sa.JSON),
    sa.Column("approvals", sa.JSON, nullable=False, default=list, comment="persons who have confirmed"),
    sa.Column("told", sa.Text, comment="why it waits or failed, for a person"),
)

effect = sa.Table(
    "effect",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True, comment="what it is done to: an invoice, an item, a mail"),
    sa.Column("key", sa.Text, nullable=False, index=True, comment="idempotency key that the outside world carries"),
    sa.Column("item", sa.Integer, sa.ForeignKey("item.id"), nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False, comment="intended, done or refused"),
    sa.Column("amount", sa.Numeric(18, 2, asdecimal=True)),
    sa.Column("intended_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Column("outcome", sa.JSON),
)
# What the brakes count and sum; without it they would go through every cancellation there ever was.
within = sa.Index("effects_within", effect.c.kind, effect.c.intended_at, effect.c.state, effect.c.amount)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("item", sa.Integer, index=True),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False, comment="canonical JSON"),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)

rung = sa.Table(
    "rung",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("routine", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False, index=True),
    sa.Column("level", sa.Text, nullable=False, comment="shadow, attended or unattended, from this step on"),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False, comment="who signed; the program where agreement fell"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False, comment="agreement and volume when it was signed"),
)

judgement = sa.Table(
    "judgement",
    metadata,
    sa.Column("item", sa.Integer, sa.ForeignKey("item.id"), primary_key=True),
    sa.Column("routine", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False, index=True),
    sa.Column("level", sa.Text, nullable=False, comment="level at which the robot decided"),
    sa.Column("agrees", sa.Boolean, nullable=False, comment="whether the person came to the robot's decision"),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
)

person = sa.Table(
    "person",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="user name"),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column(
        "secret", sa.Text, nullable=False, comment="salted hash of the password; empty where none may sign in"
    ),
    sa.Column("language", sa.Text, nullable=False, server_default="sv"),
    sa.Column("active", sa.Boolean, nullable=False),
)

suggestion = sa.Table(
    "suggestion",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("item", sa.Integer, sa.ForeignKey("item.id"), comment="where the thought came up"),
    sa.Column("about", sa.Text, nullable=False, comment="map, rule, template or reading"),
    sa.Column("target", sa.Text, nullable=False, comment="step on the map, or code of the rule"),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, comment="new, taken or declined"),
    sa.Column("answer", sa.Text),
    sa.Column("answered_by", sa.Text),
    sa.Column("answered_at", Moment),
)

setting = sa.Table(
    "setting",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)
# Statements that every work item needs are built once; building one takes longer than running it.
SETTING = sa.select(setting.c.value).where(setting.c.name == sa.bindparam("name"))

SQLITE_APPEND_ONLY = (
    "CREATE TRIGGER IF NOT EXISTS audit_no_{verb} BEFORE {verb} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
)
POSTGRES_APPEND_ONLY = (
    "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
)
ONE_MAKER = 1_876_304  # advisory locks of PostgreSQL: making the tables, and the head of the audit chain
CHAIN = 1_876_305


class Store:
    """A database of the robot's own; made where there is none.

    Parameters
    ----------
    where
        Path of a SQLite file, or address of a PostgreSQL database (``postgresql://...``).
    """

    def __init__(self, where: Path | str) -> None:
        self.is_sqlite = not str(where).startswith("postgres")
        url = f"sqlite:///{where}" if self.is_sqlite else f"postgresql+psycopg{str(where)[str(where).index(':') :]}"
        self.engine = sa.create_engine(url, connect_args={"timeout": BUSY_MS / 1000} if self.is_sqlite else {})
        if self.is_sqlite:
            event.listen(self.engine, "connect", _sqlite_connected)
        try:
            self._make()
        except sa.exc.OperationalError as error:
            raise DatabaseError(
                f"{self.engine.url!r}: cannot be opened: {str(error.orig).splitlines()[0]}"
            ) from None

    def _make(self) -> None:
        """Make what is missing; whoever only looks needs no right to write."""
        with self.read() as tx:
            if sa.inspect(tx).has_table("setting") and get(tx, "schema_version") == SCHEMA_VERSION:
                return
        with self.begin() as tx:
            if not self.is_sqlite:
                tx.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_MAKER)))
            metadata.create_all(tx)
            for statement in self._append_only():
                tx.execute(sa.text(statement))
            found = _upgraded(tx)
            if found is None:
                put(tx, "schema_version", SCHEMA_VERSION)
            elif found != SCHEMA_VERSION:
                raise DatabaseError(
                    f"{self.engine.url!r}: version {found}, this program writes {SCHEMA_VERSION}. "
                    "Use the program that made it, or start a new database."
                )

    def _append_only(self) -> tuple[str, ...]:
        if self.is_sqlite:
            return tuple(SQLITE_APPEND_ONLY.format(verb=verb) for verb in ("UPDATE", "DELETE"))
        return POSTGRES_APPEND_ONLY

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """All or nothing; on disk when it ends."""
        with self.engine.begin() as tx:
            if self.is_sqlite:
                tx.exec_driver_sql("BEGIN IMMEDIATE")
            yield tx

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Look, and change nothing."""
        with self.engine.connect() as tx:
            if self.is_sqlite:
                tx.exec_driver_sql("BEGIN")
            yield tx

    def close(self) -> None:
        """Let the connections go."""
        self.engine.dispose()


def _upgraded(tx: Transaction) -> int | None:
    """Bring a database of version 1 to this version: its tables get the columns that it lacks."""
    found: int | None = get(tx, "schema_version")
    if found != 1:
        return found
    for column in (item.c.routine, item.c.at, item.c.outcome, item.c.outcomes, item.c.exits):
        tx.execute(sa.text(f"ALTER TABLE item ADD COLUMN {sa.schema.CreateColumn(column).compile(tx.engine)}"))
    within.create(tx, checkfirst=True)
    put(tx, "schema_version", SCHEMA_VERSION)
    return SCHEMA_VERSION


def _sqlite_connected(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver shall not begin by itself: `Store.begin` and `read` do
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def one_at_a_time(tx: Transaction, lock: int) -> None:
    """Take an advisory lock of PostgreSQL's, until the transaction ends; SQLite has one writer anyway."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))


def insert_new(tx: Transaction, table: sa.Table, **values: Any) -> Any:
    """Insert a row unless its key is taken; returns its primary key, or None. Two robots at once make one row."""
    return tx.execute(_insert(table, tx.dialect.name), values).first()


@cache
def _insert(table: sa.Table, dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing().returning(*table.primary_key)


def get(tx: Transaction, name: str) -> Any:
    """Value of a setting; None where there is none."""
    return tx.execute(SETTING, {"name": name}).scalar()


def put(tx: Transaction, name: str, value: Any) -> None:
    """Set a setting."""
    if not insert_new(tx, setting, name=name, value=value):
        tx.execute(sa.update(setting).where(setting.c.name == name).values(value=value))
