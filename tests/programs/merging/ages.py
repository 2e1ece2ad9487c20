"""Histories of reads whose answers may be of some age, with writes among them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from . import upserts
from .books import books
from .bursts import BURSTS, USUAL
from .calls import Scene
from .histories import History
from .reads import reads
from .troubles import troubles

AGES = st.sampled_from((0.0, 1.0, 3.0, 3.0, 60.0))
PAUSES = st.sampled_from((0.0, 0.0, 0.5, 1.0, 1.0, 3.5))
"""Seconds on both sides of those ages, and some that are just as long."""

_MOST_WRITES = 3


@st.composite
def _of_all_calls(draw):
    """Draw calls of which many are the same few reads, again and again."""
    book = draw(books())
    scene = Scene(book)
    asked = draw(reads(scene))
    burst = draw(BURSTS[draw(st.sampled_from(USUAL))](scene))
    others = [*burst, *draw(BURSTS["batches"](scene)), *draw(BURSTS["barriers"](scene))]
    calls = draw(
        st.lists(st.sampled_from(asked[: draw(st.integers(1, 3))]), min_size=4, max_size=14)
    )
    for other in draw(st.lists(st.sampled_from(others), max_size=_MOST_WRITES)):
        calls.insert(draw(st.integers(0, len(calls))), other)
    calls = [replace(call, max_age=draw(AGES)) for call in calls]
    looks = draw(st.lists(st.integers(0, 2), max_size=4))
    waits = draw(st.lists(st.booleans(), max_size=3))
    busy = frozenset(draw(st.lists(st.integers(0, 6), max_size=1)))
    blips = frozenset(draw(st.lists(st.integers(0, 6), max_size=1)))
    trouble = draw(troubles(calls)) if draw(st.integers(0, 4)) == 0 else None
    pauses = tuple(draw(st.lists(PAUSES, min_size=1, max_size=5)))
    told = (book, tuple(calls), (*looks, 1), (*waits, False), busy, blips, trouble, pauses)
    remembers = draw(st.sampled_from((64 * 1024**2, 64 * 1024**2, 20_000)))
    return History(*told, remembers, merges=draw(st.integers(0, 3)) > 0)


@st.composite
def _of_upserts(draw):
    """Draw upserts, and between any two of them a read that may be old."""
    history = draw(upserts.histories())
    read = replace(upserts.READ, max_age=60.0)
    calls = [each for call in history.calls for each in (replace(call, max_age=draw(AGES)), read)]
    return replace(history, calls=tuple(calls), pauses=(draw(PAUSES),))


def histories():
    """Draw calls of which many are reads, of all ages."""
    return st.integers(0, 3).flatmap(lambda way: _of_upserts() if way == 0 else _of_all_calls())


def fresh(history):
    """Return the same history without ages: all of its reads are asked for."""
    calls = tuple(replace(call, max_age=0.0) for call in history.calls)
    return replace(history, calls=calls)
