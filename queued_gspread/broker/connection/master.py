"""Which Redis is the master, as a majority of those who know says: asked anew, again and again.

A connection asks one of them when it is made, which may be cut off itself, and stays where it is
while that Redis says that it is a master: an old one says so for seconds after a failover, and for
ever where it is cut off.
"""

from __future__ import annotations

import time
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread._interrupts import own

from .deadline import left, moment, until
from .detached import aside
from .discovery import MasterDiscovery, NoMasterError
from .majority import Host, Named, Opinion, majority

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from .wire import Wire

    # Whom was asked, and what it said.
    Answer = tuple[Host, "Opinion | RedisError"]

__all__ = ["Master", "NoMajorityError"]

# Seconds that one of them is given, and between two looks of callers at where the master is.
_EACH: Final = 0.5
_BETWEEN: Final = 1.0
# Seconds for which callers do not look at one that did not answer.
_SILENCE: Final = 30.0


class NoMajorityError(NoMasterError):
    """No majority of those who know names a master: nothing was sent."""

    remedy = (
        "a server sends nothing while it cannot reach more than half of all Sentinels, or of a "
        "Cluster's masters, by the addresses that they tell of each other"
    )


class Master:
    """The master of a namespace; any thread may ask for it.

    Args:
        pool: The connections to it; its guide knows where it is.
        wire: The lines to it.

    """

    def __init__(self, pool: redis.ConnectionPool, wire: Wire) -> None:
        self._pool = pool
        self._wire = wire
        discovery = getattr(pool, "sentinel_manager", None)
        self._discovery: MasterDiscovery | None = (
            discovery if isinstance(discovery, MasterDiscovery) else None
        )
        self._name: str = getattr(pool, "service_name", "")
        self._known: frozenset[Host] = frozenset()
        self._looked_at = -_BETWEEN
        # Whom callers asked last, by number, and whom they do not ask for a while.
        self._turn = -1
        self._silent_until: dict[Host, float] = {}
        self.is_partial = False
        """Whether somebody may not say who else has a vote, or which replicas there are."""
        self.replicas = 0
        """How many replicas of the master were up when a majority named it last."""

    @property
    def is_guided(self) -> bool:
        """Whether somebody can be asked for it: Sentinels, or the nodes of a Cluster."""
        return self._discovery is not None

    @property
    def confirmed(self) -> Host | None:
        """Where it is, as long as connections are kept to it."""
        return None if self._discovery is None else self._discovery.confirmed.get(self._name)

    def named(self, seconds: float) -> Named:
        """Return what a majority names now, asking all of them at once.

        Raises:
            NoMajorityError: None names one, within these seconds.

        """
        end, known = now() + min(seconds, left()), self._known
        try:
            return self._named(self._asked_at_once(end))
        except NoMajorityError:
            if self._known <= known:
                raise
        # The URL need not name all of them.
        return self._named(self._asked_at_once(end))

    def keep_to(self, place: Host) -> None:
        """Have all connections of this process lead there; those that do not are lost at once."""
        if self._discovery is None:
            return
        before = self.confirmed
        self._discovery.confirmed[self._name] = place
        self._wire.keep_to(place)
        if before != place:
            self._pool.disconnect(inuse_connections=before is not None)

    def let_go(self) -> None:
        """Let connections ask for themselves again."""
        if self._discovery is not None:
            self._discovery.confirmed.pop(self._name, None)
            self._wire.keep_to(None)

    def look(self) -> None:
        """Leave connections to what is no longer the master, as callers do.

        One is asked, for all callers of the process, a second after the last time at the earliest,
        and the next one then: one that is cut off together with an old master knows of no other.
        All are asked only if it names another Redis.
        """
        began = time.monotonic()
        if self._discovery is None or self.confirmed or began - self._looked_at < _BETWEEN:
            return
        self._looked_at = began
        # Where no signal handler runs: redis-py makes an error of its own of what one raises.
        looked = aside(until(moment())(self._leave_others))
        looked.wait()
        looked.result()

    def _leave_others(self) -> None:
        try:
            place = self._told_next()
            if place is not None and self._wire.is_elsewhere(place):
                place = self._named(self._asked_in_turn()).address
                self._wire.leave_all_but(place)
        except RedisError:
            return  # the next look comes to it again

    def _told_next(self) -> Host | None:
        """Ask the next one where the master is; leave out for a while those that do not answer."""
        hosts, asked = self._hosts(), time.monotonic()
        hosts = [host for host in hosts if self._silent_until.get(host, asked) <= asked] or hosts
        self._turn += 1
        host = hosts[self._turn % len(hosts)]
        with until(now() + min(_EACH, left())):
            answer = self._answer_of(host)
        if isinstance(answer, RedisError):
            self._silent_until[host] = asked + _SILENCE
            return None
        self._known |= answer.others
        return answer.address

    def _named(self, answers: Iterator[Answer]) -> Named:
        assert self._discovery is not None, "only where somebody can be asked"
        told: list[Answer] = []
        for answer in answers:
            told.append(answer)
            opinions = [said for _, said in told if isinstance(said, Opinion)]
            found = majority(opinions, self._discovery.least)
            if found is not None:
                self._known = frozenset(host for each in opinions for host in each.others)
                self.is_partial = any(each.is_partial for each in opinions)
                self.replicas = found.replicas
                self._discovery.prefer(_one_that_names(found.address, told))
                return found
        # Those who do not answer may be gone, and others have come.
        self._known |= {h for _, said in told if isinstance(said, Opinion) for h in said.others}
        raise NoMajorityError(_shown(told))

    def _hosts(self) -> list[Host]:
        assert self._discovery is not None, "only where somebody can be asked"
        return list(dict.fromkeys([*self._discovery.named, *sorted(self._known)]))

    def _asked_at_once(self, end: float) -> Iterator[Answer]:
        answers: SimpleQueue[Answer] = SimpleQueue()
        silent = self._hosts()
        asked = [aside(partial(self._ask, host, end, answers)) for host in silent]
        while silent:
            try:
                host, answer = answers.get(timeout=max(end - now(), 0.0))
            except Empty:
                break
            silent.remove(host)
            yield host, answer
        for each in asked:
            if each.error is not None:
                raise each.error
        yield from ((host, NoMasterError("no answer in time")) for host in silent)

    def _ask(self, host: Host, end: float, answers: SimpleQueue[Answer]) -> None:
        with until(end):
            answers.put((host, self._answer_of(host)))

    def _asked_in_turn(self) -> Iterator[Answer]:
        for host in self._hosts():
            with until(now() + min(_EACH, left())):
                answer = self._answer_of(host)
            yield host, answer

    def _answer_of(self, host: Host) -> Opinion | RedisError:
        discovery: Any = self._discovery
        try:
            opinion: Opinion = discovery.opinion(host, self._name)
        except own(RedisError) as error:
            return error
        return opinion


def _one_that_names(place: Host, told: list[Answer]) -> Host:
    return next(host for host, said in told if isinstance(said, Opinion) and said.address == place)


def _shown(told: list[Answer]) -> str:
    """Return what each has said, in words."""
    shown = [
        f"{host[0]}:{host[1]} "
        + (
            f"names {said.address[0]}:{said.address[1]}"
            if isinstance(said, Opinion)
            else f"says: {said}"
        )
        for host, said in told
    ]
    return "no majority of those who know names a master: " + "; ".join(shown)
