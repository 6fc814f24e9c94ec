"""Attached files as text: PDF, electronic invoice, plain text. What cannot be read is said, never skipped in silence."""

import io
import time

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from vardag.invoices.reading.einvoices import NotAnInvoiceError, read_einvoice
from vardag.invoices.reading.hypertext import to_text
from vardag.invoices.reading.parts import Attachment, decode
from vardag.invoices.reading.patterns import Patterns

# What pypdf is known to throw on a file that is not what it says.
BROKEN_PDF = (PyPdfError, ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError, OSError,
              ArithmeticError, NotImplementedError, MemoryError, ImportError)  # fmt: skip
UNREADABLE = "attachment_unreadable"


def read_attachment(file: Attachment, patterns: Patterns) -> tuple[str, list[str]]:
    """Text of a file, and the doubts about it."""
    name = file.name.lower()
    if len(file.data) > patterns.limit("largest_attachment"):
        return "", [UNREADABLE]
    if file.data[:5] == b"%PDF-" or name.endswith(".pdf") or file.type == "application/pdf":
        return _read_pdf(file.data, patterns)
    if name.endswith(".xml") or file.type in {"text/xml", "application/xml"}:
        return _read_xml(file.data)
    if file.type == "text/html" or name.endswith((".html", ".htm")):
        text, hidden = to_text(decode(file.data[: patterns.limit("largest_html")], ""))
        return text, ["hidden_text"] * hidden
    if file.type == "text/plain" and name.endswith((".txt", ".text", ".plain", ".csv")):
        return decode(file.data, ""), []
    return "", [UNREADABLE]


def _read_xml(data: bytes) -> tuple[str, list[str]]:
    try:
        text, credit_note = read_einvoice(data)
    except NotAnInvoiceError:
        return "", [UNREADABLE]
    return text, ["credit_note_attached"] * credit_note


def _read_pdf(data: bytes, patterns: Patterns) -> tuple[str, list[str]]:
    """Text of the first pages; a doubt where there is none, as in a scanned paper, or where it takes too long."""
    pages: list[str] = []
    end = time.monotonic() + patterns.limit("longest_pdf")
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            return "", [UNREADABLE]
        for page in reader.pages[: patterns.limit("most_pages")]:
            content = page.get_contents()
            if time.monotonic() > end or (content and len(content.get_data()) > patterns.limit("largest_page")):
                return "\n".join(pages), [UNREADABLE]
            pages.append(page.extract_text())
        more = len(reader.pages) > patterns.limit("most_pages")
    except BROKEN_PDF:
        return "", [UNREADABLE]
    text = "\n".join(pages)
    return text, [UNREADABLE] * (more or not any(character.isalnum() for character in text))
