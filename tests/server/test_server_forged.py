"""What somebody who may write to Redis and has no key can do to signed calls, by security.md."""

from __future__ import annotations

import re

import pytest
from calls import append, read
from places import DOCS
from waiting import PATIENCE, eventually

from queued_gspread.broker.keys import Keys
from queued_gspread.errors import (
    CallTimeoutError,
    OutcomeUnknownError,
    PoisonedJobError,
    QueueFullError,
    VersionMismatchError,
)

FORGED = {
    "that it was withdrawn": lambda raw, keys, it: raw.zadd(keys.dedup, {f"withdrawn:{it}": 9e12}),
    "that it has ended": lambda raw, keys, it: raw.zadd(keys.dedup, {f"ended:{it}": 9e12}),
    "that it has only read": lambda raw, keys, it: raw.hset(keys.progress, it, "r"),
    "nothing of its start": lambda raw, keys, it: raw.hdel(keys.progress, it),
}


@pytest.fixture
def waiting_id(raw, keys):
    """Return what tells the id of the job at the end of the lane, once there are so many."""

    def find(count=1):
        eventually(lambda: raw.xlen(keys.lane("lane")) == count)
        return raw.xrange(keys.lane("lane"))[-1][1]["id"]

    return find


@pytest.mark.parametrize("forged", FORGED)
def test_no_unsigned_word_makes_a_call_unmade(
    forged, serve, authorize, signing_key, gate, background, raw, keys, waiting_id
):
    """Whatever Redis is made to say of a call in the air, its caller hears that it may be made."""
    serve(signing_key_file=signing_key)
    calling = background(append, authorize(signing_key_file=signing_key, timeout=1.0))
    gate.next()
    FORGED[forged](raw, keys, waiting_id())
    error = calling.exception(PATIENCE)
    assert isinstance(error, CallTimeoutError)
    assert error.may_have_run
    assert "that is not signed" in str(error)
    assert "may have been made" in str(error)


def test_a_queue_that_is_said_to_be_full_takes_no_call(
    serve, authorize, signing_key, raw, keys, gate
):
    """A call that is refused since the queue is said to be full is not in it."""
    serve(signing_key_file=signing_key, max_queue=1)
    gate.open()
    # A server that makes a call has counted the queue anew before.
    read(authorize(signing_key_file=signing_key))
    raw.set(keys.depth, 9)
    with pytest.raises(QueueFullError, match="was not put in"):
        read(authorize(signing_key_file=signing_key))
    assert not raw.exists(keys.lane("lane"))


@pytest.mark.usefixtures("new_connections")
def test_a_signed_call_that_is_said_to_meet_another_format(
    authorize, signing_key, raw, keys, namespace
):
    """A first call that is refused for another format, which alone is told of, is not put in."""
    shared = f"queued-gspread:{{{namespace}}}:"
    raw.hset(f"{shared}9:server", mapping={"last_beat": raw.time()[0] * 1000, "description": "it"})
    raw.hset(keys.formats, "known", "9")
    with pytest.raises(VersionMismatchError, match="will not be made"):
        read(authorize(signing_key_file=signing_key))
    assert not raw.exists(keys.lane("lane"))


@pytest.fixture
def behind(serve, authorize, signing_key, gate, background, waiting_id):
    """Return what forges something of a signed append that waits, and returns its error."""

    def wait_and_forge(forge):
        serve(signing_key_file=signing_key)
        client = authorize(signing_key_file=signing_key)
        background(read, client)
        held = gate.next()
        calling = background(append, client)
        forge(waiting_id(2))
        held.answer({})
        return calling.exception(PATIENCE)

    return wait_and_forge


def test_a_call_that_servers_are_said_to_have_died_of(behind, raw, keys, gate):
    """A call that waits ends with PoisonedJobError, and is not made."""
    error = behind(lambda job_id: raw.hset(keys.deliveries, job_id, "/1//2//3/"))
    assert isinstance(error, PoisonedJobError)
    assert len(gate.seen) == 1


def test_a_call_that_is_said_to_have_an_intent(behind, raw, keys, gate):
    """A call that waits ends as unknown, and is not made."""

    def forge(job_id):
        raw.rpush(keys.journal(job_id), ">slot 1 []")
        raw.hset(keys.progress, job_id, "j")

    assert isinstance(behind(forge), OutcomeUnknownError)
    assert len(gate.seen) == 1


def test_a_server_is_stopped_without_a_key(serve, signing_key, raw, keys):
    """A request to stop needs no signature."""
    server = serve(signing_key_file=signing_key)
    raw.rpush(keys.control(raw.hget(keys.server, "holder")), "stop")
    assert eventually(lambda: server.was_told_to_stop)


def test_every_key_is_in_the_list_of_what_forging_does():
    """The list of what somebody without the key can forge has each key of the queue."""
    page = DOCS / "security.md"
    text = page.read_text().split("Key by key", 1)[1].split("## Users", 1)[0]
    listed = set(re.findall(r"`([a-z]+):?`", text))
    kinds = re.findall(r"``…:([a-z]+)", Keys.__doc__)
    assert kinds
    assert set(kinds) - listed == set()
