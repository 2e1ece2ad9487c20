"""Runs in which another Redis becomes the master, again and again, while appends wait in line."""

from __future__ import annotations

import random
import time

from masters import BLOWS, ChangingCluster, ChangingSentinels
from topologies import newest_redis

from .classes import FORGETS
from .plan import NAMESPACE, Blow, Plan, Work
from .striker import Striker

ALONE, SENTINELS, CLUSTER = "alone", "sentinels", "cluster"
TOPOLOGIES = (ALONE, SENTINELS, CLUSTER)

STANDBY = "standby"
"""In every second run a second server stands by, and may find another master than the first."""

CLASSES = frozenset({*BLOWS, STANDBY, FORGETS})
"""What there is of trouble: what befalls masters, and that server; and clients that forget."""

_CLIENTS, _THREADS = 3, 5
# Sentinels take some twelve seconds until all is as before, a Cluster two.
_TIMES = {SENTINELS: 2, CLUSTER: 5}
# How many requests come between two of them.
_CALM = (10, 40)
# As long as a replica may take over within; a paused master sleeps for longer.
_PAUSE = (2.0, 4.0)


def failovers_of(seed, topology, durability, classes=CLASSES):
    """Return the plan of a seed; the same one every time."""
    chance = random.Random(f"failovers {seed}")
    kinds = [kind for kind in BLOWS if kind in classes]
    works = [{"threads": _THREADS}] * _CLIENTS
    if FORGETS in classes:
        works += [{"blocks": "forgets", "is_asyncio": is_asyncio} for is_asyncio in (False, True)]
    return Plan(
        seed,
        tuple(
            Work(f"client{number}", f"{seed} {number}", None, None, **work)
            for number, work in enumerate(works)
        ),
        tuple(_blows(seed, kinds, _TIMES[topology], chance)),
        chance.choice([(0.03, 0.06), (0.08, 0.2), (0.2, 0.5)]),
        0.0,
        "sliding",
        bool(seed % 2),
        frozenset(classes),
        topology=topology,
        durability=durability,
        has_standby=STANDBY in classes and seed % 4 > 1,
        merges=chance.random() < 0.3,
    )


def _blows(seed, kinds, times, chance):
    """Deal each kind in turn, in an order that the seed begins."""
    for number in range(times if kinds else 0):
        kind = kinds[(seed + number) % len(kinds)]
        yield Blow("arrival", chance.randint(*_CALM), "master", kind, chance.uniform(*_PAUSE))


class Masters:
    """Those Redis servers of a run of which one is the master, and may be struck."""

    def __init__(self, topology):
        kinds = {SENTINELS: ChangingSentinels, CLUSTER: ChangingCluster}
        own = (NAMESPACE,) if topology == CLUSTER else ()
        self._group = kinds[topology](newest_redis(), *own).__enter__()
        self.url = self._group.url
        self._how = None

    def client(self):
        """Return a plain client of the present master."""
        return self._group.client_of(self._group.current)

    def signal(self, how):
        self._how = how
        self._group.strike(how)

    def restart(self):
        self._group.put_right(self._how)
        self._group.until_whole()

    def end(self):
        self._group.__exit__(None, None, None)


class Exchanger(Striker):
    """Strikes one master after the other, each when all is well again after the one before."""

    def until_done(self):
        self._thread.join()

    def _strike_all(self):
        for blow in self._plan.blows:
            if not self._moments.wait_for_more(blow.count):
                return
            self.struck.append((time.monotonic(), blow.signal))
            self._strike(blow)
            self._repairs[-1].result()
        # What has waited all the while shows what became of it.
        self._moments.wait_for_more(_CALM[1])
