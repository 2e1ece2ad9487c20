"""Whatever an id is, and whatever stands in Redis in a lane's place: the server runs, and works."""

from __future__ import annotations

import pytest
from calls import read
from odd_ids import REFUSED_IDS, SENT_IDS
from redis import Redis
from waiting import PATIENCE, eventually

from queued_gspread.errors import CallRefusedError

BOOK = {"properties": {"title": "Book"}}


@pytest.mark.parametrize("odd", SENT_IDS, ids=lambda odd: ascii(odd[:24]))
def test_a_call_with_an_odd_id_is_a_call(odd, serve, client, gate, background, raw, keys):
    """It is made and holds up nobody, before and after a restart in which another one waits."""
    server = serve()
    opening = background(client.open_by_key, odd)
    held = gate.next()
    behind = background(client.open_by_key, odd)
    eventually(lambda: raw.get(keys.depth) == "2")
    read_beside(client, gate, background)
    assert server.is_running
    stopping = background(server.stop)
    eventually(lambda: server.was_told_to_stop)
    held.answer(BOOK)
    assert opening.result(PATIENCE).title == "Book"
    stopping.result(PATIENCE)
    server = serve()
    held = gate.next()
    read_beside(client, gate, background)
    held.answer(BOOK)
    assert behind.result(PATIENCE).title == "Book"
    assert server.is_running
    assert not server.was_told_to_stop


@pytest.mark.parametrize("odd", REFUSED_IDS, ids=lambda odd: ascii(odd[:24]))
def test_a_call_with_an_id_that_is_refused_is_a_call(
    odd, serve, client, gate, background, raw, keys
):
    """It is refused, also by a server that starts while it waits, and that server runs on."""
    gate.open()
    opening = background(client.open_by_key, odd)
    eventually(lambda: raw.get(keys.depth) == "1")
    server = serve()
    with pytest.raises(CallRefusedError):
        opening.result(PATIENCE)
    with pytest.raises(CallRefusedError):
        client.open_by_key(odd)
    assert read(client, "beside") == {}
    assert server.is_running
    assert not server.was_told_to_stop


def read_beside(client, gate, background):
    """Have a call of another spreadsheet made."""
    reading = background(read, client, "beside")
    arrival = gate.next()
    assert arrival.lane == "beside"
    arrival.answer({"read": True})
    assert reading.result(PATIENCE) == {"read": True}


@pytest.mark.parametrize(
    "item",
    [
        b"\0stop",
        b"stop",
        b"",
        b"\xff\0",
        b"\x001-1\x00abc\x004\x00lane{}",
        b"\x001-1\x00abc\x00999999999\x00lane{}",
        b"\x00" + b"9" * 400 + b"-1\x00abc\x004\x00lane{}",
        b"x" * 3_000_000,
    ],
    ids=lambda item: ascii(item[:24]),
)
def test_no_name_of_a_strangers_stops_the_server(item, serve, client, gate, redis_url, raw, keys):
    """What somebody who can write to Redis names a lane stops neither the server nor a lane."""
    gate.open()
    server = serve()
    epoch = raw.hget(keys.server, "epoch")
    with Redis.from_url(redis_url) as stranger:
        stranger.rpush(keys.ready_under(epoch), item)
        stranger.sadd(keys.active, item)
    assert read(client) == {}
    assert read(client, "other") == {}
    server.stop()
    server = serve()
    assert read(client) == {}
    assert server.is_running
