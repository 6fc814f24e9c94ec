"""Workbooks written cell by cell, as the programs of an office write them: xlsx and ods."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZipFile

# A cell: text, number, or the raw inner XML of a cell with its attributes, such as ('t="e"', "<v>#REF!</v>").
Cell = str | float | tuple[str, str] | None
Rows = Mapping[int, Sequence[Cell]]
# Style 1 of the workbook: a date. A day is the number of days since 1899-12-30.
DAY = 's="1"'
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
STYLES = (
    f'<styleSheet {MAIN}><fonts count="1"><font/></fonts>'
    '<fills count="1"><fill/></fills><borders count="1"><border/>'
    '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/>'
    '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


def xlsx(path: Path, sheets: Mapping[str, Rows], *, merged: str = "") -> Path:
    """Write sheets of rows, by their number from 1."""
    with ZipFile(path, "w") as book:
        kinds = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        book.writestr(
            "[Content_Types].xml",
            f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType='
            f'"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>{kinds}</Types>',
        )
        book.writestr("_rels/.rels", _relations([("rId1", "officeDocument", "xl/workbook.xml")]))
        names = "".join(
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, 1)
        )
        book.writestr(
            "xl/workbook.xml", f'{HEAD}<workbook {MAIN} xmlns:r="{REL}"><sheets>{names}</sheets></workbook>'
        )
        listed = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)]
        book.writestr("xl/_rels/workbook.xml.rels", _relations([*listed, ("rId99", "styles", "styles.xml")]))
        book.writestr("xl/styles.xml", HEAD + STYLES)
        for n, rows in enumerate(sheets.values(), 1):
            book.writestr(f"xl/worksheets/sheet{n}.xml", _sheet(rows, merged))
    return path


def _relations(entries: Sequence[tuple[str, str, str]]) -> str:
    listed = "".join(f'<Relationship Id="{key}" Type="{REL}/{kind}" Target="{to}"/>' for key, kind, to in entries)
    return f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _sheet(rows: Rows, merged: str) -> str:
    body = "".join(
        f'<row r="{number}">' + "".join(_cell(cell, number, place) for place, cell in enumerate(cells)) + "</row>"
        for number, cells in sorted(rows.items())
    )
    merges = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    return f"{HEAD}<worksheet {MAIN}><sheetData>{body}</sheetData>{merges}</worksheet>"


def _cell(cell: Cell, row: int, place: int) -> str:
    reference = f'r="{chr(65 + place)}{row}"'
    if cell is None:
        return ""
    if isinstance(cell, tuple):
        return f"<c {reference} {cell[0]}>{cell[1]}</c>"
    if isinstance(cell, str):
        return f'<c {reference} t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f"<c {reference}><v>{cell}</v></c>"


def ods(path: Path, name: str, rows: Sequence[Sequence[str | float]]) -> Path:
    """Write one sheet of rows; a text such as 2004-05-06 is a date."""
    body = "".join("<table:table-row>" + "".join(map(_open_cell, row)) + "</table:table-row>" for row in rows)
    space = "urn:oasis:names:tc:opendocument:xmlns"
    with ZipFile(path, "w") as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        book.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{space}:manifest:1.0"><manifest:file-entry manifest:full-path="/" '
            'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>',
        )
        book.writestr(
            "content.xml",
            f'{HEAD}<office:document-content xmlns:office="{space}:office:1.0" xmlns:table="{space}:table:1.0" '
            f'xmlns:text="{space}:text:1.0"><office:body><office:spreadsheet><table:table table:name="{name}">'
            f"{body}</table:table></office:spreadsheet></office:body></office:document-content>",
        )
    return path


def _open_cell(cell: str | float) -> str:
    if isinstance(cell, str) and cell[:4].isdigit() and cell.count("-") == 2:
        value = f'office:value-type="date" office:date-value="{cell}"'
    elif isinstance(cell, str):
        value = 'office:value-type="string"'
    else:
        value = f'office:value-type="float" office:value="{cell}"'
    return f"<table:table-cell {value}><text:p>{escape(str(cell))}</text:p></table:table-cell>"
