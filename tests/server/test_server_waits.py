"""Calls that wait to be retried: for whom they wait, and what ends the waiting."""

from __future__ import annotations

import sys
import threading
import time
from functools import partial

import pytest
import requests
from calls import WORKSHEET, insert_rows, read, send, write
from gate import cell_of, google_error
from gspread.exceptions import APIError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError
from waiting import PATIENCE, eventually, threads

from queued_gspread.broker import Consumer, Producer
from queued_gspread.broker.connection.client import Connection
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.errors import BrokerUnavailableError, CallTimeoutError, OutcomeUnknownError
from queued_gspread.protocol.messages import Job, Reply, new_id
from queued_gspread.server.calls.recovery import Recovery
from queued_gspread.server.pacing.ticket_queue import Ticket, TicketQueue
from queued_gspread.settings import Settings

# The shortest pause is half of a sixtieth of it.
QUICK = {"quota_window": 0.3}
# No pause ends before the test does.
ENDLESS = {"quota_window": 36_000.0}
APPEND = f"{cell_of('lane')}:append"


def append_job(timeout=None):
    """Return a job that appends a row."""
    given = {"json": {"values": [["x"]]}}
    job = Job("http_client", "request", args=("post", APPEND), kwargs=given, timeout=timeout)
    return job.encode()


def job(method, timeout=None):
    given = {"json": {"values": [["x"]]}} if method == "put" else {}
    args = (method, cell_of("lane"))
    return Job("http_client", "request", args=args, kwargs=given, timeout=timeout).encode()


@pytest.fixture
def queue(redis_url, namespace):
    """Return the callers' side of the queue, for callers that do not wait."""
    return Producer(Settings(redis_url=redis_url, namespace=namespace))


def put(queue, body, lane="lane"):
    """Put a job in and do not wait for it; return what stands for its caller."""
    wait = Wait(new_id(), lane, None)
    wait.stream_id = queue.enqueue(wait, body)
    return wait


@pytest.fixture
def marks(raw, keys):
    """Return what tells the marks of the calls under way."""
    return lambda: list(raw.hgetall(keys.progress).values())


@pytest.fixture
def until_sent_again(caplog):
    """Return what waits until so many requests are to be retried."""
    caplog.set_level("DEBUG", "queued_gspread")
    return lambda count=1: eventually(lambda: caplog.text.count("retried in") >= count)


# Marks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure", [lambda: google_error(429), lambda: google_error(401), ConnectionRefusedError]
)
def test_a_write_that_was_not_applied_is_marked_as_unwritten(
    failure, serve, queue, gate, marks, until_sent_again
):
    """While a first write waits that was certainly not applied, its call has only read."""
    serve(**QUICK)
    put(queue, append_job())
    for number in range(1, 4):
        arrival = gate.next()
        assert marks() == ["j"]
        arrival.fail(failure())
        until_sent_again(number)
    gate.next().answer({})
    eventually(lambda: not marks())


def test_the_mark_of_a_first_write_while_it_waits(serve, queue, gate, marks, until_sent_again):
    """While it waits, a refused append is 'r' in Redis, and a PUT that was cut off is 'w'."""
    serve(shutdown_timeout=0, **ENDLESS)
    put(queue, append_job())
    gate.next().fail(ConnectionRefusedError())
    until_sent_again()
    assert marks() == ["r"]
    put(queue, job("put"), "other")
    gate.next().fail(requests.ReadTimeout())
    until_sent_again(2)
    assert sorted(marks()) == ["r", "w"]


def test_a_call_that_has_written_stays_marked(serve, queue, gate, marks, until_sent_again):
    """While a call's second write waits that was not applied, the first has been."""
    serve(shutdown_timeout=0, **ENDLESS)
    put(queue, insert_rows())
    gate.next().answer({})
    gate.next().fail(ConnectionRefusedError())
    until_sent_again()
    assert marks() == ["j"]


