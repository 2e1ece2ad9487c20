"""Many processes that poll one sheet, with answers that may be some seconds old.

Somebody else types a number into the sheet all the while, without the queue, so that the
emulator's ledger tells until when what an answer shows was what stood there.
"""

from __future__ import annotations

import json
import math
from urllib.request import urlopen

from .emulated import Emulated
from .figures import percentile
from .peer import Peer
from .pipelines import LATENCY
from .pollers import TYPED, WRITTEN
from .row import Comparison, Row

GROUP = "polling"
QUOTA = 60
"""Reads, in as long as the processes poll."""

# What part of the time lies between two writes, and how often somebody types while an answer ages.
_WRITES, _TYPED = 12, 8


def run(place):
    size = place.size
    cases = {
        f", max_age {size.max_age:g} s": (size.max_age, False),
        f", max_age {size.max_age:g} s, one of them writes": (size.max_age, True),
        ", max_age 0": (0.0, False),
    }
    for told, (max_age, writes) in cases.items():
        name = f"{size.pollers} processes{told}"
        figures = judged(*_measure(place, max_age, writes), max_age)
        wrong = figures["too_old_answers"] + figures["missed_writes"]
        yield Row(GROUP, name, figures, "ANSWERS THAT MUST NOT BE" if wrong else "")
        if max_age:
            numbers = (figures["requests"], figures["bound_requests"])
            yield Comparison(GROUP, f"{name}: reads / bound", "", *numbers, 1.0)
            numbers = (figures["oldest_s"], figures["max_age_s"])
            yield Comparison(GROUP, f"{name}: oldest answer / max_age", "s", *numbers, 1.0)


def _measure(place, max_age, writes):
    """Return what each process saw, and the requests that the emulator had meanwhile."""
    size = place.size
    limits = [f"--reads-per-minute={QUOTA}", f"--quota-window={size.polling}"]
    with Emulated(place, LATENCY, limits) as google:
        server, typist = google.server(*limits), google.user("direct")
        where = {"redis_url": place.redis_url, "namespace": google.namespace}
        pollers = Peer("pollers", where)
        try:
            server.until_log("working as")
            key = typist.ask(do="create", title="Book")
            typist.ask(do="count_up", key=key, cell=WRITTEN, seconds=0.0, every=0.0)
            typist.ask(do="count_up", key=key, cell=TYPED, seconds=0.0, every=0.0)
            how = {"width": size.pollers, "seconds": size.polling, "every": size.poll_every}
            write_every = size.polling / _WRITES if writes else 0
            pollers.ask(do="open", key=key, **how, max_age=max_age, write_every=write_every)
            before = _entries(google, 0)[-1]["number"]
            every = size.max_age / _TYPED
            typist.tell(do="count_up", key=key, cell=TYPED, seconds=size.polling, every=every)
            reads = pollers.ask(do="poll")
            typist.answer()
            return reads, _entries(google, before)
        finally:
            pollers.end()


def _entries(google, after):
    """Return the emulator's requests after the one of that number."""
    found = []
    while True:
        with urlopen(f"{google.url}/emulator/ledger?after={after}&limit=1000") as answer:
            entries = json.load(answer)["entries"]
        if not entries:
            return [entry for entry in found if entry["to"] == "api"]
        found, after = found + entries, entries[-1]["number"]


def judged(reads, ledger, max_age):
    """Return the figures of a run; pure.

    Args:
        reads: What each process saw: see :meth:`.pollers.Pollers.poll`.
        ledger: The requests that the emulator had meanwhile.
        max_age: How old answers might be; 0 for not at all.

    """
    replaced = _replaced(ledger)
    every = [read for of_one in reads for read in of_one]
    began, ended = min(read[0] for read in every), max(read[1] for read in every)
    writes = sum(of_one[-1][4] for of_one in reads)
    ages = [_age(began, typed, replaced) for began, _, typed, *_ in every]
    waits = [1000 * (end - begin) for begin, end, *_ in every]
    writers = [read for of_one in reads if of_one[-1][4] for read in of_one]
    figures = {
        "reads": len(every),
        "requests": sum(served["quota"] == "read" for served in ledger),
        "writes": writes,
        "seconds_s": ended - began,
        "max_age_s": max_age,
        "oldest_s": max(ages),
        "seen_s": max(_age(end, typed, replaced) for _, end, typed, *_ in every),
        "p50_ms": percentile(waits, 0.5),
        "p99_ms": percentile(waits, 0.99),
        "too_old_answers": sum(age > max_age for age in ages),
        "missed_writes": sum(seen < _written(began, writers) for began, *_, seen, _ in every),
    }
    if max_age:
        figures["bound_requests"] = math.floor((ended - began) / max_age) + 1 + writes
    return figures


def _replaced(ledger):
    """Return when each number that was typed was replaced by the next one, from 0 on."""
    typed = [each for each in ledger if each["method"] == "PUT" and each["path"].endswith(TYPED)]
    return sorted(each["applied_at"] for each in typed)[1:]


def _written(moment, reads):
    """Return the latest number that had been written through the queue by those who read then."""
    return max((own for began, *_, own in reads if began <= moment), default=0)


def _age(moment, typed, replaced):
    """Return for how long what an answer shows has not been what stands there; 0 if it still is."""
    return max(0.0, moment - replaced[typed]) if typed < len(replaced) else 0.0
