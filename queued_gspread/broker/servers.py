"""The servers' side of the queue: the lease, the lanes that wait, their jobs, the replies."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError, ResponseError

from queued_gspread.errors import BrokerUnavailableError, ConfigurationError

from .connection import (
    REPLY_EXPIRY,
    SCRIPTS,
    SLICE,
    Connection,
    as_text,
    connect,
    is_passing,
    unavailable,
)
from .keys import Keys
from .notes import NO_NOTE, Note
from .slots import KINDS, NO_SLOT, Permit, Setback, Slot, milliseconds, permit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.settings import Settings

__all__ = ["STOP", "Beat", "Entry", "Servers", "StaleEpochError"]

STOP: Final = "\0stop"
"""What :meth:`Servers.next_ready` returns in the place of a lane's name."""

_CONTROL_EXPIRY: Final = 30
_PAUSE: Final = 0.2
_SNAPSHOTS: Final = (
    "this Redis keeps snapshots and no append-only file: if it is killed, it comes back with "
    "calls that were answered already, and they are made again. Set `appendonly yes`"
)
_MOST_POISONED: Final = 1000
_REPLICATION: Final = 1.0


class StaleEpochError(Exception):
    """Another server works by now, or this one's lease lapsed: it may not write any more."""


@dataclass(frozen=True)
class Beat:
    """What a beat found: ``kept`` or ``taken`` the lease, or that another server has ``held`` it.

    Attributes:
        state: One of the three words.
        epoch: The epoch of this server's lease; '' where another holds it.
        other: The other server, in words.
        left: Seconds until the other one's lease runs out.

    """

    state: str
    epoch: str = ""
    other: str = ""
    left: float = 0.0


@dataclass(frozen=True)
class Entry:
    """A job as it stands in its lane.

    Attributes:
        lane: The lane's name.
        entry: Its place in the lane; the time of its enqueue on Redis's clock is part of it.
        job_id: The job's id; '' for something that is not a job.
        body: The job, encoded.
        mark: How far a call that was begun before is: '', 'r', 'w' or 'j'.
        waiting: How many jobs the lane holds, this one included.
        age: Seconds from the enqueue to this look at it, on Redis's clock.
        deaths: How many servers have died since this job was handed out to them.
        seen: The moment of this look, on this machine's monotonic clock.

    """

    lane: str
    entry: str
    job_id: str
    body: bytes
    mark: str
    waiting: int
    age: float = 0.0
    deaths: int = 0
    seen: float = field(default_factory=time.monotonic)

    def deadline(self, timeout: float | None) -> float | None:
        """Return the moment at which a call is too late, on this machine's monotonic clock."""
        return None if timeout is None else self.seen + timeout - self.age


