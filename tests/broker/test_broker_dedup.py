"""Tries at putting a job in that come when the first one is forgotten: none is a second job."""

from __future__ import annotations

import pytest
from broker_helpers import connection_of, enqueue, milliseconds_of, withdraw
from one_job import acquire, answer
from waiting import PATIENCE
from wire import AFTER, BEFORE, Wire

from queued_gspread.broker import Producer
from queued_gspread.broker import keys as broker_keys
from queued_gspread.broker.connection.client import connect
from queued_gspread.broker.scripts import SCRIPTS
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

HOUR = 3_600_000


@pytest.fixture
def forget(settings, raw, keys, monkeypatch):
    """Return what has Redis forget all jobs that it has, as if their time were over."""
    monkeypatch.setattr(broker_keys, "REMEMBERED", 0.001)

    def now():
        began = milliseconds_of(raw)
        while raw.zscore(keys.dedup, "since:") <= began:
            # Whose id begins so has Redis forget.
            enqueue(settings, "other", job_id=f"0{new_id()[1:]}")

    return now


@pytest.fixture
def wire(redis_url, namespace, settings):
    """Return a wire to the Redis, which knows the scripts, and who calls by way of it."""
    enqueue(settings, "first")
    with Wire(redis_url) as wire:
        own = Settings(wire.url, namespace, grace=60.0)
        Producer(own).alive()
        yield wire


def cut_at_enqueue(wire, namespace, when, act):
    """Return whose enqueue loses its connection; something is done meanwhile."""
    wire.cut_script(SCRIPTS["enqueue"].sha, 1, when, act)
    return Producer(Settings(wire.url, namespace, grace=60.0))


def test_a_try_after_its_job_was_made_and_forgotten(
    wire, namespace, server, raw, keys, forget, background
):
    """A caller that slept between the two gets the answer, and its call is made once."""

    def meanwhile():
        answer(server, server.head("lane"), b"made once")
        forget()

    callers = cut_at_enqueue(wire, namespace, AFTER, meanwhile)
    reply = background(callers.call, new_id(), "lane", b"job")
    assert reply.result(PATIENCE) == b"made once"
    assert wire.hits == ["EVALSHA"]
    assert not raw.exists(keys.lane("lane"))


def test_a_try_after_the_answer_has_expired_too(wire, namespace, server, raw, keys, forget):
    """Where nobody can know, the caller is told that its call may have been made."""
    job_id = new_id()

    def meanwhile():
        answer(server, server.head("lane"), b"made once")
        forget()
        raw.delete(keys.reply(job_id))

    callers = cut_at_enqueue(wire, namespace, AFTER, meanwhile)
    with pytest.raises(BrokerUnavailableError, match="may have been made: look before") as caught:
        callers.call(job_id, "lane", b"job")
    assert caught.value.may_have_run
    assert "no longer knows whether it had taken it" in str(caught.value)
    assert not raw.exists(keys.lane("lane"))


def test_a_try_after_one_that_redis_never_had(wire, namespace, raw, keys, forget):
    """That the first one was lost on its way nobody knows either: none is put in late."""
    callers = cut_at_enqueue(wire, namespace, BEFORE, forget)
    with pytest.raises(BrokerUnavailableError) as caught:
        callers.call(new_id(), "lane", b"job")
    assert caught.value.may_have_run
    assert not raw.exists(keys.lane("lane"))


def test_a_try_after_a_step_of_the_clock_of_redis(wire, namespace, server, raw, keys, settings):
    """Where Redis's clock goes an hour forward between two tries, they are one job."""
    raw.zadd(keys.dedup, {"since:": 0})
    job_id = new_id()

    def meanwhile():
        answer(server, server.head("lane"), b"reply")
        raw.delete(keys.reply(job_id))
        # To a clock that goes forward, all that it has written has become older.
        for known, moment in raw.zrange(keys.dedup, 0, -1, withscores=True):
            raw.zadd(keys.dedup, {known: moment - HOUR})
        enqueue(settings, "other", job_id=f"0{new_id()[1:]}")

    callers = cut_at_enqueue(wire, namespace, AFTER, meanwhile)
    held = connection_of(callers)
    held.clock.saw(milliseconds_of(raw) - HOUR)
    with pytest.raises(BrokerUnavailableError) as caught:
        callers.call(job_id, "lane", b"job")
    assert caught.value.may_have_run
    assert not raw.exists(keys.lane("lane"))


