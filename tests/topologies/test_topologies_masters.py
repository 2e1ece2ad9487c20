"""Which Redis is spoken to, and what is said of those that cannot be."""

from __future__ import annotations

import math
import socket
import traceback

import pytest
from one_job import answer
from redis.exceptions import TimeoutError as RedisTimeoutError
from topologies import Cluster, Daemon, Sentinels, newest_redis
from waiting import PATIENCE, eventually

from queued_gspread.broker import Consumer, Producer, Stop
from queued_gspread.broker.connection.client import LONGEST_LOOK, connect
from queued_gspread.broker.connection.deadline import left
from queued_gspread.broker.connection.discovery import NoMasterError, SentinelGuide
from queued_gspread.broker.keys import Keys
from queued_gspread.embedded.probe import free_port
from queued_gspread.errors import BrokerUnavailableError, CallTimeoutError, ConfigurationError
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

PASSWORDS = ("hunter2", "hunter3")


@pytest.fixture(scope="module")
def locked():
    """Return Redis and Sentinels with a password each."""
    with Sentinels(newest_redis(), *PASSWORDS) as group:
        yield group


@pytest.fixture(scope="module")
def cluster():
    with Cluster(newest_redis(), "default") as group:
        yield group


@pytest.fixture
def plain():
    """Return two servers, the first of which Sentinel takes to be the master."""
    redis = newest_redis()
    with Daemon(redis) as first, Daemon(redis) as second:
        watch = f"sentinel monitor mymaster 127.0.0.1 {first.port} 1"
        with Daemon(redis, [watch], ("--sentinel",)) as sentinel:
            yield first, second, sentinel


def queue_at(url, namespace, server_id="aaaa"):
    return Consumer(Settings(redis_url=url, namespace=namespace), server_id, "server")


def told_by(url, namespace):
    """Return what a look at the queue raises, and all that its traceback shows."""
    with pytest.raises(BrokerUnavailableError) as caught:
        Producer(Settings(redis_url=url, namespace=namespace)).alive()
    return caught.value, "".join(traceback.format_exception(caught.value))


def test_both_passwords_are_used_and_never_shown(locked, namespace):
    """The Redis's password and the Sentinels' come from the URL, and no repr has them."""
    queue = queue_at(locked.url, namespace)
    assert queue.beat(60).state == "taken"
    connection = connect(locked.url, namespace)
    pool = connection.redis.connection_pool
    discovery = pool.sentinel_manager
    shown = [
        connection,
        connection.redis,
        pool,
        discovery,
        queue,
        queue.settings,
        discovery._clients,
    ]
    assert not [thing for thing in shown for word in PASSWORDS if word in repr(thing)]


@pytest.mark.parametrize("wrong", PASSWORDS)
def test_a_wrong_password(locked, namespace, wrong):
    """A wrong password of either is told as such, without the other one."""
    error, shown = told_by(locked.url.replace(wrong, "wrong"), namespace)
    assert "check the user and the password" in str(error)
    assert not [word for word in (*PASSWORDS, "wrong@", "=wrong") if word in shown]


def test_a_service_that_nobody_knows(locked, namespace):
    """A name that the Sentinels do not know is told at once, with the name."""
    error, shown = told_by(locked.url.replace("/mymaster", "/other"), namespace)
    assert "no Redis is known there by the name 'other'" in str(error)
    assert not [word for word in PASSWORDS if word in shown]


@pytest.mark.parametrize("form", ["redis+sentinel://:{}@{}/mymaster", "redis+cluster://:{}@{}"])
def test_nobody_is_there(namespace, form, monkeypatch):
    """A new call does not wait for a failover where nobody can be asked; all hosts are named."""
    monkeypatch.setattr("queued_gspread.broker.connection.attempts._LONGEST_FAILOVER", 1e9)
    hosts = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    settings = Settings(redis_url=form.format(PASSWORDS[0], ",".join(hosts)), namespace=namespace)
    with pytest.raises(BrokerUnavailableError, match="start one there") as caught:
        Producer(settings).call(new_id(), "lane", b"job")
    assert not caught.value.may_have_run
    assert all(host in str(caught.value) for host in hosts)
    assert PASSWORDS[0] not in str(caught.value)


def test_a_silent_host_is_left_soon_by_those_who_wait_long(monkeypatch):
    """Whoever waits without an end gives only the last host all the time that it takes."""
    discovery, given = SentinelGuide((("one", 1), ("two", 2), ("three", 3)), {}), []

    def ask(host, name):
        given.append(left())
        raise RedisTimeoutError

    monkeypatch.setattr(discovery, "_ask", ask)
    with pytest.raises(NoMasterError):
        discovery.discover_master("mymaster")
    *others, last = given
    assert last == math.inf
    assert sum(others) < LONGEST_LOOK / 2


def test_a_sentinel_that_is_silent(plain, namespace):
    """One that takes connections and says nothing leaves a call the time to ask the next one."""
    *_, sentinel = plain
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = f"127.0.0.1:{silent.getsockname()[1]},{sentinel.host}"
        settings = Settings(f"redis+sentinel://{hosts}/mymaster", namespace, timeout=3.0)
        with pytest.raises(CallTimeoutError, match="was not started and will not be made"):
            Producer(settings).call(new_id(), "lane", b"job")


