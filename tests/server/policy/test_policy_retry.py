"""How long a request is tried for: pauses, an end to them, and refused tokens. Pure."""

from __future__ import annotations

import math

import pytest
from gate import google_error
from hypothesis import given
from hypothesis import strategies as st

from queued_gspread.server.policy.request import Exchange, Failure, Request
from queued_gspread.server.policy.retry import Effort, Patience, backoff
from queued_gspread.server.policy.verdict import Judgement, Verdict

WINDOW = 60.0
UNKNOWN = Judgement(Verdict.UNKNOWN)
NOT_SENT = Judgement(Verdict.NOT_SENT)
QUOTA = Judgement(Verdict.REFUSED_QUOTA)
NO_TOKEN = Judgement(Verdict.UNAUTHENTICATED)
FAILED = Exchange(Request("get", "x"), Failure(google_error(503)))


def fail(effort, judgement, now=0.0, patience=None, *, jitter=1.0, least=0.0):
    """Let an attempt fail; return the seconds until the next, or None if there is none."""
    patience = patience or Patience()
    if not effort.goes_on_after(FAILED, judgement, patience, now):
        return None
    return effort.wait(judgement, patience, now, jitter, least)


def test_pauses_double_from_a_sixtieth_of_the_window_up_to_all_of_it():
    """The pauses in a row are 1, 2, 4, … steps of a sixtieth window, and a window at the most."""
    effort = Effort()
    assert [fail(effort, UNKNOWN) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


@given(st.integers(1, 10_000), st.floats(0.001, 3600), st.floats(0, 1))
def test_a_pause_is_within_its_bounds(failures, window, jitter):
    """Whatever the jitter, a pause is half of the full one at least, and no longer than it."""
    full = backoff(failures, window, 1.0)
    assert full / 2 * 0.999 <= backoff(failures, window, jitter) <= full
    assert window / 60 * 0.999 <= full <= window * 1.001
    assert backoff(failures, window, 0.0) == pytest.approx(full / 2)


@given(st.integers(1, 10_000), st.floats(0.001, 3600), st.floats(0, 1))
def test_pauses_never_shrink(failures, window, jitter):
    """With the same jitter, a pause after more failures is no shorter."""
    assert backoff(failures, window, jitter) <= backoff(failures + 1, window, jitter)


@pytest.mark.parametrize("judgement", [UNKNOWN, NOT_SENT])
def test_the_moment_of_the_next_attempt(judgement):
    """The next attempt's moment is the present one plus the pause that is told."""
    effort = Effort()
    assert fail(effort, judgement, 100.0, jitter=0.5) == 0.75
    assert effort.not_before == 100.75
    assert effort.last is FAILED


def test_it_ends_after_retry_for():
    """The first failure sets the moment after which there is no attempt, later ones keep it."""
    effort, patience = Effort(), Patience(retry_for=10.0)
    assert effort.give_up_at == math.inf
    assert fail(effort, UNKNOWN, 100.0, patience)
    assert effort.give_up_at == 110.0
    assert fail(effort, UNKNOWN, 109.9, patience)
    assert effort.give_up_at == 110.0
    assert fail(effort, UNKNOWN, 110.0, patience) is None
    assert effort.last is FAILED


@pytest.mark.parametrize("judgement", [UNKNOWN, NOT_SENT, QUOTA, NO_TOKEN])
def test_no_second_attempt_without_time_for_it(judgement):
    """With a retry_for of 0 the first failure is the end."""
    assert fail(Effort(), judgement, 5.0, Patience(retry_for=0.0)) is None


def test_five_refused_tokens_in_a_row_are_the_end():
    """A request goes out five times with tokens that are refused, and not a sixth time."""
    effort = Effort()
    assert [fail(effort, NO_TOKEN) for _ in range(5)] == [0.0, 1.0, 2.0, 4.0, None]


@pytest.mark.parametrize("between", [UNKNOWN, NOT_SENT, QUOTA])
def test_refused_tokens_are_counted_in_a_row(between):
    """Whatever else comes in between, the count of refused tokens starts over."""
    effort = Effort()
    for _ in range(4):
        assert fail(effort, NO_TOKEN) is not None
    assert fail(effort, between) is not None
    assert fail(effort, NO_TOKEN) == 0.0
    for _ in range(3):
        assert fail(effort, NO_TOKEN)
    assert fail(effort, NO_TOKEN) is None


def test_a_refusal_for_the_quota_has_its_pause_elsewhere():
    """However often the quota refuses it, a request adds no pause to that of its kind."""
    effort = Effort()
    assert [fail(effort, QUOTA, 7.0) for _ in range(9)] == [0.0] * 9
    assert effort.not_before == 7.0
    assert fail(effort, UNKNOWN) == 1.0


@pytest.mark.parametrize(("after", "pause"), [(None, 1.0), (0.0, 1.0), (0.5, 1.0), (30.0, 30.0)])
def test_a_retry_after_makes_a_pause_longer_only(after, pause):
    """The pause is what the answer asks for where that is more than the own one."""
    assert fail(Effort(), Judgement(Verdict.UNKNOWN, after)) == pause


@pytest.mark.parametrize("judgement", [UNKNOWN, QUOTA, NO_TOKEN])
def test_a_guard_is_the_least_pause(judgement):
    """No attempt comes before the guard is over, whatever the failure was."""
    effort = Effort()
    assert fail(effort, judgement, 100.0, least=20.0) == 20.0
    assert effort.not_before == 120.0


def test_a_guard_shortens_no_pause():
    """Where the own pause is longer than the guard, it holds."""
    effort = Effort()
    for _ in range(5):
        fail(effort, UNKNOWN)
    assert fail(effort, UNKNOWN, least=20.0) == 32.0


def in_vain():
    """Return an effort of which a piece has failed for all of its time, at the next piece."""
    effort, patience = Effort(), Patience(retry_for=10.0)
    assert fail(effort, UNKNOWN, 0.0, patience)
    assert fail(effort, UNKNOWN, 10.0, patience) is None
    assert effort.divides(UNKNOWN, is_in_time=False, is_spent=True)
    effort.begin()
    return effort, patience


def test_a_piece_after_one_in_vain_is_tried_twice():
    """Once a piece has failed for all of its time, the next ones have a second attempt each."""
    effort, patience = in_vain()
    for _ in range(3):
        assert fail(effort, UNKNOWN, 10.0, patience) == 1.0
        effort.divides(UNKNOWN, is_in_time=True, is_spent=False)
        assert fail(effort, UNKNOWN, 11.0, patience) is None
        effort.divides(UNKNOWN, is_in_time=False, is_spent=True)
        effort.begin()


@pytest.mark.parametrize("judgement", [NOT_SENT, QUOTA, NO_TOKEN])
def test_what_is_nobodys_has_all_of_its_time_for_each_piece(judgement):
    """A piece that is not taken, whatever is in it, is tried for as long as if it came alone."""
    effort, patience = in_vain()
    for now in (10.0, 15.0, 19.9):
        assert fail(effort, judgement, now, patience) is not None
    assert fail(effort, judgement, 20.0, patience) is None


def test_after_twenty_failures_in_vain_nothing_is_divided():
    """Where nothing goes through any more, it is none of the calls, and no piece goes on."""
    effort, _ = in_vain()
    divided = [effort.divides(UNKNOWN, is_in_time=True, is_spent=False) for _ in range(20)]
    assert divided == [True] * 19 + [False]
    effort.passed()
    assert effort.divides(UNKNOWN, is_in_time=False, is_spent=True)


def test_a_deadline_of_one_takes_no_time_from_another():
    """Where a piece ends since its caller waits no longer, the next one has all of its time."""
    effort, patience = Effort(), Patience(retry_for=10.0)
    assert fail(effort, UNKNOWN, 0.0, patience)
    effort.divides(UNKNOWN, is_in_time=False, is_spent=False)
    effort.begin()
    assert all(fail(effort, UNKNOWN, now, patience) for now in (1.0, 3.0, 9.0))
