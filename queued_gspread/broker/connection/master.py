"""Keeps asking which Redis a majority of Sentinels, or of a Cluster's masters, names as master.

A new connection asks only one of them, which may itself be cut off, and then stays as long as its
Redis claims to be a master. An old master does so for seconds after a failover, and forever if it
is cut off.
"""

from __future__ import annotations

import time
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Protocol

from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread._interrupts import own

from .deadline import left, moment, until
from .detached import aside
from .discovery import MasterDiscovery, NoMasterError
from .majority import Host, Named, Opinion, majority

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import redis

    # The host that was asked, and its answer.
    Answer = tuple[Host, "Opinion | RedisError"]
    Looking = Generator[Host, "Opinion | RedisError", None]

__all__ = ["EACH", "Master", "NoMajorityError"]

# Seconds that each host gets to answer, and between two checks by callers.
EACH: Final = 0.5
_BETWEEN: Final = 1.0
# Seconds for which callers skip a host that did not answer.
_SILENCE: Final = 30.0


class Connections(Protocol):
    """The connections that have to lead to the master."""

    def keep_to(self, place: Host | None) -> None:
        """From now on, use only connections to that host; None to use any."""

    def is_elsewhere(self, place: Host) -> bool:
        """Return whether any connection leads elsewhere."""

    def leave_all_but(self, place: Host) -> None:
        """Cut the connections that lead elsewhere."""


class NoMajorityError(NoMasterError):
    """No majority names a master: nothing was sent."""

    remedy = (
        "a server sends nothing while it cannot reach more than half of all Sentinels, or of a "
        "Cluster's masters, by the addresses that they know of each other"
    )


