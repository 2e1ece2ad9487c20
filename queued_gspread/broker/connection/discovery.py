"""Discovery of the master: by Sentinels, or by the nodes of a Cluster."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    MovedError,
    RedisError,
    ResponseError,
)

from queued_gspread._clock import now

from .deadline import left, until
from .majority import Opinion
from .url import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from .majority import Host
    from .url import Address

__all__ = [
    "EACH",
    "LOST",
    "REFUSED_FOR_GOOD",
    "MasterDiscovery",
    "NoMasterError",
    "discovery_of",
    "has_moved",
]

# Seconds after which the next host is asked too: after a failover, servers do not wait for callers
# much longer than these need for a new connection.
EACH: Final = 1.0
# Seconds for which a Sentinel that no other one knows any more still counts.
_MEMORY: Final = 300.0

LOST = (redis.ConnectionError, redis.TimeoutError)
"""The connection was lost, or there was none: a command may have run or not."""

REFUSED_FOR_GOOD = (AuthenticationError, AuthorizationError)
"""Those of them for which a retry is no use."""


def has_moved(error: ResponseError) -> bool:
    """Return whether a node of a Cluster names another one, at the end of the error's text."""
    # Before version 6, redis-py had a class for it only in its own Cluster client.
    return isinstance(error, MovedError) or str(error).startswith("MOVED ")


class NoMasterError(redis.ConnectionError):
    """No host that was asked knows a master: nothing was sent."""


class NobodyAnswersError(NoMasterError):
    """No host that knows the master can be reached."""


def discovery_of(address: Address, options: dict[str, Any]) -> MasterDiscovery:
    """Return the discovery for an address.

    Args:
        address: The address, with the hosts to ask.
        options: redis-py's options that are needed, whatever the URL says.

    """
    kind = ClusterGuide if address.kind == CLUSTER else SentinelGuide
    return kind(address.guides, address.guide_options | options | {"decode_responses": True})


