"""One call from its first run to its reply: advance, wait for a turn, mark, send, advance again.

What becomes of the call is decided here; what it does is decided by gspread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from queued_gspread import codec
from queued_gspread.broker import StaleEpochError
from queued_gspread.errors import (
    BrokerUnavailableError,
    CallTimeoutError,
    OutcomeUnknownError,
    QueuedGspreadError,
    RemoteError,
)
from queued_gspread.job import Job, Reply
from queued_gspread.responses import made_up_response

from .admission import admit
from .calllog import LOGGER
from .replay import Done, Needs, advance, decode
from .request import Exchange, Request, is_read

if TYPE_CHECKING:
    from queued_gspread.broker import Entry, Servers
    from queued_gspread.identity import Identity

    from .transport import Transport

__all__ = ["Outcome", "Runner"]


@dataclass(frozen=True)
class Outcome:
    """How a call ended.

    Attributes:
        word: For the log: ``ok``, the name of an exception's class, ``withdrawn``, ``late`` or
            ``left`` (in the queue, for the next server).
        reply: The encoded reply; empty where nobody waits for one.
        job: The job, as far as it could be read.
        requests: How many requests were sent.

    """

    word: str
    reply: bytes = b""
    job: Job | None = None
    requests: int = 0

    @property
    def is_left(self) -> bool:
        """Whether the job stays in the queue."""
        return self.word == "left"


class Runner:
    """Runs calls, any number at a time in threads of their own."""

    def __init__(self, queue: Servers, transport: Transport, account: Identity) -> None:
        self._queue = queue
        self._transport = transport
        self._account = account

    def run(self, entry: Entry) -> Outcome:
        """Run a job's call to its end.

        Raises:
            StaleEpochError: Another server works by now; nothing more was sent.
            BrokerUnavailableError: Redis is gone; the call's fate is left to the next server.

        """
        try:
            return self._run(entry)
        except (StaleEpochError, BrokerUnavailableError):
            raise
        except BaseException as error:  # noqa: BLE001 - the lane has to go on, the caller to know
            LOGGER.exception("an error of this program, please report it")
            told = f"the server failed to make the call: {type(error).__name__}: {error}"
            return _failed(RemoteError(told), None, 0)

    def _run(self, entry: Entry) -> Outcome:
        try:
            job = decode(entry.body)
        except QueuedGspreadError as error:
            return _failed(error, None, 0)
        try:
            admit(job.identity, self._account)
        except QueuedGspreadError as error:
            return _failed(error, job, 0)
        if entry.mark == "w":
            return _failed(_lost(job), job, 0)
        return self._send_all(entry, job)

    def _send_all(self, entry: Entry, job: Job) -> Outcome:
        exchanges: list[Exchange] = []
        mark = ""
        while True:
            step = self._advance(entry, exchanges)
            if isinstance(step, Done):
                return _ended(step.reply, job, len(exchanges))
            # What has only read can be made again; what may have written has to come to its end.
            if not self._transport.take_turn(step.request, even_when_stopping=mark == "w"):
                return Outcome("left", job=job, requests=len(exchanges))
            word, mark = self._start(entry, job, step.request, mark)
            if word == "late":
                return _late(job, len(exchanges))
            if word != "go":
                return Outcome(word, job=job, requests=len(exchanges))
            exchanges.append(self._transport.send(step.request, job.http_timeout))

    @staticmethod
    def _advance(entry: Entry, exchanges: list[Exchange]) -> Done | Needs:
        try:
            return advance(entry.body, exchanges)
        except QueuedGspreadError as error:
            return Done(Reply(error=error))

    def _start(self, entry: Entry, job: Job, request: Request, mark: str) -> tuple[str, str]:
        """Mark how far the call will be; ask whether it still may go on, under this epoch."""
        mark = (mark or "r") if is_read(request) else "w"
        return self._queue.start(entry, mark, job.timeout), mark


def _ended(reply: Reply, job: Job, sent: int) -> Outcome:
    if reply.error is not None:
        return _failed(reply.error, job, sent, reply)
    try:
        return Outcome("ok", reply.encode(), job, sent)
    except codec.Unencodable as error:
        told = RemoteError(f"the result of {job.method} cannot travel: {error}")
        return _failed(told, job, sent, Reply(changes=reply.changes))


def _failed(
    error: BaseException, job: Job | None, sent: int, reply: Reply | None = None
) -> Outcome:
    reply = reply or Reply()
    reply.result, reply.error = None, error
    return Outcome(type(error).__name__, reply.encode(), job, sent)


def _late(job: Job, sent: int) -> Outcome:
    told = f"{job.method}: the timeout of {job.timeout:g} s passed before the call wrote anything"
    return Outcome("late", Reply(error=CallTimeoutError(told)).encode(), job, sent)


def _lost(job: Job) -> OutcomeUnknownError:
    message = (
        f"{job.method}: the server that made this call stopped while it may have been writing; "
        "look into the spreadsheet before you call again"
    )
    error = {"message": message, "status": "OUTCOME_UNKNOWN"}
    return OutcomeUnknownError(made_up_response(0, "OUTCOME_UNKNOWN", error))
