"""The computed values of a spreadsheet's cells, computed when they are read."""

from __future__ import annotations

import contextlib
import sys
from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from queued_gspread.emulator.book.a1 import Rect, range_name
from queued_gspread.emulator.book.not_computed import (
    TOO_DEEP,
    GapReadError,
    NotComputed,
    NotComputedError,
)
from queued_gspread.emulator.values.functions.arguments import (
    BAD_REFERENCE,
    UNREADABLE,
    Area,
    EvaluationError,
    text,
)

from .formula import Call, FormulaSyntaxError, Reference, UnsupportedSyntaxError, parse
from .inherited import inherited_format
from .interpret import Interpreter
from .place import named_range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.emulator.book.a1 import Bounds
    from queued_gspread.emulator.book.cell import Value
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

    from .formula import Name


class Place(NamedTuple):
    """A cell of a spreadsheet."""

    sheet_id: int
    row: int
    column: int


# What happens to a value that is not computed: a read follows the setting, an echo of a write
# records it, a peek ignores it, and if something stored needs it, it is an error.
Use: TypeAlias = Literal["read", "echo", "peek", "need"]


# Once a formula was begun so often, the cells that it still needs are computed inside it.
_MOST_BEGUN = 10
# Unless the stack is this high: the inner computation needs some of it as well.
_HIGH_STACK = 400


class _NotYetError(Exception):
    """Cells must be computed before the one that refers to them."""

    def __init__(self, places: list[Place]) -> None:
        super().__init__(places)
        self.places = places


