"""Places in a lane come again, with other jobs: the job's own id says which one is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest
from broker_helpers import enqueue, withdraw
from one_job import acquire, answer

from queued_gspread.broker import Entry, Producer
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.protocol.messages import new_id
from queued_gspread.server.calls.memory import Memory, Portion
from queued_gspread.server.lanes.lookahead import Lookahead


def entry_at(place, job_id, body=b"body"):
    return Entry("lane", place, job_id, body, "", 9)


@pytest.fixture
def again(settings, keys, raw, server):
    """Return a job that a server has and that was withdrawn, and the id of one at its place."""
    job_id, entry = enqueue(settings, body=b"withdrawn")
    head = server.head("lane")
    assert withdraw(settings, job_id, entry) == "withdrawn"
    other = new_id()
    raw.xadd(keys.lane("lane"), {"id": other, "body": "another"}, id=entry)
    raw.incr(keys.depth)
    return head, other


def test_a_job_at_another_ones_place_is_not_started_for_it(again, server, raw, keys):
    """What was withdrawn stays so, whoever has its place."""
    assert acquire(server, again[0], "w").word == "withdrawn"
    assert not raw.exists(keys.progress)


def test_a_job_at_another_ones_place_is_not_answered_for_it(again, server, raw, keys):
    """An answer to what was withdrawn takes nobody else off the lane, and is nobody's reply."""
    gone, other = again
    head = answer(server, gone, b"reply")
    assert (head.stream_id, head.job_id, head.body) == (gone.stream_id, other, b"another")
    assert not raw.exists(keys.reply(gone.job_id), keys.reply(other))
    assert acquire(server, head, "w").word == "go"
    assert answer(server, head, b"its own") is None
    assert raw.exists(keys.reply(other))
    assert not raw.exists(keys.depth)


def test_a_job_at_another_ones_place_is_not_withdrawn_for_it(again, settings, server, raw, keys):
    """A withdrawal that comes once more takes nobody else back, however long ago the first was."""
    gone, other = again
    raw.zrem(keys.dedup, gone.job_id, f"withdrawn:{gone.job_id}")
    assert withdraw(settings, gone.job_id, gone.stream_id) == "lost"
    assert server.head("lane").job_id == other


def test_a_job_at_another_ones_place_is_no_sign_of_its_life(again, settings, keys):
    """A caller learns that its job is gone, though another one has its place."""
    gone, other = again
    callers = Producer(settings)
    assert not callers.see(Wait(gone.job_id, "lane", None, gone.stream_id)).is_known
    assert callers.see(Wait(other, "lane", None, gone.stream_id)).is_known


def test_two_jobs_at_one_place_have_memory_each():
    """What one of them gives back is its own."""
    memory = Memory(10**9)
    portion, first = Portion(memory), entry_at("1-0", "a", b"x" * 10**6)
    second = replace(first, job_id="b")
    assert portion.take(first)
    taken = sum(memory.taken.values())
    assert portion.take(second)
    portion.give_back(first)
    assert sum(memory.taken.values()) == taken > 0
    portion.give_back(second)
    assert sum(memory.taken.values()) == 0


def test_who_stands_at_a_place_that_came_again_is_not_taken_for_who_was_seen_there():
    """Those that were seen behind the one that is gone are looked at again."""
    ahead = Lookahead()
    seen = [entry_at(f"{number}-0", f"id{number}") for number in (1, 2, 3)]
    ahead.begin_at(seen[0])
    ahead.saw(seen[1:], 16)
    ahead.begin_at(replace(seen[1], job_id="another"))
    assert not ahead.seen
