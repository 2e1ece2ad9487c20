"""The queue of tickets at the valve, as pure data, and the valve over it."""

from __future__ import annotations

import itertools
import math
import queue
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from google.auth.exceptions import RefreshError
from hypothesis import given
from hypothesis import strategies as st
from slot_world import SlotWorld
from waiting import PATIENCE

from queued_gspread.broker import ALL, Permit, Slot, StaleEpochError
from queued_gspread.server.pacing.ticket_queue import FREE, Ticket, TicketQueue
from queued_gspread.server.pacing.valve import LATE, LEFT, TURN, Valve

GO = Permit("go")
NUMBERS = itertools.count()
FRESH = SimpleNamespace(is_usable=True, error=None, waited=0.0)


def ticket(number, kind="write", **options):
    return Ticket(kind, number, **options)


def numbers(tickets, now=0.0):
    """Take all that are due; return their numbers."""
    taken = []
    while (due := tickets.take(now)) is not None:
        taken.append(due.number)
    return taken


@given(st.permutations(range(1, 9)), st.lists(st.sampled_from(["read", "write", "drive"])))
def test_first_come_first_served(order, kinds):
    """Tickets leave by their numbers, however they were put in line."""
    tickets = TicketQueue()
    for number in order:
        tickets.add(ticket(number, (kinds or ["read"])[number % max(1, len(kinds))]))
    assert numbers(tickets) == sorted(order)
    assert len(tickets) == 0


def test_a_kind_that_is_blocked_holds_up_no_other():
    """While writes wait for a slot, reads pass, and requests that take no slot."""
    tickets = TicketQueue()
    for number, kind in enumerate(["write", "read", FREE, "write"], start=1):
        tickets.add(ticket(number, kind))
    tickets.block("write", 10.0)
    assert numbers(tickets) == [2, 3]
    assert tickets.next_moment() == 10.0
    assert numbers(tickets, 9.99) == []
    assert numbers(tickets, 10.0) == [1, 4]


def test_what_holds_all_kinds_holds_none_that_is_free():
    """A block of ALL kinds lets through only what takes no slot."""
    tickets = TicketQueue()
    for number, kind in enumerate(["write", "read", FREE], start=1):
        tickets.add(ticket(number, kind))
    tickets.block(ALL, math.inf)
    assert numbers(tickets) == [3]
    assert tickets.next_moment() == math.inf
    tickets.unblock(ALL)
    assert numbers(tickets) == [1, 2]


def test_a_ticket_waits_for_its_moment_and_keeps_its_place():
    """A ticket for later is passed by others, and then served before those that came after."""
    tickets = TicketQueue()
    tickets.add(ticket(1, not_before=5.0))
    tickets.add(ticket(2))
    assert numbers(tickets) == [2]
    assert tickets.next_moment() == 5.0
    tickets.add(ticket(3))
    assert tickets.take(5.0).number == 1
    assert tickets.take(5.0).number == 3


def test_a_ticket_gives_up_in_time():
    """A ticket whose time is over is taken although its kind is blocked, or its moment to come."""
    tickets = TicketQueue()
    tickets.block("write", math.inf)
    tickets.add(ticket(1, until=3.0))
    tickets.add(ticket(2, "read", until=4.0, not_before=9.0))
    assert tickets.next_moment() == 3.0
    assert numbers(tickets, 2.9) == []
    assert numbers(tickets, 3.0) == [1]
    assert numbers(tickets, 4.0) == [2]


def test_whether_a_new_ticket_would_be_next():
    """A kind is free if nobody of it is in line who may be sent, and nothing blocks it."""
    tickets = TicketQueue()
    write, read = ticket(2), ticket(3, "read")
    assert tickets.passes(write, 0.0)
    tickets.add(ticket(1, not_before=5.0))
    assert tickets.passes(write, 0.0)
    assert not tickets.passes(write, 5.0)
    tickets.take(5.0)
    tickets.block("write", 7.0)
    assert not tickets.passes(write, 6.0)
    assert tickets.passes(write, 7.0)
    assert tickets.passes(read, 6.0)


