"""What a lane makes of what nobody expects: it goes on, and each caller is told of his own."""

from __future__ import annotations

import pytest
from calls import read
from gate import response
from gspread.exceptions import APIError
from waiting import PATIENCE, eventually

from queued_gspread.server import merging

RAW = {"valueInputOption": "RAW"}


@pytest.fixture
def held(client, gate, background):
    """Hold a read, so that what comes waits behind it; return it."""

    def hold():
        background(read, client)
        return gate.next()

    return hold


def test_a_large_job_that_cannot_be_sent_ends_for_its_caller_alone(serve, client, gate):
    """A value that JSON has no word for is the caller's error, however large its call is."""
    serve()
    gate.open()
    body = {"values": [["x" * 300_000]]}
    client.http_client.values_update("lane", "A1", RAW, {**body, "bytes": b"1"})
    with pytest.raises(TypeError, match="keys must be str"):
        client.http_client.values_update("lane", "A1", RAW, {**body, (1, 2): 3})
    assert read(client) == {}


def test_equal_reads_that_are_refused_cost_one_request(
    serve, client, gate, held, background, raw, keys
):
    """What was everybody's own request has everybody's own answer."""
    serve()
    waits = held()
    calls = [background(client.http_client.values_get, "lane", "Nowhere!A1") for _ in range(5)]
    eventually(lambda: raw.xlen(keys.lane("lane")) == 6)
    waits.answer({})
    error = {"code": 400, "message": "Unable to parse range: Nowhere!A1"}
    gate.next().fail(APIError(response({"error": error}, 400)))
    assert all("Unable to parse" in str(call.exception(PATIENCE)) for call in calls)
    assert gate.is_idle


def test_an_answer_with_half_a_character_is_split_all_the_same(
    serve, client, gate, held, background, raw, keys
):
    """A cell that cannot be written in UTF-8 harms nobody who reads another one."""
    serve()
    waits = held()
    calls = [background(client.http_client.values_get, "lane", f"Rows!A{n}") for n in (1, 2)]
    eventually(lambda: raw.xlen(keys.lane("lane")) == 3)
    waits.answer({})
    gate.next().answer({"valueRanges": [{"values": [["\ud83d"]]}, {"values": [["two"]]}]})
    values = {call.result(PATIENCE)["values"][0][0] for call in calls}
    assert values == {"\ud83d", "two"}


def test_an_error_of_merging_is_nobodys(
    serve, client, gate, held, background, raw, keys, monkeypatch
):
    """Where what fits together cannot be told, every call is made alone."""
    serve()
    waits = held()
    calls = [background(client.http_client.values_get, "lane", f"Rows!A{n}") for n in (1, 2)]
    eventually(lambda: raw.xlen(keys.lane("lane")) == 3)
    monkeypatch.setattr(merging.Group, "add", lambda *_: 1 / 0)
    waits.answer({})
    for _ in calls:
        gate.next().answer({"values": [["x"]]})
    assert [call.result(PATIENCE)["values"] for call in calls] == [[["x"]]] * 2


def test_servers_that_stop_leave_the_next_job_without_a_death(
    serve, client, gate, held, background, raw, keys
):
    """A job that was only seen to be the next one has not outlived a server that stops."""
    server = serve()
    waits = held()
    writing = background(client.http_client.batch_update, "lane", {"requests": [{"x": {}}]})
    eventually(lambda: raw.xlen(keys.lane("lane")) == 2)
    stop = background(server.stop)
    eventually(lambda: server.was_told_to_stop)
    waits.answer({})
    stop.result(PATIENCE)
    assert not raw.exists(keys.deliveries)
    serve()
    gate.next().answer({"done": True})
    assert writing.result(PATIENCE) == {"done": True}