class Master:
    """The master of a namespace; any thread may ask for it.

    Args:
        pool: redis-py's pool, with the discovery, if any.
        wire: The connections to the master.

    """

    def __init__(self, pool: redis.ConnectionPool, wire: Connections) -> None:
        self._pool = pool
        self._wire = wire
        discovery = getattr(pool, "sentinel_manager", None)
        self._discovery: MasterDiscovery | None = (
            discovery if isinstance(discovery, MasterDiscovery) else None
        )
        self._name: str = getattr(pool, "service_name", "")
        self._known: frozenset[Host] = frozenset()
        self._looked_at = -_BETWEEN
        # The number of the host that callers asked last, and the hosts that they skip for a while.
        self._turn = -1
        self._silent_until: dict[Host, float] = {}
        self.is_partial = False
        """Whether a voter is not permitted to list the other voters, or the replicas."""
        self.replicas = 0
        """How many replicas were up when a majority last named the master."""

    @property
    def is_guided(self) -> bool:
        """Whether there is a discovery: Sentinels, or the nodes of a Cluster."""
        return self._discovery is not None

    @property
    def confirmed(self) -> Host | None:
        """Where it is, while connections are kept to it."""
        return None if self._discovery is None else self._discovery.confirmed.get(self._name)

    def named(self, seconds: float) -> Named:
        """Return the master that a majority names now, asking all hosts at once.

        Raises:
            NoMajorityError: No majority names one within these seconds.

        """
        end, known = now() + min(seconds, left()), self._known
        try:
            return self._named(self._asked_at_once(end))
        except NoMajorityError:
            if self._known <= known:
                raise
        # We learned of hosts that the URL does not name: ask again.
        return self._named(self._asked_at_once(end))

    def keep_to(self, place: Host) -> None:
        """Keep all connections of this process to that place; cut the others at once."""
        if self._discovery is None:
            return
        before = self.confirmed
        self._discovery.confirmed[self._name] = place
        self._wire.keep_to(place)
        if before != place:
            self._pool.disconnect(inuse_connections=before is not None)

    def let_go(self) -> None:
        """Let new connections discover the master themselves again."""
        if self._discovery is not None:
            self._discovery.confirmed.pop(self._name, None)
            self._wire.keep_to(None)

    def look(self) -> None:
        """Check, for callers, whether connections still lead to the master; cut them if not.

        For all callers of the process, one host is asked, at most once a second, and the next host
        the next time: a host that is cut off together with an old master knows of no other. All
        hosts are asked only if that one names another Redis.
        """
        looking = self.looking()
        host = next(looking, None)
        if host is None:
            return
        # In a thread where no signal handler runs: redis-py would convert what a handler raises.
        looked = aside(until(moment())(partial(self._answer_all, looking, host)))
        looked.wait()
        looked.result()

    def looking(self) -> Looking:
        """Decide whom to ask, and whether to leave, without I/O; see :meth:`look`.

        It yields a host, for at most :data:`EACH` seconds, and takes its opinion, or its error. It
        yields none if no look is due.
        """
        began = time.monotonic()
        if self._discovery is None or self.confirmed or began - self._looked_at < _BETWEEN:
            return
        self._looked_at = began
        place = yield from self._asking_next()
        if place is None or not self._wire.is_elsewhere(place):
            return
        received: list[Answer] = []
        for host in self._hosts():
            received.append((host, (yield host)))
            named = self._weighed(received)
            if named is not None:
                self._wire.leave_all_but(named.address)
                return

    def _answer_all(self, looking: Looking, host: Host) -> None:
        try:
            while True:
                with until(now() + min(EACH, left())):
                    answer = self._answer_of(host)
                host = looking.send(answer)
        except StopIteration:
            return

    def _asking_next(self) -> Generator[Host, Opinion | RedisError, Host | None]:
        """Ask the next host where the master is; skip silent hosts for a while."""
        hosts, asked = self._hosts(), time.monotonic()
        hosts = [host for host in hosts if self._silent_until.get(host, asked) <= asked] or hosts
        self._turn += 1
        host = hosts[self._turn % len(hosts)]
        answer = yield host
        if isinstance(answer, RedisError):
            self._silent_until[host] = asked + _SILENCE
            return None
        self._known |= answer.others
        return answer.address

    def _named(self, answers: Iterator[Answer]) -> Named:
        received: list[Answer] = []
        for answer in answers:
            received.append(answer)
            named = self._weighed(received)
            if named is not None:
                return named
        raise NoMajorityError(_shown(received))

    def _weighed(self, received: list[Answer]) -> Named | None:
        """Return the master that the answers so far name, if they are a majority."""
        assert self._discovery is not None, "only with a discovery"
        opinions = [said for _, said in received if isinstance(said, Opinion)]
        named = majority(opinions, self._discovery.least)
        # Silent hosts may be gone, and others may have come.
        others = frozenset(host for each in opinions for host in each.others)
        self._known = self._known | others if named is None else others
        if named is not None:
            self.is_partial = any(each.is_partial for each in opinions)
            self.replicas = named.replicas
            self._discovery.prefer(_one_that_names(named.address, received))
        return named

    def _hosts(self) -> list[Host]:
        assert self._discovery is not None, "only with a discovery"
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

    def _answer_of(self, host: Host) -> Opinion | RedisError:
        discovery: Any = self._discovery
        try:
            opinion: Opinion = discovery.opinion(host, self._name)
        except own(RedisError) as error:
            return error
        return opinion


def _one_that_names(place: Host, answers: list[Answer]) -> Host:
    opinions = ((host, said) for host, said in answers if isinstance(said, Opinion))
    return next(host for host, opinion in opinions if opinion.address == place)


def _shown(answers: list[Answer]) -> str:
    """Return each host's answer, in words."""
    shown = [
        f"{host[0]}:{host[1]} "
        + (
            f"names {said.address[0]}:{said.address[1]}"
            if isinstance(said, Opinion)
            else f"says: {said}"
        )
        for host, said in answers
    ]
    return (
        "no majority of the Sentinels, or of the Cluster's masters, names a master: "
        + "; ".join(shown)
    )
