"""Formats of the queue: each has its own keys, and a client or a server is told of the others."""

from __future__ import annotations

import json
import math

import pytest
from broker_helpers import connection_of, contents, enqueue, milliseconds_of, names
from one_job import acquire
from permits_helpers import LANE
from waiting import eventually

from queued_gspread._version import __version__
from queued_gspread.broker import Consumer, Slot
from queued_gspread.broker import consumer as servers_module
from queued_gspread.broker import core as callers_module
from queued_gspread.broker import keys as keys_module
from queued_gspread.broker.connection.attempts import Attempts
from queued_gspread.broker.keys import FORMAT, Keys
from queued_gspread.errors import ServerUnavailableError, VersionMismatchError
from queued_gspread.protocol.messages import new_id

JOB = json.dumps({"v": 1, "versions": ["0.0.7", "6.2.1"], "caller": ["web-1", 4711]})


def key(namespace, number, name):
    """Return a key of a format; the first has no number in its keys."""
    of_format = "" if number == 1 else f"{number}:"
    return f"queued-gspread:{{{namespace}}}:{of_format}{name}"


@pytest.fixture
def works(raw, namespace):
    """Return what has a server of another format work in the namespace."""

    def work(number, about="old-1:12 (as a@b, queued_gspread 0.0.7)", ago=0):
        now = raw.time()[0] * 1000
        told = {"holder": "ffff", "epoch": now, "last_beat": now - ago, "description": about}
        raw.hset(key(namespace, number, "server"), mapping=told)
        if number > 1:
            raw.hset(key(namespace, 1, "formats"), "known", number)

    return work


@pytest.fixture
def waits(raw, namespace):
    """Return what has a job of another format wait in the namespace."""

    def wait(number, body=JOB):
        raw.xadd(key(namespace, number, "lane:book"), {"id": new_id(), "body": body})
        raw.sadd(key(namespace, number, "active"), "book")
        raw.incr(key(namespace, number, "depth"))

    return wait


@pytest.mark.parametrize(
    ("number", "remedy"), [(1, "Upgrade the server first"), (FORMAT + 1, "Upgrade this client")]
)
def test_a_client_that_meets_a_server_of_another_format(
    callers, works, raw, namespace, number, remedy
):
    """It is told which formats and versions meet, and what to upgrade; no job is put in."""
    works(number)
    before = contents(raw, namespace)
    # Whether or not this process has made a call before.
    held = connection_of(callers)
    held.clock.forget()
    with pytest.raises(VersionMismatchError) as told:
        callers.call(new_id(), LANE, b"job")
    text = str(told.value)
    for part in (
        f"reads queue format {FORMAT}, which this client (queued_gspread {__version__}) writes",
        f"queued_gspread 0.0.7) with queue format {number}",
        "will not be made",
        remedy,
    ):
        assert part in text
    assert contents(raw, namespace) == before


def test_a_call_asks_nothing_more_for_formats(callers, server, background, monkeypatch):
    """A first call asks once before its job, as it did for Redis's time; the next ones do not."""
    asked, real = [], Attempts.run

    def run(self, name, *args, **options):
        asked.append(name)
        return real(self, name, *args, **options)

    def make_call():
        call = background(callers.call, new_id(), LANE, b"job")
        server.answer([(eventually(lambda: server.head(LANE)), b"reply")])
        assert call.result() == b"reply"

    make_call()  # as of it, the namespace remembers jobs
    held = connection_of(callers)
    held.clock.forget()
    monkeypatch.setattr(Attempts, "run", run)
    make_call()
    make_call()
    of_clients = [name for name in asked if name not in ("head", "answer")]
    assert of_clients == ["alive", "enqueue", "enqueue"]


@pytest.mark.usefixtures("short_slices")
def test_a_client_that_has_made_calls_meets_a_server_of_another_format(
    callers, works, raw, namespace
):
    """It takes its job back, is told the same, and puts no further job in."""
    callers.alive()
    works(1)
    with pytest.raises(VersionMismatchError, match="was not started and will not be made"):
        callers.call(new_id(), LANE, b"job")
    assert not names(raw, namespace) & {f"lane:{LANE}", "depth"}
    before = contents(raw, namespace)
    with pytest.raises(VersionMismatchError):
        callers.call(new_id(), LANE, b"job")
    assert contents(raw, namespace) == before


