"""Whether reads were as fresh as they had to be of what somebody types without the queue; pure."""

from __future__ import annotations

from itertools import pairwise
from math import inf


def too_old(calls, typed):
    """Yield the reads of a number that had been replaced for longer than they may be late.

    Args:
        calls: Of all clients. A call's answer was given at its beginning at the earliest, so what
            it shows must have stood there at that moment, less its age, or later.
        typed: What was typed, in that order: title, number and when it was there.

    Yields:
        The read, and for how long the number had been replaced, in seconds; infinite for one that
        had not been typed by then.

    """
    for read in calls:
        if read.what == "typed" and read.is_ok:
            age = _age(read, [(number, at) for title, number, at in typed if title == read.book])
            if age > read.max_age:
                yield read, age


def _age(read, typed):
    """Return for how long the number had been replaced when the read began, or 0."""
    spans = [(begin, end) for (number, begin), (_, end) in _spans(typed) if number == read.result]
    shown = [end for begin, end in spans if begin <= read.end]
    return max(0.0, read.began - max(shown, default=-inf))


def _spans(typed):
    return pairwise([(0, -inf), *typed, (None, inf)])
