"""Which calls of a lane run side by side, and whose requests leave as one."""

from __future__ import annotations

from itertools import takewhile

import pytest
from calls import WORKSHEET, insert_rows
from gate import cell_of, response

from queued_gspread.broker import Entry
from queued_gspread.protocol.messages import Job, new_id
from queued_gspread.server import merging
from queued_gspread.server.calls.call import JOURNALLED, Call
from queued_gspread.server.lanes.grouping import (
    MOST_CALLS,
    ConcurrentGroup,
    may_lead,
    mergeable_with_first,
)
from queued_gspread.server.merging import Table
from queued_gspread.server.merging.ranges import Extent
from queued_gspread.server.policy import gspread_methods
from queued_gspread.server.policy.request import CREDENTIALS, Exchange, Request, Response
from queued_gspread.server.replay.advance import advance, decode

WHOLE = Extent("Sheet", 0, 3, 0, 1)
TABLE = Table(WHOLE._replace(top=2), WHOLE)


def call_of(body, *exchanges, mark=""):
    """Return a call that has been advanced to its next request."""
    entry = Entry("lane", "1-1", new_id(), body, mark, 1, 0.0)
    call = Call(entry, decode(body)[0], list(exchanges), mark)
    call.needs(advance(body, exchanges).request)
    return call


def on_sheet(method, *args, **kwargs):
    return call_of(Job("worksheet", method, WORKSHEET, args, kwargs).encode())


def on_client(method, *args, timeout=None):
    return call_of(Job("http_client", method, args=args, http_timeout=timeout).encode())


def get(cell="A1", **options):
    return on_sheet("get", cell, **options)


def update(cell="A1"):
    return on_sheet("update", [["x"]], cell)


def runs(*calls, table=None):
    """Return how many of the calls run together, from the first on."""
    if not may_lead(calls[0]):
        return 1
    running = ConcurrentGroup(calls[:1], table)
    return 1 + sum(1 for _ in takewhile(running.add, calls[1:]))


READS = [get(), get("B1"), on_sheet("col_values", 1), on_sheet("find", "x"), on_sheet("get_notes")]
WRITES = {
    "update": [on_sheet("update_cell", 2, 1, "x"), on_sheet("update_acell", "B1", 1)],
    "clear": [on_sheet("batch_clear", ["A1"]), on_sheet("batch_clear", ["A1:B2"])],
    "append": [on_sheet("append_row", ["x"]), on_sheet("append_rows", [["x"], ["y"]])],
    "batch": [on_sheet("freeze", 1), on_sheet("freeze", 2), on_sheet("freeze", 0)],
}


def test_reads_run_together_whatever_they_are():
    """Calls that only read run together, though their requests do not all leave as one."""
    assert runs(*READS) == len(READS)
    assert mergeable_with_first(READS) == [READS[0], READS[1], READS[3]]


@pytest.mark.parametrize("kind", WRITES)
def test_writes_of_one_kind_run_together(kind):
    """Single writes of one kind run together, and all of their requests leave as one."""
    calls = WRITES[kind]
    assert runs(*calls, table=TABLE) == len(calls)
    assert mergeable_with_first(calls, TABLE) == calls


@pytest.mark.parametrize("one", WRITES)
@pytest.mark.parametrize("other", [*WRITES, "read"])
def test_kinds_do_not_run_together(one, other):
    """A write runs with no read, and with no write of another kind, whichever comes first."""
    others = {**WRITES, "read": READS}
    if one != other:
        assert runs(WRITES[one][0], others[other][0], table=TABLE) == 1
        assert runs(others[other][0], WRITES[one][0], table=TABLE) == 1


def test_writes_of_one_cell_are_made_in_turn():
    """Of two writes that overlap, the second waits for the first; the third waits behind it."""
    assert runs(update("A1"), update("A1"), update("A2")) == 1
    assert runs(update("A1"), update("A2"), update("A1")) == 2


def test_appends_wait_until_the_table_is_known():
    """Where no append has told of the table yet, the first one is made alone."""
    assert runs(*WRITES["append"]) == 1


@pytest.mark.parametrize(
    "barrier",
    [
        call_of(insert_rows()),
        on_client("request", "get", cell_of("lane")),
        on_client("request", "put", cell_of("lane")),
        on_client("spreadsheets_sheets_copy_to", "lane", 1, "other"),
        on_sheet("copy_to", "other"),
        on_sheet("append_row", ["x", "", "y"]),
        on_sheet("update", [["x"]], "A1", include_values_in_response=True),
    ],
    ids=lambda call: f"{call.job.kind}.{call.job.method}",
)
def test_everything_else_is_a_barrier(barrier):
    """What may send several requests, or whatever it likes, or is not certain, is made alone."""
    assert not may_lead(barrier)
    for other in (READS[0], *(calls[0] for calls in WRITES.values())):
        assert runs(other, barrier, table=TABLE) == 1


