"""A server that follows another one, or itself, begins without answers, and keeps none at first."""

from __future__ import annotations

from functools import partial

import pytest
from waiting import PATIENCE, eventually

import queued_gspread as gspread

# Seconds: longer than a test takes, and so short that a test can wait for the end.
LONG, SHORT = 600, 0.2


@pytest.fixture
def read(redis_url, namespace):
    """Return what reads a cell for a caller whose answers may be old."""
    client = gspread.authorize(redis_url=redis_url, namespace=namespace, max_age=LONG)
    return partial(client.http_client.values_get, "book", "A1")


@pytest.fixture
def is_asked(read, gate):
    """Return what reads once, and returns whether Google was asked."""
    gate.open()

    def asked():
        before = len(gate.seen)
        read()
        return len(gate.seen) > before

    return asked


def test_the_first_server_remembers_at_once(serve, is_asked):
    """In a new queue nothing can be in the air."""
    serve()
    assert [is_asked() for _ in range(3)] == [True, False, False]


def test_a_successor_asks_as_long_as_an_earlier_request_may_land(serve, is_asked):
    """After a takeover each read is asked for, at least for the time-out of requests."""
    serve().stop()
    serve(request_timeout=LONG)
    assert [is_asked() for _ in range(3)] == [True] * 3


def test_after_that_time_a_successor_remembers(serve, is_asked):
    """It remembers once no request of the earlier server may land any more."""
    serve().stop()
    serve(request_timeout=SHORT, late_write_guard=SHORT)
    eventually(lambda: not is_asked())


def test_the_same_server_in_another_run(serve, is_asked):
    """A server that is started again begins with nothing too."""
    server = serve(request_timeout=LONG)
    assert [is_asked() for _ in range(2)] == [True, False]
    server.stop()
    server.start()
    assert [is_asked() for _ in range(3)] == [True] * 3


def test_a_standby_that_takes_over(serve, is_asked):
    """A standby has no answers of its own from before."""
    first, _ = serve(), serve(request_timeout=LONG)
    assert [is_asked() for _ in range(2)] == [True, False]
    first.stop()
    assert [is_asked() for _ in range(3)] == [True] * 3


def test_a_queue_that_has_lost_its_data(serve, raw, keys, is_asked):
    """A server whose Redis has forgotten it begins anew, as another one may have worked."""
    server = serve(request_timeout=LONG)
    assert [is_asked() for _ in range(2)] == [True, False]
    epoch = server._current.lease.epoch
    raw.delete(keys.server)
    eventually(lambda: server._current.lease.epoch not in ("", epoch))
    assert [is_asked() for _ in range(3)] == [True] * 3


def test_a_server_that_is_not_alone_says_nothing(serve, usurp, read, gate, background):
    """Once another server has the lease, memory gives no answer: the call waits for that one."""
    server = serve()
    gate.open()
    read()
    count = len(gate.seen)
    usurper = usurp()
    reading = background(read)
    eventually(lambda: not server._current.lease.epoch)
    assert not reading.done()
    assert len(gate.seen) == count
    usurper.release()
    reading.result(PATIENCE)
    assert len(gate.seen) == count + 1
