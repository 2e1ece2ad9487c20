"""The callers' side of the queue: enqueue a job, wait for its reply, withdraw it.

What is sent and what it means is decided in :mod:`.core`; here a thread blocks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread._interrupts import own
from queued_gspread.broker.connection.client import Connection, Link
from queued_gspread.broker.connection.deadline import moment, until
from queued_gspread.broker.connection.detached import aside
from queued_gspread.broker.connection.effects import Tell
from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.broker.connection.shell import Shell
from queued_gspread.broker.waiting.notices import Notice
from queued_gspread.broker.waiting.wait import LEAVING, Wait
from queued_gspread.errors import (
    BrokerUnavailableError,
    CallTimeoutError,
    JobLostError,
    LockLostError,
    MessageTooLargeError,
    QueuedGspreadError,
    QueueDrainedError,
    QueueFullError,
    ServerUnavailableError,
    SignatureError,
    VersionMismatchError,
)

from .core import CallCore
from .envelope import Envelope
from .keys import Keys
from .locks import LockHolder, holder_lane, holders_of
from .withdrawal import UNDONE, note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.broker.connection.effects import Core
    from queued_gspread.broker.waiting.signs_of_life import Alive, Seen
    from queued_gspread.settings import Settings

__all__ = ["AFTER_WITHDRAWAL", "LOCK_PATIENCE", "Producer", "QueuedJob"]

LOCK_PATIENCE = 5.0
"""Seconds that a caller waits for a lock before a notice; a test may set it here."""

T = TypeVar("T")

# Seconds for the withdrawal after Ctrl-C.
_INTERRUPTED: Final = 5.0
# How often a lock is extended before it would lapse, while its caller waits for another one.
_LOOKS: Final = 3
NO_LOCKS: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(eq=False)
class QueuedJob:
    """A job of a caller that does not wait for it, and what may become of it.

    Attributes:
        wait: Its caller's wait.
        connection: The connection to its Redis.
        body: The job.
        message: The job as it is sent.
        core: What decides for it.
        is_over: Whether its call has ended.

    """

    wait: Wait
    connection: Connection
    body: bytes
    message: bytes
    core: CallCore
    _envelope: Envelope
    _keys: Keys
    is_over: bool = False

    @property
    def reply_key(self) -> str:
        """Where its reply will be."""
        return self._keys.reply(self.wait.job_id)

    def enqueue(self) -> Core[None]:
        """Put it in. One that need not be waited for is signed with the time before that."""
        yield from self._named(self._enqueue())

    def _named(self, core: Core[T]) -> Core[T]:
        """Do what a core does, and have its errors carry the job's id."""
        try:
            return (yield from core)
        except own(QueuedGspreadError) as error:
            error.job_id = self.wait.job_id
            raise

    def _enqueue(self) -> Core[None]:
        wait = self.wait
        if wait.is_unattended:
            moment = yield from self.core.moment(wait)
            self.message, _ = self._envelope.job(wait.job_id, wait.lane, self.body, moment)
        yield from self.core.enqueue(wait, self.message)

    def reply(self) -> Core[bytes]:
        """Wait for its reply, and delete what the call has left in Redis."""
        return (yield from self._named(self._reply()))

    def _reply(self) -> Core[bytes]:
        wait = self.wait
        try:
            reply = yield from self.core.reply(wait)
        except Exception:
            yield from self.core.end(wait)
            raise
        yield from self.core.end(wait)
        yield Tell(["UNLINK", self.reply_key], LEAVING)
        return self._envelope.reply(wait.job_id, wait.lane, self.message, reply)

    def withdraw(self, *, gently: bool = False) -> Core[str]:
        """Withdraw it; return its fate. *Gently*, one that was started goes on."""
        end = min(now() + _INTERRUPTED, self.wait.last_moment)
        fate = yield from self.core.take_back(self.wait, end, gently=gently)
        if fate in UNDONE:
            yield from self.core.end(self.wait)
        elif fate == "answered" and not gently:
            yield Tell(["UNLINK", self.reply_key], LEAVING)
        return fate


