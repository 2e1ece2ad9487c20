"""Run one call from its job to its reply: admit, advance, outcome.

This module decides how the call ends; gspread decides what it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import gspread

from queued_gspread.broker import StaleEpochError
from queued_gspread.errors import BrokerUnavailableError, QueuedGspreadError, RemoteError
from queued_gspread.protocol.messages import Reply
from queued_gspread.server.log import LOGGER
from queued_gspread.server.policy.gspread_methods import READ_ONLY_METHODS, SINGLE_WRITE_METHODS
from queued_gspread.server.policy.request import RequestDigest, is_read
from queued_gspread.server.replay.advance import Done, Needs, advance, decode
from queued_gspread.server.replay.held import Suspender
from queued_gspread.server.replay.journal import Unanswered
from queued_gspread.settings import DEFAULT_MAX_MESSAGE_BYTES

from .accounts import mismatch
from .advice import advise
from .call import JOURNALLED, MAY_HAVE_WRITTEN, Call
from .history import History
from .locking import Grant, grant_of
from .outcome import Outcome, ended, failed, lost, poisoned
from .quarantine import MOST_DEATHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Entry
    from queued_gspread.protocol.identity import Identity
    from queued_gspread.protocol.messages import Job
    from queued_gspread.server.policy.request import Request

    from .recovery import Recovery

__all__ = ["Runner", "broken"]

# In the order in which a call gets them; '' if it has sent nothing.
_MARKS: Final = ("", "r", *MAY_HAVE_WRITTEN)
_UNLIKE: Final = (
    "%s sends other requests than those of gspread %s that this server was tested with: its calls "
    "are sent alone from now on"
)


class Runner:
    """Runs any number of calls at a time.

    Args:
        recovery: Knows what earlier runs of a call left behind.
        account: Whose credentials the server has.
        limit: Bytes that a reply may have.
        history: What this process has done for jobs.
        suspects: Returns whether a request must be sent alone, since a similar one has just failed.

    """

    def __init__(
        self,
        recovery: Recovery,
        account: Identity,
        limit: int = DEFAULT_MAX_MESSAGE_BYTES,
        history: History | None = None,
        suspects: Callable[[Request], bool] = lambda _: False,
    ) -> None:
        self._recovery = recovery
        self._suspects = suspects
        self._account = account
        self._limit = limit
        self._history = history or History()
        self._suspender = Suspender()
        # Methods that were seen to send other requests than they are listed for.
        self._unlisted: dict[str, object] = {}

    def begin(self, entry: Entry) -> Call | Outcome:
        """Return a job's call with its first request, or its outcome if it ended without one.

        Raises:
            StaleEpochError: Another server works by now.
            BrokerUnavailableError: Redis is gone; the call is left to the next server.

        """
        try:
            call = self._admitted(entry)
            if isinstance(call, Outcome):
                return self.ended_unbegun(entry, call)
            return self._kept(call) or self._taken(call) or call
        except (StaleEpochError, BrokerUnavailableError):
            raise
        except BaseException as error:  # noqa: BLE001 - fail this call alone; the lane goes on
            return self.ended_unbegun(entry, broken(error))

    def asked_for_lock(self, entry: Entry) -> Grant | Outcome:
        """Return what a job gets that asks for a lock; its outcome if it is refused."""
        if entry.deaths >= MOST_DEATHS:
            self._recovery.set_aside(entry)
            return poisoned(entry)
        return grant_of(entry, self._account)

    def advance(self, call: Call) -> Outcome | None:
        """Run a call as far as its exchanges reach; return its outcome if it has ended.

        The call may hold a thread until it is closed.
        """
        if call.held is None:
            call.held = self._suspender.suspended(call.entry.body, call.exchanges)
        return self._taken(call)

    def ended(self, call: Call, outcome: Outcome) -> Outcome:
        """Return the outcome of a call that has ended, with what is kept under its key."""
        if call.promise is None:
            return outcome
        return self._recovery.promises.ended(call, call.promise, outcome)

    def ended_unbegun(self, entry: Entry, outcome: Outcome) -> Outcome:
        """Return the same for a job whose call was not begun."""
        return self._recovery.promises.ended_unbegun(entry, outcome)

    def _kept(self, call: Call) -> Outcome | None:
        """Return the outcome of a call that was made before, under its idempotency key."""
        if call.job.once is None:
            return None
        promises = self._recovery.promises
        call.promise = promises.of(call.entry, call.job.once)
        call.claim = promises.claim(call.promise)
        return promises.kept(call)

    def _taken(self, call: Call) -> Outcome | None:
        """Take a call one step further; return its outcome if it has ended."""
        outcome = self._step(call)
        return None if outcome is None else self.ended(call, outcome)

    def _step(self, call: Call) -> Outcome | None:
        """Take a call one step further, without holding anything new."""
        try:
            step = _advance(call)
            if isinstance(step, Done):
                if step.reply.error is not None:
                    advise(step.reply.error, self._account, call.job.identity)
                return ended(step.reply, call.job, call.tally, self._limit)
            call.needs(step.request)
            call.is_suspect = self._suspects(step.request)
            self._note(call)
        except BaseException as error:  # noqa: BLE001 - the same
            return broken(error, call)
        return None

    def _note(self, call: Call) -> None:
        """Mark a call whose method needs another request than it is listed for; warn once."""
        name = call.job.name
        if name in self._unlisted:
            call.is_as_listed = False
        elif _is_otherwise(call):
            call.is_as_listed = False
            mine = object()
            if self._unlisted.setdefault(name, mine) is mine:  # no other lane was first
                LOGGER.warning(_UNLIKE, name, gspread.__version__)

    def _admitted(self, entry: Entry) -> Call | Outcome:
        if entry.deaths >= MOST_DEATHS:
            self._recovery.set_aside(entry)
            return poisoned(entry)
        try:
            decoded = decode(entry.body)
            job = decoded.job.without_arguments()
        except QueuedGspreadError as error:
            return failed(error, None)
        if job.identity.conflicts_with(self._account):
            return failed(mismatch(job.identity, self._account), job)
        left = self._history.left(entry.job_id)
        if entry.mark or left is not None:
            return self._resumed(entry, job, left)
        return Call(entry, job, decoded=decoded)

    def _resumed(self, entry: Entry, job: Job, left: Call | None) -> Call | Outcome:
        """Return a call that was begun before, from where its journal or this process left it."""
        if entry.mark in MAY_HAVE_WRITTEN or left is not None:
            self._recovery.guard(entry.lane)
        journal = self._recovery.journal(entry)
        # Another server may have come further since. A promoted replica may know less.
        if left is not None and left.mark == JOURNALLED and journal.length <= len(left.exchanges):
            if left.is_in_doubt:
                sent = RequestDigest.of(left.request)
                return lost(job, Unanswered(sent, account=left.sent_as), left.request)
            return Call(entry, job, list(left.exchanges), JOURNALLED, journal.length)
        if journal.unanswered is not None:
            step = _advance(Call(entry, job, list(journal.exchanges)))
            request = step.request if isinstance(step, Needs) else None
            return lost(job, journal.unanswered, request)
        if entry.mark == JOURNALLED and not journal.exchanges:
            return lost(job, Unanswered())  # the journal was deleted
        # A promoted replica may not know that the call has written.
        mark = entry.mark if left is None else max(entry.mark, left.mark, key=_MARKS.index)
        return Call(entry, job, list(journal.exchanges), mark, len(journal.exchanges))


def _advance(call: Call) -> Done | Needs:
    decoded, call.decoded = call.decoded, None
    try:
        if call.held:
            return call.held.advance()
        return advance(call.entry.body, call.exchanges, decoded)
    except QueuedGspreadError as error:
        return Done(Reply(error=error))


def broken(error: BaseException, call: Call | None = None) -> Outcome:
    """Return the outcome of a call that failed because of an error of this program."""
    LOGGER.error("an error of this program, please report it", exc_info=error)
    message = f"the server failed to make the call: {type(error).__name__}: {error}"
    if call is None:
        return failed(RemoteError(message), None)
    return failed(RemoteError(message), call.job, call.tally)


def _is_otherwise(call: Call) -> bool:
    """Return whether a call needs a request next that its method is not listed for."""
    if is_read(call.request):
        return call.job.name in SINGLE_WRITE_METHODS
    return call.job.name in READ_ONLY_METHODS or (
        call.job.name in SINGLE_WRITE_METHODS and bool(call.exchanges)
    )
