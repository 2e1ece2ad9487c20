"""A history: a starting state, and the calls that wait in its lane, with what happens meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from hypothesis import strategies as st

from queued_gspread.protocol.messages import Job

from .books import Book, books, sheet_id
from .bursts import BURSTS, USUAL
from .calls import SPREADSHEET, Call, Scene
from .google import Google
from .troubles import Trouble, troubles


def _id_of_the_spreadsheet():
    return Google(lambda book: None).file.file_id


SPREADSHEET_ID = _id_of_the_spreadsheet()


@dataclass(frozen=True)
class History:
    """A starting state and the calls of many callers, in order of arrival.

    Attributes:
        book: The state.
        calls: The calls.
        arrivals: How many more have arrived at each look of the lane, over and over.
        waits: Whether a request has to wait for its slot, over and over.
        busy: Which requests are refused for the quota, by number, where calls are merged.
        blips: Which of them fail without a cause of their own, by number, there.
        trouble: What requests meet that have something in them, merged or not; None for nothing.
        pauses: Seconds that pass before each look of the lane, over and over.
        remembers: The bytes that answers may take which the server remembers.
        merges: Whether calls are merged where they are compared with others that are not.

    """

    book: Book
    calls: tuple[Call, ...]
    arrivals: tuple[int, ...] = (100,)
    waits: tuple[bool, ...] = (False,)
    busy: frozenset[int] = frozenset()
    blips: frozenset[int] = frozenset()
    trouble: Trouble | None = None
    pauses: tuple[float, ...] = (0.0,)
    remembers: int = 64 * 1024**2
    merges: bool = True

    @cached_property
    def jobs(self):
        """The calls as they stand in the queue."""
        return [job_of(call, self.book).encode() for call in self.calls]

    @property
    def gone(self):
        """The places of the calls whose callers give up."""
        return {place for place, call in enumerate(self.calls) if call.is_gone}


def job_of(call, book, spreadsheet_id=SPREADSHEET_ID):
    """Return a call to a spreadsheet as it stands in the queue."""
    target = None
    if call.kind in ("worksheet", "spreadsheet"):
        about = {"id": spreadsheet_id, "title": "Book"}
        properties = {**about, "locale": "en_US"}
        if call.kind == "worksheet":
            properties = _properties(call.sheet, book.pages[call.sheet])
        target = {"spreadsheet": about, "properties": properties}
    args = tuple(spreadsheet_id if arg is SPREADSHEET else arg for arg in call.args)
    own = {"http_timeout": call.http_timeout, "max_age": call.max_age}
    return Job(*(call.kind, call.method, target, args, call.kwargs), **own)


def _properties(place, page):
    return {
        "sheetId": sheet_id(place),
        "title": page.title,
        "index": place,
        "sheetType": "GRID",
        "gridProperties": {"rowCount": page.rows, "columnCount": page.columns},
    }


@st.composite
def histories(draw, kinds=USUAL):
    """Everything that merging has to be invisible in."""
    book = draw(books())
    scene = Scene(book)
    bursts = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
    calls = [call for burst in bursts for call in draw(BURSTS[burst](scene))]
    if draw(st.integers(0, 9)) == 0:
        calls = draw(st.permutations(calls))
    odd = draw(st.integers(0, 30))
    if odd < len(calls):
        changes = draw(st.sampled_from(({"is_gone": True}, {"http_timeout": 5.0})))
        calls = [
            replace(call, **changes) if place == odd else call for place, call in enumerate(calls)
        ]
    looks = draw(st.lists(st.integers(0, 4), max_size=4))
    waits = draw(st.lists(st.booleans(), max_size=3))
    busy = frozenset(draw(st.lists(st.integers(0, 6), max_size=1)))
    blips = frozenset(draw(st.lists(st.integers(0, 6), max_size=2)))
    trouble = draw(troubles(calls)) if draw(st.booleans()) else None
    return History(book, tuple(calls), (*looks, 100), (*waits, False), busy, blips, trouble)
