"""What servers publish for those who look at the queue: after beats, never for a single call."""

from __future__ import annotations

import json
import os
import socket
import time
from concurrent.futures import wait
from dataclasses import replace
from types import SimpleNamespace

import pytest
import redis
from calls import append, insert_rows, read, send, write
from gate import google_error
from waiting import PATIENCE, eventually

from queued_gspread.broker import Consumer, Publication
from queued_gspread.broker.published import AGE_OF_STEPS, Card, LaneAtWork, Work, published_of
from queued_gspread.cli.health import troubles
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.monitor import look
from queued_gspread.server import publisher as publisher_of
from queued_gspread.server.figures import Figures, step_of
from queued_gspread.server.publisher import Publisher
from queued_gspread.server.tally import Tally
from queued_gspread.settings import Settings

NONE = Publication(1, Card())
READ = Tally()
READ.note("read", 1)
ENDED = (READ, "ok", ("h", 1), 0.1, 0.2)


@pytest.fixture
def timing(timing):
    """Have servers publish with every beat."""
    return replace(timing, publish=0.01)


@pytest.fixture
def published(redis_url, keys):
    """Return what returns all that is published by now."""
    with redis.Redis.from_url(redis_url) as client:
        yield lambda: published_of(client.hgetall(keys.published), time.time())


@pytest.fixture
def seen(published):
    """Return what waits until something that fits is published; it returns all of it."""

    def wait(fits):
        def fitting():
            found = published()
            return found if fits(found) else None

        return eventually(fitting)

    return wait


def test_a_server_has_a_card_until_it_ends(serve, seen):
    """It says who it is, with which options, as long as it lives; a standby does too."""
    first, second = serve(writes_per_minute=7), serve(writes_per_minute=8)
    found = seen(lambda found: len(found.cards) == 2)
    card = found.cards[first.server_id][1]
    assert (card.options["writes_per_minute"], card.has_token, card.lease) == (7, True, 1.0)
    assert (card.host, card.process) == (socket.gethostname(), os.getpid())
    second.stop()
    assert [*seen(lambda found: len(found.cards) == 1).cards] == [first.server_id]


def test_who_stands_by_with_other_options_says_so(serve, caplog):
    """A standby that takes other options than the worker names each of them, with both values."""
    serve(writes_per_minute=7, linger=0.5)
    serve(writes_per_minute=8, linger=0.5)
    eventually(lambda: "writes_per_minute 8 here, 7 there" in caplog.text)
    assert caplog.text.count("other options") == 1
    assert "linger" not in caplog.text


def test_calls_and_requests_are_counted(serve, client, gate, background, seen):
    """Calls are counted by kind and end, requests by kind and end, and both by caller."""
    serve()
    gate.open()
    write(client)
    write(client)
    read(client)
    found = seen(lambda found: found.totals.get("calls read ok") == 1)
    found = seen(lambda found: found.totals.get("calls write ok") == 2)
    assert found.totals["requests write ok"] == found.totals["carried write"] == 2
    for what in ("waited", "took"):
        places = [n for name, n in found.totals.items() if name.startswith(f"{what} write ")]
        assert sum(places) - found.totals.get(f"{what} write ms", 0) == 2
    (counts,) = found.callers.values()
    assert (counts.calls, counts.failed, counts.requests) == (3, 0, 3.0)
    for steps in found.history.values():
        assert sum(step.get("calls", 0) for step in steps) == 3


def test_a_failure_and_a_refusal_are_counted(serve, client, gate, background, seen):
    """A refusal for the quota is counted with its scope, and a request that is sent again too."""
    serve()
    call = background(write, client)
    gate.next().fail(google_error(429))
    gate.next().fail(google_error(400))
    call.exception(PATIENCE)
    found = seen(lambda found: found.totals.get("calls write failed") == 1)
    refused = [name for name in found.totals if name.startswith("requests write refused")]
    assert len(refused) == 1
    assert found.totals["requests write failed"] == found.totals["resent write"] == 1
    (counts,) = found.callers.values()
    assert (counts.calls, counts.failed) == (1, 1)


