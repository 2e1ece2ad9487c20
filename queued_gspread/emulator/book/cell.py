"""A cell: what was entered, its formats, its note and its validation rule. Immutable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Scalar: TypeAlias = bool | int | float | str | None

LONGEST = 50_000  # characters, of what is entered and of what a formula finds


@dataclass(frozen=True)
class CellError:
    """A value that could not be computed, by its code: `#DIV/0!`."""

    code: str


Value: TypeAlias = Scalar | CellError


class Cell(NamedTuple):
    """One cell; a formula's value is computed when it is read."""

    value: Scalar = None
    formula: str | None = None
    format: Mapping[str, Any] | None = None
    note: str | None = None
    validation: Mapping[str, Any] | None = None
    # The formats of parts of a text, as the API's TextFormatRun.
    runs: Sequence[Mapping[str, Any]] | None = None

    @property
    def is_filled(self) -> bool:
        """Whether something was entered."""
        return self.value is not None or self.formula is not None

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to remember about this cell."""
        return not (self.is_filled or self.format or self.note or self.validation or self.runs)

    @property
    def number_format(self) -> Mapping[str, str]:
        """The number format's `type` and `pattern`; empty for Google's "Automatic"."""
        found: Mapping[str, str] = (self.format or {}).get("numberFormat", {})
        return found

    def entered(self, value: Scalar = None, formula: str | None = None) -> Cell | None:
        """Return the cell with another content, or None when nothing is left of it."""
        cell = Cell(value, formula, self.format, self.note, self.validation)
        return None if cell.is_bare else cell

    def changed(self, **changes: Any) -> Cell | None:
        """Return the cell with these changes, or None when nothing is left of it.

        What is entered has no formats of parts unless they come with it.
        """
        entered = "value" in changes or "formula" in changes
        cell = self._replace(**({"runs": None} | changes if entered else changes))
        return None if cell.is_bare else cell


EMPTY = Cell()
