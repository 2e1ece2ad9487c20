"""A value that Google could compute and the emulator cannot; no function can hide it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from queued_gspread.emulator.book.cell import CellError

OnGap: TypeAlias = Literal["warn", "error"]
ON_GAP: tuple[OnGap, ...] = get_args(OnGap)
_MOST_LOGGED = 10_000
_log = logging.getLogger("queued_gspread.emulator")


@dataclass(frozen=True)
class NotComputed(CellError):  # noqa: N818  - a value, not an exception
    """The value of a cell that the emulator cannot compute, and of all that depends on it."""

    what: str = ""
    cell: str = ""
    """The cell of the cause, which may be another one than the cell with this value."""


class NotComputedError(Exception):
    """Ends the computation of a whole formula, whichever functions surround its cause.

    It is not an EvaluationError, which becomes a value that IFERROR and others can handle.
    """

    def __init__(self, what: str, cell: str = "") -> None:
        """Keep what cannot be computed; the cell is that of the formula where none is given."""
        super().__init__(what, cell)
        self.what = what
        self.cell = cell

    def mark(self, home: str) -> NotComputed:
        """Return the value of the cell `home`, whose formula was ended."""
        return NotComputed("#NAME?", self.what, self.cell or home)


TOO_DEEP = NotComputedError("formulas nested so deeply")


class GapReadError(Exception):
    """A value that the emulator cannot compute was read, and the setting makes that an error."""

    def __init__(self, cell: str, mark: NotComputed) -> None:
        """Name the cell that was read, the cause and the remedy."""
        super().__init__(
            f"The value of {cell} is not known: the emulator does not compute {mark.what}, which "
            f"{mark.cell} needs. Write there what Google would compute, instead of the formula."
        )


class Gaps:
    """What happens when such a value is written or read, for all spreadsheets.

    Each cell is logged once. `noted` has every one that was met since it was taken last.
    """

    def __init__(self) -> None:
        """Begin with warnings."""
        self.mode: OnGap = "warn"
        self._logged: set[NotComputed] = set()
        self._noted: dict[str, None] = {}

    def note(self, mark: NotComputed) -> None:
        """Record a value that is not computed, when it is written and when it is read."""
        self._noted[f"{mark.cell}: {mark.what}"] = None
        if mark in self._logged or len(self._logged) >= _MOST_LOGGED:
            return
        self._logged.add(mark)
        _log.warning(
            "%s: the emulator does not compute %s. %s",
            mark.cell,
            mark.what,
            "It and what depends on it are #NAME?."
            if self.mode == "warn"
            else "To read it, or what depends on it, is answered with 501.",
        )

    def taken(self) -> tuple[str, ...]:
        """Return what was met since the last time, once each: `Sheet1!A1: SPARKLINE`."""
        noted, self._noted = tuple(self._noted), {}
        return noted

    def forget(self) -> None:
        """Start over; the mode stays."""
        self._logged.clear()
        self._noted.clear()
