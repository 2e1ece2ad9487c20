"""A spreadsheet's content in other formats: true in CSV and TSV, a valid shell in the rest."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING

from .values.evaluate import Evaluator
from .values.reading import read_range
from .values.render import Rendering

if TYPE_CHECKING:
    from .spreadsheet import Spreadsheet

CSV, TSV, PDF = "text/csv", "text/tab-separated-values", "application/pdf"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ARCHIVES = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/x-vnd.oasis.opendocument.spreadsheet",
    "application/zip",
}


def export_book(book: Spreadsheet, mime_type: str) -> bytes | None:
    """Return the content in a format, of the first sheet where it holds one; None if unknown."""
    if mime_type == CSV:
        return _delimited(book, ",")
    if mime_type == TSV:
        return _delimited(book, "\t")
    if mime_type == PDF:
        return _pdf()
    return _archive(book) if mime_type in _ARCHIVES else None


def _delimited(book: Spreadsheet, mark: str) -> bytes:
    sheet = book.sheets[0]
    whole = sheet.grid.everything
    found = read_range(Evaluator(book), sheet, whole, Rendering(), "ROWS").get("values", [])
    width = max(map(len, found), default=0)
    rows = [line + [""] * (width - len(line)) for line in found]
    if mark == "\t":
        tidy = (mark.join(" ".join(str(v).split("\n")).replace("\t", " ") for v in r) for r in rows)
        return "\r\n".join(tidy).encode()
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator="\r\n").writerows(rows)
    return text.getvalue().removesuffix("\r\n").encode()


def _archive(book: Spreadsheet) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for sheet in book.sheets:
            archive.writestr(zipfile.ZipInfo(f"{sheet.title}.txt", _EPOCH), sheet.title)
    return content.getvalue()


def _pdf() -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
    ]
    content, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return content + trailer % (len(objects) + 1, start)
