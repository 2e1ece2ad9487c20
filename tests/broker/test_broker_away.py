"""A Redis that refuses for a while, in whatever way: what was told to wait, and who waits."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager

import pytest
import redis
from broker_helpers import connection_of, enqueue, milliseconds_of
from one_job import acquire, answer, release_slot
from waiting import PATIENCE, eventually
from wire import AFTER, Wire

from queued_gspread.broker import Consumer, JournalUpdate, Producer, QueueTiming, Slot
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.embedded.probe import free_port
from queued_gspread.errors import BrokerUnavailableError, JobLostError
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings


def told_by(settings):
    """Return the error that a call raises at once."""
    with pytest.raises(BrokerUnavailableError) as caught:
        Producer(settings).call(new_id(), "lane", b"job")
    return caught.value


@pytest.fixture
def settings(own_redis, namespace):
    return Settings(redis_url=own_redis.url, namespace=namespace, grace=60.0)


@pytest.fixture
def raw(own_redis, redis_of):
    return redis_of(own_redis)


def test_a_redis_that_has_become_a_replica(settings, server, raw, keys, background):
    """A replica takes no job and says so; a server waits for the master with its answer."""
    waiting = background(Producer(settings).call, new_id(), "lane", b"job")
    head = eventually(lambda: server.head("lane"))
    raw.replicaof("127.0.0.1", free_port())
    answered = background(answer, server, head, b"reply")
    error = told_by(settings)
    assert "read-only replica" in str(error)
    assert not error.may_have_run
    assert "start one there" not in str(error)
    assert not answered.done()
    raw.replicaof("NO", "ONE")
    assert answered.result(PATIENCE) is None
    assert waiting.result(PATIENCE) == b"reply"


@contextmanager
def loading(binary, namespace):
    """Start a Redis that takes a while to read its data; it has a job in it."""
    # Microseconds for each of its keys.
    with TemporaryRedis(binary, persistent=True, options={"key-load-delay": "10000"}) as server:
        settings = Settings(redis_url=server.url, namespace=namespace, grace=60.0)
        enqueue(settings)
        with redis.Redis.from_url(server.url) as raw:
            # It looks at its clients after every two megabytes.
            raw.mset({f"ballast:{number}": os.urandom(2**18) for number in range(100)})
            raw.bgrewriteaof()
            eventually(lambda: not raw.info("persistence")["aof_rewrite_in_progress"])
        server.kill()
        start = threading.Thread(target=server.start)
        start.start()
        try:
            yield settings
        finally:
            start.join()


def test_a_redis_that_is_loading(binary, namespace):
    """While Redis reads its data a call is told so, and not queued; a server waits."""
    with loading(binary, namespace) as settings:
        error = eventually(lambda: loading_error(settings))
        assert "loading the dataset" in str(error)
        assert "wait until" in str(error)
        assert not error.may_have_run
        servers = Consumer(settings, "aaaa", "server a")
        assert eventually(lambda: beat_of(servers)).state == "taken"
        head = servers.head("lane")
        assert (head.body, head.waiting) == (b"body", 1)


def loading_error(settings):
    """Return what a call is told by a Redis that is loading, None by one that is not there yet."""
    error = told_by(settings)
    return error if "loading" in str(error) else None


def beat_of(servers):
    try:
        return servers.beat(60)
    except BrokerUnavailableError:
        return None


def test_a_password_that_is_changed_while_a_caller_waits(settings, raw, keys, background):
    """A caller that is not let in any more is told so, and that its call may still be made."""
    waiting = background(Producer(settings).call, new_id(), "lane", b"job")
    eventually(lambda: raw.xlen(keys.lane("lane")) == 1)
    raw.config_set("requirepass", "hunter2")
    raw.client_kill_filter(_type="normal", skipme=True)
    error = waiting.exception(PATIENCE)
    assert isinstance(error, BrokerUnavailableError)
    assert "check the user and the password" in str(error)
    assert "may still be made" in str(error)
    assert error.may_have_run
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("what", ["release_slot", "answer"])
def test_a_server_that_is_locked_out_with_what_it_alone_knows(
    what, own_redis, namespace, raw, background
):
    """Until its password is taken again, a server keeps an answer of Google's, and a reply."""
    raw.acl_setuser("server", enabled=True, passwords="+right", keys="*", commands=["+@all"])
    url = own_redis.url.replace("redis://", "redis://server:right@")
    settings = Settings(redis_url=url, namespace=namespace)
    server = Consumer(settings, "aaaa", "server a")
    server.beat(60)
    enqueue(settings)
    head, slot = server.head("lane"), Slot("write", "1/1", 60)
    permit = acquire(server, head, "j", None, slot, JournalUpdate(0, (), "1/1", b"told"))
    raw.acl_setuser("server", enabled=True, reset_passwords=True, passwords="+other")
    raw.client_kill_filter(user="server")
    if what == "release_slot":
        waiting = background(
            release_slot, server, head, slot, permit.sent, attempt="1/1", answered=b"="
        )
    else:
        waiting = background(answer, server, head, b"reply")
    eventually(lambda: any(entry["reason"] == "auth" for entry in raw.acl_log()))
    with pytest.raises(BrokerUnavailableError, match="check the user and the password"):
        server.head("lane")
    assert not waiting.done()
    raw.acl_setuser("server", enabled=True, reset_passwords=True, passwords="+right")
    waiting.result(PATIENCE)
    following = server.head("lane")
    assert (following is None) == (what == "answer")
    assert following is None or server.journal(following) == [b"="]


@pytest.mark.usefixtures("short_slices")
def test_a_server_says_that_it_stops_though_redis_is_away_for_a_moment(settings, raw, keys):
    """What it leaves counts no death, if Redis is there again in time; if not, the stop goes on."""
    enqueue(settings)
    with Wire(settings.redis_url) as wire:
        server = Consumer(Settings(redis_url=wire.url, namespace=settings.namespace), "aaaa")
        assert server.beat(60).state == "taken"
        assert server.head("lane").deaths == 0
        wire.cut(0, AFTER, times=4)
        assert server.requeue()
        assert len(wire.hits) == 4
    assert not raw.exists(keys.deliveries)


def test_a_server_stops_without_redis(settings, own_redis):
    """Where Redis is gone for good, nobody waits long to be told of it."""
    server = Consumer(settings, "aaaa", timing=QueueTiming(requeue_timeout=0.3))
    server.beat(60)
    own_redis.close()
    assert not server.requeue()


def test_a_job_whose_enqueue_was_retried_is_missed(own_redis, namespace, raw, keys, background):
    """A caller whose first enqueue got no answer knows its job, and is told when it is lost."""
    with Wire(own_redis.url) as wire:
        settings = Settings(redis_url=wire.url, namespace=namespace, grace=60.0)
        Consumer(Settings(redis_url=own_redis.url, namespace=namespace), "aaaa", "server a").beat(
            60
        )
        # A namespace begins with its first job: from now on it knows what it has forgotten.
        enqueue(Settings(redis_url=own_redis.url, namespace=namespace), "another lane")
        callers = Producer(settings)
        held = connection_of(callers)
        held.clock.saw(milliseconds_of(raw))  # so that it need not ask
        # After two commands of redis-py's own.
        wire.cut(2, AFTER)
        waiting = background(callers.call, new_id(), "lane", b"job")
        eventually(lambda: "XREAD" in wire.commands)
        assert wire.hits == ["EVALSHA"]
        eventually(lambda: raw.xlen(keys.lane("lane")) == 1)
        raw.delete(keys.lane("lane"))
        assert isinstance(waiting.exception(PATIENCE), JobLostError)
