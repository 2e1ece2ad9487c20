"""What a Redis that is away, refuses or evicts means for callers and servers."""

from __future__ import annotations

import itertools
import math
import os
import pickle
import socket
import threading
import traceback

import pytest
import redis
from broker_helpers import enqueue, withdraw
from durable import new_durable_redis
from one_job import acquire, answer
from waiting import PATIENCE, eventually, waiting_callers

from queued_gspread.broker import Consumer, Producer, Slot
from queued_gspread.broker.connection.client import SLICE, Connection, connect
from queued_gspread.embedded.probe import free_port
from queued_gspread.errors import (
    BrokerUnavailableError,
    ConfigurationError,
    QueuedGspreadError,
    ServerUnavailableError,
)
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings, hide_password

SECRET = "hunter2"


@pytest.fixture
def locked_redis(own_redis, redis_of):
    """Return a Redis that wants the password."""
    raw = redis_of(own_redis)
    raw.config_set("requirepass", SECRET)
    return own_redis


def told_by(call):
    """Return the error that a call raises, and everything that its traceback shows."""
    with pytest.raises(QueuedGspreadError) as caught:
        call()
    return caught.value, "".join(traceback.format_exception(caught.value))


def test_a_redis_that_is_not_there(namespace):
    """A call says at which Redis nobody answers, without the password, and how to start one."""
    port = free_port()
    settings = Settings(redis_url=f"redis://me:{SECRET}@127.0.0.1:{port}/0", namespace=namespace)
    error, shown = told_by(lambda: Producer(settings).call(new_id(), "lane", b"job"))
    assert isinstance(error, BrokerUnavailableError)
    assert isinstance(error, ConnectionError)
    assert f"redis://me:***@127.0.0.1:{port}/0" in str(error)
    assert "start one there" in str(error)
    assert "`queued-gspread-server` with no URL" in str(error)
    assert "QUEUED_GSPREAD_REDIS_URL" in str(error)
    assert SECRET not in shown


def test_a_socket_that_is_not_there(namespace, tmp_path):
    """A Unix socket that is not there is an error that names it."""
    settings = Settings(redis_url=f"unix://{tmp_path}/nobody.sock", namespace=namespace)
    error, _ = told_by(lambda: Consumer(settings, "aaaa").beat(5))
    assert isinstance(error, BrokerUnavailableError)
    assert f"{tmp_path}/nobody.sock" in str(error)


@pytest.mark.parametrize("user", ["", f":wrong-{SECRET}@", f"nobody:wrong-{SECRET}@"])
def test_a_redis_that_wants_another_password(locked_redis, namespace, user):
    """A wrong or missing password is named as such and not shown."""
    url = f"redis://{user}127.0.0.1:{locked_redis.port}/0"
    settings = Settings(redis_url=url, namespace=namespace)
    error, shown = told_by(lambda: Producer(settings).call(new_id(), "lane", b"job"))
    assert isinstance(error, BrokerUnavailableError)
    assert "check the user and the password" in str(error)
    assert SECRET not in shown


@pytest.mark.parametrize("user", [f":{SECRET}@", f"default:{SECRET}@"])
def test_a_password_is_used_and_never_shown(locked_redis, namespace, user):
    """With the right password all works, and neither repr nor errors show it."""
    url = f"redis://{user}127.0.0.1:{locked_redis.port}/0"
    settings = Settings(redis_url=url, namespace=namespace, grace=0.05)
    callers, servers = Producer(settings), Consumer(settings, "aaaa")
    assert servers.check_redis() is None
    error, shown = told_by(lambda: callers.call(new_id(), "lane", b"job"))
    assert isinstance(error, ServerUnavailableError)
    seen = [repr(thing) for thing in (settings, callers, servers, connect(url), connect(url).redis)]
    assert not [text for text in [shown, settings.shown_url, *seen] if SECRET in text]
    assert SECRET.encode() not in pickle.dumps(error)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:{}@host:6379/0",
        "redis://user:{}@host:6379/0",
        "rediss://user:{}@host/0?ssl_cert_reqs=none",
        "redis://host:6379/0?password={}",
        "redis://host:6379/0?db=1&PASSWORD={}&ssl=1",
        "unix://user:{}@/run/redis.sock",
        "unix:///run/redis.sock?password={}&db=2",
        "redis://[::1:{}@host/0",
    ],
)
@pytest.mark.parametrize("password", [SECRET, f"{SECRET}@{SECRET}", f"%2F{SECRET}"])
def test_hide_password(url, password):
    """A URL's password is not shown, wherever it stands."""
    assert SECRET not in hide_password(url.format(password))