class Servers:
    """The queue as a server sees it. Any thread of the server may use it.

    Args:
        settings: Where the queue is.
        server_id: Who asks.
        about: The same in words, for colleagues and observers.
        epoch: Under which the queue is written to.
        stopping: Once it is set, nobody waits for a Redis that is away.
        max_queue: How many jobs may wait in the namespace; 0 for any number.
        generation: Returns the signed generation that callers are told of.

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
    ) -> None:
        self.settings = settings
        self.server_id = server_id
        self.epoch = epoch
        self._about = about
        self._stopping = stopping or threading.Event()
        self._max_queue = max_queue
        self._generation = generation
        self._keys = Keys(settings.namespace)

    def under(self, epoch: str) -> Servers:
        """Return the same queue, written to under that epoch alone."""
        return Servers(
            self.settings, self.server_id, self._about, epoch=epoch, stopping=self._stopping
        )

    @property
    def _connection(self) -> Connection:
        return connect(self.settings.redis_url, self.settings.namespace)

    def check_redis(self) -> str | None:
        """Make sure that this Redis drops nothing; return a warning where it might.

        Raises:
            ConfigurationError: The Redis evicts keys when its memory is full.

        """
        try:
            config = self._config()
        except ResponseError:
            return "could not ask Redis for its maxmemory-policy: make sure that it is noeviction"
        except RedisError as error:
            raise unavailable(self.settings.redis_url, error) from error
        policy = config.get("maxmemory-policy", "noeviction")
        if policy == "noeviction":
            return _SNAPSHOTS if config.get("save") and config.get("appendonly") == "no" else None
        raise ConfigurationError(
            f"Redis at {self.settings.shown_url} has maxmemory-policy {policy!r}, under which it "
            "may drop waiting calls: set it with `redis-cli config set maxmemory-policy noeviction`"
        )

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

    def beat(self, lease: float) -> Beat:
        """Say that this server is alive, and become the one that works if nobody else is."""
        terms = [self._max_queue, self._generation()]
        args = [self.server_id, round(lease * 1000), self._about, self.epoch, *terms]
        state, *rest = self._connection.run("beat", [self._keys.server, self._keys.ready], args)
        if state == b"held":
            return Beat("held", other=as_text(rest[0]), left=rest[1] / 1000)
        self.epoch = as_text(rest[0])
        return Beat(as_text(state), self.epoch)

    def release(self) -> None:
        """Let another server take over at once."""
        self._connection.run("release", [self._keys.server], [self.epoch])
        self.epoch = ""

    def recover(self, window: float = 0.0) -> int:
        """Take over what another server left: lanes that hold jobs, slots without an answer.

        Args:
            window: Seconds for which such a slot is held from now on.

        Returns:
            How many lanes hold jobs.

        """
        keys = self._keys
        slots = [keys.slots(kind) for kind in KINDS]
        found = self._run("recover", [keys.ready, keys.active, *slots], [milliseconds(window)])
        _unless_stale(self._run("recount", [keys.active, keys.waiting, keys.lane("")], []))
        return int(_unless_stale(found))

    def wanted(self, job_id: str) -> bytes | None:
        """Return what a signed job's caller has said since, if anything.

        Raises:
            BrokerUnavailableError: Redis cannot be reached.

        """
        try:
            found: Any = self._connection.redis.get(self._keys.wanted(job_id))
        except RedisError as error:
            raise unavailable(self.settings.redis_url, error) from error
        return found if isinstance(found, bytes) else None

    def next_ready(self) -> str | None:
        """Wait for a lane that holds jobs: its name, :data:`STOP`, or None after a slice.

        Raises:
            BrokerUnavailableError: The connection failed; a name may have been lost with it,
                so :meth:`recover` has to follow.

        """
        control = self._keys.control(self.server_id)
        try:
            found = self._connection.redis.blpop(
                [control, self._keys.ready_under(self.epoch)], SLICE
            )
        except RedisError as error:
            raise unavailable(self.settings.redis_url, error) from error
        if found is None:
            return None
        place, name = found
        return STOP if as_text(place) == control else _lane(name)

    def request_stop(self, server_id: str) -> None:
        """Ask a server to stop, from wherever."""
        pipeline = self._connection.redis.pipeline()
        pipeline.rpush(self._keys.control(server_id), "stop")
        pipeline.expire(self._keys.control(server_id), _CONTROL_EXPIRY)
        try:
            pipeline.execute()
        except RedisError as error:
            raise unavailable(self.settings.redis_url, error) from error

    def head(self, lane: str) -> Entry | None:
        """Return the first job of a lane; None, and the lane is done, where it has none."""
        keys = self._keys
        found = self._fenced(
            "head", [keys.lane(lane), keys.active, keys.started, keys.tries], [lane]
        )
        return _entry(lane, found)

    def leave(self, entry: Entry) -> None:
        """Leave a job to the next server, which is not to think that this one died of it."""
        with contextlib.suppress(BrokerUnavailableError):
            self._run("leave", [self._keys.tries], [entry.job_id])

    def poison(self, entry: Entry) -> None:
        """Keep a job of which servers have died, for inspection."""
        args = [entry.job_id, entry.lane, entry.body, _MOST_POISONED]
        self._fenced("poison", [self._keys.poisoned], args)

    def journal(self, entry: Entry) -> list[bytes]:
        """Return the entries of the journal of a call that was begun before."""
        found: list[bytes] = self._fenced("journal", [self._keys.journal(entry.job_id)], [])
        return found

    def is_replicated(self, entry: Entry) -> bool:
        """Tell whether a replica has what a journal announces, after a second at the most.

        Where the connection fails, nobody can say so.

        Raises:
            BrokerUnavailableError: Redis refuses for good.
            StaleEpochError: Another server works by now.

        """
        # Both on one connection: Redis waits for what that connection has written.
        pipeline = self._connection.redis.pipeline(transaction=False)
        keys = (self._keys.server, self._keys.journal(entry.job_id))
        pipeline.eval(SCRIPTS["touch"].text, len(keys), *keys, self.epoch)
        pipeline.wait(1, round(_REPLICATION * 1000))
        try:
            is_announced, replicas = pipeline.execute()
        except RedisError as error:
            if is_passing(error):
                return False
            raise unavailable(self.settings.redis_url, error) from error
        return bool(_unless_stale(is_announced) and replicas)

    def start(
        self,
        entry: Entry,
        mark: str,
        timeout: float | None,
        slot: Slot = NO_SLOT,
        note: Note = NO_NOTE,
    ) -> Permit:
        """Ask whether a request may be sent now; if so, all that is to be known of it is written.

        Args:
            entry: The job.
            mark: How far its call will be: 'r' it only reads so far, 'w' it may have written what
                may be written twice, 'j' its journal tells.
            timeout: Seconds from the enqueue to the deadline.
            slot: The slot that the request takes.
            note: What is written into the journal.

        """
        keys = self._keys
        late = "" if timeout is None else round(timeout * 1000)
        found = self._fenced(
            "start",
            [
                *(keys.lane(entry.lane), keys.started, keys.valve, keys.slots(slot.kind)),
                keys.journal(entry.job_id),
            ],
            [entry.entry, entry.job_id, mark, late, *slot.args(), *note.args()],
        )
        return permit_of(found)

    def settle(
        self,
        entry: Entry,
        slot: Slot,
        sent: int,
        *,
        pause: float = 0.0,
        refused: bool = False,
        back_to: str = "",
        attempt: str = "",
        answered: bytes = b"",
    ) -> Setback:
        """Say that a request was answered, or failed, so that its slot is given back in time.

        Args:
            entry: The job.
            slot: The slot that the request took.
            sent: When it was sent, as its permit says.
            pause: Seconds for which Google asks to wait after a refusal, at the least.
            refused: Whether Google refused it for the quota.
            back_to: The mark of its call, where that is again what it was before.
            attempt: The name under which the journal announces the request.
            answered: What the journal has to tell of it instead; nothing if the request was
                certainly not applied.

        """
        keys = self._keys
        wait = milliseconds(pause) if refused else ""
        unmarked = entry.job_id if back_to else ""
        kind, name, limit, window, _ = slot.args()
        jitter = random.random()  # noqa: S311 - a jitter
        found = self._fenced(
            "settle",
            [keys.started, keys.valve, keys.slots(slot.kind), keys.journal(entry.job_id)],
            [
                *(unmarked, kind, name, limit, window, sent, wait, jitter),
                *(back_to, attempt, answered),
            ],
        )
        return Setback(int(found[0]), found[1] / 1000)

    def answer(self, entry: Entry, reply: bytes) -> Entry | None:
        """Answer a job and return the next one of its lane, as :meth:`head` does."""
        keys = self._keys
        found = self._fenced(
            "answer",
            [
                *(keys.lane(entry.lane), keys.active, keys.started, keys.tries),
                *(keys.reply(entry.job_id), keys.journal(entry.job_id), keys.waiting),
            ],
            [entry.lane, entry.entry, entry.job_id, reply, REPLY_EXPIRY],
        )
        return _entry(entry.lane, found)

    def _fenced(self, script: str, keys: list[str], args: list[Any]) -> Any:
        """Run a script under this epoch; while Redis is away, wait for it."""
        while True:
            try:
                return _unless_stale(self._run(script, keys, args))
            except BrokerUnavailableError as error:
                if not is_passing(error) or self._stopping.wait(_PAUSE):
                    raise

    def _run(self, script: str, keys: list[str], args: list[Any]) -> Any:
        return self._connection.run(script, [self._keys.server, *keys], [self.epoch, *args])


def _lane(name: Any) -> str:
    """Return the name of a lane, which goes back to Redis as it came, whoever wrote it."""
    return str(name, errors="surrogateescape")


def _unless_stale(found: Any) -> Any:
    if found == b"stale":
        raise StaleEpochError
    return found


def _entry(lane: str, found: Any) -> Entry | None:
    if found is None:
        return None
    entry, job_id, body, mark, waiting, now, deaths = found
    age = (int(now) - int(entry.partition(b"-")[0])) / 1000
    far = as_text(mark)[:1]
    return Entry(
        *(lane, as_text(entry), job_id.decode(), body, far, int(waiting), age), deaths=int(deaths)
    )
