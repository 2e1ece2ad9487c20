"""A spreadsheet's content in the formats that Drive exports it to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import delimited, html, ods, pdf, xlsx

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

# By their MIME types: the name in the address of an export, and what writes it.
_WRITERS: dict[str, tuple[str, Callable[[Spreadsheet, datetime], bytes]]] = {
    "application/x-vnd.oasis.opendocument.spreadsheet": ("ods", lambda b, _: ods.document(b)),
    "text/tab-separated-values": ("tsv", lambda book, _: delimited.tsv_of(book)),
    "application/pdf": ("pdf", lambda book, _: pdf.pages(book)),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx", xlsx.workbook),
    "text/csv": ("csv", lambda book, _: delimited.csv_of(book)),
    "application/zip": ("zip", lambda book, _: html.zipped(book)),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods", lambda book, _: ods.document(book)),
}
NAMES = {mime_type: name for mime_type, (name, _) in _WRITERS.items()}


def export_book(book: Spreadsheet, mime_type: str, created: datetime) -> bytes | None:
    """Return the content in a format, None if it is unknown.

    CSV, TSV and PDF hold only the first sheet. A file format that states when it was made states
    `created`, so that the same spreadsheet always gives the same bytes.
    """
    _, write = _WRITERS.get(mime_type, ("", None))
    return write(book, created) if write else None
