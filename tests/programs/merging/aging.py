"""How old answers are of which somebody else changes what they show, all the while."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf

from hypothesis import strategies as st

from queued_gspread.emulator.values.entry import write

from .ages import AGES, PAUSES
from .books import Block, Book, Page
from .calls import Call
from .equivalence import shown
from .histories import History
from .lane import run

BOOK = Book((Page("Sheet1", 9, 5, (Block(0, 0, (("n0", "x"), ("y", "z"))),)),))
_READS = (
    Call("worksheet", "get", ("A1",)),
    Call("worksheet", "row_values", (1,)),
    Call("worksheet", "batch_get", (["A1", "B2"],)),
)
_WRITE = Call("worksheet", "update", ([["w"]], "C3"))


@st.composite
def histories(draw):
    """Draw reads of one cell, with a write elsewhere now and then."""
    drawn = st.sampled_from((*_READS, _READS[0], _READS[0], _WRITE))
    calls = draw(st.lists(drawn, min_size=3, max_size=14))
    calls = tuple(replace(call, max_age=draw(AGES)) for call in calls)
    looks = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    pauses = draw(st.lists(PAUSES, min_size=1, max_size=5))
    return History(BOOK, calls, (*looks, 1), pauses=tuple(pauses), merges=draw(st.booleans()))


@dataclass
class _Typist:
    """Types one number after the other into the first cell, and notes when."""

    moments: list[float] = field(default_factory=lambda: [-inf])

    def __call__(self, book, moment):
        grid = book.sheets[0].grid
        grid.put(0, 0, write(grid.get(0, 0), f"n{len(self.moments)}", "RAW", 2026))
        self.moments.append(moment)


def check(history, tally=None):
    """Raise AssertionError unless each answer from memory is as young as its call demands.

    What it shows stood there at the moment of the answer, less the age of the call, or later.
    """
    typist = _Typist()
    came_to = run(history, merges=history.merges, types=typist)
    spans = [*pairwise([*typist.moments, inf])]
    for place, moment, recalled in came_to.ends:
        call, seen = history.calls[place], re.search(r"n(\d+)", str(shown(came_to.replies[place])))
        if call.method != _WRITE.method:
            begun, replaced = spans[int(seen[1])]
            assert begun <= moment, (place, call, seen)
            assert not recalled or replaced >= moment - call.max_age, (place, call, seen, moment)
    if tally is not None:
        tally.note(history, came_to, came_to)