@pytest.mark.parametrize("mark", "/?#")
def test_hide_password_that_was_not_escaped(mark):
    """A password stays hidden though it has an unescaped character that ends the host."""
    for password in (f"{SECRET}{mark}x", f"x{mark}{SECRET}", f"{SECRET}{mark}{SECRET}"):
        assert SECRET not in hide_password(f"redis://user:{password}@host:6379/0")


@pytest.mark.parametrize("mark", "/?#")
def test_an_error_about_a_url_never_shows_its_password(mark, namespace):
    """What a URL with an unescaped password raises does not show it, tracebacks included."""
    settings = Settings(
        redis_url=f"redis://user:{SECRET}{mark}{SECRET}@127.0.0.1:1/0", namespace=namespace
    )
    _, shown = told_by(lambda: Producer(settings).call(new_id(), "lane", b"job"))
    assert SECRET not in shown


@pytest.mark.parametrize(
    "url", ["http://localhost", "localhost:6379", "redis://localhost:port", "redis://h/0?x_y=1"]
)
def test_a_url_that_cannot_be_used(url, namespace):
    """A URL that is not one of a Redis is a mistake in the configuration, and named."""
    settings = Settings(redis_url=url, namespace=namespace)
    with pytest.raises(ConfigurationError, match="redis://HOST:PORT/DB"):
        Producer(settings).call(new_id(), "lane", b"job")


@pytest.mark.parametrize(
    "query", ["protocol=3", "decode_responses=yes", "protocol=2&health_check_interval=1"]
)
def test_options_in_the_url_do_not_garble_the_queue(redis_url, namespace, query, background):
    """Options of redis-py in the URL leave the queue working."""
    settings = Settings(redis_url=f"{redis_url}?{query}", namespace=namespace, grace=5.0)
    server = Consumer(settings, "aaaa", "server a")
    assert server.check_redis() is None
    assert server.beat(60).state == "taken"
    assert Consumer(settings, "bbbb", "server b").beat(60).state == "held"
    reply = background(Producer(settings).call, new_id(), "lane", b"\xff")
    assert server.next_ready().lane == "lane"
    head = server.head("lane")
    assert head.body == b"\xff"
    answer(server, head, b"\xfe")
    assert reply.result(PATIENCE) == b"\xfe"


def test_a_redis_that_evicts_is_refused(own_redis, namespace, redis_of):
    """A Redis that may drop keys is refused with the command that puts it right."""
    redis_of(own_redis).config_set("maxmemory-policy", "allkeys-lru")
    servers = Consumer(Settings(redis_url=own_redis.url, namespace=namespace), "aaaa")
    with pytest.raises(ConfigurationError, match=r"'allkeys-lru'.*config set .* noeviction"):
        servers.check_redis()


def test_a_redis_that_may_not_be_asked_is_warned_of(own_redis, namespace, redis_of):
    """A user who may use neither CONFIG nor INFO is warned, and the queue works for him."""
    raw = redis_of(own_redis)
    raw.config_set("maxmemory-policy", "allkeys-lru")
    rules = f"ACL SETUSER limited on >{SECRET} ~queued-gspread:* +@all -config"
    url = f"redis://limited:{SECRET}@127.0.0.1:{own_redis.port}/0"
    servers = Consumer(Settings(redis_url=url, namespace=namespace), "aaaa")
    raw.execute_command(*rules.split())
    with pytest.raises(ConfigurationError, match="allkeys-lru"):
        servers.check_redis()
    raw.execute_command(*rules.split(), "-info")
    assert "noeviction" in servers.check_redis()
    assert servers.beat(5).state == "taken"


