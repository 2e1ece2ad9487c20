"""Those who know where the master is: Sentinels, or the nodes of a Cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

import redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    MovedError,
    RedisError,
    ResponseError,
)

from queued_gspread.clock import now

from .address import CLUSTER
from .limit import left, until

if TYPE_CHECKING:
    from .address import Address

__all__ = ["LOST", "REFUSED_FOR_GOOD", "Guide", "NoMasterError", "guide_to", "has_moved"]

Host: TypeAlias = "tuple[str, int]"

LOST = (redis.ConnectionError, redis.TimeoutError)
"""The connection was lost, or there was none: a command may have been taken or not."""

REFUSED_FOR_GOOD = (AuthenticationError, AuthorizationError)
"""Those of them that no other attempt can help."""


def has_moved(error: ResponseError) -> bool:
    """Tell whether a node of a Cluster names another one, at the end of the error's text."""
    # Outside its own client of a Cluster, redis-py had no class for it before version 6.
    return isinstance(error, MovedError) or str(error).startswith("MOVED ")


class NoMasterError(redis.ConnectionError):
    """None of those who were asked knows a master: nothing was sent."""


class NobodyAnswersError(NoMasterError):
    """None of them can be reached."""


def guide_to(address: Address, options: dict[str, Any]) -> Guide:
    """Return who knows where the master is.

    Args:
        address: Whom to ask.
        options: redis-py's options that are needed, whatever the URL says.

    """
    kind = ClusterGuide if address.kind == CLUSTER else SentinelGuide
    return kind(address.guides, address.guide_options | options | {"decode_responses": True})


class Guide(ABC):
    """Asks one host after another where the master is; any thread may use it.

    redis-py's pools call it as they would call a :class:`redis.sentinel.Sentinel`.

    Args:
        hosts: Whom to ask.
        options: redis-py's options for connections to them.

    """

    def __init__(self, hosts: tuple[Host, ...], options: dict[str, Any]) -> None:
        self._hosts = hosts
        self._options = options
        self._clients: dict[Host, redis.Redis] = {}

    def discover_master(self, name: str) -> Host:
        """Return where the master of that name is.

        Raises:
            NoMasterError: Nobody knows of one at present.
            RedisError: Somebody refuses to tell, and nobody else knows.

        """
        failures: list[tuple[Host, RedisError]] = []
        hosts = self._hosts
        for host in hosts:
            try:
                # A silent one must leave the others time to be asked.
                with until(now() + left() / (1 if host == hosts[-1] else 2)):
                    master = self._ask(host, name)
            except RedisError as error:
                failures.append((host, error))
                continue
            self._prefer(host)
            return master
        raise _no_master(failures)

    def note(self, error: ResponseError) -> None:
        """Learn from what a Redis said that is not the master: a Cluster's tells who is."""
        host, _, port = str(error).rpartition(" ")[2].rpartition(":")
        if has_moved(error) and host:
            self._prefer((host, int(port)))

    @abstractmethod
    def _ask(self, host: Host, name: str) -> Host:
        """Ask one host; raise what it answers where it knows no master."""

    def _prefer(self, host: Host) -> None:
        self._hosts = (host, *(other for other in self._hosts if other != host))

    def _client(self, host: Host) -> redis.Redis:
        if host not in self._clients:
            pool = redis.ConnectionPool(**self._options, host=host[0], port=host[1])
            self._clients[host] = redis.Redis(connection_pool=pool)
        return self._clients[host]


class SentinelGuide(Guide):
    """Sentinels, who know the master of a service."""

    def _ask(self, host: Host, name: str) -> Host:
        found: Any = self._client(host).sentinel_get_master_addr_by_name(name)
        if not found:
            raise ResponseError(f"no Redis is known there by the name {name!r}")
        return found[0], int(found[1])


class ClusterGuide(Guide):
    """The nodes of a Cluster, who know the master of a slot."""

    def _ask(self, host: Host, name: str) -> Host:
        slots: Any = self._client(host).execute_command("CLUSTER SLOTS")
        # Those that the URL names may be gone by the time at which somebody has to be asked.
        nodes = {_address(node, host) for _, _, *nodes in slots for node in nodes}
        self._hosts = (*self._hosts, *(nodes - set(self._hosts)))
        for first, last, master, *_ in slots:
            if first <= int(name) <= last:
                return _address(master, host)
        raise NoMasterError(f"no node has slot {name}")


def _address(node: list[Any], asked: Host) -> Host:
    # A node that does not know its own name is where it was asked.
    return node[0] or asked[0], int(node[1])


def _no_master(failures: list[tuple[Host, RedisError]]) -> RedisError:
    """Return the error that tells what came of asking everybody."""
    told = "; ".join(f"{name}:{port}: {error}" for (name, port), error in failures)
    errors = [error for _, error in failures]
    for error in errors:
        if isinstance(error, REFUSED_FOR_GOOD) or not isinstance(error, LOST):
            return type(error)(told)
    if any(isinstance(error, NoMasterError) for error in errors):
        return NoMasterError(told)
    return NobodyAnswersError(told)