def test_tickets_are_removed_in_order():
    """Those that are meant leave the line, wherever they stood; the others stay."""
    tickets = TicketQueue()
    tickets.add(ticket(3, not_before=9.0))
    tickets.add(ticket(1, "read", until=5.0))
    tickets.add(ticket(2, "drive"))
    removed = tickets.remove(lambda ticket: ticket.kind != "drive")
    assert [ticket.number for ticket in removed] == [1, 3]
    assert numbers(tickets, 10.0) == [2]


class Asking:
    """A task with a ticket: it asks when its turn comes, and the test hands out the permits."""

    def __init__(self, kind="write", lane="", interval=0.0, **options):
        self.permits = queue.Queue()
        self.asked = queue.Queue()
        slot = Slot(kind, f"1/{next(NUMBERS)}", 60, interval=interval, lane=lane)
        self.ticket = Ticket(kind, slot=slot, lane=lane, **options)
        self.answers = queue.Queue()

    def enter(self, valve):
        """Return what comes of it at once; None if it waits."""
        return self._go_on(valve, valve.enter(self.ticket, self._resume_of(valve)))

    def answer(self):
        """Wait until it has a permit, or none any more."""
        return self.answers.get(timeout=PATIENCE)

    def _resume_of(self, valve):
        # A worker's, as no question is asked on the thread that gives turns.
        return lambda turn: threading.Thread(target=self._resumed, args=(valve, turn)).start()

    def _resumed(self, valve, turn):
        answer = self._go_on(valve, turn)
        if answer is not None:
            self.answers.put(answer)

    def _go_on(self, valve, turn):
        while turn is TURN:
            permit = self._ask(valve)
            if getattr(permit, "word", "") != "wait":
                return permit
            turn = valve.enter(self.ticket, self._resume_of(valve))
        return turn

    def _ask(self, valve):
        permit = None
        try:
            self.asked.put(True)
            told = self.permits.get(timeout=PATIENCE)
            permit = None if isinstance(told, Exception) else told
        finally:
            valve.told(self.ticket, permit)
        return told


@pytest.fixture
def state():
    """Return what says whether there is a token; tests change it."""
    return SimpleNamespace(now=FRESH)


@pytest.fixture
def valve(state):
    valve = Valve(lambda: state.now, 600.0)
    valve.start()
    yield valve
    valve.close()
    valve.join()


def wait(seconds, kind="kind"):
    return Permit("wait", seconds, kind)


def test_who_is_alone_passes_at_once(valve):
    """With nobody in line a permit is asked for by the one who comes."""
    asking = Asking()
    asking.permits.put(GO)
    assert asking.enter(valve) is GO


def test_who_is_told_to_wait_is_asked_for_again(valve):
    """A ticket that was told to wait is resumed with its permit when it has one."""
    asking = Asking()
    for permit in (wait(0.01), wait(0.01), GO):
        asking.permits.put(permit)
    assert asking.enter(valve) is None
    assert asking.answer() is GO
    assert asking.asked.qsize() == 3


def test_nobody_overtakes_within_a_kind(valve):
    """A ticket that comes while another of its kind waits stands behind it, and asks nobody."""
    first, second = Asking(), Asking()
    first.permits.put(wait(math.inf))
    assert first.enter(valve) is None
    assert second.enter(valve) is None
    assert second.asked.empty()
    first.permits.put(GO)
    second.permits.put(GO)
    valve.wake("write")
    assert first.answer() is GO
    assert second.answer() is GO


def test_another_kind_is_not_held_up(valve):
    """A read passes at once while writes wait until a response comes."""
    write, read = Asking(), Asking("read")
    write.permits.put(wait(math.inf))
    write.enter(valve)
    read.permits.put(GO)
    assert read.enter(valve) is GO


def test_a_lane_that_has_had_its_share_is_passed_by(valve):
    """What waits for fairness asks nobody until its moment, and another lane passes at once."""
    go, other = Permit("go", limit=2), Asking(lane="b")
    other.permits.put(go)
    assert other.enter(valve) is go
    taken = Asking(lane="a")
    taken.permits.put(go)
    assert taken.enter(valve) is go
    first, second = Asking(lane="a"), Asking(lane="c")
    for each in (first, second):
        each.permits.put(go)
    assert first.enter(valve) is None
    assert first.asked.empty()
    assert second.enter(valve) is go
    valve.answered(replace(other.ticket.slot, window=0.0))
    assert first.asked.empty()
    for each in (taken, second):
        valve.answered(replace(each.ticket.slot, window=0.0))
    assert first.answer() is go