def test_a_user_who_may_do_too_little(own_redis, namespace, redis_of):
    """A user whom Redis refuses is told what it said."""
    redis_of(own_redis).execute_command(*f"ACL SETUSER weak on >{SECRET} ~* +ping".split())
    settings = Settings(
        redis_url=f"redis://weak:{SECRET}@127.0.0.1:{own_redis.port}/0", namespace=namespace
    )
    error, shown = told_by(lambda: Producer(settings).call(new_id(), "lane", b"job"))
    assert isinstance(error, BrokerUnavailableError)
    assert "permission" in str(error).lower()
    assert SECRET not in shown


def test_a_caller_who_may_not_read_takes_its_job_back(own_redis, namespace, keys, redis_of):
    """Where Redis takes a job and refuses the reply's reading, the job does not stay."""
    raw = redis_of(own_redis)
    raw.execute_command(*f"ACL SETUSER half on >{SECRET} ~* +@all -xread".split())
    settings = Settings(
        redis_url=f"redis://half:{SECRET}@127.0.0.1:{own_redis.port}/0", namespace=namespace
    )
    error, _ = told_by(lambda: Producer(settings).call(new_id(), "lane", b"job"))
    assert isinstance(error, BrokerUnavailableError)
    assert not raw.exists(keys.lane("lane"))


def test_a_full_redis_takes_no_job(own_redis, namespace, keys, redis_of):
    """A Redis without memory left refuses a job, says why, and keeps nothing of it."""
    raw = redis_of(own_redis)
    raw.config_set("maxmemory", "1")
    settings = Settings(redis_url=own_redis.url, namespace=namespace, grace=0.05)
    error, _ = told_by(lambda: Producer(settings).call(new_id(), "lane", b"job"))
    assert isinstance(error, BrokerUnavailableError)
    assert "maxmemory" in str(error)
    assert not raw.exists(keys.lane("lane"))


def test_a_full_redis_is_worked_off(own_redis, namespace, keys, redis_of):
    """What waits in a Redis without memory left can be withdrawn, started and answered."""
    raw = redis_of(own_redis)
    settings = Settings(redis_url=own_redis.url, namespace=namespace)
    server = Consumer(settings, "aaaa", "server a", stopping=already_set())
    server.beat(60)
    withdrawn, answered = enqueue(settings), enqueue(settings)
    raw.config_set("maxmemory", "1")
    assert withdraw(settings, *withdrawn) == "withdrawn"
    head = server.head("lane")
    assert head.job_id == answered[0]
    assert server.beat(60).state == "kept"
    assert acquire(server, head, "r", None).word == "go"
    assert answer(server, head, b"reply") is None
    assert raw.xlen(keys.reply(head.job_id)) == 1


def test_a_full_redis_is_taken_over(own_redis, namespace, keys, redis_of):
    """A server takes over in a Redis without memory left: slots, deaths and poisoned jobs too."""
    raw = redis_of(own_redis)
    settings = Settings(redis_url=own_redis.url, namespace=namespace)
    servers = [
        Consumer(settings, name, f"server {name}", stopping=already_set()) for name in "abcd"
    ]
    enqueue(settings)
    servers[0].beat(60)
    head = servers[0].head("lane")
    slot = Slot("write", "1/1", 60)
    assert acquire(servers[0], head, "w", None, slot).word == "go"
    raw.config_set("maxmemory", "1")
    for before, after in itertools.pairwise(servers):
        before.release()
        assert after.beat(60).state == "taken"
        assert after.recover(1.0).lanes == 1
        assert after.head("lane").deaths == min(servers.index(after), 2)
        if after is servers[2]:
            after.requeue()
    assert raw.zscore(keys.slots("write"), slot.name) < math.inf
    servers[3].poison(head)
    assert raw.xlen(keys.poisoned) == 1


def already_set():
    """Return an event that is set: what waits for it does not wait."""
    event = threading.Event()
    event.set()
    return event


def test_a_caller_outlives_a_restart_of_a_persistent_redis(binary, namespace, background):
    """A Redis that ends while a caller waits and comes back with its data loses nothing."""
    with new_durable_redis(binary) as server:
        settings = Settings(redis_url=server.url, namespace=namespace, grace=60.0)
        servers = Consumer(settings, "aaaa", "server a")
        servers.beat(60)
        reply = background(Producer(settings).call, new_id(), "lane", b"job")
        assert servers.next_ready().lane == "lane"
        with redis.Redis.from_url(server.url) as raw:
            eventually(lambda: waiting_callers(raw))
        server.kill()
        server.start()
        with redis.Redis.from_url(server.url) as raw:
            eventually(raw.ping)
        assert servers.beat(60).state == "kept"
        answer(servers, servers.head("lane"), b"reply")
        assert reply.result(PATIENCE) == b"reply"