def test_a_write_that_was_cut_off_stays_marked_when_it_is_refused(
    serve, queue, gate, marks, until_sent_again
):
    """A PUT that may have been applied counts as written, though its retry was not applied."""
    serve(shutdown_timeout=0, quota_window=3.0)
    put(queue, job("put"))
    gate.next().fail(requests.ReadTimeout())
    gate.next().fail(google_error(429, retry_after=3600))
    until_sent_again(2)
    assert marks() == ["w"]


# Deadlines --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "put"])
def test_a_deadline_ends_the_waiting(method, serve, callers, client, gate, background):
    """At its deadline a call that waits ends with the last error, and its lane goes on."""
    serve(**ENDLESS)
    reply = background(send, callers, job(method, timeout=1.0))
    gate.next().fail(google_error(503))
    error = reply.result(PATIENCE).error
    assert type(error) is APIError
    assert error.response.status_code == 503
    reading = background(read, client)
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}
    assert len(gate.seen) == 2


def test_a_deadline_ends_the_waiting_of_a_refused_append(
    serve, callers, client, gate, background, marks
):
    """At its deadline a refused append ends with the refusal: it was not applied."""
    serve()
    reply = background(send, callers, append_job(timeout=1.0))
    gate.next().fail(google_error(429, retry_after=3600))
    error = reply.result(PATIENCE).error
    assert type(error) is APIError
    assert error.response.status_code == 429
    assert not marks()
    # Writes pause, and reads of the lane do not.
    reading = background(read, client)
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}


def test_a_deadline_ends_the_waiting_of_a_call_that_has_written(serve, callers, gate, background):
    """At its deadline a call whose second write was refused ends with that refusal."""
    serve(**ENDLESS)
    body = Job("worksheet", "insert_rows", WORKSHEET, ([["a"], ["b"]],), timeout=1.0).encode()
    reply = background(send, callers, body)
    gate.next().answer({})
    gate.next().fail(ConnectionRefusedError("second"))
    error = reply.result(PATIENCE).error
    assert type(error) is ConnectionRefusedError
    assert len(gate.seen) == 2


def test_a_caller_that_gives_up_while_its_write_waits(
    serve, queue, client, gate, background, marks, raw, keys
):
    """A refused append whose caller has given up is never retried, and the lane goes on."""
    serve(quota_window=30.0)
    waiting = put(queue, append_job())
    gate.next().fail(ConnectionRefusedError())
    eventually(lambda: marks() == ["r"])
    assert queue.withdraw(waiting) == "ended"
    reading = background(read, client)
    arrival = gate.next()
    assert arrival.method == "get"
    arrival.answer({})
    assert reading.result(PATIENCE) == {}
    eventually(lambda: not raw.exists(keys.progress))
    assert not raw.exists(keys.reply(waiting.job_id))
    assert [arrival.method for arrival in gate.seen] == ["post", "get"]


def test_a_caller_that_gives_up_while_its_refused_write_is_in_the_air(
    serve, queue, client, gate, background, marks
):
    """A write whose caller gave up while it was in the air is not retried after a refusal."""
    serve(**QUICK)
    waiting = put(queue, append_job())
    arrival = gate.next()
    assert queue.withdraw(waiting) == "started"
    arrival.fail(google_error(429))
    reading = background(read, client)
    assert gate.next().method == "get"
    gate.open()
    assert reading.result(PATIENCE) == {}
    assert not marks()


# Stops ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [append_job(), job("get")])
def test_a_stop_leaves_what_has_not_written(
    body, serve, queue, gate, marks, until_sent_again, raw, keys
):
    """A first request that waits is left when its server stops; the next sends it, once."""
    server = serve(**ENDLESS)
    waiting = put(queue, body)
    first = gate.next()
    first.fail(ConnectionRefusedError())
    until_sent_again()
    server.stop()
    assert not server.has_calls_left
    assert marks() == ["r"]
    assert gate.is_idle
    serve()
    second = gate.next()
    assert (second.endpoint, second.given) == (first.endpoint, first.given)
    second.answer({})
    eventually(lambda: raw.exists(keys.reply(waiting.job_id)))
    assert len(gate.seen) == 2
    assert not marks()


