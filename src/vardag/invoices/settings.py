"""The robot's folder: ``robot.toml``, and beside it the allow-list, a city's own parameters, words and patterns.

::

    robot.toml        mailbox, finance system, limits, mode (this module)
    allow-list.yaml   who may ask for what
    parameters.yaml   the city's own policy numbers, on top of the packaged ones
    templates/        the city's own answers, file by file
    minutes.yaml      the city's own measured minutes, on top of the packaged assumptions
    routines/         the city's own maps and routines, in place of the packaged ones by the same name
    patterns.yaml     the words and invoice numbers that are looked for, in place of the packaged ones
"""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, ValidationError, model_validator

from vardag.core.errors import ConfigError, NotFoundError

NAME = "robot.toml"
Language = Literal["sv", "en"]
Tls = Literal["tls", "starttls", "none"]
Place = Annotated[
    str, Field(pattern=r"^(env|file|keyring):.+", description="env:NAME, file:PATH or keyring:WHAT/WHO")
]
Port = Annotated[int, Field(ge=1, le=65535)]


class Part(BaseModel):
    """A table of the file; an unknown name in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class About(Part):
    """Who the robot is, how far it may go, and how people are reached."""

    organisation: str
    address: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    mode: Literal["shadow", "attended", "unattended"] = "shadow"
    language: Language = "sv"
    team: str = ""
    mail: str = ""
    phone: str = ""
    database: str = "robot.sqlite"
    vat_reported_until: date | None = None
    routines: tuple[str, ...] = Field(default=("cancellation",), min_length=1)


class Imap(Part):
    """An IMAP inbox and an SMTP submission server.

    Attributes
    ----------
    trusted_server
        Name that the receiving server signs its Authentication-Results with; no other is believed.
    """

    kind: Literal["imap"]
    host: str
    port: Port = 993
    tls: Tls = "tls"
    smtp_host: str
    smtp_port: Port = 587
    smtp_tls: Tls = "starttls"
    user: str
    secret: Place
    oauth: bool = False
    trust: str = ""
    trusted_server: str
    folders: dict[Literal["done", "referred", "failed", "sent", "ignored"], str] = Field(default_factory=dict)


class Graph(Part):
    """A mailbox in Microsoft 365, over Microsoft Graph; `tenant` and `client` as registered in Entra."""

    kind: Literal["graph"]
    tenant: str
    client: str
    secret: Place
    trusted_server: str
    folders: dict[Literal["done", "referred", "failed", "ignored"], str] = Field(default_factory=dict)


class Tryton(Part):
    """Tryton over its JSON-RPC.

    Attributes
    ----------
    collection_level
        How many reminders have been sent when a claim has gone to debt collection.
    """

    kind: Literal["tryton"]
    url: str = Field(pattern=r"^https?://")
    database: str
    user: str
    secret: Place
    collection_level: int = Field(default=3, ge=1)


class Fortnox(Part):
    """Fortnox over its REST interface, by a service account; `tenant` is the company's database number."""

    kind: Literal["fortnox"]
    tenant: str
    client: str
    secret: Place


class Browser(Part):
    """A finance system that has a web page and no interface for programs: Tryton's own client, in English.

    Attributes
    ----------
    evidence
        Folder for the screenshots; they show customers' names.
    executable
        The system's Chromium; found by itself where it is left out.
    """

    kind: Literal["browser"]
    url: str = Field(pattern=r"^https?://")
    database: str
    user: str
    secret: Place
    evidence: str = "evidence"
    executable: str = ""


class Brakes(Part):
    """How much may be cancelled before somebody has to look."""

    per_hour: int = Field(default=60, ge=0)
    per_day: int = Field(default=200, ge=0)
    amount_per_hour: Decimal = Field(default=Decimal(200_000), ge=0)
    amount_per_day: Decimal = Field(default=Decimal(500_000), ge=0)
    exceptions_in_a_row: int = Field(default=20, ge=1)


class Work(Part):
    """How patient the robot is.

    Attributes
    ----------
    lease_minutes
        How long it keeps a work item without a sign of life.
    settle_minutes
        How long after an intention a call under way may still arrive, before it is made again.
    tries, first_pause_minutes
        Tries at a technical fault, and the pause after the first; each is four times the one before.
    most_mb
        Largest mail that is fetched whole.
    """

    lease_minutes: float = Field(default=5, gt=0)
    settle_minutes: float = Field(default=2, ge=0)
    tries: int = Field(default=5, ge=1)
    first_pause_minutes: float = Field(default=1, ge=0)
    most_mb: float = Field(default=15, gt=0)


class Desk(Part):
    """The caseworkers' web page.

    Attributes
    ----------
    hosts
        Names and addresses that the page is asked for by, besides this machine's own.
    https
        Whether a reverse proxy in front of it speaks TLS; without one the page is for this machine alone.
    user_header
        Header in which the proxy names the user whom the city's own sign-in has let in; empty for none.
    proxies
        Addresses or networks of that proxy; from no other is the header believed.
    """

    hosts: tuple[str, ...] = ()
    https: bool = False
    user_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]*$")
    proxies: tuple[IPvAnyNetwork, ...] = ()

    @model_validator(mode="after")
    def _only_from_a_proxy(self) -> Self:
        if self.user_header and not self.proxies:
            raise ValueError("user_header is believed from stated proxies only. Set proxies, such as ['10.0.0.5'].")
        return self


class Settings(Part):
    """All of ``robot.toml``."""

    robot: About
    mailbox: Annotated[Imap | Graph, Field(discriminator="kind")]
    ledger: Annotated[Tryton | Fortnox | Browser, Field(discriminator="kind")]
    brakes: Brakes = Field(default_factory=Brakes)
    work: Work = Field(default_factory=Work)
    desk: Desk = Field(default_factory=Desk)


def read(folder: Path) -> Settings:
    """Read the folder's ``robot.toml``.

    Raises
    ------
    NotFoundError
        When there is none.
    ConfigError
        When it cannot be used; the message names the setting, what was found and what was expected.
    """
    path = folder / NAME
    if not path.exists():
        raise NotFoundError(f"{path}: no such file. Write one with: vardag invoices init {folder}")
    try:
        return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        told = "; ".join(_told(one["loc"], one["msg"], one["input"]) for one in wrong[:3])
        raise ConfigError(f"{path}: {len(wrong)} settings cannot be used: {told}") from None


def _told(place: tuple[int | str, ...], said: str, found: object) -> str:
    """One wrong setting; what stands where a secret's place belongs is not repeated."""
    name = ".".join(str(part) for part in place)
    shown = "" if "secret" in name or isinstance(found, dict) else f" (found {found!r})"
    return f"{name}: {said}{shown}"
