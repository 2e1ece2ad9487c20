"""Upserts whose server ends in the middle."""

from __future__ import annotations

import json
import signal

import pytest
from calls import WORKSHEET, read, send
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.protocol import objects
from queued_gspread.protocol.messages import Job

HEADER = [["id"], ["x"]]

# A server dies when it has Google's answer to the append of an upsert, before Redis is told of it.
ANSWERED = """
import os, signal
from queued_gspread.server.policy.upsert_requests import is_append
from queued_gspread.server.sending.sender import Sender

settle = Sender._settle

def dies(self, outgoing, *rest):
    if is_append(outgoing.calls[0].request):
        os.kill(os.getpid(), signal.SIGKILL)
    settle(self, outgoing, *rest)

Sender._settle = dies
"""
# It dies once Redis has what it is told of that answer, before it has those of three callers.
NOTED = """
import os, signal
from queued_gspread.broker import Consumer

answer = Consumer.answer

def dies(self, answers, *rest):
    if len(answers) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer(self, answers, *rest)

Consumer.answer = dies
"""


@pytest.fixture
def sheet(client):
    """Return a worksheet that nothing was sent for."""
    http = client.http_client
    book = objects.spreadsheet(http, {"id": "lane", "title": "Book"}, cls=gspread.Spreadsheet)
    return gspread.Worksheet(book, WORKSHEET["properties"], "lane", http)


@pytest.fixture
def pile(client, sheet, background, raw, keys):
    """Return what has upserts of these keys pile up behind a read, which then passes."""

    def make(gate, *names):
        background(read, client)
        held, found = gate.next(), []
        for name in names:
            rows = [{"id": name, "x": name}]
            found.append(background(gspread.upsert_rows, sheet, rows, key="id"))
            eventually(lambda: raw.xlen(keys.lane("lane")) == len(found) + 1)
        held.answer()
        return found

    return make


def answer_read(arrival, *there):
    """Answer a read with these keys below the header."""
    assert arrival.endpoint.partition("?")[0].endswith("/values:batchGet")
    column = ["id", *there]
    arrival.answer({"valueRanges": [{"values": HEADER}, {"values": [column]}]})


def rows_of(arrival):
    """Return the rows that an append brings."""
    assert arrival.endpoint.partition("?")[0].endswith(":append")
    given = arrival.given
    return (given["json"] if "json" in given else json.loads(given["data"]))["values"]


def answer_append(arrival, first):
    rows = rows_of(arrival)
    written = (
        f"Sheet!A{first}:B{first + len(rows) - 1}" if len(rows) > 1 else f"Sheet!A{first}:B{first}"
    )
    arrival.answer({"updates": {"updatedRange": written}})


def is_update(arrival):
    return arrival.endpoint.endswith("/values:batchUpdate")


def journals(raw, keys):
    """Return the first letter of every entry of every journal."""
    return [[each[0] for each in raw.lrange(key, 0, -1)] for key in raw.keys(keys.journal("*"))]


def test_a_server_killed_with_an_append_of_upserts_in_the_air(
    start_process, google, pile, raw, keys
):
    """Each that was in it is told that nobody knows, and nothing is sent again."""
    server = start_process()
    calls = pile(google.gate, "a", "a", "b")
    answer_read(google.gate.next())
    assert rows_of(google.gate.next()) == [["a", "a"], ["b", "b"]]
    assert list(raw.hgetall(keys.progress).values()) == ["j"] * 3
    assert journals(raw, keys) == [[">"]] * 3
    server.kill()
    start_process()
    for call in calls:
        error = call.exception(PATIENCE)
        assert type(error) is OutcomeUnknownError
        assert error.how_to_check.startswith("look whether its keys are in the sheet")
    assert google.gate.is_idle
    assert journals(raw, keys) == []


def test_a_server_killed_with_an_update_of_upserts_in_the_air(
    start_process, google, pile, raw, keys
):
    """The next one reads anew, and makes them; a key that is to be appended is appended once."""
    server = start_process()
    calls = pile(google.gate, "a", "b", "b")
    answer_read(google.gate.next(), "a")
    assert is_update(google.gate.next())
    assert sorted(raw.hgetall(keys.progress).values()) == ["r", "r", "w"]
    assert journals(raw, keys) == []
    server.kill()
    start_process()
    answer_read(google.gate.next(), "a")
    update = google.gate.next()
    assert is_update(update)
    update.answer({})
    assert calls[0].result(PATIENCE).updated == [2]
    finish(google.gate, calls)


