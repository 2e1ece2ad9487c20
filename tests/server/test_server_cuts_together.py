"""Redis, or the way to it, breaks in the middle of a script that is for several calls at a time."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import redis
from durable import new_durable_redis
from merge_fixtures import Stage, Through, settled
from waiting import eventually
from wire import AFTER, BEFORE, Wire

from queued_gspread.broker.scripts import SCRIPTS

NAMES = ["a", "b", "c", "d"]
# Those of the script itself, and one for each job.
KEYS = 6 + len(NAMES)


@pytest.fixture
def durable_redis():
    """Return a Redis that has on its disk what it has confirmed."""
    with new_durable_redis() as server:
        yield server


@pytest.fixture
def wire(durable_redis):
    with Wire(durable_redis.url) as wire:
        yield wire


@pytest.fixture
def stage(hasty, durable_redis, wire, emulator, serve, authorize, door, book, keys):
    """Return a spreadsheet with a row, and a server whose way to Redis is the wire."""
    http = Through(door, emulator.gspread_client().http_client)
    raw = redis.Redis.from_url(durable_redis.url, decode_responses=True)
    with raw, ThreadPoolExecutor() as pool:
        server, client = serve(http, redis_url=wire.url), authorize(redis_url=durable_redis.url)
        stage = Stage(server, door, book, client, raw, keys, pool)
        book.sheet1.append_row(["first"])
        # So that the server knows the table.
        door.open()
        stage.sheet.append_row(["second"])
        door.close()
        yield stage
        eventually(lambda: is_at_rest(raw, keys))
        assert not raw.keys(keys.journal("*"))


def is_at_rest(raw, keys):
    """Tell whether nothing is left of any call; a Redis that is being reset may be away still."""
    try:
        return not raw.exists(keys.active, keys.progress, keys.deliveries)
    except redis.ConnectionError:
        return False


CALLS = {
    "appends": lambda sheet, name: sheet.append_row([name]),
    "updates": lambda sheet, name: sheet.update([[name]], f"C{NAMES.index(name) + 1}"),
    "reads": lambda sheet, name: sheet.acell(f"A{NAMES.index(name) + 1}").value,
}
COME_TO = {
    "appends": lambda found: (
        [one["updates"]["updatedRange"] for one in found]
        == [f"Sheet1!A{row}" for row in range(3, 7)]
    ),
    "updates": lambda found: (
        [one["updatedRange"] for one in found] == [f"Sheet1!C{row}" for row in range(1, 5)]
    ),
    "reads": lambda found: found == ["first", "second", None, None],
}
SENT = {"appends": "post", "updates": "post", "reads": "get"}


def reset(server):
    """Kill a Redis, and start it again with what it has on its disk."""
    server.kill()
    server.start()


@pytest.mark.parametrize("when", [BEFORE, AFTER])
@pytest.mark.parametrize("script", ["acquire", "answer"])
@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("what", ["cut", "reset"])
def test_trouble_in_the_middle_of_calls_that_leave_together(
    what, kind, script, when, stage, wire, door, durable_redis
):
    """All are made once, in one request, and answered, whether Redis had the script or not."""
    held = stage.hold()
    found = stage.put(*(partial(CALLS[kind], stage.sheet, name) for name in NAMES))
    act = partial(reset, durable_redis) if what == "reset" else lambda: None
    wire.cut_script(SCRIPTS[script].sha, KEYS, when, act)
    stage.release(held)
    door.open()
    assert COME_TO[kind]([settled(each) for each in found])
    eventually(lambda: wire.hits == ["EVALSHA"])
    assert [method for method, _ in stage.sent] == [SENT[kind]]
    rows = json.dumps(stage.rows())
    written = [] if kind == "reads" else NAMES
    assert {name: rows.count(f'"{name}"') for name in written} == dict.fromkeys(written, 1)
