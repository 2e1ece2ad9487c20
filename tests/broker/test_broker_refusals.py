"""What a refusal for the quota holds up, and for how long, under a clock of the tests."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from permits_helpers import WINDOW, Asked, take_over

from queued_gspread.broker import Slot
from queued_gspread.broker.held import Pace

DAY = 86_400.0
EXAMPLES = examples(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# A configured limit, and kinds that have none.
LIMITS = [("write", 60), ("drive", 0)]
each_kind = pytest.mark.parametrize(("kind", "limit"), LIMITS)


# One goes first ---------------------------------------------------------------------------------


@each_kind
def test_what_was_sent_before_a_refusal_is_not_waited_for(queue, entry, clock, kind, limit):
    """After a refusal one request goes first, however long an older one is in the air."""
    asked = Asked(queue(), entry, limit, kind=kind)
    old = asked.acquire()
    asked.go(refused=True, pause=1.0)
    clock.advance(1.0)
    trial = asked.acquire()
    assert trial[1].word == "go"
    assert asked.acquire()[1].wait == math.inf
    asked.release_slot(*trial)
    assert [asked.acquire()[1].word for _ in range(5)] == ["go"] * 5
    asked.release_slot(*old)


@each_kind
def test_an_older_answer_does_not_speak_for_the_one_that_went_first(
    queue, entry, clock, kind, limit
):
    """A success of what was sent before the refusal lets no second request through."""
    asked = Asked(queue(), entry, limit, kind=kind)
    old = asked.acquire()
    clock.advance(1.0)
    asked.go(refused=True, pause=1.0)
    clock.advance(1.0)
    assert asked.acquire()[1].is_trial
    asked.release_slot(*old)
    assert asked.acquire()[1].wait == math.inf


@each_kind
def test_a_slow_trial_is_waited_for_one_window(queue, entry, clock, kind, limit):
    """The request that went first holds the others up for a window, and then another one goes."""
    asked = Asked(queue(), entry, limit, kind=kind)
    asked.go(refused=True, pause=1.0)
    clock.advance(1.0)
    asked.acquire()
    clock.advance(WINDOW - 0.001)
    assert asked.acquire()[1].wait == math.inf
    clock.advance(0.001)
    assert asked.acquire()[1].is_trial
    assert asked.acquire()[1].wait == math.inf


@each_kind
def test_a_trial_that_was_refused_is_followed_by_another(queue, entry, clock, kind, limit):
    """Each pause in a row of refusals is followed by one request, and the pauses grow."""
    asked = Asked(queue(), entry, limit, kind=kind)
    pauses = []
    for _ in range(4):
        pauses.append(asked.go(refused=True).pause)
        assert 0 < asked.acquire()[1].wait < math.inf
        clock.advance(pauses[-1])
    assert all(step / 2 <= pause <= step for pause, step in zip(pauses, [1, 2, 4, 8], strict=True))


@each_kind
def test_a_trial_that_shows_nothing_is_followed_by_another(queue, entry, clock, kind, limit):
    """Where the one that went first got no answer, the next one goes alone, and not the rest."""
    asked = Asked(queue(), entry, limit, kind=kind)
    asked.go(refused=True, pause=1.0)
    clock.advance(1.0)
    for passed in (False, False, True):
        trial = asked.acquire()
        assert trial[1].is_trial
        assert asked.acquire()[1].wait == math.inf
        asked.release_slot(*trial, passed=passed)
    assert [asked.acquire()[1].word for _ in range(5)] == ["go"] * 5


@each_kind
def test_a_trial_that_shows_nothing_for_a_window(queue, entry, clock, kind, limit):
    """Once a window has passed since the refusal, silence holds nobody up: the quota is new."""
    asked = Asked(queue(), entry, limit, kind=kind)
    asked.go(refused=True, pause=1.0)
    clock.advance(1.0)
    trial = asked.acquire()
    clock.advance(WINDOW - 1.0)
    asked.release_slot(*trial, passed=False)
    assert not asked.acquire()[1].is_trial
    assert asked.acquire()[1].word == "go"


@each_kind
def test_a_trial_whose_server_is_gone_is_not_waited_for(queue, entry, clock, kind, limit):
    """After a takeover another request goes first, at once."""
    server = queue()
    asked = Asked(server, entry, limit, kind=kind)
    asked.go(refused=True, pause=1.0)
    clock.advance(1.0)
    asked.acquire()
    take_over(server)
    assert asked.acquire()[1].is_trial


@each_kind
def test_a_trial_that_is_asked_for_twice_goes(queue, entry, clock, kind, limit):
    """The request that goes first does not wait for itself when a connection broke."""
    asked = Asked(queue(), entry, limit, kind=kind)
    asked.go(refused=True, pause=1.0)
    clock.advance(1.0)
    slot, permit = asked.acquire()
    assert permit.is_trial
    again = asked.acquire(slot)[1]
    assert (again.word, again.is_trial, again.is_held) == ("go", True, True)
    assert asked.acquire()[1].wait == math.inf


# Kinds without a limit --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["write", "drive"])
def test_a_refusal_limits_a_kind_without_a_limit(queue, entry, clock, kind):
    """After a refusal no window holds more than three quarters of what the one before had."""
    asked = Asked(queue(), entry, 0, kind=kind)
    sent = [asked.acquire() for _ in range(400)]
    assert {asked.release_slot(*each, refused=True, pause=1.0).limit for each in sent} == {300}
    clock.advance(1.0)
    asked.go()
    passed = [asked.acquire() for _ in range(300)]
    assert [permit.word for _, permit in passed] == ["go"] * 299 + ["wait"]
    assert all(permit.is_held for _, permit in passed[:-1])


def test_a_refusal_of_few_requests_leaves_googles_own_limit(queue, entry, clock):
    """Where little was sent, it is lowered from what Google allows a project, to half of it."""
    asked = Asked(queue(), entry, 0)
    limits = []
    for _ in range(7):
        limits.append(asked.go(refused=True, pause=1.0).limit)
        clock.advance(WINDOW / 2)
        asked.go()
    assert limits == [225, 225, 168, 168, 150, 150, 150]


def test_the_limit_of_a_kind_without_one_recovers(queue, entry, clock, raw, keys):
    """Quiet windows give it back by quarters; then there is none, and nothing left in Redis."""
    asked = Asked(queue(), entry, 0)
    for pause in (WINDOW - 1.0, WINDOW - 1.0, 5.0):
        asked.go(refused=True, pause=pause)
        clock.advance(pause)
    limits = []
    for _ in range(4):
        limits.append(asked.go().limit)
        clock.advance(WINDOW)
    assert limits == [168, 243, 0, 0]
    assert [asked.acquire()[1].is_held for _ in range(100)] == [False] * 100
    assert not raw.exists(keys.slots("write"), keys.throttle)


def test_the_limit_of_a_kind_without_one_recovers_while_nothing_is_sent(
    queue, entry, clock, raw, keys
):
    """After a day without requests it is gone, whether one had passed before or not."""
    for sends in (True, False):
        asked = Asked(queue(), entry, 0)
        asked.go(refused=True, pause=1.0)
        clock.advance(1.0)
        if sends:
            asked.go()
        clock.advance(DAY)
        asked.go()
        assert not asked.acquire()[1].is_held
        assert not raw.exists(keys.slots("write"), keys.throttle)


def test_the_pace_is_that_of_a_window():
    """What was sent in a window counts until the next one is over, by kind."""
    pace, slot = Pace(), Slot("drive", "1/1", 0, 10.0)
    assert pace.supposed(slot) == 300
    for number in range(400):
        pace.note(slot, 20_000 + number)
    assert (pace.supposed(slot), pace.supposed(Slot("read"))) == (400, 300)
    pace.note(slot, 30_000)
    assert pace.supposed(slot) == 400
    pace.note(slot, 40_000)
    assert pace.supposed(slot) == 300
    pace.note(slot, 0)
    assert pace.supposed(slot) == 300


# Steps of the clock -----------------------------------------------------------------------------


def test_the_interval_is_waited_for_once_after_a_clock_was_set_back(queue, entry, clock):
    """When Redis's clock goes back, the next request goes after the interval."""
    asked = Asked(queue(), entry, 0, interval=2.0)
    asked.go()
    clock.advance(-DAY)
    assert asked.acquire()[1].wait == 2.0
    clock.advance(2.0)
    assert asked.acquire()[1].word == "go"


