"""How long a request is tried for: pauses, an end to them, and refused tokens. Pure."""

from __future__ import annotations

import math

import pytest
from gate import google_error
from hypothesis import given
from hypothesis import strategies as st

from queued_gspread.server.policy.request import Exchange, Failure, Request
from queued_gspread.server.policy.retry import Attempts, RetryPolicy, backoff
from queued_gspread.server.policy.verdict import Verdict, VerdictKind

WINDOW = 60.0
UNKNOWN = Verdict(VerdictKind.UNKNOWN)
NOT_SENT = Verdict(VerdictKind.NOT_SENT)
QUOTA = Verdict(VerdictKind.REFUSED_QUOTA)
NO_TOKEN = Verdict(VerdictKind.UNAUTHENTICATED)
FAILED = Exchange(Request("get", "x"), Failure(google_error(503)))


def fail(attempts, verdict, now=0.0, retry_policy=None, *, jitter=1.0, least=0.0):
    """Let an attempt fail; return the seconds until the next, or None if there is none."""
    retry_policy = retry_policy or RetryPolicy()
    if not attempts.goes_on_after(FAILED, verdict, retry_policy, now):
        return None
    return attempts.wait(verdict, retry_policy, now, jitter, least)


def test_pauses_double_from_a_sixtieth_of_the_window_up_to_all_of_it():
    """The pauses in a row are 1, 2, 4, … steps of a sixtieth window, and a window at the most."""
    attempts = Attempts()
    assert [fail(attempts, UNKNOWN) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


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


@pytest.mark.parametrize("verdict", [UNKNOWN, NOT_SENT])
def test_the_moment_of_the_next_attempt(verdict):
    """The next attempt's moment is the present one plus the pause that is told."""
    attempts = Attempts()
    assert fail(attempts, verdict, 100.0, jitter=0.5) == 0.75
    assert attempts.not_before == 100.75
    assert attempts.last is FAILED


def test_it_ends_after_retry_for():
    """The first failure sets the moment after which there is no attempt, later ones keep it."""
    attempts, retry_policy = Attempts(), RetryPolicy(retry_for=10.0)
    assert attempts.give_up_at == math.inf
    assert fail(attempts, UNKNOWN, 100.0, retry_policy)
    assert attempts.give_up_at == 110.0
    assert fail(attempts, UNKNOWN, 109.9, retry_policy)
    assert attempts.give_up_at == 110.0
    assert fail(attempts, UNKNOWN, 110.0, retry_policy) is None
    assert attempts.last is FAILED


@pytest.mark.parametrize("verdict", [UNKNOWN, NOT_SENT, QUOTA, NO_TOKEN])
def test_no_second_attempt_without_time_for_it(verdict):
    """With a retry_for of 0 the first failure is the end."""
    assert fail(Attempts(), verdict, 5.0, RetryPolicy(retry_for=0.0)) is None


def test_five_refused_tokens_in_a_row_are_the_end():
    """A request goes out five times with tokens that are refused, and not a sixth time."""
    attempts = Attempts()
    assert [fail(attempts, NO_TOKEN) for _ in range(5)] == [0.0, 1.0, 2.0, 4.0, None]


@pytest.mark.parametrize("between", [UNKNOWN, NOT_SENT, QUOTA])
def test_refused_tokens_are_counted_in_a_row(between):
    """Whatever else comes in between, the count of refused tokens starts over."""
    attempts = Attempts()
    for _ in range(4):
        assert fail(attempts, NO_TOKEN) is not None
    assert fail(attempts, between) is not None
    assert fail(attempts, NO_TOKEN) == 0.0
    for _ in range(3):
        assert fail(attempts, NO_TOKEN)
    assert fail(attempts, NO_TOKEN) is None


def test_a_refusal_for_the_quota_has_its_pause_elsewhere():
    """However often the quota refuses it, a request adds no pause to that of its kind."""
    attempts = Attempts()
    assert [fail(attempts, QUOTA, 7.0) for _ in range(9)] == [0.0] * 9
    assert attempts.not_before == 7.0
    assert fail(attempts, UNKNOWN) == 1.0


@pytest.mark.parametrize(("after", "pause"), [(None, 1.0), (0.0, 1.0), (0.5, 1.0), (30.0, 30.0)])
def test_a_retry_after_makes_a_pause_longer_only(after, pause):
    """The pause is what the answer asks for where that is more than the own one."""
    assert fail(Attempts(), Verdict(VerdictKind.UNKNOWN, after)) == pause


@pytest.mark.parametrize("verdict", [UNKNOWN, QUOTA, NO_TOKEN])
def test_a_guard_is_the_least_pause(verdict):
    """No attempt comes before the guard is over, whatever the failure was."""
    attempts = Attempts()
    assert fail(attempts, verdict, 100.0, least=20.0) == 20.0
    assert attempts.not_before == 120.0


def test_a_guard_shortens_no_pause():
    """Where the own pause is longer than the guard, it holds."""
    attempts = Attempts()
    for _ in range(5):
        fail(attempts, UNKNOWN)
    assert fail(attempts, UNKNOWN, least=20.0) == 32.0


def in_vain():
    """Return the attempts, at the next piece, of a request whose first piece has failed in vain."""
    attempts, retry_policy = Attempts(), RetryPolicy(retry_for=10.0)
    assert fail(attempts, UNKNOWN, 0.0, retry_policy)
    assert fail(attempts, UNKNOWN, 10.0, retry_policy) is None
    assert attempts.divides(UNKNOWN, is_in_time=False, is_spent=True)
    attempts.begin()
    return attempts, retry_policy


def test_a_piece_after_one_in_vain_is_tried_twice():
    """Once a piece has failed for all of its time, the next ones have a second attempt each."""
    attempts, retry_policy = in_vain()
    for _ in range(3):
        assert fail(attempts, UNKNOWN, 10.0, retry_policy) == 1.0
        attempts.divides(UNKNOWN, is_in_time=True, is_spent=False)
        assert fail(attempts, UNKNOWN, 11.0, retry_policy) is None
        attempts.divides(UNKNOWN, is_in_time=False, is_spent=True)
        attempts.begin()


@pytest.mark.parametrize("verdict", [NOT_SENT, QUOTA, NO_TOKEN])
def test_what_is_nobodys_has_all_of_its_time_for_each_piece(verdict):
    """A piece that is not taken, whatever is in it, is tried for as long as if it came alone."""
    attempts, retry_policy = in_vain()
    for now in (10.0, 15.0, 19.9):
        assert fail(attempts, verdict, now, retry_policy) is not None
    assert fail(attempts, verdict, 20.0, retry_policy) is None


def test_after_twenty_failures_in_vain_nothing_is_divided():
    """Where nothing goes through any more, it is none of the calls, and no piece goes on."""
    attempts, _ = in_vain()
    divided = [attempts.divides(UNKNOWN, is_in_time=True, is_spent=False) for _ in range(20)]
    assert divided == [True] * 19 + [False]
    attempts.passed()
    assert attempts.divides(UNKNOWN, is_in_time=False, is_spent=True)


def test_a_deadline_of_one_takes_no_time_from_another():
    """Where a piece ends since its caller waits no longer, the next one has all of its time."""
    attempts, retry_policy = Attempts(), RetryPolicy(retry_for=10.0)
    assert fail(attempts, UNKNOWN, 0.0, retry_policy)
    attempts.divides(UNKNOWN, is_in_time=False, is_spent=False)
    attempts.begin()
    assert all(fail(attempts, UNKNOWN, now, retry_policy) for now in (1.0, 3.0, 9.0))


def test_the_time_of_retries_stands_still_under_a_pause():
    """However long an operator's pause lasts, a request has as long as it had before."""
    attempts = Attempts()
    attempts.rest(5.0)
    attempts.go_on(50.0)
    assert attempts.give_up_at == math.inf
    assert fail(attempts, UNKNOWN, 0.0, RetryPolicy(retry_for=100.0)) is not None
    attempts.rest(30.0)
    assert attempts.give_up_at == math.inf
    attempts.go_on(1000.0)
    assert attempts.give_up_at == 1070.0