def test_a_read_that_asks_for_the_servers_credentials_is_alone():
    """The server's own credentials are no spreadsheet's."""
    call = get()
    call.needs(Request(CREDENTIALS, "expiry"))
    assert not may_lead(call)
    assert runs(get(), call) == 1


def test_a_write_that_was_begun_is_alone():
    """A call that an earlier server has begun, or that was sent once, joins no other write."""
    begun = update("A2")
    begun.mark = JOURNALLED
    assert runs(update(), begun) == 1
    sent = update("A2")
    sent.sent = 1
    assert runs(sent, update()) == 1


def test_a_method_is_known_on_its_own_kind_alone():
    """What a method's name says holds for the class that it is of."""
    assert "worksheet.export" not in gspread_methods.READ_ONLY_METHODS
    assert "client.batch_update" not in gspread_methods.SINGLE_WRITE_METHODS


def test_requests_with_other_timeouts_do_not_leave_together():
    """A caller's own HTTP timeout is for the whole request, so it has to agree."""
    reads = [on_client("values_get", "lane", cell, timeout=seconds) for cell, seconds in _TIMED]
    assert runs(*reads) == 4
    assert mergeable_with_first(reads) == [reads[0], reads[2]]
    write = ("lane", "S!A1", {"valueInputOption": "RAW"}, {"values": [["x"]]})
    other = ("lane", "S!A2", *write[2:])
    assert runs(on_client("values_update", *write), on_client("values_update", *other)) == 2
    patient = on_client("values_update", *other, timeout=9)
    assert runs(on_client("values_update", *write), patient) == 1


_TIMED = [("S!A1", None), ("S!A2", 5), ("S!A3", None), ("S!A4", (3, 60))]


def test_a_copy_of_a_job_is_not_made_beside_it():
    """A job that stands in the lane twice is made once: the copy waits for its answer."""
    body = Job("worksheet", "get", WORKSHEET, ("A1",)).encode()
    one, copy = call_of(body), call_of(body)
    copy.entry = Entry("lane", "1-2", one.entry.job_id, body, "", 1, 0.0)
    assert runs(one, copy) == 1
    assert runs(one, call_of(body)) == 2


def test_calls_have_a_limit():
    """No more than 500 calls run together."""
    calls = [get(f"A{number}") for number in range(1, MOST_CALLS + 10)]
    assert runs(*calls) == MOST_CALLS == 500


@pytest.mark.parametrize("kind", WRITES)
def test_a_call_is_asked_once_whether_it_joins(kind, monkeypatch):
    """However many calls run together already, one more is compared with them once."""
    asked, add = [], merging.Group.add
    monkeypatch.setattr(merging.Group, "add", lambda *given: asked.append(1) or add(*given))
    bodies = [WRITES[kind][0].entry.body] * 99
    if kind == "update":
        bodies = [update(f"A{row}").entry.body for row in range(1, 100)]
    assert runs(*map(call_of, bodies), table=TABLE) == len(asked) + 1 == 99


def test_bytes_have_a_limit():
    """The jobs of calls that run together have no more than a million bytes."""
    text = "x" * 300_000
    calls = [on_sheet("update_cell", number, 1, text) for number in range(1, 6)]
    assert runs(*calls) == 3
    assert runs(on_sheet("update_cell", 1, 1, text * 4), update("B2")) == 1


def test_a_call_of_several_reads_goes_on_beside_others():
    """A read that needs another request after its first still runs together with others."""
    body = Job("spreadsheet", "worksheet", _book(), ("Sheet",)).encode()
    first = call_of(body).request
    later = call_of(
        Job("worksheet", "get", WORKSHEET, ("A1",), {"combine_merged_cells": True}).encode(),
        Exchange(advance_request(), Response(response({"values": [["x"]]}))),
    )
    assert first.method == "get"
    assert runs(call_of(body), later, get()) == 3


def _book():
    return {"spreadsheet": {"id": "lane", "title": "Book"}, "properties": {"id": "lane"}}


def advance_request():
    """Return the first request of a read that combines merged cells."""
    body = Job("worksheet", "get", WORKSHEET, ("A1",), {"combine_merged_cells": True}).encode()
    return advance(body, ()).request
