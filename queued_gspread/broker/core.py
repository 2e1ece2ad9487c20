"""The core of a caller's call: what to send, what a reply means, and when to give up. No I/O.

Each method is a core in the sense of :mod:`.connection.effects`, and one call is one
:class:`.waiting.wait.Wait`: :meth:`CallCore.enqueue` it, then ask for its :meth:`~CallCore.reply`
until there is one. Both raise the error that the caller gets, and withdraw the job before that.
Who gives up for another reason withdraws it by :meth:`~CallCore.take_back`.

A job is enqueued exactly once: several tries make one job, however far apart they reach Redis.
Redis remembers the ids of recent jobs, and each try carries a time of Redis's clock from before the
first one. If Redis no longer remembers all jobs since that time, it refuses a job that it does not
know.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread._interrupts import own
from queued_gspread.broker.connection.attempts import is_passing
from queued_gspread.broker.connection.client import (
    LONGEST_RECONNECT,
    SLICE,
    as_text,
    reply_expiry,
)
from queued_gspread.broker.connection.effects import AwaitReply, Extend, LookAtMaster, Sleep, Tell
from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.broker.waiting.reason import Sight, brief, reason
from queued_gspread.broker.waiting.signs_of_life import look
from queued_gspread.broker.waiting.wait import LEAVING
from queued_gspread.errors import BrokerUnavailableError, JobLostError

from .envelope import WANTED_EXPIRY
from .formats import differs
from .keys import remembered_ms
from .pauses import drain_in, pauses_of
from .sight import sight_of
from .withdrawal import (
    UNDONE,
    drained,
    expired,
    flagged,
    full,
    in_doubt,
    lock_lost,
    may_be_made,
    meaning,
    timed_out,
    told_by_redis,
    without_server,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.broker.connection.attempts import Attempts
    from queued_gspread.broker.connection.effects import Core
    from queued_gspread.broker.connection.redis_clock import RedisClock
    from queued_gspread.broker.waiting.signs_of_life import Seen
    from queued_gspread.broker.waiting.wait import Wait
    from queued_gspread.settings import Settings

    from .envelope import Envelope
    from .formats import Other
    from .keys import Keys

__all__ = ["CallCore"]

_PAUSE: Final = 0.2
_RECENT: Final = 0.5
# The fates of a call of which a request was sent.
_BEGUN: Final = ("started", "ended")


class CallCore:
    """Decides for the calls of one client at one Redis. It keeps no state of its own.

    Args:
        settings: The client's settings.
        keys: The keys of its namespace.
        envelope: What signs and verifies for it.
        attempts: Those at its Redis.
        clock: That Redis's clock.

    """

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        envelope: Envelope,
        attempts: Attempts,
        clock: RedisClock,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._envelope = envelope
        self._attempts = attempts
        self._clock = clock

    def enqueue(self, wait: Wait, message: bytes) -> Core[None]:
        """Put a job in.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.
            QueueFullError: The queue is full.
            QueueDrainedError: The queue takes no new calls.
            LockLostError: The lane is that of a lock's holder, and the lock has ended.
            VersionMismatchError: Only servers of other queue formats are alive.

        """
        yield LookAtMaster()
        try:
            wait.first = self._clock.at_least() or (yield from self._ask(wait))
            entry, *rest = yield from self._put_in(wait, message)
        except own(BrokerUnavailableError) as error:
            fate = (yield from self.withdraw(wait)) if error.may_have_run else UNDONE[0]
            if fate == "answered":
                return
            if fate in UNDONE:
                error.may_have_run = False
                raise
            raise may_be_made(error, fate) from error.__cause__
        if entry == b"lost":
            raise lock_lost()
        if entry == b"drained":
            drain = drain_in(pauses_of(rest[0]))
            raise drained(self._settings, "drained" if drain is None else drain.shown)
        if entry == b"full":
            waiting, limit = rest
            has_server = yield from self.has_server(wait)
            raise full(self._settings, waiting, limit, has_server=has_server)
        wait.stream_id = as_text(entry)
        if wait.is_unattended:
            wait.timeout = None
        yield from self._want(wait, *rest)

    def moment(self, wait: Wait) -> Core[int]:
        """Return a time of Redis's clock before the job is put in."""
        if wait.first is None:
            yield LookAtMaster()
            wait.first = self._clock.at_least(_RECENT) or (yield from self._ask(wait))
        return wait.first

    def reply(self, wait: Wait) -> Core[bytes]:
        """Wait for the reply of a job that was put in.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.
            ServerUnavailableError: No server was alive for the grace period.
            CallTimeoutError: The timeout has passed.
            JobLostError: Redis came back without the job.
            VersionMismatchError: Only servers of other queue formats are alive.

        """
        while True:
            reply = yield from self._look(wait)
            if reply is None and wait.left <= 0:
                reply = yield from self._give_up_at_timeout(wait)
            if reply is None:
                reply = yield from self._check_for_life(wait)
            if reply is not None:
                return reply

    def end(self, wait: Wait) -> Core[None]:
        """Delete what a call's caller has left in Redis, however it ended."""
        if wait.is_wanted:
            yield Tell(["UNLINK", self._keys.renewal(wait.job_id)], LEAVING)

    def see(self, wait: Wait | None, until: float, *, asks: bool = False) -> Core[Seen]:
        """Look at the queue, and at a caller's job; optionally ask why it waits."""
        job = (wait.lane, wait.stream_id, wait.job_id) if wait and wait.stream_id else None
        seen = yield from look(
            self._attempts, self._keys, self._settings.grace, job, asks=asks, until=until
        )
        if seen.others:
            self._clock.forget()  # so that the next job is not even enqueued
        else:
            self._clock.saw(seen.moment)
        return seen

    def withdraw(self, wait: Wait) -> Core[str]:
        """Withdraw a call that its caller gives up; return its fate.

        One that need not be waited for stays in the queue.
        """
        if wait.is_unattended and wait.stream_id:
            return "left"
        wait.leaves_by = wait.leaves_by or wait.last_moment
        yield Extend(wait.leaves_by)
        return (yield from self.take_back(wait, wait.leaves_by))

    def sight(self, wait: Wait) -> Core[Sight]:
        """Return what a waiting caller sees, asking why it waits."""
        seen = yield from self.see(wait, wait.limit, asks=True)
        return sight_of(self._settings, wait, seen)

    def take_back(self, wait: Wait, until: float, *, gently: bool = False) -> Core[str]:
        """Withdraw a call; return its fate, ``unknown`` if it is not known by some moment.

        *Gently*, a call that may have written goes on, and its reply will come.
        """
        places = self._keys.of_withdraw(wait.lane, wait.job_id)
        first = "" if wait.first is None else wait.first
        args = [wait.job_id, wait.stream_id, wait.lane, first, *(["gently"] if gently else [])]
        while True:
            try:
                fate = yield from self._attempts.run("withdraw", places, args, until=until)
                return told_by_redis(as_text(fate), signs=self._envelope.signs)
            except own(BrokerUnavailableError) as error:
                if not (is_passing(error) and until - now() > _PAUSE):
                    return "unknown"
            yield Sleep(_PAUSE)

    def unlock(self, lane: str, until: float, state: str = "released") -> Core[bool]:
        """Let the lock of a holder's lane end after its calls; return False if it had ended.

        Args:
            lane: The holder's lane.
            until: A moment after which Redis is not waited for any longer.
            state: Or ``broken``: then calls that have not started end with an error.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.

        """
        while True:
            try:
                key = self._keys.lane(lane)
                return bool((yield from self._attempts.run("unlock", [key], [state], until=until)))
            except own(BrokerUnavailableError) as error:
                if not (is_passing(error) and until - now() > _PAUSE):
                    raise
            yield Sleep(_PAUSE)

    def has_server(self, wait: Wait, *, has_begun: bool = False) -> Core[bool]:
        """Return whether a server is alive, as far as is known; note what is paused on the wait."""
        try:
            seen = yield from self.see(wait, wait.limit, asks=True)
        except own(BrokerUnavailableError):
            return True  # not known
        wait.pause = sight_of(self._settings, wait, seen, has_begun=has_begun).pause
        return seen.server is not None and seen.server.age < self._settings.grace

    def _ask(self, wait: Wait) -> Core[int]:
        """Look at the queue before the first job; return Redis's time."""
        settings, until = self._settings, wait.limit
        while True:
            try:
                seen = yield from look(
                    self._attempts, self._keys, settings.grace, patience=wait.left, until=until
                )
            except own(BrokerUnavailableError) as error:
                error.may_have_run = False  # no job was sent
                raise
            if not seen.others:
                return seen.moment
            if wait.others.are_all(seen.others) or wait.left <= _PAUSE:
                raise differs(settings.callers_place, seen.others, UNDONE[0])
            yield Sleep(_PAUSE)

    def _put_in(self, wait: Wait, message: bytes) -> Core[list[Any]]:
        """Enqueue a job once; return the result of ``enqueue.lua`` without its time.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or it is not known whether it has the
                job.

        """
        began, key = now(), self._keys.reply(wait.job_id)
        while True:
            lost: list[BrokerUnavailableError] = []
            wait.ahead = AwaitReply(key, self._patience(wait))
            result: list[Any] = yield from self._attempts.run(
                "enqueue",
                self._keys.of_enqueue(wait.lane),
                [wait.job_id, message, wait.lane, remembered_ms(), wait.first],
                until=wait.limit,
                patience=wait.left,
                ahead=wait.ahead,
                lost=lost,
            )
            self._clock.saw(result.pop())
            if result[0] != b"late":
                return result
            if lost:
                raise in_doubt(self._attempts.url, now() - began) from lost[-1]
            # No try got through; the clock was set, or this process did not run until now.
            wait.first = self._clock.at_least()

    def _want(self, wait: Wait, named: bytes) -> Core[None]:
        """Renew a signed job if the server names a later generation than the job's.

        Each look repeats it: a Redis that has become the master since may lack the renewal.
        """
        wanted = self._envelope.wanted(wait.job_id, wait.generation, named)
        if wanted is None or wait.is_unattended:
            return
        places = [self._keys.progress, self._keys.renewal(wait.job_id)]
        args = [wanted, WANTED_EXPIRY]
        try:
            yield from self._attempts.run("want", places, args, until=wait.limit)
        except own(BrokerUnavailableError):
            return  # the next look at the server repeats it
        wait.is_wanted = True

    def _patience(self, wait: Wait) -> float:
        """Return how long the next look may block: until another decision is due."""
        until_grace = self._settings.grace - wait.silence
        # Once Redis is back, a server may wait for this caller's renewal.
        longest = SLICE if wait.redis_gone_at is None else 0.0
        longest = min(longest, wait.extend_every)
        return max(0.001, min(longest, wait.left, max(until_grace, 0.05), wait.notice.left))

    def _look(self, wait: Wait, seconds: float | None = None) -> Core[bytes | None]:
        effect, wait.ahead = wait.ahead, None
        if effect is None:
            patience = self._patience(wait) if seconds is None else seconds
            effect = AwaitReply(self._keys.reply(wait.job_id), patience)
        try:
            reply: bytes | None = yield effect
        except own(RedisError) as error:
            if not is_passing(error):
                yield from self._give_up_at_refusal(wait, error)
            yield from self._bear_with(wait, error)
            return None
        wait.heard()
        return reply

    def _bear_with(self, wait: Wait, error: RedisError) -> Core[None]:
        # Monotonic: while the machine sleeps, no reconnect is tried.
        moment = time.monotonic()
        wait.redis_gone_at = wait.redis_gone_at or moment
        if moment - wait.redis_gone_at > LONGEST_RECONNECT:
            raise may_be_made(unavailable(self._settings, error)) from error
        # It is not known whether a server is alive, so the grace period starts again.
        wait.alive_at = now()
        yield Sleep(max(0.0, min(_PAUSE, wait.left)))

    def _check_for_life(self, wait: Wait) -> Core[bytes | None]:
        asks = wait.notice.takes_turn()
        if wait.redis_gone_at is not None:
            if asks:
                away = time.monotonic() - wait.redis_gone_at
                wait.notice.say(reason(Sight(self._settings.place, away=away)))
            return None
        yield LookAtMaster()
        try:
            seen = yield from self.see(wait, wait.limit, asks=asks)
        except own(BrokerUnavailableError):
            return None
        if not seen.is_known:
            raise JobLostError(
                f"a call in {self._settings.callers_place} is lost: {_meaning(wait, 'lost')}"
            )
        wait.longest_gap = 0.0
        yield from self._want(wait, seen.generation)
        yield from self._extend(wait)
        if seen.server is not None:
            wait.alive_at = max(wait.alive_at, now() - seen.server.age)
        if not wait.others.are_all(seen.others) and wait.silence < self._settings.grace:
            if asks:
                sight = sight_of(self._settings, wait, seen)
                wait.notice.say(reason(sight), brief(sight))
            return None
        return (yield from self._give_up_without_server(wait, seen.others))

    def _extend(self, wait: Wait) -> Core[None]:
        """Keep the locks that the caller has already, while it waits for the next one."""
        for lane in wait.extends:
            key = self._keys.lane(lane)
            try:
                is_held = yield from self._attempts.run("extend", [key], [], until=wait.limit)
            except own(BrokerUnavailableError):
                return  # the next look repeats it
            if not is_held:
                yield from self.withdraw(wait)
                raise lock_lost()

    def _give_up_at_refusal(self, wait: Wait, error: RedisError) -> Core[NoReturn]:
        refusal = unavailable(self._settings, error)
        fate = yield from self.withdraw(wait)
        if fate in UNDONE:
            raise refusal from error
        raise may_be_made(refusal) from error

    def _give_up_at_timeout(self, wait: Wait) -> Core[bytes | None]:
        fate = yield from self.withdraw(wait)
        if fate == "answered":
            return (yield from self._look(wait, SLICE))
        has_server = yield from self.has_server(wait, has_begun=fate in _BEGUN)
        told = _meaning(wait, fate)
        if wait.pause is not None:
            told += f". {wait.pause.shown[0].upper()}{wait.pause.shown[1:]}"
        error = timed_out(self._settings, wait.timeout, told, has_server=has_server)
        error.args = (f"{error}{wait.notice.last_words()}",)
        raise flagged(error, fate)

    def _give_up_without_server(self, wait: Wait, others: Sequence[Other]) -> Core[bytes | None]:
        fate = yield from self.withdraw(wait)
        if fate == "answered":
            return (yield from self._look(wait, SLICE))
        if others:
            raise differs(self._settings.callers_place, others, fate)
        raise flagged(without_server(self._settings, _meaning(wait, fate)), fate)


def _meaning(wait: Wait, fate: str) -> str:
    if fate == "lost" and wait.gap >= reply_expiry(wait.timeout):
        return expired(wait.gap)
    return meaning(fate)
