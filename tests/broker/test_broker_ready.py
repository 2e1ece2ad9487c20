"""A lane that becomes ready brings its only job along; whatever else is in the list is a name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from broker_helpers import enqueue, withdraw
from one_job import acquire

from queued_gspread.broker import Consumer
from queued_gspread.broker.jobs import Ready, ready_of
from queued_gspread.broker.keys import Keys
from queued_gspread.broker.scripts import SCRIPTS, on_demand, with_shared
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.settings import Settings


def test_the_only_job_of_a_lane_comes_with_its_name(settings, server):
    """What came with the name is what a look at the lane finds."""
    job_id, _ = enqueue(settings, body=b"a\0body")
    first = server.next_ready().first
    assert (first.job_id, first.body) == (job_id, b"a\0body")
    found = server.head("lane")
    assert first == replace(found, age=first.age, seen=first.seen, is_handed_out=False)


def test_a_large_job_does_not_come_with_the_name(settings, server):
    """A job that is large is not put into Redis twice."""
    enqueue(settings, body=b"x" * 20_000)
    assert server.next_ready() == Ready("lane")


def test_a_job_behind_another_does_not_come_with_the_name(settings, server, raw, keys):
    """A lane in which something stands already is named alone."""
    raw.xadd(keys.lane("lane"), {"what": "ever"})
    enqueue(settings)
    assert server.next_ready() == Ready("lane")


def test_a_job_that_cannot_be_put_in_counts_as_none_that_waits(settings, raw, keys):
    """Where a lane's key is something else, the error tells, and the count stays right."""
    raw.set(keys.lane("lane"), "in the way")
    for _ in "12":
        with pytest.raises(BrokerUnavailableError, match="WRONGTYPE"):
            enqueue(settings)
    assert not raw.exists(keys.depth, keys.active)


def test_a_job_that_came_with_the_name_is_handed_out_at_its_start(settings, server, raw, keys):
    """Redis knows who has it as soon as a request is to be sent for it, and not by that twice."""
    enqueue(settings)
    started = server.next_ready().first
    assert not raw.exists(keys.deliveries)
    for _ in "12":
        acquire(server, started, "w")
    assert raw.hgetall(keys.deliveries) == {started.job_id: f"/{server.epoch}/"}


LANES = ["started", "taken", "with another behind it", "large", "waits", "waits too"]


def taken_and_waiting(settings, server):
    """Put jobs in, and have a server take those of all lanes but the last two."""
    server.recover()
    for lane in LANES:
        enqueue(settings, lane=lane, body=b"x" * (20_000 if lane == "large" else 10))
    started, *_ = (server.next_ready().first for _ in LANES[:-2])
    enqueue(settings, lane="with another behind it")
    acquire(server, started, "r")


def test_a_server_that_is_gone_had_what_it_had_taken(settings, server, raw, keys):
    """What waited in its list it has not died of; what was taken off it has, begun or not."""
    taken_and_waiting(settings, server)
    raw.sadd(keys.active, "strange", "empty")
    raw.set(keys.lane("strange"), "no stream")
    other = Consumer(settings, "other")
    raw.hset(keys.server, "last_beat", 0)
    assert other.beat(5.0).state == "taken"
    assert [other.head(lane).deaths for lane in LANES] == [1, 1, 1, 1, 0, 0]
    third = Consumer(settings, "third")
    raw.hset(keys.server, "last_beat", 0)
    assert third.beat(5.0).state == "taken"
    assert [third.head(lane).deaths for lane in LANES] == [2, 2, 2, 2, 1, 1]


@pytest.mark.parametrize("what", ["active", "deliveries", "ready"])
def test_a_lease_is_taken_over_whatever_stands_in_redis(settings, server, raw, keys, what):
    """Where a stranger has put something else in a key's place, the next server works."""
    taken_and_waiting(settings, server)
    raw.set(keys.ready_under(server.epoch) if what == "ready" else getattr(keys, what), "strange")
    raw.hset(keys.server, "last_beat", 0)
    assert Consumer(settings, "other").beat(5.0).state == "taken"


def test_a_server_that_came_not_to_work_had_nothing(settings, server, raw, keys):
    """A server that took the lease and died before it took over the queue counts for no job."""
    taken_and_waiting(settings, server)
    for name in ("other", "third"):
        raw.hset(keys.server, "last_beat", 0)
        last = Consumer(settings, name)
        assert last.beat(5.0).state == "taken"
    assert [last.head(lane).deaths for lane in LANES] == [1, 1, 1, 1, 0, 0]


