"""The arguments of functions, and their conversion to numbers, texts, truth values or areas."""

from __future__ import annotations

import math
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from queued_gspread.emulator.book.cell import LONGEST, CellError
from queued_gspread.emulator.book.not_computed import NotComputed, NotComputedError
from queued_gspread.emulator.values.entry import understand
from queued_gspread.emulator.values.patterns import show_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from queued_gspread.emulator.book.cell import Value

DIVISION = CellError("#DIV/0!")
WRONG_TYPE = CellError("#VALUE!")
UNKNOWN_NAME = CellError("#NAME?")
BAD_NUMBER = CellError("#NUM!")
BAD_REFERENCE = CellError("#REF!")
NOT_AVAILABLE = CellError("#N/A")
UNREADABLE = CellError("#ERROR!")


class EvaluationError(Exception):
    """Carries a CellError out of a computation."""

    def __init__(self, error: CellError) -> None:
        """Keep the error."""
        super().__init__(error.code)
        self.error = error


class RangeGivenError(EvaluationError):
    """A range is given where one value is expected; which one depends on the formula's cell."""

    def __init__(self, area: Area) -> None:
        """Keep the range."""
        super().__init__(WRONG_TYPE)
        self.area = area


class Area:
    """The values of a range or an array; a column may be shorter than the range is high.

    Reading a value that is not computed ends the formula; ignoring it does not.
    """

    def __init__(
        self,
        columns: Sequence[Sequence[Value]],
        height: int,
        place: tuple[int, int] | None = None,
        has_gaps: bool = False,
    ) -> None:
        """Keep columns of values.

        `place` is the zero-based row and column of the first cell of a reference, `has_gaps` is
        whether there are values that are not computed.
        """
        self._columns = columns
        self.height = height
        self.width = len(columns)
        self.place = place
        self._has_gaps = has_gaps

    def at(self, row: int, column: int) -> Value:
        """Return one value by its place in the range, None for an empty cell."""
        values = self._columns[column]
        value = values[row] if row < len(values) else None
        return computed(value) if self._has_gaps else value

    def values(self) -> Iterator[Value]:
        """Yield the values row by row, without what is empty at the end."""
        columns = self._columns
        values = iter(columns[0]) if self.width == 1 else chain.from_iterable(zip_longest(*columns))
        return map(computed, values) if self._has_gaps else values

    def row(self, row: int) -> Area:
        """Return one row of the range."""
        cut = [column[row : row + 1] for column in self._columns]
        return Area(cut, 1, has_gaps=self._has_gaps)

    def column(self, column: int) -> Area:
        """Return one column of the range."""
        return Area([self._columns[column]], self.height, has_gaps=self._has_gaps)

    def rows(self) -> list[list[Value]]:
        """Return all rows, empty cells included."""
        found = [list(row) for row in zip_longest(*self._columns)]
        found = [[computed(value) for value in row] for row in found] if self._has_gaps else found
        return found + [[None] * self.width for _ in range(self.height - len(found))]

    def line(self) -> list[Value]:
        """Return the values of a single row or column; raise `#N/A` for more."""
        if self.height > 1 and self.width > 1:
            raise EvaluationError(NOT_AVAILABLE)
        found = list(self.values())
        return found + [None] * (self.height * self.width - len(found))


Argument: TypeAlias = "Value | Area"
# The most values of an array: tests should not take much memory.
LARGEST_ARRAY = 1_000_000


def computed(value: Value) -> Value:
    """Return a value; one that is not computed ends the formula."""
    if isinstance(value, NotComputed):
        raise NotComputedError(value.what, value.cell)
    return value


def check_size(rows: int, columns: int) -> None:
    """End the formula where an array of this size would take too much memory."""
    if rows * columns > LARGEST_ARRAY:
        raise NotComputedError(f"arrays of more than {LARGEST_ARRAY} cells")


def array(rows: Sequence[Sequence[Value]]) -> Area:
    """Return rows of the same length as an array; fail with `#N/A` for none."""
    if not rows or not rows[0]:
        raise EvaluationError(NOT_AVAILABLE)
    check_size(len(rows), len(rows[0]))
    return Area(list(zip(*rows, strict=True)), len(rows))


