"""Many drawn calls made both ways, and what is told of them."""

from __future__ import annotations

import collections
import contextlib
import faulthandler
import logging
import resource
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from .compare import compare
from .drawn import drawn
from .sides import both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .compare import Difference
    from .sides import Side

__all__ = ["Tally", "limit_memory", "run"]

# So many calls build on one another; then both ways begin anew.
_BLOCK = 20
_SHOWN = 3
_KEPT = 30
_PATIENCE = 120.0
# A value that has gspread fill a huge rectangle ends as a MemoryError, and not the machine.
_MEMORY = 4 * 1024**3


@dataclass
class Tally:
    """How many calls were made of each method, and what differed."""

    methods: collections.Counter = field(default_factory=collections.Counter)
    meant: collections.Counter = field(default_factory=collections.Counter)
    causes: dict = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def differences(self) -> int:
        return sum(count for count, _ in self.causes.values())

    def note(self, differences: list[Difference]) -> None:
        """Count a call's differences under the cause of its first one, with some examples."""
        cause = differences[0].cause
        count, examples = self.causes.get(cause, (0, []))
        if len(examples) < _KEPT:
            examples = [*examples, f"{differences[0].aspect}: {differences[0]}"]
        self.causes[cause] = (count + 1, examples)

    def __add__(self, other: Tally) -> Tally:
        causes = dict(self.causes)
        for cause, (count, examples) in other.causes.items():
            own, shown = causes.get(cause, (0, []))
            causes[cause] = (own + count, shown + examples)
        return Tally(
            self.methods + other.methods,
            self.meant + other.meant,
            causes,
            max(self.seconds, other.seconds),
        )

    def lines(self, examples: int = _SHOWN) -> list[str]:
        """Return a short summary."""
        total = sum(self.methods.values())
        spread = [self.methods[name] for name in self.methods]
        pace = total / max(self.seconds, 0.001)
        each = f"{min(spread)} to {max(spread)} of each"
        found = [
            f"{total} calls of {len(spread)} methods ({each}), {self.seconds:.0f} s, {pace:.0f}/s",
            *(f"{count:6} meant: {sentence:.80}" for sentence, count in self.meant.most_common()),
            f"{self.differences} differences",
        ]
        for cause, (count, shown) in sorted(self.causes.items(), key=lambda item: -item[1][0]):
            found += [f"{count:6} {cause}", *(f"    {each}" for each in shown[:examples])]
        return found


def run(redis_url: str, seed: int, part: int, parts: int, calls: int) -> Tally:
    """Make a part of the calls of a seed: every so many of them."""
    own = islice(drawn(seed), part, calls, parts)
    with both(f"parity-{part}", redis_url) as sides, faults_of_the_server() as logged:
        tally = make(list(own), sides)
    if logged:
        tally.causes["logged"] = (len(logged), logged)
    return tally


@contextlib.contextmanager
def faults_of_the_server() -> Iterator[list[str]]:
    """Collect what the server logs of faults of its own, and keep its log quiet."""
    found: list[str] = []

    class Collecting(logging.Handler):
        def emit(self, record):
            if record.levelno >= logging.ERROR:
                found.append(self.format(record))

    handler, logger = Collecting(), logging.getLogger("queued_gspread")
    logger.addHandler(handler)
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # a method that is none, say
    try:
        yield found
    finally:
        logger.removeHandler(handler)


def make(calls: list, sides: tuple[Side, Side]) -> Tally:
    """Make calls both ways; begin anew after some, and after a difference."""
    tally, began, left = Tally(), time.monotonic(), 0
    for call in calls:
        if not left:
            faulthandler.dump_traceback_later(_PATIENCE)
            for side in sides:
                side.begin()
            left = _BLOCK
        differences, named = compare(call, sides)
        left = 0 if differences or named else left - 1
        tally.methods[call.method] += 1
        if named:
            tally.meant[named] += 1
        elif differences:
            tally.note(differences)
    faulthandler.cancel_dump_traceback_later()
    tally.seconds = time.monotonic() - began
    return tally


def limit_memory() -> None:
    """Hold a process of the program to some memory."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.RLIM_INFINITY))
