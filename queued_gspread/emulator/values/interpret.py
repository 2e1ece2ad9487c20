"""Compute one formula: operators, functions, conditions and references."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.not_computed import NotComputedError
from queued_gspread.emulator.values.functions.arguments import (
    BAD_NUMBER,
    NOT_AVAILABLE,
    UNKNOWN_NAME,
    WRONG_TYPE,
    Area,
    EvaluationError,
    RangeGivenError,
    bounded,
    scalar,
)
from queued_gspread.emulator.values.functions.conditional import CONDITIONAL
from queued_gspread.emulator.values.functions.lifting import cells_of, lifted, places_of
from queued_gspread.emulator.values.functions.operators import OPERATORS
from queued_gspread.emulator.values.functions.shapes import stacked

from .formula import ARRAY, ARRAY_ROW, Call, Constant, Name, Reference
from .functions import FUNCTIONS
from .names import GOOGLE
from .place import REFERRING, place_of
from .special import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from queued_gspread.emulator.book.cell import Value
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.values.functions.arguments import Argument

    from .evaluation import Cells
    from .formula import Node

# Functions whose arguments are computed for each cell of a range, as in ARRAYFORMULA.
_TAKING_ARRAYS = frozenset({"SUMPRODUCT", "INDEX", "FILTER", "SORT", "MMULT", "LOOKUP"})
# The most cells that repeated parts of a formula may visit: tests should not take long.
_MOST_CELLS = 10_000_000
# Functions that pass on an array as a whole.
_PASSING_ARRAYS = frozenset({"IFERROR", "IFNA"})


class Interpreter:
    """Computes the formula of one cell."""

    def __init__(self, cells: Cells, sheet: Sheet, row: int, column: int) -> None:
        """Take the formula's sheet and cell."""
        self.cells = cells
        self.book = cells.book
        self.sheet = sheet
        self.row, self.column = row, column
        self.scope: dict[str, Argument] = {}
        self.takes_arrays = False
        self._spent = 0

    def result(self, tree: Node) -> Value:
        """Return what the cell shows; raise NotComputedError if it would be several cells."""
        found = self.argument(tree)
        if not isinstance(found, Area) or found.height == found.width == 1:
            return scalar(found)
        if found.place is None:
            raise NotComputedError(f"a result of {found.height} by {found.width} cells")
        return self._own(found)

    def argument(self, node: Node) -> Argument:
        """Return a node's value; what cannot be computed is an error as a value."""
        if isinstance(node, Constant):
            return node.value
        try:
            found = self._computed(node)
        except EvaluationError as failure:
            found = failure.error
        except (ArithmeticError, ValueError):
            found = BAD_NUMBER
        if self.scope:
            self.spend(1 + cells_of(found))
        return found

    def spend(self, cells: int) -> None:
        """Count the cells that repeated parts visit, and end the formula if they are too many."""
        self._spent += cells
        if self._spent > _MOST_CELLS:
            raise NotComputedError(f"formulas that go over more than {_MOST_CELLS} cells")

    def single(self, node: Node) -> Value:
        """Return a node's single value; of a range, the one in the formula's row or column."""
        found = self.argument(node)
        if isinstance(found, Area) and found.height * found.width > 1:
            if self.takes_arrays:
                raise NotComputedError("arrays of references")
            return self._own(found)
        return scalar(found)

    @contextlib.contextmanager
    def arrays(self, taken: bool = True) -> Iterator[None]:
        """Compute functions inside for each cell of a range, if `taken` or already so."""
        before, self.takes_arrays = self.takes_arrays, self.takes_arrays or taken
        try:
            yield
        finally:
            self.takes_arrays = before

    def _computed(self, node: Reference | Name | Call) -> Argument:
        if isinstance(node, Name) and node.name.casefold() in self.scope:
            return self.scope[node.name.casefold()]
        if isinstance(node, (Reference, Name)):
            return self.cells.area(*place_of(self, node))
        if node.function in OPERATORS:
            return self._operation(node)
        return self._call(node)

    def _call(self, call: Call) -> Argument:
        name = call.function
        if name in CONDITIONAL:
            return self._conditional(call)
        if name in REFERRING:
            found = self.cells.area(*place_of(self, call))
            found.place = None
            return found
        if name in SPECIAL:
            special = SPECIAL[name]
            check_count(call, special.least, special.most)
            return bounded(special.compute(self, call.arguments))
        if name in {ARRAY, ARRAY_ROW}:
            return stacked([self.argument(each) for each in call.arguments], down=name == ARRAY)
        function = FUNCTIONS.get(name)
        if function is None:
            if name.casefold() in self.scope:
                raise NotComputedError("calls of a LAMBDA by a name")
            raise NotComputedError(name) if name in GOOGLE else EvaluationError(UNKNOWN_NAME)
        check_count(call, function.least, function.most)
        with self.arrays(name in _TAKING_ARRAYS):
            values = [self.argument(each) for each in call.arguments]
        return self._applied(function.compute, values)

    def _operation(self, call: Call) -> Argument:
        """Compute a chain of operators from its left end: it may be longer than the stack."""
        chain: list[Call] = []
        node: Node = call
        while isinstance(node, Call) and node.function in OPERATORS:
            chain.append(node)
            node = node.arguments[0]
        value = self.argument(node)
        for link in reversed(chain):
            rest = [self.argument(argument) for argument in link.arguments[1:]]
            value = self._applied(OPERATORS[link.function], [value, *rest])
        return value

    def _applied(
        self, compute: Callable[[Sequence[Argument]], Argument], values: Sequence[Argument]
    ) -> Argument:
        try:
            return bounded(compute(values))
        except RangeGivenError as given:
            places = places_of(given.area, values)
            if not places:
                raise NotComputedError("ranges of ranges") from None
            if self.takes_arrays:
                return lifted(compute, values, places, self.spend)
            own = self._own(given.area)
            return self._applied(
                compute, [own if place in places else value for place, value in enumerate(values)]
            )

    def _conditional(self, call: Call) -> Argument:
        conditional, least, most = CONDITIONAL[call.function]
        check_count(call, least, most)
        known: dict[int, Argument] = {}

        def evaluate(node: Node) -> Argument:
            if id(node) not in known:
                known[id(node)] = self.argument(node)
            return known[id(node)]

        while True:
            try:
                return conditional(call.arguments, evaluate)
            except RangeGivenError as given:
                at = next((key for key, value in known.items() if value is given.area), None)
                if at is None:
                    raise NotComputedError("ranges of ranges") from None
                passed_on = given.area.place is None and call.function in _PASSING_ARRAYS
                if self.takes_arrays or passed_on:
                    values = [evaluate(node) for node in call.arguments]
                    places = places_of(given.area, values)
                    return lifted(
                        lambda given: _over(conditional, given), values, places, self.spend
                    )
                known[at] = self._own(given.area)

    def _own(self, area: Area) -> Value:
        """Return the value of a range in the formula's own row or column."""
        if area.place is None:
            raise NotComputedError("an array where one value is wanted")
        row, column = self.row - area.place[0], self.column - area.place[1]
        if area.width == 1 and 0 <= row < area.height:
            return area.at(row, 0)
        if area.height == 1 and 0 <= column < area.width:
            return area.at(0, column)
        return WRONG_TYPE


def check_count(call: Call, least: int, most: int | None) -> None:
    """Raise `#N/A` for a wrong number of arguments, as Google does."""
    if len(call.arguments) < least or (most is not None and len(call.arguments) > most):
        raise EvaluationError(NOT_AVAILABLE)


def _over(conditional: Callable[..., Argument], values: Sequence[Argument]) -> Argument:
    """Compute a condition of which all arguments are known."""
    return conditional(values, lambda value: value)
