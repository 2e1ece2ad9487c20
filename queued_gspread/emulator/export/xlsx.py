"""All sheets as an Excel workbook."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.batch.dimensions import DEFAULT_PIXELS
from queued_gspread.emulator.book.a1 import Rect, bounds_of, column_letters, quote_title
from queued_gspread.emulator.book.cell import CellError
from queued_gspread.emulator.values.evaluate import Evaluator

from .titles import excel_titles
from .xlsx_formula import excel_formula
from .xlsx_style import Styles, color, theme_colors

if TYPE_CHECKING:
    from queued_gspread.emulator.book.cell import Value
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

_LONGEST_TEXT = 32_767
_NO_GRIDLINES = 2
# Names that Google allows and Excel takes for a cell.
_LIKE_A_CELL = re.compile(r"[A-Z]{1,3}[0-9]+|R[0-9]*(C[0-9]*)?|C[0-9]*", re.IGNORECASE)


@dataclass(frozen=True)
class _Copying:
    """What all sheets share: computed values, formats and the sheets' new titles."""

    evaluator: Evaluator
    styles: Styles
    renamed: dict[str, str]


def workbook(book: Spreadsheet, created: datetime) -> bytes:
    """Return the workbook, which states `created` as its creation time.

    Titles that Excel does not allow are replaced, also in formulas. An invalid formula becomes the
    error that it shows. Anything beyond Excel's limits is left out: rows after 1048576, columns
    after XFD, characters after 32767 in a cell.
    """
    import xlsxwriter  # type: ignore[import-untyped]  # noqa: PLC0415  - for this export alone

    content = io.BytesIO()
    target = xlsxwriter.Workbook(content, {"in_memory": True, "use_future_functions": True})
    utc = created.replace(tzinfo=created.tzinfo or timezone.utc).astimezone(timezone.utc)
    target.set_properties({"title": book.title, "created": utc})
    titles = [sheet.title for sheet in book.sheets]
    names = excel_titles(titles)
    renamed = {old: new for old, new in zip(titles, names, strict=True) if old != new}
    theme = theme_colors(book.properties)
    copying = _Copying(Evaluator(book), Styles(target, theme), renamed)
    for sheet, name in zip(book.sheets, names, strict=True):
        page = target.add_worksheet(name)
        _arrange(page, sheet, color(sheet.properties, "tabColor", theme))
        _size(page, sheet, "COLUMNS")
        _size(page, sheet, "ROWS")
        _fill(page, sheet, copying)
    _show(target, book)
    _name_ranges(target, book, renamed)
    target.close()
    return content.getvalue()


def _arrange(page: Any, sheet: Sheet, tab: str | None) -> None:
    grid = sheet.grid_properties
    frozen = grid.get("frozenRowCount", 0), grid.get("frozenColumnCount", 0)
    if any(frozen):
        page.freeze_panes(*frozen)
    if grid.get("hideGridlines"):
        page.hide_gridlines(_NO_GRIDLINES)
    if sheet.properties.get("rightToLeft"):
        page.right_to_left()
    if tab:
        page.set_tab_color(tab)
    if sheet.basic_filter:
        bounds = bounds_of(sheet.basic_filter["range"])
        page.autofilter(*_corners(bounds.within(sheet.grid.row_count, sheet.grid.column_count)))


def _size(page: Any, sheet: Sheet, dimension: str) -> None:
    """Hide rows or columns and give them their size, 100 pixels to other columns."""
    by_rows, default = dimension == "ROWS", DEFAULT_PIXELS[dimension]
    if not by_rows:
        page.set_column_pixels(0, sheet.grid.column_count - 1, default)
    for index, found in sheet.dimensions[dimension].items():
        place = (index,) if by_rows else (index, index)
        apply = page.set_row_pixels if by_rows else page.set_column_pixels
        pixels, hidden = found.get("pixelSize", default), bool(found.get("hiddenByUser"))
        apply(*place, pixels, None, {"hidden": hidden})


def _fill(page: Any, sheet: Sheet, copying: _Copying) -> None:
    """Write the cells; a merge comes first, since it writes to its cells as well."""
    for merge in sheet.merges:
        first = sheet.grid.get(merge.start_row, merge.start_column)
        page.merge_range(*_corners(merge), "", copying.styles.of(first, first.number_format))
    for row, column, cell in sheet.grid.stored(sheet.grid.everything):
        value = copying.evaluator.value(sheet, row, column)
        look = copying.styles.of(cell, copying.evaluator.number_format(sheet, row, column))
        formula = cell.formula and excel_formula(cell.formula, copying.renamed)
        _write(page, (row, column), formula, value, look)
        if cell.note:
            page.write_comment(row, column, cell.note[:_LONGEST_TEXT])


def _write(page: Any, place: tuple[int, int], formula: str | None, value: Value, look: Any) -> None:
    code = value.code if isinstance(value, CellError) else value
    if formula:
        page.write_formula(*place, formula, look, "" if code is None else code)
    elif isinstance(code, bool):
        page.write_boolean(*place, code, look)
    elif isinstance(code, str):
        page.write_string(*place, code[:_LONGEST_TEXT], look)
    elif code is not None:
        page.write_number(*place, code, look)
    elif look is not None:
        page.write_blank(*place, None, look)


def _show(target: Any, book: Spreadsheet) -> None:
    """Hide hidden sheets and open the workbook at the first that is not."""
    pages = list(zip(target.worksheets(), book.sheets, strict=True))
    first = next((page for page, sheet in pages if not sheet.is_hidden), None)
    if first is not None:
        first.activate()
        first.set_first_sheet()
    for page, sheet in pages:
        if sheet.is_hidden:
            page.hide()


def _name_ranges(target: Any, book: Spreadsheet, renamed: dict[str, str]) -> None:
    for named in book.named_ranges:
        sheet = book.sheet(named["range"].get("sheetId", 0))
        if sheet is None or _LIKE_A_CELL.fullmatch(named["name"]):
            continue
        bounds = bounds_of(named["range"])
        rect = bounds.within(sheet.grid.row_count, sheet.grid.column_count)
        title = quote_title(renamed.get(sheet.title, sheet.title))
        target.define_name(named["name"], f"={title}!{_fixed(rect)}")


def _fixed(rect: Rect) -> str:
    """Return a range whose references do not move: `$A$1:$B$2`."""
    first, last = column_letters(rect.start_column), column_letters(rect.end_column - 1)
    return f"${first}${rect.start_row + 1}:${last}${rect.end_row}"


def _corners(rect: Rect) -> tuple[int, int, int, int]:
    return rect.start_row, rect.start_column, rect.end_row - 1, rect.end_column - 1
