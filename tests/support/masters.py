"""Sentinels and a Cluster whose master changes, and changes back, while callers wait.

The master can be handed over, killed (also while its replicas lag behind), paused, or cut off from
all other Redis servers and from the Sentinels while servers and callers still reach it.
"""

from __future__ import annotations

import time
from contextlib import suppress

from bus import Bus
from redis.exceptions import ResponseError
from topologies import BUS, SERVICE, Cluster, Sentinels
from waiting import eventually

FAILOVER, KILL, LAG, PAUSE, CUT = "failover", "kill", "lag", "pause", "cut"
BLOWS = (FAILOVER, KILL, PAUSE, CUT, LAG)
"""What can befall a master; Sentinels and a Cluster make a replica the master after each."""

# Shorter than the silence after which a master counts as gone.
_LAG = 0.6
_ADMIN, _APP, _INFRA = "admin", "app", "infra"
_USER_OF_REPLICAS = (
    f"user {_INFRA} on >{_INFRA} ~* &* +@all",
    f"masteruser {_INFRA}",
    f"masterauth {_INFRA}",
)


class _Changing:
    """Mixin for a group: changes its master, and repairs the old one."""

    struck = None
    """The latest master that was struck."""

    def strike(self, how):
        """Strike the current master; a replica takes over by itself."""
        self.struck = self.current
        ways = {FAILOVER: self._ask_for_it, CUT: self._cut_off, LAG: self._kill_unfollowed}
        ways |= {KILL: self.struck.kill, PAUSE: self.struck.pause}
        ways[how]()

    def put_right(self, how):
        """Once a replica has taken over, let the old master go on, or restart it."""
        eventually(lambda: self.current is not self.struck, "a replica takes over")
        ways = {PAUSE: self.struck.resume, CUT: self._let_in, FAILOVER: lambda: None}
        ways.get(how, self.struck.start)()

    def until_whole(self):
        """Wait until the old master has stepped down, and all others follow the new one."""
        # Sentinels wait some ten seconds before they turn an old master into a replica.
        eventually(lambda: self._role(self.struck) == "slave", "the old master steps down")
        eventually(self._is_whole_again, "all replicas follow the new master")

    @property
    def current(self):
        """The master that clients are sent to."""
        port = self._told_port()
        return next(node for node in self.data_nodes if node.port == port)

    def client_of_master(self):
        return self.client_of(self.current)

    def _kill_unfollowed(self):
        """Kill it when it has replicated nothing for a moment."""
        self._shut_out()
        time.sleep(_LAG)
        self.struck.kill()

    def _ask_for_it(self):
        eventually(self._is_handed_over, "a replica takes over that was asked to")

    def _is_handed_over(self):
        """Ask for a handover; return whether it came within half a second, ample for a Cluster.

        It is refused, or forgotten, if the nodes that are asked do not yet see that all are well.
        """
        with suppress(ResponseError):
            self.hand_over()
        end = time.monotonic() + 0.5
        while self.current is self.struck and time.monotonic() < end:
            time.sleep(0.01)
        return self.current is not self.struck

    def _shut_out(self):
        """Make the struck master refuse the user that replicas and Sentinels log in with."""
        with self.client_of(self.struck) as client:
            client.acl_setuser(_INFRA, enabled=False)
            client.execute_command("CLIENT", "KILL", "USER", _INFRA)

    def _admit(self):
        with self.client_of(self.struck) as client:
            client.acl_setuser(_INFRA, enabled=True)

    def _role(self, node):
        with self.client_of(node) as client:
            return client.role()[0]

    def _is_whole_again(self):
        """Return whether all others follow the master, and all that watch it agree."""
        with self.client_of(self.current) as client:
            found = client.info("replication")
        followers = [found.get(f"slave{n}", {}) for n in range(len(self.data_nodes) - 1)]
        are_there = all(follower.get("state") == "online" for follower in followers)
        return found["role"] == "master" and are_there and self._agree()


