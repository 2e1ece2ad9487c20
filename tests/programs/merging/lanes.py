"""Calls to two spreadsheets, one after the other, of which some change the other one as well."""

from __future__ import annotations

from dataclasses import dataclass

from hand_clock import HandClock
from hypothesis import strategies as st

from queued_gspread.emulator.book.store import SPREADSHEET_TYPE
from queued_gspread.server.figures import Figures
from queued_gspread.server.sending.remembering import Remembering

from .books import Block, Book, Page
from .calls import SPREADSHEET, Call
from .equivalence import shown
from .google import Google
from .histories import job_of
from .lane import Waiting, work

BOOK = Book((Page("Sheet1", 9, 5, (Block(0, 0, (("a", "b"), ("c", "d"))),)),))
_AGE = 60.0
OTHER, _OWN = "the other one", "its own"
"""Stand for the other spreadsheet's id among the arguments, and for its own within one."""


def _raw(method, path, **given):
    url = f"https://sheets.googleapis.com/v4/spreadsheets/{path}"
    return Call("http_client", "request", (method, url), given)


_READS = (
    Call("worksheet", "get", ("A1:B9",)),
    Call("spreadsheet", "worksheets"),
    Call("spreadsheet", "values_get", ("Sheet1!A1",)),
    Call("http_client", "fetch_sheet_metadata", (SPREADSHEET,)),
)
WRITES = (
    Call("worksheet", "update", ([["new"]], "A1")),
    Call("worksheet", "append_row", (["e", "f"],)),
    Call("spreadsheet", "add_worksheet", ("More", 3, 3)),
    Call("worksheet", "copy_to", (OTHER,)),
    Call("http_client", "spreadsheets_sheets_copy_to", (SPREADSHEET, 0, OTHER)),
    Call("spreadsheet", "update_title", ("Renamed",)),
    Call("client", "del_spreadsheet", (SPREADSHEET,)),
    Call("client", "del_spreadsheet", (OTHER,)),
    Call("client", "copy", (SPREADSHEET,)),
    Call("client", "list_spreadsheet_files"),
    _raw("put", f"{OTHER}/values/Sheet1!A1?valueInputOption=RAW", json={"values": [["raw"]]}),
    _raw("post", f"{OTHER}:batchUpdate", json={"requests": [{"addSheet": {}}]}),
    _raw("post", f"{_OWN}/sheets/0:copyTo", data=f'{{"destinationSpreadsheetId": "{OTHER}"}}'),
)


@dataclass(frozen=True)
class Step:
    """A call, and which of the two spreadsheets is its own."""

    call: Call
    place: int


@st.composite
def histories(draw):
    """Draw steps: reads of both spreadsheets between any two writes."""
    steps = []
    for call in draw(st.lists(st.sampled_from(WRITES), min_size=1, max_size=4)):
        reads = draw(st.lists(st.sampled_from(_READS), min_size=1, max_size=3))
        both = [Step(read, place) for read in reads for place in (0, 1)]
        steps += [*both, Step(call, draw(st.integers(0, 1))), *both]
    return tuple(steps)


def run(steps, max_age):
    """Make all calls; return their replies, and how many requests were sent."""
    google, clock = Google(BOOK.fill), HandClock()
    other = google.store.create("Other", SPREADSHEET_TYPE)
    BOOK.fill(other.book)
    ids, remembering = [google.file.file_id, other.file_id], Remembering(2**20, clock=clock)
    replies = []
    for step in steps:
        own, others = ids[step.place], ids[1 - step.place]
        job = _job(step.call, own, others, max_age)
        queue = Waiting([job.encode()], (1,), (False,), ())
        work(queue, google, clock, figures=Figures(), remembering=remembering)
        replies += queue.replies
    return replies, google.sent


def _job(call, own, others, max_age):
    def named(value):
        if isinstance(value, str):
            return value.replace(OTHER, others).replace(_OWN, own)
        return value

    args = tuple(own if arg is SPREADSHEET else named(arg) for arg in call.args)
    kwargs = {name: named(value) for name, value in call.kwargs.items()}
    drawn = Call(call.kind, call.method, args, kwargs, max_age=max_age)
    return job_of(drawn, BOOK, own)


def check(steps, tally=None):
    """Raise AssertionError unless memory is invisible."""
    (mine, sent), (alone, sent_alone) = run(steps, _AGE), run(steps, 0.0)
    for place, step in enumerate(steps):
        if mine[place] != alone[place]:
            assert (place, step, shown(mine[place])) == (place, step, shown(alone[place]))
    if tally is not None:
        tally.count(len(steps), sent, sent_alone)
