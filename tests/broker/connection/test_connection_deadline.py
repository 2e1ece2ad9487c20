"""A caller's deadline ends every wait for Redis, and what could not be withdrawn is told."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from broker_helpers import connection_of
from hand_clock import HandClock
from one_job import answer
from processes import start_python
from waiting import PATIENCE, eventually, waiting_callers
from wire import AFTER, BEFORE, Wire

from queued_gspread._clock import now
from queued_gspread.broker import Consumer, Producer
from queued_gspread.broker.connection.client import REPLY_EXPIRY, SLICE
from queued_gspread.broker.core import CallCore
from queued_gspread.broker.keys import Keys
from queued_gspread.errors import (
    BrokerUnavailableError,
    CallTimeoutError,
    JobLostError,
    QueuedGspreadError,
)
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

TIMEOUT = 0.5
# Of many calls at once, each over a connection of its own, that have to get far all the same.
OF_MANY = 2.5
# Less than any of the time-outs of sockets and servers alone, so that none of them can pass unseen.
AMPLE = 4.0
LARGE = 32 * 1024**2
# More commands than a call sends.
MANY = 24


@pytest.fixture
def settings(own_redis, namespace):
    return Settings(redis_url=own_redis.url, namespace=namespace, timeout=TIMEOUT, grace=60.0)


@contextmanager
def stopped(server):
    """Stop a Redis, as a machine does that swaps or is suspended."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def in_time(callers, body=b"job", timeout=TIMEOUT):
    """Make a call that fails; return its error, which came about when its timeout had passed."""
    began = time.monotonic()
    with pytest.raises(QueuedGspreadError) as caught:
        callers.call(new_id(), "lane", body)
    assert time.monotonic() - began < timeout + AMPLE
    return caught.value


def is_waiting(raw, namespace):
    """Tell whether a caller's job is in its lane and the caller waits for the reply."""
    is_there = raw.exists(Keys(namespace).lane("lane"))
    return is_there and waiting_callers(raw)


def test_a_redis_that_has_stalled_before_the_call(own_redis, settings):
    """Where there is no connection yet, the call fails in time, and was certainly not put in."""
    callers = Producer(settings)
    with stopped(own_redis):
        error = in_time(callers)
    assert isinstance(error, BrokerUnavailableError)
    assert not error.may_have_run


@pytest.mark.parametrize("body", [b"job", bytes(LARGE)], ids=["small", "large"])
def test_a_redis_that_has_stalled_since_it_was_used(own_redis, settings, body):
    """Over a connection that stands, the call fails in time and says that it may still be made."""
    callers = Producer(settings)
    callers.alive()
    with stopped(own_redis):
        error = in_time(callers, body)
    assert isinstance(error, BrokerUnavailableError)
    assert error.may_have_run
    assert "may still be made" in str(error)


def test_a_redis_that_stalls_while_a_caller_waits(own_redis, settings, redis_of, background):
    """A caller that waits is told in time, and that its call may still be made."""
    raw = redis_of(own_redis)
    waiting = background(in_time, Producer(settings))
    eventually(lambda: is_waiting(raw, settings.namespace))
    with stopped(own_redis):
        error = waiting.result(PATIENCE)
    assert isinstance(error, CallTimeoutError)
    assert error.may_have_run
    assert "may still be made" in str(error)


def test_a_redis_that_stalls_at_the_withdrawal(own_redis, settings, monkeypatch):
    """A withdrawal that gets no answer ends in time as well, and the error says so."""
    withdraw = CallCore.withdraw

    def at_the_last(self, wait):
        os.kill(own_redis.pid, signal.SIGSTOP)
        return (yield from withdraw(self, wait))

    monkeypatch.setattr(CallCore, "withdraw", at_the_last)
    with stopped(own_redis):
        os.kill(own_redis.pid, signal.SIGCONT)
        error = in_time(Producer(settings))
    assert isinstance(error, CallTimeoutError)
    assert error.may_have_run


def test_a_call_that_was_withdrawn_is_told_as_such(settings):
    """Where the withdrawal went well, the error says that the call will not be made."""
    error = in_time(Producer(settings))
    assert isinstance(error, CallTimeoutError)
    assert not error.may_have_run
    assert "will not be made" in str(error)


