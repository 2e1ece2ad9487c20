"""What becomes of calls that left together when their server ends, in whatever way."""

from __future__ import annotations

import json
import signal

import pytest
from calls import read
from waiting import PATIENCE, eventually

from queued_gspread.broker import StaleEpochError
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.server.google.transport import Transport

RAW = {"valueInputOption": "RAW"}


def append(client, value):
    """Append a row to a sheet; return where it is, as Google says."""
    found = client.http_client.values_append("lane", "'Rows'", RAW, {"values": [[value]]})
    return found["updates"]["updatedRange"]


def update(client, cell):
    body = {"values": [["x"]]}
    return client.http_client.values_update("lane", f"Rows!{cell}", RAW, body)["updatedRange"]


def rows_of(arrival):
    """Return the values that an append brings, one a row."""
    given = arrival.given
    body = given["json"] if "json" in given else json.loads(given["data"])
    return [value for (value,) in body["values"]]


def answer(arrival, top):
    """Answer an append as Google does whose table ends above that row."""
    count = len(rows_of(arrival))
    cells = f"Rows!A{top}" if count == 1 else f"Rows!A{top}:A{top + count - 1}"
    found = {} if top == 1 else {"tableRange": "Rows!A1" + (f":A{top - 1}" if top > 2 else "")}
    counts = {"updatedRows": count, "updatedColumns": 1, "updatedCells": count}
    updates = {"spreadsheetId": "lane", "updatedRange": cells, **counts}
    arrival.answer({"spreadsheetId": "lane", **found, "updates": updates})


@pytest.fixture
def pile(client, background, raw, keys):
    """Return what has calls pile up behind a read that is held: the read, and what they come to."""

    def make(gate, call, *values):
        background(read, client)
        held = gate.next()
        found = []
        for value in values:
            found.append(background(call, client, value))
            eventually(lambda: raw.xlen(keys.lane("lane")) == len(found) + 1)
        return held, found

    return make


@pytest.fixture
def first_row(client, background):
    """Return what appends a first row, so that the server knows the table."""

    def make(gate):
        first = background(append, client, "first")
        answer(gate.next(), 1)
        assert first.result(PATIENCE) == "Rows!A1"

    return make


def journals(raw, keys):
    """Return the first letter of every entry of every journal."""
    return [[each[0] for each in raw.lrange(key, 0, -1)] for key in raw.keys(keys.journal("*"))]


def test_a_server_killed_with_an_append_of_many_in_the_air(
    start_process, google, pile, first_row, raw, keys
):
    """Everybody's journal has the intent: each is told that nobody knows, and nothing is sent."""
    server = start_process()
    first_row(google.gate)
    held, appends = pile(google.gate, append, "a", "b", "c")
    held.answer({})
    arrival = google.gate.next()
    assert rows_of(arrival) == ["a", "b", "c"]
    assert list(raw.hgetall(keys.progress).values()) == ["j"] * 3
    assert journals(raw, keys) == [[">"]] * 3
    server.kill()
    start_process()
    for call in appends:
        error = call.exception(PATIENCE)
        assert type(error) is OutcomeUnknownError
        assert ":append was sent at 20" in str(error)
        place = "look for the rows at the end of the table in the worksheet 'Rows'"
        assert error.how_to_check.startswith(place)
    assert google.gate.is_idle
    assert not raw.exists(keys.progress)
    assert journals(raw, keys) == []


def test_a_server_killed_before_an_append_of_many_is_sent(start_process, google, pile, first_row):
    """What had no intent is made by the next server, each row once and in order."""
    server = start_process()
    first_row(google.gate)
    _, appends = pile(google.gate, append, "a", "b", "c")
    server.kill()
    start_process()
    google.gate.next().answer({})
    alone = google.gate.next()
    assert rows_of(alone) == ["a"]
    answer(alone, 2)
    others = google.gate.next()
    assert rows_of(others) == ["b", "c"]
    answer(others, 3)
    assert [call.result(PATIENCE) for call in appends] == ["Rows!A2", "Rows!A3", "Rows!A4"]
    assert google.gate.is_idle


