"""The snapshot: what Redis holds of a queue, as whoever runs it wants to see it."""

from __future__ import annotations

import json
import math
import runpy
from dataclasses import replace

import fastjsonschema
import pytest
from calls import append, write
from gate import google_error
from places import TOP
from waiting import PATIENCE, eventually

from queued_gspread.broker import Consumer, LockHolder, Observed, Publication, ServerHash, Work
from queued_gspread.broker.operators import Operator
from queued_gspread.broker.pauses import Pause
from queued_gspread.broker.published import Card, LaneAtWork, Published
from queued_gspread.broker.waiting.holdups import QUOTA, Holdup, Holdups
from queued_gspread.monitor import look, snapshot_of
from queued_gspread.settings import Settings

NOW = 1_000_000.0
WORKER = ServerHash("aaaa", "7", NOW - 0.5, 5.0, "web1:4711 (as bot)")
CARD = Card(
    "web1",
    4711,
    up=100.0,
    has_token=True,
    token=50.0,
    options={"quota_window": 60.0, "interval": 0.0, "linger": 0.5},
    limits={"read": 60, "write": 2, "drive": 0},
)
LANE = LaneAtWork("one", "Book", 3, 9.0, "worksheet.get", "web2:1", 2.0, "write", "quota", 0.0)
PUBLISHED = Published(
    cards={"aaaa": (NOW - 1.0, CARD)},
    work=Work((LANE,), in_use=1, slowest={"write": 0.5}, callers={"web2:1": 3}),
    worked_at=NOW - 1.0,
    epoch="7",
)
OBSERVED = Observed(
    "default",
    NOW,
    WORKER,
    PUBLISHED,
    account="bot@x",
    depth=5,
    begun=3,
    lanes={"one": 5},
    lanes_in_all=1,
    slots={"write": [NOW + 10, NOW + 30]},
)
LOCK = LockHolder("one", "L1", "who", NOW - 5, NOW, 9.0, "held")
SCHEMA = json.loads((TOP / "docs" / "snapshot.schema.json").read_text())


def quota_of(observed, kind="write"):
    """Return the quota of a kind of request in the snapshot."""
    return next(each for each in snapshot_of(observed).quota if each.kind == kind)


def test_the_schema_is_that_of_the_snapshot():
    """docs/snapshot.schema.json is what `python docs/schema.py` writes."""
    made = runpy.run_path(str(TOP / "docs" / "schema.py"))["text"]()
    assert (TOP / "docs" / "snapshot.schema.json").read_text() == made


@pytest.mark.parametrize("observed", [OBSERVED, Observed("default", NOW)], ids=["full", "empty"])
def test_a_snapshot_is_valid_json(observed):
    """What a snapshot is as JSON fits the schema, and the schema lets nothing else through."""
    validate = fastjsonschema.compile(SCHEMA)
    found = json.loads(snapshot_of(observed).to_json())
    validate(found)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        validate(found | {"more": 1})


def test_what_a_lane_does_is_shown():
    """Of a lane it is shown what is under way and since when, at the moment of the snapshot."""
    (lane,) = snapshot_of(OBSERVED).lanes
    assert (lane.title, lane.calls, lane.running) == ("Book", 5, 3)
    assert (lane.oldest, lane.since, lane.method, lane.caller) == (
        10.0,
        3.0,
        "worksheet.get",
        "web2:1",
    )
    assert (lane.state, lane.kind) == ("quota", "write")
    # Six requests in a lane that is alone: two releases, two rounds more, and five answers.
    (reads, writes) = lane.expected
    assert (reads.kind, writes.kind) == ("read", "write")
    assert writes.at_most == 30.0 + 2 * 60.5 + 5 * 0.5


def test_a_quota_is_shown():
    """Of a quota it is shown what is held, when the next slot is free, and who waits for it."""
    holdups = Holdups({"write": Holdup(QUOTA, 10.0, 1, 2)})
    quota = quota_of(replace(OBSERVED, server=replace(WORKER, holdups=holdups)))
    assert (quota.limit, quota.effective, quota.held, quota.in_the_air) == (2, 2, 2, 0)
    assert (quota.next_slot, quota.waiting, quota.expected.at_most) == (10.0, 1, 30.0)
    in_the_air = quota_of(replace(OBSERVED, slots={"write": [NOW + 10, math.inf]}))
    assert (in_the_air.in_the_air, in_the_air.next_slot) == (1, 10.0)
    assert in_the_air.expected.at_most is None
    assert "not answered" in in_the_air.expected.why
    assert quota_of(OBSERVED, "drive").expected.at_most == 0.0


