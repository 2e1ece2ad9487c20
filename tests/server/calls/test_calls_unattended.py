"""What a server knows of the signed calls that nobody waits for, without a Redis."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hand_clock import HandClock
from hypothesis import given
from hypothesis import strategies as st
from signing_fixtures import KEY, OTHER

from queued_gspread.broker import AnsweredIds, StaleEpochError, Vouched
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.protocol.messages import UNATTENDED_TIMEOUT
from queued_gspread.protocol.signing import Keyring
from queued_gspread.server.calls.unattended import Unattended

NOW = 1_767_355_200_000
DAY = round(UNATTENDED_TIMEOUT * 1000)
KEYS = Keyring((KEY.encode(),))


class Queue:
    """What Redis has, and does as ``vouch_for`` in common.lua does."""

    def __init__(self, clock, epoch=NOW):
        self._clock, self._began = clock, clock()
        self.epoch = str(epoch)
        self.head, self.ids = b"", {}
        self.error = None
        self.loses = False

    def answered(self):
        return AnsweredIds(self.head, dict(self.ids), self.moment)

    @property
    def moment(self):
        return NOW + round((self._clock() - self._began) * 1000)

    def later(self):
        """Let a new epoch begin."""
        self._clock.now += 1.0
        self.epoch = str(int(self.epoch) + 10)

    def vouch(self, vouched):
        self.head, self.ids = b"", {}
        self.take(vouched)

    def take(self, vouched):
        if self.loses:
            raise BrokerUnavailableError
        told = json.loads(vouched.encode())
        if self.head in vouched.before:
            self.ids.update(vouched.ids)
            self.ids = {name: at for name, at in self.ids.items() if at > int(told["floor"])}
            self.head = vouched.head
        elif self.head != vouched.head:
            self.head = b""
        if self.error is not None:
            raise self.error


@pytest.fixture
def queue(clock):
    return Queue(clock)


@pytest.fixture
def server(clock, queue):
    """Return a function that makes a server that has taken over."""

    def make(keyring=KEYS, **options):
        made = Unattended("space", keyring, clock=clock, **options)
        made.load(queue)
        return made

    return make


def test_a_successor_knows_what_was_answered(server, queue):
    """Every id that was answered is known by the next server, and later jobs are valid."""
    first = server()
    for number in range(20):
        first.answer({f"id{number}": NOW + number}, queue.take)
    second = server()
    assert all(second.was_answered(f"id{number}") for number in range(20))
    assert second.is_valid(NOW + 1)
    assert not second.was_answered("id20")


def test_nothing_is_sent_for_what_somebody_waits_for(server):
    """Answers to jobs that are waited for change nothing of this."""
    assert server().answer({}, lambda vouched: vouched) == Vouched()
    assert Vouched().encode() == ""


def test_a_job_is_valid_for_a_day(server, clock):
    """A job that was signed a day ago is not valid any more."""
    known = server()
    assert known.is_valid(NOW + 1)
    clock.now += UNATTENDED_TIMEOUT + 1.0
    assert not known.is_valid(NOW + 1)
    assert known.is_valid(NOW + 2000)


def test_ids_are_dropped_once_their_jobs_are_not_valid(server, queue, clock):
    """Neither memory nor Redis keeps ids for longer than a day and an hour."""
    known = server()
    known.answer({"old": NOW + 1}, queue.take)
    clock.now += 1.05 * UNATTENDED_TIMEOUT
    known.answer({"new": NOW + DAY}, queue.take)
    assert queue.ids == {"new": NOW + DAY}
    assert not known.was_answered("old")
    assert not known.is_valid(NOW + 1)
    assert server().was_answered("new")


def test_the_number_of_ids_is_bounded(server, queue):
    """Beyond the bound the oldest ids are dropped, and jobs as old are refused, not made again."""
    known = server(most=100)
    for number in range(1, 301):
        known.answer({f"id{number}": NOW + number}, queue.take)
        assert len(queue.ids) <= 101
    for one in (known, server(most=100)):
        assert not any(
            one.is_valid(NOW + number) and not one.was_answered(f"id{number}")
            for number in range(1, 301)
        )
        assert one.is_valid(NOW + 301)


@pytest.mark.parametrize("arrives", [False, True])
def test_an_answer_of_which_nobody_knows_is_taken_in_with_the_next(server, queue, arrives):
    """Whether an answer came to Redis before the connection broke, the next server knows all."""
    first = server()
    first.answer({"a": NOW + 1}, queue.take)
    queue.error, queue.loses = BrokerUnavailableError(), not arrives
    with pytest.raises(BrokerUnavailableError):
        first.answer({"b": NOW + 2}, queue.take)
    queue.error, queue.loses = None, False
    first.load(queue)
    first.answer({"c": NOW + 3}, queue.take)
    second = server()
    assert [second.was_answered(name) for name in "abc"] == [True] * 3
    assert second.is_valid(NOW + 4)


@pytest.mark.parametrize("arrives", [False, True])
def test_the_same_server_goes_on_after_it(server, queue, arrives):
    """A server that begins a new epoch then believes what Redis has."""
    first = server()
    queue.error, queue.loses = BrokerUnavailableError(), not arrives
    with pytest.raises(BrokerUnavailableError):
        first.answer({"b": NOW + 2}, queue.take)
    queue.error, queue.loses = None, False
    first.begin()
    first.load(queue)
    assert first.is_valid(NOW + 1)
    assert first.was_answered("b") == arrives


def test_what_an_ended_epoch_has_not_written_is_not_known(server, queue):
    """An answer that was refused as stale is none: the job is still in its lane."""
    first = server()
    with pytest.raises(StaleEpochError):
        first.answer({"a": NOW + 1}, _stale)
    assert not first.was_answered("a")
    first.answer({"b": NOW + 2}, queue.take)
    assert queue.ids == {"b": NOW + 2}
    assert server().is_valid(NOW + 1)


def _stale(_):
    raise StaleEpochError


def test_a_failover_that_loses_something_is_put_right_by_who_goes_on(server, queue):
    """In one epoch this server knows best: what a new master lacks is written there again."""
    first = server()
    first.answer({"a": NOW + 1}, queue.take)
    before = queue.head, dict(queue.ids)
    first.answer({"b": NOW + 2}, queue.take)
    queue.head, queue.ids = before
    first.load(queue)
    assert queue.ids == {"a": NOW + 1, "b": NOW + 2}
    second = server()
    assert second.was_answered("b")
    assert second.is_valid(NOW + 1)


def test_in_a_new_epoch_an_older_state_is_not_believed(server, queue):
    """Another server may have worked in between: jobs that wait are refused then."""
    first = server()
    first.answer({"a": NOW + 1}, queue.take)
    before = queue.head, dict(queue.ids)
    first.answer({"b": NOW + 2}, queue.take)
    queue.head, queue.ids = before
    queue.later()
    first.begin()
    first.load(queue)
    assert not first.is_valid(NOW + 3)
    queue.later()
    assert server().is_valid(NOW + 11)


def test_a_standby_believes_nothing_older_than_it_has_seen(server, queue, clock):
    """What a standby server has seen signed is the least that it believes."""
    first = server()
    standby = Unattended("space", KEYS, clock=clock)
    before = queue.head, dict(queue.ids)
    first.answer({"b": NOW + 2}, queue.take)
    for head in (queue.head, b"HS256::forged:99 0 0", b""):
        standby.saw(head)
    queue.head, queue.ids = before
    queue.later()
    standby.load(queue)
    assert not standby.is_valid(NOW + 3)


def test_epochs_in_which_nothing_was_answered(server, queue):
    """A server that begins one epoch after the other goes on believing what Redis has."""
    first = server()
    first.answer({"a": NOW + 1}, queue.take)
    for _ in range(3):
        queue.later()
        first.begin()
        first.load(queue)
        assert first.is_valid(NOW + 1)
        assert first.was_answered("a")
    assert server().is_valid(NOW + 1)


def test_a_refused_job_leaves_nothing(server, queue):
    """The answer to a job that is not valid any more changes nothing for the next server."""
    first = server()
    assert not first.is_valid(NOW - 1000)
    first.answer({"refused": NOW - 1000, "made": NOW + 1}, queue.take)
    first.answer({"refused too": NOW - 1000}, queue.take)
    queue.later()
    second = server()
    assert second.was_answered("made")
    assert second.is_valid(NOW + 2)


def test_numbers_grow_over_all_servers(server, queue, clock):
    """A state is older than what a later server has signed, even if that began with nothing."""
    first = server()
    for number in range(50):
        first.answer({f"id{number}": NOW + number}, queue.take)
    before = queue.head, dict(queue.ids)
    queue.head, queue.ids = b"", {}
    queue.later()
    standby = Unattended("space", KEYS, clock=clock)
    server().answer({"a": NOW + 100}, queue.take)
    standby.saw(queue.head)
    queue.head, queue.ids = before
    queue.later()
    standby.load(queue)
    assert not standby.is_valid(NOW + 16)


def test_a_clock_that_redis_has_had_set_back_makes_no_old_job_valid(server, queue):
    """What cannot be believed counts from the epoch, which never goes back."""
    queue.epoch = str(NOW - 5000)
    assert server().is_valid(NOW - 4999)
    queue.head = b"forged"
    queue.epoch = str(NOW + 5000)
    assert not server().is_valid(NOW - 10)


def test_keys_are_changed_without_a_break(server, queue):
    """What was signed with any of the keys of a file is believed, and nothing else is."""
    both = Keyring((OTHER.encode(), KEY.encode()))
    server().answer({"a": NOW + 1}, queue.take)
    second = server(both)
    assert second.was_answered("a")
    second.answer({"b": NOW + 2}, queue.take)
    assert server(Keyring((OTHER.encode(),))).was_answered("b")
    queue.later()
    assert not server(Keyring((b"x" * 40,))).is_valid(NOW + 3)


def test_what_is_signed_is_for_one_namespace(server, queue, clock):
    """What a server has signed for another namespace is not believed."""
    server().answer({"a": NOW + 1}, queue.take)
    queue.later()
    other = Unattended("another", KEYS, clock=clock)
    other.load(queue)
    assert not other.is_valid(NOW + 3)


STEPS = st.sampled_from(["answer", "refuse", "lost", "late", "epoch", "successor", "wait"])


@given(st.lists(STEPS, max_size=40))
def test_whatever_happens_the_next_server_believes_it(steps):
    """Without any stranger, a server believes its predecessor, and makes nothing twice."""
    clock = HandClock()
    queue, answered = Queue(clock), {}
    server = _begun(clock, queue)
    for number, step in enumerate(steps):
        clock.now += 1.0
        ids = {f"id{number}": queue.moment}
        if step == "refuse":
            ids = {f"id{number}": NOW - 5 * DAY}
        elif step == "wait":
            clock.now += UNATTENDED_TIMEOUT / 3
        if step in ("answer", "refuse", "lost", "late"):
            if step != "lost":
                answered |= ids
            _answer(server, queue, ids, step)
        if step in ("epoch", "successor"):
            queue.epoch = str(queue.moment)
            if step == "epoch":
                server.begin()
                server.load(queue)
            else:
                server = _begun(clock, queue)
            assert server.is_valid(queue.moment - 500)
        last = queue.moment
        clock.now += 1.0
        queue.epoch = str(queue.moment)
        other = _begun(clock, Copied(queue))
        assert other.is_valid(last)
        for one in (server, other):
            again = [name for name, at in answered.items() if one.is_valid(at)]
            assert all(one.was_answered(name) for name in again)


def _begun(clock, queue):
    server = Unattended("space", KEYS, most=5, clock=clock)
    server.load(queue)
    return server


def _answer(server, queue, ids, step):
    queue.loses = step == "lost"
    queue.error = BrokerUnavailableError() if step in ("lost", "late") else None
    with suppress(BrokerUnavailableError):
        server.answer(ids, queue.take)
    queue.loses, queue.error = False, None
    if step in ("lost", "late"):
        server.load(queue)  # as whoever has lost the connection does


class Copied(Queue):
    """A queue as it is now, which is not changed by this."""

    def __init__(self, queue):
        super().__init__(queue._clock, queue.epoch)
        self._began = queue._began
        self.head, self.ids = queue.head, dict(queue.ids)
