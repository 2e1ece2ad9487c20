"""The two ways of a call: plain gspread, and the queue, each with an emulator in the same state."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from emulated import bring_back, kept_of, state_of
from limits import UNLIMITED

import queued_gspread
from queued_gspread.emulator import Emulator
from queued_gspread.server import Server

from .two_ways import frozen_clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    import gspread

__all__ = ["EMULATED", "Side", "both"]

EMULATED = partial(Emulator, seed=1, clock=frozen_clock)
_TABLE = [
    ["name", "count", "price", "when"],
    ["pear", 2, 1.5, "2026-01-02"],
    ["apple", 1, 0.25, "=B2+1"],
    ["plum", "1_000", "1e3", True],
    ["", "pear", "=1/0", "'text"],
]
# A call that waits for longer than this has been lost.
_LONGEST = 60.0


@dataclass
class Side:
    """One way: a client, what it has opened, and the emulator behind it."""

    gc: gspread.Client
    emulator: Emulator
    kept: Any = None
    sh: Any = None
    ws: Any = None
    tail: Any = None
    other: Any = None
    otto: str = ""
    named: str = ""
    protected: int = 0

    @property
    def http(self) -> Any:
        return self.gc.http_client

    @property
    def state(self) -> Any:
        """What the emulator holds, and which id it makes next."""
        found = state_of(self.emulator)
        return found["files"], found["shared"], found["generator"]

    def begin(self) -> None:
        """Have the emulator hold what it held at first, and open it anew."""
        self.kept = bring_back(self.emulator, self.kept)
        self.emulator.clear_ledger()
        self.gc.set_timeout(None)
        self.sh, self.other = self.gc.open("Books"), self.gc.open("Films")
        self.ws, self.tail = self.sh.worksheets()[:2]


@contextlib.contextmanager
def both(namespace: str, redis_url: str) -> Iterator[tuple[Side, Side]]:
    """Run the two ways: an emulator each, and a server for the second."""
    with EMULATED() as first, EMULATED() as second:
        where = {"redis_url": redis_url, "namespace": namespace}
        with Server(second.gspread_client(), **where, **UNLIMITED):
            sides = (
                _furnished(Side(first.gspread_client(), first)),
                _furnished(Side(queued_gspread.authorize(**where, timeout=_LONGEST), second)),
            )
            yield sides


def _furnished(side: Side) -> Side:
    """Fill the emulator, by plain gspread, with something of each kind."""
    client = side.emulator.gspread_client()
    sh, other = client.create("Books"), client.create("Films")
    ws = sh.sheet1
    ws.resize(60, 12)
    ws.update(_TABLE, raw=False)
    ws.merge_cells("A7:B8")
    ws.update_note("A1", "noted")
    named = ws.define_named_range("A1:B2", "Corner")["replies"][0]["addNamedRange"]
    guarded = ws.add_protected_range("D1:D2", description="d")["replies"][0]["addProtectedRange"]
    ws.add_dimension_group_rows(10, 12)
    side.named = named["namedRange"]["namedRangeId"]
    side.protected = guarded["protectedRange"]["protectedRangeId"]
    sh.add_worksheet("It's", 8, 6).update([["a", "b"], ["c", "d"]])
    sh.add_worksheet("Hidden", 5, 5).hide()
    side.otto = sh.share("otto@example.com", "user", "writer", notify=False).json()["id"]
    other.sheet1.resize(10, 5)
    other.sheet1.update([["x", 1], ["y", 2]])
    side.kept = kept_of(side.emulator)
    return side
