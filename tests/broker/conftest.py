from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import redis
from accounts import OPEN
from broker_helpers import connection_of, enqueue
from permits_helpers import LANE, RedisClock
from topologies import each_binary

from queued_gspread.broker import KINDS, Consumer, Producer, dispatch, held
from queued_gspread.broker.connection.clock_steps import Steps
from queued_gspread.broker.keys import Keys
from queued_gspread.broker.scripts import SCRIPTS, Script
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.settings import Settings


@pytest.fixture(scope="session", params=each_binary())
def binary(request):
    return request.param


@pytest.fixture(scope="session")
def redis_url(binary):
    """Return the URL of a Redis of every program there is; it lives as long as the test run."""
    with TemporaryRedis(binary, options=OPEN, restricted=False) as server:
        yield server.url


@pytest.fixture
def own_redis(binary):
    """Return a Redis that no other test uses."""
    with TemporaryRedis(binary, options=OPEN, restricted=False) as server:
        yield server


@pytest.fixture
def redis_of():
    """Return what makes a plain client of a Redis, by whatever has its ``url``."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(plain(server.url))


def plain(url):
    # Dumps of keys are no text.
    options = {"decode_responses": True, "encoding_errors": "surrogateescape"}
    return redis.Redis.from_url(url, **options)


@pytest.fixture
def raw(redis_url):
    """Return a plain client of the Redis that the tests share."""
    with plain(redis_url) as client:
        yield client


@pytest.fixture
def settings(redis_url, namespace):
    return Settings(redis_url=redis_url, namespace=namespace, grace=60.0)


@pytest.fixture
def keys(namespace):
    return Keys(namespace)


@pytest.fixture
def callers(settings):
    return Producer(settings)


@pytest.fixture
def server(settings, timing):
    """Return the servers' side of the queue, with the lease."""
    servers = Consumer(settings, "aaaa", "server a", timing=timing.queue)
    assert servers.beat(60).state == "taken"
    return servers


@pytest.fixture
def background():
    """Return what runs a function in a thread; its future is the value."""
    with ThreadPoolExecutor(16) as pool:
        yield pool.submit


@pytest.fixture
def clock_of(keys, new_connections, monkeypatch):
    """Return what gives all scripts of this test a clock, by a plain client of the Redis.

    To a connection that later tests share, the return to the real clock would be a step of it.
    """
    key = keys.control("clock")
    for name, script in SCRIPTS.items():
        text = script.text.replace(
            "redis.call('TIME')", f"cjson.decode(redis.call('GET', '{key}'))"
        )
        sha = hashlib.sha1(text.encode()).hexdigest()
        monkeypatch.setitem(SCRIPTS, name, Script(text, sha))

    def make(client):
        clock = RedisClock(client, key)
        # What a server remembers of slots is older by as much.
        for module in (dispatch, held):
            monkeypatch.setattr(module, "now", lambda: clock.now)
        return clock

    return make


@pytest.fixture
def clock(clock_of, raw):
    """Return the clock of all scripts of this test."""
    return clock_of(raw)


@pytest.fixture
def queue(settings, clock, raw, keys):
    """Return what makes the queue anew, as the server of the first epoch sees it."""

    def make():
        raw.delete(keys.throttle, keys.server, *(keys.slots(kind) for kind in KINDS))
        server = Consumer(settings, "server")
        # It has seen nothing of this clock yet.
        connection_of(server).steps = Steps()
        server.beat(5.0)
        return server

    return make


@pytest.fixture
def entry(settings, queue):
    """Return a job that requests can be asked for; no request ends it."""
    enqueue(settings)
    return queue().head(LANE)