@each_kind
def test_a_late_refusal_makes_no_pause_longer_after_a_clock_was_set_back(
    queue, entry, clock, kind, limit
):
    """A pause that a slow request's refusal has set begins anew, whenever the row had begun."""
    asked = Asked(queue(), entry, limit, kind=kind)
    old = asked.acquire()
    asked.go(refused=True, pause=1.0)
    clock.advance(170.0)
    asked.release_slot(*old, refused=True, pause=7.0)
    clock.advance(-DAY)
    assert asked.acquire()[1].wait == 7.0
    clock.advance(7.0)
    assert asked.acquire()[1].word == "go"


@each_kind
@pytest.mark.parametrize("step", [-DAY, -1.0, 90.0])
def test_a_trial_in_the_air_when_the_clock_is_set(queue, entry, clock, kind, limit, step):
    """A step while one goes first holds the others up for a window at the most."""
    asked = Asked(queue(), entry, limit, kind=kind)
    asked.go(refused=True, pause=1.0)
    clock.advance(100.0)
    slot, permit = asked.acquire()
    clock.advance(step)
    asked.acquire()
    clock.advance(WINDOW)
    assert asked.acquire()[1].word == "go"
    asked.release_slot(slot, permit)
    assert not asked.acquire()[1].is_trial


@each_kind
def test_a_pause_of_a_clock_that_was_ahead(queue, entry, clock, kind, limit):
    """What was learned while the clock was a day ahead does not outlast its return."""
    asked = Asked(queue(), entry, limit, kind=kind)
    clock.advance(DAY)
    pause = asked.go(refused=True, pause=7.0).pause
    clock.advance(-DAY)
    assert asked.acquire()[1].wait == pause
    clock.advance(pause)
    asked.go()
    limits = []
    for _ in range(6):
        limits.append(asked.go().limit)
        clock.advance(WINDOW)
    assert limits == ([45, 48, 51, 54, 57, 60] if limit else [225, 0, 0, 0, 0, 0])


