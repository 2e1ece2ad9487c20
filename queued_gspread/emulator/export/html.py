"""All sheets as HTML pages in a zip archive."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from queued_gspread.emulator.values.evaluate import Evaluator

from . import archive
from .shown import shown_rows
from .titles import file_names

if TYPE_CHECKING:
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

_STYLE = "table { border-collapse: collapse; }\ntd { border: 1px solid #ccc; padding: 2px 3px; }\n"
_PAGE = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="resources/sheet.css">
</head>
<body>
<table>
{rows}
</table>
</body>
</html>
"""


def zipped(book: Spreadsheet) -> bytes:
    """Return an archive with a page for every sheet: a table of its shown values."""
    evaluator = Evaluator(book)
    names = file_names([sheet.title for sheet in book.sheets])
    files = {"resources/sheet.css": _STYLE.encode()}
    for sheet, name in zip(book.sheets, names, strict=True):
        files[f"{name}.html"] = _page(sheet.title, shown_rows(evaluator, sheet))
    return archive.zipped(files)


def _page(title: str, rows: list[list[str]]) -> bytes:
    table = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return _PAGE.format(title=escape(title), rows=table).encode()


def _cell(text: str) -> str:
    return f"<td>{escape(text).replace(chr(10), '<br>')}</td>"
