"""A few seeds of the program; ``python -m tests.programs.chaos --seeds 0-49`` runs more of them."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hand_clock import HandClock
from masters import BLOWS, CUT, FAILOVER

from queued_gspread.emulator.api.request import Request
from tests.programs.chaos import victims
from tests.programs.chaos.checker import is_foretold, violations
from tests.programs.chaos.classes import (
    ASYNCIO,
    CONTENT,
    FORGETS,
    LENDERS,
    LOCKS,
    OLD,
    PIPELINES,
    SIGNALS,
    STOPS,
    SUSPENDED,
    chosen,
    parse,
)
from tests.programs.chaos.failovers import CLUSTER, SENTINELS, failovers_of
from tests.programs.chaos.places import CELLS, cell_of
from tests.programs.chaos.plan import LOSSES, plan_of
from tests.programs.chaos.poison import BROKEN, NUMBER, PLACE, ROW, Poison
from tests.programs.chaos.report import explained, named, shown, tally
from tests.programs.chaos.world import run


# In the first Redis is killed, a client sleeps and some rows are forbidden; calls are signed, which
# takes longer: callers see a new server within two seconds, and sign for it then. In the second
# Redis is stopped, an append comes late and some numbers are never taken.
@pytest.mark.parametrize("seed", [21, 58])
def test_a_run_keeps_all_rules(seed, tmp_path, tell):
    """Whatever is killed and stopped, nothing is lost, doubled, stale, out of order or left."""
    plan = plan_of(seed, chosen())
    outcome = run(plan, tmp_path)
    broken = violations(outcome.evidence)
    counts = tally(outcome, broken)
    tell(f"{named(plan)}: {shown(counts)}; {outcome.seconds:.1f} s")
    assert "\n".join(map(explained, broken)) == ""
    assert counts["answered"] + counts["left"] > 0.7 * (counts["calls"] - counts["interrupted"])
    assert sum(outcome.blows.values()) >= 3


@pytest.mark.parametrize("text", ["stops", "signals, content", "all", "none"])
def test_a_class_can_be_left_out(text):
    """A run has the classes of trouble that are asked for, and the same blows otherwise."""
    classes = parse(text)
    plan, plain = plan_of(4, classes), plan_of(4, frozenset())
    assert plan.classes == classes
    assert (plan.poison is not None) == (CONTENT in classes)
    assert any(blow.times > 1 for blow in plan.blows) == (STOPS in classes)
    assert any(work.is_alarmed for work in plan.work) == (SIGNALS in classes)
    assert any(work.is_wired for work in plan.work) == (SUSPENDED in classes)
    plain_work = [work for work in plan.work if not work.blocks]
    assert any(work.is_asyncio for work in plain_work) == (ASYNCIO in classes)
    assert any(work.blocks == "waits" for work in plan.work) == (PIPELINES in classes)
    assert sum(work.forgets for work in plan.work) == 2 * (FORGETS in classes)
    assert sum(work.holds for work in plan.work) == 2 * (LOCKS in classes)
    assert any(blow.victim == "holder" for blow in plan.blows) == (LOCKS in classes)
    losses = [blow.signal for blow in plan.blows if blow.victim == "lender"]
    assert sorted(losses) == sorted(LOSSES if LENDERS in classes else ())
    assert sum(work.blocks == "strays" for work in plan.work) == (LENDERS in classes)
    assert set(plain.blows) <= set(plan.blows)


def test_a_run_with_failovers(tmp_path, tell):
    """Failovers that are asked for, of a Cluster with a replica, lose and double nothing."""
    drawn = failovers_of(1, CLUSTER, "replicated", frozenset({FAILOVER}))
    plan = replace(drawn, blows=drawn.blows[:2], latency=(0.02, 0.04))
    outcome = run(plan, tmp_path)
    found = violations(outcome.evidence)
    tell(f"{named(plan)}: {shown(tally(outcome, found))}; {outcome.seconds:.1f} s")
    broken = [violation for violation in found if not is_foretold(violation, plan)]
    assert "\n".join(map(explained, broken)) == ""
    assert outcome.blows == {("master", FAILOVER): len(plan.blows)}


@pytest.mark.parametrize(("words", "is_in_time"), [(3, True), (2, False)])
def test_who_makes_one_call_after_the_other_does_not_hang(words, is_in_time, tmp_path, monkeypatch):
    """A client hangs if one of its calls takes too long, however long all of them take."""
    history = tmp_path / "client0.jsonl"
    history.touch()
    clock = HandClock()

    class Process:
        """One that ends after its third word; each comes when half of the time is over."""

        said = 0

        def poll(self):
            return 0 if self.said == 3 else None

        def wait(self, seconds):
            is_silent = self.said == words
            clock.now += seconds if is_silent else 5.0
            if not is_silent:
                self.said += 1
                os.utime(history, (clock.now, clock.now))
            raise subprocess.TimeoutExpired("client", seconds)

    os.utime(history, (0.0, 0.0))
    monkeypatch.setattr(victims, "time", SimpleNamespace(time=clock))
    monkeypatch.setattr(victims, "start", lambda *_, **__: Process())
    # Without a wire of its own: nobody ends this client, and a wire's thread would never end.
    work = replace(plan_of(1).work[0], is_wired=False)
    client = victims.Client(work, folder=str(tmp_path), redis_url="")
    assert client.join(10.0) == is_in_time


@pytest.mark.parametrize("topology", [SENTINELS, CLUSTER])
@pytest.mark.parametrize("seed", range(4))
def test_what_befalls_masters(topology, seed):
    """A seed gives the same failovers every time, of the kinds that are asked for, in turn."""
    plan = failovers_of(seed, topology, "replicated")
    assert plan == failovers_of(seed, topology, "replicated")
    assert plan.has_standby == (seed > 1)
    assert plan.blows[0].signal == BLOWS[seed]
    some = failovers_of(seed, topology, "local", frozenset({CUT}))
    assert {blow.signal for blow in some.blows} == {CUT}
    assert not some.has_standby


def test_a_class_that_there_is_not():
    """A class that there is not is refused, with those that there are."""
    with pytest.raises(ValueError, match=r"\['naps'\] are no classes.*'stops'"):
        parse("stops,naps")


@pytest.mark.parametrize(("seed", "first"), [(0, 1), (1, 1), (2, 0), (3, 0), (4, 1)])
def test_every_second_client_reads_what_may_be_old(seed, first):
    """In such a run every second client has an age, and of the two that only read, one."""
    work = plan_of(seed, frozenset({OLD, LOCKS})).work
    assert [bool(each.max_age) for each in work] == [
        number % 2 == first for number in range(len(work))
    ]
    assert sum(bool(each.max_age) for each in work if each.blocks == "looks") == 1
    assert not any(each.max_age for each in plan_of(seed, frozenset({LOCKS})).work)


A_CELL = f"/v4/spreadsheets/id/values/'{CELLS}'!{cell_of('client2')}"


def a_batch(number):
    data = [{"range": A_CELL.rpartition("/")[2], "values": [[number]]}]
    return {"data": [{"range": "rows!A1", "values": [[5]]}, *data]}


@pytest.mark.parametrize(
    ("what", "method", "target", "body", "is_in"),
    [
        (ROW, "POST", "/v4/x/values/rows:append", {"values": [["client2-17"]]}, True),
        (ROW, "POST", "/v4/x/values/rows:append", {"values": [["a"], ["client2-7"]]}, True),
        (ROW, "POST", "/v4/x/values/rows:append", {"values": [["client2-170"]]}, False),
        (ROW, "POST", "/v4/x/values/rows:append", {"values": [["client1-17"]]}, False),
        (NUMBER, "PUT", A_CELL, {"values": [[5]]}, True),
        (NUMBER, "PUT", A_CELL, {"values": [[6]]}, False),
        (NUMBER, "POST", "/v4/x/values:batchUpdate", a_batch(5), True),
        (NUMBER, "POST", "/v4/x/values:batchUpdate", a_batch(6), False),
        (PLACE, "GET", A_CELL, None, True),
        (PLACE, "GET", f"/v4/x/values:batchGet?ranges=a&ranges={CELLS}%21A21", None, True),
        (PLACE, "GET", f"/v4/x/values:batchGet?ranges={CELLS}%21A211", None, False),
        (PLACE, "PUT", A_CELL, {"values": [[5]]}, False),
    ],
)
def test_what_is_bad_is_known_in_every_request(what, method, target, body, is_in):
    """A request is known that holds what is bad, alone and merged with others, and no other one."""
    content = b"" if body is None else json.dumps(body).encode()
    assert Poison(what, BROKEN, "client2").is_in(Request(method, target, {}, content)) == is_in


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_is_the_same_every_time(seed):
    """A seed always gives the same plan, and another seed another."""
    assert plan_of(seed) == plan_of(seed)
    assert plan_of(seed) != plan_of(seed + 1)