def test_a_lane_that_nobody_knows_may_come_first():
    """A lane that came after the latest publication counts as one that waits for each kind."""
    found = quota_of(replace(OBSERVED, lanes={"one": 5, "new": 1}, slots={"write": []}))
    assert found.waiting == 2
    assert found.expected.at_most == 60.5


def test_a_lane_whose_request_was_out_may_be_in_line_again():
    """What servers say is older than lengths of lanes: one with more calls may come first."""
    lane = replace(LANE, kind="", state="sent", running=1)
    found = replace(OBSERVED, published=replace(PUBLISHED, work=Work((lane,), in_use=1)))
    assert (quota_of(found).waiting, quota_of(found).expected.at_most) == (0, 30.0)
    assert quota_of(replace(found, lanes={"one": 1})).expected.at_most == 10.0


def test_a_spreadsheet_in_use_without_calls_may_wait_for_its_share():
    """It waits for a turn of all others and a window, while one that is not in use goes first."""
    full = replace(OBSERVED, slots={"write": [NOW + 10, NOW + 30]})
    found = quota_of(replace(full, published=replace(PUBLISHED, work=Work((LANE,), in_use=2))))
    assert found.expected_in_use.at_most == 10.0 + 60.0 + 60.0
    assert found.expected_in_use.at_most > found.expected.at_most
    assert quota_of(replace(full, server=ServerHash())).expected_in_use.why == "no server works"


def test_no_more_lanes_wait_than_hold_calls():
    """Lanes that the server has said to wait, and that hold no calls any more, do not count."""
    holdups = Holdups({"write": Holdup(QUOTA, 10.0, 7, 2)})
    found = replace(OBSERVED, server=replace(WORKER, holdups=holdups))
    assert quota_of(found).waiting == 1
    assert quota_of(replace(found, lanes={})).waiting == 0


def test_what_refusals_have_taught_is_shown():
    """After a refusal the lower limit, the pause and the scope of the refusals are shown."""
    throttle = {"limit:write": 1.7, "until:write": (NOW + 12) * 1000, "streak:write": 1.0}
    step = {
        "t": NOW - 20,
        "refused.user.write": 2,
        "refused.write": 1,
        "busy.write": 5.0,
        "seen": 20.0,
    }
    published = replace(PUBLISHED, history={10: [step], 300: [step]})
    found = replace(OBSERVED, throttle=throttle, published=published)
    quota = quota_of(found)
    assert (quota.effective, quota.pause, quota.busy) == (1, 12.0, 0.25)
    assert (quota.refused_user, quota.refused_project, quota.refused_other) == (2, 0, 1)
    assert quota.expected.why == "paused for 12 s, as Google has refused a request"
    assert "Google refuses writes: pause 12 s" in snapshot_of(found).problems
    nearly = replace(found, throttle={**throttle, "until:write": (NOW + 0.3) * 1000})
    assert quota_of(nearly).expected.why.startswith("paused for 1 s")
    after = replace(found, throttle={**throttle, "until:write": (NOW - 1) * 1000})
    assert "trial request" in quota_of(after).expected.why


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"server": ServerHash()}, "no server works"),
        ({"server": replace(WORKER, last_beat=NOW - 6)}, "no server works"),
        ({"server": replace(WORKER, holdups=Holdups(token=3.0))}, "the server has no access token"),
        ({"locks": (LOCK,)}, "the spreadsheet is locked"),
    ],
)
def test_why_a_wait_is_not_known(changed, why):
    """Where something else than the quota is in the way, the expected wait says what it is."""
    (lane,) = snapshot_of(replace(OBSERVED, **changed)).lanes
    assert [(each.at_most, each.why) for each in lane.expected] == [(None, why)] * 2


def paused(what, lane="", why="a move"):
    """Return what Redis holds while somebody has paused this."""
    pause = Pause(what, lane, NOW - 60, "ann@web1", why)
    parked = replace(PUBLISHED, work=Work((replace(LANE, state="paused"),)))
    return replace(OBSERVED, server=replace(WORKER, pauses=(pause,)), published=parked)


