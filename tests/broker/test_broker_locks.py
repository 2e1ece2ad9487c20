"""Locks as they stand in Redis."""

from __future__ import annotations

import pytest
from waiting import eventually

from queued_gspread.broker import (
    LOCKED,
    Consumer,
    LockHolder,
    Producer,
    holder_lane,
    is_lock,
    lock_number,
    spreadsheet_lane,
)
from queued_gspread.broker.locks import holder_of, holders_of
from queued_gspread.broker.waiting.reason import Sight, reason
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.errors import LockLostError
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

TEXT = "L1 1700000000000 1700000001500 30000 held web1, process 4711"
HOLDER = LockHolder("a", "L1", "web1, process 4711", 1.7e9, 1.7e9 + 1.5, 30.0, "held")


def test_a_holder_is_read_as_it_was_written():
    """What the scripts write is read with times in seconds."""
    assert holder_of("a", TEXT.encode()) == HOLDER
    assert holders_of({b"a": TEXT.encode(), b"b": b"something else"}) == [HOLDER]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "L1",
        TEXT.replace("held", "mine"),
        TEXT.replace("1700000000000", "9" * 30),
        TEXT.replace("1700000001500", "-1"),
        TEXT.replace("30000", "nan"),
    ],
)
def test_what_a_stranger_has_written_is_no_holder(text):
    """A value of another form counts as none."""
    assert holder_of("a", text) is None


def test_a_name_of_a_stranger_is_not_shown():
    """A holder's name that would break a line of the log is not shown, and a long one is cut."""
    assert holder_of("a", TEXT + "\x1b[31m").who == "?"
    assert len(holder_of("a", TEXT + "x" * 999).who) == 100


def test_a_lock_is_known_by_its_job():
    """Only the jobs that ask for locks have ids of theirs, and a lane shows whose it is."""
    number = lock_number()
    assert is_lock(number)
    assert not is_lock(new_id())
    assert spreadsheet_lane(holder_lane("a", number)) == spreadsheet_lane("a") == "a"


def test_who_waits_reads_who_holds_the_lock():
    """The reason names the holder, for how long and since when, and the calls that wait before."""
    sight = Sight(lock=HOLDER, moment=1.7e9 + 6, ahead=3)
    assert reason(sight) == (
        "the spreadsheet is locked by web1, process 4711 for 6 s, "
        "since 2023-11-14 22:13:20 UTC: 2 calls ahead"
    )


# In Redis ---------------------------------------------------------------------------------------


@pytest.fixture
def server(redis_url, namespace):
    """Return the servers' side of the queue, with the lease."""
    server = Consumer(Settings(redis_url=redis_url, namespace=namespace), "aaaa", "server a")
    assert server.beat(60).state == "taken"
    return server


@pytest.fixture
def queue(redis_url, namespace):
    """Return the callers' side."""
    return Producer(Settings(redis_url=redis_url, namespace=namespace))


def locked(server, queue):
    """Have the lane ``a`` locked, with a call behind it; return the lock's entry."""
    queue.enqueue(Wait(lock_number(), "a", None), b"lock")
    queue.enqueue(Wait(new_id(), "a", None), b"behind")
    entry = server.head("a")
    assert server.grant(entry, b"yours", 30.0, "who")
    return entry


def test_a_lock_that_is_given_again_stays_broken(server, queue):
    """A second grant of the same job, as after a lost answer, changes nothing of the lock."""
    entry = locked(server, queue)
    queue.enqueue(Wait(new_id(), holder_lane("a", entry.job_id), None), b"running")
    assert queue.break_lock(*queue.holders())
    assert server.grant(entry, b"yours", 30.0, "who")
    assert [holder.state for holder in queue.holders()] == ["broken"]


def test_no_server_dies_of_a_lock_that_is_held(server, queue):
    """However many servers come and go, a lock's job is poisoned for none of them."""
    entry = locked(server, queue)
    for number in range(5):
        server = server.under("")
        server.server_id = f"{number}"
        server._connection.redis.hset(server._keys.server, "last_beat", 0)
        assert server.beat(60).state == "taken"
        head = server.head("a")
        assert (head.job_id, head.mark, head.deaths) == (entry.job_id, LOCKED, 0)


def test_a_lock_ends_once_its_last_call_has(server, queue):
    """One that is left with a call on its way ends when that is answered, and the lane goes on."""
    entry = locked(server, queue)
    lane = holder_lane("a", entry.job_id)
    queue.enqueue(Wait(new_id(), lane, None), b"running")
    queue.unlock(lane)
    assert [holder.state for holder in queue.holders()] == ["released"]
    with pytest.raises(LockLostError):
        queue.enqueue(Wait(new_id(), lane, None), b"late")
    assert server.answer([(server.head(lane), b"made")]) is None
    assert queue.holders() == []
    assert server.head("a").body == b"behind"


def test_a_clock_that_was_set_back_keeps_no_lock(server, queue):
    """A latest call that lies in the future counts as one of now."""
    locked(server, queue)
    redis, key = server._connection.redis, server._keys.locks
    parts = redis.hget(key, "a").decode().split(" ")
    ahead = " ".join([parts[0], parts[1], str(int(parts[2]) + 9_000_000), "1", *parts[4:]])
    redis.hset(key, "a", ahead)
    server.end_lapsed()
    eventually(lambda: server.end_lapsed() or not queue.holders())
    assert queue.holders() == []
