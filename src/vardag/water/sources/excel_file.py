"""Sheets of workbooks: xlsx, xls and ods, with the values that Excel last calculated."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl

from vardag.core.errors import InputError
from vardag.water.city import did_you_mean
from vardag.water.sources.chunk import LINE, Chunk, Progress
from vardag.water.sources.notes import Note
from vardag.water.sources.text_table import LOOK, distinct, find_header
from vardag.water.sources.vector_file import BATCH_ROWS

# Excel keeps a workbook with a password in a container of its older kind.
LOCKED = b"\xd0\xcf\x11\xe0"


class ExcelLayer:
    """One sheet of a workbook.

    The header is the row that names most of the mapped columns, so title lines may stand above it. Of merged cells
    only the first has the value, as in Excel itself. A sheet has at most 1,048,576 rows, so it is held in memory.

    Raises
    ------
    InputError
        When the workbook cannot be opened, has several sheets and none is named, or the sheet is empty.
    """

    crs: str | None = None
    has_geometry = False

    def __init__(self, path: Path, *, layer: str | None = None, expected: Sequence[str] = ()) -> None:
        self.path = path
        self.notes: list[Note] = []
        cells = self._cells(layer)
        self.above = _header_row(cells, expected)
        names = [str(name or "").strip() for name in cells.row(self.above)] if cells.height else []
        if not any(names):
            raise InputError(f"{path.name}: the sheet is empty, expected a row with column names.")
        twice = [name for name in expected if names.count(name) > 1]
        if twice:
            raise InputError(
                f"{path.name} row {self.above + 1}: column {twice[0]!r} stands more than once. Rename one of them."
            )
        self.columns: Sequence[str] = distinct(names)
        self.rows = cells.slice(self.above + 1)

    def chunks(self, wanted: Sequence[str], *, progress: Progress | None = None) -> Iterator[Chunk]:
        """Give the rows in chunks; ``__line`` is the row's number in the sheet, and empty rows are skipped."""
        place = {name: self.rows.columns[self.columns.index(name)] for name in wanted}
        first = self.above + 2
        numbered = self.rows.with_columns(pl.int_range(first, first + self.rows.height, dtype=pl.Int64).alias(LINE))
        filled = numbered.filter(pl.any_horizontal(pl.col(self.rows.columns).is_not_null()))
        for start in range(0, filled.height, BATCH_ROWS):
            part = filled.slice(start, BATCH_ROWS)
            columns = [part[column].alias(name) for name, column in place.items()]
            yield Chunk(pl.DataFrame([part[LINE], *columns]), lambda row, part=part: self._json(part.row(row)))  # type: ignore[misc]
            if progress:
                progress(min((start + BATCH_ROWS) / filled.height, 1.0))

    def _json(self, cells: tuple[Any, ...]) -> str:
        return json.dumps(dict(zip(self.columns, cells, strict=False)), ensure_ascii=False)

    def _cells(self, layer: str | None) -> pl.DataFrame:
        """Every cell of the sheet as text, from its first row on; cells that hold an error are empty."""
        try:
            book = fastexcel.read_excel(self.path)
            name = self._choose(layer, book.sheet_names)
            sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
            batch, errors = sheet.to_arrow_with_errors()
        except fastexcel.FastExcelError as error:
            raise InputError(f"{self.path.name}: cannot be read ({self._fault(error)}") from None
        if found := errors.errors if errors else []:
            first = ", ".join(_address(*error.position) for error in found[:5])
            self.notes.append(Note("error_cells", "", len(found), first))
        cells = pl.DataFrame(pl.from_arrow(batch))
        text = pl.all().str.strip_chars().str.strip_suffix(" 00:00:00")
        return cells.select(pl.when(text != "").then(text).name.keep())

    def _fault(self, error: Exception) -> str:
        with self.path.open("rb") as file:
            start = file.read(4)
        if start == LOCKED and (self.path.suffix.lower() != ".xls" or "assword" in str(error)):
            return "it has a password). Take the password off in Excel and save it again."
        return f"{str(error).splitlines()[0]}). Open it in Excel and save it again, as .xlsx."

    def _choose(self, layer: str | None, names: list[str]) -> str:
        if layer is None and len(names) == 1:
            return names[0]
        if layer in names:
            return str(layer)
        listed = ", ".join(names) or "none"
        if layer is None:
            raise InputError(
                f"{self.path.name}: the workbook has {len(names)} sheets ({listed}), expected one. "
                'Name one in city.toml: layer = "..."'
            )
        raise InputError(
            f"{self.path.name}: no sheet {layer!r}; the workbook has {listed}.{did_you_mean(layer, names)}"
        )


def _header_row(cells: pl.DataFrame, expected: Sequence[str]) -> int:
    rows = [[str(cell or "") for cell in row] for row in islice(cells.iter_rows(), LOOK)]
    if found := find_header(rows, expected):
        return found
    if rows and set(expected).intersection(rows[0]):
        return 0
    named = (number for number, row in enumerate(rows) if _could_be_names([cell for cell in row if cell]))
    filled = (number for number, row in enumerate(rows) if any(row))
    return next(named, next(filled, 0))


def _could_be_names(cells: list[str]) -> bool:
    return len(cells) > 1 and len(set(cells)) == len(cells) and not any(cell[0].isdigit() for cell in cells)


def _address(row: int, column: int) -> str:
    """Cell as Excel calls it, from its row and column, both from 0.

    >>> _address(4, 27)
    'AB5'
    """
    letters, rest = "", column + 1
    while rest:
        rest, last = divmod(rest - 1, 26)
        letters = chr(65 + last) + letters
    return f"{letters}{row + 1}"
