"""Redis goes away under a server at work, and comes back: with its data, without, or much later."""

from __future__ import annotations

import re
import socket

import pytest
import redis
from accounts import OPEN
from calls import append, read, write
from durable import Disk, new_durable_redis
from waiting import PATIENCE, eventually, waiting_callers

from queued_gspread.embedded import TemporaryRedis
from queued_gspread.errors import (
    BrokerUnavailableError,
    CallTimeoutError,
    JobLostError,
    OutcomeUnknownError,
)
from queued_gspread.server.timing import Timing


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
            eventually(lambda: len(waiting_callers(raw)) == 2)
        return client, arrival, in_the_air, behind_it

    return start


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_redis_that_comes_back_with_its_data(way, durable_redis, waiting_calls, gate, caplog):
    """Callers and server find their Redis again: each call is made once, and answered."""
    caplog.set_level("INFO", "queued_gspread")
    _, arrival, in_the_air, behind_it = waiting_calls(durable_redis)
    getattr(durable_redis, way)()
    arrival.answer({"call": 1})
    durable_redis.start()
    assert in_the_air.result(PATIENCE) == {"call": 1}
    gate.next().answer({"call": 2})
    assert behind_it.result(PATIENCE) == {"call": 2}
    assert [seen.method for seen in gate.seen] == ["put", "get"]
    assert "without its data" not in caplog.text
    assert "keeps nothing" not in caplog.text


@pytest.mark.parametrize("server_dies", [False, True], ids=["redis", "both"])
def test_a_power_cut_where_all_that_is_confirmed_is_on_the_disk(
    server_dies, hasty, durable_redis, start_process, authorize, google, background, namespace
):
    """An append in the air is told to its caller, or as unknown; none is sent a second time."""
    server = start_process("--redis-url", durable_redis.url)
    client = authorize(redis_url=durable_redis.url)
    in_the_air = background(append, client)
    arrival = google.gate.next()
    behind_it = background(append, client, value="behind")
    with redis.Redis.from_url(durable_redis.url) as raw:
        eventually(lambda: len(waiting_callers(raw)) == 2)
    disk = Disk(durable_redis)
    if server_dies:
        server.kill()
    disk.cut_power()
    arrival.answer({"appended": 1})
    if server_dies:
        start_process("--redis-url", durable_redis.url)
        assert isinstance(in_the_air.exception(PATIENCE), OutcomeUnknownError)
    else:
        assert in_the_air.result(PATIENCE) == {"appended": 1}
    google.gate.next().answer({"appended": 2})
    assert behind_it.result(PATIENCE) == {"appended": 2}
    assert len(google.gate.seen) == 2


@pytest.fixture
def redis_of_everysec():
    """Return a Redis that may have a second less on its disk than it has confirmed."""
    with new_durable_redis(appendfsync="everysec") as server:
        yield server


def test_a_power_cut_that_takes_the_last_second(
    redis_of_everysec, hasty, serve, authorize, gate, background, keys
):
    """A call that was put in since is lost, and its caller told so; the one before it is made."""
    serve(redis_url=redis_of_everysec.url)
    client = authorize(redis_url=redis_of_everysec.url)
    in_the_air = background(write, client)
    arrival = gate.next()
    disk = Disk(redis_of_everysec)
    behind_it = background(append, client)
    with redis.Redis.from_url(redis_of_everysec.url) as raw:
        eventually(lambda: len(waiting_callers(raw)) == 2)
    disk.cut_power()
    assert isinstance(behind_it.exception(PATIENCE), JobLostError)
    arrival.answer({"call": 1})
    assert in_the_air.result(PATIENCE) == {"call": 1}
    assert [seen.method for seen in gate.seen] == ["put"]


def restarted(server):
    server.kill()
    server.start()


def flushed(server):
    """Empty it under the connections of the server and of all callers, who notice nothing."""
    with redis.Redis.from_url(server.url) as raw:
        raw.flushall()


@pytest.mark.parametrize("empty", [restarted, flushed])
def test_a_redis_that_comes_back_without_its_data(
    empty, forgetful_redis, waiting_calls, gate, background, caplog
):
    """Callers are told that their calls are lost, and the server works on; its log says so once."""
    caplog.set_level("INFO", "queued_gspread")
    client, arrival, *waiting = waiting_calls(forgetful_redis)
    empty(forgetful_redis)
    for call in waiting:
        assert isinstance(call.exception(PATIENCE), JobLostError)
    arrival.answer({})
    reading = background(read, client)
    gate.next().answer({"works": "on"})
    assert reading.result(PATIENCE) == {"works": "on"}
    assert [seen.method for seen in gate.seen] == ["put", "get"]
    lost = [record for record in caplog.records if "without its data" in record.getMessage()]
    assert [record.levelname for record in lost] == ["WARNING"]
    foretold = [record for record in caplog.records if "keeps nothing" in record.getMessage()]
    assert [record.levelname for record in foretold] == ["INFO"]


@pytest.fixture
def redis_of_snapshots():
    """Return a Redis that has on its disk what its latest snapshot has."""
    with TemporaryRedis(options=OPEN, restricted=False) as server:
        yield server


class Snapshot:
    """A snapshot of a Redis, with which it comes back once it was killed."""

    def __init__(self, server):
        self._server = server
        with redis.Redis.from_url(server.url) as raw:
            raw.bgsave()
            eventually(lambda: not raw.info("persistence")["rdb_bgsave_in_progress"])
            assert raw.info("persistence")["rdb_last_bgsave_status"] == "ok"

    def cut_power(self):
        restarted(self._server)


@pytest.mark.parametrize(
    ("server_of", "kept_by"), [("durable_redis", Disk), ("redis_of_snapshots", Snapshot)]
)
def test_a_redis_that_comes_back_with_an_older_state(
    server_of, kept_by, request, hasty, start_process, authorize, google, background, namespace
):
    """A call that is no longer known to have been made, as after a power cut, is made again."""
    older = request.getfixturevalue(server_of)
    server = start_process("--redis-url", older.url)
    client = authorize(redis_url=older.url)
    reading = background(read, client)
    first = google.gate.next()
    appending = background(append, client)
    with redis.Redis.from_url(older.url) as raw:
        eventually(lambda: len(waiting_callers(raw)) == 2)
    kept = kept_by(older)
    first.answer({"read": 1})
    assert reading.result(PATIENCE) == {"read": 1}
    google.gate.next()
    server.kill()
    kept.cut_power()
    start_process("--redis-url", older.url)
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
        eventually(lambda: "its ACL does not let" in caplog.text)
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


def test_a_redis_that_is_silent_at_the_start(serve, caplog):
    """While a server that starts waits for what speaks no TLS, its log says what it waits for."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"rediss://127.0.0.1:{silent.getsockname()[1]}/0"
        with pytest.raises(BrokerUnavailableError, match="It may speak no TLS"):
            serve(redis_url=where, timing=Timing(silent_redis=0.01))
    assert f"no answer from Redis at {where}" in caplog.text
