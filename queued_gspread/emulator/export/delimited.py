"""The first sheet as comma or tab separated values."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from queued_gspread.emulator.values.evaluate import Evaluator

from .shown import shown_rows

if TYPE_CHECKING:
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet


def csv_of(book: Spreadsheet) -> bytes:
    """Return the shown values as CSV, quoted only if they must be."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(_even_rows(book))
    return text.getvalue().removesuffix("\r\n").encode()


def tsv_of(book: Spreadsheet) -> bytes:
    """Return the shown values as TSV; tabs and line ends in them become spaces."""
    lines = (
        "\t".join(" ".join(text.split("\n")).replace("\t", " ") for text in row)
        for row in _even_rows(book)
    )
    return "\r\n".join(lines).encode()


def _even_rows(book: Spreadsheet) -> list[list[str]]:
    rows = shown_rows(Evaluator(book), book.sheets[0])
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]
