"""The real lane of a server, driven in one thread: its queue is a list, its Google in process."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from time import monotonic

from hand_clock import HandClock
from open_valve import OpenValve

from queued_gspread.broker import Permit, QuotaState, Ready
from queued_gspread.broker.jobs import Entry
from queued_gspread.protocol.identity import ANYONE
from queued_gspread.server.calls.admission import Admission
from queued_gspread.server.calls.quarantine import Quarantine
from queued_gspread.server.calls.runner import Runner
from queued_gspread.server.figures import Figures
from queued_gspread.server.google.token_state import NoTokens
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.lanes.lane import work_on
from queued_gspread.server.lanes.services import LaneServices
from queued_gspread.server.lanes.tables import Tables
from queued_gspread.server.log import LOGGER
from queued_gspread.server.pacing.quota import Quota
from queued_gspread.server.pacing.valve import LATE, TURN
from queued_gspread.server.policy.retry import RetryPolicy
from queued_gspread.server.sending.counters import Counters
from queued_gspread.server.sending.read_cache import ReadCache
from queued_gspread.server.sending.remembering import Remembering
from queued_gspread.server.sending.sender import Sender
from queued_gspread.settings import Settings

from .google import Google, state_of

LANE = "lane"
# Seconds: some time in a history, so that what is read after a doubt is remembered again.
_MAY_LAND = 4.0
SETTINGS = Settings.resolve(redis_url="redis://localhost", namespace="merging")


@dataclass(frozen=True)
class Run:
    """What came of a history.

    Attributes:
        replies: Of each call, in order: its encoded reply; nothing where its caller had given up.
        state: The spreadsheet afterwards.
        requests: How many requests were sent.
        merged: Of each kind, how many requests were for several calls.
        recalled: How many requests were answered from memory.
        missed: How many that might have been were not.
        too_old: How often an answer was there that was too old.
        seconds: What all the waiting took.
        ends: In the order of answers: the call's place, when it was answered, and how many of its
            requests were answered from memory.

    """

    replies: list[bytes]
    state: dict
    requests: int
    merged: Counter
    recalled: int
    missed: int
    too_old: int
    seconds: float
    ends: list[tuple[int, float, int]]


class Waiting:
    """The jobs of one lane, in the place of :class:`queued_gspread.broker.Consumer`.

    Args:
        jobs: Encoded jobs, in order of arrival.
        arrivals: How many more have arrived at each look, over and over.
        waits: Whether a request has to wait for its slot, over and over.
        gone: The places of the jobs whose callers have given up by the time they begin.
        passes: Called at each look, where time may pass.
        clock: Tells when calls are answered.

    """

    epoch = "1"

    def __init__(self, jobs, arrivals, waits, gone, passes=lambda: None, clock=monotonic):
        self.replies = [None] * len(jobs)
        self._jobs = list(enumerate(jobs))
        self._arrivals, self._waits, self._gone = cycle(arrivals), cycle(waits), gone
        self._passes, self._clock = passes, clock
        self.ends = []
        self._come = 0
        self._started = set()

    def head(self, lane):
        self._look()
        self._come = max(self._come, 1)
        return self._entry(self._jobs[0]) if self._jobs else None

    def peek(self, lane, after, count, size):
        self._look()
        behind = [job for job in self._jobs[: self._come] if job[0] > int(after)]
        fitting, left = [], size
        for job in behind[:count]:
            left -= len(job[1])
            if left < 0:
                break
            fitting.append(self._entry(job))
        return fitting

    def acquire(self, acquire_args, slot, *_):
        if next(self._waits):
            return Permit("wait")
        words = tuple("withdrawn" if self._is_gone(each) else "go" for each in acquire_args)
        entries = [each.entry for each in acquire_args]
        self._started |= {
            entry.stream_id for entry, word in zip(entries, words, strict=True) if word == "go"
        }
        return Permit("go" if "go" in words else words[0], sent=1000, words=words)

    def count_waiting(self):
        return len(self._jobs)

    def release_slot(self, jobs, slot, sent, **answer):
        return QuotaState(0, 0.0)

    def answer(self, answers, slots_to_release=()):
        for entry, reply in answers:
            place = int(entry.stream_id)
            self.ends.append((place, self._clock()))
            assert self.replies[place] is None, "a call is answered twice"
            # Redis drops the answer to a job that was withdrawn before it was started.
            is_dropped = place in self._gone and entry.stream_id not in self._started
            self.replies[place] = b"" if is_dropped else reply
            self._jobs.remove((place, entry.body))
            self._come -= 1
        return self.head(LANE)

    def leave(self, job_ids):
        """Take note of nothing: where a lane leaves calls, they have no reply."""

    def _look(self):
        self._passes()
        self._come = min(self._come + next(self._arrivals), len(self._jobs))

    def _entry(self, job):
        return Entry(LANE, str(job[0]), f"job-{job[0]}", job[1], "", max(self._come, 1))

    def _is_gone(self, acquire_args):
        return int(acquire_args.entry.stream_id) in self._gone and acquire_args.entry.mark == ""


class _Merged(Counters):
    """Counts as well which requests were for several calls."""

    def __init__(self):
        super().__init__()
        self.merged = Counter()

    def note(self, kind, calls):
        super().note(kind, calls)
        if calls > 1:
            self.merged[kind] += 1


class _Cache(ReadCache):
    """Counts as well how often an answer was too old."""

    too_old = 0

    def find(self, book, request, max_age):
        found = super().find(book, request, max_age)
        self.too_old += found is None and self.has(book, request)
        return found


class _Valve(OpenValve):
    """Lets through what need not wait for its moment."""

    def __init__(self, clock):
        super().__init__()
        self._clock = clock

    def turn_now(self, ticket):
        if ticket.until <= self._clock.now:
            return LATE
        return TURN if ticket.not_before <= self._clock.now else None


def run(history, *, merges, retry_policy=None, types=None):
    """Make all calls of a history, from its state.

    Args:
        history: The history.
        merges: Whether calls run together.
        retry_policy: What to do about failures.
        types: Is called with the spreadsheet and the moment at each look, and at each request once
            Google has made it, before the next pause: what somebody else does meanwhile.

    """
    seldom = (history.busy, history.blips) if merges else ((), ())
    google, clock = Google(history.book.fill, *seldom, history.trouble), HandClock()
    passes = _passing(clock, history.pauses)
    if types is not None:
        passes = google.passes = partial(_while_somebody, types, google.book, passes, clock)
    given = (history.jobs, history.arrivals, history.waits, history.gone)
    queue = Waiting(*given, passes, clock)
    counters, figures = _Merged(), Figures()
    remembering = Remembering(history.remembers, _MAY_LAND, clock=clock)
    remembering._cache = cache = _Cache(history.remembers, clock)
    counts = {"counters": counters, "figures": figures, "remembering": remembering}
    work(queue, google, clock, merges=merges, retry_policy=retry_policy, **counts)
    assert None not in queue.replies, "a call is left over"
    recalled = [tally.recalled if tally else 0 for tally, *_ in figures._calls]
    missed = figures.take().counts["missed", "read"]
    ends = [(*end, number) for end, number in zip(queue.ends, recalled, strict=True)]
    told = (google.sent, counters.merged, sum(recalled), missed, cache.too_old, clock.now, ends)
    return Run(queue.replies, state_of(google.book), *told)


def work(queue, google, clock, *, figures, merges=True, retry_policy=None, **own):
    """Make all calls of a lane, as a server that has no more than this one."""
    transport, valve = Transport(google.http, NoTokens(google.http)), _Valve(clock)
    given = (queue, transport, Quota(), retry_policy or RetryPolicy(), valve, clock)
    sender = Sender(*given, figures=figures, **own)
    runner = Runner(sender.recovery, ANYONE, suspects=sender.suspects)
    shared = (valve, Tables(), Quarantine())
    own = {"merges": merges, "figures": figures}
    services = LaneServices(queue, Admission(SETTINGS), runner, sender, *shared, **own)
    level = LOGGER.level
    LOGGER.setLevel(logging.ERROR)
    try:
        _drive(work_on(services, Ready(LANE), lambda: False), clock)
    finally:
        LOGGER.setLevel(level)


def _passing(clock, pauses):
    """Return what lets the next of the pauses pass, over and over."""
    coming = cycle(pauses)

    def passes():
        clock.now += next(coming)

    return passes


def _while_somebody(types, book, passes, clock):
    types(book, clock.now)
    passes()


def _drive(task, clock):
    """Be the worker and the valve of a lane; no time passes but by waiting, and between looks."""
    turn = None
    while True:
        try:
            ticket = task.send(turn)
        except StopIteration:
            return
        turn = None if ticket is None else _turn(ticket, clock)


def _turn(ticket, clock):
    clock.now = max(clock.now, min(ticket.not_before, ticket.until))
    return LATE if ticket.until <= clock.now else TURN