def test_a_stop_while_a_refused_write_is_in_the_air(serve, queue, gate, background, marks):
    """A first write whose refusal comes when its server stops is left, and not retried there."""
    server = serve(**QUICK)
    put(queue, append_job())
    arrival = gate.next()
    stop = background(server.stop)
    # From here on nothing is retried.
    eventually(lambda: not threads("valve"))
    arrival.fail(ConnectionRefusedError())
    stop.result(PATIENCE)
    assert marks() == ["r"]
    assert gate.is_idle
    serve()
    gate.next().answer({})
    eventually(lambda: not marks())
    assert len(gate.seen) == 2


@pytest.mark.parametrize("failure", [lambda: google_error(429), ConnectionRefusedError])
def test_a_stop_leaves_a_call_that_has_written(
    failure, serve, callers, client, gate, background, until_sent_again, marks, raw, keys
):
    """A second write that waits is left at once, and the next server goes on with it."""
    server = serve(shutdown_timeout=PATIENCE, **ENDLESS)
    reply = background(send, callers, insert_rows())
    gate.next().answer({})
    second = gate.next()
    second.fail(failure())
    until_sent_again()
    server.stop()
    assert not server.has_calls_left
    assert marks() == ["j"]
    raw.delete(keys.throttle, keys.slots("write"))
    serve(**QUICK)
    again = gate.next()
    assert (again.method, again.endpoint, again.given) == (
        second.method,
        second.endpoint,
        second.given,
    )
    again.answer({"done": True})
    assert reply.result(PATIENCE).result == {"done": True}
    reading = background(read, client)
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}
    assert len(gate.seen) == 4


# Leases -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "mark"), [(append_job(), "r"), (job("get"), "r")])
def test_a_server_without_a_lease_retries_nothing(
    body, mark, serve, queue, gate, until_sent_again, usurp, raw, keys
):
    """What waits when the lease is lost is not sent by that server, and the next one makes it."""
    serve(**ENDLESS)
    waiting = put(queue, body)
    gate.next().fail(ConnectionRefusedError())
    until_sent_again()
    usurper = usurp()
    eventually(lambda: not threads("valve"))
    assert gate.is_idle
    assert usurper.head("lane").mark == mark
    usurper.release()
    gate.next().answer({})
    eventually(lambda: raw.exists(keys.reply(waiting.job_id)))
    assert len(gate.seen) == 2


def test_a_server_without_a_lease_retries_no_second_write(
    serve, callers, gate, background, until_sent_again, usurp
):
    """A second write that waits when the lease is lost is sent by whoever has the next one."""
    serve(**ENDLESS)
    reply = background(send, callers, insert_rows())
    gate.next().answer({})
    gate.next().fail(ConnectionRefusedError())
    until_sent_again()
    usurper = usurp()
    eventually(lambda: not threads("valve"))
    assert gate.is_idle
    assert usurper.head("lane").mark == "j"
    usurper.release()
    gate.next().answer({"done": True})
    assert reply.result(PATIENCE).result == {"done": True}
    assert len(gate.seen) == 3


def test_a_failure_after_the_lease_was_lost_is_not_retried(serve, queue, gate, usurp, raw, keys):
    """A request that fails when its server's lease was lost is not retried by that server."""
    serve(**QUICK)
    put(queue, job("get"))
    arrival = gate.next()
    usurper = usurp()
    eventually(lambda: not threads("valve"))
    arrival.fail(google_error(503))
    eventually(lambda: not threads("lane_"))
    assert gate.is_idle
    assert usurper.head("lane").mark == "r"


# Late writes ------------------------------------------------------------------------------------

GUARD = 0.3


def test_a_retry_does_not_come_before_the_guard(serve, queue, gate):
    """A PUT without a response is retried once a late one would have landed."""
    serve(late_write_guard=GUARD, **QUICK)
    put(queue, job("put"))
    arrival = gate.next()
    failed = time.monotonic()
    arrival.fail(requests.ReadTimeout())
    gate.next().answer({})
    assert time.monotonic() - failed >= GUARD


