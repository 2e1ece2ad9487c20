"""What the demo says of its two halves: pure functions over what was measured."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["OK", "Half", "bar", "changed_lines", "difference", "row_of", "sheets", "table"]

OK: Final = "ok"
_BAR: Final = 40
_COLUMN: Final = 18


@dataclass(frozen=True)
class Half:
    """What one half of the demo came to.

    Attributes:
        name: Of the package that its workers import.
        told: What the append of each row was told, by what its last cell holds, such as ``3-2``.
        rows: Those of the sheet, below its header.
        seconds: How long the workers took from the word to begin.
        requests: How many requests the emulator had in that time and while they opened the sheet.
        refused: How many of these were over the quota.

    """

    name: str
    told: Mapping[str, str]
    rows: Sequence[tuple[str, ...]]
    seconds: float
    requests: int
    refused: int

    @property
    def there(self) -> set[str]:
        """The labels of the rows that are in the sheet as they were appended."""
        return {label for label in self.told if row_of(label) in self.rows}

    @property
    def missing(self) -> int:
        """How many rows are not in the sheet."""
        return len(self.told) - len(self.there)

    @property
    def lost_in_silence(self) -> int:
        """How many rows are not in the sheet although their append was told that it was done."""
        return sum(told == OK and label not in self.there for label, told in self.told.items())

    @property
    def doubled(self) -> int:
        """How many rows too many there are of those that were appended."""
        counts = Counter(self.rows)
        return sum(counts[row_of(label)] - 1 for label in self.there)

    @property
    def unexpected(self) -> int:
        """How many rows nobody has appended like that."""
        return len(self.rows) - len(self.there) - self.doubled

    @property
    def errors(self) -> Counter[str]:
        """How many appends were told an error, by its kind."""
        return Counter(told for told in self.told.values() if told != OK)

    @property
    def is_exact(self) -> bool:
        """Whether every row is there exactly once and nobody was told otherwise."""
        wrong = (self.missing, self.doubled, self.unexpected, self.refused, len(self.errors))
        return not any(wrong)


def row_of(label: str) -> tuple[str, ...]:
    """Return the row that a label stands for, as the sheet shows it."""
    worker, _, number = label.partition("-")
    return (f"worker {worker}", number, label)


def bar(rows: int, of: int) -> str:
    """Return a bar for the rows that are in a sheet."""
    full = min(_BAR * rows // of, _BAR)
    return f"[{'#' * full}{'.' * (_BAR - full)}] {rows} of {of} rows are in the sheet"


def changed_lines(before: str, after: str) -> list[str]:
    """Return the lines in which two scripts differ, as a diff shows them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def sheets(halves: Sequence[Half]) -> list[str]:
    """Return what the sheets of both halves hold, side by side: a dot for a row that is missing."""
    columns = [_sheet(half) for half in halves]
    width = max(len(line) for line in (*columns[0], halves[0].name)) + 4
    head = f"{halves[0].name:<{width}}{halves[1].name}"
    return [head, *(f"{left:<{width}}{right}" for left, right in zip(*columns, strict=True))]


def _sheet(half: Half) -> list[str]:
    by_worker: dict[str, list[str]] = {}
    for label in half.told:
        shown = label if label in half.there else "."
        by_worker.setdefault(label.partition("-")[0], []).append(f"{shown:<4}")
    return ["".join(cells).rstrip() for cells in by_worker.values()]


def table(halves: Sequence[Half]) -> list[str]:
    """Return what was measured in both halves, a line for each quantity."""
    rows = [
        ("", [half.name for half in halves]),
        ("rows in the sheet", [f"{len(half.there)} of {len(half.told)}" for half in halves]),
        *_odd_rows(halves),
        ('appends told "ok"', [_share(half, OK) for half in halves]),
        *_errors(halves),
        ("refused for the quota", [str(half.refused) for half in halves]),
        ("requests to Google", [str(half.requests) for half in halves]),
        ("seconds", [f"{half.seconds:.1f}" for half in halves]),
    ]
    width = max(len(label) for label, _ in rows)
    return [
        f"{label:<{width}}" + "".join(f"{value:>{_COLUMN}}" for value in values)
        for label, values in rows
    ]


def _share(half: Half, told: str) -> str:
    return f"{sum(one == told for one in half.told.values())} of {len(half.told)}"


def _errors(halves: Sequence[Half]) -> list[tuple[str, list[str]]]:
    kinds = sorted({kind for half in halves for kind in half.errors})
    if not kinds:
        return [("appends told an error", ["none" for _ in halves])]
    return [(f"… {kind}", [_share(half, kind) for half in halves]) for kind in kinds]


def _odd_rows(halves: Sequence[Half]) -> list[tuple[str, list[str]]]:
    rows = [
        ("rows too many", [half.doubled for half in halves]),
        ("rows nobody appended", [half.unexpected for half in halves]),
    ]
    return [(label, [str(count) for count in counts]) for label, counts in rows if any(counts)]


def difference(plain: Half) -> str:
    """Return what became of plain gspread's rows, in a sentence."""
    of = len(plain.told)
    if plain.lost_in_silence:
        return (
            f"Plain gspread lost {plain.lost_in_silence} of {of} rows without a word: appends that "
            "overlap overwrite each other, and each is told that it is done."
        )
    if plain.missing:
        return f"Plain gspread left out {plain.missing} of {of} rows; errors told of all of them."
    return (
        f"This time all {of} rows of plain gspread are there: "
        "its appends happened not to overlap, and nothing else went wrong."
    )
