"""What the emulator cannot compute though Google can: a mark that no function swallows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from .formula import CellError

OnGap: TypeAlias = Literal["warn", "error"]
ON_GAP: tuple[OnGap, ...] = get_args(OnGap)
_MOST_LOGGED = 10_000
_log = logging.getLogger("queued_gspread.emulator")


@dataclass(frozen=True)
class NotComputed(CellError):
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


class GapReadError(Exception):
    """A request reads what the emulator cannot compute, and that is an error by its setting."""


class Gaps:
    """What happens where such a value is written or read.

    Each cell is logged once. `noted` has all that was met since it was taken last.
    """

    def __init__(self) -> None:
        """Begin with warnings."""
        self.mode: OnGap = "warn"
        self._logged: set[tuple[str, str]] = set()
        self._noted: dict[str, None] = {}

    def written(self, cell: str, functions: str) -> None:
        """Note that a formula was written which has functions that are not computed."""
        self._note(cell, functions, "Reading it")

    def read(self, shown: str, mark: NotComputed, needed: bool = False) -> None:
        """Note that the value of the cell `shown` is read.

        Raise GapReadError if that is wanted, or if what is stored would depend on the value.
        """
        self._note(mark.cell, mark.what, f"What is read of {shown}")
        if needed or self.mode == "error":
            raise GapReadError(
                f"The value of {shown} is not known: the emulator does not compute {mark.what}, "
                f"which {mark.cell} needs. Write the value that Google would compute there "
                "instead of the formula"
                + ("." if needed else ', or set not_computed="warn" to read #NAME?.')
            )

    def taken(self) -> tuple[str, ...]:
        """Return what was met since the last time, once each: `Sheet1!A1: SPARKLINE`."""
        noted, self._noted = tuple(self._noted), {}
        return noted

    def forget(self) -> None:
        """Begin anew; the mode stays."""
        self._logged.clear()
        self._noted.clear()

    def _note(self, cell: str, what: str, outcome: str) -> None:
        self._noted[f"{cell}: {what}"] = None
        if (cell, what) in self._logged or len(self._logged) >= _MOST_LOGGED:
            return
        self._logged.add((cell, what))
        follows = "is #NAME?" if self.mode == "warn" else "is answered with 501"
        _log.warning("%s: the emulator does not compute %s. %s %s.", cell, what, outcome, follows)