def test_a_lane_waits_for_a_write_that_may_land(serve, queue, callers, gate, background):
    """After an append without a response its caller knows at once, and the lane waits."""
    serve(late_write_guard=GUARD, **QUICK)
    reply = background(send, callers, append_job())
    arrival = gate.next()
    put(queue, job("get"))
    failed = time.monotonic()
    arrival.fail(requests.ReadTimeout())
    assert type(reply.result(PATIENCE).error) is OutcomeUnknownError
    gate.next().answer({})
    assert time.monotonic() - failed >= GUARD


def test_other_lanes_do_not_wait_for_a_write_that_may_land(
    serve, queue, callers, client, gate, background
):
    """While one lane is left alone, its caller knows already, and other lanes go on."""
    serve(late_write_guard=3600, **QUICK)
    reply = background(send, callers, append_job())
    arrival = gate.next()
    put(queue, job("get"))
    arrival.fail(requests.ReadTimeout())
    assert type(reply.result(PATIENCE).error) is OutcomeUnknownError
    for _ in range(3):
        reading = background(read, client, "other")
        arrival = gate.next()
        assert arrival.lane == "other"
        arrival.answer({})
        assert reading.result(PATIENCE) == {}
    assert gate.is_idle


@pytest.mark.parametrize("body", [append_job(), job("put")])
def test_a_write_that_was_answered_closes_no_lane(
    body, serve, callers, client, gate, background, until_sent_again
):
    """An answer, of whatever status, says that the write is not on its way any more."""
    serve(late_write_guard=3600, retry_for=0)
    reply = background(send, callers, body)
    gate.next().fail(google_error(503))
    assert isinstance(reply.result(PATIENCE).error, APIError)
    reading = background(read, client)
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}


@pytest.mark.parametrize("failure", [ConnectionRefusedError, lambda: google_error(429)])
def test_a_write_that_was_not_applied_closes_no_lane(failure, serve, queue, gate):
    """A write that certainly was not applied does not wait for the guard."""
    serve(late_write_guard=3600, **QUICK)
    put(queue, append_job())
    gate.next().fail(failure())
    gate.next().answer({})


def test_a_read_closes_no_lane(serve, client, gate, background):
    """A read without a response is retried without a guard."""
    serve(late_write_guard=3600, **QUICK)
    reading = background(read, client)
    gate.next().fail(requests.ReadTimeout())
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}


def test_the_next_server_guards_what_was_in_the_air(
    serve, callers, queue, gate, background, until_sent_again, marks
):
    """A server that finds a call which may have written leaves its lane alone before it goes on."""
    server = serve(shutdown_timeout=0, **ENDLESS)
    reply = background(send, callers, insert_rows())
    gate.next().answer({})
    gate.next().fail(ConnectionRefusedError())
    until_sent_again()
    server.stop()
    put(queue, job("get"))
    assert marks() == ["j"]
    began = time.monotonic()
    serve(late_write_guard=GUARD)
    arrival = gate.next()
    assert time.monotonic() - began >= GUARD
    assert arrival.method == "post"
    arrival.answer({"done": True})
    assert reply.result(PATIENCE).result == {"done": True}
    gate.next().answer({})


def test_guards_of_many_lanes_at_once():
    """However many lanes are closed at the same moment, each stays closed."""
    recovery = Recovery(Consumer(Settings()), 3600.0)
    lanes = [[f"{worker}-{number}" for number in range(200)] for worker in range(8)]
    interval = sys.getswitchinterval()
    failed = []

    def close(names):
        try:
            for name in names:
                recovery.guard(name)
        except RuntimeError as error:
            failed.append(error)

    threads = [threading.Thread(target=close, args=(names,)) for names in lanes]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not failed
    assert set(recovery._guarded) == {name for names in lanes for name in names}


# Refusals and waiting in line -------------------------------------------------------------------


def ticket(number, **options):
    return Ticket("write", number, **options)


def test_a_ticket_that_comes_again_with_the_same_end():
    """A request that has waited comes again, by its number and until the same moment."""
    line = TicketQueue()
    line.add(ticket(1, until=5.0))
    assert line.take(0.0)
    line.add(ticket(1, until=5.0, not_before=1.0))
    assert line.take(0.5) is None
    assert line.take(1.0).number == 1


