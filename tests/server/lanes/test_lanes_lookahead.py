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
def lookahead():
    """Return what is known once the first of nine jobs is let in, and three more were looked at."""
    lookahead = Lookahead()
    lookahead.begin_at(entry(1))
    lookahead.saw([entry(2), entry(3), entry(4)], 16)
    return lookahead


def places(lookahead):
    return [each.stream_id for each in lookahead.seen]


def test_who_is_let_in_is_the_last_one(lookahead):
    """The next look is at those behind the last one that was let in."""
    lookahead.let_in()
    assert (lookahead.last, places(lookahead)) == ("2-0", ["3-0", "4-0"])


@pytest.mark.parametrize(("head", "left"), [(2, ["3-0", "4-0"]), (3, ["4-0"]), (7, [])])
def test_who_was_looked_at_is_known_when_the_lane_goes_on(lookahead, head, left):
    """Behind the new head are those that were seen behind it; who is gone is forgotten."""
    lookahead.block()
    lookahead.begin_at(entry(head))
    assert places(lookahead) == left
    assert (lookahead.last, lookahead.waiting, lookahead.is_blocked) == (f"{head}-0", 8, False)


def test_who_was_looked_at_long_ago_is_looked_at_again(lookahead):
    """Some may have given up since."""
    lookahead.begin_at(entry(2, seen=lookahead.seen[0].seen + 1.5))
    assert places(lookahead) == []


def test_large_jobs_are_not_kept(lookahead):
    """What a lane keeps while it waits is small, whatever stands in it."""
    lookahead.saw([entry(5, body=bytes(9_990)), entry(6), entry(7)], 16)
    lookahead.block(begun(2, body=bytes(10_001)))
    assert places(lookahead) == ["2-0", "3-0", "4-0"]
    assert lookahead.begun(entry(2, body=bytes(10_001))) is None


def test_nobody_stands_behind_a_job_that_a_server_has_died_with():
    """Such a job is made alone."""
    lookahead = Lookahead()
    lookahead.begin_at(entry(1, deaths=1))
    assert lookahead.is_blocked


def test_a_full_look_is_followed_by_one_twice_as_large():
    """Where all may run together few looks are needed."""
    lookahead, asked = Lookahead(), []
    for _ in range(8):
        asked.append(lookahead.room([])[0])
        lookahead.saw([entry(1)] * asked[-1], asked[-1])
    assert asked == [16, 32, 64, 128, 256, MOST_CALLS, MOST_CALLS, MOST_CALLS]


@pytest.mark.parametrize(
    "end", [lambda lookahead: lookahead.saw([], 500), Lookahead.block], ids=["end", "bar"]
)
def test_little_is_read_where_few_may_run_together(end):
    """Who was looked at counts as handed out: a server that dies takes few along."""
    lookahead = Lookahead(look=MOST_CALLS)
    end(lookahead)
    assert lookahead.room([])[0] == 16


def test_a_look_is_no_larger_than_what_runs_together():
    """So many calls and bytes are open at the most."""
    lookahead = Lookahead(look=MOST_CALLS)
    open_ones = [entry(number) for number in range(MOST_CALLS - 3)]
    assert lookahead.room(open_ones) == (3, MOST_BYTES - 5 * len(open_ones))
    assert lookahead.room([entry(1, body=bytes(MOST_BYTES + 1))])[1] == 0


def test_a_call_that_had_to_wait_is_not_begun_again(lookahead):
    """A job that is begun when its turn comes goes on from there, once."""
    call = begun(2)
    lookahead.block(call)
    lookahead.begin_at(entry(2))
    assert lookahead.begun(entry(2)) is call
    assert lookahead.begun(entry(2)) is None


@pytest.mark.parametrize(
    "other",
    [{"stream_id": "9-0"}, {"job_id": "id9"}, {"body": b"other"}, {"mark": "r"}, {"deaths": 1}],
    ids=str,
)
def test_a_job_is_begun_anew_unless_it_is_the_very_same(lookahead, other):
    """The call of another job, or of this one before somebody else had it, is dropped."""
    lookahead.block(begun(2))
    assert lookahead.begun(replace(entry(2), **other)) is None


def test_who_was_not_admitted_is_not_begun(lookahead):
    """A job that is let in only when its turn comes has no call yet."""
    lookahead.block()
    assert lookahead.is_blocked
    assert lookahead.begun(entry(2)) is None
