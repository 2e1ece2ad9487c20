"""What is called, by how many, and what has to be there afterwards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

APPEND, READ, UPDATE = "append", "read", "update"
_METHODS = {APPEND: "append_row", READ: "get", UPDATE: "update_cell"}
ROWS, CELLS, KEPT = "Rows", "Cells", "Kept"
"""The sheets: what is appended, what is updated, what is only read."""

HEIGHT = 200


@dataclass(frozen=True)
class Load:
    """Calls made side by side.

    Attributes:
        kinds: What is called, in turn.
        processes: How many call.
        threads: Threads of each of them.
        calls: How many calls each thread makes, one after the other.

    """

    kinds: tuple[str, ...]
    processes: int
    threads: int
    calls: int

    def __str__(self):
        callers = "processes" if self.threads == 1 else "threads"
        methods = " / ".join(_METHODS[kind] for kind in self.kinds)
        return f"{self.processes * self.threads} {callers} x {self.calls} {methods}"

    @property
    def total(self):
        return self.processes * self.threads * self.calls

    def kind(self, number):
        """Return what a thread calls at that turn."""
        return self.kinds[number % len(self.kinds)]

    def shortened(self):
        """Return a load of the same kind that takes a moment."""
        return replace(self, processes=min(self.processes, 4), threads=min(self.threads, 10))


LOADS = {
    "appends": Load((APPEND,), 20, 1, 15),
    "reads": Load((READ,), 1, 200, 10),
    "updates": Load((UPDATE,), 100, 1, 10),
    "mix": Load((APPEND, READ, UPDATE), 30, 1, 10),
}


def kept_rows():
    """Return what the sheet holds that is only read."""
    return [[f"{row}/{column}" for column in range(3)] for row in range(HEIGHT)]


def make(sheets, kind, who, number):
    """Make one call; return whether what it returned is right."""
    if kind == APPEND:
        answer = sheets[ROWS].append_row([f"{who}-{number}", number, "row"])
        return answer["updates"]["updatedRows"] == 1
    if kind == UPDATE:
        answer = sheets[CELLS].update_cell(who + 1, number + 1, f"{who}-{number}")
        return answer["updatedCells"] == 1
    row = (who * 10 + number) % HEIGHT
    return sheets[KEPT].get(f"A{row + 1}:C{row + 1}") == [kept_rows()[row]]


def there(book):
    """Return how many rows, and how many cells, a spreadsheet has that were written, each once."""
    rows = Counter(row[0] for row in book.worksheet(ROWS).get_all_values() if row and row[0])
    cells = [
        cell
        for who, row in enumerate(book.worksheet(CELLS).get_all_values())
        for number, cell in enumerate(row)
        if cell == f"{who}-{number}"
    ]
    return sum(times == 1 for times in rows.values()) + len(cells)
