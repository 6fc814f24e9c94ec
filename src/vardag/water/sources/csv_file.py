"""CSV files of any size: encoding and delimiter found out, true line numbers, bounded memory."""

import codecs
import csv
import json
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from io import TextIOWrapper
from itertools import accumulate, chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from vardag.core.errors import InputError
from vardag.water.sources.chunk import LINE, Chunk, Progress, Rejected
from vardag.water.sources.notes import Note
from vardag.water.sources.text_table import LOOK, distinct, find_header

CELLS_PER_CHUNK = 1_500_000
MAX_ROWS = 50_000
BLOCK = 1 << 20
LONGEST_CELL = 64 << 20
DELIMITERS = (",", ";", "\t", "|")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class CsvLayer:
    """A CSV file.

    Parameters
    ----------
    path
        The file.
    encoding, delimiter
        As ``city.toml`` states them; found out from the file where None.
    expected
        Columns that are mapped. Where the first line names none of them but a later one does, such as below the
        station facts of SMHI, the table begins there, and what stands right of its first nameless column is no part
        of it.

    Raises
    ------
    InputError
        When the file is empty, is not text, or its header has no usable names.
    """

    crs: str | None = None
    has_geometry = False

    def __init__(
        self,
        path: Path,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        expected: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.notes: list[Note] = []
        self.above = 0
        self.encoding = encoding or self._detect_encoding()
        self.delimiter = delimiter or sniff_delimiter(self._head())
        self._find_table(expected, stated=delimiter)
        self.columns: Sequence[str] = self._header(expected)

    def chunks(self, wanted: Sequence[str], *, progress: Progress | None = None) -> Iterator[Chunk]:
        """Read the file in chunks; blank lines are skipped, rows of the wrong width are rejected."""
        positions = {name: self.columns.index(name) for name in wanted}
        size = max(self.path.stat().st_size, 1)
        limit = min(MAX_ROWS, max(1000, CELLS_PER_CHUNK // len(self.columns)))
        with closing(self._batches(limit)) as batches:
            next(batches)
            for lines, batch, position in batches:
                plain = isinstance(batch, pl.Series)
                yield (self._plain_chunk if plain else self._chunk)(lines, batch, positions)
                if progress:
                    progress(min(position / size, 1.0))

    def _batches(self, limit: int) -> Generator[tuple[Sequence[int], Any, int]]:
        """Batches of records, the line each begins on, and bytes read so far; the header comes first, alone.

        Up to the first quote every line is a record, and they come as a series of lines, which is split by columns
        several times faster (`make bench`); from there on they come as lists of cells.
        """
        csv.field_size_limit(LONGEST_CELL)
        done = 0
        try:
            with self.path.open("rb") as binary, TextIOWrapper(binary, self.encoding, newline="") as text:
                reader = csv.reader(text, delimiter=self.delimiter)
                header = next(islice(filter(None, reader), self.above, None), [])
                yield range(reader.line_num, reader.line_num + 1), [header], 0
                done = reader.line_num
                while (texts := list(islice(text, limit))) and not self.above and _is_plain(texts):
                    yield range(done + 1, done + 1 + len(texts)), pl.Series(texts), binary.tell()
                    done += len(texts)
                start, reader = done, csv.reader(chain(texts, text), delimiter=self.delimiter)
                while batch := list(islice(reader, limit)):
                    last = start + reader.line_num
                    yield _lines(batch, first=done + 1, last=last), batch, binary.tell()
                    done = last
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self.path.name}: after line {done} there is text that is not {self.encoding} "
                f"(byte {error.object[error.start]:#04x}). State the encoding in city.toml, such as "
                'encoding = "cp1252".'
            ) from None
        except csv.Error as error:
            raise InputError(
                f"{self.path.name}: after line {done} it cannot be read as CSV ({error}). "
                "Look for a quote that is never closed."
            ) from None

    def _chunk(self, lines: Sequence[int], batch: list[list[str]], positions: dict[str, int]) -> Chunk:
        width = len(self.columns)
        if self.above:  # beside the table stand remarks, on some rows
            batch = [cells[:width] for cells in batch]
        bad = [row for row, cells in enumerate(batch) if len(cells) != width or not any(cells)]
        rejected = [self._reject(lines[row], batch[row]) for row in bad if batch[row]]
        rows = batch
        if bad:
            good = sorted(set(range(len(batch))).difference(bad))
            rows, lines = [batch[row] for row in good], [lines[row] for row in good]
        columns = [
            pl.Series(name, list(map(itemgetter(position), rows)), dtype=pl.String)
            for name, position in positions.items()
        ]
        frame = pl.DataFrame([pl.Series(LINE, lines, dtype=pl.Int64), *columns])
        return Chunk(frame, lambda row: self._json(rows[row]), rejected)

    def _plain_chunk(self, lines: Sequence[int], texts: pl.Series, positions: dict[str, int]) -> Chunk:
        """Split lines that hold no quote."""
        width = len(self.columns)
        bare = texts.str.strip_chars_end("\r\n")
        marks = bare.str.count_matches(self.delimiter, literal=True)
        good = (marks == width - 1) & (bare != self.delimiter * (width - 1))
        kept, numbers = bare.filter(good), pl.Series(LINE, lines, dtype=pl.Int64)
        bad = zip(numbers.filter(~good), bare.filter(~good), strict=True)
        cells = kept.str.split_exact(self.delimiter, width - 1).struct
        columns = [cells.field(f"field_{position}").alias(name) for name, position in positions.items()]
        return Chunk(
            pl.DataFrame([numbers.filter(good), *columns]),
            lambda row: self._json(kept[row].split(self.delimiter)),
            [self._reject(line, text.split(self.delimiter)) for line, text in bad if text],
        )

    def _reject(self, line: int, cells: list[str]) -> Rejected:
        if not any(cells):
            return Rejected(line, "empty_row", "every cell is empty", self._json(cells))
        detail = f"{len(cells)} cells, expected {len(self.columns)}"
        return Rejected(line, "ragged_row", detail, json.dumps(cells, ensure_ascii=False))

    def _json(self, cells: list[str]) -> str:
        return json.dumps(dict(zip(self.columns, cells, strict=False)), ensure_ascii=False)

    def _find_table(self, expected: Sequence[str], *, stated: str | None) -> None:
        """Find the header below other lines, where the first line names none of the expected columns."""
        head = self._head()
        for delimiter in [stated] if stated else [self.delimiter, *DELIMITERS]:
            rows = [row for row in csv.reader(head, delimiter=delimiter) if row][:LOOK]
            found = find_header(rows, expected)
            if rows and set(expected).intersection(cell.strip() for cell in rows[0]):
                return
            if found:
                self.delimiter, self.above = delimiter, found
                return

    def _header(self, expected: Sequence[str]) -> list[str]:
        with closing(self._batches(1)) as batches:
            (line, *_), (cells,), _ = next(batches)
        names = [name.strip() for name in cells]
        if not any(names):
            raise InputError(f"{self.path.name}: the file is empty, expected a header line with column names.")
        if self.above and "" in names:
            names = names[: names.index("")]
        repeated = [name for name, count in Counter(names).items() if name and count > 1]
        ambiguous = [name for name in repeated if name in expected or not expected]
        if ambiguous:
            raise InputError(
                f"{self.path.name} line {line}: column {ambiguous[0]!r} stands more than once. Rename one of them."
            )
        if self.above:
            self.notes.append(Note("table_begins", "", 0, str(line)))
        return distinct(names)

    def _head(self) -> list[str]:
        with self.path.open("rb") as binary:
            text = binary.read(BLOCK).decode(self.encoding, errors="replace")
        return text.splitlines()[:200]

    def _detect_encoding(self) -> str:
        """UTF-8 where the whole file is that, else the Western European code page of Windows, with a note."""
        with self.path.open("rb") as binary:
            start = binary.read(BLOCK)
            for mark, encoding in BOMS:
                if start.startswith(mark):
                    return encoding
            if b"\x00" in start:
                raise InputError(
                    f"{self.path.name}: not a text file (it has zero bytes). "
                    "Export it as CSV from the program it came from."
                )
            binary.seek(0)
            if _is_utf8(binary):
                return "utf-8"
        self.notes.append(Note("encoding_assumed", "", 0, "cp1252"))
        return "cp1252" if not _has_undefined_cp1252(self.path) else "latin-1"


def _lines(batch: Sequence[Sequence[str]], *, first: int, last: int) -> Sequence[int]:
    """Line that each record begins on: one after the other, unless cells hold line breaks."""
    if last - first + 1 == len(batch):
        return range(first, last + 1)
    heights = [1 + sum(map(_line_breaks, cells)) for cells in batch]
    return list(accumulate(heights, initial=first))[:-1]


def _is_plain(texts: Sequence[str]) -> bool:
    """Tell whether no line has a quote, nor a zero byte, which `csv` refuses."""
    return not any('"' in text or "\0" in text for text in texts)


def _line_breaks(cell: str) -> int:
    return cell.count("\n") + cell.count("\r") - cell.count("\r\n")


def sniff_delimiter(lines: Sequence[str]) -> str:
    """Delimiter that splits the first lines into the most columns of one width.

    >>> sniff_delimiter(["id;length", "1;12,5", "2;7,0"])
    ';'
    """
    return max(DELIMITERS, key=lambda delimiter: _score(lines, delimiter))


def _score(lines: Sequence[str], delimiter: str) -> float:
    rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    if not rows or len(rows[0]) < 2:
        return 0.0
    same = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
    return same * same * len(rows[0])


def _is_utf8(binary: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := binary.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _has_undefined_cp1252(path: Path) -> bool:
    undefined = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))
    with path.open("rb") as binary:
        while block := binary.read(BLOCK):
            if len(block.translate(None, undefined)) != len(block):
                return True
    return False
