"""What a decision rests on: the request as read, what the finance system found, and who may ask for what."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import yaml

from vardag.core.errors import ConfigError
from vardag.invoices.model import Action, CancellationRequest, Invoice, MailRead, Sender


@dataclass(frozen=True)
class Grant:
    """What a sender is entitled to ask for.

    Attributes
    ----------
    kind
        ``staff`` where the allow-list names the sender, ``customer`` where the invoice is the sender's own.
    most
        Largest amount the sender may ask for alone; None where there is none.
    customers
        Customer numbers the sender may ask about; empty means all.
    """

    kind: Literal["staff", "customer"]
    most: Decimal | None = None
    customers: tuple[str, ...] = ()

    def covers(self, invoice: Invoice) -> bool:
        """Tell whether the invoice's customer is among those the sender may ask about."""
        return not self.customers or invoice.customer.number in self.customers


@dataclass(frozen=True)
class Allowed:
    """A line of the allow-list: an address (``anna@kommun.se``) or a whole domain (``@kommun.se``)."""

    who: str
    most: Decimal | None = None
    customers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Earlier:
    """An earlier request about the same invoice: its work item, its mail and what was decided."""

    item: str
    message_id: str
    action: Action


@dataclass(frozen=True)
class Case:
    """Everything that a decision rests on; the rules see nothing else.

    Attributes
    ----------
    invoices
        What the finance system found under the request's target: none, one or several.
    grant
        What the sender is entitled to (`entitled`); None for nothing.
    earlier
        Earlier requests about the same invoice, this one not among them.
    approvals
        Persons who have confirmed, as user names or addresses; each counts once, and the sender never.
    vat_reported_until
        Last day of the last VAT period that was reported; None where it is not known.
    """

    request: CancellationRequest
    mail: MailRead
    invoices: tuple[Invoice, ...]
    today: date
    grant: Grant | None = None
    earlier: tuple[Earlier, ...] = ()
    approvals: tuple[str, ...] = ()
    vat_reported_until: date | None = None

    @property
    def invoice(self) -> Invoice | None:
        """The invoice asked about, where exactly one was found."""
        return self.invoices[0] if len(self.invoices) == 1 else None

    @property
    def approvers(self) -> frozenset[str]:
        """Distinct persons who have confirmed, the one who asks not among them."""
        found: list[str] = []
        for name in sorted({person(name) for name in self.approvals} - {""}, key=lambda name: "@" not in name):
            if not any(same_person(name, other) for other in (self.mail.sender.address, *found)):
                found.append(name)
        return frozenset(found)


def person(name: str) -> str:
    """A user name or address in one form, so that a person under two spellings counts once.

    >>> person(" Anna.Berg+faktura@Kommun.se ")
    'anna.berg@kommun.se'
    """
    plain = unicodedata.normalize("NFKC", name).strip().casefold()
    local, at, domain = plain.rpartition("@")
    return local.partition("+")[0] + at + domain if at else plain


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are one person: a bare user name is whoever has it before the @ of an address.

    >>> same_person("anna.berg", "Anna.Berg@kommun.se"), same_person("anna@kommun.se", "anna@bolag.se")
    (True, False)
    """
    first, second = person(one), person(other)
    bare = ("@" in first) != ("@" in second)
    return first == second or (bare and first.partition("@")[0] == second.partition("@")[0])


def entitled(
    sender: Sender, allow_list: Sequence[Allowed], invoice: Invoice | None, *, customers_may_ask: bool = False
) -> Grant | None:
    """What the sender may ask for about an invoice: by the allow-list, else as its own customer.

    An address of its own in the list goes before its domain. Whether the address is really the sender's is
    another question, which the rule ``unproven`` puts.
    """
    address = sender.address.strip().casefold()
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or "@" in local:
        return None
    by_name = {line.who.strip().casefold(): line for line in reversed(allow_list)}
    line = by_name.get(address) or by_name.get("@" + domain)
    if line is not None:
        grant = Grant("staff", line.most, line.customers)
        return grant if invoice is None or grant.covers(invoice) else None
    if customers_may_ask and invoice is not None and address in invoice.customer.addresses:
        return Grant("customer", None, (invoice.customer.number,))
    return None


def read_allowed(path: Path) -> tuple[Allowed, ...]:
    """Read an allow-list: a YAML list of ``{who, most, customers}``, where all but ``who`` may be left out.

    Raises
    ------
    ConfigError
        When a line is not of that form; the message gives its place in the list.
    """
    try:
        lines = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path.name}: cannot be read as an allow-list ({error}).") from error
    if not isinstance(lines, list):
        raise ConfigError(f"{path.name}: expected a list of lines such as - {{who: '@kommun.se', most: 5000}}.")
    return tuple(allowed(path, place, line) for place, line in enumerate(lines, start=1))


def allowed(path: Path, place: int, line: Any) -> Allowed:
    """One line of the allow-list, checked."""
    where = f"{path.name}, line {place} of the list"
    if not isinstance(line, dict) or not {"who"} <= set(line) <= {"who", "most", "customers"}:
        raise ConfigError(f"{where}: expected who, and most and customers where wanted, found {line!r}.")
    who, most = str(line["who"]).strip(), line.get("most")
    if who.count("@") != 1 or who.endswith("@") or any(letter.isspace() for letter in who):
        raise ConfigError(f"{where}: who is {who!r}, expected an address or a domain such as @kommun.se.")
    try:
        limit = None if most is None else Decimal(str(most))
    except InvalidOperation as error:
        raise ConfigError(f"{where}: most is {most!r}, expected an amount such as 5000.") from error
    if limit is not None and not limit.is_finite():
        raise ConfigError(f"{where}: most is {most!r}, expected an amount such as 5000.")
    customers = line.get("customers") or []
    if not isinstance(customers, list):
        raise ConfigError(f"{where}: customers is {customers!r}, expected a list of customer numbers.")
    return Allowed(who, limit, tuple(str(number) for number in customers))