def test_every_socket_has_a_time_out_and_keeps_alive(redis_url):
    """No answer is waited for without an end, and a peer that has vanished is noticed."""
    connection = Connection(redis_url).redis.connection_pool.make_connection()
    connection.connect()
    made = connection._sock
    assert SLICE < made.gettimeout() < 60
    assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    connection.disconnect()


@pytest.mark.parametrize(
    "url", ["redis+sentinel://host/service", "rediss+sentinel://host/service", "rediss://host"]
)
def test_no_topology_waits_without_an_end(url):
    """Connections to whatever Redis, and to those who know it, have the same time-outs."""
    pool = Connection(url).redis.connection_pool
    pools = [pool]
    if "sentinel" in url:
        pools.append(pool.sentinel_manager._client(("host", 1)).connection_pool)
    for one in pools:
        options = one.connection_kwargs
        assert SLICE < options["socket_timeout"] < 60
        assert 0 < options["socket_connect_timeout"] < 60
        assert options["socket_keepalive"]


def test_a_forked_child_has_a_connection_of_its_own(redis_url):
    """A child does not use the sockets of its parent."""
    mine = connect(redis_url)
    assert connect(redis_url) is mine
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        own = connect(redis_url)
        os.write(writing, b"own" if own is not mine and own.redis.ping() else b"shared")
        os._exit(0)
    assert os.waitpid(child, 0) == (child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        assert answer.read() == b"own"


@pytest.fixture
def turning_away():
    """Return the port of something that answers as a Redis at its maxclients, once it is asked."""

    def turn_away():
        while True:
            try:
                made, _ = listener.accept()
            except OSError:
                return
            with made:
                made.recv(2**16)
                made.sendall(b"-ERR max number of clients reached\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=turn_away)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(PATIENCE)


@pytest.mark.parametrize("greets_first", [False, True])
def test_a_redis_that_takes_no_more_clients(turning_away, namespace, greets_first, monkeypatch):
    """Where maxclients is reached nothing was sent, whatever the answer is an answer to."""
    if not greets_first:
        monkeypatch.setattr(redis.Connection, "on_connect_check_health", _say_nothing)
        monkeypatch.setattr(redis.Connection, "on_connect", _say_nothing)
    assert _is_certain(f"redis://127.0.0.1:{turning_away}", namespace)


def _say_nothing(connection, **_):
    connection._parser.on_connect(connection)


def _is_certain(url, namespace):
    """Tell whether a call fails and its error says that it will not be made."""
    callers = Producer(Settings(redis_url=url, namespace=namespace, timeout=0.5))
    error, _ = told_by(lambda: callers.call(new_id(), "lane", b"job"))
    assert isinstance(error, BrokerUnavailableError)
    return not error.may_have_run and "may still be made" not in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:1",
        "redis://no-such-host.invalid",
        "rediss://:{secret}@{place}",
        "redis://:wrong@{place}",
        "redis://{place}",
        "redis://:{secret}@{place}/99",
        "redis+sentinel://:{secret}@{place}/service",
        "redis+sentinel://127.0.0.1:1/service",
        "redis+cluster://:{secret}@{place}",
    ],
)
def test_a_connection_that_cannot_be_made(locked_redis, namespace, url):
    """Whatever keeps a call from being sent, its error says that it will not be made."""
    place = locked_redis.url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    assert _is_certain(url.format(secret=SECRET, place=place), namespace)


def test_a_redis_at_its_maxclients(own_redis, namespace, redis_of):
    """A caller without a connection yet is turned away by a real Redis, and told the truth."""
    raw = redis_of(own_redis)
    raw.config_set("maxclients", len(raw.client_list()))
    assert _is_certain(own_redis.url, namespace)
    with pytest.raises(BrokerUnavailableError, match="maxclients"):
        Producer(Settings(own_redis.url, namespace)).alive()
