"""The computed values of a spreadsheet's cells, worked out when they are read."""

from __future__ import annotations

import contextlib
import math
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from queued_gspread.emulator.a1 import Rect
from queued_gspread.emulator.spreadsheet import bounds_of

from .formula import Call, Constant, FormulaSyntaxError, Name, Reference, parse
from .functions import FUNCTIONS
from .functions.arguments import (
    BAD_NUMBER,
    BAD_REFERENCE,
    NOT_AVAILABLE,
    UNKNOWN_NAME,
    UNREADABLE,
    Area,
    EvaluationError,
    bounded,
    scalar,
)
from .functions.conditional import CONDITIONAL
from .functions.operators import OPERATORS
from .inherited import inherited_format
from .serial import serial_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.emulator.a1 import Bounds
    from queued_gspread.emulator.sheet import Sheet
    from queued_gspread.emulator.spreadsheet import Spreadsheet

    from .formula import Node, Value
    from .functions.arguments import Argument


class Place(NamedTuple):
    """A cell of a spreadsheet."""

    sheet_id: int
    row: int
    column: int


class _NotYetError(Exception):
    """Cells have to be worked out before the one that refers to them."""

    def __init__(self, places: list[Place]) -> None:
        super().__init__(places)
        self.places = places


class _Column:
    """The values of a column from the top; of pending rows they are not worked out yet."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.pending: list[int] = []

    def awaited(self, start: int, end: int) -> list[int]:
        return self.pending[bisect_left(self.pending, start) : bisect_left(self.pending, end)]

    def keep(self, row: int, value: Value) -> None:
        self.values[row] = value
        del self.pending[bisect_left(self.pending, row)]


class Evaluator:
    """Computes cells of one spreadsheet, each once; it lives as long as one request.

    A formula that refers to cells which are not worked out is put aside until they are, so the
    chain of references may be of any length.
    """

    def __init__(self, book: Spreadsheet) -> None:
        """Read from this spreadsheet."""
        self._book = book
        self._known: dict[Place, Value] = {}
        self._formats: dict[Place, Mapping[str, str]] = {}
        self._columns: dict[tuple[int, int], _Column] = {}
        self._home = Place(0, 0, 0)

    def value(self, sheet: Sheet, row: int, column: int) -> Value:
        """Return what a cell holds or computes to."""
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
        self.value(sheet, row, column)
        return self._formats.get(Place(sheet.sheet_id, row, column), {})

    def _work_out(self, wanted: Place) -> None:
        waiting, begun = [wanted], set[Place]()
        while waiting:
            place = waiting[-1]
            if place not in self._known:
                begun.add(place)
                try:
                    value = self._compute(place)
                except _NotYetError as missing:
                    if begun.isdisjoint(missing.places):
                        waiting += missing.places
                        continue
                    # It refers to a cell that waits for it.
                    value = BAD_REFERENCE
                self._keep(place, value)
            waiting.pop()

    def _keep(self, place: Place, value: Value) -> None:
        self._known[place] = value
        column = self._columns.get((place.sheet_id, place.column))
        if column:
            column.keep(place.row, value)

    def _compute(self, place: Place) -> Value:
        sheet = self._book.sheet(place.sheet_id)
        assert sheet
        formula = sheet.grid.get(place.row, place.column).formula
        assert formula
        self._home = place
        try:
            tree = parse(formula)
            value = scalar(self._node(sheet, tree))
        except EvaluationError as failure:
            return failure.error
        except (FormulaSyntaxError, RecursionError):
            return UNREADABLE
        # Of a formula too long for the stack the format is not looked for.
        with contextlib.suppress(RecursionError):
            self._formats[place] = inherited_format(tree, lambda node: self._format_at(sheet, node))
        return value

    def _node(self, sheet: Sheet, node: Node) -> Argument:
        """Return a node's value; what cannot be computed is an error as a value."""
        if isinstance(node, Constant):
            return node.value
        try:
            if isinstance(node, (Reference, Name)):
                return self._area(*self._place(sheet, node))
            return self._call(sheet, node)
        except EvaluationError as failure:
            return failure.error
        except (ArithmeticError, ValueError):
            return BAD_NUMBER

    def _call(self, sheet: Sheet, call: Call) -> Argument:
        if call.function in OPERATORS:
            return self._operation(sheet, call)
        if call.function in CONDITIONAL:
            conditional, least, most = CONDITIONAL[call.function]
            _check_count(call, least, most)
            return conditional(call.arguments, lambda node: self._node(sheet, node))
        if call.function in _OF_THE_PLACE:
            return self._of_the_place(sheet, call)
        function = FUNCTIONS.get(call.function)
        if function is None:
            raise EvaluationError(UNKNOWN_NAME)
        _check_count(call, function.least, function.most)
        return bounded(function.compute([self._node(sheet, each) for each in call.arguments]))

    def _operation(self, sheet: Sheet, call: Call) -> Argument:
        """Compute a chain of operators from its left end on: it may be longer than the stack."""
        chain: list[Call] = []
        node: Node = call
        while isinstance(node, Call) and node.function in OPERATORS:
            chain.append(node)
            node = node.arguments[0]
        value = self._node(sheet, node)
        for link in reversed(chain):
            rest = [self._node(sheet, argument) for argument in link.arguments[1:]]
            value = OPERATORS[link.function]([value, *rest])
        return value

    def _of_the_place(self, sheet: Sheet, call: Call) -> Argument:
        """Compute what depends on the time, or on where the formula stands."""
        if call.function in {"TODAY", "NOW"}:
            _check_count(call, 0, 0)
            now = self._book.now()
            serial = serial_of(now.date(), now.time())
            return serial if call.function == "NOW" else math.floor(serial)
        _check_count(call, 0, 1)
        row, column = self._home.row, self._home.column
        if call.arguments:
            argument = self._node(sheet, call.arguments[0])
            if not isinstance(argument, Area):
                raise EvaluationError(NOT_AVAILABLE)
            row, column = argument.place
        return (row if call.function == "ROW" else column) + 1

    def _area(self, sheet: Sheet, bounds: Bounds) -> Area:
        rect = bounds.within(sheet.grid.row_count, sheet.grid.column_count)
        if rect.height < 1 or rect.width < 1:
            raise EvaluationError(BAD_REFERENCE)
        place = rect.start_row, rect.start_column
        if rect.height == rect.width == 1:
            return Area([[self._single(sheet, *place)]], 1, place)
        columns = [
            self._column(sheet, index) for index in range(rect.start_column, rect.end_column)
        ]
        missing = [
            Place(sheet.sheet_id, row, rect.start_column + offset)
            for offset, column in enumerate(columns)
            for row in column.awaited(rect.start_row, rect.end_row)
        ]
        if missing:
            raise _NotYetError(missing)
        cut = [column.values[rect.start_row : rect.end_row] for column in columns]
        return Area(cut, rect.height, place)

    def _single(self, sheet: Sheet, row: int, column: int) -> Value:
        cell = sheet.grid.get(row, column)
        if cell.formula is None:
            return cell.value
        place = Place(sheet.sheet_id, row, column)
        if place not in self._known:
            raise _NotYetError([place])
        return self._known[place]

    def _column(self, sheet: Sheet, index: int) -> _Column:
        key = sheet.sheet_id, index
        if key not in self._columns:
            found = self._columns[key] = _Column()
            for row, _, cell in sheet.grid.stored(Rect(0, sheet.grid.row_count, index, index + 1)):
                found.values += [None] * (row - len(found.values))
                place = Place(sheet.sheet_id, row, index)
                found.values.append(self._known.get(place, cell.value))
                if cell.formula is not None and place not in self._known:
                    found.pending.append(row)
        return self._columns[key]

    def _place(self, sheet: Sheet, node: Reference | Name) -> tuple[Sheet, Bounds]:
        if isinstance(node, Reference):
            where = self._book.titled(node.title) if node.title is not None else sheet
            if where is None:
                raise EvaluationError(BAD_REFERENCE)
            return where, node.bounds
        for named in self._book.named_ranges:
            if named["name"].casefold() == node.name.casefold():
                where = self._book.sheet(named["range"].get("sheetId", 0))
                return where or sheet, bounds_of(named["range"])
        raise EvaluationError(UNKNOWN_NAME)

    def _format_at(self, sheet: Sheet, node: Reference | Name) -> Mapping[str, str]:
        """Return the number format of the first cell that a node refers to."""
        try:
            where, bounds = self._place(sheet, node)
        except EvaluationError:
            return {}
        row, column = bounds.start_row or 0, bounds.start_column or 0
        own = where.grid.get(row, column).number_format
        return own or self._formats.get(Place(where.sheet_id, row, column), {})


_OF_THE_PLACE = frozenset({"TODAY", "NOW", "ROW", "COLUMN"})


def _check_count(call: Call, least: int, most: int | None) -> None:
    """Fail, as Google does, with `#N/A` for a wrong number of arguments."""
    if len(call.arguments) < least or (most is not None and len(call.arguments) > most):
        raise EvaluationError(NOT_AVAILABLE)
