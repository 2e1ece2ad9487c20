"""What the emulator cannot compute though Google can: a mark that no function swallows."""

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
    """Where the cause stands, which may be another cell than the one that has this value."""


class NotComputedError(Exception):
    """Ends the computation of a whole formula, whatever functions stand around its cause.

    It is no EvaluationError, which becomes a value that IFERROR and others may look at.
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
    """What the emulator cannot compute is read, and that is an error here."""

    def __init__(self, cell: str, mark: NotComputed) -> None:
        """Name the cell that was read, the cause and the remedy."""
        super().__init__(
            f"The value of {cell} is not known: the emulator does not compute {mark.what}, which "
            f"{mark.cell} needs. Write there what Google would compute, instead of the formula."
        )


class Gaps:
    """What happens where such a value is written or read, for all spreadsheets.

    Each cell is logged once. `noted` has all that was met since it was taken last.
    """

    def __init__(self) -> None:
        """Begin with warnings."""
        self.mode: OnGap = "warn"
        self._logged: set[NotComputed] = set()
        self._noted: dict[str, None] = {}

    def note(self, mark: NotComputed) -> None:
        """Note what is not computed, where it is written and where its value is read."""
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
        """Begin anew; the mode stays."""
        self._logged.clear()
        self._noted.clear()