@pytest.mark.usefixtures("short_slices")
def test_a_call_that_had_started_is_not_said_to_be_undone(
    callers, server, works, raw, keys, background
):
    """Where its server has died, and one of another format works, the text says so."""
    callers.alive()
    call = background(callers.call, new_id(), LANE, b"job")
    entry = eventually(lambda: server.head(LANE))
    assert acquire(server, entry, "w").word == "go"
    works(1)
    raw.hset(keys.server, "last_beat", 1)
    with pytest.raises(ServerUnavailableError, match="may have been made") as told:
        call.result()
    assert told.value.may_have_run
    assert "queue format 1" in str(told.value)


@pytest.mark.usefixtures("short_slices")
@pytest.mark.parametrize("ends", ["released", "silent"])
def test_a_server_of_this_format_is_waited_for(
    callers, server, works, settings, background, ends, raw, keys
):
    """While two formats work, clients wait for the next server of theirs, as they do else."""
    works(1)
    held = connection_of(callers)
    held.clock.forget()
    if ends == "released":
        server.release()
    else:
        raw.hincrby(keys.server, "last_beat", -30_000)
        raw.hset(keys.server, "lease", 1000)
    call = background(callers.call, new_id(), LANE, b"job")
    # It has looked for life, too, by the time at which the next server works.
    eventually(lambda: callers.see().others == [] and raw.xlen(keys.lane(LANE)))
    successor = Consumer(settings, "bbbb", "server b")
    eventually(lambda: successor.beat(60).state == "taken")
    entry = eventually(lambda: successor.head(LANE))
    successor.answer([(entry, b"reply")])
    assert call.result() == b"reply"


@pytest.mark.parametrize("is_first", [True, False], ids=["first call", "further call"])
def test_a_server_that_beats_after_one_of_another_format(
    callers, server, works, raw, namespace, background, is_first, monkeypatch
):
    """Where Redis was emptied, and the other server beats first, clients wait for their own."""
    callers.alive()
    raw.delete(*raw.keys(f"*{{{namespace}}}*"))
    works(1)
    looks, real = [], callers_module.look

    def look(*args, **options):
        looks.append((yield from real(*args, **options)))
        return looks[-1]

    monkeypatch.setattr(callers_module, "look", look)
    monkeypatch.setattr(callers_module, "SLICE", 0.1)
    if is_first:
        held = connection_of(callers)
        held.clock.forget()
    call = background(callers.call, new_id(), LANE, b"job")
    eventually(lambda: looks and looks[0].others)
    server.beat(60)
    entry = eventually(lambda: server.head(LANE))
    server.answer([(entry, b"reply")])
    assert call.result() == b"reply"


@pytest.mark.parametrize("number", [1, FORMAT + 1])
def test_a_server_sees_the_others(server, works, waits, number):
    """A server is told of each other format whether it has a server, and who waits for it."""
    server.others()
    assert server.others() == []
    works(number)
    (other,) = server.others()
    assert (other.number, other.waiting, other.caller) == (number, 0, "")
    assert "queued_gspread 0.0.7" in other.about
    works(number, ago=60_000)
    assert server.others() == []
    waits(number)
    waits(number)
    (other,) = server.others()
    assert (other.number, other.about, other.waiting) == (number, "", 2)
    assert other.caller == "web-1:4711, queued_gspread 0.0.7"


@pytest.mark.parametrize("body", ["", "[]", '{"caller": 1}', b"\xff", "[" * 9999, "x" * 99_999])
def test_a_job_that_cannot_be_read_is_counted(server, waits, body):
    """Whatever a job of another format looks like, a server sees that it waits."""
    server.others()
    waits(1, body)
    (other,) = server.others()
    assert (other.waiting, other.caller) == (1, "")


def test_what_a_stranger_puts_there_ends_nobody(callers, server, raw, namespace):
    """Keys of other types in the place of another format's are as good as none."""
    for name in ("server", "depth", "active", "formats", "lane:book"):
        raw.rpush(key(namespace, 1, name), "strange")
    assert server.others() == []
    assert callers.see().others == []
    raw.delete(key(namespace, 1, "depth"))
    raw.set(key(namespace, 1, "depth"), 3)
    assert [other.waiting for other in server.others()] == [3]