class Function(NamedTuple):
    """A function over evaluated arguments, and how many of them it takes."""

    compute: Callable[[Sequence[Argument]], Argument]
    least: int = 1
    most: int | None = 1


def scalar(argument: Argument) -> Value:
    """Return a single value; raise RangeGivenError for a larger range."""
    if not isinstance(argument, Area):
        return argument
    if argument.width == argument.height == 1:
        return argument.at(0, 0)
    raise RangeGivenError(argument)


def optional(values: Sequence[Argument], place: int, usual: float) -> float:
    """Return a number that may be left out."""
    if len(values) <= place or values[place] is None:
        return usual
    return number(values[place])


def sound(argument: Argument) -> Value:
    """Return a single value that is no error; an error ends the computation."""
    value = scalar(argument)
    if isinstance(value, CellError):
        raise EvaluationError(value)
    return value


def number(argument: Argument) -> float:
    """Return a value as a number, or fail with `#VALUE!`."""
    value = sound(argument)
    if value is None or isinstance(value, (bool, int, float)):
        return value or 0
    assert isinstance(value, str)
    typed = understand(value).value
    if isinstance(typed, (int, float)) and not isinstance(typed, bool):
        return typed
    raise EvaluationError(WRONG_TYPE)


def whole(argument: Argument) -> int:
    """Return a value as a number without its fraction."""
    return math.trunc(number(argument))


def text(argument: Argument) -> str:
    """Return a value as text, as joining shows it."""
    value = sound(argument)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value if isinstance(value, str) else show_plain(number(value))


def joined(pieces: Iterable[str], between: str = "") -> str:
    """Return texts as one; fail with `#VALUE!` as soon as it is longer than a cell may be."""
    kept, length = [], -len(between)
    for piece in pieces:
        length += len(between) + len(piece)
        kept.append(piece)
        if length > LONGEST:
            raise EvaluationError(WRONG_TYPE)
    return between.join(kept)


def bounded(argument: Argument) -> Argument:
    """Return the result of a function or operator; raise if no cell or number could hold it."""
    if isinstance(argument, float):
        return real(argument)
    if isinstance(argument, str) and len(argument) > LONGEST:
        raise EvaluationError(WRONG_TYPE)
    return argument


def truth(argument: Argument) -> bool:
    """Return a value as a truth value, or fail with `#VALUE!`."""
    value = sound(argument)
    if isinstance(value, str):
        if value.upper() in {"TRUE", "FALSE"}:
            return value.upper() == "TRUE"
        raise EvaluationError(WRONG_TYPE)
    return bool(value)


def is_number(value: object) -> bool:
    """Whether a value is a number and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def numbers(arguments: Iterable[Argument]) -> list[float]:
    """Return the numbers to sum: those in ranges, and everything that is given directly."""
    found: list[float] = []
    for argument in arguments:
        if isinstance(argument, Area):
            found.extend(_numbers_of(argument))
        else:
            found.append(number(argument))
    return found


def _numbers_of(area: Area) -> Iterator[float]:
    for value in area.values():
        if type(value) is int or type(value) is float:
            yield value
        elif isinstance(value, CellError):
            raise EvaluationError(value)


def every(arguments: Iterable[Argument]) -> Iterator[Value]:
    """Yield all values that are not empty, of ranges and given directly."""
    for argument in arguments:
        found = argument.values() if isinstance(argument, Area) else (argument,)
        yield from (value for value in found if value is not None)


def area_of(argument: Argument) -> Area:
    """Return a range; a single value becomes one of a single cell."""
    return argument if isinstance(argument, Area) else Area([[argument]], 1)


def rank(value: Value) -> tuple[int, float | str]:
    """Return a key that orders numbers before texts before truth values."""
    if isinstance(value, CellError):
        raise EvaluationError(value)
    if isinstance(value, bool):
        return 2, float(value)
    if isinstance(value, str):
        return 1, value.casefold()
    return 0, value or 0.0


def real(value: object) -> float:
    """Refuse results that no cell can hold: an infinity, or a root of a negative number."""
    if isinstance(value, complex) or not isinstance(value, (int, float)):
        raise EvaluationError(BAD_NUMBER)
    if not math.isfinite(value):
        raise EvaluationError(BAD_NUMBER)
    return value