class ChangingSentinels(_Changing, Sentinels):
    """Sentinels, a master and two replicas.

    Servers and callers have their own user at each Redis. Replicas and Sentinels have another one,
    which a master that is cut off refuses: it is alone, and hears of no failover.

    Args:
        binary: The server program.
        is_hasty: Whether Sentinels make an old master step down after two seconds, instead of ten.

    """

    def __init__(self, binary, *, is_hasty=False):
        super().__init__(binary, _ADMIN, replicas=2)
        self._is_hasty = is_hasty

    def _build(self):
        super()._build()
        for sentinel in self.sentinels if self._is_hasty else ():
            with suppress(ResponseError):  # Redis 6 has no such command
                sentinel.ask("SENTINEL", "DEBUG", "PUBLISH-PERIOD", 500, "INFO-PERIOD", 1000)

    def _start(self, *settings, arguments=()):
        if arguments:
            own = [f"auth-user {SERVICE} {_INFRA}", f"auth-pass {SERVICE} {_INFRA}"]
            own = [f"sentinel {line}" for line in own]
        else:
            own = [f"user {_APP} on >{_APP} ~* &* +@all", *_USER_OF_REPLICAS]
        return super()._start(*settings, *own, arguments=arguments)

    @property
    def url(self):
        return super().url.replace(f":{_ADMIN}@", f"{_APP}:{_APP}@")

    @property
    def data_nodes(self):
        return [self.master, *self.replicas]

    def client_of(self, node):
        return node.client(password=_ADMIN)

    def _told_port(self):
        return int(self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1])

    def _agree(self):
        port = self.current.port
        return all(_watches(sentinel, port, len(self.replicas)) for sentinel in self.sentinels)

    def _cut_off(self):
        self._shut_out()

    def _let_in(self):
        self._admit()
        with self.client_of(self.struck) as client:
            # Makes Sentinels that it refused try again at once.
            client.execute_command("CLIENT", "KILL", "USER", "default")


def _watches(sentinel, port, replicas):
    """Return whether a Sentinel sees that one as the master, and sees it healthy."""
    with sentinel.client() as client:
        state = client.sentinel_master(SERVICE)
    wanted = (port, "master", replicas)
    return (state["port"], state["flags"], state["num-slaves"]) == wanted


class ChangingCluster(_Changing, Cluster):
    """A Cluster of three masters; that of a namespace has a replica."""

    @property
    def data_nodes(self):
        return [self.master, self.replica]

    def __init__(self, binary, namespace):
        super().__init__(binary, namespace)
        self._isolated, self._buses = set(), []

    def _build(self):
        super()._build()
        for node in self.nodes:
            eventually(lambda node=node: len(self._told_by(node)) == len(self.data_nodes))

    def _start(self, *settings, arguments=()):
        bus = self._stack.enter_context(Bus(self._isolated))
        own = (*_USER_OF_REPLICAS, f"cluster-announce-bus-port {bus.port}")
        node = super()._start(*settings, *own)
        bus.lead_to(node.port + BUS, node.ask("CLUSTER", "MYID"))
        self._buses.append(bus)
        return node

    def client_of(self, node):
        return node.client()

    def _cut_off(self):
        self._isolated.add(self.struck.ask("CLUSTER", "MYID"))
        for bus in self._buses:
            bus.drop()
        self._shut_out()

    def _let_in(self):
        self._isolated.clear()
        self._admit()

    def hand_over(self):
        (other,) = (node for node in self.data_nodes if node is not self.current)
        other.ask("CLUSTER", "FAILOVER")

    def _told_port(self):
        return self._told_by(self.nodes[0])[0][1]

    def _told_by(self, node):
        """Return the namespace's master and its replica, as another node sees them."""

        def owners():
            slots = node.ask("CLUSTER SLOTS")
            return next(
                (nodes for first, last, *nodes in slots if first <= self.slot <= last), None
            )

        # In the middle of a handover, a node may know of none.
        return eventually(owners, "a node knows who has the slot")

    def _agree(self):
        current = self.current
        told = [self._told_by(node) for node in (*self.nodes, self.replica)]
        ports = [[port for _, port, *_ in nodes] for nodes in told]
        others = [node.port for node in self.data_nodes if node is not current]
        is_well = all(node.ask("CLUSTER INFO")["cluster_state"] == "ok" for node in self.nodes)
        return is_well and all(known == [current.port, *others] for known in ports)
