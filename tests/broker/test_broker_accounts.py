"""Slots of several accounts and of their projects, in a Redis whose clock the tests set."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict

import pytest
from broker_helpers import connection_of
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from one_job import acquire, release_slot
from permits_helpers import WINDOW, Asked
from test_broker_permits import most_in_a_window

from queued_gspread.broker import (
    KINDS,
    AcquireArgs,
    AnsweredSlot,
    Consumer,
    JournalUpdate,
    Project,
    Slot,
)
from queued_gspread.broker.connection.clock_steps import Steps

EXAMPLES = examples(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ONE, TWO, THREE = "one@p.example", "two@p.example", "three@q.example"
LENDERS = (ONE, TWO, THREE)
# The namespace's own account and two others are of one project, the last has one for itself.
SHARING = ("", ONE, TWO)
ACCOUNTS = ("", *LENDERS)


@pytest.fixture
def several(settings, clock, raw, keys):
    """Return what makes the queue anew, as the first server sees it, which has all accounts."""

    def make(lenders=LENDERS):
        slots = (keys.slots(kind, account) for kind in KINDS for account in ACCOUNTS)
        raw.delete(keys.server, *slots, *(keys.throttle_of(account) for account in ACCOUNTS))
        server = Consumer(settings, "server", lenders=lenders)
        connection_of(server).steps = Steps()
        server.beat(5.0)
        return server

    return make


def successor_of(server, lenders=LENDERS):
    """Return what has taken over from a server that has ended."""
    server.release()
    successor = Consumer(server.settings, "successor", lenders=lenders)
    assert successor.beat(5.0).state == "taken"
    successor.recover(WINDOW)
    return successor


def asked_of(server, entry, limit, shared, account):
    """Return what is asked of an account that shares its project, or does not."""
    project = Project(SHARING, shared) if account in SHARING else Project()
    return Asked(server, entry, limit, account=account, project=project)


class World:
    """Requests of several accounts, first come first served for each, and when they were out."""

    def __init__(self, clock, server, entry, limit, shared):
        self.clock, self.server, self.entry, self.limit = clock, server, entry, limit
        self.asked = {each: asked_of(server, entry, limit, shared, each) for each in ACCOUNTS}
        self.events, self.waiting = [], defaultdict(list)
        self.out, self.intervals = {}, defaultdict(list)
        self.number = 0

    def run(self, requests, lose=frozenset()):
        """Send requests, each an arrival, a latency and an account; some servers are lost."""
        begin = self.clock.now
        for number, (arrival, *_) in enumerate(requests):
            self._at(begin + arrival, "comes", number)
        while self.events:
            now, _, what, number = heapq.heappop(self.events)
            self.clock.set(max(now, self.clock.now))
            if what == "comes":
                self.waiting[requests[number][2]].append(number)
            elif what == "answered" and number in lose and number in self.out:
                self._lose_server()
            elif what == "answered" and number in self.out:
                self._end(number, released=True)
            self._send(requests)
        assert not any(self.waiting.values())
        return self.intervals

    def _at(self, moment, what, number=-1):
        self.number += 1
        heapq.heappush(self.events, (moment, self.number, what, number))

    def _send(self, requests):
        for account, asked in self.asked.items():
            while self.waiting[account]:
                slot, permit = asked.acquire()
                if permit.word == "wait":
                    if permit.wait < math.inf:
                        self._at(self.clock.now + permit.wait, "free")
                    break
                number = self.waiting[account].pop(0)
                self.out[number] = account, self.clock.now, slot, permit
                self._at(self.clock.now + requests[number][1], "answered", number)

    def _end(self, number, *, released):
        account, sent, slot, permit = self.out.pop(number)
        if released:
            self.asked[account].release_slot(slot, permit)
        self.intervals[account].append((sent, self.clock.now))

    def _lose_server(self):
        for number in list(self.out):
            self._end(number, released=False)
        self.server = successor_of(self.server)
        for asked in self.asked.values():
            asked.server = self.server


def excess(intervals, limit, shared):
    """Return what has more requests in a window than its quota: accounts, or the project."""
    own = [each for each, found in intervals.items() if found and most_in_a_window(found) > limit]
    of_project = [one for each in SHARING for one in intervals[each]]
    is_over = bool(of_project) and most_in_a_window(of_project) > shared
    return own + ["project"] * is_over


moments = st.floats(0, 300, allow_nan=False, width=32)
latencies = st.one_of(st.just(0.0), st.floats(0, 200, width=32), st.floats(0, 0.5, width=32))
histories = st.lists(
    st.tuples(moments, latencies, st.sampled_from(ACCOUNTS)), min_size=1, max_size=40
)


@EXAMPLES
@given(requests=histories, limit=st.integers(1, 4), shared=st.integers(1, 8))
def test_no_window_of_any_account_or_project_holds_too_many(
    several, entry, clock, requests, limit, shared
):
    """Whatever the arrivals and latencies, each account and each project keeps to its quota."""
    found = World(clock, several(), entry, limit, shared).run(requests)
    assert sum(map(len, found.values())) == len(requests)
    assert excess(found, limit, shared) == []


@EXAMPLES
@given(data=st.data(), limit=st.integers(1, 3), shared=st.integers(1, 6))
def test_servers_that_are_gone_leave_no_gap(several, entry, clock, data, limit, shared):
    """The same holds where servers die with requests of any account in the air."""
    requests = data.draw(histories)
    lose = data.draw(st.sets(st.integers(0, len(requests) - 1), max_size=5))
    found = World(clock, several(), entry, limit, shared).run(requests, lose)
    assert sum(map(len, found.values())) == len(requests)
    assert excess(found, limit, shared) == []


def test_the_judge_finds_an_account_that_does_not_count(several, entry, clock):
    """Where one account of a project is left out of its sum, the judge says so."""
    world = World(clock, several(), entry, 3, 4)
    world.asked[ONE].given["project"] = Project()
    requests = [(0.0, 0.0, account) for account in ("", TWO, ONE) for _ in range(2)]
    assert excess(world.run(requests), 3, 4) == ["project"]
    assert excess({"": [(0, 0)] * 2, ONE: [], TWO: []}, 1, 9) == [""]


def test_each_account_has_slots_of_its_own(several, entry, clock):
    """Where one account has no slot left, another has, and its pauses are its own."""
    server = several()
    own, other = (Asked(server, entry, 1, account=account) for account in ("", THREE))
    own.go()
    assert own.acquire()[1].word == "wait"
    slot, permit = other.acquire()
    assert (permit.word, permit.account, slot.attempt) == ("go", THREE, f"{slot.name}@{THREE}")
    other.release_slot(slot, permit, refused=True)
    clock.advance(WINDOW + 1)
    assert own.acquire()[1].word == "go"


def test_a_refusal_is_remembered_for_its_account(several, entry, clock, raw, keys):
    """What a refusal teaches is kept for the account that it was about."""
    server = several()
    other = Asked(server, entry, 8, account=THREE)
    other.go(refused=True)
    permit = other.acquire()[1]
    assert (permit.word, permit.kind, permit.account) == ("wait", "pause", THREE)
    assert Asked(server, entry, 8).acquire()[1].limit == 8
    assert raw.hget(keys.throttle_of(THREE), "limit:write") == "6"
    assert not raw.exists(keys.throttle)


def test_a_project_waits_for_the_first_slot_of_any_account(several, entry, clock):
    """A request waits until a slot of its project is free, whichever account has that."""
    server = several()
    asked = {each: asked_of(server, entry, 2, 2, each) for each in SHARING}
    asked[""].go()
    clock.advance(10)
    slot, sent = asked[ONE].acquire()
    permit = asked[TWO].acquire()[1]
    assert (permit.word, permit.kind) == ("wait", "kind")
    assert permit.wait == pytest.approx(WINDOW - 10, abs=0.01)
    clock.advance(WINDOW - 9.9)
    assert asked[TWO].acquire()[1].word == "go"
    assert asked[""].acquire()[1].wait == math.inf
    asked[ONE].release_slot(slot, sent)
    assert asked[""].acquire()[1].wait == pytest.approx(WINDOW, abs=0.01)


@pytest.mark.parametrize("lost", SHARING)
def test_slots_that_redis_forgets_are_held_for_the_project(several, entry, clock, raw, keys, lost):
    """Whichever account's slots Redis has forgotten, they are back before a project's are given."""
    server = several()
    asked = {each: asked_of(server, entry, 9, 3, each) for each in SHARING}
    for each in SHARING:
        asked[each].go()
    raw.delete(keys.slots("write", lost))
    for each in SHARING:
        assert asked[each].acquire()[1].word == "wait"
    assert raw.zcard(keys.slots("write", lost)) == 1


def test_slots_of_a_lender_outlive_its_server(several, entry, clock, raw, keys):
    """A successor holds what lenders had in the air for a window more, and counts what was used."""
    server = several()
    asked = asked_of(server, entry, 2, 9, ONE)
    asked.go()
    asked.acquire()
    clock.advance(10)
    asked.server = successor_of(server)
    assert raw.zcount(keys.slots("write", ONE), "inf", "inf") == 0
    assert asked.acquire()[1].wait == pytest.approx(WINDOW - 10, abs=0.01)
    clock.advance(WINDOW - 10 + 0.002)
    assert asked.acquire()[1].word == "go"
    assert asked.acquire()[1].wait == pytest.approx(10, abs=0.01)


def test_a_lender_s_slot_is_released_with_an_answer(several, entry, clock, raw, keys):
    """The next script of the lane releases slots of any account, each into its own set."""
    server = several()
    first, second = (Asked(server, entry, 5, account=account) for account in ("", ONE))
    slots = [
        AnsweredSlot(slot, permit.sent) for slot, permit in (first.acquire(), second.acquire())
    ]
    args = [AcquireArgs(entry, "w", None)]
    assert server.acquire(args, first.slot(), slots).word == "go"
    held = [raw.zcount(keys.slots("write", account), 0, "(inf") for account in ("", ONE)]
    assert held == [1, 1]


def test_the_journal_names_a_lender(several, entry, clock, raw, keys):
    """An intent has the account after the attempt; it is withdrawn by that name alone."""
    server = several()
    slot = Slot("write", f"{server.epoch}/1", 5, account=ONE)
    note = JournalUpdate(0, (), slot.attempt, b"told")
    permit = acquire(server, entry, "j", None, slot, note)
    journal = keys.journal(entry.job_id)
    assert raw.lrange(journal, 0, -1) == [f">{server.epoch}/1@{ONE} {permit.sent} told"]
    release_slot(server, entry, slot, permit.sent, attempt=slot.name)
    assert raw.llen(journal) == 1
    release_slot(server, entry, slot, permit.sent, attempt=slot.attempt)
    assert raw.llen(journal) == 0


@pytest.mark.parametrize("lenders", [("owner@p.example",), ()])
def test_accounts_that_change_places_keep_their_slots(several, entry, clock, raw, keys, lenders):
    """Where a lender becomes the owner, and the owner a lender, each has the slots that it took."""
    first, limits = several((ONE,)), {"": 3, "owner@p.example": 1}
    Asked(first, entry, 1, name=f"{first.epoch}/own").go()
    lender = Asked(first, entry, 3, account=ONE)
    lender.acquire()
    for _ in range(2):
        lender.go()
    successor = successor_of(first, lenders)
    successor.exchange_slots(ONE, "owner@p.example", WINDOW)
    assert len(raw.keys(keys.slots("*", "owner@*"))) == len(lenders)
    asked = [Asked(successor, entry, limits[each], account=each) for each in ("", *lenders)]
    for seconds, word in ((0, "wait"), (WINDOW - 0.01, "wait"), (0.02, "go")):
        clock.advance(seconds)
        assert {each.acquire()[1].word for each in asked} == {word}


def test_one_account_leaves_what_it_did(several, entry, clock, raw, keys, namespace):
    """With one account no key of Redis has an account in its name."""
    server = several(())
    Asked(server, entry, 5).go()
    Asked(server, entry, 5).go(refused=True)
    names = {key.partition("}:")[2] for key in raw.keys(f"*{{{namespace}}}*")}
    assert {name for name in names if name.startswith(("slots", "throttle"))} == {
        "slots:write",
        "throttle",
    }
