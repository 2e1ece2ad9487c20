"""The judge of quotas finds each excess of a user and of a project, and none that is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from quota_judge import Excess, Sent, excesses, most_in_a_window, sent_in

from queued_gspread.emulator.http.ledger import Served

WINDOW = 10.0


def sent(begin, end=None, account="a", project=1, kind="write"):
    return Sent(account, project, kind, begin, begin if end is None else end)


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([], 0),
        ([(0, 0), (10, 10)], 1),
        ([(0, 0), (9.9, 9.9)], 2),
        ([(0, 1), (10.9, 11)], 2),
        ([(0, 1), (11, 12)], 1),
        ([(0, 20), (5, 5), (16, 16), (29, 29)], 2),
        ([(0, 30), (5, 5), (12, 12), (29, 29)], 3),
    ],
)
def test_the_most_of_any_window(spans, most):
    """A request is in each window that begins before its answer and ends after its arrival."""
    assert most_in_a_window([sent(*span) for span in spans], WINDOW) == most
    assert most_in_a_window([sent(*span) for span in reversed(spans)], WINDOW) == most


def test_a_window_that_no_bound_of_a_minute_shows():
    """A burst around the bound of two windows is found, though each of these holds few."""
    requests = [sent(8.0 + number) for number in range(4)]
    assert excesses(requests, WINDOW, 3, 0) == [Excess("a", "write", 4, 3)]
    assert excesses(requests, WINDOW, 4, 0) == []


def test_users_and_projects_count_by_themselves():
    """Accounts of one project share its limit alone, and reads and writes share nothing."""
    one, two, other = (sent(1.0, account=name) for name in "abc")
    both, apart = [one, two], [one, replace(other, project=2)]
    assert excesses(both, WINDOW, 1, 1) == [Excess("project 1", "write", 2, 1)]
    assert excesses(apart, WINDOW, 1, 1) == []
    assert excesses([one, replace(one, kind="read")], WINDOW, 1, 1) == []
    assert excesses([one, one], WINDOW, 1, 0) == [Excess("a", "write", 2, 1)]


def test_what_counts_of_a_ledger():
    """Reads and writes with a known account count, from their arrival until their last moment."""

    def served(**rest):
        known = {"account": "a", "project": 2, "quota": "read", "arrived": 1.0, "answered": 2.0}
        return Served(0.0, "GET", "/", [], None, 200, **{**known, **rest})

    entries = [served(), served(counted=3.0), served(quota="drive"), served(account="")]
    found = [Sent("a", 2, "read", 1.0, end) for end in (2.0, 3.0)]
    assert sent_in(entries) == found
    assert sent_in([vars(entry) for entry in entries]) == found