def test_a_slot_that_another_lane_asked_for_in_vain_is_not_waited_for(valve):
    """Who waits since another lane asks for the last slot goes when that one has not got it."""
    go, (holder, asking, waiting) = Permit("go", limit=2), map(Asking, ["write"] * 3, "aba")
    for each in (holder, waiting):
        each.permits.put(go)
    assert holder.enter(valve) is go
    entering = threading.Thread(target=asking.enter, args=(valve,))
    entering.start()
    asking.asked.get(timeout=PATIENCE)
    assert waiting.enter(valve) is None
    assert waiting.asked.empty()
    asking.permits.put(RuntimeError("broken"))
    assert waiting.answer() is go
    entering.join()


def test_what_is_late_has_had_no_slot(valve):
    """A ticket whose time is over when it is its turn takes nothing from its lane's share."""
    over = Asking(lane="a", until=time.monotonic() + 3600.0)
    waiting = wait(math.inf)
    over.permits.put(waiting)
    assert over.enter(valve) is None
    over.ticket.until = -math.inf
    valve.wake("write")
    assert over.answer() is LATE
    assert valve._queue._fairness.rank(over.ticket.slot) == 0


def test_a_response_that_comes_while_redis_is_asked_is_not_missed(valve):
    """A wake-up between the question and its answer has the question asked again."""
    asking = Asking()
    entering = threading.Thread(target=lambda: asking.answers.put(asking.enter(valve)))
    entering.start()
    asking.asked.get(timeout=PATIENCE)
    valve.wake("write")
    asking.permits.put(wait(math.inf))
    asking.permits.put(GO)
    assert asking.answer() is GO
    entering.join()


def test_no_token_holds_everything_up(valve, state):
    """Without a usable token nothing is asked for; with the next one the line moves."""
    state.now = SimpleNamespace(is_usable=False, error=None, waited=0.0)
    asking = Asking()
    asking.permits.put(GO)
    assert asking.enter(valve) is None
    assert asking.asked.empty()
    state.now = FRESH
    valve.wake()
    assert asking.answer() is GO


def test_a_request_without_a_slot_needs_no_token(valve, state):
    """What is not sent to Google does not wait for a token."""
    state.now = SimpleNamespace(is_usable=False, error=None, waited=0.0)
    asking = Asking(FREE)
    asking.permits.put(GO)
    assert asking.enter(valve) is GO


def test_credentials_that_are_refused_for_good(valve, state):
    """Where there will be no token, callers get the error at once, and those who waited too."""
    state.now = SimpleNamespace(is_usable=False, error=None, waited=0.0)
    waiting, late = Asking(), Asking()
    assert waiting.enter(valve) is None
    error = RefreshError("invalid_grant")
    state.now = SimpleNamespace(is_usable=False, error=error, waited=math.inf)
    valve.wake()
    assert waiting.answer() is error
    assert late.enter(valve) is error


def test_a_ticket_is_late(valve):
    """A ticket whose time is over before it has a permit is told so, on coming or in line."""
    assert Asking(until=time.monotonic()).enter(valve) is LATE
    asking = Asking(until=time.monotonic() + 0.2)
    asking.permits.put(wait(math.inf))
    assert asking.enter(valve) is None
    assert asking.answer() is LATE


def test_a_valve_that_fails_tells_everybody(state, caplog):
    """When the valve's thread ends by an error of its own, nobody is left waiting for it."""
    valve = Valve(lambda: state.now, 600.0)
    waiting, late = Asking(), Asking()
    waiting.permits.put(wait(math.inf))
    waiting.enter(valve)
    valve._queue.next_moment = lambda: {}["broken"]
    valve.start()
    assert "the valve has failed: KeyError" in str(waiting.answer())
    valve.join()
    assert "the valve has failed" in str(late.enter(valve))
    assert "please report it" in caplog.text


