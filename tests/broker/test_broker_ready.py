"""A lane that becomes ready brings its only job along; whatever else is in the list is a name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from broker_helpers import enqueue

from queued_gspread.broker import Servers
from queued_gspread.broker.ready import Ready, ready_of
from queued_gspread.broker.scripts import SCRIPTS, with_shared
from queued_gspread.errors import BrokerUnavailableError


def test_the_only_job_of_a_lane_comes_with_its_name(settings, server, raw, keys):
    """What came with the name is what a look at the lane finds, and is handed out with it."""
    job_id, _ = enqueue(settings, body=b"a\0body")
    assert raw.hget(keys.tries, job_id) == f"/{server.epoch}/"
    first = server.next_ready().first
    assert (first.job_id, first.body) == (job_id, b"a\0body")
    assert first == replace(server.head("lane"), age=first.age, seen=first.seen)


def test_a_large_job_does_not_come_with_the_name(settings, server):
    """A job that is large is not put into Redis twice."""
    enqueue(settings, body=b"x" * 20_000)
    assert server.next_ready() == Ready("lane")


def test_a_job_behind_another_does_not_come_with_the_name(settings, server, raw, keys):
    """A lane in which something stands already is named alone."""
    raw.xadd(keys.lane("lane"), {"what": "ever"})
    enqueue(settings)
    assert server.next_ready() == Ready("lane")


def test_a_job_that_cannot_be_handed_out_does_not_come_with_the_name(settings, server, raw, keys):
    """Where Redis does not let a caller note who has the job, the lane is named alone."""
    raw.set(keys.tries, "in the way")
    job_id, _ = enqueue(settings)
    assert server.next_ready() == Ready("lane")
    raw.delete(keys.tries)
    assert server.head("lane").job_id == job_id


def test_a_job_that_cannot_be_put_in_counts_as_none_that_waits(settings, raw, keys):
    """Where a lane's key is something else, the error tells, and the count stays right."""
    raw.set(keys.lane("lane"), "in the way")
    for _ in "12":
        with pytest.raises(BrokerUnavailableError, match="WRONGTYPE"):
            enqueue(settings)
    assert not raw.exists(keys.waiting, keys.active)


def test_a_job_that_no_server_took_was_not_handed_out(settings, server, raw, keys):
    """What still stands in the list of an epoch that has ended counts as death of none of it."""
    enqueue(settings, lane="taken")
    taken = server.next_ready().first
    enqueue(settings, lane="left")
    other = Servers(settings, "other")
    raw.hset(keys.server, "at", 0)
    assert other.beat(5.0).state == "taken"
    assert raw.hkeys(keys.tries) == [taken.job_id]
    assert [other.head(lane).deaths for lane in ("taken", "left")] == [1, 0]


def test_a_job_whose_name_is_told_again_was_not_handed_out(settings, server, raw, keys):
    """Where the list is made anew, a job is handed out when the server looks at its lane."""
    job_id, _ = enqueue(settings)
    server.recover()
    assert not raw.exists(keys.tries)
    assert server.next_ready() == Ready("lane")
    assert server.head("lane").job_id == job_id
    assert raw.hkeys(keys.tries) == [job_id]


@pytest.mark.parametrize(
    "made",
    [
        lambda raw, key: raw.set(key, "x"),
        lambda raw, key: raw.rpush(key, b"\0", b"\x001-1\0!\0", b"\x001-1\0id", b"name"),
    ],
    ids=["no list", "odd names"],
)
def test_whatever_is_in_the_list_of_an_ended_epoch_is_dropped(settings, server, raw, keys, made):
    """A new server takes over whatever a stranger has put there."""
    raw.delete(keys.ready_under(server.epoch))
    made(raw, keys.ready_under(server.epoch))
    raw.hset(keys.server, "at", 0)
    assert Servers(settings, "other").beat(5.0).state == "taken"
    assert not raw.exists(keys.ready_under(server.epoch))


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
    assert "now_ms" not in SCRIPTS["take"].text
