"""An evaluation as one page of Markdown: the tables of `vardag.water.validation.render`, in order."""

from vardag.water.validation.render import (
    TEXTS,
    Document,
    believed_words,
    calibration_sheet,
    headline_sheet,
    held_words,
    streets_sheet,
)


def evaluation_markdown(document: Document, *, language: str) -> str:
    """Write the page: headline tables by population and horizon, pipes without history, calibration, streets."""
    parts = [f"# {TEXTS('page_title', language, city=document['city'])}\n", TEXTS("page_intro", language) + "\n"]
    for population, horizons in document["populations"].items():
        parts.append(f"## {TEXTS(f'population_{population}', language)}\n")
        if TEXTS.has(f"population_note_{population}"):
            parts.append(TEXTS(f"population_note_{population}", language) + "\n")
        parts += [_horizon(document, population, horizon, language) for horizon in horizons]
        streets = streets_sheet(document, population=population, language=language)
        if streets:
            parts.append(f"### {TEXTS('page_streets', language)}\n\n{streets.markdown()}")
    return "\n".join(parts)


def _horizon(document: Document, population: str, horizon: str, language: str) -> str:
    where = {"population": population, "horizon": horizon, "language": language}
    heading = TEXTS("page_horizon", language, years=horizon)
    parts = [f"### {heading}\n", headline_sheet(document, **where).markdown()]
    tables = document["populations"][population][horizon]
    if tables is not None:
        told = believed_words(document, tables.get("believed"), language)
        parts += [told + "\n"] if told else []
        parts += [f"**{TEXTS('page_no_history', language)}**\n"]
        parts += [headline_sheet(document, **where, part="no_history").markdown()]
        parts += [f"**{TEXTS('page_calibration', language)}**\n"]
        parts += [calibration_sheet(document, **where, by=by).markdown() for by in ("year", "material")]
        told = held_words(tables["calibration"].get("held"), language)
        parts += [told + "\n"] if told else []
    return "\n".join(parts)
