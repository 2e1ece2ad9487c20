from __future__ import annotations

import os
import signal
import stat

import pytest
import redis
from topologies import each_binary

from queued_gspread.embedded import TemporaryRedis, ensure_running
from queued_gspread.embedded import starter as module
from queued_gspread.embedded.binaries import version
from queued_gspread.embedded.probe import Answer, free_port, probe, wait_until
from queued_gspread.embedded.state import is_held
from queued_gspread.errors import BrokerUnavailableError, ConfigurationError


def test_starts_a_redis_that_persists(place):
    """Where nobody listens, a Redis is started that keeps everything and evicts nothing."""
    said = []
    assert place.ensure(tell=said.append) is True
    with place.client() as client:
        settings = client.config_get("*")
    expected = {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "port": "0",
        "unixsocketperm": "700",
        "dir": str(place.files.directory),
    }
    assert {name: settings[name] for name in expected} == expected
    (line,) = said
    assert "your account on this machine only" in line
    assert str(place.files.directory) in line
    assert "\n" not in line


def test_the_extras_program_goes_before_the_systems(place, monkeypatch):
    """What keeps data is the program of the extra, whatever is installed beside it later."""
    monkeypatch.setattr(module, "bundled_binary", lambda: place.binary)
    monkeypatch.setattr(module, "find_binary", None)
    assert place.ensure(binary=None) is True
    with place.client() as client:
        assert client.info("server")["executable"] == str(place.binary)


def test_files_are_private(place):
    """Nobody but the user can look into the files of a Redis that was started for him."""
    place.ensure()
    for path in (place.state, *place.state.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize(
    "command",
    [
        *("CONFIG SET dir /tmp", "MODULE LOAD /tmp/x.so", "REPLICAOF 127.0.0.1 1"),
        *("ACL SETUSER x on", "DEBUG JMAP", "FAILOVER"),
    ],
)
def test_other_users_cannot_reach_the_account(place, command):
    """Whoever can connect cannot make Redis write elsewhere, load a program or lift that rule."""
    place.ensure()
    refused = pytest.raises(redis.ResponseError, match=r"no permissions|not allowed")
    with place.client() as client, refused:
        client.execute_command(*command.split())


def test_a_redis_that_answers_is_used(place):
    """Where a Redis answers, none is started and nothing is said."""
    place.ensure()
    said = []
    before = place.redis_pid()
    assert place.ensure(tell=said.append) is False
    assert place.redis_pid() == before
    assert said == []


def test_a_redis_that_wants_a_password_is_used(tmp_path):
    """A Redis that answers NOAUTH is a Redis, and no folder is made for another one."""
    with TemporaryRedis(options={"requirepass": "secret"}) as theirs:
        assert ensure_running(theirs.port, directory=tmp_path / "state") is False
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"ERROR\r\n", b"+OK Gpop ready\r\n"]
)
def test_something_else_on_the_port(listening, tmp_path, reply):
    """Where something else listens, the error says so and nothing is started."""
    with (
        listening(lambda connection: connection.sendall(reply)) as port,
        pytest.raises(ConfigurationError, match=f"localhost:{port} is taken"),
    ):
        ensure_running(port, directory=tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_something_that_says_nothing(listening):
    """A listener that keeps silent, or closes without a word, is told from Redis."""
    with listening(lambda connection: connection.recv(64)) as port:
        assert probe(("127.0.0.1", port)) is Answer.CLOSED
    with listening(lambda connection: (connection.recv(64), connection.recv(64))) as port:
        assert probe(("127.0.0.1", port), timeout=0.05) is Answer.OTHER


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"port": 0}, "0 is not a TCP port"),
        ({"idle": 0.0}, "more than 0 seconds"),
        ({"idle": float("nan")}, "more than 0 seconds"),
    ],
)
def test_impossible_settings(tmp_path, change, message):
    """What cannot be done on this machine is refused before anything is tried."""
    with pytest.raises(ConfigurationError, match=message):
        ensure_running(**{"port": free_port(), "directory": tmp_path, **change})