class _Column:
    """The values of a column from the top; those of pending rows are not computed yet."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.pending: list[int] = []
        self.gaps: list[int] = []

    def awaited(self, start: int, end: int) -> list[int]:
        return self.pending[bisect_left(self.pending, start) : bisect_left(self.pending, end)]

    def has_gap(self, start: int, end: int) -> bool:
        return bool(self.gaps) and bisect_left(self.gaps, start) < bisect_left(self.gaps, end)

    def keep(self, row: int, value: Value) -> None:
        self.values[row] = value
        if isinstance(value, NotComputed):
            insort(self.gaps, row)
        del self.pending[bisect_left(self.pending, row)]


class Evaluator:
    """Computes cells of one spreadsheet, each once; it lives as long as one request.

    A formula that refers to cells which are not computed yet is put aside until they are, so a
    chain of references may have any length.
    """

    def __init__(self, book: Spreadsheet, use: Use = "read") -> None:
        """Read from this spreadsheet, for this use."""
        self.book = book
        self._use = use
        self._known: dict[Place, Value] = {}
        self._formats: dict[Place, Mapping[str, str]] = {}
        self._links: dict[Place, str] = {}
        self._columns: dict[tuple[int, int], _Column] = {}
        # How often each unfinished cell was begun; each waits for the one that follows it.
        self._begun: dict[Place, int] = {}

    def value(self, sheet: Sheet, row: int, column: int) -> Value:
        """Return a cell's value, computed if needed; report one that is not computed."""
        found = self._value(sheet, row, column)
        if isinstance(found, NotComputed) and self._use != "peek":
            gaps = self.book.gaps
            gaps.note(found)
            if self._use == "need" or (self._use == "read" and gaps.mode == "error"):
                raise GapReadError(_name(sheet, row, column), found)
        return found

    def _value(self, sheet: Sheet, row: int, column: int) -> Value:
        cell = sheet.grid.get(row, column)
        if cell.formula is None:
            return cell.value
        place = Place(sheet.sheet_id, row, column)
        if place not in self._known:
            self._work_out(place)
        return self._known[place]

    def number_format(self, sheet: Sheet, row: int, column: int) -> Mapping[str, str]:
        """Return a cell's own number format, or else the one that its formula brings."""
        cell = sheet.grid.get(row, column)
        if cell.number_format or cell.formula is None:
            return cell.number_format
        self._value(sheet, row, column)
        return self._formats.get(Place(sheet.sheet_id, row, column), {})

    def link(self, sheet: Sheet, row: int, column: int) -> str:
        """Return where a cell leads to by its HYPERLINK, or else by its format; '' for nowhere."""
        cell = sheet.grid.get(row, column)
        if cell.formula is not None:
            self._value(sheet, row, column)
        by_format = (cell.format or {}).get("textFormat", {}).get("link", {})
        return self._links.get(Place(sheet.sheet_id, row, column)) or str(by_format.get("uri", ""))

    def _work_out(self, wanted: Place, inside: bool = False) -> None:
        waiting = [wanted]
        while waiting:
            place = waiting[-1]
            if place not in self._known:
                self._begun[place] = self._begun.get(place, 0) + 1
                try:
                    self._keep(place, self._compute(place))
                except _NotYetError as missing:
                    if self._begun.keys().isdisjoint(missing.places):
                        waiting += missing.places
                        continue
                    self._break_circle(missing.places)
                except RecursionError:
                    if inside:
                        # The outer computation has more of the stack left for it.
                        self._forget(waiting)
                        raise _NotYetError([place]) from None
                    self._keep(place, TOO_DEEP.mark(self._name(place)))
            self._forget([waiting.pop()])

    def _forget(self, places: list[Place]) -> None:
        for place in places:
            self._begun.pop(place, None)

    def _await(self, places: list[Place]) -> None:
        """Put the current formula aside until these cells are computed."""
        often = next(reversed(self._begun.values())) > _MOST_BEGUN
        if not often or _is_stack_high() or not self._begun.keys().isdisjoint(places):
            raise _NotYetError(places)
        for place in places:
            self._work_out(place, inside=True)

    def _break_circle(self, closing: list[Place]) -> None:
        """Give `#REF!` to each cell of a circular reference, whichever was read first."""
        begun = list(self._begun)
        first = min(begun.index(place) for place in closing if place in self._begun)
        for place in begun[first:]:
            self._keep(place, BAD_REFERENCE)

    def _keep(self, place: Place, value: Value) -> None:
        if place in self._known:
            return
        self._known[place] = value
        column = self._columns.get((place.sheet_id, place.column))
        if column:
            column.keep(place.row, value)

    def _name(self, place: Place) -> str:
        sheet = self.book.sheet(place.sheet_id)
        assert sheet
        return _name(sheet, place.row, place.column)

    def _compute(self, place: Place) -> Value:
        sheet = self.book.sheet(place.sheet_id)
        assert sheet
        formula = sheet.grid.get(place.row, place.column).formula
        assert formula
        try:
            tree = parse(formula)
            interpreter = Interpreter(self, sheet, place.row, place.column)
            value = interpreter.result(tree)
            if isinstance(tree, Call) and tree.function == "HYPERLINK":
                with contextlib.suppress(EvaluationError):
                    self._links[place] = text(interpreter.single(tree.arguments[0]))
        except NotComputedError as gap:
            return gap.mark(self._name(place))
        except UnsupportedSyntaxError as found:
            return NotComputedError(str(found)).mark(self._name(place))
        except EvaluationError as failure:
            return failure.error
        except FormulaSyntaxError:
            return UNREADABLE
        # No format is determined for a formula that is too long for the stack.
        with contextlib.suppress(RecursionError):
            self._formats[place] = inherited_format(tree, lambda node: self._format_at(sheet, node))
        return value

    def area(self, sheet: Sheet, bounds: Bounds) -> Area:
        """Return the values of a reference; raise `#REF!` outside the grid."""
        rect = bounds.within(sheet.grid.row_count, sheet.grid.column_count)
        if rect.height < 1 or rect.width < 1:
            raise EvaluationError(BAD_REFERENCE)
        place = rect.start_row, rect.start_column
        if rect.height == rect.width == 1:
            value = self._single(sheet, *place)
            return Area([[value]], 1, place, isinstance(value, NotComputed))
        columns = [
            self._column(sheet, index) for index in range(rect.start_column, rect.end_column)
        ]
        missing = [
            Place(sheet.sheet_id, row, rect.start_column + offset)
            for offset, column in enumerate(columns)
            for row in column.awaited(rect.start_row, rect.end_row)
        ]
        if missing:
            self._await(missing)
        cut = [column.values[rect.start_row : rect.end_row] for column in columns]
        has_gaps = any(column.has_gap(rect.start_row, rect.end_row) for column in columns)
        return Area(cut, rect.height, place, has_gaps)

    def _single(self, sheet: Sheet, row: int, column: int) -> Value:
        cell = sheet.grid.get(row, column)
        if cell.formula is None:
            return cell.value
        place = Place(sheet.sheet_id, row, column)
        if place not in self._known:
            self._await([place])
        return self._known[place]

    def _column(self, sheet: Sheet, index: int) -> _Column:
        key = sheet.sheet_id, index
        if key not in self._columns:
            found = self._columns[key] = _Column()
            for row, _, cell in sheet.grid.stored(Rect(0, sheet.grid.row_count, index, index + 1)):
                found.values += [None] * (row - len(found.values))
                place = Place(sheet.sheet_id, row, index)
                value = self._known.get(place, cell.value)
                found.values.append(value)
                found.gaps += [row] if isinstance(value, NotComputed) else []
                if cell.formula is not None and place not in self._known:
                    found.pending.append(row)
        return self._columns[key]

    def _format_at(self, sheet: Sheet, node: Reference | Name) -> Mapping[str, str]:
        """Return the number format of the first cell that a node refers to."""
        found: tuple[Sheet | None, Bounds] | None
        if isinstance(node, Reference):
            found = self.book.titled(node.title) if node.title is not None else sheet, node.bounds
        else:
            found = named_range(self.book, node.name, sheet)
        if found is None or found[0] is None:
            return {}
        where, bounds = found
        assert where
        row, column = bounds.start_row or 0, bounds.start_column or 0
        own = where.grid.get(row, column).number_format
        return own or self._formats.get(Place(where.sheet_id, row, column), {})


def _is_stack_high() -> bool:
    try:
        sys._getframe(_HIGH_STACK)  # noqa: SLF001  - the way to ask that reads no frames' contents
    except ValueError:
        return False
    return True


def _name(sheet: Sheet, row: int, column: int) -> str:
    return range_name(sheet.title, Rect(row, row + 1, column, column + 1))
