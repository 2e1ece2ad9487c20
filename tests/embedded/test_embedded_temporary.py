from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import redis

from queued_gspread.embedded import TemporaryRedis, temporary
from queued_gspread.embedded.probe import Answer, free_port, probe, wait_until
from queued_gspread.errors import BrokerUnavailableError, ConfigurationError

HARMFUL = [
    *("CONFIG SET dir /tmp", "CONFIG REWRITE", "MODULE LOAD /tmp/x.so", "REPLICAOF 127.0.0.1 1"),
    *("SLAVEOF 127.0.0.1 1", "ACL SETUSER x on", "DEBUG JMAP", "MIGRATE 127.0.0.1 1 k 0 9"),
    "FAILOVER",
]


def connect(server):
    return redis.Redis.from_url(server.url, decode_responses=True)


@pytest.mark.parametrize("unix_socket", [False, True])
def test_runs_until_the_end_of_the_block(binary, unix_socket):
    """Redis answers at its URL inside the block, and leaves nothing behind."""
    with TemporaryRedis(binary, unix_socket=unix_socket) as server, connect(server) as client:
        assert client.ping()
        assert client.config_get("appendonly") == {"appendonly": "no"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.info("server")["process_id"] == server.pid
        assert (server.port == 0) is unix_socket
        assert "eady to accept connections" in server.log
        directory = server.directory
    assert not directory.exists()
    assert server.pid is None


def test_a_crash_keeps_what_was_persisted(binary):
    """With persistence, the data is back at the same URL after SIGKILL."""
    with TemporaryRedis(binary, persistent=True) as server:
        url = server.url
        with connect(server) as client:
            client.set("key", "value")
        server.kill()
        assert server.pid is None
        assert probe(("127.0.0.1", server.port)) is Answer.NOTHING
        server.start()
        assert server.url == url
        with connect(server) as client:
            assert client.get("key") == "value"


def test_restart_is_a_new_process(binary):
    """A restart keeps URL and folder; without persistence the data is gone."""
    with TemporaryRedis(binary) as server:
        before = (server.url, server.directory)
        pid = server.pid
        with connect(server) as client:
            client.set("key", "value")
        server.restart()
        assert (server.url, server.directory) == before
        assert server.pid != pid
        with connect(server) as client:
            assert client.get("key") is None


def test_options_are_settings_of_redis(binary):
    """Options override what is set by default."""
    wanted = {"maxmemory-policy": "allkeys-lru"}
    with TemporaryRedis(binary, options=wanted) as server, connect(server) as client:
        assert client.config_get("maxmemory-policy") == wanted


def test_wrong_options_show_the_log(binary):
    """Settings that Redis refuses end in an error with Redis's own words."""
    server = TemporaryRedis(binary, options={"appendfsync": "sometimes"})
    with pytest.raises(BrokerUnavailableError, match="must be one of the following"):
        server.start()
    server.close()


def test_a_port_that_is_taken_is_not_waited_for(binary):
    """A restart on a port that was taken meanwhile fails with the reason."""
    with TemporaryRedis(binary) as server, TemporaryRedis(binary) as other:
        server.stop()
        server._options["port"] = str(other.port)
        with pytest.raises(BrokerUnavailableError, match="in use"):
            server.start()


def test_a_port_that_another_has_first_is_left_to_it(binary, monkeypatch):
    """Where another Redis takes the chosen port, which then answers, a second port is taken."""
    with TemporaryRedis(binary) as other:
        ports = iter((other.port, free_port()))
        monkeypatch.setattr(temporary, "free_port", lambda: next(ports))
        with TemporaryRedis(binary) as server, connect(server) as client:
            assert server.port != other.port
            assert client.info("server")["process_id"] == server.pid
        with connect(other) as client:
            assert client.ping()


@pytest.mark.parametrize("unix_socket", [False, True])
def test_no_client_can_reach_the_account(binary, unix_socket):
    """Who can connect cannot make it write elsewhere, load a program or lift that rule."""
    with TemporaryRedis(binary, unix_socket=unix_socket) as server, connect(server) as client:
        for command in HARMFUL:
            with pytest.raises(redis.ResponseError, match=r"no permissions|not allowed"):
                client.execute_command(*command.split())
        assert client.set("key", "value")


def test_the_restriction_can_be_left_out(binary):
    """Who asks for it gets a Redis that can be set while it runs."""
    with TemporaryRedis(binary, restricted=False) as server, connect(server) as client:
        assert client.config_set("maxmemory", "10000000")


def test_a_file_of_access_rules_goes_before_the_restriction(binary, tmp_path):
    """With an ``aclfile`` the rules are those in it, which Redis would not take beside others."""
    rules = tmp_path / "users.acl"
    rules.write_text("user default on nopass ~* &* +@all\n")
    options = {"aclfile": str(rules), "requirepass": ""}
    with TemporaryRedis(binary, options=options) as server, connect(server) as client:
        assert client.config_set("maxmemory", "10000000")


def test_two_do_not_meet(binary):
    """Two at the same time have ports and folders of their own."""
    with TemporaryRedis(binary) as one, TemporaryRedis(binary) as two:
        assert one.url != two.url
        assert one.directory != two.directory


def test_start_and_stop_may_be_repeated(binary):
    """Starting what runs, stopping what does not, and closing twice do nothing."""
    server = TemporaryRedis(binary)
    server.stop()
    server.start()
    pid = server.pid
    server.start()
    assert server.pid == pid
    server.stop()
    server.stop()
    server.close()
    server.close()
    with pytest.raises(BrokerUnavailableError, match="not started"):
        assert server.url


def test_ends_with_python(binary, python):
    """Without a block, Redis and its folder are gone when Python ends."""
    code = (
        "from queued_gspread.embedded import TemporaryRedis\n"
        f"server = TemporaryRedis({str(binary)!r}); server.start()\n"
        "print(server.port, server.directory)"
    )
    output, _ = python(code).communicate()
    port, directory = output.split()
    assert probe(("127.0.0.1", int(port))) is Answer.NOTHING
    assert not Path(directory).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ends_with_a_killed_python(binary, python, number):
    """However the process that started it dies, Redis and its folder go with it."""
    code = (
        "import sys; from queued_gspread.embedded import TemporaryRedis\n"
        f"server = TemporaryRedis({str(binary)!r}); server.start()\n"
        "print(server.port, server.directory, flush=True); sys.stdin.read()"
    )
    with python(code) as process:
        port, directory = process.stdout.readline().split()
        process.send_signal(number)
    assert process.returncode == -number
    # Two events, in no order: a process that is killed ends when the kernel gets round to it.
    assert wait_until(lambda: probe(("127.0.0.1", int(port))) is Answer.NOTHING, 20)
    assert wait_until(lambda: not Path(directory).exists(), 20)


@pytest.mark.parametrize("stop", ["", "server.stop()"])
def test_a_forked_child_does_not_keep_it(binary, python, stop):
    """A child that outlives the process that started it keeps neither Redis nor its folder."""
    code = (
        "import os, sys; from queued_gspread.embedded import TemporaryRedis\n"
        f"server = TemporaryRedis({str(binary)!r}); server.start()\n"
        f"print(server.port, server.directory, flush=True); {stop}\n"
        "if os.fork() == 0: sys.stdin.read(); os._exit(0)\n"
        "print('forked', flush=True); os.wait()"
    )
    with python(code) as process:
        port, directory = process.stdout.readline().split()
        assert process.stdout.readline() == "forked\n"
        process.kill()
        process.wait()
        # The child holds the other end of this pipe, and of all others, until the test is over.
        assert wait_until(lambda: not Path(directory).exists(), 20)
        assert wait_until(lambda: probe(("127.0.0.1", int(port))) is Answer.NOTHING, 20)


def test_starts_again_after_it_ended_by_itself(binary):
    """A Redis that died can be started again."""
    with TemporaryRedis(binary, persistent=True) as server:
        with connect(server) as client:
            client.set("key", "value")
        os.kill(server.pid, signal.SIGKILL)
        assert wait_until(lambda: server.pid is None, 20)
        server.start()
        with connect(server) as client:
            assert client.get("key") == "value"


def test_the_id_of_one_that_died_is_given_up(binary, monkeypatch):
    """What ends Redis with its owner leaves an id alone that another process may have by now."""
    told = []
    with TemporaryRedis(binary) as server:
        monkeypatch.setattr(server._lifeline, "remove", told.append)
        pid = server.pid
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: server.pid is None, 20)
        assert told == [pid]


def test_without_its_heir_there_is_no_redis(binary, monkeypatch, tmp_path):
    """Where nothing could end it with its owner, nothing is started and no folder is left."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sys.executable", "/no/python")
    server = TemporaryRedis(binary)
    with pytest.raises(
        ConfigurationError,
        match="/no/python is needed to end it with this process, and cannot be run",
    ):
        server.start()
    server.close()
    assert list(tmp_path.iterdir()) == []


def test_a_forked_child_leaves_it_alone(binary, python):
    """A child process that ends does not take its parent's Redis along."""
    code = (
        "import os, sys; from queued_gspread.embedded import TemporaryRedis\n"
        f"server = TemporaryRedis({str(binary)!r}); server.start()\n"
        "child = os.fork()\n"
        "if child == 0: sys.exit(0)\n"
        "os.waitpid(child, 0)\n"
        "os.kill(server.pid, 0)\n"
        "print(server.directory.exists())"
    )
    process = python(code)
    assert process.communicate()[0] == "True\n"
    assert process.returncode == 0