@pytest.mark.parametrize("shown", [-HOUR, HOUR], ids=["long ago", "ahead"])
def test_a_first_try_is_never_too_late(settings, server, raw, shown, background):
    """A process that has not run for long, or knew another clock, puts its call in all the same."""
    enqueue(settings, "first")
    callers = Producer(settings)
    held = connection_of(callers)
    held.clock.saw(milliseconds_of(raw) + shown)
    reply = background(callers.call, new_id(), "lane", b"job")
    while (head := server.head("lane")) is None:
        assert not reply.done()
    answer(server, head, b"reply")
    assert reply.result(PATIENCE) == b"reply"


def test_a_try_that_is_delivered_late(settings, raw, keys, server, forget):
    """What something on the way has kept until its job was forgotten is not put in."""
    enqueue(settings, "first")
    connection = connect(settings.redis_url)
    args = [new_id(), b"body", "lane", 120_000, milliseconds_of(raw)]
    places = keys.of_enqueue("lane")
    entry, *_ = connection.run("enqueue", places, args)
    assert connection.run("enqueue", places, args)[0] == entry
    answer(server, server.head("lane"), b"reply")
    assert connection.run("enqueue", places, args)[0] == b"0-1"
    forget()
    assert connection.run("enqueue", places, args)[0] == b"late"
    assert not raw.exists(keys.lane("lane"))


@pytest.mark.parametrize("ahead", [-1, HOUR], ids=["emptied", "set back"])
def test_a_redis_that_is_not_as_it_was_takes_no_second_try(settings, raw, keys, ahead):
    """Emptied between two tries at one job, or with its clock set back, it may have had the job."""
    enqueue(settings, "first")
    connection, moment = connect(settings.redis_url), milliseconds_of(raw)
    if ahead < 0:
        raw.delete(keys.dedup)
    args = [new_id(), b"body", "lane", 120_000, moment + ahead]
    assert connection.run("enqueue", keys.of_enqueue("lane"), args)[0] == b"late"


def test_a_clock_that_was_set_back_holds_up_no_job(settings, raw, keys):
    """What was forgotten by a clock ahead counts as forgotten, and new jobs are put in at once."""
    raw.zadd(keys.dedup, {"since:": milliseconds_of(raw) + HOUR})
    job_id, entry = enqueue(settings)
    assert raw.xrange(keys.lane("lane"))[0][0] == entry
    args = [new_id(), b"body", "lane", 120_000, raw.zscore(keys.dedup, "since:") - 1]
    found = connect(settings.redis_url).run("enqueue", keys.of_enqueue("lane"), args)
    assert found[0] == b"late"
    assert raw.zscore(keys.dedup, job_id) is not None


def unconfirmed(settings, job_id, first):
    """Take a job back whose enqueue may have been tried since a time."""
    return Producer(settings).withdraw(Wait(job_id, "lane", None, first=first))


def test_the_withdrawal_of_what_may_be_forgotten(settings, raw, forget):
    """It is called withdrawn only where Redis would know of it."""
    enqueue(settings)
    moment = milliseconds_of(raw)
    assert unconfirmed(settings, new_id(), moment) == "withdrawn"
    assert unconfirmed(settings, new_id(), moment + HOUR) == "lost"
    forget()
    assert unconfirmed(settings, new_id(), moment) == "lost"


def test_a_withdrawal_once_more_after_its_call_has_ended(settings, server, raw):
    """What was said to have started is not called withdrawn, whether its enqueue was confirmed."""
    job_id, _ = enqueue(settings)
    head = server.head("lane")
    acquire(server, head, "w")
    assert withdraw(settings, job_id, "") == "started"
    answer(server, head, b"reply")
    assert withdraw(settings, job_id, "") == "lost"


def test_a_withdrawal_that_is_forgotten_lets_no_late_try_in(settings, raw, keys, forget):
    """A job that was withdrawn before it came stays out, however late it comes."""
    enqueue(settings, "first")
    job_id, moment = new_id(), milliseconds_of(raw)
    assert unconfirmed(settings, job_id, moment) == "withdrawn"
    args = [job_id, b"body", "lane", 120_000, moment]
    connection, places = connect(settings.redis_url), keys.of_enqueue("lane")
    assert connection.run("enqueue", places, args)[0] == b"0-1"
    forget()
    assert connection.run("enqueue", places, args)[0] == b"late"