def finish(gate, calls):
    """Let what is left of two upserts of one key be made, alone or together."""
    appended = []
    while not (calls[1].done() and calls[2].done()):
        if gate.is_idle:
            continue
        arrival = gate.next()
        if is_update(arrival):
            arrival.answer({})
        elif arrival.endpoint.partition("?")[0].endswith(":append"):
            appended += rows_of(arrival)
            answer_append(arrival, 3)
        else:
            answer_read(arrival, "a", *(row[0] for row in appended))
    assert appended == [["b", "b"]]
    assert (calls[1].result().appended, calls[2].result().updated) == ([3], [3])


def test_a_server_killed_between_the_reads_and_the_append_of_upserts(
    start_process, google, pile, raw, keys
):
    """What an earlier server has read is read anew: it no longer holds for the second of two."""
    server = start_process()
    calls = pile(google.gate, "a", "b", "b")
    google.gate.next()
    server.kill()
    start_process()
    answer_read(google.gate.next(), "a")
    update = google.gate.next()
    assert is_update(update)
    update.answer({})
    finish(google.gate, calls)
    assert calls[0].result().updated == [2]


def test_an_append_of_upserts_whose_server_died_with_its_answer(start_process, google, pile):
    """Of an answer that was lost nobody knows."""
    server = start_process(patch=ANSWERED)
    calls = pile_of_appends(google.gate, pile, server)
    start_process()
    assert {type(call.exception(PATIENCE)) for call in calls} == {OutcomeUnknownError}
    assert google.gate.is_idle


def test_an_append_of_upserts_whose_server_died_once_its_answer_was_noted(
    start_process, google, pile
):
    """Once Redis has the answer, each has its own result, and nothing more is sent."""
    server = start_process(patch=NOTED)
    calls = pile_of_appends(google.gate, pile, server)
    start_process()
    results = [call.result(PATIENCE) for call in calls]
    assert [(one.appended, one.updated) for one in results] == [([2], []), ([], [2]), ([3], [])]
    assert google.gate.is_idle


def pile_of_appends(gate, pile, server):
    """Have upserts pile up, and their append answered; return them once the server is dead."""
    calls = pile(gate, "a", "a", "b")
    answer_read(gate.next())
    answer_append(gate.next(), 2)
    assert server.exit_status() == -signal.SIGKILL
    return calls


GIVEN = {"key": ["id"], "existing": "update", "head": 1, "value_input_option": "RAW"}
GIVEN["columns"] = [0]
# Jobs that no client sends, and whether the server reads before it refuses them.
FORGED = [
    ([], {"columns": list(range(1000))}, False),
    ([], {"columns": ["A"]}, False),
    ([], {"key": 7}, False),
    ([], {"unknown": 7}, False),
    ([{"id": 1}], {"existing": "explode"}, True),
    ([7], {}, True),
    ([{"id": [1]}], {}, True),
    ([{"id": 1, "x": {"a": 1}}], {}, True),
    (7, {}, True),
    ([{"id": float("inf")}], {}, True),
    ([{"id": 1, "x": "x" * 50_001}], {}, True),
]


@pytest.mark.parametrize(("rows", "changed", "reads"), FORGED)
def test_a_forged_upsert_is_an_error_and_writes_nothing(
    serve, client, callers, gate, background, rows, changed, reads
):
    """Whatever stands in the job, the server goes on."""
    serve()
    body = Job("worksheet", "upsert_rows", WORKSHEET, (rows,), {**GIVEN, **changed}).encode()
    sent = background(send, callers, body)
    if reads:
        answer_read(gate.next())
    assert isinstance(sent.result(PATIENCE).error, Exception)
    reading = background(read, client)
    gate.next().answer({"answer": 1})
    assert reading.result(PATIENCE) == {"answer": 1}
    assert [seen.method for seen in gate.seen] == ["get"] * (1 + reads)