@pytest.mark.parametrize("error", [StaleEpochError(), RuntimeError("broken")])
def test_what_goes_wrong_is_passed_on(valve, error):
    """An error of the question is the ticket's answer."""
    asking = Asking()
    asking.permits.put(error)
    assert asking.enter(valve) is error


@pytest.mark.parametrize("answer", [LEFT, StaleEpochError()], ids=["left", "stale"])
def test_a_close_ends_everything(valve, answer):
    """When the valve is closed, everybody who waits or comes gets the same answer."""
    waiting, late = Asking(), Asking()
    waiting.permits.put(wait(math.inf))
    waiting.enter(valve)
    valve.close(answer)
    assert waiting.answer() is answer
    assert late.enter(valve) is answer


def test_a_slot_that_a_lost_permit_had_taken_wakes_the_others(valve):
    """When a call turns out to be over, who waits for a response of its kind is asked again."""
    waiting, over = Asking(), Asking()
    over.permits.put(Permit("late"))
    entering = threading.Thread(target=waiting.enter, args=(valve,))
    entering.start()
    waiting.asked.get(timeout=PATIENCE)
    assert valve.turn_now(over.ticket) is TURN
    waiting.permits.put(wait(math.inf))
    entering.join()
    waiting.permits.put(GO)
    assert waiting.asked.empty()
    valve.told(over.ticket, Permit("late"))
    assert waiting.answer() is GO


def test_one_of_a_kind_asks_at_a_time(valve):
    """While one that has waited has its turn, nobody else of its kind has, and other kinds pass."""
    first, second, newcomer, read = Asking(), Asking(), Asking(), Asking("read")
    first.permits.put(wait(math.inf))
    assert first.enter(valve) is None
    assert first.asked.get(timeout=PATIENCE)
    assert second.enter(valve) is None
    valve.wake("write")
    assert first.asked.get(timeout=PATIENCE)
    assert newcomer.enter(valve) is None
    read.permits.put(GO)
    assert read.enter(valve) is GO
    assert second.asked.empty()
    for each in (first, second, newcomer):
        each.permits.put(GO)
    assert [each.answer() for each in (first, second, newcomer)] == [GO] * 3


def test_requests_at_an_interval_ask_one_at_a_time(valve):
    """With an interval between requests, a read has no turn while a write that came first has."""
    write, read = Asking(interval=1.0), Asking("read", interval=1.0)
    write.permits.put(wait(math.inf, ALL))
    assert write.enter(valve) is None
    assert read.enter(valve) is None
    assert write.asked.get(timeout=PATIENCE)
    valve.wake()
    assert write.asked.get(timeout=PATIENCE)
    assert read.asked.empty()
    for each in (write, read):
        each.permits.put(GO)
    assert [each.answer() for each in (write, read)] == [GO] * 2


def test_who_is_told_to_wait_is_not_overtaken_on_the_way_back(valve):
    """Between its answer and the queue nobody of its kind gets the turn of one that has to wait."""
    first, second = Asking(), Asking()
    assert valve.turn_now(first.ticket) is TURN
    valve.wake("write")
    valve.told(first.ticket, wait(math.inf))
    assert valve.turn_now(second.ticket) is None
    assert list(valve.look(9)[0]) == ["write"]
    assert valve.enter(first.ticket, first.answers.put) is TURN
    valve.told(first.ticket, GO)


def test_a_turn_that_is_not_used_is_the_next_ones(valve):
    """A task that ends at its turn, before it has asked, keeps nobody else of its kind waiting."""
    gone, waiting = Asking(), Asking()
    assert valve.turn_now(gone.ticket) is TURN
    valve.told(gone.ticket, wait(math.inf))
    assert valve.enter(gone.ticket, gone.answers.put) is None
    assert waiting.enter(valve) is None
    valve.wake("write")
    assert gone.answer() is TURN
    assert waiting.asked.empty()
    waiting.permits.put(GO)
    valve.told(gone.ticket)
    assert waiting.answer() is GO


