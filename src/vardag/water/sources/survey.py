"""One look through a whole file for how it writes dates and decimals, before any row is converted."""

from collections.abc import Sequence

from vardag.core.errors import InputError
from vardag.water.city import Source
from vardag.water.sources.chunk import LINE, Layer, Progress
from vardag.water.sources.date_survey import DateSurvey
from vardag.water.sources.dates import holds_day
from vardag.water.sources.fields import Field, Notations, raw_text
from vardag.water.sources.notes import Note
from vardag.water.sources.number_survey import NumberSurvey


def survey(
    layer: Layer, fields: Sequence[Field], *, source: Source, where: str, progress: Progress | None = None
) -> tuple[Notations, list[Note]]:
    """Find the notations of every date and number column of a file.

    Raises
    ------
    InputError
        When the file has no rows, or a column is mixed or mostly unreadable.
    ConfigError
        When a notation cannot be told and must be stated.
    """
    dates = [DateSurvey(field) for field in fields if field.kind in {"date", "year"}]
    semicolons = getattr(layer, "delimiter", "") == ";"
    numbers = [
        NumberSurvey(field, stated=source.decimal, semicolons=semicolons)
        for field in fields
        if field.kind == "number"
    ]
    _look(layer, [*dates, *numbers], where=where, progress=progress)
    notations = Notations(
        dates={date.field.target: date.decide(where) for date in dates},
        decimals={number.field.target: number.decide(where) for number in numbers},
    )
    return notations, [*_date_notes(dates, notations), *_number_notes(numbers, notations)]


def _look(
    layer: Layer, surveys: Sequence[DateSurvey | NumberSurvey], *, where: str, progress: Progress | None
) -> None:
    wanted = sorted({survey.field.column for survey in surveys if survey.field.column})
    rows = 0
    for chunk in layer.chunks(wanted, progress=progress):
        rows += chunk.rows_in
        for survey in surveys:
            survey.look(raw_text(survey.field, chunk.frame), chunk.frame[LINE])
    if rows == 0:
        raise InputError(
            f"{where}: the file has no rows, only {len(layer.columns)} column names. "
            "Export it again, with its content."
        )


def _date_notes(dates: Sequence[DateSurvey], notations: Notations) -> list[Note]:
    """Notes on columns that write dates in several ways, or not to the day."""
    notes = []
    for date in dates:
        found = notations.dates[date.field.target]
        vague = date.field.kind == "date" and any(not holds_day(notation) for notation in found)
        if not date.field.formats and (len(found) > 1 or vague):
            notes.append(Note("date_notations", date.field.target, date.cells, date.counts()))
    return notes


def _number_notes(numbers: Sequence[NumberSurvey], notations: Notations) -> list[Note]:
    return [
        Note("decimal_comma", number.field.target, number.cells)
        for number in numbers
        if number.stated is None and notations.decimals[number.field.target] == ","
    ]
