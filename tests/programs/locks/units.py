"""What a caller does, drawn from a seed: units, each of which is whole, made one after the other.

A unit is a generator of steps, which is sent what each came to.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from .model import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["UNITS", "Unit", "drawn"]

_KEYS = ("a", "b", "c")
_LONGEST = 4


@dataclass(frozen=True)
class Unit:
    """Calls that are one.

    Attributes:
        steps: Begins the generator of its calls.
        locks: The spreadsheets that it locks; none for a call without a lock.
        pipeline: What stands around its calls: ``waits``, ``reorders`` or ``forgets``; '' for
            nothing.
        is_outside: Whether that stands around the lock, too.
        key: The idempotency key of its calls; '' for none.

    """

    steps: Callable[[], Generator[Step, Any, None]]
    locks: tuple[int, ...] = ()
    pipeline: str = ""
    is_outside: bool = False
    key: str = ""


def drawn(chance, name, most=_LONGEST):
    """Return the units of one caller, whose name its values begin with.

    A name begins with the history's: the seed, a dot, and what makes its idempotency keys its own,
    which all of its callers have in common.
    """
    makers, weights = zip(*UNITS, strict=True)
    return [
        chance.choices(makers, weights)[0](chance, f"{name}-{place}")
        for place in range(chance.randint(1, most))
    ]


def _key(chance):
    return chance.choice(_KEYS)


def _call(chance, book, name):
    """Return a single call."""
    what = chance.choice(["cell", "write", "keys", "rows", "append", "upsert", "upsert", "bad"])
    if what == "write":
        return Step(book, what, (chance.randint(1, 9),))
    if what == "append":
        return Step(book, what, (_key(chance), name))
    if what == "upsert":
        return _upsert(chance, book, name)
    return Step(book, what)


def _write(chance, book, name):
    """Return a single call that writes, and whose end is final."""
    step = _call(chance, book, name)
    while step.what in ("cell", "keys", "rows") or "fail" in step.args:
        step = _call(chance, book, name)
    return step


def _upsert(chance, book, name):
    keys = chance.sample(_KEYS, chance.randint(1, 2))
    existing = chance.choice(["update", "update", "keep", "fail"])
    return Step(book, "upsert", (existing, *((key, f"{name} {key}") for key in keys)))


def _plain(chance, name):
    step = _call(chance, chance.randrange(2), name)
    return Unit(lambda: _in_turn([step]))


def _in_turn(steps):
    for step in steps:  # noqa: UP028 - a list takes nothing that is sent
        yield step


def _books(chance):
    """Return what a block locks: one of the spreadsheets, or both."""
    return chance.choice([(0,), (0,), (1,), (0, 1)])


def _increment(chance, name):
    books = _books(chance)

    def steps():
        for book in books:
            number = yield Step(book, "cell")
            if isinstance(number, tuple):
                return  # the lock is lost
            yield Step(book, "write", (int(number or 0) + 1,))

    return Unit(steps, books)


def _find_or_append(chance, name):
    books, key = _books(chance), _key(chance)
    book = books[0]

    def steps():
        keys = yield Step(book, "keys")
        if isinstance(keys, list) and key not in keys:
            yield Step(book, "append", (key, name))

    return Unit(steps, books)


def _block(chance, name):
    """Draw a block of calls of which none needs another one's result."""
    books = _books(chance)
    steps = [
        _call(chance, chance.choice(books), f"{name}-{place}")
        for place in range(chance.randint(1, _LONGEST))
    ]
    pipeline = chance.choice(["", "", "waits", "reorders", "forgets"])
    return Unit(lambda: _in_turn(steps), books, pipeline, is_outside=chance.random() < 0.5)


def _keyed(chance, name):
    """Draw a block under a key: mostly the one that everybody makes under it.

    Each call has its key by itself. So a block that locks other spreadsheets than everybody's is a
    single call: of two longer ones, which run side by side, each may get some of the numbers.
    """
    key = f"{name.partition('-')[0]}-{chance.choice(_KEYS)}"
    drawn_from = key.partition(".")[0] + key[-1]
    same = Random(drawn_from)
    everybodys = books = _books(same)
    if chance.random() >= 0.8:
        same = Random(drawn_from + name.partition("-")[2])
        books = _books(same)
    steps = [
        _write(same, same.choice(books), f"{key}-{place}")._replace(key=f"{key}#{place}")
        for place in range(same.randint(1, 3 if books == everybodys else 1))
    ]
    # Without a lock, another caller's call may stand between two of them.
    locks = books if len(steps) > 1 else chance.choice([(), books])
    pipeline = chance.choice(["", "", "waits", "reorders", "forgets"])
    is_outside = chance.random() < 0.5
    return Unit(lambda: _in_turn(steps), locks, pipeline, is_outside=is_outside, key=key)


UNITS = [(_plain, 4), (_increment, 3), (_find_or_append, 2), (_block, 3), (_keyed, 3)]
"""What there is of units, and how often each comes."""
