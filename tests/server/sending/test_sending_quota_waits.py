"""What the log says when requests wait for the quota: once for a time of waiting."""

from __future__ import annotations

import io
import json
import math
import re

import pytest
from calls import read, write
from fake_queue import FakeQueue
from waiting import PATIENCE, eventually

from queued_gspread.broker import ALL, Permit, Slot
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.server.log import configure
from queued_gspread.server.pacing.quota import Quota
from queued_gspread.server.policy.retry import Attempts
from queued_gspread.server.sending.quota_waits import QuotaWaits

GO = Permit("go")
WINDOW = 60.0


def wait(seconds):
    return Permit("wait", seconds, "kind")


class Told:
    """What the log was told, for requests that ask in turn."""

    def __init__(self, clock, caplog, quota=None):
        caplog.set_level("INFO", "queued_gspread")
        queue = FakeQueue(waiting=140)
        self.queue, self._caplog = queue, caplog
        self._waits = QuotaWaits(quota or Quota(), queue, clock)

    def ask(self, permit, kind="write", *, has_waited=False):
        """Have a request get an answer, at once or after it has waited; return what was told."""
        self._caplog.clear()
        self._waits.noted(Slot(kind, "1/1", 60, WINDOW), permit, Attempts(has_waited=has_waited))
        return [record.getMessage() for record in self._caplog.records]

    def hold_back(self, seconds, kind="write"):
        """Have a request wait for others to have their share; return what was told."""
        self._caplog.clear()
        self._waits.held_back(Slot(kind, "1/1", 60, WINDOW), seconds)
        return [record.getMessage() for record in self._caplog.records]


@pytest.fixture
def told(clock, caplog):
    return Told(clock, caplog)


def test_the_line_of_a_wait(told):
    """It says which quota, when the next request may be sent, and how many calls there are."""
    (line,) = told.ask(wait(54.2))
    assert re.fullmatch(
        r"waiting for the quota of writes \(60 in 60 s for the account: --writes-per-minute\): "
        r"the next may be sent in 54\.2 s, at \d\d:\d\d:\d\d; calls in the queue: 140",
        line,
    )


def test_a_wait_is_told_once(told, clock):
    """As long as none goes as soon as it asks, nothing more is said, however long it takes."""
    assert told.ask(wait(54.2))
    for _ in range(5):
        clock.now += WINDOW
        assert not told.ask(GO, has_waited=True)
        assert not told.ask(wait(1.0))


def test_a_new_wait_is_told_after_a_window(told, clock):
    """Where some go at once and some wait, there is one line for a window and no more."""
    assert told.ask(wait(54.2))
    for _ in range(59):
        clock.now += 1.0
        assert not told.ask(GO)
        assert not told.ask(wait(0.5))
    clock.now += 1.0
    assert told.ask(wait(0.5))


def test_kinds_are_told_of_apart(told):
    """Reads and writes have a quota, and a line, each."""
    assert told.ask(wait(54.2), "write")
    (line,) = told.ask(wait(54.2), "read")
    assert "the quota of reads" in line
    assert not told.ask(GO, "read")
    assert not told.ask(wait(54.2), "write")


def test_a_wait_for_an_answer_is_told_if_it_lasts(told, clock):
    """While all that may be sent are in the air, the answer that says for how long is awaited."""
    assert not told.ask(wait(math.inf))
    assert told.ask(wait(54.2))
    assert not told.ask(GO)
    clock.now += WINDOW
    assert not told.ask(wait(math.inf))
    clock.now += 5.0
    (line,) = told.ask(wait(math.inf), has_waited=True)
    assert "once Google has answered one of those in the air" in line


def test_an_interval_is_no_wait_for_the_quota(told):
    """What waits for ``--interval`` is not told of."""
    assert not told.ask(Permit("wait", 1.0, ALL))