@pytest.mark.parametrize(
    ("what", "lane", "kinds", "held_up"),
    [
        ("all", "", {"read", "write", "drive"}, True),
        ("write", "", {"write", "drive"}, True),
        ("read", "", {"read", "drive"}, False),
        ("all", "one", set(), True),
        ("write", "one", set(), True),
        ("all", "two", set(), False),
        ("drain", "", {"read", "write", "drive"}, False),
    ],
)
def test_what_is_paused_is_shown(what, lane, kinds, held_up):
    """What is paused, by whom and why is said where it holds something up, and as a problem."""
    found = snapshot_of(paused(what, lane))
    (pause,) = found.paused
    assert (pause.what, pause.lane, pause.since, pause.by) == (what, lane, 60.0, "ann@web1")
    assert pause.text in found.problems
    assert "by ann@web1 since" in pause.text
    assert pause.short == f"{'drained' if what == 'drain' else 'paused'} by ann@web1: a move"
    assert {each.kind for each in found.quota if each.expected.why == pause.short} == kinds
    assert [each.waiting for each in found.quota] == [0, 0, 0]
    assert found.lanes[0].paused == ("paused by ann@web1: a move" if held_up else "")
    whys = {each.why for each in found.lanes[0].expected}
    assert (whys == {pause.short}) is (held_up or what == "drain")


def test_a_pause_is_shown_while_it_holds(settings, serve, client, gate, background, timing):
    """A pause of writes holds up a lane whose first call writes; once resumed nothing says so."""
    serve(timing=replace(timing, publish=0.01))
    operator = Operator(settings, "ann@web1")
    operator.pause("write", why="a move")
    call = background(append, client, "one")
    eventually(lambda: (lanes := look(settings).lanes) and lanes[0].paused)
    found = look(settings)
    assert (found.lanes[0].state, found.lanes[0].kind) == ("paused", "write")
    assert [(each.what, each.why) for each in found.paused] == [("write", "a move")]
    assert [(each.by, each.what, each.why) for each in found.actions] == [
        ("ann@web1", "pause writes", "a move")
    ]
    fastjsonschema.compile(SCHEMA)(json.loads(found.to_json()))
    operator.resume(why="done")
    gate.open()
    call.result(PATIENCE)
    found = look(settings)
    assert (found.paused, [each.why for each in found.actions]) == ((), ["done", "a move"])
    assert not any("paused" in problem for problem in found.problems)


def test_the_latest_actions_are_shown(settings, raw, keys):
    """Of what operators ask for the latest twenty are shown; what others wrote is passed over."""
    operator = Operator(settings, "ann@web1")
    for number in range(25):
        operator.note(f"ask for {number}")
    asked = [each.what for each in look(settings).actions]
    assert asked == [f"ask for {number}" for number in range(24, 4, -1)]
    raw.hset(keys.server, "asked", "\nsoon ann what\twhy\n5 ann what\x1b[2J\twhy\n6 ann")
    assert [each.what for each in look(settings).actions] == ["what [2J"]


@pytest.mark.parametrize(
    ("state", "seconds", "why"),
    [("sent", 2.5, "no answer from Google for 4 s"), ("again", 9.0, "will be sent again")],
)
def test_a_lane_that_hangs_on_an_answer_says_so(state, seconds, why):
    """A lane whose request Google does not answer, or that failed, has no known wait."""
    work = Work((replace(LANE, state=state, seconds=seconds),))
    (lane,) = snapshot_of(replace(OBSERVED, published=replace(PUBLISHED, work=work))).lanes
    assert all(each.at_most is None and why in each.why for each in lane.expected)


def test_servers_are_shown_with_their_roles():
    """The one that works comes first; a standby shows which options it has set otherwise."""
    standby = replace(CARD, options={**CARD.options, "linger": 0.1}, host="web3")
    cards = {"bbbb": (NOW - 2, standby), "aaaa": (NOW - 1, CARD), "cccc": (NOW - 60, CARD)}
    found = snapshot_of(replace(OBSERVED, published=replace(PUBLISHED, cards=cards)))
    assert [(each.id, each.role) for each in found.servers] == [
        ("aaaa", "works"),
        ("bbbb", "stands by"),
        ("cccc", "gone"),
    ]
    worker, other, _ = found.servers
    assert (worker.uptime, worker.token_expires, worker.silent) == (101.0, 49.0, 0.5)
    assert [option.name for option in other.options if option.differs] == ["linger"]
    assert found.problems == ("web3:4711 stands by with other options than the worker: linger",)
    assert found.worker is worker