def test_a_redis_that_is_no_cluster(locked, namespace):
    """A Redis that is not a Cluster's says so where it is named as one."""
    url = f"redis+cluster://:{PASSWORDS[0]}@{locked.master.host}"
    assert "cluster support disabled" in str(told_by(url, namespace)[0])


def test_a_node_of_a_cluster_alone(cluster):
    """A node that is named as a server of its own tells how to name the Cluster."""
    url = f"redis://{cluster.nodes[0].host}/0"
    assert "redis+cluster://HOST:PORT,HOST:PORT" in str(told_by(url, "default")[0])


def test_a_cluster_is_asked_at_the_node_of_the_namespace(cluster):
    """What Redis is set to is asked of the node that holds the namespace, and of no other."""
    cluster.nodes[0].ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    queue_at(cluster.url, "default").check_redis()
    cluster.master.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(ConfigurationError, match="allkeys-lru"):
            queue_at(cluster.url, "default").check_redis()
    finally:
        cluster.master.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")


def test_every_command_finds_the_node_of_its_namespace(cluster, background):
    """Namespaces of all nodes work side by side in one process, from the enqueue to the stop."""
    names = [f"space-{number}" for number in range(12)]
    for name in names:
        settings = Settings(redis_url=cluster.url, namespace=name)
        queue = queue_at(cluster.url, name)
        assert queue.beat(60).state == "taken"
        job_id = new_id()
        reply = background(Producer(settings).call, job_id, "lane", b"job")
        assert queue.next_ready().lane == "lane"
        assert answer(queue, queue.head("lane"), b"reply") is None
        assert reply.result(PATIENCE) == b"reply"
        Producer(settings).forget(job_id)
        queue.request_stop("aaaa")
        assert queue.next_ready() == Stop()
    found = [len(node.ask("KEYS", "queued-gspread:{space-*")) for node in cluster.nodes]
    assert all(found)
    assert not [node for node in cluster.nodes if node.ask("KEYS", "*:reply:*")]


def test_a_cluster_that_has_lost_the_nodes_of_the_url(namespace):
    """Nodes that the URL does not name are asked once those that it names have gone."""
    with Cluster(newest_redis(), namespace) as group:
        url = f"redis+cluster://{group.nodes[0].host}"
        queue = queue_at(url, namespace)
        assert queue.beat(60).state == "taken"
        group.nodes[0].kill()
        connect(url, namespace).redis.connection_pool.disconnect()
        eventually(lambda: _state(queue) == "kept")


def _state(queue):
    try:
        return queue.beat(60).state
    except BrokerUnavailableError:
        return ""


def test_a_master_that_has_become_a_replica_is_left(plain, namespace, background):
    """Connections to a master that became a replica, a waiting caller's too, go to the new one."""
    first, second, sentinel = plain
    url = f"redis+sentinel://{sentinel.host}/mymaster"
    queue = queue_at(url, namespace)
    epoch = queue.beat(60).epoch
    reply = background(
        Producer(Settings(redis_url=url, namespace=namespace, grace=60.0)).call,
        new_id(),
        "lane",
        b"job",
    )
    eventually(lambda: first.ask("EXISTS", Keys(namespace).lane("lane")))
    second.ask("REPLICAOF", "127.0.0.1", first.port)
    eventually(lambda: second.ask("EXISTS", Keys(namespace).lane("lane")))
    # Without what Sentinel does beside that: it would close the connections.
    second.ask("REPLICAOF", "NO", "ONE")
    sentinel.ask("SENTINEL", "REMOVE", "mymaster")
    sentinel.ask("SENTINEL", "MONITOR", "mymaster", "127.0.0.1", second.port, 1)
    first.ask("REPLICAOF", "127.0.0.1", second.port)
    assert queue.beat(60).epoch == epoch
    assert answer(queue, queue.head("lane"), b"reply") is None
    assert reply.result(PATIENCE) == b"reply"
    assert second.ask("HGET", Keys(namespace).server, "epoch") == epoch


def test_a_replica_that_is_named_as_the_server(namespace, binary):
    """A read-only replica refuses every script, whichever Redis it is, and says what to name."""
    with Daemon(binary) as master, Daemon(binary) as replica:
        replica.ask("REPLICAOF", "127.0.0.1", master.port)
        queue = queue_at(f"redis://{replica.host}", namespace)
        with pytest.raises(
            BrokerUnavailableError, match=r"read-only replica.*its master"
        ) as caught:
            queue.beat(60)
    assert not caught.value.may_have_run


def test_every_socket_is_kept_alive(locked, cluster, namespace, redis_url):
    """Every socket over TCP, those to Sentinels included, has a time-out and is kept alive."""
    for url in (locked.url, cluster.url, redis_url):
        queue = queue_at(url, namespace)
        queue.beat(60)
        wire = connect(url, namespace).wire
        discovery = getattr(wire._pool, "sentinel_manager", None)
        others = [
            client.connection_pool for client in (discovery._clients.values() if discovery else [])
        ]
        idle = [wire.idle[0].connection, *(pool._available_connections[0] for pool in others)]
        for connection in idle:
            with connection._sock.dup() as sock:
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < 60
            assert connection._sock.gettimeout() < 10
