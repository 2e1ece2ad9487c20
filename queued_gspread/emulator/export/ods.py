"""All sheets as an OpenDocument spreadsheet: values with their types, and as they are shown."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from queued_gspread.emulator.book.cell import CellError
from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.values.patterns import DATE_TYPES
from queued_gspread.emulator.values.render import plain, shown
from queued_gspread.emulator.values.serial import moment_of

from . import archive

if TYPE_CHECKING:
    from queued_gspread.emulator.book.cell import Value
    from queued_gspread.emulator.book.grid import Row
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
_VERSION = "1.3"
# XML 1.0 cannot hold these, escaped or not.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"(?:^ | (?= )| $) *|\t")
_FLOATS = {"PERCENT": "percentage", "CURRENCY": "currency"}


def document(book: Spreadsheet) -> bytes:
    """Return the file: its type uncompressed and first, as the format wants it."""
    files = {
        "mimetype": _TYPE.encode(),
        "content.xml": _xml(_content(book)),
        "META-INF/manifest.xml": _xml(_manifest()),
    }
    return archive.zipped(files, stored=frozenset({"mimetype"}))


def _xml(root: ET.Element) -> bytes:
    found: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return found


def _manifest() -> ET.Element:
    spaces = {"xmlns:manifest": f"{_NAMES}:manifest:1.0", "manifest:version": _VERSION}
    root = ET.Element("manifest:manifest", spaces)
    for path, kind in (("/", _TYPE), ("content.xml", "text/xml")):
        entry = {"manifest:full-path": path, "manifest:media-type": kind}
        ET.SubElement(root, "manifest:file-entry", entry)
    return root


def _content(book: Spreadsheet) -> ET.Element:
    spaces = {f"xmlns:{name}": f"{_NAMES}:{name}:1.0" for name in ("office", "table", "text")}
    root = ET.Element("office:document-content", spaces | {"office:version": _VERSION})
    body = ET.SubElement(root, "office:body")
    tables, evaluator = ET.SubElement(body, "office:spreadsheet"), Evaluator(book)
    for sheet in book.sheets:
        _table(tables, evaluator, sheet)
    return root


def _table(tables: ET.Element, evaluator: Evaluator, sheet: Sheet) -> None:
    table = ET.SubElement(tables, "table:table", {"table:name": _legal(sheet.title)})
    last = sheet.grid.last_filled(sheet.grid.everything)
    height = last[0] + 1 if last else 1
    rows = [sheet.grid.row(row, 0, sheet.grid.column_count) for row in range(height)]
    width = max(*map(len, rows), 1)
    columns = {"table:number-columns-repeated": str(width)}
    ET.SubElement(table, "table:table-column", columns)
    for row, cells in enumerate(rows):
        _row(ET.SubElement(table, "table:table-row"), evaluator, sheet, row, cells)


def _row(line: ET.Element, evaluator: Evaluator, sheet: Sheet, row: int, cells: Row) -> None:
    for column, cell in enumerate(cells or [None]):
        found = ET.SubElement(line, "table:table-cell")
        value = evaluator.value(sheet, row, column)
        if cell is not None and value is not None:
            number_format = evaluator.number_format(sheet, row, column)
            found.attrib |= _typed(value, number_format.get("type", ""))
            _write_text(found, shown(cell, value, number_format))


def _typed(value: Value, kind: str) -> dict[str, str]:
    """Return the attributes for a value and its type; an error is a text."""
    if isinstance(value, bool):
        return {"office:value-type": "boolean", "office:boolean-value": str(value).lower()}
    if value is None or isinstance(value, (str, CellError)):
        return {"office:value-type": "string"}
    if kind in DATE_TYPES:
        try:
            return _moment(value, kind)
        except OverflowError:
            # No calendar goes that far.
            return _typed(value, "NUMBER")
    number = {"office:value-type": _FLOATS.get(kind, "float"), "office:value": str(plain(value))}
    return number | ({"office:currency": "USD"} if kind == "CURRENCY" else {})


def _moment(value: float, kind: str) -> dict[str, str]:
    if kind == "TIME":
        return {"office:value-type": "time", "office:time-value": _duration(value)}
    moment = moment_of(value)
    written = moment.isoformat() if value % 1 else moment.date().isoformat()
    return {"office:value-type": "date", "office:date-value": written}


def _duration(days: float) -> str:
    seconds = round(timedelta(days=abs(days)).total_seconds())
    hours, rest = divmod(seconds, 3600)
    sign = "-" if days < 0 else ""
    return f"{sign}PT{hours:02d}H{rest // 60:02d}M{rest % 60:02d}S"


def _write_text(cell: ET.Element, text: str) -> None:
    for line in _legal(text).split("\n"):
        _write_line(ET.SubElement(cell, "text:p"), line)


def _write_line(paragraph: ET.Element, line: str) -> None:
    """Write a line; tabs and repeated spaces are elements."""
    end, last = 0, None
    for match in [*_SPACES.finditer(line), None]:
        between = line[end : match.start() if match else len(line)]
        if last is None:
            paragraph.text = between
        else:
            last.tail = between
        if match:
            last = _space(paragraph, match[0])
            end = match.end()


def _space(paragraph: ET.Element, found: str) -> ET.Element:
    if found == "\t":
        return ET.SubElement(paragraph, "text:tab")
    return ET.SubElement(paragraph, "text:s", {"text:c": str(len(found))})


def _legal(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))
