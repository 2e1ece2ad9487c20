"""What is known of the jobs behind the open ones of a lane."""

from __future__ import annotations

from dataclasses import replace

import pytest

from queued_gspread.broker import Entry
from queued_gspread.server.calls.call import Call
from queued_gspread.server.lanes.grouping import MOST_BYTES, MOST_CALLS
from queued_gspread.server.lanes.lookahead import Lookahead


def entry(number, **others):
    given = {"lane": "lane", "stream_id": f"{number}-0", "job_id": f"id{number}", "body": b"12345"}
    return Entry(**(given | {"mark": "", "waiting": 9} | others))


def begun(number, **others):
    """Return a call of a job that was begun."""
    return Call(entry(number, **others), None)


@pytest.fixture
def ahead():
    """Return what is known once the first of nine jobs is let in, and three more were looked at."""
    ahead = Lookahead()
    ahead.begin_at(entry(1))
    ahead.saw([entry(2), entry(3), entry(4)], 16)
    return ahead


def places(ahead):
    return [each.stream_id for each in ahead.seen]


def test_who_is_let_in_is_the_last_one(ahead):
    """The next look is at those behind the last one that was let in."""
    ahead.let_in()
    assert (ahead.last, places(ahead)) == ("2-0", ["3-0", "4-0"])


@pytest.mark.parametrize(("head", "left"), [(2, ["3-0", "4-0"]), (3, ["4-0"]), (7, [])])
def test_who_was_looked_at_is_known_when_the_lane_goes_on(ahead, head, left):
    """Behind the new head are those that were seen behind it; who is gone is forgotten."""
    ahead.block()
    ahead.begin_at(entry(head))
    assert places(ahead) == left
    assert (ahead.last, ahead.waiting, ahead.is_blocked) == (f"{head}-0", 8, False)


def test_who_was_looked_at_long_ago_is_looked_at_again(ahead):
    """Some may have given up since."""
    ahead.begin_at(entry(2, seen=ahead.seen[0].seen + 1.5))
    assert places(ahead) == []


def test_large_jobs_are_not_kept(ahead):
    """What a lane keeps while it waits is small, whatever stands in it."""
    ahead.saw([entry(5, body=bytes(9_990)), entry(6), entry(7)], 16)
    ahead.block(begun(2, body=bytes(10_001)))
    assert places(ahead) == ["2-0", "3-0", "4-0"]
    assert ahead.begun(entry(2, body=bytes(10_001))) is None


def test_nobody_stands_behind_a_job_that_a_server_has_died_with():
    """Such a job is made alone."""
    ahead = Lookahead()
    ahead.begin_at(entry(1, deaths=1))
    assert ahead.is_blocked


def test_a_full_look_is_followed_by_one_twice_as_large():
    """Where all may run together few looks are needed."""
    ahead, asked = Lookahead(), []
    for _ in range(8):
        asked.append(ahead.room([])[0])
        ahead.saw([entry(1)] * asked[-1], asked[-1])
    assert asked == [16, 32, 64, 128, 256, MOST_CALLS, MOST_CALLS, MOST_CALLS]


@pytest.mark.parametrize(
    "end", [lambda ahead: ahead.saw([], 500), Lookahead.block], ids=["end", "bar"]
)
def test_little_is_read_where_few_may_run_together(end):
    """Who was looked at counts as handed out: a server that dies takes few along."""
    ahead = Lookahead(look=MOST_CALLS)
    end(ahead)
    assert ahead.room([])[0] == 16


def test_a_look_is_no_larger_than_what_runs_together():
    """So many calls and bytes are open at the most."""
    ahead = Lookahead(look=MOST_CALLS)
    open_ones = [entry(number) for number in range(MOST_CALLS - 3)]
    assert ahead.room(open_ones) == (3, MOST_BYTES - 5 * len(open_ones))
    assert ahead.room([entry(1, body=bytes(MOST_BYTES + 1))])[1] == 0


def test_a_call_that_had_to_wait_is_not_begun_again(ahead):
    """A job that is begun when its turn comes goes on from there, once."""
    call = begun(2)
    ahead.block(call)
    ahead.begin_at(entry(2))
    assert ahead.begun(entry(2)) is call
    assert ahead.begun(entry(2)) is None


@pytest.mark.parametrize(
    "other",
    [{"stream_id": "9-0"}, {"job_id": "id9"}, {"body": b"other"}, {"mark": "r"}, {"deaths": 1}],
    ids=str,
)
def test_a_job_is_begun_anew_unless_it_is_the_very_same(ahead, other):
    """The call of another job, or of this one before somebody else had it, is dropped."""
    ahead.block(begun(2))
    assert ahead.begun(replace(entry(2), **other)) is None


def test_who_was_not_admitted_is_not_begun(ahead):
    """A job that is let in only when its turn comes has no call yet."""
    ahead.block()
    assert ahead.is_blocked
    assert ahead.begun(entry(2)) is None
