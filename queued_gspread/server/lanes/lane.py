"""One lane's work: look at its head, admit calls, send their requests, answer them, look again.

:meth:`Lane.work` is a generator. It yields a ticket whenever it must wait, so that waiting takes no
thread, and None between calls, so that other lanes have their turn. Calls that may run concurrently
(:mod:`.grouping`) are open at the same time. The first one's request is always sent next, merged
with those of the others that fit it.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from queued_gspread._tracing import tracer
from queued_gspread.broker import StaleEpochError, is_lock
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.server.calls import spans
from queued_gspread.server.calls.call import Call
from queued_gspread.server.calls.call_log import log_call, log_left, record_call
from queued_gspread.server.calls.memory import Portion, estimate_answers
from queued_gspread.server.calls.outcome import Outcome, batches
from queued_gspread.server.calls.quarantine import is_suspect
from queued_gspread.server.calls.runner import broken
from queued_gspread.server.log import LOGGER
from queued_gspread.server.pacing.ticket_queue import FREE, Ticket
from queued_gspread.server.pacing.valve import TURN
from queued_gspread.server.sending.outgoing import OutgoingRequest, Pieces, SetBackError, unsplit

from .grouping import ConcurrentGroup, is_single, may_lead, mergeable_with_first, shares_key
from .locks import let_lock_in
from .lookahead import Lookahead
from .recall import Recall
from .upserts import RoundReads, begin_outdated_anew, is_upsert, part_company, updates_first

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from queued_gspread.broker import Entry, Permit, Ready
    from queued_gspread.server.merging import Table
    from queued_gspread.server.policy.request import Exchange
    from queued_gspread.server.sending.results import Results

    from .services import LaneServices

    Task = Generator[Ticket | None, Permit | None, None]

__all__ = ["Lane", "work_on"]

# After this many requests of calls that are not done, another lane may have the worker.
_LONGEST_TURN: Final = 16


def work_on(services: LaneServices, ready: Ready, is_over: Callable[[], bool]) -> Task:
    """Return the work of a lane until none of its calls is left."""
    return Lane(services, ready, is_over).work()


class Lane:
    """The calls of a lane, for as long as there are any.

    Args:
        services: The services that it shares with other lanes.
        ready: The lane that is ready.
        is_over: Returns whether no further call may begin.

    """

    def __init__(self, services: LaneServices, ready: Ready, is_over: Callable[[], bool]) -> None:
        self._services = services
        self._name = ready.lane
        self._first = ready.first
        self._is_over = is_over
        # In order of arrival; each waits for the answer to a request.
        self._open: list[Call] = []
        self._ended: list[tuple[Entry, Outcome]] = []
        self._requests = 0
        self._pieces: list[Pieces] = []
        self._is_left = False
        # By key, the jobs of calls that were not logged yet.
        self._entries: dict[tuple[str, str], Entry] = {}
        self._lookahead = Lookahead()
        self._answered = 0
        self._reads = RoundReads()
        self._recall = Recall(services.sender)
        self._may_recall = False  # until a call comes that is content with answers of some age
        self._is_round = False  # upserts gain most by having all in one round of three requests
        self._suspect: Entry | None = None
        self._memory = Portion(services.memory)
        self._may_wait_outside = True

    def work(self) -> Task:
        """Run the lane's calls; between two of them, other lanes may have the worker."""
        # The first job may have come along with the lane's name.
        following, self._first = self._first or self._services.queue.head(self._name), None
        try:
            while (self._open or following) and not self._is_over():
                if following and not self._open:
                    if not self._memory.take(following):
                        ticket, following = self._memory.ticket(following), None
                        following = yield from self._head_after(ticket)
                        continue
                    yield from self._let_in(following)
                if self._open:
                    try:
                        results = yield from self._send()
                    except SetBackError as paused:
                        following = yield from self._set_back(paused.ticket)
                        continue
                    yield from self._wait_to_read(results)
                    self._advance(results)
                    self._memory.give_answers_back()
                if self._ended:
                    following = self._answer()
                if self._is_left:
                    return
                if not self._open:
                    self._release_suspect()
                    following = yield from self._linger(following)
                if not self._open or self._requests % _LONGEST_TURN == 0:
                    self._services.sender.releases.now(self._name)
                    yield None
        finally:
            self._close()

    def _close(self) -> None:
        """Release everything that other lanes may wait for."""
        if self._open:
            self._services.admission.history.leave(self._open)
        try:
            self._services.sender.releases.now(self._name)
            spans.leave(self._open)
        finally:
            self._release_suspect()
            self._memory.close()
            if self._open or self._ended:
                log_left(self._open, self._ended, self._entries)

    def _head_after(self, ticket: Ticket) -> Generator[Ticket, Permit, Entry | None]:
        """Wait, and look at the head of the lane again."""
        permit = yield from self._memory.in_turn(ticket, self._services.valve)
        return self._services.queue.head(self._name) if permit.word == "go" else None

    def _let_in(self, entry: Entry) -> Generator[Ticket, Permit, None]:
        if is_suspect(entry) and not (yield from self._is_alone(entry)):
            self._is_left = True
            return
        self._entries[entry.key] = entry
        self._lookahead.begin_at(entry)
        if self._is_round:
            self._reads.clear()
        if is_lock(entry.job_id):
            own = self._services
            parts = own.queue, own.admission, own.runner, own.tables
            self._record(entry, (yield from let_lock_in(*parts, entry)))
            return
        admitted = yield from self._services.admission.admit(self._services.queue, entry)
        if isinstance(admitted, Outcome):
            self._record(entry, self._services.runner.ended_unbegun(entry, admitted))
            return
        begun = self._lookahead.begun(admitted) or self._services.runner.begin(admitted)
        self._record(entry, begun)

    def _is_alone(self, entry: Entry) -> Generator[Ticket, Permit, bool]:
        """Wait until a job may run alone; return False if that is left to the next server."""
        if not (yield from self._services.quarantine.wait(entry)):
            return False
        self._suspect = entry
        self._services.queue.deliver_suspect(entry)
        return True

    def _release_suspect(self) -> None:
        if self._suspect is not None:
            self._services.quarantine.leave(self._suspect)
            self._suspect = None

    def _record(self, entry: Entry, begun: Call | Outcome, call: Call | None = None) -> None:
        """Keep a call that waits for an answer, or the outcome of one that has ended."""
        if tracer() is not None:
            spans.note(self._services.namespace, entry, begun, call)
        if isinstance(begun, Call):
            self._services.admission.history.begin(begun)
            self._open.append(begun)
            self._may_recall = self._may_recall or begun.job.max_age > 0
        elif begun.is_left:
            self._is_left = True
            if begun.has_sent:
                log_call(entry, begun)
        else:
            self._ended.append((entry, self._services.admission.ended(entry, begun)))

    # Requests ----------------------------------------------------------------------------------

    def _send(self) -> Generator[Ticket, Permit, Results]:
        """Send the next request, or a piece of one that was split; return the results."""
        self._requests += 1
        left = self._pieces_of_first() if self._pieces else None
        whole = self._whole() if left is None else []
        if self._may_recall and (recalled := self._recall.answers(whole)):
            return recalled
        outgoing = self._next_request(whole) if left is None else left.take()
        ended: Results = []
        try:
            yield from self._services.sender.send(outgoing, ended)
            if left is None and outgoing.is_split and not part_company(outgoing):
                left = Pieces()
                self._pieces.append(left)
            if left is not None:
                ended += left.landed(outgoing)
        except (StaleEpochError, BrokerUnavailableError, SetBackError, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the lane must go on, and callers need an answer
            self._services.tables.note(self._name, None, None)
            rest = [call for call in outgoing.calls if call not in dict(ended)]
            ended += [(call, broken(error, call)) for call in rest]
        return ended

    def _pieces_of_first(self) -> Pieces | None:
        """Return what is left to send of the first open call's request, if it was split."""
        self._pieces = [left for left in self._pieces if left]
        return next((left for left in self._pieces if self._open[0] in left.calls), None)

    def _whole(self) -> list[Call]:
        """Let followers in; return the open calls whose requests were not split."""
        if not self._services.merges:
            return self._open[:1]
        if self._lookahead.waiting or (self._is_round and self._reads):
            self._services.sender.releases.now(self._name)  # letting followers in takes time
            self._let_followers_in()
            self._reads.clear()
        return unsplit(self._open, self._pieces) if self._pieces else self._open

    def _next_request(self, others: list[Call]) -> OutgoingRequest:
        """Return the first call's request, merged with those of the others that fit it."""
        if not self._services.merges:
            return OutgoingRequest(others, may_be_set_back=self._may_be_set_back)
        others = updates_first(others)
        self._is_round = is_upsert(others[0])
        calls, attempts = self._mergeable(others), others[0].attempts
        return OutgoingRequest(calls, self._join_late, attempts, None, self._may_be_set_back)

    def _may_be_set_back(self) -> bool:
        """Return whether the open calls have sent nothing, and have memory that others wait for."""
        if not (self._may_wait_outside and self._memory.is_counted):
            return False
        is_plain = not (self._pieces or self._ended or self._suspect or self._is_round)
        return is_plain and all(call.is_fresh for call in self._open)

    def _set_back(self, ticket: Ticket) -> Generator[Ticket, Permit, Entry | None]:
        """Give back the calls' memory while an operator's pause holds them up; then begin anew."""
        self._services.admission.history.leave(self._open)
        spans.leave(self._open)
        self._open.clear()
        self._entries.clear()
        self._memory.close()
        self._lookahead = Lookahead()
        turn = yield ticket
        # Towards the end of their time they wait inside: then it is said what they have waited for.
        self._may_wait_outside = turn is TURN
        return self._services.queue.head(self._name) if turn.word in ("go", "late") else None

    @property
    def _table(self) -> Table | None:
        tables = self._services.tables
        return tables.get(self._name, self._open[0].part) if tables.knows(self._name) else None

    def _join_late(self, outgoing: OutgoingRequest) -> list[Call]:
        """Return calls that have arrived meanwhile and whose requests fit the outgoing one."""
        before = len(self._open)
        self._let_followers_in()
        come = self._open[before:]
        return self._mergeable([*outgoing.calls, *come])[len(outgoing.calls) :]

    def _mergeable(self, calls: list[Call]) -> list[Call]:
        """Return the calls whose requests merge with the first one's, the first included."""
        if len(calls) == 1:
            return [*calls]  # do not compute its part of a merged request: it would not be used
        try:
            return mergeable_with_first(calls, self._table)
        except Exception:  # noqa: BLE001 - the request can be sent unmerged
            LOGGER.exception("an error of this program, please report it")
            return calls[:1]

    def _let_followers_in(self) -> None:
        """Let in the calls behind the open ones that may run together with them."""
        try:
            self._look_ahead()
        except (StaleEpochError, BrokerUnavailableError):
            raise
        except Exception:  # noqa: BLE001 - they have their turn later
            LOGGER.exception("an error of this program, please report it")
            self._lookahead.block()

    def _look_ahead(self) -> None:
        ahead, together, are_more = self._lookahead, None, True
        while not ahead.is_blocked and may_lead(self._open[0]):
            if ahead.seen:
                together = together or ConcurrentGroup(self._open, self._table)
                self._try_join(ahead.seen[0], together)
            elif are_more:
                are_more = self._peek()
            else:
                return

    def _peek(self) -> bool:
        """Look at the jobs behind the known ones; return whether there may be more."""
        look, size = self._lookahead.room([*self._entries.values()])
        if look <= 0:
            return False
        found = self._services.queue.peek(self._name, self._lookahead.last, look, size)
        self._lookahead.saw(found, look)
        return len(found) == look

    def _try_join(self, entry: Entry, together: ConcurrentGroup) -> None:
        """Let one more call in, if it may run together with the open ones."""
        admitted = None if is_lock(entry.job_id) else self._services.admission.try_admit(entry)
        if admitted is None or not self._memory.take(entry):
            self._lookahead.block()
            return
        if shares_key(admitted, self._open):  # what comes of the other one is not known yet
            self._memory.give_back(entry)
            self._lookahead.block()
            return
        begun = self._services.runner.begin(admitted)
        if isinstance(begun, Call) and not together.add(begun):
            self._memory.give_back(entry)
            self._lookahead.block(begun)
            return
        if self._is_round and isinstance(begun, Call):
            begun = self._reads.catch_up(begun, self._services.runner) or begun
        self._entries[entry.key] = entry
        self._record(entry, begun)
        self._lookahead.let_in()

    def _wait_to_read(self, results: Results) -> Generator[Ticket, Permit, None]:
        """Wait for memory for large answers; if the server stops first, read them anyway."""
        if ticket := self._memory.take_answers(estimate_answers(results)):
            self._services.sender.releases.now(self._name)  # others wait for the slot
            yield from self._memory.in_turn(ticket, self._services.valve)
            self._services.sender.remembering.drop_old(results)

    def _advance(self, results: Results) -> None:
        """Continue calls with their answers, each to its next request or its end."""
        if self._is_round:
            self._reads.note(results)
        stale = begin_outdated_anew(self._open, results)
        calls = [(call, self._record_answer(call, result)) for call, result in results]
        # Free what was sent, which may be large: the call's next run builds it again.
        results.clear()
        for call, ended in [*calls, *((call, None) for call in stale)]:
            outcome = ended or self._services.runner.advance(call)
            if outcome is None and self._is_round:
                outcome = self._reads.catch_up(call, self._services.runner)
            if outcome is not None:
                # Record it first: a call that has ended is not left, whatever fails now.
                self._record(self._entries[call.entry.key], outcome, call)
                if outcome.is_left:
                    # This process may be the next server, which would wait for the call's end.
                    self._services.admission.history.leave([call])
                self._open.remove(call)
                call.close()

    def _record_answer(self, call: Call, result: Exchange | Outcome) -> Outcome | None:
        """Give a call the answer to its request; or return how it ended without one."""
        if isinstance(result, Outcome):
            return self._services.runner.ended(call, result)
        try:
            self._services.tables.note_answer(self._name, call, result)
            call.answered(result, is_last=is_single(call))
        except Exception as error:  # noqa: BLE001 - otherwise the lane would retry it forever
            return self._services.runner.ended(call, broken(error, call))
        return None

    # Answers -----------------------------------------------------------------------------------

    def _answer(self) -> Entry | None:
        """Answer the calls that have ended; return the lane's next job."""
        following = None
        self._answered += len(self._ended)
        for ended in batches(self._ended):
            replies = [outcome.answer_to(entry) for entry, outcome in ended]
            answer = partial(self._services.admission.answer, self._services.queue, replies)
            following = self._services.sender.releases.with_next(self._name, answer)
            for entry, outcome in ended:
                self._memory.give_back(entry)
                record_call(self._entries.pop(entry.key), outcome, self._services.figures)
        self._ended.clear()
        self._may_wait_outside = True
        return following

    def _linger(self, following: Entry | None) -> Generator[Ticket, Permit, Entry | None]:
        """Wait for the next calls of callers that were answered together, unless all have come."""
        answered, self._answered = self._answered, 0
        waiting = following.waiting if following is not None else 0
        has_enough = waiting >= answered and not self._is_round
        if answered <= 1 or has_enough or not self._services.linger or self._is_over():
            return following
        moment = time.monotonic() + self._services.linger
        return (yield from self._head_after(Ticket(FREE, not_before=moment)))