@pytest.mark.parametrize("when", [BEFORE, AFTER])
def test_a_connection_that_stalls_at_any_command(own_redis, namespace, redis_of, background, when):
    """At whatever command a connection stalls, the call ends in time and says what became of it."""
    raw = redis_of(own_redis)

    def stalled_at(number):
        with Wire(own_redis.url) as wire:
            own = Settings(wire.url, f"{namespace}-{number}", timeout=OF_MANY, grace=60.0)
            wire.stall(number, when)
            return own, in_time(Producer(own), timeout=OF_MANY), list(wire.hits)

    ended = [background(stalled_at, number) for number in range(MANY)]
    for own, error, _ in (one.result(PATIENCE) for one in ended):
        assert error.may_have_run or not raw.exists(Keys(own.namespace).lane("lane"))
    hits = [hits for one in ended for hits in one.result()[2]]
    assert {"CLIENT", "EVALSHA", "XREAD"} <= set(hits)
    assert len(hits) < MANY


def test_what_comes_late_reaches_nobody_else(own_redis, settings, redis_of, background):
    """After a wait that was cut short the next call gets its own answer, by a whole time-out."""
    callers, raw = Producer(settings), redis_of(own_redis)
    waiting = background(in_time, callers)
    eventually(lambda: is_waiting(raw, settings.namespace))
    with stopped(own_redis):
        waiting.result(PATIENCE)
    patient = Settings(own_redis.url, settings.namespace, grace=60.0)
    server = Consumer(patient, "aaaa", "server a")
    server.beat(60)
    reply = background(Producer(patient).call, "mine", "other", b"job")
    answer(server, eventually(lambda: server.head("other")), b"reply")
    assert reply.result(PATIENCE) == b"reply"
    idle = connection_of(callers).wire.idle
    assert idle
    assert all(line.connection._sock.gettimeout() > SLICE for line in idle)


@pytest.fixture
def silent():
    """Return what makes the address of something that takes connections and never says a word."""
    with suppress(OSError):
        listeners = []

        def make():
            listeners.append(socket.create_server(("127.0.0.1", 0)))
            return f"127.0.0.1:{listeners[-1].getsockname()[1]}"

        yield make
        for listener in listeners:
            listener.close()


@pytest.mark.parametrize(
    "url",
    ["redis://{}", "rediss://{}", "redis+sentinel://{},{}/service", "redis+cluster://{},{}"],
)
def test_nobody_who_is_silent_is_waited_for(url, silent, namespace):
    """A Redis, its TLS, its Sentinels or its Cluster that say nothing are waited for in time."""
    filled = url.replace("{}", silent(), 1).replace("{}", silent())
    error = in_time(Producer(Settings(filled, namespace, timeout=TIMEOUT)))
    assert isinstance(error, BrokerUnavailableError)
    assert not error.may_have_run


def test_a_name_that_takes_long_to_look_up(namespace, monkeypatch):
    """The system's look-up of a host's name, which has no time-out, is waited for in time."""
    is_over, has_ended = threading.Event(), threading.Event()

    def look_up(*_):
        is_over.wait(PATIENCE)
        has_ended.set()
        raise OSError("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    error = in_time(Producer(Settings("redis://redis.internal", namespace, timeout=TIMEOUT)))
    is_over.set()
    assert isinstance(error, BrokerUnavailableError)
    assert not error.may_have_run
    assert has_ended.wait(PATIENCE)


def test_an_answer_that_trickles(namespace):
    """An answer of which a byte comes now and then is not waited for beyond the deadline."""
    is_over = threading.Event()

    def trickle():
        made, _ = listener.accept()
        with made, suppress(OSError):
            while b"EVALSHA" not in made.recv(2**16):
                made.sendall(b"+OK\r\n")
            made.sendall(b"$1000000\r\n")
            while not is_over.wait(0.02):
                made.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle)
        thread.start()
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        callers = Producer(Settings(url, namespace, timeout=TIMEOUT))
        held = connection_of(callers)
        held.clock.saw(1)  # so that its job is the first that it sends
        error = in_time(callers)
        is_over.set()
        thread.join()
    assert isinstance(error, BrokerUnavailableError)
    assert error.may_have_run


