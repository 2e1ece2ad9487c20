"""What happens in a run, drawn from its seed: who calls what, who is struck and when."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from limits import MOVEMENTS

from .classes import (
    ACTIONS,
    ALL,
    ASYNCIO,
    CONTENT,
    FORGETS,
    LENDERS,
    LOCKS,
    OLD,
    PIPELINES,
    SIGNALS,
    STOPS,
    SUSPENDED,
)
from .poison import BROKEN, FORBIDDEN, NUMBER, PLACE, ROW, SILENT, Poison

NAMESPACE = "chaos"
LEASE = 1.0
"""Seconds of the servers' lease."""

AGES = (0.2, 0.6, 2.0)
"""Seconds that the answers to clients' reads may be old."""

HOLD = 1.0
"""Seconds after which the clients' locks lapse."""

MEMORY = 3.0
"""Seconds for which the clients' ids are remembered, in runs in which they are suspended."""

ASLEEP, LATE, WITHDRAWN = "asleep", "late", "withdrawn"
HOW = (ASLEEP, LATE, WITHDRAWN)
"""How an enqueue takes longer than that: see :func:`.suspension.suspend`."""

PAUSE, DRAIN, CANCEL = "paused", "drained", "cancelled"
ACTS = (PAUSE, DRAIN, CANCEL)
"""What an operator does to a queue."""

LOST_SHEET, DELETED = "lost a sheet", "key deleted"
LOSSES = (LOST_SHEET, DELETED)
"""What befalls accounts that lend their quota."""

BOOKS = ("Book 0", "Book 1", "Book 2")
WINDOW = 1.0
LIMIT = 100
"""The quota of reads, and that of writes, in a window of so many seconds."""

LENT, LENT_PROJECT = 10, 15
"""The same for each of several accounts, so that one has too little, and for each project."""

_CLIENTS = 5
_CALLS = 45
_BLOCKS = 20
_LOOKS = 150
# A client's calls come to about as many requests.
_REQUESTS = int(_CLIENTS * _CALLS * 1.2)
_SIGNALS = ("SIGKILL", "SIGSTOP", "SIGTERM")


@dataclass(frozen=True)
class Blow:
    """A signal to a process.

    Attributes:
        moment: ``arrival`` or ``answer``: of a request, at the emulator.
        count: Of which one, counted from the beginning.
        victim: ``server`` (the one that works), ``standby``, ``client``, ``holder`` (a client that
            takes locks), ``redis``, ``master``, ``queue``, to which an operator does something, or
            ``lender``, an account that lends its quota.
        signal: Its name; of a client's enqueue, how it is to take too long; of a master, what
            befalls it.
        pause: Seconds until what was stopped goes on, or until what was killed is started again, or
            until there is a key again; 0 for never.
        times: How many such signals come in a row, while reads take long.

    """

    moment: str
    count: int
    victim: str
    signal: str
    pause: float = 0.0
    times: int = 1


@dataclass(frozen=True)
class Work:
    """What one client does.

    Attributes:
        name: The client's name.
        seed: What its calls are drawn from.
        calls: How many it makes; None for as many as it can until it is told that all is over.
        timeout: Seconds that it waits for each; None waits for as long as it takes.
        is_wired: Whether it comes to Redis by a wire of its own.
        is_alarmed: Whether signals' handlers raise in it.
        is_asyncio: Whether it makes them in asyncio.
        threads: How many of its calls are under way at a time.
        blocks: What it does in blocks: its pipelines ``waits`` or ``forgets`` at their end, or it
            ``holds`` locks, some of its ``looks`` may be of another age, or it ``strays`` to what
            it may not do; '' for none of these.
        max_age: How old the answers to its reads may be, in seconds.

    """

    name: str
    seed: str
    calls: int | None
    timeout: float | None
    is_wired: bool = False
    is_alarmed: bool = False
    is_asyncio: bool = False
    threads: int = 1
    blocks: str = ""
    max_age: float = 0.0

    @property
    def forgets(self):
        return self.blocks == "forgets"

    @property
    def holds(self):
        return self.blocks == "holds"


