"""Merging is invisible: results, exceptions and the spreadsheet are what they are without it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings

from queued_gspread.server.policy.retry import Attempts, RetryPolicy
from queued_gspread.server.sending.outgoing import OutgoingRequest
from tests.programs.merging import upserts
from tests.programs.merging.books import Block, Book, Page
from tests.programs.merging.calls import SPREADSHEET, Call
from tests.programs.merging.equivalence import Tally, check
from tests.programs.merging.histories import History, histories
from tests.programs.merging.lane import run
from tests.programs.merging.troubles import OF_ALL, Trouble

TALLY = Tally()
BOOK = Book((Page("Sheet1", 9, 5, (Block(0, 0, (("a", "b"), ("c", "d"))),)),))


@settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(histories())
def test_merging_is_invisible(history):
    """Every caller sees what it would have seen alone, and the spreadsheet is the same.

    ``python -m tests.programs.merging --histories 5000`` looks at more.
    """
    check(history, TALLY)


@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(upserts.histories())
def test_upserts_that_share_requests_are_as_alone(history):
    """Results, errors and cells are those of the same calls with requests of their own."""
    check(history)


def _merged(*calls):
    """Check that merging is invisible in some calls; return how many requests were for several."""
    tally = Tally()
    check(History(BOOK, calls), tally)
    return sum(tally.merged.values())


def _append(row, **options):
    return Call("worksheet", "append_row", (row,), options)


NULLS = (["x", None], [None, "x"], ["x", None, "y"], [None, None], ["x", "", None])


def test_appends_with_nulls_are_as_they_are_alone():
    """Appends with nulls among others get the answers, and leave the cells, that they would alone.

    They are for no one else's request: only the full rows beside them are.
    """
    full = [_append(["x", "y"])] * 3
    calls = [call for row in NULLS for call in (*full, _append(row))]
    assert _merged(*calls, *full) > 0


def test_updates_with_nulls_are_as_they_are_alone():
    """Writes of nulls, to one range or to several, get the same answers together as alone."""
    one = [
        Call("worksheet", "update", ([row], f"A{place}"))
        for place, row in enumerate((*NULLS, ["x", "y"], ["x"]), 1)
    ]
    several = [
        Call("worksheet", "batch_update", ([{"range": f"A{place}", "values": [row, row]}],))
        for place, row in zip((1, 3, 5, 7), NULLS, strict=False)
    ]
    assert _merged(*one) == 1
    _merged(*several, *one)


def test_appends_do_share_requests():
    """Once the table is known, appends of full rows leave as one."""
    assert _merged(*[_append(["x", "y"])] * 4) == 1


def test_an_option_that_is_switched_off_is_as_good_as_none():
    """What append_row of gspread says is no, append_rows leaves out: both mean the same."""
    several = Call("worksheet", "append_rows", ([["x", "y"]],))
    assert _merged(_append(["x", "y"]), several, _append(["x", "y"]), several) == 1


def test_an_outage_ends_calls_that_left_together_in_time():
    """Where nothing goes through, pieces cost a few requests more, and half an hour at the most."""
    calls = [Call("worksheet", "get", (f"A{row}",)) for row in range(1, 65)]
    came_to = run(History(BOOK, calls, trouble=Trouble(None, 503)), merges=True)
    alone = run(History(BOOK, calls[:1], trouble=Trouble(None, 503)), merges=False)
    assert all(b"503" in reply for reply in came_to.replies)
    assert came_to.requests <= alone.requests + 35
    assert came_to.seconds <= alone.seconds + 180


def test_who_is_not_to_be_waited_for_is_told_of_an_outage_at_once():
    """Where nothing is retried, pieces of what has failed follow without a pause."""
    calls = [Call("worksheet", "update_cell", (row, 1, row)) for row in range(1, 61)]
    history = History(BOOK, calls, trouble=Trouble(None, 503))
    came_to = run(history, merges=True, retry_policy=RetryPolicy(retry_for=0.0))
    assert all(b"503" in reply for reply in came_to.replies)
    assert came_to.seconds == 0
    assert came_to.requests < 30


@dataclass(frozen=True)
class Once(Trouble):
    """Trouble that meets one call always, and the first request without it once."""

    seen: list = field(default_factory=list)

    def meets(self, given):
        if super().meets(given):
            return True
        self.seen.append(given)
        return len(self.seen) == 1


@pytest.mark.parametrize("status", [500, 0])
def test_who_comes_after_one_in_vain_is_tried_again(status):
    """A failure that passes harms no call, though another one of its request was tried in vain."""
    calls = [Call("worksheet", "update_cell", (row, 1, f"v{row}")) for row in (1, 2)]
    came_to = run(History(BOOK, calls, trouble=Once("v1", status)), merges=True)
    assert [b'"error"' in reply for reply in came_to.replies] == [True, False]


def test_one_of_many_that_google_never_takes_is_found_in_steps_of_halving():
    """Those that can be made are made in as many pieces as halving makes, within some minutes."""
    calls = [Call("worksheet", "update_cell", (row, 1, f"v{row}")) for row in range(1, 65)]
    book, trouble = Book((Page("Sheet1", 64, 1),)), Trouble("v64", 500)
    came_to = run(History(book, calls, trouble=trouble), merges=True)
    alone = run(History(book, calls[-1:], trouble=trouble), merges=False)
    assert [row for row, reply in enumerate(came_to.replies, 1) if b'"error"' in reply] == [64]
    assert came_to.requests <= alone.requests + 24
    assert came_to.seconds <= alone.seconds + 300


@pytest.mark.parametrize(
    ("where", "name", "trouble"),
    [
        (Attempts, "divides", Trouble("v4", 500)),
        (OutgoingRequest, "_cause_of", Trouble("v4", 403, OF_ALL[403])),
    ],
)
def test_the_comparison_finds_what_is_wrong(where, name, trouble, monkeypatch):
    """Where what one call meets is believed of all that left with it, the histories tell."""
    calls = [Call("worksheet", "update_cell", (row, 2, f"v{row}")) for row in range(1, 6)]
    history = History(BOOK, calls, trouble=trouble)
    check(history)
    monkeypatch.setattr(where, name, lambda *_, **__: None)
    with pytest.raises(AssertionError):
        check(history)


def test_half_of_a_surrogate_pair_fails_in_its_own_call():
    """A range that no URL can hold harms its caller alone, and its lane goes on."""
    reads = [("Sheet1!A1",), ("Sheet1!A1", "Sheet1!\ud800"), ("Sheet1!B1",)]
    calls = [Call("spreadsheet", "values_batch_get", (list(ranges),)) for ranges in reads]
    assert _merged(*calls, Call("worksheet", "get", ("A1",))) == 1


def test_what_json_cannot_say_fails_in_its_own_call():
    """A NaN among the values of one caller is that caller's error."""
    values = (1, float("nan"), 2, 3)
    calls = [Call("worksheet", "update_cell", (row, 1, v)) for row, v in enumerate(values, 1)]
    assert _merged(*calls) == 1


def test_a_flag_and_a_number_are_not_the_same():
    """To Python 1 and True are equal; Google is sent another word."""
    reads = [{"includeGridData": flag} for flag in (1, True, "true")]
    assert _merged(*[Call("spreadsheet", "fetch_sheet_metadata", (read,)) for read in reads]) == 0


def test_a_text_in_the_place_of_a_flag_is_left_to_google():
    """What the JSON of one caller says is not made to say something else."""
    body = {
        "valueInputOption": "RAW",
        "data": [{"range": "Sheet1!A1", "values": [[1]]}],
        "includeValuesInResponse": "false",
    }
    odd = Call("http_client", "values_batch_update", (SPREADSHEET, body))
    calls = [Call("worksheet", "update_cell", (row, 2, "x")) for row in (1, 2)]
    assert _merged(*calls, odd) == 1
