"""The callers' side of the queue: enqueue a job, wait for its reply, withdraw it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread._interrupts import own
from queued_gspread.broker.connection.client import (
    LONGEST_RECONNECT,
    SLICE,
    Connection,
    Link,
    as_text,
    is_passing,
    reply_expiry,
)
from queued_gspread.broker.connection.deadline import extend, is_limited, left, until
from queued_gspread.broker.connection.detached import aside
from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.broker.waiting.notices import Notice
from queued_gspread.broker.waiting.reason import Sight, reason
from queued_gspread.broker.waiting.signs_of_life import body_of, look
from queued_gspread.broker.waiting.wait import LATE, LEAVING, Wait
from queued_gspread.errors import (
    BrokerUnavailableError,
    CallTimeoutError,
    JobLostError,
    QueueFullError,
    ServerUnavailableError,
    SignatureError,
    VersionMismatchError,
)
from queued_gspread.settings import DEFAULT_LEASE, DEFAULT_REDIS_URL, HIDDEN

from .dedup import put_in
from .envelope import WANTED_EXPIRY, Envelope
from .formats import differs
from .keys import Keys
from .withdrawal import UNDONE, expired, flagged, may_be_made, meaning, note, told_by_redis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.broker.waiting.signs_of_life import Alive, Seen
    from queued_gspread.settings import Settings

    from .formats import Other

__all__ = ["Producer"]

_PAUSE: Final = 0.2

# Seconds for the withdrawal after Ctrl-C.
_INTERRUPTED: Final = 5.0

# A command with the client's user and a masked password would not start a server.
_START_THERE: Final = (
    "start queued-gspread-server on that Redis (with the server's user), or look at the log of the "
    "one that should run"
)
_SHORT: Final = (
    ". This client's grace of {:g} s (grace=, QUEUED_GSPREAD_GRACE) is shorter than a server's "
    "lease ({:g} s by default): a standby server takes over only once that is out"
)


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

    def notice(self) -> Notice:
        """Return the notice of a call that begins now, which logs that it waits, and for what."""
        settings = self.settings
        return Notice(now(), is_quiet=settings.quiet, caller=settings.caller or "")

    def call(self, job_id: str, lane: str, body: bytes, notice: Notice | None = None) -> bytes:
        """Enqueue a job and return its reply.

        The job is withdrawn if the caller gives up for any reason, Ctrl-C included. Only the code
        that decodes the reply knows whether it is a result or a failure, so that code ends the
        notice.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.
            ServerUnavailableError: No server was alive for the grace period.
            CallTimeoutError: The timeout has passed.
            JobLostError: Redis came back without the job.
            QueueFullError: The queue is full; this job was not enqueued.
            MessageTooLargeError: The job is larger than the limit, and was not sent.
            SignatureError: The reply is not signed as it must be.
            VersionMismatchError: Only servers of other queue formats are alive.

        """
        message, generation = self._envelope.job(job_id, lane, body)
        notice, timeout = notice or self.notice(), self.settings.timeout
        wait = Wait(job_id, lane, timeout, generation=generation, notice=notice)
        try:
            with until(wait.deadline + LATE):
                reply = self._reply_to(message, wait)
            return self._envelope.reply(job_id, lane, message, reply)
        except own(*_AFTER_WITHDRAWAL):
            raise
        except BaseException as error:
            self._withdraw_aside(wait, error)
            raise

    def _reply_to(self, message: bytes, wait: Wait) -> bytes:
        try:
            wait.stream_id = self.enqueue(wait, message)
            return self._reply(wait)
        finally:
            if wait.pending is not None:
                wait.pending.drop()
            self._want_no_more(wait)

    def forget(self, job_id: str) -> None:
        """Delete a reply that was read; it would expire by itself."""
        self._connection.unlink(self._keys.reply(job_id), LEAVING)

    def alive(self) -> Alive | None:
        """Return the working server, or the last one; None if there never was one."""
        return self.see().server

    def see(self, wait: Wait | None = None, *, asks: bool = False) -> Seen:
        """Look at the queue, and at a caller's job; optionally ask why it waits."""
        job = (wait.lane, wait.stream_id, wait.job_id) if wait and wait.stream_id else None
        seen = look(self._connection, self._keys, self.settings.grace, job, asks=asks)
        if seen.others:
            self._connection.clock.forget()  # so that the next job is not even enqueued
        else:
            self._connection.clock.saw(seen.moment)
        return seen

    def _ask(self, wait: Wait) -> int:
        """Look at the queue before the first job; return Redis's time."""
        while True:
            try:
                seen = look(self._connection, self._keys, self.settings.grace, patience=wait.left)
            except own(BrokerUnavailableError) as error:
                error.may_have_run = False  # no job was sent
                raise
            if not seen.others:
                return seen.moment
            if wait.others.are_all(seen.others) or wait.left <= _PAUSE:
                raise differs(self._where, seen.others, UNDONE[0])
            time.sleep(_PAUSE)

    def enqueue(self, wait: Wait, body: bytes) -> str:
        """Put a job into its lane; return its place there."""
        self._connection.master.look()
        try:
            wait.first = self._connection.clock.at_least() or self._ask(wait)
            command = self._look_command(wait, self._patience(wait))
            result, wait.pending = put_in(self._connection, self._keys, wait, body, command)
            entry, *rest = result
        except own(BrokerUnavailableError) as error:
            fate = self.withdraw(wait) if error.may_have_run else UNDONE[0]
            if fate == "answered":
                return ""
            if fate in UNDONE:
                error.may_have_run = False
                raise
            raise may_be_made(error, fate) from error.__cause__
        if entry == b"full":
            self._refuse_to_wait(*rest)
        self._want(wait, *rest)
        return as_text(entry)

    def _refuse_to_wait(self, waiting: int, limit: int) -> NoReturn:
        message = (
            f"{waiting} calls wait in {self._where}, and its server lets {limit} wait: this one "
            "was not put in and will not be made. Call again later, or give the server a larger "
            "--max-queue"
        )
        if not self._has_server():
            message += f". No server is alive there: {self._start}"
        raise QueueFullError(message)

    def _want(self, wait: Wait, named: bytes) -> None:
        """Renew a signed job if the server names a later generation than the job's.

        Each look repeats it: a Redis that has become the master since may lack the renewal.
        """
        wanted = self._envelope.wanted(wait.job_id, wait.generation, named)
        if wanted is None:
            return
        try:
            places = [self._keys.progress, self._keys.renewal(wait.job_id)]
            self._connection.run("want", places, [wanted, WANTED_EXPIRY])
        except own(BrokerUnavailableError):
            return  # the next look at the server repeats it
        wait.is_wanted = True

    def _want_no_more(self, wait: Wait) -> None:
        if wait.is_wanted:
            self._connection.unlink(self._keys.renewal(wait.job_id), LEAVING)

    def _reply(self, wait: Wait) -> bytes:
        while True:
            reply = self._look(wait, self._patience(wait))
            if reply is None and wait.left <= 0:
                reply = self._give_up_at_timeout(wait)
            if reply is None:
                reply = self._check_for_life(wait)
            if reply is not None:
                return reply

    def _patience(self, wait: Wait) -> float:
        """Return how long the next look may block: until another decision is due."""
        until_grace = self.settings.grace - wait.silence
        # Once Redis is back, a server may wait for this caller's renewal.
        longest = SLICE if wait.redis_gone_at is None else 0.0
        return max(0.001, min(longest, wait.left, max(until_grace, 0.05), wait.notice.left))

    def _look_command(self, wait: Wait, seconds: float) -> list[Any]:
        block = max(1, int(seconds * 1000))
        # Reading must not remove the reply: the connection may break in the middle.
        return ["XREAD", "COUNT", 1, "BLOCK", block, "STREAMS", self._keys.reply(wait.job_id), "0"]

    def _look(self, wait: Wait, seconds: float) -> bytes | None:
        pending, wait.pending = wait.pending, None
        try:
            if pending is not None:
                streams = pending.read()
            else:
                streams = self._connection.wire.ask(self._look_command(wait, seconds))
        except own(RedisError) as error:
            if not is_passing(error):
                self._give_up_at_refusal(wait, error)
            self._bear_with(wait, error)
            return None
        wait.heard()
        return body_of(streams)

    def _bear_with(self, wait: Wait, error: RedisError) -> None:
        # Monotonic: while the machine sleeps, no reconnect is tried.
        moment = time.monotonic()
        wait.redis_gone_at = wait.redis_gone_at or moment
        if moment - wait.redis_gone_at > LONGEST_RECONNECT:
            raise may_be_made(unavailable(self.settings, error)) from error
        # It is not known whether a server is alive, so the grace period starts again.
        wait.alive_at = now()
        time.sleep(max(0.0, min(_PAUSE, wait.left)))

    def _check_for_life(self, wait: Wait) -> bytes | None:
        asks = wait.notice.is_due
        if wait.redis_gone_at is not None:
            if asks:
                away = time.monotonic() - wait.redis_gone_at
                wait.notice.say(reason(Sight(self.settings.place, away=away)))
            return None
        self._connection.master.look()
        try:
            seen = self.see(wait, asks=asks)
        except own(BrokerUnavailableError):
            return None
        if not seen.is_known:
            raise JobLostError(f"a call in {self._where} is lost: {self._meaning(wait, 'lost')}")
        wait.longest_gap = 0.0
        self._want(wait, seen.generation)
        if seen.server is not None:
            wait.alive_at = max(wait.alive_at, now() - seen.server.age)
        if not wait.others.are_all(seen.others) and wait.silence < self.settings.grace:
            if asks:
                wait.notice.say(reason(self._sight(wait, seen)))
            return None
        return self._give_up_without_server(wait, seen.others)

    def _sight(self, wait: Wait, seen: Seen) -> Sight:
        age = 0.0 if seen.server is None else seen.server.age
        terms = (self.settings.place, self._start, self.settings.grace, wait.lane)
        return Sight(*terms, silence=wait.silence, age=age, **seen.why)

    def _give_up_at_refusal(self, wait: Wait, error: RedisError) -> NoReturn:
        refusal = unavailable(self.settings, error)
        fate = self.withdraw(wait)
        if fate in UNDONE:
            raise refusal from error
        raise may_be_made(refusal) from error

    def _give_up_at_timeout(self, wait: Wait) -> bytes | None:
        fate = self.withdraw(wait)
        if fate == "answered":
            return self._look(wait, SLICE)
        message = (
            f"no answer within the timeout of {wait.timeout:g} s in {self._where}: "
            f"{self._meaning(wait, fate)}"
        )
        if not self._has_server():
            message += f". No server is alive there: {self._start}"
        raise flagged(CallTimeoutError(message + wait.notice.last_words()), fate)

    def _give_up_without_server(self, wait: Wait, others: Sequence[Other]) -> bytes | None:
        fate = self.withdraw(wait)
        if fate == "answered":
            return self._look(wait, SLICE)
        if others:
            raise differs(self._where, others, fate)
        message = (
            f"no server has been alive for {self.settings.grace:g} s in {self._where}: "
            f"{self._meaning(wait, fate)}. {self._start[0].upper()}{self._start[1:]}"
        )
        if self.settings.grace < DEFAULT_LEASE:
            message += _SHORT.format(self.settings.grace, DEFAULT_LEASE)
        raise flagged(ServerUnavailableError(message), fate)

    def _has_server(self) -> bool:
        try:
            alive = self.alive()
        except own(BrokerUnavailableError):
            return True  # not known
        return alive is not None and alive.age < self.settings.grace

    @staticmethod
    def _meaning(wait: Wait, fate: str) -> str:
        if fate == "lost" and wait.gap >= reply_expiry(wait.timeout):
            return expired(wait.gap)
        return meaning(fate)

    @property
    def _where(self) -> str:
        return self.settings.callers_place

    @property
    def _start(self) -> str:
        url = self.settings.shown_url
        if "@" in url or HIDDEN in url:
            return _START_THERE
        place = "" if url == DEFAULT_REDIS_URL else f" --redis-url {url}"
        namespace = self.settings.namespace
        return f"start one with `queued-gspread-server{place} --namespace {namespace}`"

    def withdraw(self, wait: Wait) -> str:
        """Take a job back if it has not started; return what has become of it."""
        wait.leaves_by = wait.leaves_by or wait.last_moment
        extend(wait.leaves_by)
        return self._take_back(wait)

    def _withdraw_aside(self, wait: Wait, error: BaseException) -> None:
        """Withdraw out of reach of another Ctrl-C; note the call's fate on the error."""
        moment = min(now() + _INTERRUPTED, wait.last_moment)
        try:
            work = partial(until(moment)(self._take_back), wait)
            withdrawal = aside(work, awaited_until=moment)
            withdrawal.wait()
        except BaseException as other:
            note(other, "going on")
            raise
        note(error, "unknown" if withdrawal.error else withdrawal.result())

    def _take_back(self, wait: Wait) -> str:
        places = self._keys.of_withdraw(wait.lane, wait.job_id)
        first = "" if wait.first is None else wait.first
        args = [wait.job_id, wait.stream_id, wait.lane, first]
        while True:
            try:
                fate = as_text(self._connection.run("withdraw", places, args))
                return told_by_redis(fate, signs=self._envelope.signs)
            except own(BrokerUnavailableError) as error:
                if not (is_limited() and is_passing(error) and left() > _PAUSE):
                    return "unknown"
            time.sleep(_PAUSE)


# When one of these is raised, the job has already been withdrawn, as far as possible.
_AFTER_WITHDRAWAL: Final = (
    BrokerUnavailableError,
    CallTimeoutError,
    JobLostError,
    QueueFullError,
    ServerUnavailableError,
    SignatureError,
    VersionMismatchError,
)
