"""A spreadsheet's content in the formats that Drive exports it to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import delimited, html, ods, pdf, xlsx

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

_WRITERS: dict[str, Callable[[Spreadsheet, datetime], bytes]] = {
    "text/csv": lambda book, _: delimited.csv_of(book),
    "text/tab-separated-values": lambda book, _: delimited.tsv_of(book),
    "application/pdf": lambda book, _: pdf.pages(book),
    "application/zip": lambda book, _: html.zipped(book),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": xlsx.workbook,
    "application/vnd.oasis.opendocument.spreadsheet": lambda book, _: ods.document(book),
    "application/x-vnd.oasis.opendocument.spreadsheet": lambda book, _: ods.document(book),
}


def export_book(book: Spreadsheet, mime_type: str, created: datetime) -> bytes | None:
    """Return the content in a format, None if it is unknown.

    CSV, TSV and PDF hold only the first sheet. A file format that states when it was made states
    `created`, so that the same spreadsheet always gives the same bytes.
    """
    write = _WRITERS.get(mime_type)
    return write(book, created) if write else None