def test_a_server_without_a_token_is_wrong_whether_calls_wait_or_fail():
    """A refused key has calls fail at once, and none waits for a token: it is said all the same."""
    cards = {"aaaa": (NOW - 1, replace(CARD, has_token=False)), "bbbb": (NOW - 1, CARD)}
    refused = replace(OBSERVED, published=replace(PUBLISHED, cards=cards))
    assert snapshot_of(refused).problems == ("the server has no access token; its log says why",)
    waits = replace(refused, server=replace(WORKER, holdups=Holdups(token=3.0)))
    told = "the server has had no access token for 3 s; its log says why"
    assert snapshot_of(waits).problems == (told,)


def test_a_server_that_was_killed_at_work_stands_by_for_nobody():
    """From the end of its lease on it is gone, whether another one works by then or none does."""
    cards = {"aaaa": (NOW - 1, CARD), "dead": (NOW - 4, replace(CARD, works=True))}
    published = replace(PUBLISHED, cards=cards)
    found = snapshot_of(replace(OBSERVED, published=published))
    assert [(each.id, each.role) for each in found.servers] == [("aaaa", "works"), ("dead", "gone")]
    assert found.problems == ("no standby: if the server ends, calls wait",)
    silent = replace(WORKER, holder="dead", last_beat=NOW - 5.5)
    found = snapshot_of(replace(OBSERVED, server=silent, published=published))
    assert [each.role for each in found.servers if each.id == "dead"] == ["gone"]
    assert found.worker is None


def test_a_time_that_is_to_come_is_none_of_now():
    """Where Redis's clock was set back, nobody counts as alive for what was written before that."""
    later = NOW + 3600
    published = replace(PUBLISHED, cards={"aaaa": (later, CARD)}, worked_at=later)
    server = replace(WORKER, last_beat=later)
    found = snapshot_of(replace(OBSERVED, server=server, published=published))
    assert [each.role for each in found.servers] == ["gone"]
    assert found.worker is None


def test_what_was_published_long_ago_is_not_taken_for_now():
    """A server that beats and cannot publish has no oldest call that grows older and older."""
    found = snapshot_of(replace(OBSERVED, published=replace(PUBLISHED, worked_at=NOW - 60)))
    assert (found.worker.id, found.oldest_call) == ("aaaa", None)
    (lane,) = found.lanes
    assert (lane.calls, lane.method) == (5, "")


def test_a_server_of_an_earlier_version_is_shown():
    """One that publishes nothing is known by its beats alone."""
    found = snapshot_of(replace(OBSERVED, published=Published()))
    assert (found.worker.about, found.worker.host) == (WORKER.about, "")
    assert (found.lanes[0].oldest, found.lanes[0].method) == (None, "")
    assert found.problems == ("no standby: if the server ends, calls wait",)


def test_counts_are_shown_by_kind():
    """Calls, requests and their times are shown by kind, and how many calls a request was for."""
    totals = {
        "calls write ok": 5,
        "calls write unknown": 1,
        "calls none failed": 2,
        "requests write ok": 2,
        "requests write refused.user": 1,
        "carried write": 6,
        "merged write": 4,
        "waited write 3": 6,
        "waited write ms": 300,
    }
    found = snapshot_of(replace(OBSERVED, published=replace(PUBLISHED, totals=totals)))
    calls = {each.kind: each for each in found.calls}
    assert (calls["write"].ok, calls["write"].unknown, calls["none"].failed) == (5, 1, 2)
    writes = next(each for each in found.requests if each.kind == "write")
    assert (writes.ok, writes.refused, writes.merged, writes.calls_per_request) == (2, 1, 4, 2.0)
    (waited,) = found.histograms
    assert (waited.what, waited.kind, waited.counts[3], waited.total) == ("waited", "write", 6, 0.3)


@pytest.fixture
def settings(redis_url, namespace):
    return Settings(redis_url, namespace)