CALLER = """
import signal, sys
from queued_gspread.broker import Producer, producer
from queued_gspread.settings import Settings

class Telling(Producer):
    def _take_back(self, *args):
        print("withdrawing", flush=True)
        return super()._take_back(*args)

# Whoever runs these tests in the background may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
producer._INTERRUPTED = float(sys.stdin.readline())
Telling(Settings(sys.stdin.readline().strip(), "queue", grace=60.0)).call("id", "lane", b"job")
"""
BEING_WITHDRAWN = (
    "queued_gspread: the call is being withdrawn, which may fail, so it may still be made\n"
)
LANE = Keys("queue").lane("lane")


@pytest.fixture
def interrupted(own_redis, redis_of, request):
    """Return a process whose call was interrupted while its Redis has stalled."""
    raw = redis_of(own_redis)
    process = start_python(CALLER)
    process.stdin.write(f"{request.param}\n{own_redis.url}\n")
    process.stdin.flush()
    eventually(lambda: is_waiting(raw, "queue"))
    with stopped(own_redis):
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "withdrawing\n"
        yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("interrupted", [PATIENCE], indirect=True)
def test_a_second_interrupt_does_not_end_the_withdrawal(interrupted, own_redis, redis_of):
    """After two Ctrl-C the call is withdrawn once Redis answers, and the error says what may be."""
    interrupted.send_signal(signal.SIGINT)
    # The interpreter writes the error, and then waits for the withdrawal.
    *_, told = iter(interrupted.stderr.readline, BEING_WITHDRAWN)
    os.kill(own_redis.pid, signal.SIGCONT)
    interrupted.communicate(timeout=PATIENCE)
    assert told == "KeyboardInterrupt\n"
    assert not redis_of(own_redis).exists(LANE)


@pytest.mark.parametrize("interrupted", [0.5], indirect=True)
def test_an_interrupt_while_redis_stalls(interrupted, own_redis, redis_of):
    """After one Ctrl-C the withdrawal is tried for some seconds; the error says how it went."""
    _, told = interrupted.communicate(timeout=PATIENCE)
    assert "KeyboardInterrupt" in told
    assert "Redis cannot be reached, so the call may still be made" in told


@pytest.fixture
def asleep(own_redis, namespace, monkeypatch, background, short_slices):
    """Return what has a caller with a timeout sleep for so long, while its job goes; its error."""
    # It stands still otherwise: the error names the seconds.
    clock, is_asleep, is_awake = HandClock(now()), threading.Event(), threading.Event()
    monkeypatch.setattr(time, "clock_gettime", lambda which: clock.now)

    look = CallCore._look

    def sleeping_look(*args):
        is_asleep.set()
        is_awake.wait(PATIENCE)
        return (yield from look(*args))

    monkeypatch.setattr(CallCore, "_look", sleeping_look)

    def sleep(seconds, timeout, raw):
        settings = Settings(own_redis.url, namespace, timeout=timeout, grace=60.0)
        error = background(in_time, Producer(settings))
        assert is_asleep.wait(PATIENCE)
        raw.flushall()
        clock.now += seconds
        is_awake.set()
        return error.result(PATIENCE)

    return sleep


@pytest.mark.parametrize(
    ("seconds", "timeout", "kind", "told"),
    [
        (REPLY_EXPIRY + 1, None, JobLostError, "did not run for 301 s"),
        (REPLY_EXPIRY + 1, 60.0, CallTimeoutError, "did not run for 301 s"),
        (REPLY_EXPIRY - 10, None, JobLostError, "emptied"),
        (REPLY_EXPIRY + 1, 900.0, JobLostError, "emptied"),
    ],
)
def test_a_caller_that_slept_too_long(asleep, own_redis, redis_of, seconds, timeout, kind, told):
    """One that slept until its answer had expired is told so, and not that Redis was emptied."""
    error = asleep(seconds, timeout, redis_of(own_redis))
    assert type(error) is kind
    assert told in str(error)
    assert "may have been made" in str(error)