def test_a_ticket_that_comes_again_can_be_removed():
    """Of a request that has waited and comes again, the ticket that waits is removed."""
    line = TicketQueue()
    line.add(ticket(1, until=9.0))
    assert line.take(0.0)
    again = ticket(1, until=5.0, not_before=1.0)
    line.add(again)
    assert line.remove(lambda _: True) == [again]
    assert len(line) == 0


def test_calls_with_deadlines_that_wait_twice(serve, callers, queue, gate, background):
    """A call with a deadline waits for a slot, is refused, waits again, and others go on."""
    serve(reads_per_minute=1, writes_per_minute=1, quota_window=0.5)
    put(queue, job("get"), "one")
    reading = gate.next()
    earlier = background(send, callers, job("get", timeout=30.0), "two")
    put(queue, job("put"), "three")
    gate.next().answer({})
    later = background(send, callers, job("put", timeout=60.0), "four")
    gate.next().fail(google_error(429))
    gate.next().answer({"write": True})
    assert later.result(PATIENCE).result.json() == {"write": True}
    reading.answer({})
    eventually(lambda: not gate.is_idle or not threads("valve"))
    assert threads("valve")
    gate.next().answer({"read": True})
    assert earlier.result(PATIENCE).result.json() == {"read": True}
    put(queue, job("put"), "five")
    assert gate.next().method == "put"


def test_refused_writes_of_two_lanes_are_sent_one_after_the_other(serve, queue, gate, raw, keys):
    """After refusals one write goes first, and the others follow once it was let in."""
    serve(writes_per_minute=10, **QUICK)
    for lane in ("one", "two"):
        put(queue, append_job(), lane)
    flying = [gate.next(), gate.next()]
    for arrival in flying:
        arrival.fail(google_error(429))
    trial = gate.next()
    assert gate.is_idle
    assert raw.hget(keys.throttle, "streak:write") == "1"
    trial.answer({})
    gate.next().answer({})
    eventually(lambda: raw.hget(keys.throttle, "streak:write") is None)
    assert len(gate.seen) == 4


def test_a_refusal_of_writes_holds_up_no_read(serve, queue, client, gate, background):
    """While writes pause after a refusal, reads of other lanes pass."""
    serve()
    put(queue, append_job())
    gate.next().fail(google_error(429, retry_after=3600))
    for _ in range(3):
        reading = background(read, client, "other")
        arrival = gate.next()
        assert arrival.method == "get"
        arrival.answer({})
        assert reading.result(PATIENCE) == {}


def test_a_refusal_of_writes_holds_up_all_writes(serve, queue, gate, raw, keys, until_sent_again):
    """While writes pause after a refusal, no other lane's write is sent; its turn comes."""
    serve(**ENDLESS)
    put(queue, append_job())
    gate.next().fail(google_error(429, retry_after=3600))
    until_sent_again()
    put(queue, job("put"), "other")
    put(queue, job("get"), "third")
    arrival = gate.next()
    assert arrival.method == "get"
    arrival.answer({})
    assert gate.is_idle
    assert raw.xlen(keys.lane("other")) == 1


def test_a_retry_after_is_waited_for(serve, queue, gate):
    """A failed read whose answer says for how long to wait is not sent before."""
    serve(**QUICK)
    put(queue, job("get"))
    arrival = gate.next()
    failed = time.monotonic()
    arrival.fail(google_error(503, retry_after=1))
    gate.next().answer({})
    assert time.monotonic() - failed >= 1


def test_a_lane_with_a_request_that_waits_holds_up_no_other(serve, queue, client, gate, background):
    """While a lane's call waits to be retried, reads and writes of other lanes pass."""
    serve(**ENDLESS)
    put(queue, job("get"))
    gate.next().fail(google_error(503))
    for call in (read, write):
        calling = background(call, client, "other")
        arrival = gate.next()
        assert arrival.lane == "other"
        arrival.answer({})
        assert calling.result(PATIENCE) == {}


