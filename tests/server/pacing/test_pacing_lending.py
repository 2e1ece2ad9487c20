"""Which account is asked for a slot: what is learned of it, and in which order."""

from __future__ import annotations

import math

import pytest
from hand_clock import HandClock
from hypothesis import given
from hypothesis import strategies as st

from queued_gspread.broker import PAUSE, Permit, Project
from queued_gspread.server.pacing import lending as module
from queued_gspread.server.pacing.lending import OWN, Lending

ONE, TWO = "one@p.example", "two@q.example"
PROJECTS = {OWN: "p", ONE: "p", TWO: "q"}
BELIEVED = 600.0


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def lending(clock):
    return new_lending(clock)


def new_lending(clock, limit=10, shared=15):
    limits, of_project = {"read": limit, "write": limit}, {"read": shared, "write": shared}
    return Lending(PROJECTS, limits, of_project, 60.0, clock)


def go(limit=10):
    return Permit("go", limit=limit)


def wait(seconds, kind="kind", limit=10):
    return Permit("wait", seconds, kind, limit=limit)


def test_nobody_lends_what_the_first_account_has_not_done(lending):
    """Only a success of the first account, of that kind and on that spreadsheet, lets others in."""
    assert lending.willing("write", "book") == []
    lending.succeeded("write", "book")
    assert lending.willing("write", "book") == [ONE, TWO]
    assert lending.willing("read", "book") == lending.willing("write", "other") == []


def test_a_pause_is_told_until_it_ends_or_a_slot_is_given(lending, clock):
    """After a refusal it is known for how long an account gets nothing, as Redis last said."""
    lending.told(ONE, "write", wait(20.0, PAUSE))
    lending.told(ONE, "read", wait(20.0))
    lending.told(TWO, "write", wait(math.inf, PAUSE))
    clock.now += 5
    assert (lending.pauses(ONE), lending.pauses(TWO)) == ({"write": 15.0}, {"write": math.inf})
    lending.told(ONE, "write", go())
    assert lending.pauses(ONE) == {}
    lending.told(ONE, "write", wait(20.0, PAUSE))
    clock.now += 20
    assert lending.pauses(ONE) == {}


def test_what_the_first_account_is_denied_is_lent_no_more(lending):
    """A 403 to the first account ends what its success had begun, for that kind alone."""
    for kind in ("read", "write"):
        lending.succeeded(kind, "book")
    lending.denied(OWN, "write", "book")
    assert lending.willing("write", "book") == []
    assert lending.willing("read", "book") == [ONE, TWO]


def test_who_may_not_read_may_not_write(lending):
    """A 403 to a read of the first account's ends what is known of its writes there, too."""
    for book in ("book", "other"):
        lending.succeeded("write", book)
    lending.denied(OWN, "read", "book")
    assert lending.willing("write", "book") == []
    assert lending.willing("write", "other") == [ONE, TWO]


def test_a_success_is_believed_for_ten_minutes(lending, clock):
    """After ten minutes without a success the first account has to show again what it may do."""
    lending.succeeded("write", "book")
    clock.now += BELIEVED - 1
    assert lending.willing("write", "book") == [ONE, TWO]
    clock.now += 1
    assert lending.willing("write", "book") == []
    lending.succeeded("write", "book")
    assert lending.willing("write", "book") == [ONE, TWO]


def test_a_lender_that_was_denied_is_not_asked_for_ten_minutes(lending, clock):
    """It is not asked for that kind on that spreadsheet, and for all others it is."""
    for book in ("book", "other"):
        lending.succeeded("write", book)
    lending.denied(ONE, "write", "book")
    assert lending.willing("write", "book") == [TWO]
    assert lending.willing("write", "other") == [ONE, TWO]
    clock.now += BELIEVED
    lending.succeeded("write", "book")
    assert lending.willing("write", "book") == [ONE, TWO]


def test_what_is_remembered_is_bounded(clock, monkeypatch):
    """The spreadsheets longest ago are forgotten, which lends nothing that was not allowed."""
    monkeypatch.setattr(module, "_MOST", 3)
    lending = new_lending(clock)
    for number in range(5):
        lending.succeeded("write", f"book {number}")
        lending.denied(ONE, "write", f"book {number}")
    known = [lending.willing("write", f"book {number}") for number in range(5)]
    assert known == [[], [], [TWO], [TWO], [TWO]]