def test_what_a_lane_does_is_published(serve, client, gate, background, seen):
    """It is published which call is under way in a lane, since when, and what it waits for."""
    serve(writes_per_minute=1, no_merge=True, quota_window=0.5)
    calls = [background(append, client, "one")]
    gate.next()
    calls.append(background(append, client, "two"))
    lanes = {
        lane.lane: lane
        for lane in seen(
            lambda found: sorted(lane.state for lane in found.work.lanes) == ["quota", "sent"]
        ).work.lanes
    }
    assert (lanes["one"].method, lanes["one"].running) == ("http_client.values_append", 1)
    assert (lanes["two"].state, lanes["two"].kind) == ("quota", "write")
    assert lanes["one"].oldest >= lanes["one"].since >= 0
    gate.open()
    wait(calls, PATIENCE)


def test_a_title_stays_with_its_lane(serve, client, callers, gate, background, seen):
    """A spreadsheet keeps the title that a call had, while calls are made that do not know it."""
    serve()

    def titles(method):
        found = seen(lambda found: [each.method for each in found.work.lanes] == [method])
        return [each.title for each in found.work.lanes]

    calls = [background(send, callers, insert_rows())]
    assert titles("worksheet.insert_rows") == ["Book"]
    for _ in range(2):
        gate.next().answer({})
    calls.append(background(read, client))
    assert titles("http_client.request") == ["Book"]
    gate.open()
    wait(calls, PATIENCE)


def test_nothing_of_a_call_is_published(serve, client, gate, background, raw, keys, seen):
    """No argument and no value of any call is in what is published."""
    serve()
    background(append, client, "lane", "hidden")
    gate.next()
    seen(lambda found: found.work.lanes)
    assert "hidden" not in json.dumps(raw.hgetall(keys.published))


@pytest.fixture
def queue(redis_url, namespace):
    """Return the queue of a server that works."""
    queue = Consumer(Settings(redis_url, namespace), "aaaa")
    queue.beat(60)
    return queue


def test_what_is_published_again_counts_once(queue, published):
    """A publication that is sent again, since its answer was lost, adds nothing."""
    for number in (1, 1, 2, 2):
        again = Publication(
            number, Card(), totals={"n": 5}, step={"n": 5}, callers={"c": (2, 1, 9)}
        )
        queue.publish("aaaa", again, 5.0)
    assert published().totals == {"n": 10}
    assert published().callers["c"].calls == 4
    assert [steps[0]["n"] for steps in published().history.values()] == [10, 10]


def test_what_redis_may_not_have_is_published_again_under_its_number():
    """After a failure the same counts come under the same number, with those since in the next."""
    sent, broken = [], [True]

    class Queue:
        server_id = "aaaa"

        def heads(self, *_):
            return {}

        def publish(self, _, publication, __):
            sent.append(publication)
            if broken.pop() if broken else False:
                raise BrokerUnavailableError("gone")

    figures, moments = Figures(), iter(range(100))
    publisher = Publisher(Queue(), Card, Work, figures, 0.5, lambda: next(moments))
    figures.note_call(ENDED)
    publisher.after_beat("1")
    figures.note_call(ENDED)
    for _ in range(3):
        publisher.after_beat("1")
    assert [one.number for one in sent] == [1, 1, 2, 3]
    assert [one.totals.get("calls read ok", 0) for one in sent] == [1, 1, 1, 0]


def test_only_the_server_that_works_publishes_lanes(queue, published):
    """A server whose epoch has ended leaves alone what the lanes of the next one do."""
    at_work = Publication(1, Card(), Work([LaneAtWork("mine")]))
    queue.publish("aaaa", at_work, 5.0)
    queue.epoch = "1"
    queue.publish("aaaa", replace(at_work, number=2, work=Work([LaneAtWork("late")])), 5.0)
    assert [lane.lane for lane in published().work.lanes] == ["mine"]


