"""One call from its first run to its reply: advance, send what it needs, advance again.

What becomes of the call is decided here; what it does is decided by gspread. A call is a
generator: it yields a ticket whenever it has to wait, so that waiting takes no thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queued_gspread.broker import StaleEpochError
from queued_gspread.errors import BrokerUnavailableError, QueuedGspreadError, RemoteError
from queued_gspread.job import Reply
from queued_gspread.settings import DEFAULT_MAX_MESSAGE_BYTES

from .admission import admit
from .calllog import LOGGER
from .journal import Unanswered
from .outcome import Outcome, ended, failed, lost, poisoned
from .replay import Done, Needs, advance, decode
from .sender import JOURNALLED, MAY_HAVE_WRITTEN, Call

if TYPE_CHECKING:
    from collections.abc import Generator

    from queued_gspread.broker import Entry, Permit
    from queued_gspread.identity import Identity
    from queued_gspread.job import Job

    from .line import Ticket
    from .sender import Sender

__all__ = ["Runner"]

_MOST_DEATHS: Final = 3


class Runner:
    """Runs calls, any number at a time.

    Args:
        sender: Sends their requests.
        account: Whose credentials the server has.
        limit: Bytes that a reply may have.

    """

    def __init__(
        self, sender: Sender, account: Identity, limit: int = DEFAULT_MAX_MESSAGE_BYTES
    ) -> None:
        self._sender = sender
        self._account = account
        self._limit = limit

    def run(self, entry: Entry) -> Generator[Ticket, Permit, Outcome]:
        """Run a job's call to its end.

        Raises:
            StaleEpochError: Another server works by now; nothing more was sent.
            BrokerUnavailableError: Redis is gone; the call's fate is left to the next server.

        """
        call: Call | Outcome | None = None
        try:
            call = self._admitted(entry)
            if isinstance(call, Outcome):
                return call
            return (yield from self._send_all(call))
        except (StaleEpochError, BrokerUnavailableError, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the lane has to go on, the caller to know
            LOGGER.exception("an error of this program, please report it")
            told = f"the server failed to make the call: {type(error).__name__}: {error}"
            if isinstance(call, Call):
                return failed(RemoteError(told), call.job, call.sent)
            return failed(RemoteError(told), None, 0)

    def _admitted(self, entry: Entry) -> Call | Outcome:
        if entry.deaths >= _MOST_DEATHS:
            self._sender.set_aside(entry)
            return poisoned(entry)
        try:
            job = decode(entry.body)
        except QueuedGspreadError as error:
            return failed(error, None, 0)
        try:
            admit(job.identity, self._account)
        except QueuedGspreadError as error:
            return failed(error, job, 0)
        return self._resumed(entry, job) if entry.mark else Call(entry, job)

    def _resumed(self, entry: Entry, job: Job) -> Call | Outcome:
        """Return a call that was begun before, where its journal leaves it."""
        if entry.mark in MAY_HAVE_WRITTEN:
            self._sender.guard(entry.lane)
        journal = self._sender.journal(entry)
        if journal.unanswered is not None:
            step = self._advance(Call(entry, job, list(journal.exchanges)))
            request = step.request if isinstance(step, Needs) else None
            return lost(job, journal.unanswered, request)
        if entry.mark == JOURNALLED and not journal.exchanges:
            return lost(job, Unanswered())  # somebody has taken the journal away
        return Call(entry, job, list(journal.exchanges), entry.mark, len(journal.exchanges))

    def _send_all(self, call: Call) -> Generator[Ticket, Permit, Outcome]:
        while True:
            step = self._advance(call)
            if isinstance(step, Done):
                return ended(step.reply, call.job, call.sent, self._limit)
            found = yield from self._sender.send(call, step.request)
            if isinstance(found, Outcome):
                return found
            call.exchanges.append(found)

    @staticmethod
    def _advance(call: Call) -> Done | Needs:
        try:
            return advance(call.entry.body, call.exchanges)
        except QueuedGspreadError as error:
            return Done(Reply(error=error))