@pytest.mark.parametrize("answer", [LEFT, StaleEpochError()], ids=["left", "stale"])
def test_who_has_its_turn_at_the_end_is_told_so(valve, answer):
    """A task whose turn came just before the valve was closed learns of that before it asks."""
    ticket = Ticket("write", slot=Slot("write", "1/0", 60))
    assert valve.turn_now(ticket) is TURN
    assert valve.end_of(ticket) is None
    valve.close(answer)
    if isinstance(answer, Exception):
        with pytest.raises(StaleEpochError):
            valve.end_of(ticket)
    else:
        assert valve.end_of(ticket) is answer
    ticket.until = -math.inf
    valve.told(ticket)


def test_finished_tickets_are_let_go():
    """A queue keeps no tickets that have left it, however late they would have ended."""
    tickets = TicketQueue()
    tickets.add(ticket(0, not_before=1e9, until=1e6))
    again = ticket(1, until=2e6)
    for number in range(2, 2000):
        tickets.add(ticket(number, until=2e6 + number))
        tickets.take(0.0)
        tickets.add(again)
        tickets.take(0.0)
    assert len(tickets) == 1
    kept = sum(map(len, (tickets._early, tickets._ends, *tickets._ready.values())))
    assert kept < 200


def test_who_has_left_before_those_with_fewer_slots_is_let_go():
    """Among many busy lanes a queue keeps neither tickets nor jobs of requests that were sent."""
    world = SlotWorld(60, 6.0)
    for number in range(50):
        world.calls(f"lane {number}", count=100)
    world.run(180.0)
    assert world.count() >= 1000
    assert sum(map(len, world.tickets._ready.values())) < 300


def test_a_ticket_says_for_how_long_others_go_first(valve):
    """The log is told of a wait for fairness, and of another wait that it is none."""
    go = Permit("go", limit=2)
    other, taken, held = (Asking(lane=lane) for lane in "baa")
    for each in (other, taken):
        each.permits.put(go)
        assert each.enter(valve) is go
    assert valve.turn_now(held.ticket) is None
    assert valve.held_back(held.ticket) == math.inf
    asking = Asking()
    asking.permits.put(wait(math.inf))
    assert asking.enter(valve) is None
    assert valve.held_back(asking.ticket) < 0


def test_no_token_at_all_is_waited_for_without_spinning(state):
    """With no time to wait for a token, a ticket still waits for the first fetch, at rest."""
    asked = []

    def look():
        asked.append(True)
        return state.now

    valve = Valve(look, 0.0)
    valve.start()
    state.now = SimpleNamespace(is_usable=False, error=None, waited=0.0)
    asking = Asking()
    asking.permits.put(GO)
    assert asking.enter(valve) is None
    state.now = FRESH
    valve.wake()
    assert asking.answer() is GO
    assert len(asked) <= 4
    valve.close()
    valve.join()


def test_a_parked_ticket_has_no_turn_until_its_pause_is_over():
    """It holds up no other, keeps its number for afterwards, and ends at its time all the same."""
    tickets = TicketQueue()
    first, other = ticket(1, pause="all: 5"), ticket(2, pause="write:b 6", until=7.0)
    for each in (first, other, ticket(3)):
        tickets.add(each)
    assert (numbers(tickets), len(tickets), len(tickets.parked(9))) == ([3], 2, 2)
    assert not tickets.unpark({"all: 5", "write:b 6"})
    tickets.add(ticket(4))
    assert tickets.unpark({"write:b 6"})
    assert numbers(tickets) == [1, 4]
    assert tickets.next_moment() == 7.0
    assert numbers(tickets, 7.0) == [2]
    assert (len(tickets), tickets.parked(9)) == (0, [])


def test_a_parked_ticket_is_left_with_all_others():
    """Where nothing more goes, what waits for the end of a pause is told so too."""
    tickets = TicketQueue()
    tickets.add(ticket(1, pause="all: 5"))
    assert [each.number for each in tickets.remove(lambda _: True)] == [1]
    assert (len(tickets), tickets.parked(9)) == (0, [])


def test_a_parked_ticket_that_has_left_is_no_more():
    """The end of the pause brings back no ticket that has given up before."""
    tickets = TicketQueue()
    tickets.add(ticket(1, pause="all: 5", until=1.0))
    assert numbers(tickets, 1.0) == [1]
    assert not tickets.unpark(())
    assert numbers(tickets, 2.0) == []
