"""The computed values of a spreadsheet's cells, worked out when they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.spreadsheet import bounds_of

from .formula import CellError, Constant, FormulaSyntaxError, Name, Reference, parse
from .functions import BAD_NUMBER, BAD_REFERENCE, FUNCTIONS, UNKNOWN_NAME, EvaluationError

if TYPE_CHECKING:
    from queued_gspread.emulator.a1 import Bounds
    from queued_gspread.emulator.sheet import Sheet
    from queued_gspread.emulator.spreadsheet import Spreadsheet

    from .formula import Call, Node, Value

_SYNTAX = CellError("#ERROR!")
Place = tuple[int, int, int]


class Evaluator:
    """Computes cells of one spreadsheet, each once; it lives as long as one request."""

    def __init__(self, book: Spreadsheet) -> None:
        """Read from this spreadsheet."""
        self._book = book
        self._known: dict[Place, Value] = {}
        self._open: set[Place] = set()

    def value(self, sheet: Sheet, row: int, column: int) -> Value:
        """Return what a cell holds or computes to."""
        cell = sheet.grid.get(row, column)
        if cell.formula is None:
            return cell.value
        place = (sheet.sheet_id, row, column)
        if place in self._open:
            return BAD_REFERENCE
        if place not in self._known:
            self._open.add(place)
            self._known[place] = self._compute(sheet, cell.formula)
            self._open.discard(place)
        return self._known[place]

    def _compute(self, sheet: Sheet, formula: str) -> Value:
        try:
            return self._node(sheet, parse(formula))
        except FormulaSyntaxError:
            return _SYNTAX
        except EvaluationError as failure:
            return failure.error
        except ArithmeticError:
            return BAD_NUMBER
        except (IndexError, ValueError, RecursionError):
            return CellError("#N/A")

    def _node(self, sheet: Sheet, node: Node) -> Value:
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, (Reference, Name)):
            return next(iter(self._cells(sheet, node)), None)
        return self._call(sheet, node)

    def _call(self, sheet: Sheet, call: Call) -> Value:
        if call.function == "IF":
            return self._if(sheet, call)
        if call.function == "IFERROR":
            return self._if_error(sheet, call)
        function = FUNCTIONS.get(call.function)
        if function is None:
            raise EvaluationError(UNKNOWN_NAME)
        values: list[Value] = []
        for argument in call.arguments:
            if isinstance(argument, (Reference, Name)):
                values.extend(self._cells(sheet, argument))
            else:
                values.append(self._node(sheet, argument))
        return function(values)

    def _if(self, sheet: Sheet, call: Call) -> Value:
        condition = self._node(sheet, call.arguments[0])
        if isinstance(condition, CellError):
            raise EvaluationError(condition)
        chosen = call.arguments[1:2] if condition else call.arguments[2:3]
        return self._node(sheet, chosen[0]) if chosen else False

    def _if_error(self, sheet: Sheet, call: Call) -> Value:
        try:
            value = self._node(sheet, call.arguments[0])
        except EvaluationError as failure:
            value = failure.error
        if not isinstance(value, CellError):
            return value
        return self._node(sheet, call.arguments[1]) if len(call.arguments) > 1 else ""

    def _cells(self, sheet: Sheet, node: Reference | Name) -> list[Value]:
        where, bounds = self._place(sheet, node)
        rect = bounds.within(where.grid.row_count, where.grid.column_count)
        return [
            self.value(where, row, column)
            for row in range(rect.start_row, rect.end_row)
            for column in range(rect.start_column, rect.end_column)
        ]

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
