from __future__ import annotations

import os
import signal

from waiting import PATIENCE

from queued_gspread.embedded import TemporaryRedis
from queued_gspread.embedded.guard import Client, IdleClock
from queued_gspread.embedded.probe import Answer, probe, wait_until
from queued_gspread.embedded.state import is_held

# Long enough for a client to connect in time on a machine that is busy.
SHORT = 0.6


def test_ends_when_nobody_uses_it(place):
    """Redis and its guard end once nobody has been connected for the idle time."""
    place.ensure(idle=SHORT)
    assert place.has_ended()
    assert probe(place.files.socket) is Answer.NOTHING
    assert "bye bye" in place.files.log.read_text()


def test_stays_while_it_is_used(place):
    """Redis goes on for as long as a client is connected, and ends after that."""
    place.ensure(idle=SHORT)
    with place.client() as client:
        before = client.info("server")["run_id"]
        assert client.blpop("nothing", timeout=SHORT * 2.5) is None
        assert client.info("server")["run_id"] == before
    assert place.has_ended()


def test_starts_again_after_an_idle_end(place):
    """A Redis that ended for want of clients is started again with its data."""
    place.ensure(idle=SHORT)
    with place.client() as client:
        client.set("key", "value")
    assert place.has_ended()
    assert place.ensure() is True
    with place.client() as client:
        assert client.get("key") == "value"


def test_sigterm_to_the_guard_ends_redis_in_good_order(place):
    """SIGTERM to the guard makes Redis complete its file and end, though clients are there."""
    place.ensure()
    with place.client() as client:
        client.set("key", "value")
        os.kill(place.guard_pid(), signal.SIGTERM)
        assert place.has_ended()
    assert "bye bye" in place.files.log.read_text()


def test_the_guard_ends_with_its_redis(place):
    """When Redis is ended by somebody else, its guard ends too."""
    place.ensure()
    with place.client() as client:
        client.shutdown()
    assert place.has_ended()


def test_a_killed_guard_is_replaced(place):
    """A Redis whose guard was killed goes on, and gets a new guard from the next starter."""
    place.ensure()
    before = place.redis_pid()
    os.kill(place.guard_pid(), signal.SIGKILL)
    assert wait_until(lambda: not is_held(place.files.guard), PATIENCE)
    assert place.redis_pid() == before
    assert place.ensure(idle=SHORT) is False
    with place.client() as client:
        assert client.info("server")["process_id"] == before
        assert wait_until(lambda: is_held(place.files.guard), PATIENCE)
    assert place.has_ended()
    assert "bye bye" in place.files.log.read_text()


def test_the_guard_never_touches_another_redis(tmp_path):
    """A Redis in another folder is neither watched nor shut down."""
    with TemporaryRedis(unix_socket=True) as theirs:
        client = Client(tmp_path / "redis.sock")
        assert client.usage() is None
        assert client.shutdown() is False
        client.close()
        assert theirs.pid is not None


def test_the_clock_starts_with_the_first_look():
    """Time before the first look does not count."""
    clock = IdleClock(10)
    assert not clock.expired(0, 5, now=1000)
    assert not clock.expired(0, 5, now=1009)
    assert clock.expired(0, 5, now=1010)


def test_a_client_stops_the_clock():
    """The time counts from the last moment at which a client was seen."""
    clock = IdleClock(10)
    clock.expired(0, 5, now=0)
    assert not clock.expired(1, 6, now=20)
    assert not clock.expired(0, 6, now=29)
    assert clock.expired(0, 6, now=30)


def test_a_short_visit_between_two_looks_counts():
    """A client that came and went unseen starts the time anew."""
    clock = IdleClock(10)
    clock.expired(0, 5, now=0)
    assert not clock.expired(0, 6, now=10)
    assert clock.expired(0, 6, now=20)
