"""Redis goes away under a server at work, and comes back: with its data, without, or much later."""

from __future__ import annotations

import os
import re

import pytest
import redis
from accounts import OPEN
from calls import append, read, write
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
    with TemporaryRedis(options=OPEN, restricted=False) as server:
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


def test_a_redis_that_comes_back_with_an_older_state(
    hasty, durable_redis, start_process, authorize, google, background, namespace
):
    """A call that is no longer known to have been made, as after a power cut, is made again."""
    server = start_process("--redis-url", durable_redis.url)
    client = authorize(redis_url=durable_redis.url)
    reading = background(read, client)
    first = google.gate.next()
    appending = background(append, client)
    with redis.Redis.from_url(durable_redis.url) as raw:
        eventually(lambda: raw.xlen(Keys(namespace).lane("lane")) == 2)
    (file,) = durable_redis.directory.rglob("*.aof")
    size = file.stat().st_size
    first.answer({"read": 1})
    assert reading.result(PATIENCE) == {"read": 1}
    google.gate.next()
    server.kill()
    durable_redis.kill()
    os.truncate(file, size)
    durable_redis.start()
    start_process("--redis-url", durable_redis.url)
    google.gate.next().answer({"read": 2})
    google.gate.next().answer({"appended": 2})
    assert appending.result(PATIENCE) == {"appended": 2}
    assert [seen.method for seen in google.gate.seen] == ["get", "post"] * 2


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


@pytest.mark.parametrize("call", [append, write, read])
def test_a_password_of_the_servers_that_is_changed_during_a_call(
    call, forgetful_redis, serve, authorize, gate, background, caplog
):
    """A server that Redis does not let in when Google's answer comes gives it once it is let in."""
    with redis.Redis.from_url(forgetful_redis.url, decode_responses=True) as raw:
        raw.acl_setuser("server", enabled=True, passwords="+hunter2", keys="*", commands=["+@all"])
        serve(redis_url=forgetful_redis.url.replace("redis://", "redis://server:hunter2@"))
        calling = background(call, authorize(redis_url=forgetful_redis.url))
        arrival = gate.next()
        raw.acl_setuser("server", enabled=True, reset_passwords=True, passwords="+other")
        raw.client_kill_filter(user="server")
        eventually(lambda: "check the user and the password" in caplog.text)
        before = refused_logins(raw)
        arrival.answer({"done": True})
        # More than the lease's thread makes in that time.
        eventually(lambda: refused_logins(raw) > before + 3)
        raw.acl_setuser("server", enabled=True, reset_passwords=True, passwords="+hunter2")
    assert calling.result(PATIENCE) == {"done": True}
    assert len(gate.seen) == 1
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("call", [append, write, read])
@pytest.mark.parametrize("right", ["incrby", "xadd", "hset"])
def test_a_right_of_the_servers_that_is_taken_away_during_a_call(
    call, right, forgetful_redis, serve, authorize, gate, background, caplog
):
    """A server that may not do all that an answer takes gives it, once, when it may again."""
    with redis.Redis.from_url(forgetful_redis.url, decode_responses=True) as raw:
        raw.acl_setuser("server", enabled=True, passwords="+hunter2", keys="*", commands=["+@all"])
        serve(redis_url=forgetful_redis.url.replace("redis://", "redis://server:hunter2@"))
        calling = background(call, authorize(redis_url=forgetful_redis.url))
        arrival = gate.next()
        raw.acl_setuser("server", enabled=True, commands=[f"-{right}"])
        arrival.answer({"done": True})
        eventually(lambda: "what this user may do" in caplog.text)
        raw.acl_setuser("server", enabled=True, commands=[f"+{right}"])
        assert calling.result(PATIENCE) == {"done": True}
        eventually(lambda: not raw.keys("*:journal:*"))
        assert raw.keys("*:waiting") == []
    assert len(gate.seen) == 1


def test_a_call_that_is_late_by_the_clock_of_redis_alone(
    serve, authorize, background, raw, keys, gate
):
    """A server that did not see the clock set goes by it; the error says whose time has passed."""
    calling = background(read, authorize(timeout=60.0))
    lane = keys.lane("lane")
    ((place, job),) = eventually(lambda: raw.xrange(lane))
    raw.delete(lane)
    raw.xadd(lane, job, id=f"{int(place.partition('-')[0]) - 61_000}-0")
    serve()
    error = calling.exception(PATIENCE)
    assert isinstance(error, CallTimeoutError)
    told = (
        r"by Redis's clock, the timeout of 60 s passed .* \(this caller has waited for \d\.\d s\)"
    )
    assert re.search(told, str(error), re.DOTALL)
    assert gate.is_idle


def refused_logins(raw):
    return sum(entry["count"] for entry in raw.acl_log() if entry["reason"] == "auth")
