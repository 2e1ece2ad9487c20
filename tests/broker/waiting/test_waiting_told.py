"""A caller that waits is told why, by what its looks at the queue show."""

from __future__ import annotations

import logging
import math
import re
from dataclasses import replace
from functools import partial

import pytest
from broker_helpers import enqueue
from cores import drive
from one_job import answer
from waiting import PATIENCE, eventually

from queued_gspread.broker import QUOTA, Consumer, Holdup, Holdups, Producer, core
from queued_gspread.broker.operators import Operator
from queued_gspread.broker.waiting import notices
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.broker.withdrawal import started_by
from queued_gspread.errors import CallTimeoutError, ServerUnavailableError
from queued_gspread.protocol.messages import Reply, new_id
from queued_gspread.proxy.caller import close_notice as _close_notice
from queued_gspread.settings import Settings

WRITES = Holdups({"write": Holdup(QUOTA, 0.0, 1, 60, 60.0)}, {"lane": ("write", 0.0)})


@pytest.fixture
def impatient(monkeypatch):
    """Let callers say at once that they wait."""
    monkeypatch.setattr(notices, "PATIENCE", 0.0)
    monkeypatch.setattr(notices._Latest, "process", 0)
    monkeypatch.setattr(notices._Latest, "turn", (0, 0.0))


@pytest.fixture
def told(caplog):
    """Return what waits for so many lines, and returns them."""

    def wait(count=1):
        eventually(lambda: len(caplog.messages) == count)
        return caplog.messages

    return wait


@pytest.fixture
def held_up():
    """Return what holds requests up, by the name that the server asks for."""
    return {"holdups": ""}


@pytest.fixture
def server(settings, timing, held_up):
    """Return the servers' side of the queue, with the lease; it says what holds requests up."""
    holdups = partial(held_up.get, "holdups")
    server = Consumer(settings, "aaaa", "server a", holdups=holdups, timing=timing.queue)
    assert server.beat(60).state == "taken"
    return server


@pytest.fixture
def said(server, held_up):
    """Return what has the server say with its next beat what holds requests up."""

    def say(holdups):
        held_up["holdups"] = holdups.encode()
        assert server.beat(60).state == "kept"

    return say


def test_a_caller_says_what_the_server_has_said(
    settings, callers, server, said, background, impatient, short_slices, told
):
    """It says what holds its call up, and how many calls stand before it; then that it goes on."""
    enqueue(settings)
    enqueue(settings)
    said(WRITES)
    notice = callers.notice()
    call = background(callers.call, new_id(), "lane", b"job", notice)
    (line,) = told()
    assert line == (
        "queued_gspread: waiting for the write quota: 2 calls ahead, at most 60 s if each takes "
        "one write"
    )
    head = server.head("lane")
    while head is not None:
        head = answer(server, head, b"reply")
    assert call.result(PATIENCE) == b"reply"
    notice.end()
    assert told(2)[1].startswith("queued_gspread: goes on after ")


@pytest.fixture
def early(monkeypatch, caplog):
    """Let callers say at once that they wait, to a program that logs at INFO."""
    caplog.set_level(logging.INFO, "queued_gspread")
    monkeypatch.setattr(notices, "EARLY", 0.0)
    monkeypatch.setattr(notices._Latest, "told", (0, 0.0))
    monkeypatch.setattr(notices._Latest, "turn", (0, 0.0))


@pytest.mark.parametrize("is_paused", [False, True], ids=["quota", "paused"])
def test_a_caller_is_told_at_info_what_holds_its_call_up(
    settings, callers, server, said, background, early, short_slices, told, caplog, is_paused
):
    """A call's record at INFO has its place, a bound and the quota; or who has paused, and why."""
    enqueue(settings)
    enqueue(settings)
    said(WRITES)
    if is_paused:
        Operator(settings, "ann@web1").pause("all", why="a move")
    notice = callers.notice()
    call = background(callers.call, new_id(), "lane", b"job", notice)
    (line,) = told()
    paused = r"all calls are paused by ann@web1 since 20[-\d]+ [:\d]+ UTC: a move: 2 calls ahead"
    quota = "behind 2 calls, at most 60 s; quota: writes 60 of 60"
    assert re.fullmatch(f"queued_gspread: {paused if is_paused else quota}", line)
    head = server.head("lane")
    while head is not None:
        head = answer(server, head, b"reply")
    assert call.result(PATIENCE) == b"reply"
    notice.end()
    told(2)
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_a_timeout_has_the_reason_that_was_said(callers, server, impatient):
    """A call that said why it waits, and then gives up at its timeout, says that in its error."""
    wait = Wait(new_id(), "lane", 60.0)
    wait.stream_id = callers.enqueue(wait, b"job")
    wait.notice.say("waiting for the write quota: no call ahead")
    with pytest.raises(CallTimeoutError) as caught:
        drive(callers, "_give_up_at_timeout", wait)
    assert re.search(
        r"\. Why it waited, as said after \d+ s: waiting for the write quota: no call ahead$",
        str(caught.value),
    )


