"""What happens in a run, drawn from its seed: who calls what, who is struck and when."""

from __future__ import annotations

import random
from dataclasses import dataclass

NAMESPACE = "chaos"
LEASE = 1.0
"""Seconds of the servers' lease."""

BOOKS = ("Book 0", "Book 1", "Book 2")
WINDOW = 1.0
LIMIT = 100
"""The quota of reads, and that of writes, in a window of so many seconds."""

_CLIENTS = 5
_CALLS = 45
# A client's calls come to about as many requests.
_REQUESTS_OF_A_CALL = 1.2
_SIGNALS = ("SIGKILL", "SIGSTOP", "SIGTERM")


@dataclass(frozen=True)
class Blow:
    """A signal to a process.

    Attributes:
        moment: ``arrival`` or ``answer``: of a request, at the emulator.
        count: Of which one, counted from the beginning.
        victim: ``server`` (the one that works), ``standby``, ``client`` or ``redis``.
        signal: Its name.
        pause: Seconds until what was stopped goes on, or until what was killed is started again.

    """

    moment: str
    count: int
    victim: str
    signal: str
    pause: float


@dataclass(frozen=True)
class Work:
    """What one client does.

    Attributes:
        name: The client's name.
        seed: What its calls are drawn from.
        calls: How many it makes.
        timeout: Seconds that it waits for each; None waits for as long as it takes.

    """

    name: str
    seed: str
    calls: int
    timeout: float | None


@dataclass(frozen=True)
class Plan:
    """A run.

    Attributes:
        seed: What all of it is drawn from.
        work: The clients that begin.
        blows: In the order of their moments.
        latency: Seconds that a request takes, from and to.
        fault_rate: The probability of each of the faults, for a request.
        movement: How the emulator's quota counts: in fixed or in sliding windows.
        is_signed: Whether servers and clients have a signing key: in every second seed.

    """

    seed: int
    work: tuple[Work, ...]
    blows: tuple[Blow, ...]
    latency: tuple[float, float]
    fault_rate: float
    movement: str
    is_signed: bool


def plan_of(seed):
    """Return the plan of a seed; the same one every time."""
    chance = random.Random(f"chaos {seed}")
    return Plan(
        seed,
        tuple(_work(seed, number, chance) for number in range(_CLIENTS)),
        tuple(sorted(_blows(seed, chance), key=lambda blow: blow.count)),
        chance.choice([(0.001, 0.005), (0.005, 0.02), (0.01, 0.03)]),
        chance.choice([0.0, 0.005, 0.01]),
        chance.choice(["fixed", "sliding"]),
        bool(seed % 2),
    )


def successor(work, calls):
    """Return the work of a client that takes the place of one that was killed."""
    return Work(f"{work.name}x", f"{work.seed}x", calls, work.timeout)


def _work(seed, number, chance):
    timeout = chance.uniform(0.2, 1.5) if number == 0 else None
    return Work(f"client{number}", f"{seed} {number}", _CALLS, timeout)


def _blows(seed, chance):
    """Strike the server that works in each way; the others in one of them, by turns."""
    requests = int(_CLIENTS * _CALLS * _REQUESTS_OF_A_CALL)
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
            chance.randint(requests // 20, requests * 4 // 5),
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