def test_a_failing_start_shows_the_log(place):
    """When Redis refuses to start, the error shows its own last words and where its log is."""
    place.files.directory.mkdir(parents=True)
    (place.files.directory / "appendonly.aof").write_text("this is no append-only file\n")
    with pytest.raises(BrokerUnavailableError, match="Bad file format") as caught:
        place.ensure()
    assert str(place.files.log) in str(caught.value)
    assert place.has_ended()


def test_newer_data_is_not_ignored(tmp_path):
    """A server that is too old to see the data that is there is not started."""
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho Redis server v=6.2.14 sha=0\n")
    old.chmod(0o755)
    port = free_port()
    (tmp_path / "redis" / str(port) / "appendonlydir").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="was written by Redis 7 or newer"):
        ensure_running(port, directory=tmp_path, binary=old)


def test_survives_the_death_of_its_starter(place):
    """Redis goes on when the process that started it is killed with SIGKILL."""
    with place.starter(after="sys.stdin.read()") as starter:
        assert starter.stdout.readline() == "True\n"
        before = place.redis_pid()
        starter.kill()
    assert starter.returncode == -signal.SIGKILL
    assert place.redis_pid() == before
    assert is_held(place.files.guard)


def test_simultaneous_starters_get_one_redis(place):
    """Of several processes that start at the same moment one starts Redis, and all have it."""
    starters = [place.starter(before="sys.stdin.readline()") for _ in range(3)]
    for starter in starters:
        starter.stdin.write("go\n")
        starter.stdin.flush()
    answers = [starter.communicate()[0] for starter in starters]
    assert sorted(answers) == ["False\n", "False\n", "True\n"]
    assert [starter.returncode for starter in starters] == [0, 0, 0]


def test_data_is_back_after_a_restart(place):
    """What was in Redis when it ended in good order is there when it is started again."""
    place.ensure()
    with place.client() as client:
        client.rpush("queue", "a", "b")
    place.end()
    assert place.ensure() is True
    with place.client() as client:
        assert client.lrange("queue", 0, -1) == ["a", "b"]


def test_what_a_crash_leaves_does_not_block(place):
    """After guard and Redis were killed, a new start finds the data and no stale lock."""
    place.ensure()
    with place.client() as client:
        client.set("key", "value")
    redis_pid = place.redis_pid()
    os.kill(place.guard_pid(), signal.SIGKILL)
    os.kill(redis_pid, signal.SIGKILL)
    assert place.has_ended()
    assert place.ensure() is True
    with place.client() as client:
        assert client.get("key") == "value"


@pytest.mark.parametrize("upgraded", each_binary("redis-server", "valkey-server"))
def test_an_upgrade_keeps_the_data(place, upgraded):
    """Data that an older server wrote, streams too, is there when a newer one is started."""
    if version(place.binary) >= version(upgraded):
        pytest.skip("no newer server")
    place.ensure()
    with place.client() as client:
        client.set("key", "value")
        entry = client.xadd("stream", {"id": "x"})
        client.bgrewriteaof()
        assert wait_until(lambda: _is_rewritten(client), 20)
        client.hset("hash", "later", "than the rewrite")
    place.end()
    assert place.ensure(binary=upgraded) is True
    with place.client() as client:
        assert client.get("key") == "value"
        assert client.xrange("stream") == [(entry, {"id": "x"})]
        assert client.hgetall("hash") == {"later": "than the rewrite"}


def _is_rewritten(client):
    info = client.info("persistence")
    pending = info["aof_rewrite_in_progress"], info["aof_rewrite_scheduled"]
    return pending == (0, 0) and info["aof_last_bgrewrite_status"] == "ok"


def test_a_large_log_is_put_aside(place):
    """A log of more than a megabyte is put aside before the next start."""
    place.files.directory.mkdir(parents=True)
    place.files.log.write_text("x" * 1_000_001)
    place.ensure()
    assert place.files.log.stat().st_size < 1_000_001
    assert place.files.log.with_suffix(".log.1").stat().st_size == 1_000_001
