"""The demo's report on its two halves: pure functions over what was measured."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "OK",
    "Half",
    "bar",
    "changed_lines",
    "difference",
    "loop_lines",
    "row_of",
    "sheets",
    "table",
]

OK: Final = "ok"
_BAR: Final = 40
_COLUMN: Final = 18


@dataclass(frozen=True)
class Half:
    """The results of one half of the demo.

    Attributes:
        name: The package that its workers import.
        results: The result of each row's append, by the text in the row's last cell, such as
            ``3-2``.
        rows: The rows of the sheet, below its header.
        seconds: How long the workers took once they could begin.
        requests: How many requests the emulator got in that time and while they opened the sheet.
        refused: How many of these were over the quota.

    """

    name: str
    results: Mapping[str, str]
    rows: Sequence[tuple[str, ...]]
    seconds: float
    requests: int
    refused: int

    @property
    def there(self) -> set[str]:
        """The labels of the rows that are in the sheet as they were appended."""
        return {label for label in self.results if row_of(label) in self.rows}

    @property
    def missing(self) -> int:
        """How many rows are not in the sheet."""
        return len(self.results) - len(self.there)

    @property
    def lost_in_silence(self) -> int:
        """How many rows are not in the sheet although their append returned without an error."""
        return sum(
            result == OK and label not in self.there for label, result in self.results.items()
        )

    @property
    def doubled(self) -> int:
        """How many surplus copies of appended rows there are."""
        counts = Counter(self.rows)
        return sum(counts[row_of(label)] - 1 for label in self.there)

    @property
    def unexpected(self) -> int:
        """How many rows there are that no worker appended."""
        return len(self.rows) - len(self.there) - self.doubled

    @property
    def errors(self) -> Counter[str]:
        """How many appends raised an error, by its kind."""
        return Counter(result for result in self.results.values() if result != OK)

    @property
    def is_exact(self) -> bool:
        """Whether every row is there exactly once and no append or request failed."""
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
    """Return the sheets of both halves side by side, with a dot for a row that is missing."""
    columns = [_sheet(half) for half in halves]
    width = max(len(line) for line in (*columns[0], halves[0].name)) + 4
    head = f"{halves[0].name:<{width}}{halves[1].name}"
    return [head, *(f"{left:<{width}}{right}" for left, right in zip(*columns, strict=True))]


def _sheet(half: Half) -> list[str]:
    by_worker: dict[str, list[str]] = {}
    for label in half.results:
        shown = label if label in half.there else "."
        by_worker.setdefault(label.partition("-")[0], []).append(f"{shown:<4}")
    return ["".join(cells).rstrip() for cells in by_worker.values()]


def table(halves: Sequence[Half]) -> list[str]:
    """Return the measurements of both halves, one line for each."""
    rows = [
        ("", [half.name for half in halves]),
        ("rows in the sheet", [f"{len(half.there)} of {len(half.results)}" for half in halves]),
        *_odd_rows(halves),
        ("appends that returned", [_share(half, OK) for half in halves]),
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


def _share(half: Half, result: str) -> str:
    return f"{sum(one == result for one in half.results.values())} of {len(half.results)}"


def _errors(halves: Sequence[Half]) -> list[tuple[str, list[str]]]:
    kinds = sorted({kind for half in halves for kind in half.errors})
    if not kinds:
        return [("appends that raised", ["none" for _ in halves])]
    return [(f"… {kind}", [_share(half, kind) for half in halves]) for kind in kinds]


def _odd_rows(halves: Sequence[Half]) -> list[tuple[str, list[str]]]:
    rows = [
        ("surplus copies of rows", [half.doubled for half in halves]),
        ("rows never appended", [half.unexpected for half in halves]),
    ]
    return [(label, [str(count) for count in counts]) for label, counts in rows if any(counts)]


def loop_lines(rows: int, quota: int, seconds: float, requests: int) -> list[str]:
    """Return a loop's bound without a pipeline beside what it took in one.

    Args:
        rows: How many rows it appends.
        quota: How many writes a minute are allowed: so many go at once, the others in turn.
        seconds: What it took.
        requests: How many requests that were.

    """
    bound = 60 * max(0, rows / quota - 1)
    lines = [
        ("plain gspread, at the least", bound, rows),
        ("queued_gspread, in a pipeline", seconds, requests),
    ]
    return [f"{what:<30}{time:>9,.1f} s{number:>8,} requests" for what, time, number in lines]


def difference(plain: Half) -> str:
    """Return in a sentence what happened to plain gspread's rows."""
    of = len(plain.results)
    if plain.lost_in_silence:
        return (
            f"Plain gspread silently lost {plain.lost_in_silence} of {of} rows: overlapping "
            "appends overwrite each other, and each of them still returns without an error."
        )
    if plain.missing:
        return f"Plain gspread left out {plain.missing} of {of} rows; each of them raised an error."
    return (
        f"This time all {of} rows of plain gspread are there: "
        "its appends happened not to overlap, and nothing else went wrong."
    )
