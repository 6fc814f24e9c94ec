"""Fields: one for each mapped column of a source, with the kind of reading that its table's column asks for."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.city import ColumnMap, Source
from vardag.water.city.vocabulary import Vocabulary, fold, missing_words, unlined_words, vocabulary_for
from vardag.water.schema import DELIVERED, Column, Table
from vardag.water.sources.dates import Clock, parse_dates
from vardag.water.sources.numbers import parse_numbers

Kind = Literal["date", "year", "number", "words", "id", "text", "lining"]
# Other ids, such as a station's, are ids as well though their names do not say so.
IDS = {table.key for table in DELIVERED.values()} | {"pipe_id", "asset_id", "road_id", "point_id", "station"}


@dataclass(frozen=True)
class Field:
    """A column of the table and how to read it from the file.

    ``column`` is the file's column (None for a constant, which is ``value``); ``unit`` is the file's and ``to`` the
    table's; ``formats`` are the stated date notations.
    """

    target: str
    kind: Kind
    column: str | None = None
    value: str | None = None
    unit: str | None = None
    to: str = ""
    required: bool = False
    formats: tuple[str, ...] = ()
    clock: Clock | None = None
    vocabulary: Vocabulary | None = None

    def hopeless(self, *, unreadable: int, cells: int) -> bool:
        """Tell whether the mapping must be wrong: most of a required column, or all of another, cannot be read."""
        return unreadable * 2 > cells if self.required else unreadable == cells > 0

    def label(self) -> str:
        """How messages name it: the table's column and the file's."""
        return f"{self.target} (column {self.column!r})" if self.column else self.target


@dataclass(frozen=True)
class Notations:
    """How this file writes dates and decimals, by field."""

    dates: dict[str, tuple[str, ...]]
    decimals: dict[str, str]


@dataclass(frozen=True)
class Values:
    """A read column: its values, where a cell could not be read, and where its spelling is not known."""

    series: pl.Series
    unreadable: NDArray[np.bool_]
    unknown: NDArray[np.bool_]


def fields_of(source: Source, table: Table, *, timezone: str) -> list[Field]:
    """The fields of a source, coordinates among them as ``geometry.x`` and so on."""
    mapped = source.columns or _own_names(table)
    columns = [_field(table.column(target), mapping, source, timezone) for target, mapping in mapped.items()]
    parts = source.geometry.columns if source.geometry else {}
    coordinates = [
        Field(f"geometry.{part}", "text" if part == "wkt" else "number", column=column, required=True)
        for part, column in parts.items()
    ]
    return columns + coordinates


def _own_names(table: Table) -> dict[str, ColumnMap]:
    """Heights from a raster come under the table's own names, so they need no mapping."""
    names = [column.name for column in table.mappable] if table.name == "elevation" else []
    return {name: ColumnMap(column=name) for name in names}


def _field(column: Column, mapping: ColumnMap, source: Source, timezone: str) -> Field:
    vocabulary = vocabulary_for(column)
    own = source.vocabulary.get(column.name)
    return Field(
        target=column.name,
        kind=_kind(column),
        column=mapping.column,
        value=None if mapping.value is None else str(mapping.value),
        unit=mapping.unit,
        to=column.unit,
        required=column.required,
        formats=tuple(mapping.formats or ()),
        clock=Clock(timezone, mapping.timezone or source.timezone),
        vocabulary=vocabulary.extended(own) if vocabulary and own else vocabulary,
    )


def _kind(column: Column) -> Kind:
    if vocabulary_for(column) is not None:
        return "words"
    by_type: dict[str, Kind] = {"DATE": "date", "INTEGER": "year", "DOUBLE": "number"}
    if column.type in by_type:
        return by_type[column.type]
    if column.name == "lining":
        return "lining"
    return "id" if column.name in IDS else "text"


def cells_of(frame: pl.DataFrame, column: str) -> pl.Series:
    """A column's cells, stripped and without zero characters, which say nothing and which PostgreSQL refuses."""
    return frame[column].str.replace_all("\0", "", literal=True).str.strip_chars()


def raw_text(field: Field, frame: pl.DataFrame) -> pl.Series:
    """The field's cells, stripped; null where the cell says that there is nothing."""
    if field.column is None:
        return pl.Series(field.target, [field.value], dtype=pl.String).new_from_index(0, frame.height)
    text = cells_of(frame, field.column).alias(field.target)
    nothing = missing_words() | ({"0", "0.0"} if field.kind in {"date", "year"} else set())
    empty = text.str.to_lowercase().is_in(list(nothing)).fill_null(True)
    return text.set(empty, None)


def read_field(field: Field, frame: pl.DataFrame, notations: Notations) -> Values:
    """Read a field from a chunk into values of the table's type."""
    text = raw_text(field, frame)
    nowhere = np.zeros(frame.height, dtype=bool)
    if field.kind == "words":
        return _words(field, text, frame)
    if field.kind in {"id", "text", "lining"}:
        return Values(_plain(field, text), nowhere, nowhere)
    series = _parsed(field, text, notations)
    return Values(series, (series.is_null() & text.is_not_null()).to_numpy(), nowhere)


def _parsed(field: Field, text: pl.Series, notations: Notations) -> pl.Series:
    if field.kind == "number":
        decimal = notations.decimals.get(field.target, ".")
        return parse_numbers(text, decimal=decimal, unit=field.unit, to=field.to).alias(field.target)
    assert field.clock is not None
    days = parse_dates(text, notations.dates.get(field.target, field.formats), field.clock)
    return days.dt.year().cast(pl.Int32) if field.kind == "year" else days


def _plain(field: Field, text: pl.Series) -> pl.Series:
    if field.kind == "id":  # programs that hold ids as numbers write 10080.0
        return text.str.replace(r"^(\d+)\.0+$", "$1")
    if field.kind == "lining":
        folded = text.map_elements(fold, return_dtype=pl.String, skip_nulls=True)
        return text.set(folded.is_in(list(unlined_words())).fill_null(False), None)
    return text.str.replace_all(r"\s+", " ")


def _words(field: Field, text: pl.Series, frame: pl.DataFrame) -> Values:
    """Look spellings up; the city's own vocabulary also sees what otherwise counts as empty, such as a dash."""
    vocabulary = field.vocabulary
    assert vocabulary is not None
    whole = text if field.column is None else cells_of(frame, field.column)
    meanings = {cell: vocabulary.meaning(cell) for cell in whole.unique().to_list() if cell}
    values = whole.replace_strict(meanings, default=None, return_dtype=pl.String).alias(field.target)
    unknown = (values.is_null() & text.is_not_null()).to_numpy()
    if vocabulary.kind == "boolean":
        return Values((values == "true").alias(field.target), unknown, np.zeros(len(text), dtype=bool))
    fallback = pl.select(
        pl.when(pl.Series(unknown)).then(pl.lit(vocabulary.other)).otherwise(pl.lit(vocabulary.empty))
    )
    return Values(values.fill_null(fallback.to_series().cast(pl.String)), np.zeros(len(text), dtype=bool), unknown)