def test_a_server_that_gave_its_lease_up_has_died_of_nothing(settings, server):
    """What a server had taken when it stopped, and had not begun, counts for nobody."""
    taken_and_waiting(settings, server)
    server.release()
    other = Consumer(settings, "other")
    assert other.beat(5.0).state == "taken"
    assert [other.head(lane).deaths for lane in LANES] == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("late", [False, True], ids=["before the takeover", "after it"])
def test_a_server_that_has_left_has_died_of_nothing(settings, server, raw, keys, late):
    """Begun or not: also where its lease was not given up, or it was paused until then."""
    taken_and_waiting(settings, server)
    left = server.under(server.epoch)
    if not late:
        assert left.requeue()
    raw.hset(keys.server, "last_beat", 0)
    other = Consumer(settings, "other")
    assert other.beat(5.0).state == "taken"
    if late:
        assert left.requeue()
    assert [other.head(lane).deaths for lane in LANES] == [0] * len(LANES)


def test_a_takeover_reads_no_long_list_at_once(own_redis, redis_of):
    """However many jobs wait with the names of their lanes, Redis has few of them in its hands."""
    settings = Settings(redis_url=own_redis.url, namespace="long")
    server = Consumer(settings, "aaaa")
    assert server.beat(60).state == "taken"
    server.recover()
    for number in range(1_000):
        enqueue(settings, lane=f"lane {number}", body=b"x" * 16_000)
    raw = redis_of(own_redis)
    before = raw.info("memory")["used_memory_peak"]
    raw.hset(Keys("long").server, "last_beat", 0)
    assert Consumer(settings, "other").beat(5.0).state == "taken"
    assert raw.info("memory")["used_memory_peak"] - before < 8_000_000


def test_nothing_is_kept_of_a_job_that_is_gone_before_its_start(settings, server, raw, keys):
    """Where a job was taken back before its start, no trace of it is left."""
    job_id, entry = enqueue(settings)
    first = server.next_ready().first
    assert withdraw(settings, job_id, entry) == "withdrawn"
    assert acquire(server, first, "w").word == "withdrawn"
    assert not raw.exists(keys.deliveries, keys.progress)


@pytest.mark.parametrize("knows_entry", [True, False])
def test_a_withdrawn_job_leaves_no_copy(settings, server, raw, keys, knows_entry):
    """While its lane waits for a server, what came with the name goes with the withdrawal."""
    enqueue(settings, "other", body=b"waits")
    job_id, entry = enqueue(settings, body=b"salary")
    assert withdraw(settings, job_id, entry if knows_entry else "") == "withdrawn"
    assert raw.smembers(keys.active) == {"other"}
    assert raw.llen(keys.ready_under(server.epoch)) == 1
    enqueue(settings, body=b"new")
    firsts = [server.next_ready().first.body for _ in "12"]
    assert firsts == [b"waits", b"new"]


def test_a_lane_is_still_named_when_its_first_job_is_withdrawn(settings, server, raw, keys):
    """Whoever stands behind it waits for its turn, and the copy is gone all the same."""
    job_id, entry = enqueue(settings, body=b"salary")
    _, _ = enqueue(settings, body=b"behind")
    assert withdraw(settings, job_id, entry) == "withdrawn"
    assert raw.lrange(keys.ready_under(server.epoch), 0, -1) == ["lane"]
    assert server.next_ready() == Ready("lane")
    assert server.head("lane").body == b"behind"


@pytest.mark.parametrize(
    "item", [b"", b"lane", b"\xff", b"\0", b"\x001-1\0!\x000\0", b"\x001-1\0id\0x\0", b"\x00" * 9]
)
def test_whatever_else_there_is_is_a_name(item):
    """No item of the list stops the server."""
    assert ready_of(item) == Ready(item.decode(errors="surrogateescape"))


def test_a_script_has_the_definitions_that_it_needs():
    """Those that its text names, and those that they name, in their order; no others."""
    shared = "local A = 1\nlocal function b()\nend\nlocal function c()\n  b()\nend\n"
    assert with_shared("return c()\n", shared) == shared[12:] + "return c()\n"
    assert with_shared("return 1\n", shared) == "return 1\n"
    assert "now_ms" not in SCRIPTS["deliver_suspect"].text


def test_a_script_makes_what_few_calls_need_when_it_needs_it():
    """It has one function for those definitions, and none if it names none of them."""
    rare = "local A = 1\nlocal function b()\nend\nlocal function c()\n  b()\nend\n"
    made = "local function promise_functions()\n" + rare[12:] + "return {c = c}\nend\n"
    assert on_demand("promises.c()\n", "promises", rare) == made
    assert on_demand("c()\n", "promises", rare) == ""
