"""The servers' side of the queue: the lease, the lanes that wait, their jobs, the replies."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError, ResponseError

from queued_gspread._clock import now
from queued_gspread.broker.connection.client import SLICE, as_text, is_passing, reply_expiry
from queued_gspread.broker.connection.deadline import moment, until
from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.broker.waiting.signs_of_life import look
from queued_gspread.errors import BrokerUnavailableError, ConfigurationError

from .backlog import Backlog, Predecessor
from .beat import ANY, RESERVED, beat_of
from .dispatch import Dispatch
from .fencing import unless_stale
from .formats import waiting_of
from .jobs import Entry, Ready, Stop, entry_of, ready_of
from .keys import FORMAT
from .permits import KINDS, Slot, milliseconds
from .persistence import warning_of_persistence

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from queued_gspread.broker.connection.majority import Host, Named
    from queued_gspread.broker.connection.master import Master
    from queued_gspread.settings import Settings

    from .beat import Beat, Candidate
    from .formats import Other
    from .permits import AnsweredSlot

__all__ = ["Consumer"]

_CONTROL_EXPIRY: Final = 30
# Seconds for which a server that stops tries to say so, and between two tries.
_LEAVING: Final = 5.0
_PAUSE: Final = 0.1
# Seconds without a beat after which a server of another format counts as gone.
_SILENCE: Final = 10.0
_OPEN: Final = (
    "this Redis has replicas ({}) and takes writes without them (min-replicas-to-write is 0): "
    "while it does not know of a failover, or is cut off, it takes calls that the next master "
    "never hears of, and their callers get JobLostError. Set `min-replicas-to-write 1` and "
    "`min-replicas-max-lag 10`, which end that after 10 seconds"
)
_PARTIAL: Final = (
    "the user of the Sentinels may not ask them for each other and for replicas, so the hosts in "
    "the URL count as all of them, and one replica as enough: grant it `+sentinel|sentinels "
    "+sentinel|replicas`"
)
_ASKING: Final = 1.0
_MOST_POISONED: Final = 1000
_MOST_POISONED_BYTES: Final = 32 * 1024**2


class Consumer(Dispatch):
    """The queue as a server sees it. Any thread of the server may use it.

    Args:
        settings: Where the queue is.
        server_id: Who asks.
        about: The same in words, for colleagues and observers.
        epoch: Under which the queue is written to.
        stopping: Once it is set, nobody waits for a Redis that is away.
        max_queue: How many jobs may wait in the namespace; 0 for any number.
        generation: Returns the signed generation that callers are told of.
        holdups: Returns what holds requests up, for callers that wait.

    """

    def __init__(
        self,
        settings: Settings,
        server_id: str = "",
        about: str = "",
        *,
        epoch: str = "",
        stopping: threading.Event | None = None,
        max_queue: int = 0,
        generation: Callable[[], bytes] = bytes,
        holdups: Callable[[], str] = str,
    ) -> None:
        super().__init__(settings, epoch, stopping)
        self.server_id = server_id
        self._about = about
        self._max_queue = max_queue
        self._generation = generation
        self._holdups = holdups
        # Whom this server has stood by for, and whom it took over from under its epoch.
        self._stood_by = ""
        self.predecessor = Predecessor()

    def under(self, epoch: str) -> Consumer:
        """Return the same queue, written to under that epoch alone."""
        same = Consumer(
            self.settings, self.server_id, self._about, epoch=epoch, stopping=self._stopping
        )
        same._link, same._held, same.predecessor = self._link, self._held, self.predecessor
        return same

    def hang_up(self) -> None:
        """Close the connections to Redis if nothing else here uses them; the next use connects."""
        self._link.let_go()

    def check_redis(self) -> str | None:
        """Make sure that this Redis drops nothing; return a warning where it might.

        Raises:
            BrokerUnavailableError: It cannot be reached, or refuses.
            ConfigurationError: The Redis evicts keys when its memory is full.

        """
        if not self.master.is_guided:  # else the first beat tells
            look(self._connection, self._keys, grace=0.0)
        try:
            warnings = [self._warning_of_settings(), *self._warnings_of_failovers()]
        except RedisError as error:
            raise unavailable(self.settings, error) from error
        return "; ".join(filter(None, warnings)) or None

    def _warning_of_settings(self) -> str | None:
        try:
            config = self._config()
        except ResponseError:
            return "could not ask Redis for its maxmemory-policy: make sure that it is noeviction"
        policy = config.get("maxmemory-policy", "noeviction")
        if policy == "noeviction":
            return warning_of_persistence(config)
        raise ConfigurationError(
            f"Redis at {self.settings.shown_url} has maxmemory-policy {policy!r}, under which it "
            "may drop waiting calls: set it with `redis-cli config set maxmemory-policy noeviction`"
        )

    def _warnings_of_failovers(self) -> Iterator[str]:
        """Yield what leaves more to be lost at a failover than has to be."""
        if self.master.is_guided:
            with suppress(RedisError):  # the first beat tells
                self.master.named(_ASKING)
            if self.master.is_partial:
                yield _PARTIAL
        redis = self._connection.redis
        try:
            told = redis.info("replication")
        except ResponseError:
            return  # whoever may not ask for it
        # Told where both settings are on, to those too who may not ask for settings.
        if told.get("connected_slaves") and "min_slaves_good_slaves" not in told:
            yield _OPEN.format(told["connected_slaves"])

    def _config(self) -> dict[Any, Any]:
        redis = self._connection.redis
        found: dict[Any, Any] = {}
        try:
            for name in ("maxmemory-policy", "save", "appendonly"):
                found |= redis.config_get(name)
        except ResponseError:
            # Whoever may ask for settings learns passwords, so not every server may.
            return {"maxmemory-policy": redis.info("memory")["maxmemory_policy"]}
        return found

    @property
    def master(self) -> Master:
        """Where the master is, and who knows."""
        return self._connection.master

    @property
    def place(self) -> Host | None:
        """Where what is sent from now on goes to; None where any Redis may be the master."""
        return self._connection.wire.only

    def ask_for_master(self, seconds: float) -> Named:
        """Return the master that a majority of those who know names.

        Raises:
            BrokerUnavailableError: No majority answers, or names one, within these seconds.

        """
        try:
            return self.master.named(seconds)
        except RedisError as error:
            raise unavailable(self.settings, error) from error

    def beat(self, lease: float, *, is_certain: bool = True, candidate: Candidate = ANY) -> Beat:
        """Say that this server is alive, and become the one that works if nobody else is.

        Args:
            lease: Seconds without a beat after which it counts as gone.
            is_certain: Whether nobody can have taken over from it, as far as it knows.
            candidate: What it has to work with.

        """
        certain = "1" if is_certain else ""
        terms = [self._max_queue, self._generation(), certain, self._holdups()]
        own = ["1" if candidate.has_token else "", candidate.account, candidate.replaces]
        args = [self.server_id, round(lease * 1000), self._about, self.epoch, *terms, *own]
        keys = self._keys
        places = [
            keys.server,
            keys.ready,
            keys.active,
            keys.deliveries,
            keys.lane(""),
            keys.account,
        ]
        steps = self._connection.steps
        since = steps.moment()
        # A master that says nothing must not keep this server from asking for the next one.
        with until(now() + lease if self.master.is_guided else moment()):
            beat = beat_of(self._connection.run("beat", places, args))
        # Where another holds it, ours has ended, whatever another master may still say of it.
        self.epoch = beat.epoch
        if beat.epoch:
            steps.saw(beat.moment, since)
        if beat.state == "held" and beat.other != RESERVED:
            self._stood_by = beat.other
        if beat.state == "taken":
            self._note_predecessor(beat.other, -beat.left)
        return beat

    def _note_predecessor(self, about: str, silent: float) -> None:
        """Note whom this server has taken over from: who has ended in good order left no name."""
        stood_by, self._stood_by = self._stood_by, ""
        self.predecessor = Predecessor(about or stood_by, silent if about else None)

    def others(self, window: float = 0.0) -> list[Other]:
        """Return the other formats of the queue that have something in the namespace.

        This one is entered among those that have had a server there.

        Args:
            window: Seconds for which a slot is held from now on whose server is gone, of whatever
                format.

        """
        keys = [self._keys.server, self._keys.formats, *self._slots]
        args = [FORMAT, milliseconds(_SILENCE), self.epoch, milliseconds(window)]
        return waiting_of(self._connection.run("formats", keys, args))

    @property
    def _slots(self) -> list[str]:
        return [self._keys.slots(kind) for kind in KINDS]

    def release(self) -> None:
        """Let another server take over at once."""
        epoch, self.epoch = self.epoch, ""
        self._connection.run("release", [self._keys.server], [epoch])

    def recover(self, window: float = 0.0) -> Backlog:
        """Take over what another server left: lanes that hold jobs, slots without an answer.

        Args:
            window: Seconds for which such a slot is held from now on.

        Returns:
            What waits.

        """
        keys = self._keys
        places = [keys.ready, keys.active, keys.formats, *self._slots]
        found = self._run("recover", places, [milliseconds(window), milliseconds(_SILENCE)])
        of_jobs = [keys.active, keys.depth, keys.progress, keys.lane("")]
        calls, begun = unless_stale(self._run("recount", of_jobs, []))
        for kind in KINDS:
            # A Redis with an older state may not know that a request of this server was answered.
            self._remind(Slot(kind, f"{self.epoch}/", window=window))
        return Backlog(int(unless_stale(found)), calls, min(begun, calls))

    def renewal(self, job_id: str) -> bytes | None:
        """Return what a signed job's caller has said since, if anything.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.

        """
        try:
            found: Any = self._connection.redis.get(self._keys.renewal(job_id))
        except RedisError as error:
            raise unavailable(self.settings, error) from error
        return found if isinstance(found, bytes) else None

    def next_ready(self) -> Ready | Stop | None:
        """Wait for a lane that holds jobs, or for a request to stop. None after a slice.

        Raises:
            BrokerUnavailableError: The connection failed; a name may have been lost with it,
                so :meth:`recover` has to follow.

        """
        control = self._keys.control(self.server_id)
        try:
            found = self._connection.wire.ask(
                ["BLPOP", control, self._keys.ready_under(self.epoch), SLICE]
            )
        except RedisError as error:
            raise unavailable(self.settings, error) from error
        if found is None:
            return None
        place, item = found
        return Stop() if as_text(place) == control else ready_of(item)

    def request_stop(self, server_id: str) -> None:
        """Ask a server to stop, from wherever."""
        pipeline = self._connection.redis.pipeline()
        pipeline.rpush(self._keys.control(server_id), "stop")
        pipeline.expire(self._keys.control(server_id), _CONTROL_EXPIRY)
        try:
            pipeline.execute()
        except RedisError as error:
            raise unavailable(self.settings, error) from error

    def head(self, lane: str) -> Entry | None:
        """Return the first job of a lane; None, and the lane is done, where it has none."""
        keys = self._keys
        steps = self._connection.steps
        since = steps.moment()
        found = self._fenced(
            "head", [keys.lane(lane), keys.active, keys.progress, keys.deliveries], [lane]
        )
        return entry_of(lane, found, steps, since)

    def peek(self, lane: str, after: str, count: int, size: int) -> list[Entry]:
        """Return the jobs that stand behind one in its lane, in order.

        None that was begun before, or that a server has died of, and none behind such a one.

        Args:
            lane: The lane's name.
            after: The place of the job that they stand behind.
            count: How many at the most.
            size: How many bytes at the most, all together.

        """
        keys = [self._keys.lane(lane), self._keys.progress, self._keys.deliveries]
        steps = self._connection.steps
        since = steps.moment()
        found = self._fenced("peek", keys, [after, count, size])
        entries = [entry_of(lane, each, steps, since) for each in found]
        return [entry for entry in entries if entry is not None]

    def deliver_suspect(self, entry: Entry) -> None:
        """Say that a job is handed out that two servers or more have died with."""
        self._fenced("deliver_suspect", [self._keys.deliveries], [entry.job_id])

    def requeue(self) -> bool:
        """Leave all that was handed out under this epoch to the next server, which counts no death.

        While Redis is away, it is tried again for some seconds; return whether it was said.
        """
        end = now() + _LEAVING
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
        """Keep a job of which servers have died, for inspection."""
        most = [_MOST_POISONED, _MOST_POISONED_BYTES]
        args = [entry.job_id, entry.lane, entry.body, *most]
        self._fenced("poison", [self._keys.poisoned], args)

    def answer(
        self,
        answers: Sequence[tuple[Entry, bytes]],
        slots_to_release: Sequence[AnsweredSlot] = (),
    ) -> Entry | None:
        """Answer jobs of one lane and return its next one, as :meth:`head` does.

        Args:
            answers: One or more jobs, each with its reply; nothing to leave nobody an answer.
            slots_to_release: Slots that are released with that.

        """
        keys, lane = self._keys, answers[0][0].lane
        places = [
            keys.lane(lane),
            keys.active,
            keys.progress,
            keys.deliveries,
            keys.depth,
            keys.throttle,
        ]
        released = self._slots_args(slots_to_release)
        expiry = reply_expiry(max(entry.timeout for entry, _ in answers))
        args: list[Any] = [lane, expiry, *released[1]]
        for entry, reply in answers:
            places += [keys.reply(entry.job_id), keys.journal(entry.job_id)]
            args += [entry.stream_id, entry.job_id, reply]
        steps, moment = self._connection.steps, now()
        since = steps.moment()
        found = self._fenced("answer", [*places, *released[0]], args, insists=True)
        self._note_released(slots_to_release, moment)
        return entry_of(lane, found, steps, since)
