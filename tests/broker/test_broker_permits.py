"""The quota's slots: the scripts themselves, in a real Redis whose clock the tests set."""

from __future__ import annotations

import heapq
import math

import pytest
from broker_helpers import withdraw
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from one_job import acquire, answer
from permits_helpers import LANE, WINDOW, Asked, take_over

from queued_gspread.broker import AcquireArgs, AnsweredSlot, Slot, StaleEpochError

EXAMPLES = examples(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def simulate(clock, server, entry, limit, requests, *, lose=frozenset(), after=None):
    """Send requests, first come first served; return when each was sent and answered.

    Each request is an arrival and a latency, in seconds. Those in `lose` are never answered:
    their server is found gone at the end of their latency. What is to happen `after` an answer gets
    its request's number.
    """
    asked = Asked(server, entry, limit)
    begin = clock.now
    events = [(begin + arrival, 0, n) for n, (arrival, _) in enumerate(requests)]
    heapq.heapify(events)
    waiting, sent, answered = [], {}, {}
    while events:
        now, what, number = heapq.heappop(events)
        clock.set(max(now, clock.now))
        if what == 0:
            waiting.append(number)
        elif what == 1 and number in lose:
            take_over(asked.server)
            # With the server, all that it had in the air is gone.
            answered.update({number: clock.now for number in sent if number not in answered})
        elif what == 1 and number not in answered:
            asked.release_slot(*sent[number][1:])
            answered[number] = clock.now
            if after is not None:
                after(number)
        while waiting:
            slot, permit = asked.acquire()
            if permit.word == "wait":
                if permit.wait < math.inf:
                    heapq.heappush(events, (clock.now + permit.wait, 2, -1))
                break
            first = waiting.pop(0)
            sent[first] = (clock.now, slot, permit)
            heapq.heappush(events, (clock.now + requests[first][1], 1, first))
    assert not waiting
    return {number: (sent[number][0], answered[number]) for number in sent}


def most_in_a_window(intervals):
    """Return how many requests an adversary can have counted in one half-open window.

    A request is counted at some moment from its sending to its response: in a window that
    begins at a, if it was answered at a or later and sent before a + WINDOW.
    """
    starts = [answered for _, answered in intervals]
    return max(sum(r >= a and s < a + WINDOW for s, r in intervals) for a in starts)


moments = st.floats(0, 300, allow_nan=False, width=32)
latencies = st.one_of(st.just(0.0), st.floats(0, 200, width=32), st.floats(0, 0.5, width=32))
requests_of_all_kinds = st.lists(st.tuples(moments, latencies), min_size=1, max_size=40)


@EXAMPLES
@given(requests=requests_of_all_kinds, limit=st.integers(1, 6))
def test_no_window_holds_more_than_the_quota(queue, entry, clock, requests, limit):
    """Whatever the arrivals and latencies, no window an adversary picks holds too many."""
    found = simulate(clock, queue(), entry, limit, requests)
    assert len(found) == len(requests)
    assert most_in_a_window(list(found.values())) <= limit


@EXAMPLES
@given(data=st.data(), limit=st.integers(1, 4))
def test_servers_that_are_gone_leave_no_gap(queue, entry, clock, data, limit):
    """The same holds where requests are never answered, because their servers were gone."""
    requests = data.draw(requests_of_all_kinds)
    lose = data.draw(st.sets(st.integers(0, len(requests) - 1), max_size=5))
    found = simulate(clock, queue(), entry, limit, requests, lose=lose)
    assert len(found) == len(requests)
    assert most_in_a_window(list(found.values())) <= limit


def test_the_adversary_finds_too_many():
    """The check of the tests above fails where a window holds one request more."""
    assert most_in_a_window([(0, 0), (59.9, 59.9), (60, 60)]) == 2
    assert most_in_a_window([(0, 100), (150, 150), (155, 170)]) == 3


@EXAMPLES
@given(count=st.integers(1, 30), limit=st.integers(1, 6), latency=st.integers(0, 5))
def test_no_slot_is_wasted(queue, entry, clock, count, limit, latency):
    """Requests that wait leave in rounds of the whole quota, a window and a latency apart."""
    found = simulate(clock, queue(), entry, limit, [(0.0, float(latency))] * count)
    begin = min(sent for sent, _ in found.values())
    for number, (sent, _) in found.items():
        rounds = number // limit
        ideal = begin + rounds * (WINDOW + latency)
        assert ideal <= sent <= ideal + rounds * 0.0021


def test_a_slot_is_held_for_one_window_after_its_response(queue, entry, clock):
    """A slot is free again one window after the response, not after the sending."""
    asked = Asked(queue(), entry, 1)
    slot, permit = asked.acquire()
    assert asked.acquire()[1].wait == math.inf
    clock.advance(200.0)
    assert asked.acquire()[1].wait == math.inf
    asked.release_slot(slot, permit)
    assert asked.acquire()[1].wait == pytest.approx(WINDOW, abs=0.002)
    clock.advance(WINDOW)
    assert asked.acquire()[1].word == "wait"
    clock.advance(0.001)
    assert asked.acquire()[1].word == "go"


def test_a_slot_that_is_asked_for_twice_is_one(queue, entry, clock):
    """The same slot asked for again, because a connection broke, takes no second one."""
    asked = Asked(queue(), entry, 2)
    slot, _ = asked.acquire()
    assert asked.acquire(slot)[1].word == "go"
    assert asked.acquire()[1].word == "go"
    assert asked.acquire()[1].word == "wait"
    assert asked.acquire(slot)[1].word == "go"


def test_kinds_do_not_wait_for_each_other(queue, entry, clock):
    """Writes go on while there is no slot for a read."""
    server = queue()
    reads, writes = (Asked(server, entry, 1, kind=kind) for kind in ("read", "write"))
    reads.go()
    assert reads.acquire()[1].word == "wait"
    assert writes.acquire()[1].word == "go"


def test_no_limit_takes_no_slot(queue, entry, clock, raw, keys):
    """A limit of 0 lets everything through and leaves nothing in Redis."""
    asked = Asked(queue(), entry, 0)
    assert [asked.acquire()[1].word for _ in range(100)] == ["go"] * 100
    assert not raw.exists(keys.slots("write"), keys.throttle)


def test_the_interval_holds_all_kinds(queue, entry, clock):
    """Requests are an interval apart, whatever their kinds, and only those that take a slot."""
    server = queue()
    reads, writes = (Asked(server, entry, 0, kind=kind, interval=1.5) for kind in ("read", "write"))
    assert reads.acquire()[1].word == "go"
    permit = writes.acquire()[1]
    assert (permit.word, permit.wait, permit.kind) == ("wait", 1.5, "all")
    clock.advance(1.5)
    assert writes.acquire()[1].word == "go"
    assert Asked(server, entry, 0, kind="", interval=1.5).acquire()[1].word == "go"


def test_a_call_that_waits_is_not_marked(queue, entry, clock):
    """A call that is told to wait has not begun: only a permit marks it."""
    server = queue()
    asked = Asked(server, entry, 1)
    slot, permit = asked.acquire()
    asked.release_slot(slot, permit, back_to="r")
    assert asked.acquire()[1].word == "wait"
    assert server.head(LANE).mark == "r"


def test_slots_outlive_a_change_of_server(queue, entry, clock):
    """What a server has used, its successor counts; a request in the air for a window more."""
    server = queue()
    asked = Asked(server, entry, 2)
    asked.go()
    asked.acquire()
    clock.advance(10.0)
    take_over(server)
    assert asked.acquire()[1].wait == pytest.approx(WINDOW - 10, abs=0.002)
    clock.advance(WINDOW - 10 + 0.002)
    assert asked.acquire()[1].word == "go"
    assert asked.acquire()[1].wait == pytest.approx(10, abs=0.002)


def test_a_late_answer_of_an_earlier_epoch_still_counts(queue, entry, clock):
    """A server that lost its lease gives its slot back one window after its late response."""
    server = queue()
    old = server.under(server.epoch)
    asked = Asked(old, entry, 1)
    slot, permit = asked.acquire()
    take_over(server)
    clock.advance(WINDOW + 1)
    asked.release_slot(slot, permit)
    assert Asked(server, entry, 1).acquire()[1].wait == pytest.approx(WINDOW, abs=0.002)


@pytest.mark.parametrize("is_known", [True, False], ids=["scripts known", "scripts forgotten"])
def test_a_slot_is_given_back_with_an_answer(queue, entry, clock, raw, keys, is_known):
    """An answered slot is released with a job's answer, whether or not Redis knows the scripts."""
    server = queue()
    slot, permit = Asked(server, entry, 1).acquire()
    answered = AnsweredSlot(slot, permit.sent)
    if not is_known:
        raw.script_flush()
    clock.advance(1.0)
    assert server.answer([(entry, b"reply")], [answered]) is None
    assert raw.zscore(keys.slots("write"), slot.name) == (clock.now + WINDOW) * 1000
    assert raw.xlen(keys.reply(entry.job_id)) == 1
    assert not raw.exists(keys.lane(LANE), keys.progress)


@pytest.mark.parametrize("is_known", [True, False], ids=["scripts known", "scripts forgotten"])
def test_a_slot_is_given_back_when_the_next_one_is_asked_for(
    queue, entry, clock, raw, keys, is_known
):
    """An answered slot is released with the question for another, and is held for its window."""
    server = queue()
    asked = Asked(server, entry, 2)
    slot, permit = asked.acquire()
    answered = AnsweredSlot(slot, permit.sent)
    if not is_known:
        raw.script_flush()
    clock.advance(1.0)
    assert server.acquire([AcquireArgs(entry, "w")], asked.slot(), [answered]).word == "go"
    assert raw.zscore(keys.slots("write"), slot.name) == (clock.now + WINDOW) * 1000
    last = server.acquire(
        [AcquireArgs(entry, "w")], asked.slot(), [answered, AnsweredSlot(asked.slot(), permit.sent)]
    )
    assert last.wait == pytest.approx(WINDOW, abs=0.002)


def test_with_an_interval_a_slot_is_given_back_all_the_same(queue, entry, clock, raw, keys):
    """A question that has to wait for the interval releases an answered slot as any other does."""
    asked = Asked(queue(), entry, 1, interval=2.0)
    slot, permit = asked.acquire()
    answered = AnsweredSlot(slot, permit.sent)
    told = asked.server.acquire([AcquireArgs(entry, "w")], asked.slot(), [answered])
    assert (told.word, told.kind, told.wait) == ("wait", "all", 2.0)
    assert raw.zscore(keys.slots("write"), slot.name) == (clock.now + WINDOW) * 1000


@pytest.mark.parametrize("script", ["acquire", "answer"])
def test_slots_of_several_kinds_are_given_back_at_once(queue, entry, clock, raw, keys, script):
    """However many answered slots there are, and of whatever kinds, one script releases them."""
    server = queue()
    slots = [Slot(kind, f"1/{kind}", 2, WINDOW) for kind in ("read", "write", "drive")]
    sent = [acquire(server, entry, "r", slot=slot).sent for slot in slots]
    answered = [AnsweredSlot(*each) for each in zip(slots, sent, strict=True)]
    clock.advance(1.0)
    if script == "acquire":
        server.acquire([AcquireArgs(entry, "w")], Slot("write", "1/next", 2, WINDOW), answered)
    else:
        server.answer([(entry, b"reply")], answered)
    for slot in slots:
        assert raw.zscore(keys.slots(slot.kind), slot.name) == (clock.now + WINDOW) * 1000


def test_a_slot_that_is_given_back_with_a_question_ends_a_pause(queue, entry, clock, raw, keys):
    """What Google lets through after a refusal ends its row, whatever script tells of it."""
    asked = Asked(queue(), entry, 60)
    asked.go(refused=True, pause=7.0)
    clock.advance(7.0)
    slot, trial = asked.acquire()
    assert trial.is_trial
    answered = AnsweredSlot(slot, trial.sent)
    permit = asked.server.acquire([AcquireArgs(entry, "w")], asked.slot(), [answered])
    assert (permit.word, permit.is_trial) == ("go", False)


def test_of_an_old_epoch_only_the_slot_is_given_back(queue, entry, clock, raw, keys):
    """A server that is not the one that works gives its slot back, and answers nobody."""
    server = queue()
    old = server.under(server.epoch)
    slot, permit = Asked(old, entry, 1).acquire()
    take_over(server)
    answered = AnsweredSlot(slot, permit.sent)
    with pytest.raises(StaleEpochError):
        old.answer([(entry, b"reply")], [answered])
    assert not raw.exists(keys.reply(entry.job_id))


def test_a_clock_that_is_set_back_frees_slots_in_time(queue, entry, clock):
    """When Redis's clock goes back a day, a slot is held for one window and no longer."""
    asked = Asked(queue(), entry, 1)
    asked.go()
    clock.advance(-86_400.0)
    assert asked.acquire()[1].wait == pytest.approx(WINDOW, abs=0.002)
    clock.advance(WINDOW + 0.002)
    assert asked.acquire()[1].word == "go"


def test_the_pause_after_a_clock_was_set_back(queue, entry, clock):
    """When Redis's clock goes back in a pause, that begins anew; then all goes on as ever."""
    asked = Asked(queue(), entry, 60)
    asked.go(refused=True, pause=7.0)
    clock.advance(-86_400.0)
    assert asked.acquire()[1].wait == 7.0
    clock.advance(7.0)
    slot, trial = asked.acquire()
    assert (trial.word, trial.is_trial) == ("go", True)
    asked.release_slot(slot, trial)
    assert not asked.acquire()[1].is_trial


def test_a_refusal_of_what_was_sent_before_a_clock_was_set_back(queue, entry, clock):
    """A pause that such a refusal makes longer ends by the clock as it is."""
    asked = Asked(queue(), entry, 60)
    asked.go(refused=True, pause=7.0)
    clock.advance(7.0)
    slot, trial = asked.acquire()
    clock.advance(-86_400.0)
    assert asked.release_slot(slot, trial, refused=True, pause=9.0).pause == 9.0
    assert asked.acquire()[1].wait == 9.0


def test_the_limit_after_a_clock_was_set_back(queue, entry, clock):
    """A limit that a refusal has lowered recovers, and shrinks again, from the step on."""
    asked = Asked(queue(), entry, 60)
    assert asked.go(refused=True, pause=1.0).limit == 45
    clock.advance(1.0)
    asked.go()
    clock.advance(-86_400.0)
    assert asked.go().limit == 45
    clock.advance(WINDOW)
    assert asked.go().limit == 48
    assert asked.go(refused=True, pause=1.0).limit == 36
    clock.advance(-86_400.0)
    clock.advance(asked.acquire()[1].wait)
    assert asked.go(refused=True, pause=1.0).limit == 27


def test_the_interval_after_a_clock_was_set_back(queue, entry, clock):
    """When Redis's clock goes back, nobody waits for longer than the interval."""
    asked = Asked(queue(), entry, 0, interval=2.0)
    asked.go()
    clock.advance(-86_400.0)
    assert asked.acquire()[1].wait == 2.0


def test_a_refusal_pauses_its_kind(queue, entry, clock):
    """After a refusal requests of that kind wait, for as long as Google asked."""
    server = queue()
    writes, reads = (Asked(server, entry, 10, kind=kind) for kind in ("write", "read"))
    quota_state = writes.go(refused=True, pause=7.0)
    assert quota_state.pause == 7.0
    assert writes.acquire()[1].wait == 7.0
    assert reads.acquire()[1].word == "go"
    clock.advance(7.0)
    assert writes.acquire()[1].word == "go"


def test_pauses_double_up_to_a_window(queue, entry, clock):
    """Where Google names no time, pauses double with each refusal in a row, to one window."""
    asked = Asked(queue(), entry, 60)
    pauses = []
    for _ in range(9):
        pauses.append(asked.go(refused=True).pause)
        clock.advance(pauses[-1])
    steps = [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert all(step / 2 <= pause <= step for pause, step in zip(pauses, steps, strict=True))


@pytest.mark.parametrize("limit", [0, 60])
def test_a_success_ends_a_row_of_refusals(queue, entry, clock, limit):
    """Once a request has passed again, the next refusal's pause is short again."""
    asked = Asked(queue(), entry, limit)
    for _ in range(5):
        clock.advance(asked.go(refused=True).pause)
    slot, permit = asked.acquire()
    assert permit.is_trial
    asked.release_slot(slot, permit)
    assert not asked.acquire()[1].is_trial
    assert asked.go(refused=True).pause <= 1.0


def test_refusals_of_requests_in_the_air_together_count_once(queue, entry, clock):
    """Twenty refusals of requests that were sent together shrink the limit once."""
    asked = Asked(queue(), entry, 60)
    sent = [asked.acquire() for _ in range(20)]
    clock.advance(1.0)
    limits = {asked.release_slot(slot, permit, refused=True).limit for slot, permit in sent}
    assert limits == {45}


def test_after_a_refusal_one_request_goes_first(queue, entry, clock):
    """When the pause is over one request is let through; the rest follows its answer."""
    asked = Asked(queue(), entry, 60)
    asked.go(refused=True, pause=1.0)
    clock.advance(1.0)
    slot, permit = asked.acquire()
    assert permit.word == "go"
    assert asked.acquire()[1].wait == math.inf
    clock.advance(1.0)
    asked.release_slot(slot, permit)
    assert [asked.acquire()[1].word for _ in range(5)] == ["go"] * 5


def test_the_limit_shrinks_once_a_window_and_grows_step_by_step(queue, entry, clock):
    """A window with refusals costs a quarter of the limit, a quiet one gives a twentieth back."""
    asked = Asked(queue(), entry, 60)
    limits = []
    for seconds in (30.0, 31.0, 59.0, 10.0, 60.0):
        limits.append(asked.go(refused=True).limit)
        clock.advance(seconds)
    assert limits == [45, 45, 33, 33, 24]
    grown = []
    for _ in range(14):
        grown.append(asked.go().limit)
        clock.advance(WINDOW)
    assert grown == [27, 30, 33, 36, 39, 42, 45, 48, 51, 54, 57, 60, 60, 60]


def test_a_permit_tells_the_limit_that_holds_now(queue, entry, clock):
    """Who goes, or waits, is told how many slots there are: fewer after a refusal, then more."""
    asked = Asked(queue(), entry, 20)
    assert asked.acquire()[1].limit == 20
    assert asked.go(refused=True, pause=1.0).limit == 15
    assert (asked.acquire()[1].word, asked.acquire()[1].limit) == ("wait", 15)
    clock.advance(1.0)
    asked.go()
    clock.advance(WINDOW)
    slot, permit = asked.acquire()
    assert permit.limit == 16
    assert asked.acquire(slot)[1].limit == 16
    unlimited = Asked(asked.server, entry, 0, kind="read")
    assert unlimited.acquire()[1].limit == 0
    lowered = unlimited.go(refused=True, pause=1.0).limit
    clock.advance(1.0)
    assert unlimited.acquire()[1].limit == lowered > 0


def test_the_limit_never_shrinks_to_nothing(queue, entry, clock):
    """However often Google refuses, one request a window is still tried."""
    asked = Asked(queue(), entry, 1)
    assert asked.go(refused=True, pause=0.0).limit == 1
    clock.advance(WINDOW + 1)
    assert asked.go(refused=True, pause=0.0).limit == 1


def test_a_limit_that_is_lowered_holds_at_once(queue, entry, clock):
    """A server with a lower limit counts what one with a higher limit has used."""
    server = queue()
    generous, strict = Asked(server, entry, 5), Asked(server, entry, 2)
    strict.count = 100
    for _ in range(5):
        generous.go()
        clock.advance(1.0)
    assert strict.acquire()[1].wait == pytest.approx(WINDOW - 2 + 0.001, abs=0.003)


def test_a_refused_write_has_written_nothing(queue, entry, clock, settings):
    """A call whose first write was refused can be withdrawn, and is not retried then."""
    server = queue()
    asked = Asked(server, entry, 5)
    asked.go(refused=True, pause=0.0, back_to="r")
    assert withdraw(settings, entry.job_id, entry.stream_id) == "ended"
    assert asked.acquire()[1].word == "withdrawn"


def test_a_caller_that_gave_up_during_a_refused_write(queue, entry, clock, settings):
    """A write whose caller gave up while it was in the air is not retried once refused."""
    asked = Asked(queue(), entry, 5)
    slot, permit = asked.acquire()
    assert withdraw(settings, entry.job_id, entry.stream_id) == "started"
    asked.release_slot(slot, permit, refused=True, pause=0.0, back_to="r")
    assert asked.acquire()[1].word == "withdrawn"


def test_the_age_of_a_job_is_told_with_it(queue, entry, clock, raw, keys):
    """A server knows how long a job has waited on Redis's clock, and so its deadline on its own."""
    enqueued = int(entry.stream_id.partition("-")[0]) / 1000
    clock.set(enqueued + 12.5)
    found = queue().head(LANE)
    assert found.age == 12.5
    assert found.deadline(20.0) == pytest.approx(found.seen + 7.5)
    assert found.deadline(None) is None


def test_google_may_ask_for_longer_pauses_only(queue, entry, clock):
    """A Retry-After of 0 does not end the growing of the pauses."""
    asked = Asked(queue(), entry, 0, kind="drive")
    pauses = []
    for _ in range(5):
        pauses.append(asked.go(refused=True, pause=0.0).pause)
        clock.advance(pauses[-1])
    assert all(
        step / 2 <= pause <= step for pause, step in zip(pauses, [1, 2, 4, 8, 16], strict=True)
    )


def test_a_low_limit_recovers_as_slowly_as_a_high_one(queue, entry, clock):
    """A limit of two that was lowered to one is two again after ten quiet windows, not one."""
    asked = Asked(queue(), entry, 2)
    assert asked.go(refused=True).limit == 1
    limits = []
    for _ in range(11):
        clock.advance(WINDOW + 0.001)
        limits.append(asked.go().limit)
    assert limits == [1] * 9 + [2] * 2


def test_a_late_copy_of_a_settlement_changes_no_mark(queue, entry, clock):
    """A settlement that arrives twice does not take back the mark of the request after it."""
    server = queue()
    asked = Asked(server, entry, 5)
    slot, permit = asked.acquire()
    asked.release_slot(slot, permit, refused=True, back_to="r")
    clock.advance(2.0)
    asked.acquire()
    assert server.head(LANE).mark == "w"
    asked.release_slot(slot, permit, refused=True, back_to="r")
    assert server.head(LANE).mark == "w"


def test_a_late_copy_of_a_question_lowers_no_mark(queue, entry, clock):
    """A question that arrives late does not make a call that may have written one that read."""
    server = queue()
    asked = Asked(server, entry, 5)
    slot = asked.slot()
    acquire(server, entry, "r", None, slot)
    asked.acquire()
    acquire(server, entry, "r", None, slot)
    assert server.head(LANE).mark == "w"


def test_a_late_copy_of_a_question_frees_no_slot_that_was_used(queue, entry, clock, raw, keys):
    """A question that arrives after its call's end leaves the slot that was taken held."""
    server = queue()
    asked = Asked(server, entry, 5)
    slot, permit = asked.acquire()
    asked.release_slot(slot, permit)
    answer(server, entry, b"reply")
    assert asked.acquire(slot)[1].word == "withdrawn"
    score = raw.zscore(keys.slots("write"), slot.name)
    assert score == pytest.approx((clock.now + WINDOW) * 1000)