def test_a_number_that_nobody_can_read_ends_nobody(callers, server, raw, namespace):
    """What a stranger puts there for a format with an endless number is as good as none."""
    endless = "9" * 5000
    raw.hset(key(namespace, 1, "formats"), "known", endless)
    raw.hset(key(namespace, endless, "server"), "last_beat", raw.time()[0] * 1000)
    raw.set(key(namespace, endless, "depth"), 1)
    assert server.others() == []
    server.release()
    raw.delete(Keys(namespace).server)
    assert callers.see().others == []


def test_a_server_touches_nothing_of_another_format(settings, works, waits, raw, namespace):
    """Lease, recovery, looks and stop leave another format's keys as they were."""
    works(1)
    waits(1)
    before = contents(raw, namespace)
    server = Consumer(settings, "aaaa", "server a")
    assert server.beat(60).state == "taken"
    assert server.recover(60.0).lanes == 0
    server.others()
    server.requeue()
    server.release()
    after = contents(raw, namespace)
    assert {key: after.get(key) for key in before} == before


def test_formats_have_a_lane_each_of_one_name(settings, server, monkeypatch):
    """A job is handed out to the server of its own format alone."""
    job_id, _ = enqueue(settings)
    assert server.head(LANE).job_id == job_id
    monkeypatch.setattr(keys_module, "FORMAT", FORMAT + 1)
    other = Consumer(settings, "bbbb", "server b")
    assert other.beat(60).state == "taken"
    assert other.recover().lanes == 0
    assert other.head(LANE) is None


def test_formats_share_the_quota(settings, server, monkeypatch):
    """What the servers of two formats send in a window takes slots of one quota."""
    enqueue(settings)
    assert acquire(server, server.head(LANE), "r", slot=Slot("read", "a", 1)).word == "go"
    monkeypatch.setattr(keys_module, "FORMAT", FORMAT + 1)
    other = Consumer(settings, "bbbb", "server b")
    other.beat(60)
    enqueue(settings)
    assert acquire(other, other.head(LANE), "r", slot=Slot("read", "b", 1)).word == "wait"


@pytest.fixture
def next_format(settings, server, monkeypatch):
    """Return what has a server of the next format work beside the one that is there."""
    server.others()

    def work():
        for module in (keys_module, servers_module):
            monkeypatch.setattr(module, "FORMAT", FORMAT + 1)
        other = Consumer(settings, "bbbb", "server b")
        assert other.beat(60).state == "taken"
        other.recover(60.0)
        return other

    return work


@pytest.fixture
def in_the_air(settings, server, raw, keys):
    """Return a request's slot, which a server holds, and what tells until when it is held."""
    enqueue(settings)
    slot = Slot("read", f"{server.epoch}/1", 1)
    assert acquire(server, server.head(LANE), "r", slot=slot).word == "go"
    return lambda: raw.zscore(keys.slots("read"), slot.name)


def test_a_server_that_begins_leaves_slots_to_one_of_another_format(next_format, in_the_air):
    """What a server has in the air stays held until its answer, whoever begins beside it."""
    next_format().others(60.0)
    assert in_the_air() == math.inf


def test_slots_of_a_server_of_another_format_that_has_died(
    next_format, server, in_the_air, raw, namespace
):
    """They are held for a window more, though no server of its format takes over."""
    other = next_format()
    raw.zadd(Keys(namespace).slots("read"), {f"{server.epoch}/1": math.inf})
    raw.hincrby(key(namespace, FORMAT, "server"), "last_beat", -30_000)
    other.others(60.0)
    assert 0 < in_the_air() - milliseconds_of(raw) <= 60_000
    raw.zadd(Keys(namespace).slots("read"), {f"{other.epoch}/1": math.inf})
    other.others(60.0)
    assert raw.zscore(Keys(namespace).slots("read"), f"{other.epoch}/1") == math.inf


def test_a_namespace_remembers_the_formats_that_it_had(settings, server, raw, monkeypatch):
    """Each server enters its format once, and finds the ones that were there before."""
    server.others()
    server.others()
    monkeypatch.setattr(keys_module, "FORMAT", FORMAT + 1)
    monkeypatch.setattr("queued_gspread.broker.consumer.FORMAT", FORMAT + 1)
    other = Consumer(settings, "bbbb", "server b")
    assert [found.number for found in other.others()] == [FORMAT]
    known = raw.hget(Keys(settings.namespace).formats, "known")
    assert known.split() == [str(FORMAT), str(FORMAT + 1)]
