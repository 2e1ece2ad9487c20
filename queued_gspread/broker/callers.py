"""The callers' side of the queue: put a job in, wait for its reply, take it back."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from redis.exceptions import RedisError

from queued_gspread.clock import now
from queued_gspread.errors import (
    BrokerUnavailableError,
    CallTimeoutError,
    JobLostError,
    QueueFullError,
    ServerUnavailableError,
    SignatureError,
    VersionMismatchError,
)
from queued_gspread.intrusion import own
from queued_gspread.settings import DEFAULT_REDIS_URL

from .aside import aside
from .connection import (
    LONGEST_RECONNECT,
    SLICE,
    Connection,
    Link,
    as_text,
    is_passing,
    reply_expiry,
)
from .fates import UNDONE, expired, flagged, may_be_made, meaning, note, told_by_redis
from .formats import Sighted, differs
from .keys import Keys
from .life import body_of, look
from .limit import extend, is_limited, left, until
from .remedies import unavailable
from .seals import WANTED_EXPIRY, Seals
from .tries import put_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.settings import Settings

    from .formats import Other
    from .life import Alive, Seen
    from .wire import Pending

__all__ = ["Callers"]

_PAUSE: Final = 0.2

# Seconds after its deadline for which a caller still waits for an answer from Redis, and then for
# all that has to do with the withdrawal: together less than one. After Ctrl-C there is more time.
_LATE: Final = 0.4
_LEAVING: Final = 0.4
_INTERRUPTED: Final = 5.0


@dataclass
class _Wait:
    """One caller's wait: since when, for what, and when there was last a sign of life."""

    job_id: str
    lane: str
    timeout: float | None
    entry: str = ""
    generation: str = ""
    is_wanted: bool = False
    began: float = field(default_factory=now)
    alive_at: float = field(default_factory=now)
    others: Sighted = field(default_factory=Sighted)
    redis_gone_at: float | None = None
    # When Redis answered last, and its longest silence since it was last seen to know the job.
    heard_at: float = field(default_factory=now)
    longest_gap: float = 0.0
    pending: Pending | None = None
    # A time of Redis's clock before the first try at putting the job in.
    first: int | None = None
    leaves_by: float = 0.0

    @property
    def deadline(self) -> float:
        """The moment of the caller's timeout."""
        return math.inf if self.timeout is None else self.began + self.timeout

    @property
    def last_moment(self) -> float:
        """The moment until which a withdrawal that begins now may take."""
        return max(self.deadline + _LATE, now()) + _LEAVING

    @property
    def left(self) -> float:
        """Seconds until the caller's timeout."""
        return self.deadline - now()

    @property
    def gap(self) -> float:
        """The longest time in which this process had no answer of Redis's."""
        return max(self.longest_gap, now() - self.heard_at)

    @property
    def silence(self) -> float:
        """Seconds for which no server was alive, of those that the caller has waited."""
        return now() - self.alive_at

    def heard(self) -> None:
        """Note that Redis has answered."""
        self.longest_gap = self.gap
        self.heard_at, self.redis_gone_at = now(), None


