"""What is known of the jobs behind the open ones of a lane."""

from __future__ import annotations

from dataclasses import replace

import pytest

from queued_gspread.broker import Entry
from queued_gspread.server.ahead import Ahead
from queued_gspread.server.together import MOST_BYTES, MOST_CALLS


def entry(number, **others):
    given = {"lane": "lane", "entry": f"{number}-0", "job_id": f"id{number}", "body": b"12345"}
    return Entry(**(given | {"mark": "", "waiting": 9} | others))


@pytest.fixture
def ahead():
    """Return what is known once the first of six jobs is let in, and three more were looked at."""
    ahead = Ahead()
    ahead.begin_at(entry(1))
    ahead.saw([entry(2), entry(3), entry(4)])
    return ahead


def test_who_is_let_in_is_the_last_one(ahead):
    """The next look is at those behind the last one that was let in."""
    ahead.let_in()
    assert (ahead.last, [each.entry for each in ahead.seen]) == ("2-0", ["3-0", "4-0"])


@pytest.mark.parametrize(("head", "left"), [(2, ["3-0", "4-0"]), (3, ["4-0"]), (7, [])])
def test_who_was_looked_at_is_known_when_the_lane_goes_on(ahead, head, left):
    """Behind the new head are those that were seen behind it; who is gone is forgotten."""
    ahead.block()
    ahead.begin_at(entry(head))
    assert [each.entry for each in ahead.seen] == left
    assert (ahead.last, ahead.waiting, ahead.is_blocked) == (f"{head}-0", 8, False)


def test_nobody_stands_behind_a_job_that_a_server_has_died_with():
    """Such a job is made alone."""
    ahead = Ahead()
    ahead.begin_at(entry(1, deaths=1))
    assert ahead.is_blocked


def test_a_look_is_twice_as_large_as_the_one_before(ahead):
    """Where all may run together few looks are needed, and where one may not, little is read."""
    first = ahead.room([])[0]
    ahead.saw([])
    assert ahead.room([])[0] == 2 * first
    for _ in range(10):
        ahead.saw([])
    assert ahead.room([])[0] == MOST_CALLS
    ahead.block()
    assert ahead.room([])[0] < first


def test_a_look_is_no_larger_than_what_runs_together(ahead):
    """So many calls and bytes are open at the most."""
    for _ in range(10):
        ahead.saw([])
    open_ones = [entry(number) for number in range(MOST_CALLS - 3)]
    assert ahead.room(open_ones) == (3, MOST_BYTES - 5 * len(open_ones))
    assert ahead.room([entry(1, body=bytes(MOST_BYTES + 1))])[1] == 0


def test_what_a_job_was_begun_with_is_used_once(ahead):
    """A job that had to wait for its turn is not begun again when that has come."""
    begun = object()
    ahead.block(entry(2), begun)
    ahead.begin_at(entry(2))
    assert ahead.begun(entry(2)) is begun
    assert ahead.begun(entry(2)) is None


@pytest.mark.parametrize(
    "other", [{"entry": "9-0"}, {"body": b"other"}, {"mark": "r"}, {"deaths": 1}], ids=str
)
def test_a_job_is_begun_anew_unless_it_is_the_very_same(ahead, other):
    """What another job was begun with, or the same one before somebody else had it, is dropped."""
    ahead.block(entry(2), object())
    assert ahead.begun(replace(entry(2), **other)) is None


def test_who_was_not_admitted_is_begun_with_nothing(ahead):
    """A job that is let in only when its turn comes has not been begun."""
    ahead.block(None, None)
    assert ahead.is_blocked
    assert ahead.begun(entry(2)) is None