def test_a_queue_at_work_is_seen(settings, serve, client, gate, background, timing):
    """A snapshot of a real queue has its server, its calls under way, and those that ended."""
    serve(writes_per_minute=60, timing=replace(timing, publish=0.01))
    call = background(write, client, "done")
    gate.next().fail(google_error(400))
    call.exception(PATIENCE)
    calls = [background(append, client, lane) for lane in ("one", "two")]
    found = eventually(
        lambda: (
            (now := look(settings)).calls_running == 2
            and sum(lane.running for lane in now.lanes) == 2
            and now.callers[0].failed
            and now
        )
    )
    assert (found.calls_waiting, found.lanes_in_all, len(found.lanes)) == (0, 2, 2)
    assert {lane.method for lane in found.lanes} == {"http_client.values_append"}
    (outcome,) = found.outcomes
    assert (outcome.error, outcome.http_status, found.outcomes_others) == ("APIError", 400, 1)
    assert (found.callers[0].running, found.callers[0].calls) == (2, 1)
    writes = next(each for each in found.quota if each.kind == "write")
    assert (writes.held, writes.in_the_air, writes.limit) == (3, 2, 60)
    fastjsonschema.compile(SCHEMA)(json.loads(found.to_json()))
    gate.open()
    for call in calls:
        call.result(PATIENCE)


FILL = """
for lane = 1, 1000 do
  for job = 1, 100 do
    redis.call('XADD', KEYS[1] .. 'lane' .. lane, '*', 'id', 'J' .. job, 'body', 'b')
  end
  redis.call('SADD', KEYS[2], 'lane' .. lane)
end
redis.call('SET', KEYS[3], 100000)
"""


def test_a_large_queue_is_read_in_two_round_trips(settings, raw, keys, monkeypatch):
    """At 1,000 lanes and 100,000 calls, Redis is asked twice, reads no job and scans nothing."""
    raw.eval(FILL, 3, keys.lane(""), keys.active, keys.depth)
    queue = Consumer(settings, "aaaa")
    queue.beat(60)
    work = Work([LaneAtWork(f"lane{place}") for place in range(1, 1001)])
    queue.publish("aaaa", Publication(1, Card(), work), 5.0)
    trips, client = [], type(raw.pipeline())
    execute = client.execute
    monkeypatch.setattr(
        client, "execute", lambda *args, **given: trips.append(1) or execute(*args, **given)
    )
    raw.config_resetstat()
    found = look(settings)
    used = {name.removeprefix("cmdstat_") for name in raw.info("commandstats")}
    assert (len(trips), found.calls_waiting, len(found.lanes)) == (2, 100_000, 1000)
    assert all(lane.calls == 100 for lane in found.lanes)
    own = {"time", "hmget", "hgetall", "get", "hlen", "smembers", "xlen", "zrange", "zcard"}
    assert {name.partition("|")[0] for name in used - own} <= {"config", "info", "client", "hello"}


def test_keys_of_other_types_are_passed_over(settings, raw, keys):
    """Whatever stands in the place of the keys, a snapshot is made of the rest."""
    for key in (keys.server, keys.published, keys.active, keys.locks, keys.throttle, keys.depth):
        raw.rpush(key, "x")
    for key in (keys.slots("read"), keys.failed, keys.outcomes, keys.errors, keys.progress):
        raw.set(key, "x")
    found = look(settings)
    assert (found.lanes, found.servers, found.calls_waiting) == ((), (), 0)
    assert found.problems == ("no server works",)


def test_a_text_that_somebody_has_written_is_shown_on_one_line(settings, raw, keys):
    """Names and texts from Redis hold no control sequence and no second line."""
    raw.set(keys.account, "a\nb\x1b[2J")
    raw.sadd(keys.active, "lane\x1b[2J")
    raw.xadd(keys.lane("lane\x1b[2J"), {"id": "J"})
    failure = {"job_id": "i", "method": "m\n", "spreadsheet": "s", "caller": "c", "error": "E"}
    raw.zadd(keys.errors, {json.dumps(failure): 5})
    raw.hset(keys.server, mapping={"holder": "a\n", "last_beat": int(raw.time()[0]) * 1000 + 999})
    assert json.loads(look(settings).to_json())["lanes"][0]["lane"] == "lane?[2J"
    assert all(sign not in look(settings).to_json() for sign in ("\\n", "\\u001b"))
