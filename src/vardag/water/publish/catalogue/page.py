"""The catalogue as a page for those who work with the data: one HTML file that asks for nothing from anywhere."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from vardag.core.texts import Texts
from vardag.water.city import City
from vardag.water.publish.catalogue.entries import Entry
from vardag.water.publish.context import TEXTS as COMMON
from vardag.water.publish.notation import NONE, number, whole
from vardag.water.publish.render import asset, render
from vardag.water.sources.notes import reason_text

HERE = Path(__file__).parent
TEXTS = Texts(COMMON.path, HERE / "texts.toml")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
CLASSES = ("open", "internal", "protected")


def page(found: Sequence[Entry], *, city: City, day: date, language: str) -> str:
    """Make the page as HTML, marked with the strictest secrecy class of the city and its sources.

    It tells of persons and of what is amiss, so it is internal even where every source is open.

    Parameters
    ----------
    found
        What `vardag.water.publish.catalogue.entries` gives.
    day
        The day that overdue sources are told for.
    language
        ``sv`` or ``en``.
    """
    secrecy = max("internal", city.secrecy, *(entry.secrecy for entry in found), key=_strictness)
    return render(
        "catalogue.html.j2",
        language=language,
        t=partial(_text, language),
        city=city,
        secrecy=secrecy,
        day=day.isoformat(),
        policy=POLICY,
        style=Markup(asset("report.css") + asset("catalogue.css")),
        facts=_facts(found, language),
        rows=rows(found, language),
    )


def _text(language: str, key: str, **values: object) -> str:
    return TEXTS(key, language, **values)


def _strictness(secrecy: str) -> int:
    return CLASSES.index(secrecy) if secrecy in CLASSES else len(CLASSES)


def _facts(found: Sequence[Entry], language: str) -> list[tuple[str, str]]:
    counts = {
        "sources": len(found),
        "overdue": sum(bool(entry.overdue) for entry in found),
        "failing": len({name for entry in found for name in entry.failed}),
        "stale": sum(entry.use == "stale" for entry in found),
    }
    return [(number(count, language), TEXTS(f"catalogue_fact_{key}", language)) for key, count in counts.items()]


def rows(found: Sequence[Entry], language: str) -> list[dict[str, Any]]:
    """Each source in words, for the page and the terminal."""
    return [_row(entry, language) for entry in found]


def _row(entry: Entry, language: str) -> dict[str, Any]:
    text = partial(_text, language)
    return {
        "source": entry.source,
        "table": entry.table,
        "owner": entry.owner or NONE,
        "contact": entry.contact,
        "licence": entry.licence or NONE,
        "secrecy": COMMON(f"secrecy_{entry.secrecy}", language) if entry.secrecy in CLASSES else entry.secrecy,
        "service": text(f"catalogue_service_{entry.service}"),
        "described": whole(entry.described.isoformat()) if entry.described else "",
        "loaded": whole(entry.loaded.isoformat()),
        "interval": text("catalogue_interval", days=number(entry.refresh_days, language))
        if entry.refresh_days
        else text("catalogue_no_interval"),
        "due": _due(entry, language),
        "overdue": bool(entry.overdue),
        "deliveries": number(entry.deliveries, language),
        "rows_in": number(entry.rows_in, language),
        "kept": number(entry.kept, language),
        "quarantined": number(entry.quarantined, language),
        "left_out": [
            (number(count, language), reason_text(reason, language)) for reason, count in entry.left_out.items()
        ],
        "passed": number(len(entry.passed), language),
        "failed": [name.replace("_", " ") for name in entry.failed],
        "checked": bool(entry.passed or entry.failed),
        "features": [name.replace("_", " ") for name in entry.features],
        "use": entry.use,
        "use_words": text(f"catalogue_use_{entry.use}"),
        "prediction": text("catalogue_prediction", day=whole(entry.predicted.isoformat()), run=entry.prediction)
        if entry.predicted
        else "",
    }


def _due(entry: Entry, language: str) -> str:
    if entry.due is None:
        return ""
    key = "catalogue_overdue" if entry.overdue else "catalogue_due"
    return TEXTS(key, language, day=whole(entry.due.isoformat()))
