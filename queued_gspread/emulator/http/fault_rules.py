"""Which requests meet which faults: rules, in order, with a random generator for each."""

from __future__ import annotations

import itertools
import logging
import random
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from queued_gspread.emulator.faults import (
    Ending,
    ExpiredToken,
    Fault,
    Latency,
    OAuthRefusal,
    Seconds,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.emulator.api.request import Request

To: TypeAlias = Literal["api", "token"]
_ELSEWHERE = {"api": OAuthRefusal, "token": ExpiredToken}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_log = logging.getLogger(__name__)


def _compiled(path: str) -> re.Pattern[str]:
    try:
        return re.compile(path)
    except re.error as error:
        remedy = f"take a regular expression ({error})"
        raise ValueError(f"path={path!r} cannot be used: {remedy}.") from error


def drawn(seconds: Seconds, chance: random.Random) -> float:
    """Return the seconds; a random number if they are a range."""
    return chance.uniform(*seconds) if isinstance(seconds, tuple) else seconds


@dataclass(eq=False)
class Rule:
    """A fault and which requests meet it: `add` returns it and `remove` takes it."""

    number: int
    fault: Fault
    to: To
    rate: float
    count: int | None
    skip: int
    method: str | None
    path: re.Pattern[str] | None
    match: Callable[[Request], bool] | None
    chance: random.Random
    seen: int = 0
    hits: int = 0

    def meets(self, request: Request) -> bool:
        """Whether this request meets the fault; every call counts as a request."""
        if not self._fits(request):
            return False
        self.seen += 1
        if self.seen <= self.skip or self.hits == self.count:
            return False
        met = self.chance.random() < self.rate
        self.hits += met
        return met

    def _fits(self, request: Request) -> bool:
        if self.method is not None and request.method != self.method:
            return False
        if self.path is not None and not self.path.search(request.path):
            return False
        return self.match is None or bool(self.match(request))


@dataclass
class Hit:
    """The faults of one request: at most one that ends it, and additional latency."""

    ending: Ending | None = None
    latency: float = 0.0

    @property
    def name(self) -> str:
        """Its name in the ledger: the name of the end, else of the latency, else ''."""
        return self.ending.name if self.ending else "latency" if self.latency else ""


class Faults:
    """The faults of an emulator, to be changed from any thread while it runs.

    With the same seed, the same rules and the same sequence of requests, the same requests meet
    the same faults.
    """

    def __init__(self, seed: int | None = None) -> None:
        """Begin without faults."""
        self._seed = seed
        self._lock = threading.RLock()
        self._numbers = itertools.count()
        self._rules: list[Rule] = []

    @property
    def rules(self) -> list[Rule]:
        """A copy of the list of all rules, in the order in which they are tried."""
        with self._lock:
            return list(self._rules)

    def add(
        self,
        fault: Fault,
        *,
        rate: float = 1.0,
        count: int | None = None,
        skip: int = 0,
        method: str | None = None,
        path: str | None = None,
        match: Callable[[Request], bool] | None = None,
        to: To = "api",
    ) -> Rule:
        """Let requests meet a fault from now on; return what `remove` takes.

        A rule matches a request if the request has the `method`, if the regular expression `path`
        is found anywhere in its path (without percent-encoding and query), if `match` of it is
        true, and if it goes `to` the API or to the token endpoint. The first `skip` of these are
        let off; the others meet the fault with the probability `rate`, until `count` have. If
        several rules match, the earliest that ends the request wins, and the others are not tried.

        The rule's `hits` is how many have met it. `match` runs in the emulator's thread.

        Raises ValueError for a rate that is not a probability, a negative count, and a fault that
        cannot happen there.
        """
        if not isinstance(fault, get_args(Fault)):
            known = ", ".join(kind.__name__ for kind in get_args(Fault))
            raise TypeError(f"{fault!r} is no fault: take one of {known}.")
        if not 0 <= rate <= 1:
            raise ValueError(f"rate={rate!r} cannot be used: take 0 to 1.")
        if method is not None and method not in METHODS:
            words = ", ".join(METHODS)
            raise ValueError(f"method={method!r} cannot be used: take one of {words}.")
        if skip < 0 or (count is not None and count < 0):
            raise ValueError("Less than no request cannot meet a fault: take 0 or more.")
        if to not in _ELSEWHERE or isinstance(fault, _ELSEWHERE[to]):
            raise ValueError(f"{type(fault).__name__} cannot happen to {to!r}.")
        pattern = None if path is None else _compiled(path)
        with self._lock:
            number = next(self._numbers)
            seed = None if self._seed is None else f"{self._seed} fault {number}"
            chance = random.Random(seed)  # noqa: S311  - chance, not secrets
            rule = Rule(number, fault, to, rate, count, skip, method, pattern, match, chance)
            self._rules.append(rule)
        return rule

    def remove(self, rule: Rule) -> None:
        """Remove the rule that `add` returned; it may be gone already."""
        with self._lock:
            self._rules = [other for other in self._rules if other is not rule]

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._rules = []

    def renew(self) -> None:
        """Remove all rules, and restart the random numbers."""
        with self._lock:
            self.clear()
            self._numbers = itertools.count()

    def pick(self, to: To, request: Request) -> Hit:
        """Return the faults of a request; a `match` that raises is a 500 that says so."""
        hit = Hit()
        with self._lock:
            for rule in self._rules:
                if rule.to != to or (hit.ending and not isinstance(rule.fault, Latency)):
                    continue
                try:
                    met = rule.meets(request)
                except Exception as error:  # noqa: BLE001  - a test's own code
                    _log.exception("A fault's match failed at %s", request.target)
                    return Hit(Status(500, message=f"A fault's match failed: {error!r}"))
                if met and isinstance(rule.fault, Latency):
                    hit.latency += drawn(rule.fault.seconds, rule.chance)
                elif met and not isinstance(rule.fault, Latency):
                    hit.ending = rule.fault
        return hit