class MasterDiscovery(ABC):
    """Asks one host after another where the master is; any thread may use it.

    redis-py's pools call it as they would call a :class:`redis.sentinel.Sentinel`.

    Args:
        hosts: The hosts to ask.
        options: redis-py's options for connections to them.

    """

    def __init__(self, hosts: tuple[Host, ...], options: dict[str, Any]) -> None:
        self._hosts = hosts
        self._named = hosts
        self._options = options
        self._clients: dict[Host, redis.Redis] = {}
        self.confirmed: dict[str, Host] = {}
        """Masters that a majority has named, by service; while one is here, no host is asked."""

    @property
    def named(self) -> tuple[Host, ...]:
        """The hosts in the URL."""
        return self._named

    @property
    def least(self) -> int:
        """The least number of voters, whatever they know of each other."""
        return 1

    def discover_master(self, name: str) -> Host:
        """Return where the master of that name is.

        Raises:
            NoMasterError: No host knows of one at present.
            RedisError: A host refuses to answer, and no other knows.

        """
        finding = self.finding(name)
        try:
            host, is_last = next(finding)
            while True:
                try:
                    # A silent host must leave time to ask the others.
                    seconds = left() if is_last else min(left() / 2, EACH)
                    with until(now() + seconds):
                        master = self._ask(host, name)
                except RedisError as error:
                    host, is_last = finding.throw(error)
                else:
                    host, is_last = finding.send(master)
        except StopIteration as end:
            found: Host = end.value
            return found

    def finding(self, name: str) -> Generator[tuple[Host, bool], Host, Host]:
        """Decide whom to ask for the master, without I/O; return where it is.

        It yields a host, and whether it is the last one: any other must leave time to ask the next.
        It takes that host's answer, or its error. It raises what :meth:`discover_master` does.
        """
        if name in self.confirmed:
            return self.confirmed[name]
        failures: list[tuple[Host, RedisError]] = []
        hosts = self._hosts
        for host in hosts:
            try:
                master = yield host, host == hosts[-1]
            except RedisError as error:
                failures.append((host, error))
                continue
            self.prefer(host)
            return master
        raise _no_master(failures)

    def note(self, error: ResponseError) -> None:
        """Learn from the error of a Redis that is not the master: a Cluster's names the master."""
        host, _, port = str(error).rpartition(" ")[2].rpartition(":")
        if has_moved(error) and host:
            self.prefer((host, int(port)))

    def opinion(self, host: Host, name: str) -> Opinion:
        """Ask one host for the master and for the other voters, in one write.

        Raises:
            RedisError: It does not answer, knows no master, or refuses to answer.

        """
        return self.opinion_in(host, name, self._answers(host, self.questions(name)))

    def _ask(self, host: Host, name: str) -> Host:
        """Ask one host for the master; raise its error if it knows none."""
        return self.master_in(host, name, self._answers(host, self.questions(name)[:1]))

    def _answers(self, host: Host, commands: Sequence[Sequence[str]]) -> list[Any]:
        """Send commands to a host; return its answers, or the error in the place of one."""
        pipeline = self._client(host).pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        answers: list[Any] = pipeline.execute(raise_on_error=False)
        return answers

    @abstractmethod
    def questions(self, name: str) -> Sequence[Sequence[str]]:
        """Return the commands whose answers are an opinion; the first alone asks for the master."""

    @abstractmethod
    def opinion_in(self, host: Host, name: str, answers: Sequence[Any]) -> Opinion:
        """Return the opinion in a host's answers; raise what it says in its place."""

    @abstractmethod
    def master_in(self, host: Host, name: str, answers: Sequence[Any]) -> Host:
        """Return the master in a host's answer to the first command; raise what it says instead."""

    def prefer(self, host: Host) -> None:
        """Ask this host first from now on."""
        self._hosts = (host, *(other for other in self._hosts if other != host))

    def _client(self, host: Host) -> redis.Redis:
        if host not in self._clients:
            pool = redis.ConnectionPool(**self._options, host=host[0], port=host[1])
            self._clients[host] = redis.Redis(connection_pool=pool)
        return self._clients[host]


class SentinelGuide(MasterDiscovery):
    """Sentinels, which know the master of a service."""

    # The largest number of Sentinels that one of them knew lately, and when.
    _most, _most_at = 1, -math.inf

    @property
    def least(self) -> int:
        """As many as in the URL, or as there were lately: a Sentinel may forget the others.

        It does so on command, or if it has lost its settings, and then names an old master.
        """
        return max(len(set(self._named)), self._most if self._is_recent else 1)

    @property
    def _is_recent(self) -> bool:
        return now() - self._most_at < _MEMORY

    def _note_voters(self, voters: int) -> None:
        if voters >= self._most or not self._is_recent:
            self._most, self._most_at = voters, now()

    def questions(self, name: str) -> Sequence[Sequence[str]]:
        """Return what a Sentinel is asked."""
        subjects = "GET-MASTER-ADDR-BY-NAME", "SENTINELS", "REPLICAS"
        return [(f"SENTINEL {subject}", name) for subject in subjects]

    def master_in(self, host: Host, name: str, answers: Sequence[Any]) -> Host:  # noqa: ARG002 - a Cluster's node needs it
        """Return the master in a Sentinel's answer."""
        return _master_of(_unless_error(answers[0]), name)

    def opinion_in(self, host: Host, name: str, answers: Sequence[Any]) -> Opinion:
        """Return the opinion in a Sentinel's answers."""
        address = self.master_in(host, name, answers)
        _, others, replicas = answers
        master = f"{address[0]}:{address[1]}"
        up = {} if isinstance(replicas, RedisError) else _by(replicas, "name")
        # A user with minimal permissions cannot ask a Sentinel for its own id. But each Sentinel
        # lists all others, so a different list means a different Sentinel. Those that list none
        # share one vote: they may be one Sentinel under two names, the URL's and the others'.
        ids = {} if isinstance(others, RedisError) else _by(others, "runid")
        is_url_all = isinstance(others, RedisError)
        self._note_voters(len(ids) + 1)
        return Opinion(
            voter=f"{host[0]}:{host[1]}" if is_url_all else " ".join(sorted(ids)) or "alone",
            master=master,
            address=address,
            voters=len(ids) + 1,
            others=frozenset((each["ip"], int(each["port"])) for each in ids.values()),
            replicas=frozenset(each for each in up if not _is_down(up[each]["flags"])),
            is_partial=is_url_all or isinstance(replicas, RedisError),
        )