def test_a_wait_for_others_to_have_their_share_is_told(told):
    """A request that asks nobody, since spreadsheets share the quota, has words of its own."""
    assert not told.hold_back(-math.inf)
    (line,) = told.hold_back(3.0)
    assert re.fullmatch(
        r"waiting for the quota of writes \(60 in 60 s for the account: --writes-per-minute\): "
        r"spreadsheets share it, and the next of one that has had its part may be sent in 3\.0 s, "
        r"at \d\d:\d\d:\d\d; calls in the queue: 140",
        line,
    )
    assert not told.hold_back(3.0)
    assert not told.ask(wait(54.2))
    assert not told.ask(GO, has_waited=True)
    assert not told.hold_back(3.0)


def test_a_new_wait_for_others_is_told_after_a_window(told, clock):
    """A spreadsheet that is held back again and again makes one line for a window and no more."""
    assert told.hold_back(3.0)
    for _ in range(19):
        clock.now += 3.0
        assert not told.ask(GO)
        assert not told.hold_back(3.0)
    clock.now += 3.0
    assert not told.ask(GO)
    assert told.hold_back(3.0)


@pytest.mark.parametrize(
    ("quota", "kind", "shown"),
    [
        (Quota(writes=600), "write", "300 in 60 s for the project: --project-writes-per-minute"),
        (Quota(reads=0), "read", "300 in 60 s for the project: --project-reads-per-minute"),
        (Quota(reads=7, window=2.5), "read", "7 in 2.5 s for the account: --reads-per-minute"),
        (Quota(), "drive", "no limit is set, but Google has refused some"),
    ],
)
def test_whose_quota_it_is(clock, caplog, quota, kind, shown):
    """The limit that holds is named: the account's, the project's, or none for Drive."""
    (line,) = Told(clock, caplog, quota).ask(wait(1.0), kind)
    assert f"({shown})" in line


@pytest.mark.parametrize("error", [BrokerUnavailableError("away"), ValueError("no number")])
def test_a_wait_whose_calls_cannot_be_counted(told, error):
    """Where Redis is away, or has nonsense for their number, the line says the rest."""

    def fail():
        raise error

    told.queue.count_waiting = fail
    (line,) = told.ask(wait(1.0))
    assert line.endswith("calls in the queue: ?")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_that_waits_says_so(serve, client, gate, background, restored_log, form):
    """Writes that wait for the only slot make one line, in both forms; reads make none."""
    stream = io.StringIO()
    configure("info", form, stream)
    server = serve(writes_per_minute=1, quota_window=600.0)
    gate.open()
    write(client)
    waiting = [background(write, client, lane) for lane in ("one", "other")]
    read(client)
    line = eventually(lambda: next((x for x in stream.getvalue().splitlines() if "quota" in x), ""))
    assert "waiting for the quota of writes (1 in 600 s for the account" in line
    if form == "json":
        told = json.loads(line)
        assert (told["event"], told["quota"]) == ("quota_wait", "write")
        assert told["calls"] >= 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", told["until"])
    assert not any(one.done() for one in waiting)
    server.stop()
    serve()
    assert [one.result(PATIENCE) for one in waiting] == [{}, {}]
    assert stream.getvalue().count("waiting for the quota") == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_that_holds_a_spreadsheet_back_says_so(
    serve, client, gate, background, restored_log, form
):
    """A write that waits so that another spreadsheet has its share makes a line, in both forms."""
    stream = io.StringIO()
    configure("info", form, stream)
    server = serve(writes_per_minute=2, quota_window=600.0)
    gate.open()
    for lane in ("one", "other"):
        write(client, lane)
    waiting = background(write, client, "one")
    line = eventually(lambda: next((x for x in stream.getvalue().splitlines() if "quota" in x), ""))
    assert "(2 in 600 s for the account: --writes-per-minute): spreadsheets share it" in line
    if form == "json":
        told = json.loads(line)
        assert (told["event"], told["quota"], told["shared"]) == ("quota_wait", "write", True)
    server.stop()
    serve()
    assert waiting.result(PATIENCE) == {}