def test_a_server_killed_with_updates_of_many_in_the_air(start_process, google, pile, raw, keys):
    """What is idempotent is retried, call by call, and nobody notices."""
    server = start_process()
    held, updates = pile(google.gate, update, "A1", "A2", "A3")
    held.answer({})
    assert google.gate.next().endpoint.endswith("/values:batchUpdate")
    assert list(raw.hgetall(keys.progress).values()) == ["w"] * 3
    assert journals(raw, keys) == []
    server.kill()
    start_process()
    for cell, call in zip(("A1", "A2", "A3"), updates, strict=True):
        arrival = google.gate.next()
        assert arrival.method == "put"
        arrival.answer({"updatedRange": f"Rows!{cell}"})
        assert call.result(PATIENCE) == f"Rows!{cell}"


def test_a_server_that_stops_with_an_append_of_many_in_the_air(
    start_process, google, pile, first_row, raw, keys
):
    """Everybody is answered before the server ends, and nothing is left."""
    server = start_process()
    first_row(google.gate)
    held, appends = pile(google.gate, append, "a", "b", "c")
    held.answer({})
    arrival = google.gate.next()
    server.signal(signal.SIGTERM)
    server.until_log("stopping: requests in the air")
    answer(arrival, 2)
    assert [call.result(PATIENCE) for call in appends] == ["Rows!A2", "Rows!A3", "Rows!A4"]
    assert server.exit_status() == 0
    assert "values.append 4/2 (2.0)" in server.log
    assert not raw.exists(keys.progress, keys.active)


def test_a_server_that_lost_its_lease_between_intent_and_request(
    serve, gate, pile, first_row, usurp, monkeypatch, raw, keys
):
    """It takes everybody's intent back, sends nothing, and all are made under the next."""
    send, lost, usurpers = Transport.send, [], []

    def stale(self, request, *given):
        if "b" in str(request.json) and not lost:
            usurpers.append(usurp())
            lost.append(journals(raw, keys))
            raise StaleEpochError
        return send(self, request, *given)

    serve()
    first_row(gate)
    held, appends = pile(gate, append, "a", "b", "c")
    monkeypatch.setattr(Transport, "send", stale)
    held.answer({})
    eventually(lambda: lost and journals(raw, keys) == [])
    assert lost == [[[">"]] * 3]
    usurpers[0].release()
    top = 2
    while top < 5:
        arrival = gate.next()
        rows = rows_of(arrival)
        answer(arrival, top)
        top += len(rows)
    assert [call.result(PATIENCE) for call in appends] == ["Rows!A2", "Rows!A3", "Rows!A4"]
    assert gate.is_idle
    eventually(lambda: not raw.exists(keys.progress))


def test_a_server_killed_between_the_pieces_of_a_refused_append(
    start_process, google, pile, first_row, raw, keys
):
    """Who was answered keeps that answer; only what was in the air is unknown; the rest is made."""
    server = start_process()
    first_row(google.gate)
    held, appends = pile(google.gate, append, "a", "b", "c", "d")
    held.answer({})
    refused = google.gate.next()
    assert rows_of(refused) == ["a", "b", "c", "d"]
    refused.answer({"error": {"code": 400, "message": "data[0]"}}, 400)
    piece = google.gate.next()
    assert rows_of(piece) == ["a", "b"]
    answer(piece, 2)
    assert [call.result(PATIENCE) for call in appends[:2]] == ["Rows!A2", "Rows!A3"]
    in_the_air = google.gate.next()
    assert rows_of(in_the_air) == ["c", "d"]
    assert journals(raw, keys) == [[">"]] * 2
    server.kill()
    start_process()
    assert [type(call.exception(PATIENCE)) for call in appends[2:]] == [OutcomeUnknownError] * 2
    assert google.gate.is_idle
    assert journals(raw, keys) == []


def test_a_server_that_stops_between_pieces_leaves_the_rest_to_the_next(
    start_process, google, pile, first_row
):
    """The piece in the air is answered, and what was not sent is made by the next server."""
    server = start_process()
    first_row(google.gate)
    held, appends = pile(google.gate, append, "a", "b")
    held.answer({})
    google.gate.next().answer({"error": {"code": 400, "message": "no"}}, 400)
    piece = google.gate.next()
    server.signal(signal.SIGTERM)
    server.until_log("stopping: requests in the air")
    answer(piece, 2)
    assert appends[0].result(PATIENCE) == "Rows!A2"
    assert server.exit_status() == 0
    start_process()
    answer(google.gate.next(), 3)
    assert appends[1].result(PATIENCE) == "Rows!A3"
