"""A client's way into the queue, shared by all its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread._clock import now
from queued_gspread._interrupts import unconverted
from queued_gspread.broker import Producer, producer, sandbox, tell_answered
from queued_gspread.errors import CallTimeoutError, QueuedGspreadError
from queued_gspread.protocol.messages import LOCK, Job, NoObjects, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.broker import Notice
    from queued_gspread.protocol import codec
    from queued_gspread.protocol.identity import Identity
    from queued_gspread.settings import Settings

__all__ = ["Caller", "close_notice", "decoded"]


class Caller:
    """Shared by all objects of one client: where the queue is, and whose calls these are."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.settings = settings
        self.identity = identity
        self._queue = Producer(settings)
        # The key columns of upserts, by the table: where they were last.
        self.key_columns: dict[Any, list[int]] = {}

    def send(self, job_id: str, lane: str, body: bytes, objects: codec.Objects) -> Reply:
        """Put a job into the queue and wait for its reply."""
        began = now()
        queue = self.queue_now()
        notice = queue.notice()
        with unconverted():
            reply = queue.call(job_id, lane, body, notice)
        with unconverted(tell_answered):
            try:
                return decoded(reply, objects, now() - began, notice)
            finally:
                queue.forget(job_id)

    def lock(
        self, queue: Producer, number: str, lane: str, body: bytes, extends: Mapping[str, float]
    ) -> None:
        """Wait for a spreadsheet's lock. See ``Producer.call`` for the locks that this extends."""
        began = now()
        notice = queue.notice(producer.LOCK_PATIENCE)
        with unconverted():
            reply = queue.call(number, lane, body, notice, extends)
        with unconverted(tell_answered):
            try:
                self.locked(reply, now() - began, notice)
            finally:
                queue.forget(number)

    def lock_job(self, hold: float, title: Any = None) -> bytes:
        """Return the job that asks for the lock of a spreadsheet, whose title the log shows."""
        return Job(
            LOCK,
            "acquire",
            target={"spreadsheet": {}, "properties": {"title": title}},
            kwargs={"hold": hold},
            identity=sandbox.account_for_call(self.settings, self.identity),
            timeout=self.settings.timeout,
        ).encode()

    @staticmethod
    def locked(reply: bytes, seconds: float, notice: Notice) -> None:
        """Raise the error of a reply to a job that asks for a lock, if it has one."""
        error = decoded(reply, NoObjects(), seconds, notice).error
        if error is not None:
            raise error

    def queue_now(self) -> Producer:
        """Return the queue that a call goes to now: in a test, the test's."""
        settings = sandbox.settings_for_call(self.settings)
        return self._queue if settings is self.settings else Producer(settings)


def decoded(message: bytes, objects: codec.Objects, seconds: float, notice: Notice) -> Reply:
    """Decode a call's reply; its error gets the job's id, and a time-out who waited for what.

    Args:
        message: The reply.
        objects: Makes gspread's objects.
        seconds: How long the call has waited for it.
        notice: The call's notice, which is over.

    """
    try:
        reply = Reply.decode(message, objects)
    except QueuedGspreadError as error:
        error.job_id = notice.job_id
        raise
    return close_notice(reply, seconds, notice)


def close_notice(reply: Reply, seconds: float, notice: Notice) -> Reply:
    """End a call's notice, or complete the call's error."""
    error = reply.error
    if error is None:
        notice.end()
    if isinstance(error, QueuedGspreadError):
        error.job_id = notice.job_id
    if isinstance(error, CallTimeoutError):
        waited = f"{error} ({notice.caller or 'this caller'} has waited for {seconds:.1f} s)"
        error.args = (waited + notice.last_words(),)
    return reply