class Callers:
    """The queue as a caller sees it. It holds no state of its own: any thread may use it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = Keys(settings.namespace)
        self._seals = Seals(settings)
        self._link = Link(settings)
        _ = self._connection  # refuses a URL that cannot be used, and sends nothing

    @property
    def _connection(self) -> Connection:
        return self._link.connection

    def call(self, job_id: str, lane: str, body: bytes) -> bytes:
        """Put a job in and return its reply.

        The job is taken back when the caller gives up for whatever reason, Ctrl-C included.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.
            ServerUnavailableError: No server was alive for the grace period.
            CallTimeoutError: The timeout has passed.
            JobLostError: Redis has come back without the job.
            QueueFullError: As many jobs wait as may; this one was not put in.
            MessageTooLargeError: The job is larger than the limit, and was not sent.
            SignatureError: The reply is not signed as it has to be.
            VersionMismatchError: Only servers of other formats of the queue are alive.

        """
        message, generation = self._seals.job(job_id, lane, body)
        wait = _Wait(job_id, lane, self._settings.timeout, generation=generation)
        try:
            with until(wait.deadline + _LATE):
                reply = self._reply_to(message, wait)
            return self._seals.reply(job_id, lane, message, reply)
        except own(*_TOLD):
            raise
        except BaseException as error:
            self._withdraw_aside(wait, error)
            raise

    def _reply_to(self, message: bytes, wait: _Wait) -> bytes:
        try:
            wait.entry = self._enqueue(wait, message)
            return self._reply(wait)
        finally:
            if wait.pending is not None:
                wait.pending.drop()
            self._want_no_more(wait)

    def forget(self, job_id: str) -> None:
        """Drop a reply that has been read; it would expire by itself."""
        self._connection.unlink(self._keys.reply(job_id), _LEAVING)

    def alive(self) -> Alive | None:
        """Return the server that works, or was the last to; None where none ever did."""
        return self.see().server

    def see(self, wait: _Wait | None = None) -> Seen:
        """Look at the queue, and for the job that somebody waits for."""
        job = (wait.lane, wait.entry, wait.job_id) if wait and wait.entry else None
        seen = look(self._connection, self._keys, self._settings.grace, job)
        if seen.others:
            self._connection.clock.forget()  # the next job is not even put in
        else:
            self._connection.clock.saw(seen.moment)
        return seen

    def _ask(self, wait: _Wait) -> int:
        """Look at the queue before a first job; return Redis's time."""
        while True:
            try:
                seen = look(self._connection, self._keys, self._settings.grace, patience=wait.left)
            except own(BrokerUnavailableError) as error:
                error.may_have_run = False  # no job was sent
                raise
            if not seen.others:
                return seen.moment
            if wait.others.are_all(seen.others) or wait.left <= _PAUSE:
                raise differs(self._where, seen.others, UNDONE[0])
            time.sleep(_PAUSE)

    def _enqueue(self, wait: _Wait, body: bytes) -> str:
        self._connection.master.look()
        try:
            wait.first = self._connection.clock.at_least() or self._ask(wait)
            command = self._look_command(wait, self._patience(wait))
            found, wait.pending = put_in(self._connection, self._keys, wait, body, command)
            entry, *rest = found
        except own(BrokerUnavailableError) as error:
            fate = self._withdraw(wait) if error.may_have_run else UNDONE[0]
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
        told = (
            f"{waiting} calls wait in {self._where}, and its server lets {limit} wait: this one "
            "was not put in and will not be made. Call again later, or give the server a larger "
            "--max-queue"
        )
        if not self._has_server():
            told += f". No server is alive there: start one with `{self._command}`"
        raise QueueFullError(told)

    def _want(self, wait: _Wait, named: bytes) -> None:
        """Say that a signed job is still wanted, where the server names a later generation."""
        wanted = self._seals.wanted(wait.job_id, wait.generation, named)
        if wanted is None:
            return
        generation, message = wanted
        try:
            places = [self._keys.started, self._keys.wanted(wait.job_id)]
            self._connection.run("want", places, [message, WANTED_EXPIRY])
        except own(BrokerUnavailableError):
            return  # the next look at the server comes to it again
        wait.generation, wait.is_wanted = generation, True

    def _want_no_more(self, wait: _Wait) -> None:
        if wait.is_wanted:
            self._connection.unlink(self._keys.wanted(wait.job_id), _LEAVING)

    def _reply(self, wait: _Wait) -> bytes:
        while True:
            reply = self._look(wait, self._patience(wait))
            if reply is None and wait.left <= 0:
                reply = self._give_up_at_timeout(wait)
            if reply is None:
                reply = self._check_for_life(wait)
            if reply is not None:
                return reply

    def _patience(self, wait: _Wait) -> float:
        """Return how long the next look may block: until something else has to be decided."""
        until_grace = self._settings.grace - wait.silence
        return max(0.001, min(SLICE, wait.left, max(until_grace, 0.05)))

    def _look_command(self, wait: _Wait, seconds: float) -> list[Any]:
        block = max(1, int(seconds * 1000))
        # Reading leaves the reply where it is: a connection may break in the middle.
        return ["XREAD", "COUNT", 1, "BLOCK", block, "STREAMS", self._keys.reply(wait.job_id), "0"]

    def _look(self, wait: _Wait, seconds: float) -> bytes | None:
        pending, wait.pending = wait.pending, None
        try:
            if pending is not None:
                found = pending.read()
            else:
                found = self._connection.wire.ask(self._look_command(wait, seconds))
        except own(RedisError) as error:
            if not is_passing(error):
                self._give_up_at_refusal(wait, error)
            self._bear_with(wait, error)
            return None
        wait.heard()
        return body_of(found)

    def _bear_with(self, wait: _Wait, error: RedisError) -> None:
        # A machine that sleeps tries nothing.
        moment = time.monotonic()
        wait.redis_gone_at = wait.redis_gone_at or moment
        if moment - wait.redis_gone_at > LONGEST_RECONNECT:
            raise may_be_made(unavailable(self._settings, error)) from error
        # Nobody can say whether a server is alive, so its grace starts anew.
        wait.alive_at = now()
        time.sleep(max(0.0, min(_PAUSE, wait.left)))

    def _check_for_life(self, wait: _Wait) -> bytes | None:
        if wait.redis_gone_at is not None:
            return None
        self._connection.master.look()
        try:
            seen = self.see(wait)
        except own(BrokerUnavailableError):
            return None
        if not seen.is_known:
            raise JobLostError(f"a call in {self._where} is lost: {self._meaning(wait, 'lost')}")
        wait.longest_gap = 0.0
        self._want(wait, seen.generation)
        if seen.server is not None:
            wait.alive_at = max(wait.alive_at, now() - seen.server.age)
        if not wait.others.are_all(seen.others) and wait.silence < self._settings.grace:
            return None
        return self._give_up_without_server(wait, seen.others)

    def _give_up_at_refusal(self, wait: _Wait, error: RedisError) -> NoReturn:
        told = unavailable(self._settings, error)
        fate = self._withdraw(wait)
        if fate in UNDONE:
            raise told from error
        raise may_be_made(told) from error

    def _give_up_at_timeout(self, wait: _Wait) -> bytes | None:
        fate = self._withdraw(wait)
        if fate == "answered":
            return self._look(wait, SLICE)
        told = (
            f"no answer within the timeout of {wait.timeout:g} s in {self._where}: "
            f"{self._meaning(wait, fate)}"
        )
        if not self._has_server():
            told += f". No server is alive there: start one with `{self._command}`"
        raise flagged(CallTimeoutError(told), fate)

    def _give_up_without_server(self, wait: _Wait, others: Sequence[Other]) -> bytes | None:
        fate = self._withdraw(wait)
        if fate == "answered":
            return self._look(wait, SLICE)
        if others:
            raise differs(self._where, others, fate)
        told = (
            f"no server has been alive for {self._settings.grace:g} s in {self._where}: "
            f"{self._meaning(wait, fate)}. Start one with `{self._command}`"
        )
        raise flagged(ServerUnavailableError(told), fate)

    def _has_server(self) -> bool:
        try:
            alive = self.alive()
        except own(BrokerUnavailableError):
            return True  # nobody knows
        return alive is not None and alive.age < self._settings.grace

    @staticmethod
    def _meaning(wait: _Wait, fate: str) -> str:
        if fate == "lost" and wait.gap >= reply_expiry(wait.timeout):
            return expired(wait.gap)
        return meaning(fate)

    @property
    def _where(self) -> str:
        return f"namespace {self._settings.namespace!r} at {self._settings.shown_url}"

    @property
    def _command(self) -> str:
        url = self._settings.shown_url
        place = "" if url == DEFAULT_REDIS_URL else f" --redis-url {url}"
        return f"queued-gspread-server{place} --namespace {self._settings.namespace}"

    def _withdraw(self, wait: _Wait) -> str:
        wait.leaves_by = wait.leaves_by or wait.last_moment
        extend(wait.leaves_by)
        return self._take_back(wait)

    def _withdraw_aside(self, wait: _Wait, error: BaseException) -> None:
        """Withdraw where another Ctrl-C cannot reach; say on the error what became of the call."""
        moment = min(now() + _INTERRUPTED, wait.last_moment)
        try:
            work = partial(until(moment)(self._take_back), wait)
            withdrawal = aside(work, awaited_until=moment)
            withdrawal.wait()
        except BaseException as other:
            note(other, "going on")
            raise
        note(error, "unknown" if withdrawal.error else withdrawal.result())

    def _take_back(self, wait: _Wait) -> str:
        places = self._keys.of_withdraw(wait.lane, wait.job_id)
        first = "" if wait.first is None else wait.first
        args = [wait.job_id, wait.entry, wait.lane, first]
        while True:
            try:
                fate = as_text(self._connection.run("withdraw", places, args))
                return told_by_redis(fate, signs=self._seals.signs)
            except own(BrokerUnavailableError) as error:
                if not (is_limited() and is_passing(error) and left() > _PAUSE):
                    return "unknown"
            time.sleep(_PAUSE)


# What could be taken back has been when one of these is raised.
_TOLD: Final = (
    *(BrokerUnavailableError, CallTimeoutError, JobLostError),
    *(QueueFullError, ServerUnavailableError, SignatureError, VersionMismatchError),
)
