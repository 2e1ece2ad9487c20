"""The first sheet as a PDF file: a line of text for every row."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from queued_gspread.emulator.values.evaluate import Evaluator

from .shown import shown_rows

if TYPE_CHECKING:
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

_BETWEEN_CELLS = "   "
_LINES_A_PAGE, _LETTERS_A_LINE = 56, 90
_WIDTH, _HEIGHT, _MARGIN = 612, 792, 54
_SIZE, _LEADING = 10, 12
_CATALOG, _PAGES, _FONT, _FIRST_PAGE = 1, 2, 3, 4


def pages(book: Spreadsheet) -> bytes:
    """Return the shown values on US Letter pages; characters not in Windows-1252 become `?`."""
    rows = shown_rows(Evaluator(book), book.sheets[0])
    lines = [line for row in rows for line in _lines(_BETWEEN_CELLS.join(row))]
    starts = range(0, max(len(lines), 1), _LINES_A_PAGE)
    return _file(_objects([lines[start : start + _LINES_A_PAGE] for start in starts]))


def _lines(text: str) -> list[str]:
    """Break a row's text where a cell has line ends and where the page does."""
    broken = [
        textwrap.wrap(part, _LETTERS_A_LINE, drop_whitespace=False, replace_whitespace=False)
        for part in text.expandtabs().split("\n")
    ]
    return [line for part in broken for line in part or [""]]


def _objects(leaves: list[list[str]]) -> list[bytes]:
    """Return the objects of a document in the order of their numbers, from 1 on."""
    kids = b" ".join(b"%d 0 R" % (_FIRST_PAGE + 2 * place) for place in range(len(leaves)))
    objects = [
        b"<< /Type /Catalog /Pages %d 0 R >>" % _PAGES,
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(leaves)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for place, lines in enumerate(leaves):
        objects += [_page(_FIRST_PAGE + 2 * place + 1), _stream(_drawing(lines))]
    return objects


def _page(content: int) -> bytes:
    return (
        b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %d %d] "
        b"/Resources << /Font << /F1 %d 0 R >> >> /Contents %d 0 R >>"
    ) % (_PAGES, _WIDTH, _HEIGHT, _FONT, content)


def _drawing(lines: list[str]) -> bytes:
    start = b"BT /F1 %d Tf %d TL %d %d Td" % (_SIZE, _LEADING, _MARGIN, _HEIGHT - _MARGIN)
    return b"\n".join([start, *(b"(%s) Tj T*" % _literal(line) for line in lines), b"ET"])


def _literal(text: str) -> bytes:
    encoded = "".join(letter if letter.isprintable() else "?" for letter in text)
    marked = encoded.encode("cp1252", "replace").replace(b"\\", b"\\\\")
    return marked.replace(b"(", b"\\(").replace(b")", b"\\)")


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def _file(objects: list[bytes]) -> bytes:
    content, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, text in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(content) + trailer % (len(objects) + 1, _CATALOG, start)
