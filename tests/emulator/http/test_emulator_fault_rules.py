"""Which requests meet which faults, without a server."""

import pytest

from queued_gspread.emulator.api.request import Request
from queued_gspread.emulator.faults import (
    ExpiredToken,
    Html,
    Latency,
    OAuthRefusal,
    Reset,
    Status,
)
from queued_gspread.emulator.http.fault_rules import Faults

READ = Request("GET", "/v4/spreadsheets/a%20b/values/A1?x=values", {}, b"")
WRITE = Request("POST", "/v4/spreadsheets/c:batchUpdate", {}, b'{"requests": []}')


def names(faults, *requests, to="api"):
    """Return the names of what requests meet in turn."""
    return [faults.pick(to, request).name for request in requests]


def test_skip_and_count():
    """The first so many are let off, then so many meet the fault, and no more."""
    faults = Faults()
    rule = faults.add(Status(503), skip=2, count=3)
    assert names(faults, *[READ] * 7) == ["", "", "503", "503", "503", "", ""]
    assert rule.hits == 3


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        ({}, ["503", "503"]),
        ({"method": "GET"}, ["503", ""]),
        ({"path": "a b/values"}, ["503", ""]),
        ({"path": ":batchUpdate$"}, ["", "503"]),
        ({"path": "x=values"}, ["", ""]),
        ({"path": "^values"}, ["", ""]),
        ({"match": lambda request: request.json == {"requests": []}}, ["", "503"]),
        ({"method": "POST", "path": "values"}, ["", ""]),
    ],
)
def test_who_is_concerned(wanted, met):
    """Method, path and a function choose the requests; the path is searched, decoded."""
    faults = Faults()
    faults.add(Status(503), **wanted)
    assert names(faults, READ, WRITE) == met


def test_what_is_not_concerned_does_not_count():
    """Requests that a fault does not concern use up neither its skip nor its count."""
    faults = Faults()
    faults.add(Status(503), method="POST", skip=1, count=1)
    assert names(faults, WRITE, READ, READ, WRITE, WRITE) == ["", "", "", "503", ""]


def drawn(seed, rate):
    faults = Faults(seed)
    faults.add(Status(503), rate=rate)
    faults.add(Reset(), rate=0.5)
    return names(faults, *[READ] * 200)


def test_the_same_seed_gives_the_same_faults():
    """The same requests meet the same faults with the same seed, and others with another."""
    assert drawn(1, 0.3) == drawn(1, 0.3)
    assert drawn(1, 0.3) != drawn(2, 0.3)


def test_the_rate_is_a_probability():
    """About as many requests as the rate says meet the fault, none at 0 and all at 1."""
    assert 40 <= drawn(1, 0.3).count("503") <= 80
    assert drawn(1, 0.0).count("503") == 0
    assert drawn(1, 1.0).count("503") == 200


def test_one_end_and_any_latency():
    """A request meets the first of several ends, with all latencies on top."""
    faults = Faults()
    faults.add(Latency(1.0))
    first, second = faults.add(Reset(), count=1), faults.add(Html(502))
    faults.add(Latency(2.0), count=1)
    hit = faults.pick("api", READ)
    assert (hit.name, hit.latency) == ("reset", 3.0)
    hit = faults.pick("api", READ)
    assert (hit.name, hit.latency) == ("html 502", 1.0)
    assert (first.hits, second.hits) == (1, 1)


def test_a_range_of_latency():
    """A latency is drawn from its range, the same with the same seed."""
    found = []
    for _ in range(2):
        faults = Faults(1)
        faults.add(Latency((1.0, 2.0)))
        found.append([faults.pick("api", READ).latency for _ in range(20)])
    assert found[0] == found[1]
    assert all(1.0 <= latency <= 2.0 for latency in found[0])
    assert len(set(found[0])) == 20


def test_remove_and_clear():
    """A fault that was taken back is met no more, and to take it back twice is no error."""
    faults = Faults()
    rule = faults.add(Reset())
    faults.add(Status(500))
    faults.remove(rule)
    faults.remove(rule)
    assert names(faults, READ) == ["500"]
    faults.clear()
    faults.remove(rule)
    assert names(faults, READ) == [""]


def test_equal_faults_are_apart():
    """Of two equal faults the one that is taken back goes."""
    faults = Faults()
    first = faults.add(Reset(), count=1)
    faults.add(Reset(), count=1)
    faults.remove(first)
    assert names(faults, READ, READ) == ["reset", ""]


def test_api_and_token_requests_are_apart():
    """A fault for token requests leaves API requests alone, and the other way round."""
    faults = Faults()
    faults.add(OAuthRefusal(), to="token", count=1)
    assert names(faults, READ) == [""]
    assert names(faults, READ, READ, to="token") == ["invalid_grant", ""]


@pytest.mark.parametrize(
    "name", ["503", "503 after", "html 408", "reset", "reset after", "reset late", "expired"]
)
def test_the_names(name):
    """Each kind of fault has a name of its own."""
    faults = {
        "503": Status(503),
        "503 after": Status(503, applied=True),
        "html 408": Html(408),
        "reset": Reset(),
        "reset after": Reset(applied=True),
        "reset late": Reset(late=1.0),
        "expired": ExpiredToken(),
    }
    assert faults[name].name == name


@pytest.mark.parametrize(
    "wrong",
    [
        {"fault": Reset(), "rate": 1.1},
        {"fault": Reset(), "rate": -0.1},
        {"fault": Reset(), "count": -1},
        {"fault": Reset(), "skip": -1},
        {"fault": Reset(), "to": "nobody"},
        {"fault": ExpiredToken(), "to": "token"},
        {"fault": OAuthRefusal(), "to": "api"},
    ],
)
def test_what_cannot_happen_is_refused(wrong):
    """A fault that nothing can meet is a ValueError."""
    with pytest.raises(ValueError, match="cannot"):
        Faults().add(**wrong)


@pytest.mark.parametrize("make", [lambda: Latency(-1.0), lambda: Reset(late=-1.0)])
def test_odd_seconds_are_refused(make):
    """Seconds below 0 are a ValueError."""
    with pytest.raises(ValueError, match="cannot be used"):
        make()


@pytest.mark.parametrize("kind", [Status, Html])
def test_an_odd_status_is_refused(kind):
    """A status that HTTP does not have is a ValueError."""
    with pytest.raises(ValueError, match="999"):
        kind(999)


def test_a_match_that_fails_is_seen(caplog):
    """A function of the test's own that fails is a 500 with its error."""
    faults = Faults()
    faults.add(Reset(), match=lambda request: request.nothing)
    hit = faults.pick("api", READ)
    assert hit.ending.status == 500
    assert "nothing" in hit.ending.message
    assert "A fault's match failed" in caplog.text
