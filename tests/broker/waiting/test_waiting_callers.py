"""How many jobs wait in a namespace: the count that the limit is held against."""

from __future__ import annotations

import random

import pytest
import redis
from broker_helpers import enqueue, withdraw
from one_job import answer

from queued_gspread.broker import Consumer, Producer
from queued_gspread.broker.keys import Keys
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.errors import QueueFullError
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

LANES = ("a", "b", "c")


def counted(raw, keys):
    """Return the count, and how many jobs there are."""
    return int(raw.get(keys.depth) or 0), sum(raw.xlen(keys.lane(lane)) for lane in LANES)


@pytest.mark.parametrize("seed", range(5))
def test_the_count_is_right_whatever_happens(settings, keys, raw, server, seed):
    """Enqueued twice, withdrawn in every way, answered or spoilt, jobs are counted as they wait."""
    chance, sent = random.Random(seed), []
    for _ in range(100):
        lane = chance.choice(LANES)
        what = chance.randrange(4)
        if what < 2 or not sent:
            job_id, entry = enqueue(settings, lane)
            sent.append((job_id, entry, lane))
        elif what == 2:
            job_id, entry, lane = chance.choice(sent)
            if chance.random() < 0.5:
                assert enqueue(settings, lane, job_id=job_id)[1] in (entry, "0-1")
            withdraw(settings, job_id, chance.choice([entry, ""]), lane)
        elif (head := server.head(lane)) is not None:
            answer(server, head, chance.choice([b"reply", b""]))
        count, jobs = counted(raw, keys)
        assert count == jobs
    for lane in LANES:
        head = server.head(lane)
        while head is not None:
            head = answer(server, head, b"")
    assert not raw.exists(keys.depth)


def test_a_job_that_is_refused_can_be_enqueued_later(settings, keys, raw, namespace):
    """A job that found the queue full is not known, and goes in once there is room."""
    server = Consumer(settings, "aaaa", "server a", max_queue=1)
    server.beat(60)
    enqueue(settings, "a")
    job_id = new_id()
    with pytest.raises(QueueFullError, match=f"1 calls wait in namespace '{namespace}'"):
        enqueue(settings, "b", job_id=job_id)
    assert not raw.exists(keys.lane("b"))
    answer(server, server.head("a"), b"")
    assert enqueue(settings, "b", job_id=job_id)[1]


def test_a_known_job_is_not_refused_by_a_full_queue(settings, raw):
    """The repetition of an enqueue that filled the queue finds its job, and no error."""
    Consumer(settings, "aaaa", "server a", max_queue=1).beat(60)
    job_id, entry = enqueue(settings, "a")
    assert enqueue(settings, "a", job_id=job_id) == (job_id, entry)


def test_the_count_survives_a_restart(binary, namespace):
    """After a Redis with an append-only file was killed, the count is that of the jobs."""
    keys = Keys(namespace)
    with TemporaryRedis(binary, persistent=True, restricted=False) as server:
        settings = Settings(redis_url=server.url, namespace=namespace)
        for lane in LANES:
            enqueue(settings, lane)
        with redis.Redis.from_url(server.url, decode_responses=True) as raw:
            raw.config_set("appendfsync", "always")
            enqueue(settings, "a")
        server.kill()
        server.restart()
        with redis.Redis.from_url(server.url, decode_responses=True) as raw:
            assert counted(raw, keys) == (4, 4)
        assert Producer(settings).alive() is None


def test_a_recovery_counts_what_is_there(settings, keys, raw, server):
    """A count that is wrong, missing or no number is right after a recovery."""
    for lane in LANES:
        enqueue(settings, lane)
    raw.set(keys.lane("d"), "no stream")
    raw.sadd(keys.active, "d")
    for wrong in ("17", "-5", "many", None):
        if wrong is None:
            raw.delete(keys.depth)
        else:
            raw.set(keys.depth, wrong)
        server.recover()
        assert counted(raw, keys) == (3, 3)