def test_a_timeout_of_the_servers_has_the_reason_that_was_said(callers, impatient, caplog):
    """A call that the server ends as too late has that reason in its error, and does not go on."""
    notice = callers.notice()
    notice.say("waiting for the write quota: no call ahead")
    reply = _close_notice(Reply(error=CallTimeoutError("passed before it wrote")), 61.0, notice)
    assert str(reply.error).startswith("passed before it wrote (this caller has waited for 61.0 s)")
    assert str(reply.error).endswith("waiting for the write quota: no call ahead")
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(("grace", "is_told"), [(2.0, True), (5.0, False)])
def test_a_grace_that_is_shorter_than_a_lease_is_named(settings, grace, is_told):
    """Who gives up before a standby server could have taken over is told that it does."""
    callers = Producer(replace(settings, grace=grace))
    with pytest.raises(ServerUnavailableError) as caught:
        drive(callers, "_give_up_without_server", Wait(new_id(), "lane", None), [])
    told = "grace of 2 s (grace=, QUEUED_GSPREAD_GRACE) is shorter than a server's lease (5 s"
    assert (told in str(caught.value)) is is_told


@pytest.mark.parametrize(
    "url",
    ["redis://queued-gspread-client:pw@host/0", "redis://:pw@host", "redis://host?password=x"],
)
def test_no_command_is_given_that_could_not_be_run(url):
    """Where the URL has a user or a password, there is what to do in place of a command with it."""
    told = started_by(Settings(url))
    assert told.startswith("start queued-gspread-server on that Redis (with the server's user)")
    assert "*" not in told
    assert "--redis-url redis://host --namespace" in started_by(Settings("redis://host"))


@pytest.mark.parametrize("place", [0, 1, 5])
def test_what_stands_before_a_call_is_counted(callers, settings, server, place):
    """The calls before one in its lane are counted, and not those behind it."""
    entries = [enqueue(settings) for _ in range(6)]
    job_id, entry = entries[place]
    why = callers.see(Wait(job_id, "lane", None, entry), asks=True).why
    assert why == {"ahead": place, "is_exact": True, "holdups": Holdups(), "lock": None}
    for _ in range(place):
        answer(server, server.head("lane"), b"")
    assert callers.see(Wait(job_id, "lane", None, entry), asks=True).why["ahead"] == 0


@pytest.mark.parametrize(("jobs", "body"), [(1002, b"x"), (4, b"x" * 600_000)])
def test_long_lanes_are_not_read_whole(callers, settings, server, raw, keys, jobs, body):
    """Of a lane with many calls, or with large ones, it is told how many there are at the most."""
    entries = [raw.xadd(keys.lane("lane"), {"id": f"a{n}", "body": body}) for n in range(jobs)]
    wait = Wait(f"a{jobs - 2}", "lane", None, entries[-2])
    assert callers.see(wait, asks=True).why["ahead"] == jobs - 1
    assert not callers.see(wait, asks=True).why["is_exact"]


def test_what_an_earlier_server_has_said_is_left(callers, said, settings, raw, keys):
    """What stands there of another beat than the latest one, a newer version's say, is left out."""
    job_id, entry = enqueue(settings)
    wait = Wait(job_id, "lane", None, entry)
    said(WRITES)
    assert callers.see(wait, asks=True).why["holdups"] == WRITES
    raw.hincrby(keys.server, "last_beat", 1)
    assert not callers.see(wait, asks=True).why["holdups"]


@pytest.mark.parametrize(
    "forged", ["", "1", "{at} ", "{at} []", "{at} [[],[],[]]", "{at} x", "{at}"]
)
def test_a_forged_word_is_none(callers, server, settings, raw, keys, forged):
    """Whatever somebody has put in the place of what the server says, the look is as any other."""
    job_id, entry = enqueue(settings)
    raw.hset(keys.server, "holdups", forged.format(at=raw.hget(keys.server, "last_beat")))
    seen = callers.see(Wait(job_id, "lane", None, entry), asks=True)
    assert seen.is_known
    assert not seen.why["holdups"]


def test_nothing_is_asked_before_its_time(settings, server, background, short_slices, monkeypatch):
    """Only a look whose caller has waited for so long, and may speak, asks why; and only once."""
    asked, real = [], core.look

    def look(*args, asks=False, **given):
        asked.append(asks)
        return real(*args, asks=asks, **given)

    monkeypatch.setattr(core, "look", look)
    monkeypatch.setattr(notices._Latest, "process", 0)
    monkeypatch.setattr(notices._Latest, "turn", (0, 0.0))
    monkeypatch.setattr(notices, "PATIENCE", math.inf)
    call = background(Producer(settings).call, new_id(), "lane", b"job")
    eventually(lambda: len(asked) >= 3)
    assert not any(asked)
    monkeypatch.setattr(notices, "PATIENCE", 0.0)
    eventually(lambda: True in asked)
    count = len(asked)
    eventually(lambda: len(asked) >= count + 3)
    assert asked.count(True) == 1
    answer(server, server.head("lane"), b"reply")
    call.result(PATIENCE)


def test_a_server_that_is_gone_is_named(
    settings, server, background, impatient, short_slices, told, raw, keys
):
    """A caller whose server has gone silent says so, with what starts another one."""
    raw.hset(keys.server, "last_beat", 1)
    wait = Wait(new_id(), "lane", None)
    wait.alive_at -= 20.0
    wait.stream_id = Producer(settings).enqueue(wait, b"job")
    assert drive(Producer(settings), "_check_for_life", wait) is None
    (line,) = told()
    assert "no server has been alive for 20 s in namespace" in line
    assert line.endswith(started_by(settings))


def test_a_server_says_nothing_that_no_beat_has(server, said, held_up, raw, keys):
    """A server with nothing to say leaves nothing there, also of what it has said before."""
    said(WRITES)
    assert raw.hget(keys.server, "holdups")
    held_up["holdups"] = ""
    server.beat(60)
    assert raw.hget(keys.server, "holdups") == ""