def test_a_reply_of_a_retried_call_is_that_of_the_last_answer(serve, queue, gate, raw, keys):
    """The reply in Redis is made of the answer that came last, and is one."""
    serve(**QUICK)
    waiting = put(queue, job("get"))
    gate.next().fail(google_error(503))
    gate.next().fail(requests.ReadTimeout())
    gate.next().answer({"last": True})
    eventually(lambda: raw.exists(keys.reply(waiting.job_id)))
    (found,) = raw.xrange(keys.reply(waiting.job_id))
    reply = Reply.decode(found[1]["body"].encode(), None)
    assert reply.result.json() == {"last": True}


# A Redis that fails in between ------------------------------------------------------------------


@pytest.fixture
def breaking(monkeypatch):
    """Return what has scripts of a name fail: it is given the name, and what decides."""

    def breaks(script, decide):
        real = Connection.run

        def run(self, name, keys, args, **options):
            made = partial(real, self, name, keys, args, **options)
            return decide(made, keys) if name == script else made()

        monkeypatch.setattr(Connection, "run", run)

    return breaks


@pytest.mark.parametrize("script", ["answer", "release_slot"])
@pytest.mark.usefixtures("short_slices")
def test_a_slot_that_redis_would_not_take_back(
    serve, authorize, gate, background, breaking, script
):
    """A release that Redis refuses, with an answer or alone, is made later: no slot is lost."""
    serve(reads_per_minute=1, quota_window=0.2)
    refused = []

    def refuse_once(run, keys):
        if not refused:
            refused.append(keys)
            raise BrokerUnavailableError("NOPERM") from NoPermissionError("NOPERM")
        return run()

    breaking(script, refuse_once)
    client = authorize(timeout=PATIENCE)
    first = background(read, client, "one")
    # Of a request that is retried, the slot is released before that.
    gate.next().fail(google_error(503))
    gate.open()
    assert first.result(PATIENCE) == {}
    assert [read(client, lane) for lane in ("two", "three")] == [{}] * 2
    assert refused


def test_a_permit_that_is_lost_holds_up_nobody(serve, authorize, gate, background, breaking):
    """A slot whose permit was lost is free once its call is late, and others are told."""
    serve(reads_per_minute=1, quota_window=0.2)
    lost = threading.Event()
    back = threading.Event()

    def lose(run, keys):
        if keys[1].endswith(":one") and not back.is_set():
            if not lost.is_set():
                run()
                lost.set()
            raise BrokerUnavailableError("away") from RedisConnectionError("away")
        return run()

    breaking("acquire", lose)
    gate.open()
    late = background(read, authorize(timeout=0.5), "one")
    assert lost.wait(PATIENCE)
    other = background(read, authorize(timeout=PATIENCE), "two")
    with pytest.raises(CallTimeoutError):
        late.result(PATIENCE)
    back.set()
    assert other.result(PATIENCE) == {}


def test_what_cannot_be_reached_is_told_once(serve, client, gate, background, caplog):
    """When Google cannot be reached the log says where and what to look at, once."""
    serve(quota_window=0.6)
    readings = [background(read, client, lane) for lane in ("one", "two", "three")]
    for _ in range(6):
        gate.next().fail(ConnectionRefusedError())
    gate.open()
    for reading in readings:
        reading.result(PATIENCE)
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "https://sheets.googleapis.com (connection refused)" in warnings[0]
    assert "--api-endpoint" in warnings[0]


# Replies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeout", "least", "most"),
    [(None, 200, 300), (60, 200, 300), (900, 800, 900), (1e9, 86_000, 86_400)],
)
def test_a_reply_is_kept_for_as_long_as_its_caller_may_wait(
    serve, queue, gate, raw, keys, timeout, least, most
):
    """A reply that nobody fetches goes after five minutes, or its caller's timeout, or a day."""
    serve()
    wait = put(queue, job("get", timeout))
    gate.next().answer({})
    assert least < eventually(lambda: max(0, raw.ttl(keys.reply(wait.job_id)))) <= most


def test_the_answer_to_a_job_that_is_not_read_is_kept_for_the_longest(serve, queue, raw, keys):
    """Where nobody knows how long a caller may wait, its answer is kept for a day."""
    serve()
    wait = put(queue, b"no job")
    assert 86_000 < eventually(lambda: max(0, raw.ttl(keys.reply(wait.job_id)))) <= 86_400
