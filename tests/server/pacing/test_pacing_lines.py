"""The two lines of a kind: of what any account may send, and of what only one may."""

from __future__ import annotations

import itertools

import pytest

from queued_gspread.broker import KINDS, LENT, Permit, Slot
from queued_gspread.server.google.token_state import USABLE
from queued_gspread.server.pacing.ticket_queue import Ticket, TicketQueue
from queued_gspread.server.pacing.valve import TURN, Valve

NUMBERS = itertools.count(1)
BOTH = (False, True)


def ticket_of(lane, *, lent, limit=10):
    number = next(NUMBERS)
    slot = Slot("write", f"1/{number}", limit, 60.0, 0.0, lane, may_be_lent=lent)
    return Ticket(slot.line, number, slot=slot, lane=lane)


@pytest.mark.parametrize("lent", BOTH)
def test_neither_line_waits_for_the_other(lent):
    """Where the one line has to wait for a slot, and has the turn, the other one goes on."""
    tickets = TicketQueue()
    waits, goes = ticket_of("a", lent=lent), ticket_of("b", lent=not lent)
    tickets.hold(waits)
    tickets.block(waits.kind, 100.0)
    tickets.add(goes)
    assert tickets.take(0.0) is goes


@pytest.mark.parametrize("lent", BOTH)
@pytest.mark.parametrize("answered", BOTH)
def test_an_answer_lets_both_lines_ask(lent, answered):
    """A slot of any account that is due may be one for the other line as well."""
    tickets = TicketQueue()
    waits = ticket_of("a", lent=lent)
    tickets.block(waits.kind, 100.0)
    tickets.add(waits)
    assert tickets.take(0.0) is None
    tickets.answered(ticket_of("b", lent=answered).slot, 0.0)
    assert tickets.take(0.0) is waits


def test_each_line_has_a_share_of_its_own_limit():
    """What the lanes of one line hold does not count against those of the other."""
    tickets = TicketQueue()
    for lane in ("a", "b"):
        for _ in range(5):
            ticket = ticket_of(lane, lent=True)
            assert tickets.passes(ticket, 0.0)
            tickets.told(ticket, Permit("go", limit=20))
    assert tickets.passes(ticket_of("a", lent=False), 0.0)


def test_what_waits_is_told_by_kind():
    """Whoever looks at the queue sees one kind, whichever line a request waits in."""
    valve = Valve(lambda: None, 1.0, clock=lambda: 0.0)
    tickets = [ticket_of("a", lent=True), ticket_of("b", lent=False)]
    for ticket in tickets:
        valve._queue.add(ticket)
        valve._said[ticket.slot.kind] = Permit("wait", 5.0, "kind", limit=10), 0.0
    waiting, _ = valve.look(10)
    assert set(waiting) == {"write"}
    assert (waiting["write"].length, sorted(waiting["write"].lanes)) == (2, ["a", "b"])
    assert len(valve.look(1)[0]["write"].lanes) == 1
    for ticket in tickets:
        valve._queue.remove(lambda each, this=ticket: each is this)
        ticket.pause = "all:"
        valve._queue.add(ticket)
    assert sorted(valve.parked(10)) == [("a", "write"), ("b", "write")]


@pytest.mark.parametrize("last", BOTH)
def test_nobody_is_told_less_than_the_longer_line_waits(last):
    """Of both lines' answers the longer wait and the lower limit are told, whichever came last."""
    valve = Valve(lambda: USABLE, 1.0, clock=lambda: 0.0)
    for lent in (not last, last):
        seconds, limit = (2.0, 30) if lent else (50.0, 10)
        ticket = ticket_of("a" if lent else "b", lent=lent)
        assert valve.turn_now(ticket) is TURN
        valve.told(ticket, Permit("wait", seconds, "kind", limit=limit))
    waiting, _ = valve.look(10)
    assert (waiting["write"].left, waiting["write"].permit.limit) == (50.0, 10)


def test_no_line_is_called_like_a_kind():
    """The name of a line of all accounts is no kind's, and with one account a line is its kind."""
    assert {kind + LENT for kind in KINDS}.isdisjoint(KINDS)
    assert [Slot(kind).line for kind in KINDS] == list(KINDS)
    assert TURN.account == ""
