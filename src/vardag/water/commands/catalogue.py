"""`vardag water catalogue`: who answers for each source, how fresh and good it is, and what rests on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from vardag.core import db
from vardag.water.commands.workspace import OUT, Workspace, read_table, workspace
from vardag.water.publish.catalogue import Described, Entry, dcat, entries, page, validated, write_dcat

PAGE = "catalogue.html"
PUBLIC = ("catalogue.ttl", "catalogue.jsonld", "catalogue.rdf")


@dataclass(frozen=True)
class Catalogued:
    """The catalogue: its entries, the files written, and how many sources the public one tells and leaves out.

    ``public`` is None where city.toml has no ``[catalogue]``, and so no public catalogue was made.
    """

    entries: Sequence[Entry]
    paths: Sequence[Path]
    public: dict[str, int] | None


def catalogue(folder: Path, *, day: date, language: str | None = None, public: bool = False) -> Catalogued:
    """Write the catalogue of a city's sources into ``out/``: a page, and DCAT-AP-SE of what may be public.

    Parameters
    ----------
    folder
        City folder, loaded.
    day
        Day for which overdue sources are told.
    language
        ``sv`` or ``en``; the city's unless given.
    public
        Demand the public catalogue; without it, it is made where city.toml has a ``[catalogue]``.

    Raises
    ------
    ConfigError
        When the public catalogue is demanded and city.toml has no ``[catalogue]``, when a licence has no address,
        or when the catalogue breaks a rule of DCAT-AP-SE; nothing is written then.
    """
    with workspace(folder, "water catalogue", writes=False) as work:
        with work.run.step("read"):
            found = read_entries(work, day)
        with work.run.step("describe"):
            described = describe(work, found) if public or work.city.catalogue else None
        with work.run.step("write"):
            text = page(found, city=work.city, day=day, language=language or work.city.language)
            paths = write(folder / OUT, text, described)
    counts = None
    if described:
        counts = {"datasets": described.datasets, "closed": described.closed, "others": described.others}
    return Catalogued(found, paths, counts)


def read_entries(work: Workspace, day: date) -> list[Entry]:
    """Gather the entries from the tables that tell of loads, checks and runs."""
    names = ("source", "delivery", "check_result", "quarantine")
    tables = {name: read_table(work.connection, name) for name in names}
    return entries(**tables, run=db.read(work.connection, "SELECT * FROM run"), day=day)


def describe(work: Workspace, found: Sequence[Entry]) -> Described:
    """The public catalogue, held against the shapes; one without any dataset is nothing to publish."""
    described = dcat(found, city=work.city)
    if described.datasets:
        validated(described.graph)
    return described


def write(out: Path, text: str, described: Described | None) -> list[Path]:
    """Write the page and the public files; those of an earlier catalogue never outlive what they told."""
    out.mkdir(exist_ok=True)
    for name in PUBLIC:
        (out / name).unlink(missing_ok=True)
    (out / PAGE).write_text(text, encoding="utf-8")
    return [out / PAGE, *(write_dcat(described.graph, out) if described and described.datasets else [])]
