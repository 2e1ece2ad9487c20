"""Redis goes away under a server at work, and comes back: with its data, without, or much later."""

from __future__ import annotations

import pytest
import redis
from calls import read, write
from durable import new_durable_redis
from waiting import PATIENCE, eventually

from queued_gspread.broker.keys import Keys
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.errors import BrokerUnavailableError, CallTimeoutError, JobLostError


@pytest.fixture
def durable_redis():
    """Return a Redis that has on its disk what it has confirmed."""
    with new_durable_redis() as server:
        yield server


@pytest.fixture
def forgetful_redis():
    with TemporaryRedis() as server:
        yield server


@pytest.fixture
def waiting_calls(hasty, serve, authorize, gate, background, namespace):
    """Return what starts a server and two calls: one in the air, one that waits behind it."""

    def start(server):
        serve(redis_url=server.url)
        client = authorize(redis_url=server.url)
        in_the_air = background(write, client, "lane", "once")
        arrival = gate.next()
        behind_it = background(read, client)
        with redis.Redis.from_url(server.url) as raw:
            eventually(lambda: raw.xlen(Keys(namespace).lane("lane")) == 2)
        return client, arrival, in_the_air, behind_it

    return start


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_redis_that_comes_back_with_its_data(way, durable_redis, waiting_calls, gate):
    """Callers and server find their Redis again: each call is made once, and answered."""
    _, arrival, in_the_air, behind_it = waiting_calls(durable_redis)
    getattr(durable_redis, way)()
    arrival.answer({"call": 1})
    durable_redis.start()
    assert in_the_air.result(PATIENCE) == {"call": 1}
    gate.next().answer({"call": 2})
    assert behind_it.result(PATIENCE) == {"call": 2}
    assert [seen.method for seen in gate.seen] == ["put", "get"]


def test_a_redis_that_comes_back_without_its_data(forgetful_redis, waiting_calls, gate, background):
    """Callers are told that their calls are lost, and the server works on."""
    client, arrival, *waiting = waiting_calls(forgetful_redis)
    forgetful_redis.kill()
    forgetful_redis.start()
    for call in waiting:
        assert isinstance(call.exception(PATIENCE), JobLostError)
    arrival.answer({})
    reading = background(read, client)
    gate.next().answer({"works": "on"})
    assert reading.result(PATIENCE) == {"works": "on"}
    assert [seen.method for seen in gate.seen] == ["put", "get"]


def test_a_timeout_while_redis_is_away(durable_redis, waiting_calls, authorize, background, gate):
    """A caller's timeout ends its wait for a Redis that is away; the server waits on."""
    client, arrival, *waiting = waiting_calls(durable_redis)
    hurried = background(read, authorize(redis_url=durable_redis.url, timeout=1.0), "other")
    gate.next()
    durable_redis.kill()
    error = hurried.exception(PATIENCE)
    assert isinstance(error, CallTimeoutError)
    assert "Redis cannot be reached, so the call may still be made" in str(error)
    with pytest.raises(BrokerUnavailableError):
        read(client, "another")
    arrival.answer({"call": 1})
    durable_redis.start()
    assert waiting[0].result(PATIENCE) == {"call": 1}
    gate.open()
    assert waiting[1].result(PATIENCE) == {}


def test_a_password_that_is_changed_and_changed_back(
    forgetful_redis, waiting_calls, gate, background
):
    """A server that is not let in any more keeps running, and works once it is let in again."""
    client, arrival, *waiting = waiting_calls(forgetful_redis)
    with redis.Redis.from_url(forgetful_redis.url) as raw:
        raw.config_set("requirepass", "hunter2")
        raw.client_kill_filter(_type="normal", skipme=True)
        for call in waiting:
            error = call.exception(PATIENCE)
            assert isinstance(error, BrokerUnavailableError)
            assert "check the user and the password" in str(error)
            assert "hunter2" not in str(error)
        arrival.answer({})
        raw.config_set("requirepass", "")
    gate.open()
    assert background(read, client, "other").result(PATIENCE) == {}
