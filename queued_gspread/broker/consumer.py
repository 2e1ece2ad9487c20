"""The servers' side of the queue: the lease, the ready lanes, their jobs and the replies.

What concerns a single request, such as ``acquire``, is inherited from :mod:`.dispatch`, locks from
:mod:`.granting`, what signed jobs need from :mod:`.vouching`, and what is published from
:mod:`.publishing`.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread.broker.connection.attempts import is_passing
from queued_gspread.broker.connection.client import as_text, reply_expiry
from queued_gspread.broker.connection.deadline import moment, until
from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.broker.waiting.signs_of_life import look
from queued_gspread.errors import BrokerUnavailableError

from .answered import NOTHING_ANSWERED, Vouched
from .backlog import Backlog, Predecessor
from .beat import ANY, RESERVED, beat_of
from .dispatch import Dispatch
from .failed_calls import MOST_FAILED, placed, places
from .fencing import unless_stale
from .formats import waiting_of
from .granting import Granting
from .jobs import Entry, Ready, Stop, entry_of, ready_of
from .keys import FORMAT
from .pauses import one_line
from .permits import KINDS, Slot, milliseconds
from .publishing import Publishing
from .redis_check import warning_of
from .vouching import Vouching

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from queued_gspread.broker.connection.majority import Host, Named
    from queued_gspread.broker.connection.master import Master
    from queued_gspread.settings import Settings

    from .beat import Beat, Candidate
    from .formats import Other
    from .permits import AnsweredSlot
    from .timing import QueueTiming

__all__ = ["Consumer"]

_CONTROL_EXPIRY: Final = 30
_STOP: Final = "stop"
# Seconds between two tries of a stopping server to requeue its jobs.
_PAUSE: Final = 0.1
# Seconds without a beat after which a server of another format counts as gone.
_SILENCE: Final = 10.0
_MOST_POISONED: Final = 1000
_MOST_POISONED_BYTES: Final = 32 * 1024**2


class Consumer(Dispatch, Granting, Publishing, Vouching):
    """The queue as a server sees it. Any thread of the server may use it.

    Args:
        settings: Where the queue is.
        server_id: The server's id.
        about: The server's description, for other servers and observers; or what returns it, if
            it may change.
        epoch: The epoch under which the queue is written to.
        stopping: Once set, no thread waits for a Redis that is out of reach.
        max_queue: How many jobs may wait in the namespace; 0 for any number.
        quota: The quota that the server assumes, in words, for observers.
        generation: Returns the signed generation for callers.
        on_published: Called with it once callers can see it, and with the seconds since this Redis
            started or became the master.
        on_standby: Called with what the working server signs of calls that nobody waits for.
        holdups: Returns what holds requests up, for waiting callers.
        timing: How long to wait for Redis.
        lenders: The names of the accounts that lend their quota.

    """

    def __init__(
        self,
        settings: Settings,
        server_id: str = "",
        about: str | Callable[[], str] = "",
        *,
        epoch: str = "",
        stopping: threading.Event | None = None,
        max_queue: int = 0,
        quota: str = "",
        generation: Callable[[], bytes] = bytes,
        on_published: Callable[[bytes, float], None] = lambda *_: None,
        on_standby: Callable[[bytes], None] = lambda _: None,
        holdups: Callable[[], str] = str,
        timing: QueueTiming | None = None,
        lenders: Sequence[str] = (),
    ) -> None:
        super().__init__(settings, epoch, stopping, timing, lenders)
        self.server_id = server_id
        self._about = about
        self._max_queue = max_queue
        self._quota = quota
        self._generation = generation
        self._on_published, self._on_standby = on_published, on_standby
        self._holdups = holdups
        # The latest of operators' actions that this server has logged.
        self._logged = ""
        # The server that this one stood by for, and the one that it took over from.
        self._stood_by = ""
        self.predecessor = Predecessor()

    def under(self, epoch: str) -> Consumer:
        """Return the same queue, bound to that epoch."""
        same = Consumer(
            self.settings,
            self.server_id,
            self._about,
            epoch=epoch,
            stopping=self._stopping,
            timing=self._timing,
            lenders=self._accounts[1:],
        )
        same._link, same._held, same.predecessor = self._link, self._held, self.predecessor
        return same

    def hang_up(self) -> None:
        """Close the connections to Redis if nothing else uses them; the next use reconnects."""
        self._link.let_go()

    def check_redis(self) -> str | None:
        """Check that this Redis does not drop data; return a warning if it might.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.
            ConfigurationError: The Redis evicts keys when its memory is full.

        """
        if not self.master.is_guided:  # else the first beat shows it
            self._connection.drive(look(self._connection.attempts, self._keys, grace=0.0))
        return warning_of(self._connection, self.settings)

    @property
    def master(self) -> Master:
        """The master, and how to discover it."""
        return self._connection.master

    @property
    def place(self) -> Host | None:
        """The only Redis that is sent to from now on; None if any may be the master."""
        return self._connection.wire.only

    def ask_for_master(self, seconds: float) -> Named:
        """Return the master that a majority of the Sentinels or the Cluster's masters names.

        Raises:
            BrokerUnavailableError: No majority answers, or names one, within these seconds.

        """
        try:
            return self.master.named(seconds)
        except RedisError as error:
            raise unavailable(self.settings, error) from error

    def beat(self, lease: float, *, is_certain: bool = True, candidate: Candidate = ANY) -> Beat:
        """Record that this server is alive, and become the working one if no other is.

        Args:
            lease: Seconds without a beat after which this server counts as gone.
            is_certain: Whether, as far as it knows, no other can have taken over from it.
            candidate: Its token and account.

        """
        certain = "1" if is_certain else ""
        generation = self._generation()
        terms = [self._max_queue, generation, certain, self._holdups()]
        about = self._about if isinstance(self._about, str) else self._about()
        own = ["1" if candidate.has_token else "", candidate.account, candidate.replaces]
        own += [self._quota, self._logged]
        args = [self.server_id, round(lease * 1000), about, self.epoch, *terms, *own]
        keys = self._keys
        places = [
            keys.server,
            keys.ready,
            keys.active,
            keys.deliveries,
            keys.lane(""),
            keys.account,
            keys.actions,
        ]
        steps = self._connection.steps
        since = steps.moment()
        # A silent master must not keep this server from asking for the next one.
        with until(now() + lease if self.master.is_guided else moment()):
            beat = beat_of(self._connection.run("beat", places, args))
        # If another server holds the lease, ours has ended, even if another master still has it.
        self.epoch = beat.epoch
        if beat.epoch:
            steps.saw(beat.moment, since)
            self._on_published(generation, beat.since_move)
        if beat.state == "held" and beat.other != RESERVED:
            self._stood_by = beat.other
            self._on_standby(beat.answered)
        if beat.state == "taken":
            self._note_predecessor(beat.other, -beat.left)
        return beat

    def note_logged(self, action_id: str) -> None:
        """Note which action of operators' was logged last: the next beat tells Redis."""
        self._logged = action_id

    def _note_predecessor(self, about: str, silent: float) -> None:
        """Note which server this one took over from; one that shut down cleanly left no name."""
        stood_by, self._stood_by = self._stood_by, ""
        self.predecessor = Predecessor(about or stood_by, silent if about else None)

    def others(self, window: float = 0.0) -> list[Other]:
        """Return the other queue formats that have something in the namespace.

        Also registers this format as one that has had a server there.

        Args:
            window: Seconds for which a slot is still held if its server, of any format, is gone.

        """
        keys = [self._keys.server, self._keys.formats, *self._slots]
        args = [FORMAT, milliseconds(_SILENCE), self.epoch, milliseconds(window)]
        return waiting_of(self._connection.run("formats", keys, args))

    @property
    def _slots(self) -> list[str]:
        return self._slots_of(self._accounts)

    def release(self) -> None:
        """Let another server take over at once."""
        epoch, self.epoch = self.epoch, ""
        self._connection.run("release", [self._keys.server], [epoch])

    def recover(self, window: float = 0.0) -> Backlog:
        """Take over from another server: lanes that hold jobs, and slots without an answer.

        Args:
            window: Seconds for which such a slot is still held.

        Returns:
            What is waiting.

        """
        keys = self._keys
        places = [keys.ready, keys.active, keys.formats, *self._slots]
        lanes = self._run("recover", places, [milliseconds(window), milliseconds(_SILENCE)])
        of_jobs = [keys.active, keys.depth, keys.progress, keys.lane("")]
        calls, begun = unless_stale(self._run("recount", of_jobs, []))
        for account, kind in itertools.product(self._accounts, KINDS):
            # A Redis with an older state may have forgotten answers to this server's requests.
            self._remind(Slot(kind, f"{self.epoch}/", window=window, account=account))
        return Backlog(int(unless_stale(lanes)), calls, min(begun, calls))

    def next_ready(self) -> Ready | Stop | None:
        """Wait for a lane that holds jobs, or for a request to stop; return None after a slice.

        Raises:
            BrokerUnavailableError: The connection failed; a lane's name may have been lost with
                it, so :meth:`recover` must follow.

        """
        control = self._keys.control(self.server_id)
        try:
            popped = self._connection.wire.ask(
                ["BLPOP", control, self._keys.ready_under(self.epoch), self._timing.blocking_read]
            )
        except RedisError as error:
            raise unavailable(self.settings, error) from error
        if popped is None:
            return None
        key, item = popped
        if as_text(key) != control:
            return ready_of(item)
        return Stop(one_line(as_text(item).removeprefix(_STOP)))

    def request_stop(self, server_id: str, by: str = "") -> None:
        """Ask a server to stop, from any process; its log says who asks."""
        pipeline = self._connection.redis.pipeline()
        pipeline.rpush(self._keys.control(server_id), f"{_STOP} {by}".strip())
        pipeline.expire(self._keys.control(server_id), _CONTROL_EXPIRY)
        try:
            pipeline.execute()
        except RedisError as error:
            raise unavailable(self.settings, error) from error

    def head(self, lane: str) -> Entry | None:
        """Return the first job of a lane; None if it is empty, which makes it inactive."""
        keys = self._keys
        steps = self._connection.steps
        since = steps.moment()
        result = self._fenced(
            "head", [keys.lane(lane), keys.active, keys.progress, keys.deliveries], [lane]
        )
        return entry_of(lane, result, steps, since)

    def peek(self, lane: str, after: str, count: int, size: int) -> list[Entry]:
        """Return the jobs behind a given one in its lane, in order.

        Stops before a job that was started before, or that a server died of.

        Args:
            lane: The lane's name.
            after: The stream id of the job that they are behind.
            count: How many at most.
            size: How many bytes at most, in total.

        """
        keys = [self._keys.lane(lane), self._keys.progress, self._keys.deliveries]
        steps = self._connection.steps
        since = steps.moment()
        results = self._fenced("peek", keys, [after, count, size])
        entries = [entry_of(lane, result, steps, since) for result in results]
        return [entry for entry in entries if entry is not None]

    def deliver_suspect(self, entry: Entry) -> None:
        """Record the delivery of a job that two or more servers died with."""
        self._fenced("deliver_suspect", [self._keys.deliveries], [entry.job_id])

    def requeue(self) -> bool:
        """Leave all jobs delivered under this epoch to the next server, without counting a death.

        Retries for some seconds while Redis is out of reach; returns whether it succeeded.
        """
        end = now() + self._timing.requeue_timeout
        with until(end):
            while True:
                try:
                    self._run("requeue", [self._keys.deliveries], [])
                except BrokerUnavailableError as error:
                    if not is_passing(error) or now() + _PAUSE > end:
                        return False
                else:
                    return True
                time.sleep(_PAUSE)

    def poison(self, entry: Entry) -> None:
        """Keep a job that servers died of, for inspection."""
        most = [_MOST_POISONED, _MOST_POISONED_BYTES]
        args = [entry.job_id, entry.lane, entry.body, *most]
        self._fenced("poison", [self._keys.poisoned], args)

    def answer(
        self,
        answers: Sequence[tuple[Entry, bytes]],
        slots_to_release: Sequence[AnsweredSlot] = (),
        vouched: Vouched = NOTHING_ANSWERED,
    ) -> Entry | None:
        """Answer jobs of one lane and return its next one, as :meth:`head` does.

        Args:
            answers: One or more jobs, each with its reply; an empty reply is not stored.
            slots_to_release: Slots to release in the same script.
            vouched: What to note of signed jobs that nobody waits for.

        """
        keys, lane = self._keys, answers[0][0].lane
        concerned = [
            keys.lane(lane),
            keys.active,
            keys.progress,
            keys.deliveries,
            keys.depth,
            keys.answered,
        ]
        released = self._slots_args(slots_to_release)
        has_failed = any(entry.failure for entry, _ in answers)
        expiry = reply_expiry(max(entry.timeout for entry, _ in answers))
        most = MOST_FAILED if has_failed else 0
        args: list[Any] = [lane, expiry, *released[1], vouched.encode(), most]
        for entry, reply in answers:
            concerned += [keys.reply(entry.job_id), keys.journal(entry.job_id)]
            failure = placed(entry.failure) if has_failed else b""
            args += [entry.stream_id, entry.job_id, reply, failure, entry.promise]
        steps, moment = self._connection.steps, now()
        since = steps.moment()
        concerned += [*released[0], *(places(keys) if has_failed else ())]
        found = self._fenced("answer", concerned, args, insists=True)
        self._note_released(slots_to_release, moment)
        return entry_of(lane, found, steps, since)