class ClusterGuide(MasterDiscovery):
    """The nodes of a Cluster, which know the master of a slot."""

    def questions(self, name: str) -> Sequence[Sequence[str]]:  # noqa: ARG002 - a Sentinel needs it
        """Return what a node is asked."""
        return [("CLUSTER SLOTS",)]

    def master_in(self, host: Host, name: str, answers: Sequence[Any]) -> Host:
        """Return the master in a node's answer."""
        return _address(self._nodes(host, name, answers)[1][0], host)

    def opinion_in(self, host: Host, name: str, answers: Sequence[Any]) -> Opinion:
        """Return the opinion in a node's answer: masters of slots vote, as in its own elections."""
        slots, (master, *replicas) = self._nodes(host, name, answers)
        masters = {_address(first, host) for _, _, first, *_ in slots}
        return Opinion(
            voter=f"{host[0]}:{host[1]}" if host in masters else "",
            master=_as_text(master[2]),
            address=_address(master, host),
            voters=len(masters),
            others=frozenset(masters - {host}),
            # CLUSTER SLOTS leaves out failed replicas.
            replicas=frozenset(_as_text(replica[2]) for replica in replicas),
        )

    def _nodes(self, host: Host, name: str, answers: Sequence[Any]) -> tuple[Any, Any]:
        """Return all slots, and the nodes of the slot with that number, its master first."""
        slots = _unless_error(answers[0])
        # The hosts in the URL may be gone when we need to ask again, so remember the others.
        nodes = {_address(node, host) for _, _, *nodes in slots for node in nodes}
        self._hosts = (*self._hosts, *(nodes - set(self._hosts)))
        for first, last, *nodes_of in slots:
            if first <= int(name) <= last:
                return slots, nodes_of
        raise NoMasterError(f"no node has slot {name}")


def _unless_error(answer: Any) -> Any:
    if isinstance(answer, RedisError):
        raise answer
    return answer


def _master_of(address: Any, name: str) -> Host:
    if not address:
        raise ResponseError(f"no Redis is known there by the name {name!r}")
    return address[0], int(address[1])


def _by(states: Any, key: str) -> dict[str, dict[str, str]]:
    """Return a Sentinel's states of other hosts, by one of their fields."""
    # Later versions of redis-py return dicts.
    each = [
        state if isinstance(state, dict) else dict(zip(*[iter(state)] * 2, strict=True))
        for state in states
    ]
    return {str(state[key]): state for state in each}


def _is_down(flags: Any) -> bool:
    words = flags if isinstance(flags, (set, list)) else str(flags).split(",")
    return bool({"s_down", "o_down", "disconnected"} & set(words))


def _as_text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _address(node: list[Any], asked: Host) -> Host:
    # A node that does not know its own address has the one at which it was asked.
    return node[0] or asked[0], int(node[1])


def _no_master(failures: list[tuple[Host, RedisError]]) -> RedisError:
    """Return the error that lists each host's failure."""
    message = "; ".join(f"{name}:{port}: {error}" for (name, port), error in failures)
    errors = [error for _, error in failures]
    for error in errors:
        if isinstance(error, REFUSED_FOR_GOOD) or not isinstance(error, LOST):
            return type(error)(message)
    if any(isinstance(error, NoMasterError) for error in errors):
        return NoMasterError(message)
    return NobodyAnswersError(message)
