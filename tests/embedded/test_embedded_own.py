"""The Redis that was started for a user: his clients find it, and nobody else gets anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import redis
from accounts import NOBODY, OPEN, as_root, run_as_nobody

from queued_gspread.broker import Producer
from queued_gspread.broker.connection.client import Connection
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.settings import Settings


@pytest.fixture
def own(place, monkeypatch):
    """Return a place that clients look at without configuration."""
    monkeypatch.setenv("XDG_STATE_HOME", str(place.state.parent))
    return place


def url_of(place, host="localhost"):
    return f"redis://{host}:{place.port}/0"


def reached(url):
    """Return the process of the Redis to which a URL leads."""
    with Connection(url).redis as client:
        return client.info("server")["process_id"]


@pytest.fixture
def on_the_port(own):
    """Return a Redis that somebody else has started on the port."""
    theirs = TemporaryRedis(own.binary, options=OPEN, restricted=False)
    theirs._address = ("127.0.0.1", own.port)
    with theirs:
        yield theirs


def test_it_is_found_without_configuration(own):
    """A client of the port on localhost uses the Redis that was started for its user."""
    own.ensure()
    assert reached(url_of(own)) == own.redis_pid()
    assert reached(f"redis://localhost:{own.port}/1") == own.redis_pid()


def test_it_is_found_by_a_client_that_was_there_before(own):
    """A client that met no Redis at first uses the one that is started, and its successor."""
    callers = Producer(Settings(redis_url=url_of(own), namespace="early"))
    with pytest.raises(BrokerUnavailableError, match="for your account"):
        callers.alive()
    for _ in range(2):
        own.ensure()
        assert callers.alive() is None
        own.end()


def test_one_on_the_port_is_used_where_none_was_started(own, on_the_port):
    """A Redis that listens on the port is used, by clients and servers, and none is started."""
    own.files.directory.mkdir(parents=True)
    assert own.ensure() is False
    assert reached(url_of(own)) == on_the_port.pid


def test_what_a_killed_one_leaves_is_not_waited_for(own, on_the_port):
    """The socket of a Redis that was killed keeps nobody from the one on the port."""
    with TemporaryRedis(own.binary, unix_socket=True) as killed:
        own.files.directory.mkdir(parents=True, mode=0o700)
        killed.kill()
        (killed.directory / "redis.sock").rename(own.files.socket)
    assert reached(url_of(own)) == on_the_port.pid
    assert own.ensure() is False


@pytest.mark.parametrize("host", ["127.0.0.1", ":password@localhost", "user:password@localhost"])
def test_a_url_that_means_another_is_taken_as_it_is(own, on_the_port, host):
    """A URL with an address or a password leads to that very port."""
    on_the_port.stop()
    own.ensure()
    with pytest.raises(BrokerUnavailableError, match="refused"):
        Connection(url_of(own, host)).run("beat", ["key"], [])


@as_root
@pytest.mark.parametrize("change", ["owner", "mode"])
def test_a_socket_that_others_can_have_made_is_not_used(own, change):
    """A socket in a folder that another account owns, or can write to, is not connected to."""
    own.ensure()
    pid = own.redis_pid()
    folder = own.files.directory
    if change == "owner":
        os.chown(folder, NOBODY, NOBODY)
    else:
        folder.chmod(0o770)
    with pytest.raises(BrokerUnavailableError, match="refused"):
        Connection(url_of(own)).run("beat", ["key"], [])
    os.chown(folder, 0, 0)
    folder.chmod(0o700)
    assert reached(url_of(own)) == pid


TRY = """
def connect():
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(sys.argv[1] + "/redis.sock")

def read():
    with open(sys.argv[1] + "/redis.log") as log:
        log.read()

for what in (connect, read, lambda: os.listdir(sys.argv[1])):
    try:
        what()
    except PermissionError:
        print("refused")
"""


@as_root
def test_another_account_gets_nothing(own):
    """Another account can neither connect, nor read a file, nor see which files there are."""
    above = own.files.directory.parent
    above.mkdir(parents=True)
    for folder in (above, own.state, own.state.parent, own.state.parent.parent):
        folder.chmod(0o755)
    own.ensure()
    assert run_as_nobody(TRY, own.files.directory) == 3 * "refused\n"


ASK = """
with socket.socket() as connection:
    connection.connect(("127.0.0.1", int(sys.argv[1])))
    connection.sendall(b"FLUSHALL\\r\\n")
    print(connection.recv(100))
try:
    os.listdir(sys.argv[2])
except PermissionError:
    print("refused")
print(pathlib.Path("/proc", sys.argv[3], "cmdline").read_bytes())
"""


@as_root
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_another_account_gets_nothing_of_a_temporary_one(binary):
    """A temporary Redis wants a password, which no other account can find out."""
    with TemporaryRedis(binary) as server:
        answer, folder, command = run_as_nobody(
            ASK, server.port, server.directory, server.pid
        ).splitlines()
        password = server.url.split("@")[0].removeprefix("redis://:")
        assert len(password) == 32
        assert "NOAUTH" in answer
        assert folder == "refused"
        assert password not in command
        assert password not in server.log
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()


@pytest.mark.parametrize("password", ["", "p@ss/w:rd?&#% \"'\\"])
def test_a_temporary_one_has_the_password_that_is_given(binary, password):
    """An option decides on the password, and the URL has it, whatever is in it."""
    with (
        TemporaryRedis(binary, options={"requirepass": password}) as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
    ):
        assert client.config_get("requirepass") == {"requirepass": password}
        server.restart()
        assert client.ping()