@dataclass(frozen=True)
class Plan:
    """A run.

    Attributes:
        seed: What all of it is drawn from.
        work: The clients that begin.
        blows: In the order of their moments.
        latency: Seconds that a request takes, from and to.
        fault_rate: The probability of each of the faults, for a request.
        movement: How the emulator's quota counts: how its windows move.
        is_signed: Whether servers and clients have a signing key: in every second seed.
        classes: What else there is of trouble: see :mod:`.classes`.
        poison: What always fails, if anything does.
        topology: What Redis is: ``alone``, or see :mod:`.failovers`.
        durability: What the servers are told of that.
        has_standby: Whether there is a second server.
        merges: Whether the servers send calls together.

    """

    seed: int
    work: tuple[Work, ...]
    blows: tuple[Blow, ...]
    latency: tuple[float, float]
    fault_rate: float
    movement: str
    is_signed: bool
    classes: frozenset[str] = frozenset()
    poison: Poison | None = None
    topology: str = "alone"
    durability: str = "local"
    has_standby: bool = True
    merges: bool = True


def plan_of(seed, classes=ALL):
    """Return the plan of a seed; the same one every time, and much the same without a class."""
    plan = _plain_plan_of(seed)
    # Whose calls a class concerns: the first has a timeout, the last has no trouble of its own.
    wired, alarmed = (0, 1) if SUSPENDED in classes else (), (2, 3) if SIGNALS in classes else ()
    more = [
        *(_suspensions(random.Random(f"suspended {seed}")) if SUSPENDED in classes else ()),
        *(_rows_of_stops(random.Random(f"stops {seed}")) if STOPS in classes else ()),
        *(_holders_blows(random.Random(f"locks {seed}")) if LOCKS in classes else ()),
        *(_actions(random.Random(f"actions {seed}")) if ACTIONS in classes else ()),
        *(_losses(random.Random(f"lenders {seed}")) if LENDERS in classes else ()),
    ]
    in_blocks = [
        *([("waits", False)] if PIPELINES in classes else ()),
        *([("forgets", False), ("forgets", True)] if FORGETS in classes else ()),
        *([("holds", False), ("holds", True)] if LOCKS in classes else ()),
        *([("looks", False), ("looks", True)] if OLD in classes else ()),
        *([("strays", False)] if LENDERS in classes else ()),
    ]
    plain = tuple(
        replace(
            work,
            is_wired=number in wired,
            is_alarmed=number in alarmed,
            is_asyncio=number == _CLIENTS - 1 and ASYNCIO in classes,
        )
        for number, work in enumerate(plan.work)
    )
    work = (*plain, *(_blocks(seed, *each) for each in enumerate(in_blocks, _CLIENTS)))
    return replace(
        plan,
        work=_of_ages(seed, work) if OLD in classes else work,
        blows=tuple(sorted((*plan.blows, *more), key=lambda blow: blow.count)),
        classes=classes,
        poison=_poison(random.Random(f"content {seed}")) if CONTENT in classes else None,
    )


def _plain_plan_of(seed):
    chance = random.Random(f"chaos {seed}")
    return Plan(
        seed,
        tuple(_work(seed, number, chance) for number in range(_CLIENTS)),
        tuple(sorted(_blows(seed, chance), key=lambda blow: blow.count)),
        chance.choice([(0.001, 0.005), (0.005, 0.02), (0.01, 0.03)]),
        chance.choice([0.0, 0.005, 0.01]),
        chance.choice(MOVEMENTS),
        bool(seed % 2),
    )


def successor(work, calls):
    """Return the work of a client that takes the place of one that was killed."""
    return replace(work, name=f"{work.name}x", seed=f"{work.seed}x", calls=calls)


def _work(seed, number, chance):
    timeout = chance.uniform(0.2, 1.5) if number == 0 else None
    return Work(f"client{number}", f"{seed} {number}", _CALLS, timeout)