def test_what_is_published_stays_small(queue, raw, keys, published):
    """Histories are rings, and of callers and servers the oldest go."""
    for place in range(360):
        raw.hset(keys.published, f"10:{place}", json.dumps({"t": place}))
    for place in range(500):
        raw.hset(keys.published, f"caller:old{place}", f"{place} 1 0 0")
        raw.hset(keys.published, f"server:old{place}", f"1 {place} {{}}")
    queue.publish("aaaa", Publication(31, Card(), callers={"new": (1, 0, 0)}), 5.0)
    kept = raw.hkeys(keys.published)
    assert sum(name.startswith("10:") for name in kept) == 360
    callers = [name for name in kept if name.startswith("caller:")]
    assert len(callers) == 200
    assert {"caller:new", "caller:old499"} <= set(callers)
    assert [name for name in kept if name.startswith("server:")] == ["server:aaaa"]
    assert sum(len(steps) for steps in published().history.values()) == 2


def test_what_short_lives_publish_stays_small(queue, raw, keys):
    """Servers of which none lives for long, as those of single commands, leave no more behind."""
    for number in range(300):
        caller = {f"c{number}": (1, 0, 0)}
        queue.publish(f"s{number}", Publication(1, Card(), callers=caller), 5.0)
        queue.publish(f"s{number}", Publication(2), 5.0)
    kept = [name.partition(":")[0] for name in raw.hkeys(keys.published)]
    assert kept.count("caller") <= 201
    assert kept.count("server") <= 101


def test_who_begins_to_work_says_so_at_once(clock):
    """A change between work and standing by is published at once, and not when it is due."""
    seen = []
    queue = SimpleNamespace(
        server_id="aaaa",
        heads=lambda *_: {},
        publish=lambda _, publication, __: seen.append(publication.card.works),
    )
    publisher = Publisher(queue, Card, Work, Figures(), 60.0, clock)
    for epoch in ("", "", "7", "7", ""):
        publisher.after_beat(epoch)
    assert seen == [False, True, False]


def test_the_time_at_a_full_quota_is_kept(queue, raw, keys, published):
    """How long a kind had four fifths of its slots in use is part of the history."""
    publication = replace(NONE, card=Card(limits={"write": 5}))
    queue.publish("aaaa", publication, 5.0)
    raw.zadd(keys.slots("write"), {str(n): "inf" for n in range(4)})
    card, at, rest = raw.hget(keys.published, "server:aaaa").split(" ", 2)
    raw.hset(keys.published, "server:aaaa", f"{card} {int(at) - 1500} {rest}")
    queue.publish("aaaa", replace(publication, number=2), 5.0)
    step = published().history[10][-1]
    assert 1500 <= step["busy.write"] == step["seen"] < 60_000


