"""Latency, what is in the ledger, and waiting for both."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests
from emulator_traffic import Traffic
from waiting import PATIENCE, eventually

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.api.request import Request


def test_a_request_is_applied_half_way(own, traffic, clock):
    """A request is applied half-way through its latency and answered at its end."""
    own.latency = 10.0
    clock.now = 100.0
    writing = traffic.start(traffic.write)
    assert traffic.rows() == []
    clock.now = 110.0
    assert writing.result(PATIENCE).status_code == 200
    (served,) = own.ledger
    assert (served.arrived, served.counted, served.answered) == (100.0, 100.0, 110.0)
    assert served.applied


@pytest.mark.parametrize(("share", "applied_at"), [(0.0, 0.0), (0.25, 2.5), (1.0, 10.0)])
def test_the_moment_of_application(own, traffic, clock, share, applied_at):
    """The share of its latency after which a request is applied can be chosen."""
    own.latency, own.apply_share = 10.0, share
    writing = traffic.start(traffic.write)
    clock.now = applied_at
    eventually(lambda: traffic.rows() == ["x"])
    if applied_at < 10.0:
        assert own.under_way == 1
    clock.now = 10.0
    writing.result(PATIENCE)
    assert own.ledger[0].applied_at == applied_at


def test_applied_not_before_its_moment(own, traffic, clock):
    """Before its share of the latency has passed, a request is not applied."""
    own.latency, own.apply_share = 10.0, 0.5
    slow = traffic.start(traffic.write)
    clock.now = 4.9
    own.latency = 0.0
    assert traffic.read().json().get("values") is None
    clock.now = 5.0
    eventually(lambda: traffic.read().json().get("values") == [["x"]])
    clock.now = 10.0
    slow.result(PATIENCE)


def test_a_range_of_latencies():
    """Of a range every request gets a latency of its own, and the same for the same seed."""
    found = []
    for _ in range(2):
        emulator = Emulator(seed=4, latency=(5.0, 9.0), apply_share="random")
        handler = emulator._handler
        visits = [handler._arrival(request_to_nothing()) for _ in range(20)]
        found.append([(visit.total, handler._applied(visit)) for visit in visits])
    assert found[0] == found[1]
    assert all(5.0 <= total <= 9.0 and 0 <= applied <= total for total, applied in found[0])
    assert len(set(found[0])) == 20


def request_to_nothing():
    return Request("GET", "/v4/spreadsheets/x", {}, b"")


@pytest.mark.parametrize("seconds", [-1.0, (2.0, 1.0), (-1.0, 1.0), float("inf")])
def test_odd_latencies_are_refused(own, seconds):
    """A latency that is no time is a ValueError, and the old one stays."""
    with pytest.raises(ValueError, match="cannot be used"):
        own.latency = seconds
    assert own.latency == 0.0


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_an_odd_share_is_refused(own, share):
    """A share that is none is a ValueError."""
    with pytest.raises(ValueError, match="cannot be used"):
        own.apply_share = share


def test_overtaking(own, traffic, clock):
    """When the clock jumps, requests are applied and answered in the order of their moments."""
    own.latency = 10.0
    slow = traffic.start(traffic.write)
    own.latency = 2.0
    fast = traffic.start(traffic.list_files)
    clock.now = 60.0
    wait([slow, fast], PATIENCE)
    assert [served.method for served in own.ledger] == ["GET", "POST"]


def test_many_slow_requests_are_applied_one_by_one():
    """Requests with random latencies at once lose no row, and each is in the ledger."""
    with Emulator(seed=1) as emulator:
        traffic = Traffic(emulator)
        emulator.latency, emulator.apply_share = (0.0, 0.05), "random"
        with ThreadPoolExecutor(16) as pool:
            answers = [pool.submit(traffic.write, value=number) for number in range(64)]
        assert {answer.result().status_code for answer in answers} == {200}
        assert sorted(traffic.rows()) == list(range(64))
        traffic.close()
    ledger = emulator.ledger
    assert len(ledger) == 64
    for served in ledger:
        assert served.arrived <= served.counted <= served.applied_at <= served.answered
    by_application = sorted(ledger, key=lambda served: served.applied_at)
    assert [served.body["values"][0][0] for served in by_application] == traffic.rows()


def test_a_stop_does_not_wait(own, traffic):
    """A stop resets what is under way at once: it is in the ledger and was not applied."""
    own.latency = 1e6
    writing = traffic.start(traffic.write)
    own.stop()
    with pytest.raises(requests.ConnectionError):
        writing.result(PATIENCE)
    (served,) = own.ledger
    assert (served.status, served.applied, served.fault) == (0, False, "stopped")
    assert traffic.rows() == []
    assert own.under_way == 0


def test_a_restart_after_a_stop_in_between(own, traffic, clock):
    """After a stop that interrupted a request, a start serves as before."""
    own.latency = 10.0
    writing = traffic.start(traffic.write)
    own.stop()
    assert isinstance(writing.exception(PATIENCE), requests.ConnectionError)
    own.start()
    own.latency = 10.0
    reading = traffic.start(traffic.read)
    clock.now = 10.0
    assert reading.result(PATIENCE).status_code == 200


def test_a_client_that_gives_up(own, traffic, clock):
    """A request whose client has gone is applied all the same."""
    own.latency = 10.0
    with closing(HTTPConnection(urlsplit(own.url).netloc)) as client:
        url = f"{traffic.path}/values/A1:append?valueInputOption=RAW&key=k"
        client.request("POST", url, '{"values": [["x"]]}')
        own.wait_until_under_way()
    clock.now = 10.0
    (served,) = own.wait_for(lambda served: served.method == "POST")
    assert served.applied
    assert traffic.rows() == ["x"]


def test_what_the_ledger_says_of_a_request(own, traffic):
    """The ledger has the kind of quota and whether and when a request was applied."""
    traffic.read()
    traffic.write()
    traffic.list_files()
    traffic.send("GET", "/v4/spreadsheets/x", headers={})
    found = [(served.quota, served.applied, served.counted) for served in own.ledger]
    assert found == [
        ("read", True, 0.0),
        ("write", True, 0.0),
        ("drive", True, 0.0),
        ("", False, None),
    ]
    assert [served.applied_at for served in own.ledger] == [0.0, 0.0, 0.0, None]
    assert {served.fault for served in own.ledger} == {""}


def test_waiting_for_the_ledger(own, traffic):
    """Waiting ends with what fits once there is enough of it, also of what was there before."""
    traffic.read()
    timer = threading.Timer(0.02, traffic.write)
    timer.start()
    found = own.wait_for(lambda served: served.quota in ("read", "write"), count=2)
    assert [served.quota for served in found] == ["read", "write"]
    timer.join()


def test_waiting_in_vain(own, traffic):
    """Waiting for what does not come is a TimeoutError that says how much did."""
    traffic.read()
    with pytest.raises(TimeoutError, match="1 of 2"):
        own.wait_for(lambda served: served.quota == "read", count=2, timeout=0.01)
    with pytest.raises(TimeoutError, match="0 of 1"):
        own.wait_until_under_way(timeout=0.01)
