"""What the log says when one server takes over from another, and when Redis was away."""

from __future__ import annotations

import io
import json
import re
import time

import pytest
from calls import read
from durable import new_durable_redis
from gate import Gate, GatedHTTPClient, google_error
from waiting import PATIENCE, eventually

from queued_gspread.broker import Backlog, Predecessor
from queued_gspread.server.lanes.takeover import log_takeover, told
from queued_gspread.server.log import configure

KILLED = (
    "took over from host:1 (as me), which has been silent for 3.0 s; calls that wait here: 12 in 3 "
    "lanes, 2 of them begun before: these go on where they stood"
)
STOPPED = "took over from host:1 (as me), which has ended; calls that wait here: 0 in 0 lanes"


@pytest.mark.parametrize(
    ("before", "backlog", "text"),
    [
        (Predecessor("host:1 (as me)", 3.04), Backlog(3, 12, 2), KILLED),
        (Predecessor("host:1 (as me)"), Backlog(0, 0, 0), STOPPED),
        (Predecessor(), Backlog(1, 12, 0), "calls that wait here: 12 in 1 lane"),
    ],
)
def test_the_line_of_a_takeover(before, backlog, text):
    """It says whom from, how many calls wait, and that those in the middle go on."""
    assert told(before, backlog) == text


def test_who_finds_nothing_says_nothing(caplog):
    """Where there was no server before and no call waits, there is no line."""
    caplog.set_level("INFO", "queued_gspread")
    log_takeover(Predecessor(), Backlog(0, 0, 0))
    assert not caplog.records
    log_takeover(Predecessor(), Backlog(1, 1, 0))
    assert caplog.records


def lines(log):
    """Return the lines of a log, of JSON, that have come whole."""
    return [
        json.loads(line) for line in log.splitlines() if line.startswith("{") and line[-1] == "}"
    ]


def test_a_takeover_after_a_kill(start_process, client, google, background):
    """The next server names the dead one, and counts a call's time from the call's beginning."""
    first = start_process()
    second = start_process("--log-format", "json", wait="standing by")
    calls = [background(read, client)]
    google.gate.next()
    since = time.monotonic()
    calls.append(background(read, client, "other"))
    google.gate.next()
    first.kill()
    killed = time.monotonic()
    again = [google.gate.next() for _ in calls]
    resumed = time.monotonic()
    for arrival in again:
        arrival.answer({})
    assert [call.result(PATIENCE) for call in calls] == [{}, {}]
    eventually(lambda: second.log.count('"outcome": "ok"') == 2)
    (takeover,) = [line for line in lines(second.log) if line.get("event") == "takeover"]
    assert f":{first.process.pid} " in takeover["from"]
    assert takeover["silent_seconds"] > 0
    assert (takeover["lanes"], takeover["calls"], takeover["begun"]) == (2, 2, 2)
    ended = max((line for line in lines(second.log) if "method" in line), key=duration)
    # Redis's clock has whole milliseconds.
    assert ended["duration_ms"] >= (resumed - since) * 1000 - 2
    assert ended["waited_ms"] >= (killed - since) * 1000 - 2


def duration(line):
    return line["duration_ms"]


def test_a_takeover_after_a_stop(serve, client, gate, background, auth, caplog):
    """A server that has stood by names the one that has ended; standing by is no warning."""
    caplog.set_level("INFO", "queued_gspread")
    first = serve()
    second_gate = Gate()
    serve(GatedHTTPClient(second_gate, auth))
    (standing_by,) = [one for one in caplog.records if "standing by" in one.getMessage()]
    assert standing_by.levelname == "INFO"
    first.stop()
    assert eventually(lambda: re.search(r"took over from .*, which has ended; calls", caplog.text))
    second_gate.open()
    assert read(client) == {}


def test_calls_that_have_waited_for_a_server(serve, client, gate, background, raw, keys, caplog):
    """A server that finds calls says how many, also where no other has left them."""
    caplog.set_level("INFO", "queued_gspread")
    gate.open()
    waiting = [background(read, client, lane) for lane in ("one", "other")]
    eventually(lambda: int(raw.get(keys.depth) or 0) == 2)
    serve()
    assert [call.result(PATIENCE) for call in waiting] == [{}, {}]
    assert "calls that wait here: 2 in 2 lanes" in caplog.text
    assert "took over from" not in caplog.text


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_redis_that_is_back(hasty, serve, gate, restored_log, form):
    """After the line that Redis is away there is one that it is back, with the seconds."""
    stream = io.StringIO()
    configure("info", form, stream)
    with new_durable_redis() as server:
        serve(redis_url=server.url)
        server.stop()
        eventually(lambda: "waiting for Redis" in stream.getvalue())
        server.start()
        eventually(lambda: "Redis is back after" in stream.getvalue())
    told = re.search(r"Redis is back after (\d+\.\d) s", stream.getvalue())
    assert stream.getvalue().index("waiting for Redis") < told.start()
    if form == "json":
        (line,) = [x for x in lines(stream.getvalue()) if x.get("event") == "redis_back"]
        assert (line["level"], line["seconds"]) == ("info", float(told[1]))


def test_a_call_that_waits_when_its_server_leaves_is_made_if_that_works_again(
    serve, client, gate, background
):
    """Where no other server comes in between, the same process goes on with what it had left."""
    works = serve()
    waiting = background(read, client, "lane")
    gate.next().fail(google_error(503))  # it is retried after a pause
    (lanes,) = works._left
    eventually(lambda: any(lanes._valve.look(1)))
    lanes.retire()
    gate.next().answer({"answer": 1})
    assert waiting.result(PATIENCE) == {"answer": 1}