@pytest.mark.parametrize(
    "forged",
    [
        b"",
        b"x",
        b"1 1 x",
        b"1 1 []",
        b"1 1 {}",
        b'1 1 {"up": "x"}',
        b'1 1 {"up": 1%s, "limits": {"read": 1%s}}' % (b"0" * 400, b"0" * 400),
        b'{"t": 1%s}' % (b"0" * 400),
        b"9" * 99,
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_what_others_have_put_there_raises_nothing(queue, raw, keys, published, forged):
    """Whatever somebody has written among what is published, the rest is read and written."""
    for name in ("server:x", "work", "caller:x", "total:x", "10:0", "300:0", "odd", "caller:\n"):
        raw.execute_command("HSET", keys.published, name, forged)
    with_redis = {b"server:x": forged, b"work": forged, b"caller:x": forged, b"10:0": forged}
    assert published_of(with_redis, 0).totals == {}
    queue.publish(
        "aaaa", Publication(30, Card("h"), totals={"x": 1}, callers={"x": (1, 0, 0)}), 5.0
    )
    assert published().cards["aaaa"][1].host == "h"


def test_a_server_works_though_it_cannot_publish(serve, client, gate, raw, keys, caplog):
    """A key of another type in the place of what is published is logged once, and no more."""
    raw.set(keys.published, "mine")
    serve()
    gate.open()
    eventually(lambda: "cannot be published" in caplog.text)
    assert write(client) is not None
    assert raw.get(keys.published) == "mine"


def test_steps_have_short_names():
    """The history has calls, failures, requests, refusals and what was sent again."""
    figures = Figures()
    figures.note_call((ENDED[0], "unknown", *ENDED[2:]))
    figures.note_request(("read", "refused.user", 3, 0.1, True))
    assert step_of(figures.take()) == {
        "calls": 1,
        "unknown": 1,
        "requests.read": 1,
        "refused.user.read": 1,
        "carried.read": 3,
        "resent": 1,
    }
    assert AGE_OF_STEPS == {10: 3600, 300: 172_800}


# The oldest call of any lane ----------------------------------------------------------------------


@pytest.fixture
def put(raw, keys):
    """Return a function that puts a job into a lane, of which no server learns."""

    def put_in(lane, job_id, age, size=0, mark=""):
        moment = int(time.time() * 1000) - age * 1000
        raw.xadd(keys.lane(lane), {"id": job_id, "body": "x" * size}, id=f"{moment}-1")
        raw.sadd(keys.active, lane)
        raw.incr(keys.depth)
        if mark:
            raw.hset(keys.progress, job_id, mark)

    return put_in


def test_a_call_that_no_server_has_taken_up_is_seen(serve, client, gate, put, settings):
    """The oldest call of any lane counts, also one behind a lock or that no server has read."""
    serve()
    gate.open()
    read(client)  # the server has looked for what was there before it
    put("untouched", "a", 100)
    put("locked", "Lb", 900, mark="l")
    put("locked", "c", 300)
    found = eventually(lambda: oldest_in(settings, 300.0))
    assert {lane.lane: lane.oldest // 100 for lane in found.lanes} == {"untouched": 1, "locked": 3}
    assert troubles(found, 200.0) == ["the oldest call has been there for 5 min"]
    assert troubles(found, 1000.0) == []


def oldest_in(settings, age):
    found = look(settings)
    return found if (found.oldest_call or 0.0) >= age else None


@pytest.fixture
def settings(redis_url, namespace):
    return Settings(redis_url, namespace)


def test_the_oldest_are_found_among_many_and_looked_at_again(queue, put, monkeypatch):
    """Of many lanes some are drawn each time, and those with the oldest calls stay in sight."""
    monkeypatch.setattr(publisher_of, "_DRAWN", 5)
    for place in range(60):
        put(f"lane{place}", f"j{place}", place)
    publisher = Publisher(queue, Card, Work, Figures(), 60.0)
    seen = set()
    while "lane59" not in seen:
        seen = {lane.lane for lane in publisher._work_with_heads().lanes}
    for _ in range(3):
        found = publisher._work_with_heads().lanes
        assert found[0].lane == "lane59"
        assert 59 <= found[0].oldest < 60 + PATIENCE
    assert len(found) <= 10


def test_no_more_than_some_large_jobs_are_looked_at(queue, put):
    """Jobs come along with what is looked at, so a few large ones are enough for one time."""
    for place in range(5):
        put(f"lane{place}", f"j{place}", 1, size=600_000)
    assert len(queue.heads([], 5, 5.0)) == 2


def test_heads_of_lanes_hold_up_nothing(queue, raw, keys, put):
    """Whatever stands in a lane's place, and whoever asks, there is an answer."""
    put("good", "a", 7)
    raw.set(keys.lane("odd"), "mine")
    raw.sadd(keys.active, "odd", "empty")
    assert {lane: age // 7 for lane, age in queue.heads(["good", "gone"], 9, 5.0).items()} == {
        "good": 1
    }
    queue.epoch = "1"
    assert queue.heads(["good"], 9, 5.0) == {}
    raw.delete(keys.active)
    raw.set(keys.active, "mine")
    assert queue.heads([], 9, 5.0) == {}


def test_what_the_server_knows_of_a_lane_stays():
    """An age that was looked up takes the place of nothing that the server has read itself."""
    work = Work([LaneAtWork("known", oldest=5.0, method="worksheet.get"), LaneAtWork("sent")])
    found = {lane.lane: lane for lane in work.with_heads({"known": 1, "sent": 2, "new": 3}).lanes}
    assert {name: lane.oldest for name, lane in found.items()} == {"known": 5, "sent": 2, "new": 3}
    assert found["known"].method == "worksheet.get"