def _blocks(seed, number, how):
    blocks, is_asyncio = how
    calls = {"holds": _BLOCKS, "looks": _LOOKS}.get(blocks, _CALLS)
    work = Work(f"client{number}", f"{seed} {number}", calls, None)
    return replace(work, blocks=blocks, is_asyncio=is_asyncio)


def _of_ages(seed, work):
    """Give every second client an age; which of the two it is, alternates with the seeds."""
    chance, first = random.Random(f"old {seed}"), seed // 2 % 2
    ages = [chance.choice(AGES) * ((number + first) % 2) for number in range(len(work))]
    return tuple(replace(each, max_age=age) for each, age in zip(work, ages, strict=True))


def _blows(seed, chance):
    """Strike the server that works in each way; the others in one of them, by turns."""
    victims = [("server", signal) for signal in _SIGNALS]
    victims += [
        ("standby", chance.choice(_SIGNALS)),
        ("redis", _SIGNALS[seed % 3]),
        ("client", "SIGKILL"),
        ("client", chance.choice(_SIGNALS)),
    ]
    return [
        Blow(
            chance.choice(["arrival", "answer"]),
            chance.randint(_REQUESTS // 20, _REQUESTS * 4 // 5),
            victim,
            signal,
            _pause(signal, victim, chance),
        )
        for victim, signal in victims
    ]


def _pause(signal, victim, chance):
    if signal == "SIGSTOP":
        # Of the servers one takes over from the other meanwhile, or finds that none did.
        return chance.uniform(1.1, 1.5) * LEASE
    return chance.uniform(0.0, 0.4) if victim == "redis" else 0.0


def _suspensions(chance):
    """Have a client sleep in an enqueue or lose it, and another one give one up that comes late."""
    # Early, since only what others enqueue has Redis forget an id.
    kinds = {"client0": WITHDRAWN, "client1": chance.choice([ASLEEP, LATE])}
    return [
        Blow("arrival", chance.randint(_REQUESTS // 20, _REQUESTS // 3), client, kind)
        for client, kind in kinds.items()
    ]


def _rows_of_stops(chance):
    moment = chance.choice(["arrival", "answer"])
    count = chance.randint(_REQUESTS // 10, _REQUESTS // 2)
    return [Blow(moment, count, "server", "SIGTERM", times=chance.choice([3, 4]))]


def _holders_blows(chance):
    """Freeze clients that take locks for longer than these last, and kill one."""
    for signal in ("SIGSTOP", "SIGSTOP", "SIGKILL"):
        moment, count = chance.choice(["arrival", "answer"]), chance.randint(10, _REQUESTS // 2)
        pause = chance.uniform(1.5, 2.5) * HOLD if signal == "SIGSTOP" else 0.0
        yield Blow(moment, count, "holder", signal, pause)


def _actions(chance):
    """Have calls wait, longer than a lease too, keep some out, and cancel some."""
    drawn = [PAUSE, PAUSE, DRAIN, CANCEL, CANCEL, CANCEL]
    longest = {PAUSE: 1.2 * LEASE, DRAIN: 0.2, CANCEL: 0.0}
    return [
        Blow(
            "arrival",
            chance.randint(_REQUESTS // 20, _REQUESTS // 2),
            "queue",
            how,
            chance.uniform(0.0, longest[how]),
        )
        for how in drawn
    ]


def _losses(chance):
    """Have one lender lose a spreadsheet and another its key, in half of the runs for a time."""
    pauses = {LOST_SHEET: 0.0, DELETED: chance.choice([0.0, chance.uniform(0.5, 2.0)])}
    return [
        Blow("arrival", chance.randint(_REQUESTS // 10, _REQUESTS // 2), "lender", what, pause)
        for what, pause in pauses.items()
    ]


def _poison(chance):
    return Poison(
        chance.choice([ROW, NUMBER, PLACE]),
        chance.choice([BROKEN, FORBIDDEN, SILENT]),
        f"client{chance.randrange(_CLIENTS)}",
    )
