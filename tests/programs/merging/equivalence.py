"""Whether merged and unmerged calls come to the same."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter

from queued_gspread.protocol.messages import Reply
from queued_gspread.server.log import LOGGER
from tests.parity.two_ways import plain

from .ages import fresh
from .lane import run


class Tally:
    """What histories came to, counted."""

    def __init__(self):
        self.histories = self.calls = self.merging = self.requests = self.unmerged_requests = 0
        self.recalled = self.missed = self.too_old = self.recalling = 0
        self.merged = Counter()
        self.histories_by_kind = Counter()

    def note(self, history, merged, unmerged):
        self.count(len(history.calls), merged.requests, unmerged.requests)
        self.merging += bool(merged.merged)
        self.recalled += merged.recalled
        self.missed += merged.missed
        self.too_old += merged.too_old
        self.recalling += bool(merged.recalled)
        self.merged += merged.merged
        self.histories_by_kind.update(merged.merged.keys())

    def count(self, calls, requests, unmerged_requests):
        self.histories += 1
        self.calls += calls
        self.requests += requests
        self.unmerged_requests += unmerged_requests

    def __str__(self):
        counted = (
            f"{self.histories} histories, {self.calls} calls; requests: {self.requests} merged, "
            f"{self.unmerged_requests} unmerged"
        )
        return f"{counted}{self._of_merging()}{self._of_memory()}"

    def _of_merging(self):
        share = self.merging / max(self.histories, 1)
        kinds = ", ".join(
            f"{kind} {self.merged[kind]} in {count}"
            for kind, count in sorted(self.histories_by_kind.items())
        )
        return (
            f"\n{self.merging} histories had a merge ({share:.0%}); merged requests, and the "
            f"histories that had some, by kind: {kinds}"
        ) * bool(self.merging)

    def _of_memory(self):
        share = self.recalling / max(self.histories, 1)
        return (
            f"\n{self.recalling} histories had an answer from memory ({share:.0%}), "
            f"{self.recalled} in all; {self.missed} might have been and were not; "
            f"{self.too_old} times what was there was too old"
        ) * bool(self.recalled)


def check(history, tally=None):
    """Raise AssertionError unless merging is invisible in a history.

    So are answers from memory, where its calls have ages: unmerged, nothing is remembered.
    """
    with _failing_at_errors():
        merged, unmerged = run(history, merges=history.merges), run(fresh(history), merges=False)
    for place, call in enumerate(history.calls):
        mine, alone = merged.replies[place], unmerged.replies[place]
        if mine != alone:
            assert (place, call, shown(mine)) == (place, call, shown(alone))
    assert merged.state == unmerged.state
    assert not unmerged.merged
    if tally is not None:
        tally.note(history, merged, unmerged)


@contextlib.contextmanager
def _failing_at_errors():
    """Raise what a lane would log and go on after, unmerged: an error of the program."""
    handler = logging.Handler(logging.ERROR)
    handler.emit = _fail
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)


def _fail(record):
    if "an error of this program" in record.getMessage():
        raise record.exc_info[1]


def shown(reply):
    """Return what a reply says, as data."""
    if not reply:
        return reply
    seen = Reply.decode(reply, _Anything())
    return plain(seen.result), plain(seen.error), seen.warnings, seen.changes


class _Anything:
    """What spreadsheets and worksheets in a reply become here: what is told of them."""

    def spreadsheet(self, properties):
        return properties

    def worksheet(self, spreadsheet, properties):
        return {"spreadsheet": spreadsheet, "properties": properties}