# All of it at once ------------------------------------------------------------------------------

ACCOUNT = {"read": 4, "write": 60, "drive": 0}
seconds = st.one_of(st.sampled_from([0.0, 0.001, 1.0, 59.999, 60.0, 200.0]), st.floats(0, 300))
numbers = st.integers(0, 99)
sends = st.tuples(st.just("send"), st.sampled_from(sorted(ACCOUNT)))
happenings = st.one_of(
    sends,
    sends,
    st.tuples(st.just("answer"), numbers),
    st.tuples(st.just("lose"), numbers),
    st.tuples(st.just("refuse"), numbers, st.sampled_from([0.0, 0.5, 30.0, 400.0])),
    st.tuples(st.just("pass"), seconds),
)
steps = st.tuples(st.just("step"), st.sampled_from([-DAY, -100.0, -1.0, 1.0, 100.0, DAY]))


class Play:
    """An account's requests of several kinds, and what has to hold of them.

    Its own time is that which passes; the clock of Redis may be set meanwhile.
    """

    def __init__(self, clock, server, entry):
        self.clock, self.now, self.events = clock, 0.0, 0
        self.asked = {
            kind: Asked(server, entry, limit, kind=kind) for kind, limit in ACCOUNT.items()
        }
        self.air = []
        self.ended = {kind: [] for kind in ACCOUNT}
        self.refused = dict.fromkeys(ACCOUNT, 0)
        self.refused_at = dict.fromkeys(ACCOUNT, 0.0)
        self.pauses = dict.fromkeys(ACCOUNT, 0.0)
        self.was_set = self.was_set_ahead = False

    def step(self, seconds):
        self.was_set = True
        self.was_set_ahead |= seconds > 0
        self.clock.advance(seconds)

    def pass_(self, seconds):
        # In whole milliseconds, as far as Redis looks.
        seconds = round(seconds, 3)
        self.now += seconds
        self.clock.advance(seconds)

    def send(self, kind):
        slot, permit = self.asked[kind].acquire()
        self.events += 1
        if permit.word == "go":
            self.check_quota(kind)
            self.check_trial(kind)
            self.air.append((kind, slot, permit, self.now, self.events))
        elif permit.wait < math.inf:
            assert permit.wait <= max(self.pauses[kind], WINDOW + 0.001)
        return permit.word

    def end(self, number, *, passed=True, **answer):
        if not self.air:
            return
        kind, slot, permit, _, sent = self.air.pop(number % len(self.air))
        self.events += 1
        quota_state = self.asked[kind].release_slot(slot, permit, passed=passed, **answer)
        self.ended[kind].append(self.now)
        if not answer and sent > self.refused[kind]:
            if passed or self.now - self.refused_at[kind] >= WINDOW - 0.0005:
                self.refused[kind] = 0
        elif answer:
            self.pauses[kind] = max(self.pauses[kind], quota_state.pause)
            if not self.refused[kind] or sent > self.refused[kind]:
                self.refused[kind] = self.events
                self.refused_at[kind] = self.now

    def in_the_air(self, kind):
        return [each for each in self.air if each[0] == kind]

    def check_quota(self, kind):
        held = len(self.in_the_air(kind)) + sum(
            ended >= self.now - WINDOW for ended in self.ended[kind]
        )
        assert not ACCOUNT[kind] or self.was_set_ahead or held < ACCOUNT[kind]

    def check_trial(self, kind):
        """Check that one alone goes after a refusal; a step leaves open what was before it."""
        since = self.refused[kind]
        if since and not self.was_set:
            assert all(
                sent < since or self.now - at >= WINDOW - 0.001
                for _, _, _, at, sent in self.in_the_air(kind)
            )

    def check_end(self, raw, keys):
        """Check that each kind goes on after its pause and a window, if its limit has room."""
        for kind, limit in ACCOUNT.items():
            self.send(kind)  # whoever waits has asked since the last step
            self.pass_(self.pauses[kind] + WINDOW + 0.002)
            known = math.floor(float(raw.hget(keys.throttle, f"limit:{kind}") or limit))
            if not known or len(self.in_the_air(kind)) < known:
                word = self.send(kind)
                if word != "go" and self.was_set:
                    # A slot of a clock that was ahead is held for a window from the first wait on.
                    self.pass_(WINDOW + 0.002)
                    word = self.send(kind)
                assert word == "go"


def play(happened, clock, server, entry):
    """Let it happen, and return the play."""
    playing = Play(clock, server, entry)
    for what, *given_ in happened:
        if what == "send":
            playing.send(*given_)
        elif what == "answer":
            playing.end(*given_)
        elif what == "lose":
            playing.end(*given_, passed=False)
        elif what == "refuse":
            playing.end(given_[0], refused=True, pause=given_[1])
        elif what == "pass":
            playing.pass_(*given_)
        else:
            playing.step(*given_)
    return playing


@EXAMPLES
@given(happened=st.lists(happenings, max_size=60))
def test_whatever_is_refused(queue, entry, clock, raw, keys, happened):
    """No window holds too many, one goes first after a refusal, and nothing stops for good."""
    play(happened, clock, queue(), entry).check_end(raw, keys)


@EXAMPLES
@given(happened=st.lists(st.one_of(happenings, happenings, steps), max_size=60))
def test_whatever_is_refused_while_the_clock_is_set(queue, entry, clock, raw, keys, happened):
    """Steps of Redis's clock stop nothing for longer than its pause and a window."""
    play(happened, clock, queue(), entry).check_end(raw, keys)
