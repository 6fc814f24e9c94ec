"""From a chunk of raw text to rows of a table; each row is kept or left out with one reason, never lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vardag.water.city import Source
from vardag.water.schema import Table
from vardag.water.sources.chunk import LINE, WKB, Chunk, Rejected, rejected_frame
from vardag.water.sources.fields import Field, Notations, Values, cells_of, raw_text, read_field
from vardag.water.sources.geometry import Placed, Placer, Raw, points, segments, well_known_binary, well_known_text
from vardag.water.sources.notes import Notebook
from vardag.water.sources.tables import Row, finish
from vardag.water.sources.verdict import Verdict

Known = Callable[[pl.Series], NDArray[np.bool_]]


@dataclass(frozen=True)
class Plan:
    """Everything needed to map the chunks of one source.

    ``placer`` is None where the source has no geometry; ``known`` tells which ids are in the table already.
    """

    name: str
    source: Source
    table: Table
    fields: Sequence[Field]
    notations: Notations
    placer: Placer | None
    known: Known
    notebook: Notebook

    @property
    def wanted(self) -> list[str]:
        """Columns of the file that are needed."""
        mapped = {field.column for field in self.fields if field.column}
        return sorted(mapped | set(self.source.where))


@dataclass(frozen=True)
class Mapped:
    """The rows of a chunk: kept ones as rows of the table, the others with their reasons."""

    kept: pl.DataFrame
    rejected: pl.DataFrame
    outside: NDArray[np.float64]
    placed: int


def map_chunk(chunk: Chunk, plan: Plan) -> Mapped:
    """Map one chunk.

    Every row of the chunk comes out once: ``kept.height + rejected.height == chunk.rows_in``.
    """
    frame, verdict = chunk.frame, Verdict(chunk.frame.height)
    _filter(frame, plan, verdict)
    values = {field.target: read_field(field, frame, plan.notations) for field in plan.fields}
    placed = _place(frame, plan, values, verdict)
    rows = finish(plan.table, _row(frame, plan, values, placed), verdict)
    _refuse_unreadable(frame, plan, values, verdict)
    _refuse_duplicates(plan, rows, verdict)
    _note(frame, plan, values, placed, verdict.fine)
    rejected = [
        Rejected(frame[LINE][row], reason, detail, chunk.row_json(row)) for row, reason, detail in verdict.refused()
    ]
    return Mapped(
        kept=rows.filter(pl.Series(verdict.fine)),
        rejected=rejected_frame([*chunk.rejected, *rejected]),
        outside=placed.outside if placed else np.empty((0, 2)),
        placed=int((~placed.missing).sum()) if placed else 0,
    )


def _filter(frame: pl.DataFrame, plan: Plan, verdict: Verdict) -> None:
    """Leave out rows that the source's ``where`` does not ask for."""
    for column, allowed in plan.source.where.items():
        text = cells_of(frame, column).fill_null("")
        wanted = text.str.to_lowercase().is_in([str(value).lower() for value in allowed])
        verdict.refuse(~wanted.to_numpy(), "filtered", text, prefix=f"{column} = ")


def _place(frame: pl.DataFrame, plan: Plan, values: dict[str, Values], verdict: Verdict) -> Placed | None:
    if plan.placer is None:
        return None
    placed = plan.placer.place(_raw_shapes(frame, plan, values))
    for reason in ("bad_geometry", "empty_geometry", "wrong_geometry", "outside_area"):
        verdict.refuse(placed.reasons == reason, reason)
    return placed


def _raw_shapes(frame: pl.DataFrame, plan: Plan, values: dict[str, Values]) -> Raw:
    parts = {field.target.removeprefix("geometry."): field for field in plan.fields if "." in field.target}
    if not parts:
        return well_known_binary(frame[WKB])
    cells = {part: raw_text(field, frame) for part, field in parts.items()}
    if "wkt" in parts:
        return well_known_text(cells["wkt"])
    numbers = {part: values[field.target].series for part, field in parts.items()}
    if "x" in parts:
        return points(numbers["x"], numbers["y"], cells=(cells["x"], cells["y"]))
    ends = ("start_x", "start_y", "end_x", "end_y")
    start_x, start_y, end_x, end_y = (numbers[end] for end in ends)
    return segments((start_x, start_y), (end_x, end_y), cells=[cells[end] for end in ends])


def _row(frame: pl.DataFrame, plan: Plan, values: dict[str, Values], placed: Placed | None) -> Row:
    """Put what was read together, before the table's own rules fill in the rest."""
    columns = [read.series.alias(target) for target, read in values.items() if "." not in target]
    raw = {field.target: raw_text(field, frame) for field in plan.fields if field.kind == "words"}
    wkb = placed.wkb.tolist() if placed else [None] * frame.height
    return Row(
        frame=pl.DataFrame(
            [
                *columns,
                pl.Series("geom", wkb, dtype=pl.Binary),
                pl.Series("source", [plan.name], dtype=pl.String).new_from_index(0, frame.height),
                frame[LINE].alias("line"),
            ]
        ),
        raw=raw,
        length_m=pl.Series(placed.length_m).fill_nan(None) if placed else None,
        straight=any(field.target == "geometry.start_x" for field in plan.fields),
    )


def _refuse_unreadable(frame: pl.DataFrame, plan: Plan, values: dict[str, Values], verdict: Verdict) -> None:
    """A required value that cannot be read, or is missing, leaves the row out."""
    for field in plan.fields:
        if "." not in field.target and plan.table.column(field.target).required:
            read = values[field.target]
            verdict.refuse(read.unreadable, f"unreadable_{_noun(field)}", raw_text(field, frame))
            verdict.refuse(read.series.is_null().to_numpy(), f"missing_{_noun(field)}")


def _noun(field: Field) -> str:
    return {"id": "id", "date": "date"}.get(field.kind, "value")


def _refuse_duplicates(plan: Plan, rows: pl.DataFrame, verdict: Verdict) -> None:
    """The first row with an id is kept; later ones, in this chunk or an earlier one, are left out."""
    key = plan.table.key
    ids = rows[key].set(pl.Series(~verdict.fine), None)
    again = (~ids.is_first_distinct() & ids.is_not_null()).to_numpy() | plan.known(ids)
    verdict.refuse(again, "duplicate_id", rows[key], prefix=f"{key} ")


def _note(
    frame: pl.DataFrame, plan: Plan, values: dict[str, Values], placed: Placed | None, fine: NDArray[np.bool_]
) -> None:
    """Note what happened to cells of rows that are kept."""
    book = plan.notebook
    for field in plan.fields:
        read = values[field.target]
        for code, mask in (("unreadable", read.unreadable & fine), ("unknown_word", read.unknown & fine)):
            if mask.any():
                book.add(code, field.target, raw_text(field, frame).filter(pl.Series(mask)).to_list())
    if placed is not None:
        book.count("no_place", "geom", int((placed.missing & fine).sum()))
        book.count("repaired", "geom", int((placed.repaired & fine).sum()))
        book.count("centred", "geom", int((placed.centred & fine).sum()))