class Producer:
    """The queue as a caller sees it. It keeps no state of its own, so any thread may use it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._keys = Keys(settings.namespace)
        self._envelope = Envelope(settings)
        self._link = Link(settings)
        _ = self._connection  # raises if the URL cannot be used; sends nothing

    @property
    def _connection(self) -> Connection:
        return self._link.connection

    def _core(self, connection: Connection) -> CallCore:
        attempts, clock = connection.attempts, connection.clock
        return CallCore(self.settings, self._keys, self._envelope, attempts, clock)

    def notice(self, patience: float | None = None) -> Notice:
        """Return the notice of a call that begins now, which logs that it waits, and for what."""
        settings = self.settings
        return Notice(
            now(), is_quiet=settings.quiet, caller=settings.caller or "", patience=patience
        )

    def call(
        self,
        job_id: str,
        lane: str,
        body: bytes,
        notice: Notice | None = None,
        extends: Mapping[str, float] = NO_LOCKS,
    ) -> bytes:
        """Enqueue a job and return its reply.

        The job is withdrawn if the caller gives up for any reason, Ctrl-C included. Only the code
        that decodes the reply knows whether it is a result or a failure, so that code ends the
        notice. Locks that must not lapse meanwhile are given by their lanes and their `hold`.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.
            ServerUnavailableError: No server was alive for the grace period.
            CallTimeoutError: The timeout has passed.
            JobLostError: Redis came back without the job.
            QueueFullError: The queue is full; this job was not enqueued.
            QueueDrainedError: The queue takes no new calls; this job was not enqueued.
            LockLostError: A lock has ended that it is under; this job was not enqueued.
            MessageTooLargeError: The job is larger than the limit, and was not sent.
            SignatureError: The reply is not signed as it must be.
            VersionMismatchError: Only servers of other queue formats are alive.

        """
        message, wait = self._wait(job_id, lane, body, notice, extends)
        try:
            with until(wait.limit):
                reply = self._reply_to(message, wait)
            return self._envelope.reply(job_id, lane, message, reply)
        except own(*AFTER_WITHDRAWAL) as error:
            error.job_id = job_id
            raise
        except BaseException as error:
            self._withdraw_aside(wait, error)
            raise

    def _wait(
        self,
        job_id: str,
        lane: str,
        body: bytes,
        notice: Notice | None,
        extends: Mapping[str, float],
    ) -> tuple[bytes, Wait]:
        try:
            message, generation = self._envelope.job(job_id, lane, body)
        except MessageTooLargeError as error:
            error.job_id = job_id
            raise
        notice, timeout = notice or self.notice(), self.settings.timeout
        notice.job_id = job_id
        wait = Wait(job_id, lane, timeout, generation=generation, notice=notice)
        if extends:
            wait.extends, wait.extend_every = (*extends,), min(extends.values()) / _LOOKS
        return message, wait

    def prepared(
        self,
        job_id: str,
        lane: str,
        body: bytes,
        notice: Notice | None = None,
        extends: Mapping[str, float] = NO_LOCKS,
        *,
        is_unattended: bool = False,
    ) -> QueuedJob:
        """Return a job that is ready to be put in; its reply is not waited for here.

        Args:
            job_id: The job's id.
            lane: Its lane.
            body: The job, encoded.
            notice: Logs that it waits.
            extends: Lanes of locks that must not lapse while it waits, with their `hold`.
            is_unattended: Whether it stays in the queue whether its reply is waited for or not.

        Raises:
            MessageTooLargeError: The job is larger than the limit.

        """
        message, wait = self._wait(job_id, lane, body, notice, extends)
        wait.is_unattended = is_unattended
        connection = self._connection
        core = self._core(connection)
        return QueuedJob(wait, connection, body, message, core, self._envelope, self._keys)

    def put_in(self, job: QueuedJob) -> None:
        """Enqueue a job; withdraw it if this is interrupted. Raises what :meth:`call` does."""
        wait, connection = job.wait, job.connection
        shell = Shell(connection.wire, connection.master, sends_ahead=False)
        try:
            with until(wait.limit):
                shell.drive(job.enqueue())
        except own(*AFTER_WITHDRAWAL):
            raise
        except BaseException as error:
            self._withdraw_aside(wait, error)
            raise

    def enqueue(self, wait: Wait, body: bytes) -> str:
        """Put a job into its lane; return its place there."""
        connection = self._connection
        connection.drive(self._core(connection).enqueue(wait, body))
        return wait.stream_id

    def withdraw(self, wait: Wait) -> str:
        """Take a job back if it has not started; return what has become of it."""
        connection = self._connection
        return connection.drive(self._core(connection).withdraw(wait))

    def _reply_to(self, message: bytes, wait: Wait) -> bytes:
        connection = self._connection
        core, shell = self._core(connection), connection.shell()
        try:
            shell.drive(core.enqueue(wait, message))
            return shell.drive(core.reply(wait))
        finally:
            shell.drop()
            if wait.is_wanted:
                shell.drive(core.end(wait))

    def forget(self, job_id: str) -> None:
        """Delete a reply that was read; it would expire by itself."""
        self._connection.unlink(self._keys.reply(job_id), LEAVING)

    def alive(self) -> Alive | None:
        """Return the working server, or the last one; None if there never was one."""
        return self.see().server

    def see(self, wait: Wait | None = None, *, asks: bool = False) -> Seen:
        """Look at the queue, and at a caller's job; optionally ask why it waits."""
        connection = self._connection
        return connection.drive(self._core(connection).see(wait, moment(), asks=asks))

    def unlock(self, lane: str) -> None:
        """Let the lock of a holder's lane end after its calls, out of reach of any interrupt.

        Where Redis cannot be reached, the lock lapses by itself.
        """
        end = now() + _INTERRUPTED
        work = partial(until(end)(self._unlock), lane, end)
        aside(work, awaited_until=end).wait()

    def _unlock(self, lane: str, end: float, state: str = "released") -> bool:
        return self._connection.drive(self.unlocking(lane, end, state))

    def unlocking(self, lane: str, end: float, state: str = "released") -> Core[bool]:
        """Let the lock of a holder's lane end: see ``CallCore.unlock``."""
        return self._core(self._connection).unlock(lane, end, state)

    def holders(self) -> list[LockHolder]:
        """Return who holds the locks of spreadsheets.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.

        """
        try:
            found: Any = self._connection.redis.hgetall(self._keys.locks)
        except RedisError as error:
            raise unavailable(self.settings, error) from error
        return holders_of(found)

    def break_lock(self, holder: LockHolder) -> bool:
        """End a lock once the holder's running call is answered; return False if it had ended.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.

        """
        end = now() + _INTERRUPTED
        with until(end):
            return self._unlock(holder_lane(holder.lane, holder.number), end, "broken")

    def _withdraw_aside(self, wait: Wait, error: BaseException) -> None:
        """Withdraw out of reach of another Ctrl-C; note the call's fate on the error."""
        end = min(now() + _INTERRUPTED, wait.last_moment)
        try:
            work = partial(until(end)(self._take_back), wait, end)
            withdrawal = aside(work, awaited_until=end)
            withdrawal.wait()
        except BaseException as other:
            note(other, "going on")
            raise
        note(error, "unknown" if withdrawal.error else withdrawal.result())

    def _take_back(self, wait: Wait, end: float) -> str:
        connection = self._connection
        return connection.drive(self._core(connection).take_back(wait, end))


AFTER_WITHDRAWAL: Final = (
    BrokerUnavailableError,
    CallTimeoutError,
    JobLostError,
    LockLostError,
    QueueDrainedError,
    QueueFullError,
    ServerUnavailableError,
    SignatureError,
    VersionMismatchError,
)
"""When one of these is raised, the job has already been withdrawn, as far as possible."""