def test_who_has_most_room_is_asked_first(lending):
    """Accounts are asked by their load; the first one counts as fuller by a third."""
    everyone = [OWN, ONE, TWO]
    assert lending.in_order("write", everyone) == [ONE, TWO, OWN]
    for _ in range(4):
        lending.told(ONE, "write", go())
    assert lending.in_order("write", everyone) == [TWO, OWN, ONE]
    assert lending.in_order("read", everyone) == [ONE, TWO, OWN]
    for _ in range(10):
        lending.told(TWO, "write", go())
    assert lending.in_order("write", everyone) == [OWN, ONE, TWO]


def test_a_slot_counts_until_a_window_after_its_answer(lending, clock):
    """An account has its room back one window after the answer."""
    lending.told(ONE, "write", go())
    clock.now += 100
    assert lending.rooms(ONE) == {"read": (0, 10), "write": (1, 10)}
    lending.answered(ONE, "write")
    clock.now += 59
    assert lending.rooms(ONE) == {"read": (0, 10), "write": (1, 10)}
    clock.now += 1
    assert lending.rooms(ONE) == {"read": (0, 10), "write": (0, 10)}


def test_without_limits_nothing_need_be_lent(clock):
    """The first account comes first if it has no limit, until Google has shown that it has."""
    lending = new_lending(clock, limit=0)
    assert lending.in_order("write", [ONE, OWN]) == [OWN, ONE]
    lending.told(OWN, "write", go(limit=10))
    assert lending.in_order("write", [OWN, ONE]) == [ONE, OWN]


def test_who_has_said_when_is_not_asked_before(lending, clock):
    """An account with a certain wait is asked again after it, or after five seconds.

    Until then the whole wait is told, as callers are told no less than they may have to wait.
    """
    lending.told(ONE, "write", wait(3.0))
    assert lending.resting(ONE, "write") == wait(3.0)
    clock.now += 1
    assert lending.resting(ONE, "write") == wait(2.0)
    assert lending.resting(ONE, "read") is None
    clock.now += 2
    assert lending.resting(ONE, "write") is None
    lending.told(ONE, "write", wait(50.0))
    clock.now += 1
    assert lending.resting(ONE, "write") == wait(49.0)
    clock.now += 4
    assert lending.resting(ONE, "write") is None


@pytest.mark.parametrize("said", [wait(math.inf), wait(9.0, PAUSE), go()])
def test_what_an_answer_can_end_is_asked_each_time(lending, said):
    """A wait for a response, or after a refusal, may end at any moment."""
    lending.told(ONE, "write", wait(9.0))
    lending.told(ONE, "write", said)
    assert lending.resting(ONE, "write") is None


def test_a_project_is_shared_by_its_accounts(lending):
    """Accounts of one project count together; one that has it for itself does not."""
    both = Project((OWN, ONE), 15)
    assert lending.project(OWN, "write") == lending.project(ONE, "write") == both
    assert lending.project(TWO, "write") == Project() == lending.project(OWN, "drive")
    assert lending.siblings(ONE) == (OWN, ONE)


def test_accounts_without_a_project_share_none(clock):
    """Where the project is not known, nothing is counted together."""
    lending = Lending({OWN: "", ONE: ""}, {}, {"write": 9}, 60.0, clock)
    assert lending.project(OWN, "write") == Project()
    assert lending.siblings(OWN) == ()


def test_the_total_is_that_of_accounts_within_their_projects(lending):
    """Together accounts have the sum of their limits, each project no more than its own."""
    assert lending.total("write", [OWN, ONE, TWO]) == 15 + 10
    lending.told(ONE, "write", go(limit=2))
    assert lending.total("write", [OWN, ONE, TWO]) == 12 + 10
    assert lending.total("drive", [OWN, TWO]) == 0


events = st.lists(
    st.tuples(
        st.sampled_from(["succeeded", "denied", "time"]),
        st.sampled_from([OWN, ONE, TWO]),
        st.sampled_from(["read", "write"]),
        st.sampled_from(["book", "other"]),
        st.floats(0, 900),
    ),
    max_size=40,
)


@given(events)
def test_callers_get_no_more_than_the_first_account_may(history):
    """Nothing is lent unless the first account's latest answer was a success, and lately."""
    clock = HandClock()
    lending = new_lending(clock)
    latest = {}
    for what, account, kind, book, seconds in history:
        if what == "time":
            clock.now += seconds
        elif what == "succeeded":
            lending.succeeded(kind, book)
            latest[kind, book] = clock()
        else:
            lending.denied(account, kind, book)
            if account == OWN:
                for ended in ("read", "write") if kind == "read" else ("write",):
                    latest.pop((ended, book), None)
        for asked in (("read", "book"), ("write", "book"), ("read", "other"), ("write", "other")):
            since = latest.get(asked, -math.inf)
            assert not lending.willing(*asked) or clock() < since + BELIEVED
