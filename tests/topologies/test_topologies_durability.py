"""A non-idempotent request waits for a replica, where the server was told so."""

from __future__ import annotations

import pytest
from calls import append, read, write
from one_job import acquire
from topologies import HOST, Daemon, each_binary
from waiting import PATIENCE, eventually
from wire import BEFORE, Wire

from queued_gspread.broker import Consumer, JournalUpdate
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.settings import Settings


@pytest.fixture(scope="module", params=each_binary())
def pair(request):
    """Return a master and its replica."""
    with (
        Daemon(request.param, ["appendonly no"]) as master,
        Daemon(request.param, [f"replicaof {HOST} {master.port}"]) as replica,
    ):
        with master.client() as client:
            eventually(
                lambda: client.info("replication").get("slave0", {}).get("state") == "online"
            )
        yield master, replica


@pytest.fixture
def redis_url(pair):
    return f"redis://{pair[0].host}"


@pytest.fixture
def paused(pair):
    """Stop the replica until the test goes on."""
    replica = pair[1]
    replica.pause()
    yield replica
    replica.resume()


REPLICATED = {"durability": "replicated", "quota_window": 0.6}


def test_an_append_waits_for_a_replica(serve, client, gate, background, paused, caplog, raw, keys):
    """An append is sent once a replica has its intent; until then its call has only read."""
    caplog.set_level("INFO", "queued_gspread")
    serve(**REPLICATED)
    appending = background(append, client)
    eventually(lambda: caplog.text.count("the replicas of Redis do not all have the journal") >= 2)
    assert caplog.text.count("the replicas of Redis do not all have what is written") == 1
    assert gate.is_idle
    assert set(raw.hgetall(keys.progress).values()) <= {"r", "j"}
    paused.resume()
    gate.next().answer({"appended": True})
    assert appending.result(PATIENCE) == {"appended": True}
    assert len(gate.seen) == 1


def test_idempotent_requests_wait_for_no_replica(serve, client, gate, background, paused):
    """A read and an idempotent write are sent without a replica."""
    serve(**REPLICATED)
    for call in (read, write):
        calling = background(call, client)
        gate.next().answer({})
        assert calling.result(PATIENCE) == {}


def test_the_wait_for_a_replica_has_an_end(serve, client, gate, background, paused):
    """After --retry-for the caller is told that nothing was sent, and why."""
    serve(**REPLICATED, retry_for=0.0)
    error = background(append, client).exception(PATIENCE)
    assert type(error) is BrokerUnavailableError
    assert "nothing was sent" in str(error)
    assert "--durability local" in str(error)
    assert not gate.seen


def test_an_append_waits_for_nothing_by_default(serve, client, gate, background, paused):
    """Without the option an append is sent whatever replicas there are."""
    serve()
    appending = background(append, client)
    gate.next().answer({})
    assert appending.result(PATIENCE) == {}


def test_an_append_with_a_replica(serve, client, gate, background, pair, raw, keys):
    """Where a replica keeps up, it has the intent when the append is sent."""
    serve(**REPLICATED)
    appending = background(append, client)
    arrival = gate.next()
    ((journal),) = raw.keys(keys.journal("*"))
    assert pair[1].ask("LRANGE", journal, 0, -1)[0].startswith(">")
    arrival.answer({})
    assert appending.result(PATIENCE) == {}


@pytest.fixture
def intended(namespace, raw, keys):
    """Return what writes the intent of a request into a call's journal, by a Redis's URL."""

    def write(url):
        servers = Consumer(Settings(redis_url=url, namespace=namespace), "aaaa", "server a")
        servers.beat(60)
        raw.xadd(keys.lane("lane"), {"id": "a" * 32, "body": "body"})
        head = servers.head("lane")
        assert (
            acquire(servers, head, "j", None, note=JournalUpdate(0, (), "1/1", b"told")).word
            == "go"
        )
        return servers, head

    return write


def test_what_a_new_master_has_not_got_is_not_replicated(intended, redis_url, raw, keys):
    """That a replica keeps up says nothing of an intent that only the old master had."""
    servers, head = intended(redis_url)
    eventually(lambda: servers.is_replicated([head]))
    raw.delete(keys.journal(head.job_id))
    assert not servers.is_replicated([head])


def test_a_connection_that_breaks_while_waiting_for_a_replica(intended, redis_url):
    """Where nobody can say whether a replica has an intent, it counts as if none had."""
    with Wire(redis_url) as wire:
        servers, head = intended(wire.url)
        eventually(lambda: servers.is_replicated([head]))
        # After the script, which goes out in the same write.
        wire.cut(1, BEFORE)
        assert not servers.is_replicated([head])
        assert wire.hits == ["WAIT"]
